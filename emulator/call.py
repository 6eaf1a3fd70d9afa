"""One Graph request as a handler sees it, and the answer it gives back; no HTTP library in sight.

The same shapes serve a request of its own and an item of a $batch. Quirk tamed: headers of a batch are not inherited
by its items (A), so each carries its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from emulator.errors import bad_request, gateway_bad_request
from emulator.query import Query
from emulator.routing import GUID, Key
from emulator.tenant.records import Token
from emulator.tenant.store import Store
from emulator.types import Attributes, Json

JSON_TYPE = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"


@dataclass(frozen=True)
class GraphRequest:
    """`path` is decoded and starts behind the version; `origin` is scheme and host as the caller named them."""

    method: str
    origin: str
    version: str
    path: str
    query: str
    headers: Mapping[str, str]  # names in lower case
    body: bytes = b""


@dataclass(frozen=True)
class Reply:
    """`body` is JSON, or text for text/plain, or None for no content."""

    status: int
    body: Json = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON_TYPE

    def encoded(self) -> bytes:
        if self.body is None:
            return b""
        if isinstance(self.body, str):
            return self.body.encode()
        return json.dumps(self.body, separators=(",", ":"), ensure_ascii=False).encode()


@dataclass(frozen=True)
class Call:
    """What a handler works on: the request, the keys of its path, who asks, and the tenant."""

    request: GraphRequest
    keys: Mapping[str, Key]
    token: Token
    store: Store

    @cached_property
    def query(self) -> Query:
        return Query.parse(self.request.query, self.request.headers.get("consistencylevel", ""))

    @property
    def is_beta(self) -> bool:
        return self.request.version == "beta"

    @property
    def base(self) -> str:
        return f"{self.request.origin}/{self.request.version}"

    def body(self, *, optional: bool = False) -> Attributes:
        """The JSON object sent. Wordings D except where docs/parity.md says otherwise."""
        if optional and not self.request.body:
            return {}
        if "json" not in self.request.headers.get("content-type", "").lower():
            raise gateway_bad_request(
                "Write requests (excluding DELETE) must contain the Content-Type header declaration."
            )
        try:
            parsed = json.loads(self.request.body)
        except ValueError as error:
            raise gateway_bad_request(
                "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of "
                "valid JSON format."
            ) from error
        if not isinstance(parsed, dict):
            raise bad_request("One or more properties contains invalid values.")
        return parsed

    def guid(self, name: str) -> str:
        """An object id from the path, lower case; what is not a GUID is refused as Graph does (A)."""
        value = self.keys[name].value
        if not GUID.fullmatch(value):
            raise bad_request(f"Invalid object identifier '{value}'.")
        return value.lower()
