"""Which permissions the calls of this project take: the one table, in permissions.json, with its sources (grade A).
Hints of a 403, preflight's `permission-missing`, doctor and docs/permissions.md read it. Quirk (A, graph-docs#14188,
known issue 13678): reading claims mapping policies needs Policy.Read.All even for an identity that may write them, and
reading a principal's assignments needs a right to write applications. A token names what was granted to it, and need
not show the directory roles that add to it (C). Delegated, the same permissions hold, but for
Application.ReadWrite.OwnedBy, which only an application can have (A)."""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path

OWNED = "Application.ReadWrite.OwnedBy"
"""Good only for objects that the identity owns."""


@dataclass(frozen=True)
class Requirement:
    """What a kind of call takes. `any_of`: sets of permissions, each of which is enough, the least first. `call`: as
    the reference writes it; `methods` and `path` are patterns that recognise it. `purpose` completes "to …".
    `needed_for`: always, extensions, users, or the command that alone makes it. `without`: what is left out where the
    permission is missing; "" where the call is essential."""

    call: str
    methods: str
    path: str
    purpose: str
    needed_for: str
    any_of: tuple[tuple[str, ...], ...]
    without: str = ""
    note: str = ""

    @property
    def least(self) -> str:
        """What it takes at least, in words."""
        return " with ".join(self.any_of[0])

    @property
    def least_delegated(self) -> str:
        """The same for a person."""
        return " with ".join(self.alternatives(is_person=True)[0])

    @property
    def is_essential(self) -> bool:
        return not self.without

    @property
    def writes(self) -> bool:
        """Whether it changes the tenant. The only call that is optional and no GET, changes nothing."""
        return self.is_essential and self.methods != "GET"

    def recognises(self, method: str, path: str) -> bool:
        """Whether this is the call; the first requirement that recognises a call is that call's."""
        return re.fullmatch(self.methods, method) is not None and re.match(self.path, path) is not None

    def alternatives(self, *, is_person: bool) -> list[tuple[str, ...]]:
        """`any_of`, without those that only an application can have if it is a person's."""
        return [names for names in self.any_of if not (is_person and OWNED in names)]

    def is_met(self, granted: Collection[str]) -> bool:
        return bool(self._sufficient(granted))

    def lacking(self, granted: Collection[str], *, is_person: bool) -> tuple[str, ...]:
        """The fewest permissions that have to be added, of the least alternative among several; () if it is met."""
        missing = [
            tuple(name for name in names if name not in granted) for names in self.alternatives(is_person=is_person)
        ]
        return min(missing, key=len)

    def is_met_for_owned_objects_only(self, granted: Collection[str]) -> bool:
        sufficient = self._sufficient(granted)
        return bool(sufficient) and OWNED in self.any_of[0] and all(OWNED in names for names in sufficient)

    def describe(self) -> str:
        """The least permission with its conditions."""
        if OWNED in self.any_of[0]:
            return f"{self.least} and ownership of the object, or {' with '.join(self.any_of[1])}"
        return f"{self.least} ({self.note})" if self.note else self.least

    def _sufficient(self, granted: Collection[str]) -> list[tuple[str, ...]]:
        return [names for names in self.any_of if set(names) <= set(granted)]


@cache
def requirements() -> tuple[Requirement, ...]:
    """All rows; the first one whose patterns match a call is that call's."""
    rows = json.loads(Path(__file__).with_name("permissions.json").read_text("utf-8"))["rows"]
    return tuple(Requirement(**{**row, "any_of": tuple(map(tuple, row["any_of"]))}) for row in rows)


def requirements_of_stack(*, extensions: bool, users: bool) -> list[Requirement]:
    """Those of the calls that a stack with or without extensions and users makes."""
    parts = {"always", *(["extensions"] if extensions else []), *(["users"] if users else [])}
    return [requirement for requirement in requirements() if requirement.needed_for in parts]


def describe_requirement(method: str, path: str) -> str:
    """The least permission for a call, in words; "" for a call that this project does not make."""
    matches = (row for row in requirements() if row.recognises(method, path))
    return next((requirement.describe() for requirement in matches), "")
