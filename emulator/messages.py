"""One request as the emulator's protocols see it, and the answer they give back; no HTTP library in sight. The same
shapes serve a request of its own and an item of a $batch."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from emulator.types import Json

ODATA_JSON = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
PLAIN_JSON = "application/json; charset=utf-8"


@dataclass(frozen=True)
class ApiRequest:
    """`path` is decoded; `origin` is scheme and host as the caller named them. `version` is empty until the path's
    first segment was recognised as Graph's version; `path` then starts behind it."""

    method: str
    origin: str
    version: str
    path: str
    query: str
    headers: Mapping[str, str]  # names in lower case
    body: bytes = b""


def parse_json(raw: bytes) -> Json:
    """Raises ValueError, also for half of a surrogate pair: JSON can name it, and no later answer or page could be
    encoded with it (D: what the service makes of one)."""
    parsed = json.loads(raw)
    json.dumps(parsed, ensure_ascii=False).encode()
    return parsed


@dataclass
class LoggedRequest:
    """A request that came in; `status` is 0 until it is answered, and stays 0 if it never is. A $batch is logged once,
    followed by its items with `in_batch`. Admin and health calls are not logged."""

    method: str
    path: str  # as received, with the query; an item's path has the batch's version in front
    status: int = 0
    in_batch: bool = False


@dataclass(frozen=True)
class Reply:
    """`body` is JSON, or text for text/plain, or None for no content."""

    status: int
    body: Json = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = ODATA_JSON

    def encode(self) -> bytes:
        if self.body is None or isinstance(self.body, str):
            return (self.body or "").encode()
        return json.dumps(self.body, separators=(",", ":"), ensure_ascii=False).encode()
