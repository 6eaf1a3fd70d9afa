"""UserValueBaseline: what users held in one extension before this stack wrote, and the way back.

GET and PATCH /users through $batch (User.ReadWrite.All). One baseline for each extension, over all
users of the stack. It stands in front of the writers: its create and update record what is there and
what is about to be ours before the first write, its update takes back the cells that left the
configuration, its delete takes back the rest. Writers never take back (see `flexsaml.values.take_back`
for why two restorers lose data).

* `read` echoes: a baseline that looked again would record our own values as the prior ones.
* Users are kept by object id, so a renamed user is still found and a re-created person is a new one.
* A property that was just (re-)created hides the values it will show later, so the baseline waits
  until it is usable before it looks (grade C; needs Directory.Read.All, without it the wait is left
  to the first write).
* Reads through $select only: v1.0 leaves extension values out otherwise (A).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from flexsaml.graph import GraphError, NotAvailable, is_guid
from flexsaml.values import NULL, Cell, DataType, pack, take_back, too_many, unpack

from .. import engine
from ..progress import some, teller
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
from .extension_property import split

if TYPE_CHECKING:
    from flexsaml.graph import Directory

HIDDEN = "[secret]"
Cells = dict[str, Cell]
"""User object id to memory."""


class UserValueBaselineKind(Kind):
    name = "UserValueBaseline"
    arguments: ClassVar = {
        "extension": Argument(required=True, replaces=True),
        "full_name": Argument(required=True, replaces=True),
        "data_type": Argument("String"),
        "multi_valued": Argument(False),
        "count": Argument(0, computed=True),
        "sha256": Argument(computed=True),
        "__cells": Argument(ignored=True),  # the digest decides: another machine's zlib may pack otherwise
        "__given": Argument(ignored=True, computed=True),
        "hidden": Argument(False, transient=True),
        "allow_removal": Argument(0, transient=True),
        "seen_missing": Argument([], transient=True),
        "__seen": Argument(transient=True),
    }
    outputs = ("__memory",)
    secret_outputs = ("__memory",)
    packed_from: ClassVar = {"__cells": ("cells", "ids"), "__seen": ("seen_values",)}

    def describe(self, props: Props) -> str:
        return f"of '{text(props.get('full_name'))}'"

    def pack(self, name: str, arguments: Props) -> str:
        if name == "__seen":
            return pack({user.lower(): value for user, value in (arguments["seen_values"] or {}).items()})
        return packed(arguments["cells"], arguments["ids"])

    def secret_inputs(self, arguments: Props) -> set[str]:
        return {"__seen", "__cells"} if arguments["hidden"] else {"__seen"}

    def check(self, olds: Props, news: Props) -> tuple[Props, Failures]:
        kept, failures = super().check(olds, news)
        if not known(news.get("__cells")):  # values that come from another resource
            return {**kept, "count": UNKNOWN, "sha256": UNKNOWN}, failures
        seen = unpack(news["__seen"]) if text(news.get("__seen")) else {}
        hidden = bool(news.get("hidden")) or text(news.get("sha256")) == HIDDEN
        given = as_given(news)
        as_before = not news.get("seen_missing") and not seen and given == olds.get("__given")
        if as_before and hidden == (olds["sha256"] == HIDDEN):
            return {**kept, **{key: olds[key] for key in ("count", "sha256", "__cells", "__given")}}, failures
        whole, found = text(news.get("full_name")), turn(olds, news)
        for user in found.gone:
            engine.warn(f"users.{user}: is no longer there under that name; skipped, {whole} stays as it is")
        removed = set(found.before) - set(found.now)
        if found.unknown:
            failures[""] = f"no such user: {', '.join(found.unknown)}; correct the name or remove it from users"
        elif too_many(len(removed), len(found.before), int(news.get("allow_removal") or 0)):
            failures[""] = (
                f"{len(removed)} of {len(found.before)} users would lose their value of {whole}: "
                f"if that is meant, set flexsaml:allowRemoval to {len(removed)} for this run"
            )
        _tell_overwritten(whole, found, seen)
        return {
            **kept,
            "count": len(found.now),
            "sha256": HIDDEN if hidden else digest_rows(found.now),
            "__cells": pack_rows(found.now),
            "__given": given,
        }, failures

    def diff(self, olds: Props, news: Props) -> set[str]:
        found = super().diff(olds, news)
        if "sha256" not in found and olds["__cells"] != news["__cells"] and rows_in(olds) != rows_in(news):
            found.add("sha256")  # hidden in both
        return found

    def create(self, directory: Directory, props: Props) -> tuple[str, Props]:
        whole, wanted = props["full_name"], rows_in(props)
        if wanted:
            directory.wait_usable([whole])
        users, live = _look(directory, props, wanted)
        cells = {id_: Cell.first(live[id_], wanted[user][1]) for user, id_ in users.items()}
        return split(props["extension"])[1], _memory(wanted, users, cells)

    def update(self, directory: Directory, id_: str, olds: Props, news: Props) -> Props:
        before, wanted = rows_in(olds), rows_in(news)
        remembered, cells = _remembered(olds)
        asked = {
            user: row
            for user, row in wanted.items()
            if user not in remembered or changed(before, user, row) or not same(remembered[user], row[0])
        }
        found, live = _look(directory, news, asked, ids_for(remembered, asked))
        for user, person in found.items():
            value, old = wanted[user][1], cells.get(person)
            cells[person] = old.again(live[person], value) if old else Cell.first(live[person], value)
        users = {user: id_ for user, id_ in {**remembered, **found}.items() if user in wanted}
        kept = set(users.values())
        leaving = {user: id_ for user, id_ in remembered.items() if id_ not in kept}
        if leaving:
            _take_back(directory, news, leaving, cells)
        return _memory(wanted, users, cells)

    def read(self, directory: Directory, id_: str, props: Props) -> Props | None:
        return props

    def adopt(self, directory: Directory, props: Props) -> tuple[str, Props] | None:
        wanted, (_, _, property_id) = rows_in(props), text(props["extension"]).partition("/")
        if not property_id:
            return None
        users, _ = _look(directory, props, wanted)
        cells = {id_: Cell(prior=NULL, ours=frozenset({wanted[user][1]})) for user, id_ in users.items()}
        return property_id, {**props, **_memory(wanted, users, cells)}

    def delete(self, directory: Directory, id_: str, props: Props) -> None:
        _take_back(directory, props, *_remembered(props))


def _tell_overwritten(whole: str, found: Turn, live: Mapping[str, str]) -> None:
    """Say how many users hold a value that is neither unset, nor wanted, nor ours from the last run."""
    nobody = ("", NULL)
    held = [
        user
        for user, now in live.items()
        if now not in (NULL, found.now.get(user, nobody)[1], found.before.get(user, nobody)[1])
    ]
    if held:
        users = "1 user holds" if len(held) == 1 else f"{len(held)} users hold"
        engine.warn(
            f"{whole}: {users} another value, which will be overwritten ({some(sorted(held))}); destroy restores what "
            "was there before this stack"
        )


def _look(
    directory: Directory, props: Props, rows: Rows, ids: Mapping[str, str] | None = None
) -> tuple[dict[str, str], dict[str, str]]:
    """Object ids by user, and canonical live values by object id.

    Raises for a user who cannot be found by name. One who was there a moment ago (preflight knew the person) has left
    meanwhile: nothing to record, and the writer says so after it wrote everybody else.
    """
    whole, data_type = props["full_name"], DataType(props["data_type"], props["multi_valued"])
    there = find(directory, rows, [whole], ids or {})
    missing = [
        user
        for user, (person, _) in rows.items()
        if user not in there and not person and user not in (ids or {}) and not is_guid(user)
    ]
    if missing:
        raise RefusedChange(f"no such user: {', '.join(missing)}; correct the name or remove it from the configuration")
    users = {user: person.id for user, person in there.items()}
    seen = Counter(users.values())
    twice = [user for user, id_ in users.items() if seen[id_] > 1]
    if twice:
        raise RefusedChange(f"{' and '.join(twice[:2])} are the same user: keep one of them")
    return users, {person.id: data_type.from_wire(person.values.get(whole)) for person in there.values()}


def _take_back(directory: Directory, props: Props, users: Mapping[str, str], cells: Cells) -> None:
    """Write the priors of those users' cells whose live value is still ours."""
    whole, data_type = props["full_name"], DataType(props["data_type"], props["multi_valued"])
    cells = {id_: cells[id_] for id_ in users.values()}
    live = _live(directory, whole, data_type, users)
    if any(live[id_] == NULL and NULL not in cell.ours for id_, cell in cells.items()):
        # Cleared by someone, or hidden: a property that was re-created shows its old values only later.
        application = split(props["extension"])[0]
        if not directory.extension_properties(application, whole):
            engine.warn(f"{whole} is gone: what {len(cells)} users held in it is hidden, and was left as it is")
            return
        directory.wait_usable([whole])
        live = _live(directory, whole, data_type, users)
    found = take_back(cells, live)
    restore = {id_: {whole: data_type.wire(prior)} for id_, prior in found.restore.items()}
    told = teller(f"{whole}, taking back")
    failures: Mapping[str, GraphError] = directory.patch_users(restore, told) if restore else {}
    for problem in failures.values():
        if isinstance(problem, NotAvailable) and not directory.extension_properties(
            split(props["extension"])[0], whole
        ):
            continue
        raise problem
    if restore:
        directory.confirm_users(restore)
    spoken = {id_: user for user, id_ in users.items()}
    for ids, words in ((found.strangers, "was changed by others and stays"), (found.gone, "has left the tenant")):
        if ids:
            count = f"{len(ids):,} user{'s' if len(ids) > 1 else ''}"
            engine.say(f"{whole}: the value of {count} ({some(sorted(spoken[id_] for id_ in ids))}) {words}")


def _live(directory: Directory, whole: str, data_type: DataType, users: Mapping[str, str]) -> dict[str, str | None]:
    people = find(directory, users, [whole], users)
    return {
        id_: data_type.from_wire(people[user].values.get(whole)) if user in people else None
        for user, id_ in users.items()
    }


def _memory(rows: Rows, users: Mapping[str, str], cells: Cells) -> Props:
    return pack_memory(rows, users, {id_: cell.to_json() for id_, cell in cells.items()})


def _remembered(props: Props) -> tuple[dict[str, str], Cells]:
    users, cells = memory_in(props)
    return users, {id_: Cell.from_json(cell) for id_, cell in cells.items()}
