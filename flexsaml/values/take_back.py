"""What a value baseline remembers of a cell, and what it may take back.

Writers write forward; the baseline alone takes back. Two restorers undo each other: a value that
was deleted behind the stack's back once ended cleared, with success reported, because the writer's
late delete restored over the baseline's fresh record. So there is one rule, here, and it is pure.

A cell is one extension of one user (by object id). Its memory is

    prior   the live value before this stack's first write, kept for good
    ours    every value that may be live because of us: what was about to be written, and what is
            live now if it was ours before (two failed updates in a row leave either value behind)

A cell is taken back only while the live value is in `ours`; any other value is a stranger's, stays,
and is reported. Values here are canonical strings (see `data_types`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Cell:
    """The memory of one cell."""

    prior: str
    ours: frozenset[str]

    @classmethod
    def first(cls, live: str, wanted: str) -> Cell:
        """Before the first write: what is there is the prior, for good."""
        return cls(prior=live, ours=frozenset({wanted}))

    def again(self, live: str, wanted: str) -> Cell:
        """Before a later write of another value."""
        return Cell(self.prior, frozenset({wanted}) | (self.ours & {live}))

    def to_json(self) -> list[object]:
        return [self.prior, sorted(self.ours)]

    @classmethod
    def from_json(cls, data: Any) -> Cell:
        prior, ours = data
        return cls(prior, frozenset(ours))


@dataclass(frozen=True)
class TakeBack:
    """The outcome for a set of cells, keyed by user object id."""

    restore: dict[str, str] = field(default_factory=dict)
    """live value is ours and differs from the prior: write the prior"""
    strangers: list[str] = field(default_factory=list)
    """live value is neither ours nor the prior: it stays"""
    gone: list[str] = field(default_factory=list)
    """the user has left the tenant"""


def take_back(cells: Mapping[str, Cell], live: Mapping[str, str | None]) -> TakeBack:
    """Judge every cell by its live value (None: the user does not exist)."""
    found = TakeBack()
    for user, cell in sorted(cells.items()):
        now = live[user]
        if now is None:
            found.gone.append(user)
        elif now == cell.prior:
            continue
        elif now in cell.ours:
            found.restore[user] = cell.prior
        else:
            found.strangers.append(user)
    return found


def too_many(removed: int, managed: int, allowed: int) -> bool:
    """Whether taking back `removed` of `managed` cells in one update needs a word from a person.

    More than 20 % and more than 10, unless `allowed` names at least that number: a truncated file or a
    slip in the configuration should not empty a contact centre.
    """
    return removed > 10 and removed * 5 > managed and allowed < removed
