"""Faults on demand: the next requests that match are refused, lost, dropped, hung or delayed. A client must survive
them and Graph does not show them on request: an answer lost after the write was carried out, a connection closed before
it, a server that never answers, any status with any headers. Faults are set through /admin/faults and kept in memory
only."""

import asyncio
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import get_origin, get_type_hints

from emulator.types import Json

ACTIONS = frozenset({"refuse", "lose", "drop", "hang", "hang_before", "hold", "delay"})
_CODES = json.loads(Path(__file__).with_name("fault_codes.json").read_text(encoding="utf-8"))  # by status


@dataclass
class Fault:
    """An armed fault; `path` is a regular expression, searched in the decoded path without version and query. With
    `in_batch` an item that matches brings the fault upon its whole $batch."""

    id: int
    action: str
    method: str = ""
    path: str = ""
    skip: int = 0
    times: int = 1
    status: int = 503
    code: str = ""
    message: str = "The emulator was told to refuse this request."
    headers: dict[str, str] = field(default_factory=dict)
    ms: int = 0
    in_batch: bool = False
    fired: int = 0
    passed: int = 0

    def hits(self, method: str, path: str) -> bool:
        """Whether this request is hit; both a hit and a request that `skip` lets pass are counted."""
        is_spent = self.times != -1 and self.fired >= self.times
        if is_spent or self.method not in ("", method) or not re.search(self.path, path):
            return False
        is_hit = self.passed >= self.skip
        self.fired += is_hit
        self.passed += not is_hit
        return is_hit


_COUNTED = ("id", "fired", "passed")  # what no caller sets
_FIELDS = {name: get_origin(kind) or kind for name, kind in get_type_hints(Fault).items() if name not in _COUNTED}


class Faults:
    """All armed faults, in the order in which they were armed; the first that matches a request hits it."""

    def __init__(self) -> None:
        self._armed: list[Fault] = []
        self._released = asyncio.Event()
        self._numbers = count(1)

    def arm(self, body: Json) -> Fault:
        """Raises ValueError, in one line, for a fault that cannot exist."""
        if not isinstance(body, dict):
            raise ValueError("a fault is a JSON object")
        for name, value in body.items():
            if name not in _FIELDS:
                raise ValueError(f"a fault has no field '{name}'; known are {', '.join(_FIELDS)}")
            if type(value) is not _FIELDS[name]:
                raise ValueError(f"field '{name}' of a fault takes a value of type {_FIELDS[name].__name__}")
        if body.get("action") not in ACTIONS:
            raise ValueError(f"the action of a fault is one of {', '.join(sorted(ACTIONS))}")
        try:
            re.compile(body.get("path", ""))
        except re.error as error:
            raise ValueError(f"the path of a fault is a regular expression: {error}") from error
        headers = {str(name): str(value) for name, value in body.get("headers", {}).items()}
        fault = Fault(next(self._numbers), **{**body, "headers": headers})
        if not 400 <= fault.status <= 599:
            raise ValueError("a fault refuses with a status from 400 to 599")
        fault.code = fault.code or _CODES.get(str(fault.status), "UnknownError")
        self._armed.append(fault)
        return fault

    def take(self, method: str, path: str, *, only: frozenset[str] = ACTIONS) -> Fault | None:
        """The fault that hits this request, if any, with an action among `only`."""
        return next((fault for fault in self._armed if fault.action in only and fault.hits(method, path)), None)

    def take_for_batch(self, read_items: Callable[[], Iterable[tuple[str, str]]]) -> Fault | None:
        """The fault with `in_batch` that one of these items, as method and path, brings upon their batch. Refusals are
        not among them: they are taken by the item itself."""
        armed = [fault for fault in self._armed if fault.in_batch and fault.action != "refuse"]
        return next((fault for item in read_items() for fault in armed if fault.hits(*item)), None) if armed else None

    def to_json(self) -> list[dict[str, Json]]:
        shown = [*_FIELDS, "id", "fired"]
        return [{name: value for name, value in vars(fault).items() if name in shown} for fault in self._armed]

    def clear(self) -> None:
        """Disarm all faults, and release the requests that hang."""
        self._armed.clear()
        self._released.set()
        self._released = asyncio.Event()

    async def until_cleared(self) -> None:
        await self._released.wait()
