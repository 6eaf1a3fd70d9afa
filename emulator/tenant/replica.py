"""What a read sees: Graph answers from replicas that lag behind writes, so a read may miss, or show what was.

Quirk tamed: after a create, reads can answer 404 for a while; after a change they can show the old value; after a
delete the object can still be read (grade B: encoded in shipping Terraform providers). The lag is counted in reads of
one object (dials read_lag, stale_reads, delete_lag), and kept in memory only: a restarted emulator is consistent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, Protocol, TypeVar

from emulator.dials import Dials


class HasId(Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar("T", bound=HasId)


class Replica(Generic[T]):
    """The lagging view of one kind of object."""

    def __init__(self, dials: Callable[[], Dials]) -> None:
        self._dials = dials
        self._shown: dict[str, tuple[int, T | None]] = {}  # id -> reads left, what they see (None: nothing)

    def created(self, item: T) -> None:
        self._remember(item.id, self._dials().read_lag, None)

    def changed(self, before: T) -> None:
        self._remember(before.id, self._dials().stale_reads, before)

    def deleted(self, before: T) -> None:
        self._remember(before.id, self._dials().delete_lag, before)

    def clear(self) -> None:
        self._shown.clear()

    def see(self, item_id: str, current: T | None) -> T | None:
        """What one read of this object sees; the read is counted."""
        if item_id not in self._shown:
            return current
        left, old = self._shown.pop(item_id)
        if left > 1:
            self._shown[item_id] = (left - 1, old)
        return old

    def see_all(self, current: Iterable[T], belongs: Callable[[T], bool] = lambda _: True) -> Iterable[T]:
        """What one list sees: late objects missing, old ones as they were, deleted ones that `belongs` still there."""
        return self._lagging(current, belongs) if self._shown else current

    def _lagging(self, current: Iterable[T], belongs: Callable[[T], bool]) -> Iterator[T]:
        listed = {item.id: item for item in current}
        ghosts = [old for left, old in self._shown.values() if old and old.id not in listed and belongs(old)]
        for item in [*listed.values(), *ghosts]:
            seen = self.see(item.id, listed.get(item.id))
            if seen is not None:
                yield seen

    def _remember(self, item_id: str, reads: int, shown: T | None) -> None:
        if reads:
            self._shown[item_id] = (reads, shown)
        else:
            self._shown.pop(item_id, None)
