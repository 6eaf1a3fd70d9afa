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
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi import UNKNOWN
from pulumi.dynamic import Resource

from flexsaml.graph import GraphError, NotAvailable, is_guid
from flexsaml.values import NULL, Cell, DataType, digest, pack, take_back, too_many, unpack

from . import engine
from .base import Failures, Props, Provider, Refusal, known, text
from .cells import as_given, by_id, sorted_out, unpacked
from .extension_property import split
from .progress import some, teller

if TYPE_CHECKING:
    from flexsaml.graph import Directory

HIDDEN = "[secret]"
Cells = dict[str, Cell]
"""User object id to memory."""


class UserValueBaselineProvider(Provider):
    kind = "UserValueBaseline"
    inputs = ("extension", "full_name", "data_type", "multi_valued", "count", "sha256", "__cells", "__names", "__given")
    replaced_by = frozenset({"extension", "full_name"})
    ignored = frozenset({"__cells", "__names", "__given"})
    required = ("extension", "full_name")
    # The cells' digest decides: another machine's zlib may pack the same cells otherwise; names only serve messages.

    def label(self, props: Props) -> str:
        return f"of '{text(props.get('full_name'))}'"

    def normalise(self, olds: Props, news: Props) -> tuple[Props, Failures]:
        failures: Failures = {}
        if not known(news.get("__cells")):  # values that come from another resource
            known_yet = {key: news.get(key) for key in self.inputs if key != "__given"}
            return {**known_yet, "count": UNKNOWN, "sha256": UNKNOWN}, failures
        missing, seen = news.get("seen_missing") or [], unpack(news["__seen"]) if text(news.get("__seen")) else {}
        kept = {
            "extension": news.get("extension"),
            "full_name": news.get("full_name"),
            "data_type": str(news.get("data_type") or "String"),
            "multi_valued": bool(news.get("multi_valued")),
        }
        hidden = text(news.get("sha256")) == HIDDEN
        given = as_given(news)
        as_before = not missing and not seen and given == olds.get("__given")
        if as_before and hidden == (olds["sha256"] == HIDDEN):
            return {
                **kept,
                **{key: olds[key] for key in ("count", "sha256", "__cells", "__names", "__given")},
            }, failures
        old_names, names = unpacked(olds, "__names"), unpacked(news, "__names")
        cells = by_id(unpack(news["__cells"]), old_names)
        before = by_id(unpacked(olds, "__cells"), names)
        names = {
            user: old_names[user] if id_ not in cells and user in old_names else id_ for user, id_ in names.items()
        }
        whole = text(news.get("full_name"))
        unknown, gone = sorted_out(missing, cells, names, before, old_names)
        for user in gone:
            engine.warn(f"users.{user}: is no longer there under that name; skipped, {whole} stays as it is")
        removed = {user.lower() for user in before} - {user.lower() for user in cells}
        if unknown:
            failures[""] = f"no such user: {', '.join(unknown)}; correct the name or remove it from users"
        elif too_many(len(removed), len(before), int(news.get("allow_removal") or 0)):
            failures[""] = (
                f"{len(removed)} of {len(before)} users would lose their value of {whole}: "
                f"if that is meant, set flexsaml:allowRemoval to {len(removed)} for this run"
            )
        _tell_overwritten(whole, cells, before, seen, names)
        return {
            **kept,
            "count": len(cells),
            "sha256": HIDDEN if hidden else digest(cells),
            "__cells": pack(cells),
            "__names": pack(names),
            "__given": given,
        }, failures

    def differing(self, olds: Props, news: Props) -> set[str]:
        found = super().differing(olds, news)
        packed = olds["__cells"], news["__cells"]
        if "sha256" not in found and packed[0] != packed[1] and digest(unpack(packed[0])) != digest(unpack(packed[1])):
            found.add("sha256")  # hidden in both
        return found

    def make(self, directory: Directory, props: Props) -> tuple[str, Props]:
        whole = props["full_name"]
        wanted = unpack(props["__cells"])
        if wanted:
            directory.wait_usable([whole])
        users, live = _look(directory, props, wanted)
        cells = {users[who]: Cell.first(live[users[who]], value) for who, value in wanted.items() if who in users}
        return split(props["extension"])[1], _memory(users, cells)

    def alter(self, directory: Directory, id_: str, olds: Props, news: Props) -> Props:
        before, wanted = unpack(olds["__cells"]), unpack(news["__cells"])
        users, cells = _remembered(olds)
        changed = {
            who: value for who, value in wanted.items() if before.get(who) != value or users.get(who, who) not in cells
        }
        found, live = _look(directory, news, changed, users)
        for who, user in found.items():
            known_cell = cells.get(user)
            value = changed[who]
            cells[user] = known_cell.again(live[user], value) if known_cell else Cell.first(live[user], value)
        users = {who: user for who, user in {**users, **found}.items() if who in wanted}
        kept = {users.get(who, who) for who in wanted}
        leaving = {user: cell for user, cell in cells.items() if user not in kept}
        if leaving:
            _take_back(directory, news, leaving)
        return _memory(users, {user: cell for user, cell in cells.items() if user in kept})

    def look(self, directory: Directory, id_: str, props: Props) -> Props | None:
        return props

    def adopt(self, directory: Directory, props: Props) -> tuple[str, Props] | None:
        wanted, (_, _, property_id) = unpack(props["__cells"]), text(props["extension"]).partition("/")
        if not property_id:
            return None
        users, _ = _look(directory, props, wanted)
        cells = {users[who]: Cell(prior=NULL, ours=frozenset({wanted[who]})) for who in users}
        return property_id, {**props, **_memory(users, cells)}

    def remove(self, directory: Directory, id_: str, props: Props) -> None:
        _take_back(directory, props, _remembered(props)[1])


def _tell_overwritten(
    whole: str, cells: Mapping[str, str], before: Mapping[str, str], live: Mapping[str, str], names: Mapping[str, str]
) -> None:
    """Say how many users hold a value that is neither unset, nor wanted, nor ours from the last run."""
    spoken = {id_: name for name, id_ in names.items()}
    held = [
        spoken.get(id_, id_) for id_, now in live.items() if now not in (NULL, cells.get(id_, now), before.get(id_))
    ]
    if held:
        users = "1 user holds" if len(held) == 1 else f"{len(held)} users hold"
        engine.warn(
            f"{whole}: {users} another value, which will be overwritten ({some(sorted(held))}); destroy restores what "
            "was there before this stack"
        )


def _look(
    directory: Directory, props: Props, wanted: Iterable[str], ids: Mapping[str, str] | None = None
) -> tuple[dict[str, str], dict[str, str]]:
    """Object ids by reference, and canonical live values by object id.

    Raises for a user who cannot be found by name. One who was there a moment ago (preflight knew the object id) has
    left meanwhile: nothing to record, and the writer says so after it wrote everybody else. `ids`: object ids known
    from the last run, so that a renamed user is still found.
    """
    whole, data_type = props["full_name"], DataType(props["data_type"], props["multi_valued"])
    asked = {who: (ids or {}).get(who, who) for who in wanted}
    people = directory.people(list(asked.values()), [whole], names=unpacked(props, "__names")) if asked else {}
    missing = [who for who, ref in asked.items() if people[ref] is None and not is_guid(ref)]
    if missing:
        raise Refusal(f"no such user: {', '.join(missing)}; correct the name or remove it from the configuration")
    there = {who: person for who, ref in asked.items() if (person := people[ref]) is not None}
    users = {who: person.id for who, person in there.items()}
    seen = Counter(users.values())
    twice = [who for who, user in users.items() if seen[user] > 1]
    if twice:
        raise Refusal(f"{' and '.join(twice[:2])} are the same user: keep one of them")
    return users, {person.id: data_type.from_wire(person.values.get(whole)) for person in there.values()}


def _take_back(directory: Directory, props: Props, cells: Cells) -> None:
    """Write the priors of those cells whose live value is still ours."""
    whole, data_type = props["full_name"], DataType(props["data_type"], props["multi_valued"])
    live = _live(directory, props, data_type, cells)
    if any(live[user] == NULL and NULL not in cell.ours for user, cell in cells.items()):
        # Cleared by someone, or hidden: a property that was re-created shows its old values only later.
        application = split(props["extension"])[0]
        if not directory.extension_properties(application, whole):
            engine.warn(f"{whole} is gone: what {len(cells)} users held in it is hidden, and was left as it is")
            return
        directory.wait_usable([whole])
        live = _live(directory, props, data_type, cells)
    found = take_back(cells, live)
    restore = {user: {whole: data_type.wire(prior)} for user, prior in found.restore.items()}
    told = teller(f"{whole}, taking back")
    failures: Mapping[str, GraphError] = directory.patch_people(restore, told) if restore else {}
    for problem in failures.values():
        if isinstance(problem, NotAvailable) and not directory.extension_properties(
            split(props["extension"])[0], whole
        ):
            continue
        raise problem
    if restore:
        directory.confirm_people(restore)
    for users, words in ((found.strangers, "was changed by others and stays"), (found.gone, "has left the tenant")):
        if users:
            count = f"{len(users):,} user{'s' if len(users) > 1 else ''}"
            engine.say(f"{whole}: the value of {count} ({some(users)}) {words}")


def _live(directory: Directory, props: Props, data_type: DataType, cells: Iterable[str]) -> dict[str, str | None]:
    whole = props["full_name"]
    people = directory.people(list(cells), [whole], names=unpacked(props, "__names"))
    return {user: data_type.from_wire(one.values.get(whole)) if one else None for user, one in people.items()}


def _memory(users: dict[str, str], cells: Cells) -> Props:
    """What was read from the tenant about people: packed, and secret in state."""
    known_by_name = {who: id_ for who, id_ in users.items() if who != id_}
    return {"__memory": pack({"users": known_by_name, "cells": {user: cell.to_json() for user, cell in cells.items()}})}


def _remembered(props: Props) -> tuple[dict[str, str], Cells]:
    memory: dict[str, Any] = unpack(props["__memory"])
    return memory["users"], {user: Cell.from_json(cell) for user, cell in memory["cells"].items()}


class UserValueBaseline(Resource, module="flexsaml", name="UserValueBaseline"):
    """The way back for all values this stack writes to one extension."""

    extension: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        extension: pulumi.Input[str],
        full_name: pulumi.Input[str],
        data_type: str = "String",
        multi_valued: bool = False,
        cells: pulumi.Input[Mapping[str, str]],
        hidden: bool = False,
        allow_removal: int = 0,
        names: Mapping[str, str] | None = None,
        seen_missing: Sequence[str] = (),
        seen_values: Mapping[str, str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`extension` is `{applicationObjectId}/{extensionPropertyId}`; `cells` maps user (object id or UPN)
        to the canonical value that is about to be written; it may be secret, and `hidden` then keeps its digest out
        of state, from which a short value could be guessed. `names` maps users as written, in
        lower case, to object ids. `seen_missing` (users as written) and `seen_values` (object id to canonical
        live value) are what preflight saw; they are judged in `check` and dropped."""
        packed: pulumi.Input[str]
        if isinstance(cells, Mapping) and all(isinstance(value, str) for value in cells.values()):
            packed = pack(dict(cells))  # an Output of a map costs a future for every user
        else:
            packed = pulumi.Output.from_input(cells).apply(lambda plain: pack(dict(plain)))
        props = {
            "extension": extension,
            "full_name": full_name,
            "data_type": data_type,
            "multi_valued": multi_valued,
            "__cells": pulumi.Output.secret(packed) if hidden else packed,
            "count": None,
            "sha256": HIDDEN if hidden else None,
            "allow_removal": allow_removal,
            "__names": pack(dict(names or {})),
            "seen_missing": list(seen_missing),
            # What people hold is the tenant's, never shown: it crosses packed and secret, and is dropped.
            "__seen": pulumi.Output.secret(pack(dict(seen_values or {}))),
            "__memory": None,
        }
        opts = pulumi.ResourceOptions.merge(
            pulumi.ResourceOptions(additional_secret_outputs=["__memory"]), opts or pulumi.ResourceOptions()
        )
        super().__init__(UserValueBaselineProvider(), resource_name, props, opts)
