"""Cells of many users: how they cross the engine packed, which user is whom, and where they are found.

The same for the baseline of an extension and for the writer of a roster. Inputs hold a row for each user, under the
user as written in lower case: `[person, cell]`. `person` is the beginning of the object id, enough to tell a re-created
user from the one before and to know a renamed one again; "" where preflight is off, and then the last known one stays.
Whole ids stand once, in the resource's memory: they cannot be compressed, and the engine copies every byte of an
input a dozen times.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flexsaml.values import UnknownPackedFormat, digest, digest_of_packed, pack, unpack

from .base import Props, text

if TYPE_CHECKING:
    from flexsaml.graph import Directory, User

Rows = dict[str, tuple[str, Any]]
"""User in lower case to `person` and cell."""

_PERSON = 8  # digits of an object id
_NOBODY = "00000000-0000-0000-0000-000000000000"


def packed(cells: Mapping[str, Any], ids: Mapping[str, str] | None = None) -> str:
    """Rows from cells by user as written; `ids`: object ids by user as written, where they are known."""
    known = ids or {}
    return pack_rows({user.lower(): (known.get(user, "")[:_PERSON], cell) for user, cell in cells.items()})


def pack_rows(rows: Rows) -> str:
    return pack(_columns(rows))


def digest_rows(rows: Rows) -> str:
    return digest(_columns(rows))


def rows_in(props: Props) -> Rows:
    """The rows of a resource's inputs or outputs; {} when there are none yet."""
    if not text(props.get("__cells")):
        return {}
    users, persons, cells = _unpacked(props["__cells"])
    return dict(zip(users, zip(persons.split(" "), cells, strict=False), strict=False))


def _unpacked(packed: str) -> list[Any]:
    columns = unpack(packed)
    if not isinstance(columns, list):
        raise UnknownPackedFormat  # rows, as they were until rosters came
    return columns


def _columns(rows: Rows) -> list[Any]:
    """Column by column, which is half the size of row by row once compressed."""
    users = sorted(rows)
    return [users, " ".join(rows[user][0] for user in users), [rows[user][1] for user in users]]


def pack_memory(rows: Rows, users: Mapping[str, str], cells: Mapping[str, Any]) -> Props:
    """Object id by user of these rows, and what else is remembered by object id: packed, and secret in state."""
    ids = [users.get(user, _NOBODY) for user in sorted(rows)]
    raw = bytes.fromhex("".join(ids).replace("-", ""))
    return {"__memory": pack([base64.b64encode(raw).decode("ascii"), [cells.get(id_) for id_ in ids]])}


def memory_in(props: Props) -> tuple[dict[str, str], dict[str, Any]]:
    """Object id by user of the rows beside it, and what else is remembered by object id."""
    raw, cells = _unpacked(props["__memory"])
    digits = base64.b64decode(raw).hex()
    ids = [
        f"{digits[at : at + 8]}-{digits[at + 8 : at + 12]}-{digits[at + 12 : at + 16]}-{digits[at + 16 : at + 20]}-"
        f"{digits[at + 20 : at + 32]}"
        for at in range(0, len(digits), 32)
    ]
    users = {user: id_ for user, id_ in zip(sorted(rows_in(props)), ids, strict=True) if id_ != _NOBODY}
    return users, {id_: cell for id_, cell in zip(ids, cells, strict=True) if cell is not None}


def as_given(news: Props) -> str:
    """What stands for the packed inputs as the program gave them: equal to last time's, nothing needs a look."""
    return text(news.get("__given")) or digest_of_packed(text(news.get("__cells")))


def same(known: str, person: str) -> bool:
    """Whether `person` may be whom an object id, or the beginning of one, stands for; "" is anybody."""
    return not known or known.startswith(person)


def changed(before: Rows, user: str, row: tuple[str, Any]) -> bool:
    """Whether the cell or the person behind a user is another one than before."""
    old = before.get(user)
    return old is None or old[1] != row[1] or not same(old[0], row[0])


@dataclass
class Turn:
    """The rows of the last run and of this one, under the same names."""

    before: Rows
    now: Rows
    unknown: list[str]
    """users whom preflight did not find, and who were never managed"""
    gone: list[str]
    """users who were managed and are not found now; their rows stay as they were: nothing is written, nothing taken
    back"""


def turn(olds: Props, news: Props) -> Turn:
    """Old rows beside new ones. `seen_missing` of the new inputs: users as written whom preflight did not find."""
    before, now = rows_in(olds), rows_in(news)
    for user, (person, cell) in now.items():
        if not person and user in before:
            now[user] = (before[user][0], cell)
    left = {person: user for user, (person, _) in before.items() if person and user not in now}
    came = {left[person]: user for user, (person, _) in now.items() if user not in before and person in left}
    before = {came.get(user, user): row for user, row in before.items()}
    found = Turn(before, now, [], [])
    for user in news.get("seen_missing") or ():
        if user.lower() in before:
            now[user.lower()] = before[user.lower()]
            found.gone.append(user)
        elif user.lower() not in came:  # who came under another name is there
            found.unknown.append(user)
    return found


def find(directory: Directory, users: Iterable[str], names: list[str], ids: Mapping[str, str]) -> dict[str, User]:
    """Those of the users who are in the tenant, with their values of these extensions.

    `ids`: object ids known from the last run, so that a renamed user is still found.
    """
    asked = {user: ids.get(user, user) for user in users}
    upns = [user for user in asked if "@" in user]
    people = directory.read_users(list(asked.values()), names, names=upns) if asked else {}
    return {user: person for user, ref in asked.items() if (person := people[ref]) is not None}


def ids_for(memory: Mapping[str, str], rows: Rows) -> dict[str, str]:
    """The remembered object id of each of these users who is still that person."""
    return {user: memory[user] for user, (person, _) in rows.items() if user in memory and same(memory[user], person)}
