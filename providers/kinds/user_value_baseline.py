"""UserValueBaseline: what users held in one extension before this stack wrote, and how it is restored.

GET and PATCH /users through $batch (User.ReadWrite.All). One baseline for each extension, over all users of the stack.
It stands in front of the writers. Before the first write its create and update record the live values and the values
that are about to be written; its update restores the cells that left the configuration, its delete restores the rest.
Writers never restore (`flexsaml/values/ledger.py` says why).

* `read` returns what state holds: a baseline that looked at the tenant would record this stack's values as prior ones.
* Users are kept by object id, so a renamed user is still found, and a person created anew is another user.
* A property that was (re-)created hides the values it will show later, so the baseline waits until it is usable before
  it reads (grade C; needs Directory.Read.All, and without that permission the first write waits).
* It reads through $select only: otherwise v1.0 leaves extension values out (A)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import ClassVar

from flexsaml import graph
from flexsaml.values import NULL, Ledger, RosterChange, RosterTable, pack, removes_too_many, unpack

from .. import engine
from ..progress import count_users, first_names
from . import cells
from .base import Argument, Failures, Props, RefusedChange, text
from .command_records import correct_priors, has_wrong_prior, lock_property, note_declared
from .extension_property import is_not_created, refuse_gone_properties, split_id
from .restoration import data_type_of, read_live, restore_values


class UserValueBaselineKind(cells.CellsKind):
    name = "UserValueBaseline"
    description = "of '{full_name}'"
    arguments: ClassVar = {
        "extension": Argument(required=True, replaces=True),
        "full_name": Argument(required=True, replaces=True),
        "data_type": Argument("String"),
        "multi_valued": Argument(False),
        **cells.CellsKind.shared_arguments,
        "allow_removal": Argument(0, transient=True),
        "__seen": Argument(transient=True),
    }
    packed_from: ClassVar = {**cells.CellsKind.packed_from, "__seen": ("seen_values",)}
    preflight_results = ("seen_missing", "__seen")

    def pack(self, name: str, arguments: Props) -> str:
        if name != "__seen":
            return super().pack(name, arguments)
        values = arguments["seen_values"] or {}
        return pack({user.lower(): value for user, value in values.items()}) if values else ""

    def secret_inputs(self, arguments: Props) -> set[str]:
        return {"__seen"} | super().secret_inputs(arguments)

    def check(self, olds: Props, news: Props) -> tuple[Props, Failures]:
        inputs, failures = super().check(olds, news)
        if is_not_created(text(inputs["extension"])):  # the command leaves out the property, which it would create
            failures["extension"] = (
                f"{text(inputs['full_name'])} does not exist, because Graph refused to create it: add --target of its "
                "ExtensionProperty to the command, or drop --exclude"
            )
        return inputs, failures

    def judge_change(self, change: RosterChange, news: Props) -> Failures:
        full_name = text(news.get("full_name"))
        for user in change.gone_users:
            engine.warn(
                f"users.{user}: is no longer in the tenant under that name; their value of {full_name} is left as it is"
            )
        _warn_of_overwriting(full_name, change, unpack(news["__seen"]) if text(news.get("__seen")) else {})
        removed, managed = len(change.removed), len(change.before)
        if change.unknown_users:
            users = cells.describe_missing(change.unknown_users, news)
            return {"": f"no such user: {users}; correct the name or remove it from users"}
        if removes_too_many(removed, managed, int(news.get("allow_removal") or 0)):
            reason = f"{removed} of {managed} users would lose their value of {full_name}"
            return {"": f"{reason}; if this is intended, set flexsaml:allowRemoval to {removed} for this run"}
        return {}

    def diff(self, olds: Props, news: Props) -> set[str]:
        changed = super().diff(olds, news)
        if isinstance(olds.get("__memory"), str):  # somebody may have edited the outputs, which are not judged yet
            note_declared(olds)
            changed |= {"sha256"} if has_wrong_prior(olds) else set()
        return changed

    def create(self, directory: graph.Directory, inputs: Props) -> tuple[str, Props]:
        if inputs["count"]:
            extensions = {inputs["full_name"]: inputs["extension"]}
            directory.wait_usable(extensions, lambda: refuse_gone_properties(directory, extensions, extensions))
        return split_id(inputs["extension"])[1], self.write(directory, {}, inputs)

    def write(self, directory: graph.Directory, olds: Props, news: Props) -> Props:
        """Enter in the ledger what is about to be written; restore the cells of users who left the configuration."""
        with lock_property(news):
            memory = self._record(directory, olds, news)
            note_declared({**news, **memory}, instead_of=olds)
            return memory

    def _record(self, directory: graph.Directory, olds: Props, news: Props) -> Props:
        change, old_ids, ledger = cells.compare(olds, news)
        ledger = correct_priors(news["extension"], ledger)
        rows = change.table.rows
        to_read = change.users_to_read
        users = (user for user in rows if user in to_read or user not in old_ids)
        references = cells.choose_references(change.table, users, old_ids)
        new_ids, live = read_live(directory, news, references)
        _refuse_unusable_users(references, new_ids, old_ids)
        _refuse_other_persons(change.table, new_ids)
        live = ledger.align(live, dict.fromkeys(live, data_type_of(news)))
        _say_what_counts_as_prior(news["full_name"], {user: live[i] for user, i in new_ids.items()}, change, old_ids)
        unread = {user: old_ids[user] for user in references if user not in new_ids}  # the writer may find them
        ledger = ledger.before_write(live, {id_: rows[user][1] for user, id_ in {**unread, **new_ids}.items()})
        object_ids = {user: id_ for user, id_ in {**old_ids, **new_ids}.items() if user in rows}
        remaining = set(object_ids.values())
        before = {**news, "__memory": text(olds.get("__memory"))}
        restore_values(directory, before, {user: i for user, i in old_ids.items() if i not in remaining}, ledger)
        return cells.pack_cells_memory(change.table, object_ids, ledger)

    def read(self, directory: graph.Directory, id_: str, outputs: Props) -> Props | None:
        return outputs

    def adopt(self, directory: graph.Directory, inputs: Props) -> tuple[str, Props] | None:
        table, property_id = cells.unpack_table(inputs), text(inputs["extension"]).partition("/")[2]
        if not property_id:
            return None
        object_ids, _ = read_live(directory, inputs, {user: user for user in table.rows})
        _refuse_other_persons(table, object_ids)
        values = {id_: table.rows[user][1] for user, id_ in object_ids.items()}
        ledger = Ledger().before_write(dict.fromkeys(values, NULL), values)
        return property_id, {**inputs, **cells.pack_cells_memory(table, object_ids, ledger)}

    def delete(self, directory: graph.Directory, id_: str, outputs: Props) -> None:
        with lock_property(outputs):
            restore_values(directory, outputs, *cells.unpack_cells_memory(outputs), is_last_chance=True)


def _refuse_unusable_users(
    references: Mapping[str, str], object_ids: Mapping[str, str], old_ids: Mapping[str, str]
) -> None:
    """Raise for a user of whom nothing can be recorded because the tenant does not show them, and for two names of one
    user. A user of the last run has a record; the writer reports them if they have left."""
    absent = [user for user in references if user not in object_ids]
    unknown = [user for user in absent if references[user] != old_ids.get(user)]
    if unknown:
        raise RefusedChange(f"no such user: {', '.join(unknown)}; correct the name or remove it from the configuration")
    counts = Counter(object_ids.values())
    duplicates = [user for user, id_ in object_ids.items() if counts[id_] > 1]
    if duplicates:
        raise RefusedChange(f"{' and '.join(duplicates[:2])} are the same user: keep one of them")


def _refuse_other_persons(table: RosterTable, object_ids: Mapping[str, str]) -> None:
    """Raise for a name that has passed to another person since preflight: `table` has the ids that preflight read."""
    if passed := cells.find_other_persons(table, object_ids):
        raise RefusedChange(
            f"{first_names(sorted(passed))}: another person has this name now than when this run began; run the same "
            "command again"
        )


def _say_what_counts_as_prior(
    full_name: str, live: Mapping[str, str], change: RosterChange, old_ids: Mapping[str, str]
) -> None:
    """Say who held the wanted value already when it was first recorded. `live`: by user."""
    holders = [
        user for user, value in live.items()
        if user not in old_ids and value != NULL and value == change.table.rows[user][1]
    ]  # fmt: skip
    if holders:
        engine.say(
            f"{full_name}: {count_users(holders)} held the declared value before this stack wrote it "
            f"({first_names(sorted(holders))}), so destroy leaves it; if another stack wrote it, only the state of "
            "that stack has the value from before"
        )


def _warn_of_overwriting(full_name: str, change: RosterChange, live: Mapping[str, str]) -> None:
    """Say how many users, whose declared value is new or has changed, hold a value that is neither unset, nor wanted,
    nor the one of the last run. Where nothing was changed, only a writer knows whether it writes
    (`cells.warn_of_drift`). `live`: user to canonical value, as preflight read it."""
    unset = ("", NULL)
    rows, before = change.table.rows, change.before
    holders = [
        user for user in change.users_to_read
        if user in live and live[user] not in (NULL, rows.get(user, unset)[1], before.get(user, unset)[1])
    ]  # fmt: skip
    if holders:
        engine.warn(
            f"{full_name}: {count_users(holders)} {'holds' if len(holders) == 1 else 'hold'} another value, which will "
            f"be overwritten ({first_names(sorted(holders))}); destroy restores what was there before this stack"
        )
