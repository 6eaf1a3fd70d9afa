"""From a request to its route: what is served, what a call costs, who may make it, and the keys in its path.

Quirks: `users('x')` is `users/x`, and only that form takes a name that starts with `$` (A); applications and
servicePrincipals have the alternate key `(appId='x')` (A); a tenant id in a write's path gets the gateway's refusal of
uncontained writes (A). Application.ReadWrite.OwnedBy writes only to what the caller owns but reads everything (A); the
role that writes policies cannot read them as soon as one exists (A, known issue 13678). Roles and resource units are in
calls.json; an unlisted POST counts as a write even when it only reads, as getAvailableExtensionProperties does (A for
the rule, D for that action).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from emulator.errors import GraphRefusal, method_not_allowed, unknown_segment, write_not_contained
from emulator.graph.call import GUID, GraphCall, PathKey
from emulator.messages import Reply

Handler: TypeAlias = Callable[[GraphCall], Reply | None]  # None: 204, no content
OWNED = "Application.ReadWrite.OwnedBy"
_POLICIES = "/policies/claimsMappingPolicies"
_POLICY_READS = (_POLICIES, f"{_POLICIES}/{{policy}}")
_POLICY_WRITER = "Policy.ReadWrite.ApplicationConfiguration"
_CALLS = json.loads(Path(__file__).with_name("calls.json").read_text(encoding="utf-8"))["calls"]
_KEYED = re.compile(r"(\w+)\((?:(\w+)=)?'(.*)'\)")


def held_alternatives(call: str, roles: frozenset[str]) -> list[frozenset[str]]:
    """The alternatives of `call` ("GET /users") that `roles` cover, whoever owns what."""
    alternatives = (frozenset(text.split(" and ")) for text in _CALLS[call]["roles"])
    return [alternative for alternative in alternatives if alternative <= roles]


@dataclass(frozen=True)
class Route:
    method: str
    template: str
    handler: Handler
    resource_units: int
    is_beta_only: bool  # v1.0's gateway does not know the method (A)

    def is_allowed(self, roles: frozenset[str], *, owns: Callable[[], bool], any_policy: Callable[[], bool]) -> bool:
        """Whether `roles` suffice. `owns` and `any_policy` are called only where the answer depends on them."""
        held = held_alternatives(f"{self.method} {self.template}", roles)
        if self.method == "GET" and self.template in _POLICY_READS:
            return any(_POLICY_WRITER not in alternative for alternative in held) or (bool(held) and not any_policy())
        return any(OWNED not in alternative or self.method == "GET" or owns() for alternative in held)


class Router:
    """Finds the route of a path."""

    def __init__(self, routes: Mapping[str, Handler]) -> None:
        """`routes` maps "METHOD /path/{key}" to the handler."""
        self._routes: dict[tuple[str, ...], dict[str, Route]] = {}  # segments of the template -> method -> route
        for call, handler in routes.items():
            method, template = call.split(" ")
            route = Route(method, template, handler, _CALLS[call]["units"], "beta" in _CALLS[call])
            self._routes.setdefault(tuple(template[1:].split("/")), {})[method] = route
        self._roots = frozenset(template[0] for template in self._routes)

    def find(self, method: str, path: str) -> tuple[Route, dict[str, PathKey]]:
        """The route and the keys in the path. Raises what Graph answers when there is none."""
        segments = _segments(path)
        for template, by_method in self._routes.items():
            keys = _match(template, segments)
            if keys is not None:
                if method not in by_method:
                    raise method_not_allowed()
                return by_method[method], keys
        raise self._unknown_path(method, segments)

    def _unknown_path(self, method: str, segments: Sequence[str | PathKey]) -> GraphRefusal:
        texts = [segment if isinstance(segment, str) else segment.value for segment in segments]
        if texts[0] in self._roots:
            return unknown_segment(texts[-1])
        is_behind_tenant = len(texts) > 1 and GUID.fullmatch(texts[0]) and texts[1] in self._roots
        return write_not_contained() if is_behind_tenant and method != "GET" else unknown_segment(texts[0])


def _segments(path: str) -> list[str | PathKey]:
    segments: list[str | PathKey] = []
    for text in path.strip("/").split("/"):
        keyed = _KEYED.fullmatch(text)
        if keyed:
            segments += [keyed[1], PathKey(keyed[3].replace("''", "'"), keyed[2])]
        else:
            segments.append(text)
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
