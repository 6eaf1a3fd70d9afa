"""Graph's refusals: the error a handler raises, and the recorded codes and wordings. The directory refuses with codes
like `Request_*` and `Authorization_*`, the gateway in front of it with `BadRequest`, `InvalidAuthenticationToken` and
`TooManyRequests` (grade A, Graph errors reference and recorded bodies). Callers must match on the code and often on the
message too, so both are exact where they were recorded; wordings of our own are marked D here and in docs/parity.md."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from emulator.types import Json


@dataclass(eq=False)
class GraphRefusal(Exception):
    """A refusal; `inner` is merged into innerError, `headers` into the answer's headers."""

    status: int
    code: str
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)
    inner: Mapping[str, str] = field(default_factory=dict)
    details: list[Json] | None = None


_REFUSALS = json.loads(Path(__file__).with_name("refusals.json").read_text(encoding="utf-8"))


def refusal(name: str, *names: object, details: list[Json] | None = None) -> GraphRefusal:
    """The refusal of this name in refusals.json, with `names` in its words."""
    status, code, words = _REFUSALS[name]
    return GraphRefusal(status, code, words.format(*names), details=details)


bad_request = partial(GraphRefusal, 400, "Request_BadRequest")
gateway_bad_request = partial(GraphRefusal, 400, "BadRequest")
conflict = partial(GraphRefusal, code="Request_MultipleObjectsWithSameKeyValue")
unsupported_query = partial(GraphRefusal, 400, "Request_UnsupportedQuery")
invalid_body = partial(refusal, "invalid_body")
method_not_allowed = partial(refusal, "method_not_allowed")
not_found = partial(refusal, "not_found")
reference_exists = partial(refusal, "reference_exists")
reference_missing = partial(refusal, "reference_missing")


def invalid_value(prop: str, resource: str) -> GraphRefusal:
    """Recorded for dataType of ExtensionProperty (A); the same wording for user values is our inference (D)."""
    details = [{"code": "InvalidValue", "target": prop, "message": "Invalid value specified."}]
    return refusal("invalid_value", prop, resource, details=details)


def unauthenticated(message: str) -> GraphRefusal:
    challenge = 'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize"'
    return GraphRefusal(401, "InvalidAuthenticationToken", message, headers={"WWW-Authenticate": challenge})


def throttled(retry_after: str, client_id: str, tenant_id: str) -> GraphRefusal:
    headers = {
        "Retry-After": retry_after,
        "x-ms-throttle-scope": f"Tenant_Application/ReadWrite/{client_id}/{tenant_id}",
        "x-ms-throttle-information": "WriteLimitExceeded",
    }
    inner = {"code": "429", "message": "Please retry after", "status": "429"}
    return GraphRefusal(429, "TooManyRequests", "Please retry again later.", headers, inner)
