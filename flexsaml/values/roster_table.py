"""A roster as a table: which user has which cell, how it crosses the engine, and what changed since the last run. The
engine pays per property value and copies every byte of an input about a dozen times, so a table crosses it as one
packed string, column by column (half the size of row by row once compressed). A row holds only the first digits of the
object id: enough to notice that another person now has a user name, and that a known user was renamed. Whole object ids
stand once, beside the ledger (`ledger.py`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from .packed import UnknownPackedFormat, canonical_json, digest, pack_json, refusing_damage, unpack

ID_PREFIX_LENGTH = 8  # hex digits of an object id

Row = tuple[str, Any]
"""`(id_prefix, cell)`: the first `ID_PREFIX_LENGTH` digits of the user's object id ("" where preflight is off; the
whole id only in the table that `with_object_ids` returns), and JSON data: the user's canonical value in the table of an
extension, full name to canonical value in the table of a roster."""


@dataclass(frozen=True)
class RosterTable:
    """A row for each user; the key is the user as written, in lower case."""

    rows: Mapping[str, Row] = field(default_factory=dict)

    @classmethod
    def from_cells(cls, cells: Mapping[str, Any], object_ids: Mapping[str, str] | None = None) -> RosterTable:
        """`object_ids`: by user as written, where they are known."""
        ids = object_ids or {}
        return cls({user.lower(): (ids.get(user, "")[:ID_PREFIX_LENGTH], cell) for user, cell in cells.items()})

    @classmethod
    def unpack(cls, packed: str, cell_type: type | tuple[type, ...] = (str, dict)) -> RosterTable:
        """The inverse of `pack`; "" is a table without rows. Raises `UnknownPackedFormat` or `DamagedPackedText`."""
        if not packed:
            return cls()
        columns = unpack(packed)
        if not isinstance(columns, list):
            raise UnknownPackedFormat("1 without columns")  # row by row, as before there were rosters
        with refusing_damage():
            users, id_prefixes, cells = columns
            if not all(isinstance(cell, cell_type) for cell in cells):
                raise TypeError
            rows = zip(id_prefixes.split(" ") if users else (), cells, strict=True)
            return cls(dict(zip(users, rows, strict=True)))

    def pack(self) -> str:
        """One string; equal tables give equal strings on one machine."""
        return pack_json(self._json)

    def digest(self) -> str:
        """16 hex digits that are the same on every machine, which a packed string need not be."""
        return digest(self._json)

    @cached_property
    def _json(self) -> bytes:
        users = sorted(self.rows)
        id_prefixes = " ".join(self.rows[user][0] for user in users)
        return canonical_json([users, id_prefixes, [self.rows[user][1] for user in users]])

    def with_object_ids(self, object_ids: Mapping[str, str]) -> RosterTable:
        """The same rows, with whole object ids in place of prefixes where they are known."""
        return RosterTable({user: (object_ids.get(user, row[0]), row[1]) for user, row in self.rows.items()})

    def newly_identified_users(self, old: RosterTable) -> set[str]:
        """Users of both tables whose id is known in this one only: a run without preflight left the row of `old`, which
        does not show whether it is of the same person."""
        return {user for user, (id_, _) in self.rows.items() if id_ and user in old.rows and not old.rows[user][0]}

    def changes_since(self, old: RosterTable, missing_users: Iterable[str] = ()) -> RosterChange:
        """Compare this table with the one of the last run, user by user. No other code does that; `==` only says
        whether two tables are equal. `missing_users`, as written: those whom preflight did not find; this table has no
        row for them."""
        rows = dict(self.rows)
        for user, (id_prefix, cell) in self.rows.items():
            if not id_prefix and user in old.rows:  # preflight is off: the user is taken for the one of the last run
                rows[user] = (old.rows[user][0][:ID_PREFIX_LENGTH], cell)
        old_name_by_prefix = {
            id_[:ID_PREFIX_LENGTH]: user for user, (id_, _) in old.rows.items() if id_ and user not in rows
        }
        new_name_by_old = {
            old_name_by_prefix[id_prefix]: user
            for user, (id_prefix, _) in rows.items()
            if user not in old.rows and id_prefix in old_name_by_prefix
        }
        before = {new_name_by_old.get(user, user): row for user, row in old.rows.items()}
        gone_users, unknown_users = [], []
        for user in missing_users:
            name = user.lower()
            if name in before:
                rows[name] = before[name]
                gone_users.append(user)
            elif name not in new_name_by_old:  # a renamed user is there under the new name
                unknown_users.append(user)
        return RosterChange(
            table=RosterTable(rows), before=before, added=[user for user in rows if user not in before],
            removed=[user for user in before if user not in rows],
            changed=[user for user, row in rows.items() if user in before and _differ(before[user], row)],
            renamed=frozenset(new_name_by_old.values()), gone_users=gone_users, unknown_users=unknown_users,
        )  # fmt: skip


@dataclass(frozen=True)
class RosterChange:
    """What differs between the roster of the last run and this one. Users are in lower case unless said otherwise."""

    table: RosterTable
    """the new table: id prefixes that preflight did not tell are filled in, users who are gone keep their old row"""
    before: Mapping[str, Row]
    """the old rows, a renamed user's under the new name"""
    added: list[str]
    removed: list[str]
    changed: list[str]
    """another cell, or another person under that name"""
    renamed: frozenset[str]
    """the new names of users who were probably renamed: only the beginning of the object id says so"""
    gone_users: list[str]
    """as written: managed until now, and missing; nothing of theirs is written or restored"""
    unknown_users: list[str]
    """as written: missing, and never managed"""

    @property
    def users_to_read(self) -> set[str]:
        """Everybody whose live values must be read before this roster is written."""
        return {*self.added, *self.changed, *self.renamed}

    def previous_cell(self, user: str) -> Any:
        """The cell of the last run, None unless it certainly is the same person's."""
        row = self.before.get(user)
        if row is None or user in self.renamed or not may_be_same_user(row[0], self.table.rows[user][0]):
            return None
        return row[1]


def may_be_same_user(object_id: str, id_prefix: str) -> bool:
    """Whether an object id, or the beginning of one, fits `id_prefix`; an unknown id ("") fits every prefix, and an
    unknown prefix ("") every id."""
    return not object_id or object_id.startswith(id_prefix)


def removes_too_many(removed: int, managed: int, allowed: int) -> bool:
    """Whether a person has to confirm that `removed` of `managed` cells are restored in one update. True for more than
    20 % and more than 10, unless `allowed` is at least that number: a truncated file or a slip in the configuration
    must not empty a contact centre."""
    return removed > 10 and removed * 5 > managed and allowed < removed


def _differ(old: Row, new: Row) -> bool:
    return old[1] != new[1] or not may_be_same_user(old[0], new[0])
