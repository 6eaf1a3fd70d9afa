"""Every request that came in, in order, for tests that count calls. Admin and health calls are not logged.

A $batch is logged once, followed by its items with `in_batch`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from emulator.types import Json


@dataclass
class Entry:
    """`status` is 0 until the request is answered, and stays 0 if it never is."""

    method: str
    path: str  # as received, with the query; an item's path has the batch's version in front
    status: int = 0
    in_batch: bool = False


class RequestLog:
    def __init__(self) -> None:
        self._entries: list[Entry] = []

    def arrive(self, method: str, path: str, *, in_batch: bool = False) -> Entry:
        entry = Entry(method, path, in_batch=in_batch)
        self._entries.append(entry)
        return entry

    def to_json(self) -> list[Json]:
        return [asdict(entry) for entry in self._entries]

    def clear(self) -> None:
        self._entries.clear()
