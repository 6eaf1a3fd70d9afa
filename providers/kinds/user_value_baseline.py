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
from flexsaml.graph import NotAvailable
from flexsaml.values import NULL, DataType, Ledger, RosterChange, pack, removes_too_many, unpack

from .. import engine
from ..progress import count_users, first_names, progress_reporter
from . import cells
from .base import Argument, Failures, Props, RefusedChange, text
from .extension_property import NO_PRINCIPAL, has_owner_principal, is_not_created, split_id


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

    def create(self, directory: graph.Directory, inputs: Props) -> tuple[str, Props]:
        if inputs["count"]:
            directory.wait_usable([inputs["full_name"]])
        return split_id(inputs["extension"])[1], self.write(directory, {}, inputs)

    def write(self, directory: graph.Directory, olds: Props, news: Props) -> Props:
        """Enter in the ledger what is about to be written; restore the cells of users who left the configuration."""
        change, old_ids, ledger = cells.compare(olds, news)
        rows = change.table.rows
        to_read = change.users_to_read
        users = (user for user in rows if user in to_read or user not in old_ids)
        references = cells.choose_references(change.table, users, old_ids)
        new_ids, live = _read_live(directory, news, references)
        _refuse_unusable_users(references, new_ids, old_ids)
        live = ledger.align(live, dict.fromkeys(live, _data_type(news)))
        _say_what_counts_as_prior(news["full_name"], {user: live[i] for user, i in new_ids.items()}, change, old_ids)
        unread = {user: old_ids[user] for user in references if user not in new_ids}  # the writer may find them
        ledger = ledger.before_write(live, {id_: rows[user][1] for user, id_ in {**unread, **new_ids}.items()})
        object_ids = {user: id_ for user, id_ in {**old_ids, **new_ids}.items() if user in rows}
        remaining = set(object_ids.values())
        _restore_values(directory, news, {user: i for user, i in old_ids.items() if i not in remaining}, ledger)
        return cells.pack_cells_memory(change.table, object_ids, ledger)

    def read(self, directory: graph.Directory, id_: str, outputs: Props) -> Props | None:
        return outputs

    def adopt(self, directory: graph.Directory, inputs: Props) -> tuple[str, Props] | None:
        table, property_id = cells.unpack_table(inputs), text(inputs["extension"]).partition("/")[2]
        if not property_id:
            return None
        object_ids, _ = _read_live(directory, inputs, {user: user for user in table.rows})
        values = {id_: table.rows[user][1] for user, id_ in object_ids.items()}
        ledger = Ledger().before_write(dict.fromkeys(values, NULL), values)
        return property_id, {**inputs, **cells.pack_cells_memory(table, object_ids, ledger)}

    def delete(self, directory: graph.Directory, id_: str, outputs: Props) -> None:
        _restore_values(directory, outputs, *cells.unpack_cells_memory(outputs), is_last_chance=True)


def _restore_values(
    directory: graph.Directory,
    props: Props,
    object_ids: Mapping[str, str],
    ledger: Ledger,
    *,
    is_last_chance: bool = False,
) -> None:
    """Write the prior values of these users' cells that still hold what this stack wrote. Values that cannot be reached
    because the application has no service principal are an error while state is kept, so that the prior values are
    not lost; at the `is_last_chance` they are reported and left."""
    if not object_ids:
        return
    full_name, ledger = props["full_name"], ledger.only(object_ids.values())
    application_id = split_id(props["extension"])[0]
    _, live = _read_live(directory, props, object_ids, ledger)
    if any(live.get(id_) == NULL and NULL not in entry.written for id_, entry in ledger.entries.items()):
        # Somebody cleared the value, or it is hidden: a property that was created anew shows old values only later.
        if not directory.extension_exists(application_id, full_name):
            users = count_users(ledger.entries)
            engine.warn(f"{full_name} no longer exists: the values of {users} cannot be reached any more and are left")
            return
        if not has_owner_principal(directory, full_name):
            users = f"{count_users(ledger.entries)} ({first_names(sorted(object_ids))})"
            problem = f"{full_name}: {NO_PRINCIPAL}, so the values of {users} cannot be reached"
            if not is_last_chance:
                raise RefusedChange(f"{problem}; make that service principal again, then run the same command again")
            engine.warn(f"{problem} any more and are left as this stack wrote them")
            return
        directory.wait_usable([full_name])
        _, live = _read_live(directory, props, object_ids, ledger)
    data_type = _data_type(props)
    restoration = ledger.restoration(ledger.align(live, dict.fromkeys(live, data_type)))
    priors = {id_: {full_name: data_type.to_wire(prior)} for id_, prior in restoration.priors.items()}
    names = {id_: name for name, id_ in object_ids.items()}
    failures = directory.patch_users(priors, progress_reporter(f"{full_name}, restoring")) if priors else {}
    unavailable = {id_ for id_, problem in failures.items() if isinstance(problem, NotAvailable)}
    if unavailable and not directory.extension_exists(application_id, full_name):
        failures = {id_: problem for id_, problem in failures.items() if id_ not in unavailable}
    restored = {id_: values for id_, values in priors.items() if id_ not in failures and id_ not in unavailable}
    directory.confirm_users(restored, names)
    for ids, words in (
        (restoration.changed_by_others, "the value of {} was changed by others and is left as it is"),
        (restoration.gone, "{} left the tenant"),
    ):
        if ids:
            users = first_names(sorted(names[id_] for id_ in ids))
            engine.say(f"{full_name}: {words.format(count_users(ids))} ({users})")
    if failures:
        problems = [f"{names[id_]} ({problem})" for id_, problem in failures.items()]
        others = "All others were restored; correct" if restored else "Correct"
        raise RefusedChange(
            f"{len(failures):,} of {count_users(priors)} could not get back their former value: "
            f"{first_names(problems, 5)}. {others} this and run the same command again"
        )


def _data_type(props: Props) -> DataType:
    return DataType(props["data_type"], props["multi_valued"])


def _read_live(
    directory: graph.Directory, props: Props, references: Mapping[str, str], ledger: Ledger | None = None
) -> tuple[dict[str, str], dict[str, str]]:
    """Object ids by user, and live values by object id, of the users who exist. With a ledger, a value that is not this
    stack's by it is believed only after three reads."""
    full_name, data_type = props["full_name"], _data_type(props)

    def live_value(user: graph.User) -> str:
        return data_type.exact_from_wire(user.values.get(full_name))

    def is_settled(user: graph.User) -> bool:
        aligned = (ledger or Ledger()).align({user.id: live_value(user)}, {user.id: data_type})
        return ledger is None or ledger.is_ours(user.id, aligned[user.id])

    users = cells.read_users(directory, references, [full_name], is_settled)
    return {name: user.id for name, user in users.items()}, {user.id: live_value(user) for user in users.values()}


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
