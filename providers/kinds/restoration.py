"""How a value baseline reads the cells of its extension, and gives back what users held before."""

from __future__ import annotations

from collections.abc import Mapping

from flexsaml import graph
from flexsaml.graph import Malformed
from flexsaml.values import NULL, DataType, Ledger, Restoration

from .. import engine
from ..progress import count_users, first_names, progress_reporter
from . import cells
from .base import Props, RefusedChange
from .command_records import correct_priors, find_misrecorded_users, note_ended, refuse_to_forget
from .extension_property import NO_PRINCIPAL, has_owner_principal, split_id


def data_type_of(props: Props) -> DataType:
    return DataType(props["data_type"], props["multi_valued"])


def read_live(
    directory: graph.Directory, props: Props, references: Mapping[str, str], ledger: Ledger | None = None
) -> tuple[dict[str, str], dict[str, str]]:
    """Object ids by user, and live values by object id, of the users who exist. With a ledger, a value that is not this
    stack's by it is believed only after three reads."""
    full_name, data_type = props["full_name"], data_type_of(props)

    def live_value(user: graph.User) -> str:
        return data_type.exact_from_wire(user.values.get(full_name))

    def is_settled(user: graph.User) -> bool:
        aligned = (ledger or Ledger()).align({user.id: live_value(user)}, {user.id: data_type})
        return ledger is None or ledger.is_ours(user.id, aligned[user.id])

    users = cells.read_users(directory, references, [full_name], is_settled)
    return {name: user.id for name, user in users.items()}, {user.id: live_value(user) for user in users.values()}


def restore_values(
    directory: graph.Directory,
    props: Props,
    object_ids: Mapping[str, str],
    ledger: Ledger,
    *,
    is_last_chance: bool = False,
) -> None:
    """Write the prior values of these users' cells that still hold what this stack wrote. `props`: of the baseline,
    with its memory from before this command. Values that cannot be reached because the application has no service
    principal are an error while state is kept, so that the prior values are not lost; at the `is_last_chance` they are
    reported and left."""
    if not object_ids:
        return
    full_name, data_type, ledger = props["full_name"], data_type_of(props), ledger.only(object_ids.values())
    names = {id_: name for name, id_ in object_ids.items()}
    note_ended(props, ledger)  # before anybody else looks: the new baseline may be looked at while this one restores
    if misrecorded := find_misrecorded_users(props, ledger):
        raise refuse_to_forget(full_name, first_names(sorted(names[id_] for id_ in misrecorded)))
    ledger = correct_priors(props["extension"], ledger)
    _, live = read_live(directory, props, object_ids, ledger)
    if any(live.get(id_) == NULL and NULL not in entry.written for id_, entry in ledger.entries.items()):
        # Somebody cleared the value, or it is hidden: a property that was created anew shows old values only later.
        if reason := explain_loss(directory, props, object_ids, is_last_chance=is_last_chance):
            engine.warn(reason)
            return
        directory.wait_usable([full_name])
        _, live = read_live(directory, props, object_ids, ledger)
    restoration = ledger.restoration(ledger.align(live, dict.fromkeys(live, data_type)))
    priors = {id_: {full_name: data_type.to_wire(prior)} for id_, prior in restoration.priors.items()}
    failures = directory.patch_users(priors, progress_reporter(f"{full_name}, restoring")) if priors else {}
    restored = {id_: values for id_, values in priors.items() if id_ not in failures}
    refused = {id_ for id_, problem in failures.items() if isinstance(problem, Malformed)}
    if refused and (reason := explain_loss(directory, props, object_ids, is_last_chance=is_last_chance)):
        engine.warn(reason)
        failures = {id_: problem for id_, problem in failures.items() if id_ not in refused}
    directory.confirm_users(restored, names)
    _say_what_is_left(full_name, restoration, names)
    if failures:
        problems = [f"{names[id_]} ({problem})" for id_, problem in failures.items()]
        others = "All others were restored; correct" if restored else "Correct"
        raise RefusedChange(
            f"{len(failures):,} of {count_users(priors)} could not get back their former value: "
            f"{first_names(problems, 5)}. {others} this and run the same command again"
        )


def explain_loss(
    directory: graph.Directory, props: Props, object_ids: Mapping[str, str], *, is_last_chance: bool
) -> str:
    """Why the values of these users cannot be restored any more; "" if they can. Raises `RefusedChange` if they can be
    once an administrator has made the service principal again, unless this `is_last_chance`."""
    full_name, users = props["full_name"], count_users(object_ids)
    existing = directory.find_extension_property(split_id(props["extension"])[0], full_name)
    if existing is None:
        return f"{full_name} no longer exists: the values of {users} cannot be reached any more and are left"
    made_anew = DataType(existing.data_type, existing.multi_valued)
    if made_anew != data_type_of(props):
        return (
            f"{full_name} was made anew by somebody else, as {made_anew}: the values of {users} that it held as "
            f"{data_type_of(props)} cannot be reached any more and are left"
        )
    if has_owner_principal(directory, full_name):
        return ""
    problem = (
        f"{full_name}: {NO_PRINCIPAL}, so the values of {users} ({first_names(sorted(object_ids))}) cannot be reached"
    )
    if not is_last_chance:
        raise RefusedChange(f"{problem}; make that service principal again, then run the same command again")
    return f"{problem} any more and are left as this stack wrote them"


def _say_what_is_left(full_name: str, restoration: Restoration, names: Mapping[str, str]) -> None:
    """`names`: user by object id."""
    for ids, words in (
        (restoration.changed_by_others, "the value of {} was changed by others and is left as it is"),
        (restoration.gone, "{} left the tenant"),
    ):
        if ids:
            users = first_names(sorted(names[id_] for id_ in ids))
            engine.say(f"{full_name}: {words.format(count_users(ids))} ({users})")
