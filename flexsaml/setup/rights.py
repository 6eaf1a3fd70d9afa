"""Which permissions a registration gets: the fewest that meet the requirements of the mode. Pure. What a stack can do
without is left out, and so is a permission to read that one to write includes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flexsaml.graph import requirements_of_stack

MODES = ("up", "preview")


@dataclass(frozen=True)
class Need:
    """What a kind of call takes: sets of permissions, each of which is enough, the least first."""

    purpose: str
    any_of: tuple[frozenset[str], ...]

    def is_met(self, granted: frozenset[str]) -> bool:
        return any(names <= granted for names in self.any_of)


def list_needs(mode: str, *, extensions: bool, users: bool, as_person: bool) -> list[Need]:
    """The needs of `up` or `preview` for a stack with or without extensions and users. `as_person`: of a person's
    (delegated) permissions, among which there is none for owned objects."""
    rows = [row for row in requirements_of_stack(extensions=extensions, users=users) if row.is_essential]
    return [
        Need(row.purpose, tuple(map(frozenset, row.alternatives(is_person=as_person))))
        for row in rows
        if mode == "up" or not row.writes
    ]


def choose_permissions(needs: Iterable[Need]) -> Mapping[str, tuple[str, ...]]:
    """The fewest permissions that meet all needs: name to what it is for."""
    needs = list(needs)
    chosen = list(dict.fromkeys(name for need in needs for name in sorted(need.any_of[0])))
    for name in list(chosen):
        others = [other for other in chosen if other != name]
        if all(need.is_met(frozenset(others)) for need in needs):
            chosen = others
    granted = frozenset(chosen)
    return {name: tuple(need.purpose for need in needs if name in _used(need, granted)) for name in sorted(chosen)}


def _used(need: Need, granted: frozenset[str]) -> frozenset[str]:
    """The first alternative that is granted."""
    return next(names for names in need.any_of if names <= granted)
