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

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import pulumi
from pulumi import UNKNOWN
from pulumi.dynamic import Resource

from flexsaml.graph import quota_seconds
from flexsaml.values import NULL, Cell, DataType, digest, pack, take_back, unpack

from . import engine
from .base import Failures, Props, Provider, Refusal, known, text
from .cells import as_given, by_id, sorted_out, unpacked
from .progress import duration, some, teller
from .user_extension_value import CHANGED, CLEARED

if TYPE_CHECKING:
    from flexsaml.graph import Directory

Cells = dict[str, dict[str, str]]
"""User (object id, or UPN where preflight is off) to full name to canonical value."""
Memory = dict[str, dict[str, Cell]]
"""User object id to full name to what a writer without a baseline found."""


class UserExtensionValuesProvider(Provider):
    kind = "UserExtensionValues"
    inputs = (
        "service_principal_id", "roster", "count", "sha256", "types", "extensions", "baselined", "__cells", "__names",
        "__given",
    )  # fmt: skip
    required = ("service_principal_id",)
    replaced_by = frozenset({"service_principal_id"})
    ignored = frozenset({"roster", "__cells", "__names", "__given"})
    # The digest decides; the file's name and the users' serve messages.

    def label(self, props: Props) -> str:
        return f"of '{text(props.get('roster'))}'"

    def normalise(self, olds: Props, news: Props) -> tuple[Props, Failures]:
        kept = {key: news.get(key) for key in self.inputs if key != "__given"}
        kept |= {"types": news.get("types") or {}, "extensions": news.get("extensions") or {}}
        kept["baselined"] = bool(news.get("baselined"))
        if not known(news.get("__cells")):  # values that come from another resource
            return {**kept, "count": UNKNOWN, "sha256": UNKNOWN}, {}
        missing = news.get("seen_missing") or []
        given = as_given(news)
        if not missing and given == olds.get("__given"):
            return {**kept, **{key: olds[key] for key in ("count", "sha256", "__cells", "__names", "__given")}}, {}
        old_names, names = unpacked(olds, "__names"), unpacked(news, "__names")
        cells: Cells = by_id(unpack(news["__cells"]), old_names)
        before: Cells = by_id(unpacked(olds, "__cells"), names)
        names = {
            user: old_names[user] if id_ not in cells and user in old_names else id_ for user, id_ in names.items()
        }
        unknown, _ = sorted_out(missing, cells, names, before, old_names)
        failures = {"": f"no such user: {some(unknown, 20)}; correct {text(news.get('roster'))}"} if unknown else {}
        _tell_changes(text(news.get("roster")), before, cells, {**_spoken(old_names), **_spoken(names)})
        _tell_cost(text(news.get("roster")), news.get("seen_writes"), before, cells)
        packed = {"__cells": pack(cells), "__names": pack(names), "__given": given}
        return {**kept, "count": len(cells), "sha256": digest(cells), **packed}, failures

    def make(self, directory: Directory, props: Props) -> tuple[str, Props]:
        cells: Cells = unpack(props["__cells"])
        users, live = _look(directory, props, cells)
        memory = {} if props["baselined"] else _first(users, live, cells)
        _write(directory, props, cells, users, live)
        return props["service_principal_id"], _memory(users, memory)

    def alter(self, directory: Directory, id_: str, olds: Props, news: Props) -> Props:
        before, wanted = unpack(olds["__cells"]), unpack(news["__cells"])
        moved = {
            name
            for name in news["extensions"]
            if (olds["extensions"].get(name), olds["types"].get(name))
            != (news["extensions"][name], news["types"].get(name))
        }
        changed = {
            who: {n: v for n, v in row.items() if n in moved or before.get(who, {}).get(n) != v}
            for who, row in wanted.items()
        }
        changed = {who: row for who, row in changed.items() if row}
        users, memory = _remembered(olds)
        found, live = _look(directory, news, changed, users)
        if not news["baselined"]:
            ids = {**users, **found}
            kept = {ids.get(who, who): row for who, row in wanted.items()}
            _restore(directory, olds, _cells_in(memory, lambda user, name: name not in kept.get(user, ())))
            memory = _cells_in(memory, lambda user, name: name in kept.get(user, ()))
            for user, row in _first(found, live, changed).items():
                known_row = memory.setdefault(user, {})
                for name, cell in row.items():
                    old = known_row.get(name)
                    known_row[name] = old.again(live[user][name], _about_to_be(cell)) if old else cell
        _write(directory, news, changed, found, live)
        return _memory({**users, **found}, memory)

    def look(self, directory: Directory, id_: str, props: Props) -> Props | None:
        cells: Cells = unpack(props["__cells"])
        users, live = _look(directory, props, cells, _remembered(props)[0])
        spoken = _spoken(unpacked(props, "__names"))
        drifted = []
        for who, row in cells.items():
            now = live.get(users.get(who, ""))
            if now is None:  # gone: that is preflight's to say, and nothing to write
                continue
            shown = {n: v if now[n] == v else CLEARED if now[n] == NULL else CHANGED for n, v in row.items()}
            if shown != row:
                cells[who] = shown
                drifted.append(spoken.get(who, who))
        if not drifted:
            return props
        engine.say(
            f"{self.kind} {self.label(props)}: {_users(drifted)} changed in the tenant ({some(sorted(drifted))})"
        )
        return {**props, "sha256": digest(cells), "__cells": pack(cells), "__given": ""}

    def adopt(self, directory: Directory, props: Props) -> tuple[str, Props] | None:
        if not all("/" in text(extension) for extension in props["extensions"].values()):
            return None
        props = {**props, **_memory({}, {})}
        return props["service_principal_id"], self.look(directory, props["service_principal_id"], props) or props

    def remove(self, directory: Directory, id_: str, props: Props) -> None:
        _restore(directory, props, _remembered(props)[1])


def _cells_in(memory: Memory, keep: Callable[[str, str], bool]) -> Memory:
    found = {user: {name: cell for name, cell in row.items() if keep(user, name)} for user, row in memory.items()}
    return {user: row for user, row in found.items() if row}


def _about_to_be(cell: Cell) -> str:
    """What a first memory is about to write."""
    (value,) = cell.ours
    return value


def _spoken(names: Mapping[str, str]) -> dict[str, str]:
    """Object id to the user as written."""
    return {id_: name for name, id_ in names.items()}


def _users(found: Collection[object]) -> str:
    return f"{len(found):,} user{'s' if len(found) != 1 else ''}"


def _tell_changes(roster: str, before: Cells, now: Cells, spoken: Mapping[str, str]) -> None:
    """Per user what differs from the last run, in one line."""
    if not before:
        return
    parts = {
        "+": [who for who in now if who not in before],
        "-": [who for who in before if who not in now],
        "~": [who for who, row in now.items() if who in before and before[who] != row],
    }
    if any(parts.values()):
        counts = " ".join(f"{sign}{len(found):,}" for sign, found in parts.items() if found)
        named = "; ".join(
            f"{sign} {some(sorted(spoken.get(who, who) for who in found))}" for sign, found in parts.items() if found
        )
        engine.say(f"{roster}: {counts} users ({named})")


def _tell_cost(roster: str, seen: object, before: Cells, now: Cells) -> None:
    """How many writes there will be, and how long Graph's quota makes them take."""
    changed = sum(before.get(who) != row for who, row in now.items())
    writes = int(seen) if isinstance(seen, (int, float)) and not before else changed
    if writes:
        engine.say(
            f"{roster}: {writes:,} write{'s' if writes != 1 else ''}, at Graph's quota of 3,000 in 150 s at least "
            f"{duration(quota_seconds(writes))}"
        )


def _look(
    directory: Directory, props: Props, wanted: Cells, ids: Mapping[str, str] | None = None
) -> tuple[dict[str, str], Cells]:
    """Object ids by reference, and canonical live values by object id; who is not there is in neither.

    `ids`: object ids known from the last run, so that a renamed user is still found.
    """
    names = sorted({name for row in wanted.values() for name in row})
    types = {name: DataType.parse(props["types"].get(name, "String")) for name in names}
    asked = {who: (ids or {}).get(who, who) for who in wanted}
    people = directory.people(list(asked.values()), names, names=unpacked(props, "__names")) if wanted else {}
    there = {who: person for who, ref in asked.items() if (person := people[ref]) is not None}
    users = {who: person.id for who, person in there.items()}
    return users, {
        person.id: {name: types[name].from_wire(person.values.get(name)) for name in names} for person in there.values()
    }


def _write(directory: Directory, props: Props, cells: Cells, users: Mapping[str, str], live: Cells) -> None:
    """PATCH what differs, of everybody who is there; then tell who was not written."""
    types = {name: DataType.parse(kind) for name, kind in props["types"].items()}
    changes: dict[str, dict[str, object]] = {}
    for who, row in cells.items():
        if who in users:
            now = live[users[who]]
            different = {name: types[name].wire(value) for name, value in row.items() if now[name] != value}
            if different:
                changes[users[who]] = different
    failures = directory.patch_people_when_usable(changes, teller(text(props.get("roster"))))
    spoken = {**{id_: who for who, id_ in users.items()}, **_spoken(unpacked(props, "__names"))}
    lost = [spoken.get(who, who) for who in cells if who not in users]
    told = [f"{spoken.get(user, user)} ({error})" for user, error in failures.items()]
    if lost or failures:
        told = [f"{who} (no such user any more)" for who in lost] + told
        raise Refusal(
            f"{len(told):,} of {_users(cells)} could not be written, all others were: {some(told, 5)}; correct that "
            "and run the same command again, it continues from here"
        )


def _first(users: Mapping[str, str], live: Cells, cells: Cells) -> dict[str, dict[str, Cell]]:
    return {
        users[who]: {name: Cell.first(live[users[who]][name], value) for name, value in row.items()}
        for who, row in cells.items()
        if who in users
    }


def _restore(directory: Directory, props: Props, memory: Mapping[str, Mapping[str, Cell]]) -> None:
    """Set back what is still ours; only a writer without a baseline has anything to set back."""
    if not memory:
        return
    _, live = _look(directory, props, {user: dict.fromkeys(row, "") for user, row in memory.items()})
    back: dict[str, dict[str, object]] = {}
    for user, row in memory.items():
        for name, cell in row.items():
            found = take_back({user: cell}, {user: live[user][name] if user in live else None})
            if found.strangers:
                engine.say(f"{name}: the value of {user} was changed by others and stays")
            for prior in found.restore.values():
                back.setdefault(user, {})[name] = DataType.parse(props["types"].get(name, "String")).wire(prior)
    for error in directory.patch_people(back, teller(f"{text(props.get('roster'))}, taking back")).values():
        raise error


def _memory(users: Mapping[str, str], cells: Mapping[str, Mapping[str, Cell]]) -> Props:
    """Object ids of those written by another reference, and what a writer without a baseline found."""
    known_by_name = {who: id_ for who, id_ in users.items() if who != id_}
    found = {user: {name: cell.to_json() for name, cell in row.items()} for user, row in cells.items()}
    return {"__memory": pack({"users": known_by_name, "cells": found})}


def _remembered(props: Props) -> tuple[dict[str, str], dict[str, dict[str, Cell]]]:
    memory = unpack(props["__memory"])
    cells = {user: {name: Cell.from_json(cell) for name, cell in row.items()} for user, row in memory["cells"].items()}
    return memory["users"], cells


class UserExtensionValues(Resource, module="flexsaml", name="UserExtensionValues"):
    """The extension values of a roster."""

    def __init__(
        self,
        resource_name: str,
        *,
        service_principal_id: pulumi.Input[str],
        roster: str,
        cells: Mapping[str, Mapping[str, str]],
        types: Mapping[str, str],
        extensions: Mapping[str, pulumi.Input[str]],
        names: Mapping[str, str] | None = None,
        baselined: bool = False,
        seen_missing: Sequence[str] = (),
        seen_writes: int | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`roster` names the file in messages. `cells`: user (object id or UPN) to full name to canonical value;
        `types` and `extensions` have the extension's full name as key, and the data type ("String", "Integer[]", ...)
        and the property's id as value. `names` maps users as written, in lower case, to object ids. `baselined`:
        `UserValueBaseline`s stand in front. `seen_missing` (users as written) and `seen_writes` (users whose live
        values differ) are what preflight saw; they are judged in `check` and dropped."""
        props = {
            "service_principal_id": service_principal_id,
            "roster": roster,
            "count": None,
            "sha256": None,
            "types": dict(types),
            "extensions": dict(extensions),
            "baselined": baselined,
            "__cells": pack({user: dict(row) for user, row in cells.items()}),
            "__names": pack(dict(names or {})),
            "seen_missing": list(seen_missing),
            "seen_writes": seen_writes,
            "__memory": None,
        }
        opts = pulumi.ResourceOptions.merge(
            pulumi.ResourceOptions(additional_secret_outputs=["__memory"]), opts or pulumi.ResourceOptions()
        )
        super().__init__(UserExtensionValuesProvider(), resource_name, props, opts)
