"""UserExtensionValues: the extension values of a whole roster, written forward.

GET and PATCH /users through $batch, or pages of GET /users where those are fewer requests (User.ReadWrite.All).
One resource holds a roster of any size: with a resource for each user, the engine would take longer than Graph's quota
does. A dynamic provider cannot report a partial success, so a run writes everybody it can and then fails. It reads the
live values and writes only those that differ, at the pace of Graph's quota (3,000 writes per 150 s and application,
grade A); the next run therefore continues where a failed one stopped.

* Each extension needs a `UserValueBaseline`, which is registered first. This kind never restores: its delete does
  nothing. It writes only cells that the baselines record (`record.py`).
* `check` reports which users changed, how many writes there will be and how long the quota makes them take.
* Users are written by object id. An error at the end names those who could not be written; all others were.
* A PATCH that Graph answered is not read back. Before the writes, only users whose row changed since the last run are
  read, or all users with a value of an extension that was replaced."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from flexsaml import graph
from flexsaml.graph import quota_seconds
from flexsaml.values import DataType, Ledger, RosterChange, RosterTable, pack, unpack

from .. import engine
from ..progress import count_users, duration, first_names, progress_reporter
from . import cells
from .base import Argument, Failures, Props, RefusedChange, known, text
from .extension_property import refuse_gone_properties
from .record import (
    PASSED_ON,
    RECORDED_IDS,
    collect_recorded_ids,
    find_passed_names,
    missing_records,
    recorded_arguments,
    refuse_unrecorded,
)


class UserExtensionValuesKind(cells.CellsKind):
    name = "UserExtensionValues"
    description = "of '{roster}'"
    arguments: ClassVar = {
        "service_principal_id": Argument(required=True, replaces=True),
        "roster": Argument(ignored=True),  # the file's name, for messages
        "types": Argument({}),
        "extensions": Argument({}),
        "baselined": Argument(False),
        **cells.CellsKind.shared_arguments,
        "seen_writes": Argument(transient=True),
        "__drifted": Argument(transient=True),
        **recorded_arguments,
    }

    packed_from: ClassVar = {**cells.CellsKind.packed_from, "__drifted": ("seen_drift",)}
    preflight_results = ("seen_missing", "__drifted")

    def pack(self, name: str, arguments: Props) -> str:
        if name != "__drifted":
            return super().pack(name, arguments)
        drifted = arguments["seen_drift"] or {}
        return pack({user.lower(): names for user, names in drifted.items()}) if drifted else ""

    def secret_inputs(self, arguments: Props) -> set[str]:
        return {"__drifted"} | super().secret_inputs(arguments)

    def check(self, olds: Props, news: Props) -> tuple[Props, Failures]:
        inputs, failures = super().check(olds, news)
        inputs[RECORDED_IDS] = collect_recorded_ids(news)
        if inputs["baselined"] is False:
            failures["baselined"] = (
                "UserExtensionValues never restores a value, so it needs a UserValueBaseline for each extension; add "
                "them and set baselined to true"
            )
        elif refusal := _refuse_unrecorded_cells(olds, news, inputs):
            failures.setdefault("", refusal)
        return inputs, failures

    def judge_change(self, change: RosterChange, news: Props) -> Failures:
        roster = text(news.get("roster"))
        _report_changes(roster, change)
        _report_writes(roster, change, news.get("seen_writes"))
        _report_drift(change, unpack(news["__drifted"]) if text(news.get("__drifted")) else {})
        if not change.unknown_users:
            return {}
        return {"": f"no such user: {cells.describe_missing(change.unknown_users, news)}; correct {roster}"}

    def create(self, directory: graph.Directory, inputs: Props) -> tuple[str, Props]:
        return inputs["service_principal_id"], self.write(directory, {}, inputs)

    def write(self, directory: graph.Directory, olds: Props, news: Props) -> Props:
        """PATCH what differs, of everybody who exists; then report who was not written."""
        change, object_ids, _ = cells.compare(olds, news)
        wanted = _values_to_write(change, _replaced_extensions(olds, news))
        types = _data_types(news, wanted.values())
        live = cells.read_users(directory, cells.choose_references(change.table, wanted, object_ids), types)
        problems = [f"{name} (this user no longer exists)" for name in wanted if name not in live]
        ids = {name: user.id for name, user in live.items()}
        passed = cells.find_other_persons(change.table, ids) | find_passed_names(ids, news)
        problems += [f"{name} ({PASSED_ON})" for name in wanted if name in passed]
        live = {name: user for name, user in live.items() if name not in passed}
        patches = {
            user.id: cells.values_to_patch(wanted[name], cells.live_values(user, types), types)
            for name, user in live.items()
        }
        failures = directory.patch_users_when_usable(
            {id_: values for id_, values in patches.items() if values},
            progress_reporter(text(news.get("roster"))),
            lambda: refuse_gone_properties(directory, news["extensions"], types),
        )
        problems += [f"{name} ({failures[user.id]})" for name, user in live.items() if user.id in failures]
        if problems:
            others = "All others were written; correct" if len(problems) < len(wanted) else "Correct"
            raise RefusedChange(
                f"{len(problems):,} of {count_users(wanted)} could not be written: {first_names(problems, 5)}. "
                f"{others} this and run the same command again, which continues from here"
            )
        object_ids |= {name: user.id for name, user in live.items()}
        return cells.pack_cells_memory(change.table, object_ids, Ledger())

    def read(self, directory: graph.Directory, id_: str, outputs: Props) -> Props | None:
        table = cells.unpack_table(outputs)
        types = _data_types(outputs, (row_values for _, row_values in table.rows.values()))
        references = cells.choose_references(table, table.rows, cells.unpack_cells_memory(outputs)[0])
        live, drifted = cells.read_users(directory, references, types), {}
        others = cells.find_other_persons(table, {name: user.id for name, user in live.items()})
        for name, user in live.items():  # preflight reports who does not exist, and who has a name now
            if name in others:
                continue
            id_prefix, row_values = table.rows[name]
            shown = cells.show_live(row_values, cells.live_values(user, types), types)
            if shown != row_values:
                drifted[name] = (id_prefix, shown)
        if not drifted:
            return outputs
        engine.say(
            f"{self.name} {self.describe(outputs)}: the values of {count_users(drifted)} were changed in the tenant "
            f"({first_names(sorted(drifted))})"
        )
        table = RosterTable({**table.rows, **drifted})
        return {**outputs, "sha256": table.digest(), "__cells": table.pack(), "__given": ""}

    def adopt(self, directory: graph.Directory, inputs: Props) -> tuple[str, Props] | None:
        if not cells.extensions_exist(inputs):
            return None
        outputs = {**inputs, **cells.pack_cells_memory(cells.unpack_table(inputs), {}, Ledger())}
        return inputs["service_principal_id"], self.read(directory, inputs["service_principal_id"], outputs) or outputs

    def delete(self, directory: graph.Directory, id_: str, outputs: Props) -> None:
        """Nothing: the baselines restore."""


def _refuse_unrecorded_cells(olds: Props, news: Props, inputs: Props) -> str:
    """Why this roster is not written: it has cells to write that no baseline records; "" if there are none."""
    extensions = inputs["extensions"]
    if not known(inputs["__cells"]) or not isinstance(extensions, Mapping):
        return ""
    if all(inputs[name] == olds.get(name) for name in ("__cells", "types", "extensions")):
        return ""
    missing = missing_records(news.get("recorded"), extensions)
    if not missing:
        return ""
    table, old = cells.unpack_table(inputs), cells.unpack_table(olds)
    # Whether these rows are of the same person only the write knows, from its memory; so they count as to be written.
    unsure = table.newly_identified_users(old)
    change = table.changes_since(RosterTable({user: row for user, row in old.rows.items() if user not in unsure}))
    wanted = _values_to_write(change, _replaced_extensions(olds, inputs))
    users, baselines = set(), set()
    for name, (baseline, unrecorded) in missing.items():
        unwritable = {user for user in (wanted if unrecorded is None else unrecorded) if name in wanted.get(user, {})}
        users |= unwritable
        if unwritable:
            baselines.add(baseline)
    subject = f"{text(inputs['roster'])}, {count_users(users)} ({first_names(sorted(users))})"
    return refuse_unrecorded(subject, baselines) if users else ""


def _data_types(props: Props, rows: Iterable[Mapping[str, str]]) -> dict[str, DataType]:
    """Full name to data type, of the extensions in these rows."""
    return cells.parse_types(props["types"], sorted({name for row_values in rows for name in row_values}))


def _replaced_extensions(olds: Props, news: Props) -> set[str]:
    """Full names of extensions that were made anew since the last run: no user holds a value of them."""
    if not olds:
        return set()
    return {
        name
        for name, extension in news["extensions"].items()
        if (olds["extensions"].get(name), olds["types"].get(name)) != (extension, news["types"].get(name))
    }


def _values_to_write(change: RosterChange, replaced: set[str]) -> dict[str, dict[str, str]]:
    """User to the values that differ from the last run, or whose extension was replaced."""
    wanted, to_read = {}, change.users_to_read
    for user, (_, row_values) in change.table.rows.items():
        if not replaced and user not in to_read:
            continue
        previous = change.previous_cell(user) or {}
        values = {name: value for name, value in row_values.items() if name in replaced or previous.get(name) != value}
        if values:
            wanted[user] = values
    return wanted


def _report_drift(change: RosterChange, drifted: Mapping[str, Iterable[str]]) -> None:
    """Cells that are as in state, and so are not written. `drifted`: user to the full names whose live value is not the
    declared one."""
    users_by_name: dict[str, list[str]] = {}
    for user, names in drifted.items():
        declared = change.table.rows[user][1] if user in change.table.rows else {}
        previous = (change.previous_cell(user) if declared else None) or {}
        for name in names:
            if name in declared and previous.get(name) == declared[name]:
                users_by_name.setdefault(name, []).append(user)
    for name, users in users_by_name.items():
        cells.warn_of_drift(name, users, is_written=False)


def _report_changes(roster: str, change: RosterChange) -> None:
    """Say in one line which users differ from the last run."""
    users_by_change = (("added", change.added), ("removed", change.removed), ("changed", change.changed))
    counts = [f"{len(users):,} {word} ({first_names(sorted(users))})" for word, users in users_by_change if users]
    if change.before and counts:
        engine.say(f"{roster}: {', '.join(counts)}")


def _report_writes(roster: str, change: RosterChange, counted: object) -> None:
    """Say how many writes there will be, and how long Graph's quota makes them take. `counted`: how many users do not
    hold their values of the roster yet, as preflight counted them; it is used for a first run only."""
    writes = len(change.added) + len(change.changed)
    if isinstance(counted, (int, float)) and not change.before:
        writes = int(counted)
    if writes:
        seconds = quota_seconds(writes)
        quota = f"; at Graph's quota of 3,000 in 150 s this takes at least {duration(seconds)}" if seconds else ""
        engine.say(f"{roster}: {writes:,} write{'s' if writes != 1 else ''}{quota}")
