"""Graph's refusals: the error a handler raises, and the recorded codes and wordings. The directory refuses with codes
like `Request_*` and `Authorization_*`, the gateway in front of it with `BadRequest`, `InvalidAuthenticationToken` and
`TooManyRequests` (grade A, Graph errors reference and recorded bodies). Callers must match on the code and often on the
message too, so both are exact where they were recorded; wordings of our own are marked D here and in docs/parity.md."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

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


bad_request = partial(GraphRefusal, 400, "Request_BadRequest")
gateway_bad_request = partial(GraphRefusal, 400, "BadRequest")
conflict = partial(GraphRefusal, code="Request_MultipleObjectsWithSameKeyValue")
unsupported_query = partial(GraphRefusal, 400, "Request_UnsupportedQuery")
invalid_body = partial(bad_request, "One or more properties contains invalid values.")
method_not_allowed = partial(
    GraphRefusal, 405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target."
)
write_not_contained = partial(
    gateway_bad_request,
    "Write requests are only supported on contained entities or navigation properties with bindings.",
)


def invalid_value(prop: str, resource: str) -> GraphRefusal:
    """Recorded for dataType of ExtensionProperty (A); the same wording for user values is our inference (D)."""
    details = [{"code": "InvalidValue", "target": prop, "message": "Invalid value specified."}]
    return bad_request(f"Invalid value specified for property '{prop}' of resource '{resource}'.", details=details)


def reference_exists(prop: str) -> GraphRefusal:
    words = "One or more added object references already exist for the following modified properties"
    return bad_request(f"{words}: '{prop}'.")


def reference_missing(prop: str) -> GraphRefusal:
    words = "One or more removed object references do not exist for the following modified properties"
    return bad_request(f"{words}: '{prop}'.")


def not_found(identifier: str) -> GraphRefusal:
    words = "does not exist or one of its queried reference-property objects are not present"
    return GraphRefusal(404, "Request_ResourceNotFound", f"Resource '{identifier}' {words}.")


def unknown_segment(segment: str) -> GraphRefusal:
    return GraphRefusal(400, "RequestBroker--ParseUri", f"Resource not found for the segment '{segment}'.")


def unauthenticated(message: str) -> GraphRefusal:
    challenge = 'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize"'
    return GraphRefusal(401, "InvalidAuthenticationToken", message, headers={"WWW-Authenticate": challenge})


def throttled(retry_after: str, client_id: str, tenant_id: str) -> GraphRefusal:
    return GraphRefusal(
        429,
        "TooManyRequests",
        "Please retry again later.",
        headers={
            "Retry-After": retry_after,
            "x-ms-throttle-scope": f"Tenant_Application/ReadWrite/{client_id}/{tenant_id}",
            "x-ms-throttle-information": "WriteLimitExceeded",
        },
        inner={"code": "429", "message": "Please retry after", "status": "429"},
    )
