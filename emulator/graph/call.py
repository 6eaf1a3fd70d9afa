"""One Graph request as a handler sees it: the keys of its path, who asks, and the tenant.

Quirk: headers of a batch are not inherited by its items (A), so each carries its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from emulator.errors import bad_request, gateway_bad_request, invalid_body
from emulator.graph.path_keys import GUID, Key
from emulator.graph.query import Query
from emulator.messages import ApiRequest
from emulator.tenant.records import Token
from emulator.tenant.store import Store
from emulator.types import Attributes


@dataclass(frozen=True)
class Call:
    """What a handler works on: the request, the keys of its path, who asks, and the tenant."""

    request: ApiRequest
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
            raise invalid_body()
        return parsed

    def guid(self, name: str) -> str:
        """An object id from the path, lower case; what is not a GUID is refused as Graph does (A)."""
        value = self.keys[name].value
        if not GUID.fullmatch(value):
            raise bad_request(f"Invalid object identifier '{value}'.")
        return value.lower()
