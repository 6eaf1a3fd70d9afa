"""The proof that a writer needs: what the baselines in state record.

A writer with a baseline in front writes only what that baseline records; nobody else could restore the value from
before. `pulumi up --target` of a writer, and `--exclude` of a baseline, skip the baseline, and the engine then gives
its dependents the outputs that are in state. So the program compares what it declares with the *outputs* of the
baseline, and each writer gets the result as its transient argument `recorded`:

    of a value kind     full name to {"baseline": resource name, "unrecorded": users whose cell is not recorded,
                        "ids": packed map of user to the beginning of the object id, or ""}
    of another kind     {"baseline": resource name of the tenant baseline, "names": the names it records}

`check` judges it if there is something to write. In an update that is directly before the write, and every output is
known then; a preview may have unknown ones, which are not judged. A value without `recorded` is not recorded.

A user principal name may pass to another person at any moment. Preflight, each baseline and the writer look a user up
by themselves, so each compares the object id with the one from before: a baseline with that of preflight, a writer with
that of preflight, and with those of the baselines where preflight is off or the writer is of a single user. State keeps
them as `__recorded_ids`, because only the write itself knows who has the name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flexsaml.values import (
    ID_PREFIX_LENGTH,
    RosterTable,
    UnknownPackedFormat,
    may_be_same_user,
    pack,
    unpack,
    unpack_memory,
)

from .base import UNKNOWN, Argument, Props, known, text

RECORDED_IDS = "__recorded_ids"
recorded_arguments: Mapping[str, Argument] = {
    "recorded": Argument({}, transient=True),
    RECORDED_IDS: Argument(ignored=True, computed=True, added_since=True),
}
PASSED_ON = "another person has this name now than the baseline recorded: run the same command again, with preflight on"
"""What is wrong with a user, in the words of a writer."""
IGNORED_PERSON = "the baseline recorded another person than this object id: drop ignoreChanges of `user`"


def find_unrecorded_users(declared: str, recorded: str) -> frozenset[str]:
    """Users, in lower case, whose cell of the packed table `declared` is not in that of a baseline's outputs: another
    value, perhaps another person, or no row at all."""
    if declared == recorded:
        return frozenset()
    table = RosterTable.unpack(declared)
    try:
        old = RosterTable.unpack(recorded)
        return frozenset(table.changes_since(old).users_to_read | table.newly_identified_users(old))
    except UnknownPackedFormat:  # the baseline itself reports it as soon as it runs
        return frozenset(table.rows)


def find_recorded_ids(declared: str, recorded: str, memory: str) -> dict[str, str]:
    """User, in lower case, to the first digits of the object id in the outputs of a baseline (its packed table, and its
    memory), for users whose id the packed table `declared` does not have."""
    unidentified = [user for user, (id_prefix, _) in RosterTable.unpack(declared).rows.items() if not id_prefix]
    if not unidentified or not memory:
        return {}
    try:
        object_ids, _ = unpack_memory(memory, RosterTable.unpack(recorded).rows)
    except UnknownPackedFormat:  # as above
        return {}
    return {user: object_ids[user][:ID_PREFIX_LENGTH] for user in unidentified if user in object_ids}


def collect_recorded_ids(news: Props) -> Any:
    """The input `RECORDED_IDS`: packed map of user to the first digits of the object ids that the baselines recorded;
    "" if there are none. Inputs that are checked again have no `recorded`, and keep it."""
    recorded = news.get("recorded")
    if not known(recorded):
        return UNKNOWN
    if not isinstance(recorded, Mapping):
        return text(news.get(RECORDED_IDS))
    id_prefixes: dict[str, set[str]] = {}
    for record in recorded.values():
        for user, id_prefix in (unpack(record["ids"]) if record.get("ids") else {}).items():
            id_prefixes.setdefault(user, set()).add(id_prefix)
    return pack({user: sorted(prefixes) for user, prefixes in id_prefixes.items()}) if id_prefixes else ""


def find_passed_names(object_ids: Mapping[str, str], props: Props) -> set[str]:
    """Users, in lower case, whose object id is not the one that each baseline recorded. `object_ids`: by user in lower
    case; `props`: of the writer of a roster."""
    recorded = _unpack_ids(props)
    return {
        user
        for user, object_id in object_ids.items()
        if not all(may_be_same_user(object_id, id_prefix) for id_prefix in recorded.get(user, ()))
    }


def is_recorded_person(object_id: str, props: Props) -> bool:
    """Whether each baseline of the writer of a single user recorded the person of this object id."""
    return all(
        may_be_same_user(object_id, id_prefix)
        for id_prefixes in _unpack_ids(props).values()
        for id_prefix in id_prefixes
    )


def _unpack_ids(props: Props) -> dict[str, list[str]]:
    recorded: dict[str, list[str]] = unpack(props[RECORDED_IDS]) if props[RECORDED_IDS] else {}
    return recorded


def missing_records(recorded: object, names: Iterable[str]) -> dict[str, tuple[str, list[str] | None]]:
    """Of these full names, those with unrecorded cells: resource name of the baseline, and the users; without
    `recorded`, "" and None, which stands for everybody."""
    missing: dict[str, tuple[str, list[str] | None]] = {}
    records: Mapping[str, Any] = recorded if isinstance(recorded, Mapping) else {}
    for name in names if known(recorded) or records else ():
        record = records.get(name)
        if record is None:
            missing[name] = ("", None)
        elif known(record) and record["unrecorded"]:
            missing[name] = (record["baseline"], record["unrecorded"])
    return missing


def refuse_unrecorded(
    subject: str, baselines: Iterable[str], reason: str = "nobody could restore what was there before"
) -> str:
    """Why `subject` is not written, and what to do. `baselines`: their resource names, "" where none is known."""
    names = sorted(set(baselines))
    if "" in names:
        return (
            f"{subject}: no baseline is known to record this, so it is not written; drop ignoreChanges, or correct why "
            "its baseline failed in this run and run the same command again, or, in a program of your own, give "
            "`recorded`"
        )
    targets = " ".join(f"--target '**::{name}'" for name in names)
    return (
        f"{subject}: the baseline in state does not record this, so it is not written, because {reason}; add {targets} "
        "to the command, or drop --exclude or ignoreChanges"
    )


def refuse_unlisted(recorded: object, name: object, subject: str) -> str:
    """`refuse_unrecorded` for an object of this name that the tenant baseline does not list; "" if it does, and for a
    program that gave no `recorded`."""
    if not isinstance(recorded, Mapping) or not recorded or not known([recorded, name]) or name in recorded["names"]:
        return ""
    reason = "the next full run would take it for somebody else's"
    return refuse_unrecorded(subject, [recorded["baseline"]], reason)
