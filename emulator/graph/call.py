"""One Graph request as a handler sees it: the keys of its path, who asks, and the tenant.

Quirks: headers of a batch are not inherited by its items (A), so each carries its own; the url in the body of a `$ref`
is absolute, of either version, and names the object below its own collection or below directoryObjects (B).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple
from urllib.parse import urlsplit

from emulator.errors import bad_request, gateway_bad_request, invalid_body
from emulator.graph.query import Query
from emulator.messages import ApiRequest
from emulator.tenant.records import TokenRecord
from emulator.tenant.store import Store
from emulator.types import Attributes

GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class PathKey(NamedTuple):
    """An object's key in a path; `name` is set for an alternate key."""

    value: str
    name: str | None = None


@dataclass(frozen=True)
class GraphCall:
    request: ApiRequest
    keys: Mapping[str, PathKey]
    token: TokenRecord
    store: Store

    @cached_property
    def query(self) -> Query:
        return Query.parse(self.request.query, self.request.headers.get("consistencylevel", ""))

    @property
    def select(self) -> tuple[str, ...]:
        """The properties that the answer is limited to, if any; $select is ignored by a POST (D)."""
        return self.query.select if self.request.method == "GET" else ()

    @property
    def base(self) -> str:
        return f"{self.request.origin}/{self.request.version}"

    def key(self, name: str) -> str:
        return self.keys[name].value

    def body(self, *, optional: bool = False) -> Attributes:
        """The JSON object sent. Wordings D except where docs/parity.md says otherwise."""
        if optional and not self.request.body:
            return {}
        if "json" not in self.request.headers.get("content-type", "").lower():
            words = "Write requests (excluding DELETE) must contain the Content-Type header declaration."
            raise gateway_bad_request(words)
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
        value = self.key(name)
        if not GUID.fullmatch(value):
            raise bad_request(f"Invalid object identifier '{value}'.")
        return value.lower()

    def referenced_id(self, *collections: str) -> str:
        """The id in the `@odata.id` of the body: on a host this program serves, below one of `collections`."""
        url = self.body().get("@odata.id")
        try:
            target = urlsplit(url if isinstance(url, str) else "")
        except ValueError:
            target = urlsplit("")
        version, _, path = target.path.strip("/").partition("/")
        collection, _, object_id = path.rpartition("/")
        is_served = target.scheme in ("http", "https") and target.hostname in _LOOPBACK and version in ("v1.0", "beta")
        if not is_served or collection not in (*collections, "directoryObjects") or not GUID.fullmatch(object_id):
            raise bad_request("Invalid URL format specified in payload.")  # wording D
        return object_id.lower()
