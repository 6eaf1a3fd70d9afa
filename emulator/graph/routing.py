"""From a path to a route: segments, keys in parentheses, and templates in a table.

Quirks: `users('x')` is `users/x`, and only that form takes a name that starts with `$` (A); applications and
servicePrincipals have the alternate key `(appId='x')` (A); a tenant id in a write's path gets the gateway's refusal of
uncontained writes (A).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from emulator.errors import GraphRefusal, method_not_allowed, unknown_segment, write_not_contained
from emulator.graph.call import GraphCall
from emulator.graph.path_keys import GUID, PathKey
from emulator.messages import Reply

Handler: TypeAlias = Callable[[GraphCall], Reply | None]  # None: 204, no content
_KEYED = re.compile(r"(\w+)\((?:(\w+)=)?'(.*)'\)")


@dataclass(frozen=True)
class Route:
    """`permission` names the entry in permissions.json; `cost` is (resource units, writes)."""

    method: str
    template: str
    permission: str
    cost: tuple[int, int]
    handler: Handler
    beta_only: bool = False  # v1.0's gateway does not know the method (A)


class Router:
    """Finds the route of a path."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = [(tuple(route.template.strip("/").split("/")), route) for route in routes]
        self._roots = frozenset(template[0] for template, _ in self._routes)

    def find(self, method: str, path: str) -> tuple[Route, dict[str, PathKey]]:
        """The route and the keys in the path. Raises what Graph answers when there is none."""
        segments = _segments(path)
        matching = [
            (route, keys) for template, route in self._routes if (keys := _match(template, segments)) is not None
        ]
        for route, keys in matching:
            if route.method == method:
                return route, keys
        if matching:
            raise method_not_allowed()
        raise self._unknown_path(method, segments)

    def _unknown_path(self, method: str, segments: Sequence[str | PathKey]) -> GraphRefusal:
        texts = [segment if isinstance(segment, str) else segment.value for segment in segments] or [""]
        if texts[0] in self._roots:
            return unknown_segment(texts[-1])
        is_behind_tenant = len(texts) > 1 and GUID.fullmatch(texts[0]) and texts[1] in self._roots
        return write_not_contained() if is_behind_tenant and method != "GET" else unknown_segment(texts[0])


def _segments(path: str) -> list[str | PathKey]:
    segments: list[str | PathKey] = []
    for text in path.strip("/").split("/"):
        keyed = _KEYED.fullmatch(text)
        if keyed:
            segments += [keyed[1], PathKey(keyed[3].replace("''", "'"), keyed[2], quoted=True)]
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
