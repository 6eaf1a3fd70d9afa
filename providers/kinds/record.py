"""The proof that a writer needs: what the baselines in state record.

A writer with a baseline in front writes only what that baseline records; nobody else could restore the value from
before. `pulumi up --target` of a writer, and `--exclude` of a baseline, skip the baseline, and the engine then gives
its dependents the outputs that are in state. So the program compares what it declares with the *outputs* of the
baseline, and each writer gets the result as its transient argument `recorded`:

    of a value kind     full name to {"baseline": resource name, "unrecorded": users whose cell is not recorded}
    of another kind     {"baseline": resource name of the tenant baseline, "names": the names it records}

`check` judges it if there is something to write. In an update that is directly before the write, and every output is
known then; a preview may have unknown ones, which are not judged. A value without `recorded` is not recorded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flexsaml.values import RosterTable, UnknownPackedFormat

from .base import known


def find_unrecorded_users(declared: str, recorded: str) -> frozenset[str]:
    """Users, in lower case, whose cell of the packed table `declared` is not in that of a baseline's outputs: another
    value, perhaps another person, or no row at all."""
    if declared == recorded:
        return frozenset()
    table = RosterTable.unpack(declared)
    try:
        return frozenset(table.changes_since(RosterTable.unpack(recorded)).users_to_read)
    except UnknownPackedFormat:  # the baseline itself reports it as soon as it runs
        return frozenset(table.rows)


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
        return f"{subject}: no baseline is known to record this, so it is not written; give `recorded`"
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
