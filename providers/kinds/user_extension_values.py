"""UserExtensionValues: the extension values of a whole roster, written forward. The bulk kind.

GET and PATCH /users through $batch, or pages of GET /users where those are fewer requests (User.ReadWrite.All).
One resource for a roster of any size: a resource per user costs the engine more than Graph's quota does, and a
dynamic provider cannot fail in part. So it reads, compares and writes differences only, at the pace of Graph's quota
(3,000 writes per 150 s and application, grade A), and a run after an accident continues where the last one stopped.

* Everything per user crosses the engine packed; what changed is said per user by `check`, which alone knows the old
  and the new roster. Preview says how many writes there will be and how long the quota makes them take.
* With `UserValueBaseline`s in front it never takes back: its delete does nothing. Alone it remembers what its own
  create found, and its delete sets that back where the live value is still ours; a create that failed half-way is
  covered by a baseline only.
* Users are written by object id; one who has left is named at the end, and everybody else has been written.
* A PATCH that Graph answered is not read back: a roster costs one read more only where something differs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, ClassVar

from flexsaml.graph import quota_seconds
from flexsaml.values import NULL, Cell, DataType, take_back

from .. import engine
from ..progress import duration, some, teller
from .base import UNKNOWN, Argument, Failures, Kind, Props, RefusedChange, known, text
from .cells import (
    Rows,
    Turn,
    as_given,
    changed,
    digest_rows,
    find,
    ids_for,
    memory_in,
    pack_memory,
    pack_rows,
    packed,
    rows_in,
    same,
    turn,
)
from .user_extension_value import CHANGED, CLEARED

if TYPE_CHECKING:
    from flexsaml.graph import Directory

Values = dict[str, dict[str, str]]
"""Object id, or user, to full name to canonical value."""
Memory = dict[str, dict[str, Cell]]
"""Object id to full name to what a writer without a baseline found."""


class UserExtensionValuesKind(Kind):
    name = "UserExtensionValues"
    arguments: ClassVar = {
        "service_principal_id": Argument(required=True, replaces=True),
        "roster": Argument(ignored=True),  # the file's name serves messages
        "count": Argument(0, computed=True),
        "sha256": Argument(computed=True),
        "types": Argument({}),
        "extensions": Argument({}),
        "baselined": Argument(False),
        "__cells": Argument(ignored=True),  # the digest decides
        "__given": Argument(ignored=True, computed=True),
        "seen_missing": Argument([], transient=True),
        "seen_writes": Argument(transient=True),
    }
    outputs = ("__memory",)
    secret_outputs = ("__memory",)
    packed_from: ClassVar = {"__cells": ("cells", "ids")}

    def describe(self, props: Props) -> str:
        return f"of '{text(props.get('roster'))}'"

    def pack(self, name: str, arguments: Props) -> str:
        return packed(arguments["cells"], arguments["ids"])

    def check(self, olds: Props, news: Props) -> tuple[Props, Failures]:
        kept, failures = super().check(olds, news)
        if not known(news.get("__cells")):  # values that come from another resource
            return {**kept, "count": UNKNOWN, "sha256": UNKNOWN}, failures
        given = as_given(news)
        if not news.get("seen_missing") and given == olds.get("__given"):
            return {**kept, **{key: olds[key] for key in ("count", "sha256", "__cells", "__given")}}, failures
        roster, found = text(news.get("roster")), turn(olds, news)
        if found.unknown:
            failures[""] = f"no such user: {some(found.unknown, 20)}; correct {roster}"
        _tell_changes(roster, found)
        _tell_cost(roster, found, news.get("seen_writes"))
        rows = {"__cells": pack_rows(found.now), "__given": given}
        return {**kept, "count": len(found.now), "sha256": digest_rows(found.now), **rows}, failures

    def create(self, directory: Directory, props: Props) -> tuple[str, Props]:
        rows = rows_in(props)
        users, live = _look(directory, props, rows, {})
        wanted = {user: row for user, (_, row) in rows.items()}
        memory = {} if props["baselined"] else _first(users, live, wanted)
        _write(directory, props, wanted, users, live)
        return props["service_principal_id"], _memory(rows, users, memory)

    def update(self, directory: Directory, id_: str, olds: Props, news: Props) -> Props:
        before, rows = rows_in(olds), rows_in(news)
        moved = {
            name
            for name in news["extensions"]
            if (olds["extensions"].get(name), olds["types"].get(name))
            != (news["extensions"][name], news["types"].get(name))
        }
        remembered, memory = _remembered(olds)
        wanted: Values = {}
        for user, (person, row) in rows.items():
            old = before.get(user, ("", {}))
            another = not same(remembered.get(user, old[0]), person)
            values = {name: v for name, v in row.items() if name in moved or another or old[1].get(name) != v}
            if values:
                wanted[user] = values
        asked = {user: rows[user] for user in wanted}
        found, live = _look(directory, news, asked, ids_for(remembered, asked))
        users = {user: one for user, one in {**remembered, **found}.items() if user in rows}
        if not news["baselined"]:
            kept = {one: rows[user][1] for user, one in users.items()}
            _restore(directory, olds, _cells_in(memory, lambda one, name: name not in kept.get(one, ())))
            memory = _cells_in(memory, lambda one, name: name in kept.get(one, ()))
            for one, first in _first(found, live, wanted).items():
                known_row = memory.setdefault(one, {})
                for name, cell in first.items():
                    earlier = known_row.get(name)
                    known_row[name] = earlier.again(live[one][name], _about_to_be(cell)) if earlier else cell
        _write(directory, news, wanted, found, live)
        return _memory(rows, users, memory)

    def read(self, directory: Directory, id_: str, props: Props) -> Props | None:
        rows = rows_in(props)
        users, live = _look(directory, props, rows, _remembered(props)[0])
        drifted = []
        for user, (person, row) in rows.items():
            now = live.get(users.get(user, ""))
            if now is None:  # gone: that is preflight's to say, and nothing to write
                continue
            shown = {n: v if now[n] == v else CLEARED if now[n] == NULL else CHANGED for n, v in row.items()}
            if shown != row:
                rows[user] = (person, shown)
                drifted.append(user)
        if not drifted:
            return props
        engine.say(
            f"{self.name} {self.describe(props)}: {_users(drifted)} changed in the tenant ({some(sorted(drifted))})"
        )
        return {**props, "sha256": digest_rows(rows), "__cells": pack_rows(rows), "__given": ""}

    def adopt(self, directory: Directory, props: Props) -> tuple[str, Props] | None:
        if not all("/" in text(extension) for extension in props["extensions"].values()):
            return None
        props = {**props, **_memory(rows_in(props), {}, {})}
        return props["service_principal_id"], self.read(directory, props["service_principal_id"], props) or props

    def delete(self, directory: Directory, id_: str, props: Props) -> None:
        _restore(directory, props, _remembered(props)[1])


def _cells_in(memory: Memory, keep: Callable[[str, str], bool]) -> Memory:
    found = {user: {name: cell for name, cell in row.items() if keep(user, name)} for user, row in memory.items()}
    return {user: row for user, row in found.items() if row}


def _about_to_be(cell: Cell) -> str:
    """What a first memory is about to write."""
    (value,) = cell.ours
    return value


def _users(found: Collection[object]) -> str:
    return f"{len(found):,} user{'s' if len(found) != 1 else ''}"


def _tell_changes(roster: str, found: Turn) -> None:
    """Per user what differs from the last run, in one line."""
    before, now = found.before, found.now
    if not before:
        return
    parts = {
        "+": [user for user in now if user not in before],
        "-": [user for user in before if user not in now],
        "~": [user for user, row in now.items() if user in before and changed(before, user, row)],
    }
    if any(parts.values()):
        counts = " ".join(f"{sign}{len(users):,}" for sign, users in parts.items() if users)
        named = "; ".join(f"{sign} {some(sorted(users))}" for sign, users in parts.items() if users)
        engine.say(f"{roster}: {counts} users ({named})")


def _tell_cost(roster: str, found: Turn, seen: object) -> None:
    """How many writes there will be, and how long Graph's quota makes them take."""
    differ = sum(changed(found.before, user, row) for user, row in found.now.items())
    writes = int(seen) if isinstance(seen, (int, float)) and not found.before else differ
    if writes:
        engine.say(
            f"{roster}: {writes:,} write{'s' if writes != 1 else ''}, at Graph's quota of 3,000 in 150 s at least "
            f"{duration(quota_seconds(writes))}"
        )


def _look(directory: Directory, props: Props, rows: Rows, ids: Mapping[str, str]) -> tuple[dict[str, str], Values]:
    """Object ids by user, and canonical live values by object id; who is not there is in neither."""
    names = sorted({name for _, row in rows.values() for name in row})
    types = {name: DataType.parse(props["types"].get(name, "String")) for name in names}
    people = find(directory, rows, names, ids)
    return {user: person.id for user, person in people.items()}, {
        person.id: {name: types[name].from_wire(person.values.get(name)) for name in names}
        for person in people.values()
    }


def _write(directory: Directory, props: Props, wanted: Values, users: Mapping[str, str], live: Values) -> None:
    """PATCH what differs, of everybody who is there; then tell who was not written."""
    types = {name: DataType.parse(kind) for name, kind in props["types"].items()}
    changes: dict[str, dict[str, object]] = {}
    for user, id_ in users.items():
        different = {n: types[n].wire(value) for n, value in wanted[user].items() if live[id_][n] != value}
        if different:
            changes[id_] = different
    failures = directory.patch_users_when_usable(changes, teller(text(props.get("roster"))))
    spoken = {id_: user for user, id_ in users.items()}
    told = [f"{user} (no such user any more)" for user in wanted if user not in users]
    told += [f"{spoken[id_]} ({error})" for id_, error in failures.items()]
    if told:
        raise RefusedChange(
            f"{len(told):,} of {_users(wanted)} could not be written, all others were: {some(told, 5)}; correct that "
            "and run the same command again, it continues from here"
        )


def _first(users: Mapping[str, str], live: Values, wanted: Values) -> Memory:
    return {
        id_: {name: Cell.first(live[id_][name], value) for name, value in wanted[user].items()}
        for user, id_ in users.items()
    }


def _restore(directory: Directory, props: Props, memory: Memory) -> None:
    """Set back what is still ours; only a writer without a baseline has anything to set back."""
    if not memory:
        return
    spoken = {id_: user for user, id_ in _remembered(props)[0].items()}
    rows: Rows = {spoken[id_]: ("", row) for id_, row in memory.items()}
    _, live = _look(directory, props, rows, {spoken[id_]: id_ for id_ in memory})
    back: dict[str, dict[str, object]] = {}
    for id_, row in memory.items():
        for name, cell in row.items():
            found = take_back({id_: cell}, {id_: live[id_][name] if id_ in live else None})
            if found.strangers:
                engine.say(f"{name}: the value of {spoken[id_]} was changed by others and stays")
            for prior in found.restore.values():
                back.setdefault(id_, {})[name] = DataType.parse(props["types"].get(name, "String")).wire(prior)
    for error in directory.patch_users(back, teller(f"{text(props.get('roster'))}, taking back")).values():
        raise error


def _memory(rows: Rows, users: Mapping[str, str], cells: Memory) -> Props:
    found = {id_: {name: cell.to_json() for name, cell in row.items()} for id_, row in cells.items()}
    return pack_memory(rows, users, found)


def _remembered(props: Props) -> tuple[dict[str, str], Memory]:
    users, cells = memory_in(props)
    return users, {id_: {name: Cell.from_json(cell) for name, cell in row.items()} for id_, row in cells.items()}
