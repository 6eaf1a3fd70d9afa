"""What the value kinds share: `CellsKind` for the kinds of a whole roster, and how cells are read and shown. Inputs of
a `CellsKind` hold a packed `RosterTable` with a visible `count` and `sha256` beside it; its memory, secret in state,
holds whole object ids and the ledger."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import ClassVar

from flexsaml import graph
from flexsaml.values import (
    NULL,
    DataType,
    Ledger,
    RosterChange,
    RosterTable,
    digest,
    may_be_same_user,
    pack_memory,
    unpack_memory,
)

from .. import engine
from ..progress import count_users, first_names
from .base import UNKNOWN, Argument, Failures, Kind, Props, known, text

HIDDEN = "[secret]"  # in place of a digest from which a short secret value could be guessed
CHANGED, CLEARED = "(changed in the tenant)", "(not set in the tenant)"
Values = Mapping[str, str]
"""Full name to canonical value."""


class CellsKind(Kind):
    """Many users' cells in one resource. `check` compares the table with that of the last run and reports what will
    change; `create` and `update` learn what to do from the same comparison (`compare`)."""

    outputs: ClassVar = {"__memory": Argument(required=True)}
    secret_outputs = ("__memory",)
    packed_from: ClassVar = {"__cells": ("cells", "ids")}
    preflight_results: ClassVar[tuple[str, ...]] = ("seen_missing",)
    """Transient inputs to be judged even if the table is that of the last run."""

    shared_arguments: ClassVar = {
        "count": Argument(0, computed=True),
        "sha256": Argument(computed=True),
        "__cells": Argument(ignored=True),  # the digest decides: another machine's zlib may pack otherwise
        "__given": Argument(ignored=True, computed=True),  # digest of `__cells` as the program gave it: see `check`
        "hidden": Argument(False, transient=True),  # the values are secret, and so are digests of them
        "seen_missing": Argument({}, transient=True),  # user to a hint
    }

    def judge_change(self, change: RosterChange, news: Props) -> Failures:
        """Tell the user what will change; return the reasons why it must not."""
        raise NotImplementedError

    def secret_inputs(self, arguments: Props) -> set[str]:
        return {"__cells"} if arguments["hidden"] else set()

    def pack(self, name: str, arguments: Props) -> str:
        return RosterTable.from_cells(arguments["cells"], arguments["ids"]).pack()

    def write(self, directory: graph.Directory, olds: Props, news: Props) -> Props:
        """Write what differs from the last run, whose outputs `olds` holds ({} on create); the new outputs."""
        raise NotImplementedError

    def diff(self, olds: Props, news: Props) -> set[str]:
        changed = super().diff(olds, news)
        if "sha256" not in changed and olds["__cells"] != news["__cells"]:  # digests that are hidden are always equal
            changed |= {"sha256"} if unpack_table(olds) != unpack_table(news) else set()
        return changed

    def update(self, directory: graph.Directory, id_: str, olds: Props, news: Props) -> Props:
        return self.write(directory, olds, news)

    def check(self, olds: Props, news: Props) -> tuple[Props, Failures]:
        inputs, failures = super().check(olds, news)
        if not known(news.get("__cells")):  # the values come from another resource
            return {**inputs, "count": UNKNOWN, "sha256": UNKNOWN}, failures
        secret = bool(news.get("hidden")) or news.get("sha256") == HIDDEN
        # `__given` is the digest of the packed table as the program gave it. State keeps it; if the next run gives the
        # same table, nothing is unpacked. `__cells` cannot be compared instead, because `check` completes its rows.
        # Without a digest the tables are compared: of a secret value, which could be guessed from it, and of a table
        # in which users stay who are gone from the tenant, because without them the program gives the same one.
        is_checked = news.get("__given") is not None
        packed_digest = text(news["__given"]) if is_checked else digest(text(news.get("__cells")).encode())
        is_unchanged = packed_digest == olds.get("__given") != "" and secret == (olds["sha256"] == HIDDEN)
        if is_unchanged and not any(news.get(name) for name in self.preflight_results):
            return {**inputs, **{name: olds[name] for name in ("count", "sha256", "__cells", "__given")}}, failures
        change = unpack_table(news).changes_since(unpack_table(olds), news.get("seen_missing") or ())
        inputs |= {
            "count": len(change.table.rows),
            "sha256": HIDDEN if secret else change.table.digest(),
            "__cells": change.table.pack(),
            "__given": "" if secret or change.gone_users else packed_digest,
        }
        return inputs, {**failures, **self.judge_change(change, news)}


def describe_missing(users: Iterable[str], news: Props) -> str:
    """Users who are not in the tenant, with the hints of preflight."""
    hints = news.get("seen_missing") or {}
    return first_names([f"{user} ({hints[user]})" if hints.get(user) else user for user in sorted(users)], 20)


def compare(olds: Props, news: Props) -> tuple[RosterChange, dict[str, str], Ledger]:
    """What changed since the last run, and what state remembers of that run: the object id of each user, and the ledger
    by object id. Before the first run `olds` is {}, and both are empty."""
    object_ids, ledger = unpack_cells_memory(olds) if olds else ({}, Ledger())
    return unpack_table(news).changes_since(unpack_table(olds).with_object_ids(object_ids)), object_ids, ledger


def unpack_table(props: Props) -> RosterTable:
    """The table of a resource's inputs or outputs, without rows when there is none yet."""
    cell_type = str if "full_name" in props else dict  # a baseline is of one extension
    return RosterTable.unpack(text(props.get("__cells")), cell_type)


def pack_cells_memory(table: RosterTable, object_ids: Mapping[str, str], ledger: Ledger) -> Props:
    return {"__memory": pack_memory(table.rows, object_ids, ledger)}


def unpack_cells_memory(outputs: Props) -> tuple[dict[str, str], Ledger]:
    return unpack_memory(outputs["__memory"], unpack_table(outputs).rows)


def choose_references(table: RosterTable, users: Iterable[str], object_ids: Mapping[str, str]) -> dict[str, str]:
    """How to ask for these users: by the object id of the last run, so that a renamed user is found, unless another
    person now has the name."""
    return {
        user: id_ if (id_ := object_ids.get(user)) and may_be_same_user(id_, table.rows[user][0]) else user
        for user in users
    }


def find_other_persons(table: RosterTable, object_ids: Mapping[str, str]) -> set[str]:
    """Users whose object id is not the one of their row: the name has passed to another person since the ids of the
    table were read. `object_ids`: by user."""
    return {user for user, id_ in object_ids.items() if not may_be_same_user(id_, table.rows[user][0])}


def read_users(
    directory: graph.Directory,
    references: Mapping[str, str],
    extensions: Iterable[str],
    is_settled: Callable[[graph.User], bool] = lambda _user: True,
) -> dict[str, graph.User]:
    """By the keys of `references`, with their values of the extensions; a user who does not exist is left out. Those
    who are not settled are read up to three times."""
    if not references:
        return {}
    upns = [user for user in references if "@" in user]
    by_reference = directory.read_users_settled(list(references.values()), list(extensions), is_settled, upns)
    return {key: user for key, reference in references.items() if (user := by_reference[reference])}


def parse_types(types: Mapping[str, str], names: Iterable[str]) -> dict[str, DataType]:
    return {name: DataType.parse(types.get(name, "String")) for name in names}


def live_values(user: graph.User, types: Mapping[str, DataType]) -> dict[str, str]:
    return {name: data_type.exact_from_wire(user.values.get(name)) for name, data_type in types.items()}


def values_to_patch(values: Values, live: Values, types: Mapping[str, DataType]) -> dict[str, object]:
    """The values that differ from the live ones, as PATCH takes them."""
    return {
        name: types[name].to_wire(value)
        for name, value in values.items()
        if not types[name].means_same(live[name], value)
    }


def show_live(values: Values, live: Values, types: Mapping[str, DataType]) -> dict[str, str]:
    """The values as state shows them after a refresh. A stranger's value about a person does not belong there."""
    return {
        name: value if types[name].means_same(live[name], value) else CLEARED if live[name] == NULL else CHANGED
        for name, value in values.items()
    }


def warn_of_drift(full_name: str, users: Collection[str], *, is_written: bool) -> None:
    """Say whose values were changed in the tenant while state has them as declared, and what this run does about it:
    only a writer knows, because its state says what a refresh has shown it."""
    does_not, consequence = ("does not" if len(users) == 1 else "do not"), "writes it again"
    if not is_written:
        consequence = "leaves that: run `pulumi refresh` first, then `pulumi up` writes it again"
    engine.warn(
        f"{full_name}: {count_users(users)} {does_not} hold the value that this stack wrote "
        f"({first_names(sorted(users))}), and this run {consequence}"
    )


def extensions_exist(inputs: Props) -> bool:
    """Whether each extension is known by its id, `{applicationObjectId}/{extensionPropertyId}`."""
    return all("/" in text(extension) for extension in inputs["extensions"].values())
