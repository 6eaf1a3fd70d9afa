"""From a request to its route and to the call that a handler works on; what a call costs, and who may make it. Quirks:
`users('x')` is `users/x`, and only that form takes a name that starts with `$` (A); applications and servicePrincipals
have the alternate key `(appId='x')` (A); a tenant id in a write's path gets the gateway's refusal of uncontained writes
(A). Application.ReadWrite.OwnedBy writes only to what the caller owns but reads everything (A); the role that writes
policies cannot read them as soon as one exists (A, known issue 13678). Roles and resource units are in calls.json; an
unlisted POST counts as a write even when it only reads, as getAvailableExtensionProperties does (A for the rule, D for
that action). The url in the body of a `$ref` is absolute, of either version, and names the object below its own
collection or below directoryObjects (B)."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, TypeAlias
from urllib.parse import urlsplit

from emulator import errors
from emulator.graph.query import Query
from emulator.messages import ApiRequest, Reply, parse_json
from emulator.tenant.records import TokenRecord
from emulator.tenant.store import Store
from emulator.types import Attributes

GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
OWNED = "Application.ReadWrite.OwnedBy"
_POLICY_READS = ("GET /policies/claimsMappingPolicies", "GET /policies/claimsMappingPolicies/{policy}")
_POLICY_WRITER = "Policy.ReadWrite.ApplicationConfiguration"
_CALLS = json.loads(Path(__file__).with_name("calls.json").read_text(encoding="utf-8"))["calls"]
_KEYED = re.compile(r"(\w+)\((?:(\w+)=)?'(.*)'\)")


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
    now: datetime  # of the tenant

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
            raise errors.refusal("no_content_type")
        try:
            parsed = parse_json(self.request.body)
        except ValueError as error:
            raise errors.refusal("unreadable_body") from error
        if not isinstance(parsed, dict):
            raise errors.invalid_body()
        return parsed

    def guid(self, name: str) -> str:
        """An object id from the path, lower case; what is not a GUID is refused as Graph does (A)."""
        value = self.key(name)
        if not GUID.fullmatch(value):
            raise errors.bad_request(f"Invalid object identifier '{value}'.")
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
            raise errors.bad_request("Invalid URL format specified in payload.")  # wording D
        return object_id.lower()


Handler: TypeAlias = Callable[[GraphCall], Reply | None]  # None: 204, no content


def held_alternatives(call: str, roles: frozenset[str]) -> list[frozenset[str]]:
    """The alternatives of `call` ("GET /users") that `roles` cover, whoever owns what."""
    alternatives = (frozenset(text.split(" and ")) for text in _CALLS[call]["roles"])
    return [alternative for alternative in alternatives if alternative <= roles]


@dataclass(frozen=True)
class Route:
    call: str  # "GET /users/{user}"
    handler: Handler
    resource_units: int
    is_beta_only: bool  # v1.0's gateway does not know the method (A)

    def is_allowed(self, roles: frozenset[str], *, owns: Callable[[], bool], any_policy: Callable[[], bool]) -> bool:
        """Whether `roles` suffice. `owns` and `any_policy` are called only where the answer depends on them."""
        held = held_alternatives(self.call, roles)
        if self.call in _POLICY_READS:
            return any(_POLICY_WRITER not in alternative for alternative in held) or (bool(held) and not any_policy())
        return any(OWNED not in alternative or self.call.startswith("GET ") or owns() for alternative in held)


class Router:
    """Finds the route of a path."""

    def __init__(self, routes: Mapping[str, Handler]) -> None:
        """`routes` maps "METHOD /path/{key}" to the handler."""
        self._routes: dict[tuple[str, ...], dict[str, Route]] = {}  # segments of the template -> method -> route
        for call, handler in routes.items():
            method, template = call.split(" ")
            route = Route(call, handler, _CALLS[call]["units"], "beta" in _CALLS[call])
            self._routes.setdefault(tuple(template[1:].split("/")), {})[method] = route
        self._roots = frozenset(template[0] for template in self._routes)

    def find(self, method: str, path: str) -> tuple[Route, dict[str, PathKey]]:
        """The route and the keys in the path. Raises what Graph answers when there is none."""
        segments = _segments(path)
        for template, by_method in self._routes.items():
            keys = _match(template, segments)
            if keys is not None:
                if method not in by_method:
                    raise errors.method_not_allowed()
                return by_method[method], keys
        texts = [segment if isinstance(segment, str) else segment.value for segment in segments]
        if texts[0] in self._roots:
            raise errors.refusal("unknown_segment", texts[-1])
        is_behind_tenant = len(texts) > 1 and GUID.fullmatch(texts[0]) and texts[1] in self._roots
        is_refused_write = is_behind_tenant and method != "GET"
        raise errors.refusal("write_not_contained" if is_refused_write else "unknown_segment", texts[0])


def _segments(path: str) -> list[str | PathKey]:
    segments: list[str | PathKey] = []
    for text in path.strip("/").split("/"):
        keyed = _KEYED.fullmatch(text)
        segments += [keyed[1], PathKey(keyed[3].replace("''", "'"), keyed[2])] if keyed else [text]
    return segments


def _match(template: Sequence[str], segments: Sequence[str | PathKey]) -> dict[str, PathKey] | None:
    if len(template) != len(segments):
        return None
    keys: dict[str, PathKey] = {}
    for name, segment in zip(template, segments, strict=True):
        if not name.startswith("{"):
            if name != segment:
                return None
        elif isinstance(segment, PathKey):
            if segment.name not in (None, "appId") or (segment.name and name not in ("{application}", "{principal}")):
                return None
            keys[name[1:-1]] = segment
        elif segment.startswith("$") or not segment:
            return None
        else:
            keys[name[1:-1]] = PathKey(segment)
    return keys
