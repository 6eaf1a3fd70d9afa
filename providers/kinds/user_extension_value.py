"""UserExtensionValue: the extension values of one user, written forward.

GET and PATCH /users/{id} (v1.0; User.ReadWrite.All). PATCH answers 204, null clears a value, and one extension that is
not available makes the whole PATCH fail (grade A, C); reads need $select (A).

* With `UserValueBaseline`s in front (`baselined`) it never restores: its delete does nothing, so no change of the
  configuration can clear a value. It writes only what they record (`record.py`).
* Alone it keeps a ledger of what its create and updates wrote, and its update and delete restore. A create that failed
  half-way is restored by a baseline only.
* A fresh property refuses values for a while (C). The refused write was certainly not carried out, so it is repeated
  until the property is usable."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from flexsaml import graph
from flexsaml.graph import is_guid
from flexsaml.values import DataType, InvalidValue, Ledger

from .. import engine
from .base import Argument, Failures, Kind, Props, RefusedChange, differs, known, text
from .cells import (
    Values,
    describe_missing,
    extensions_exist,
    live_values,
    parse_types,
    show_live,
    values_to_patch,
    warn_of_drift,
)
from .extension_property import refuse_gone_properties
from .record import (
    IGNORED_PERSON,
    PASSED_ON,
    RECORDED_IDS,
    collect_recorded_ids,
    is_recorded_person,
    missing_records,
    recorded_arguments,
    refuse_unrecorded,
)

_WRITTEN_FROM = ("user", "values", "types", "extensions")
"""Inputs that lead to a write if they changed."""


class UserExtensionValueKind(Kind):
    name = "UserExtensionValue"
    description = "of '{user}'"
    arguments: ClassVar = {
        # A person who was created anew under the same name is another user: only that replaces the object.
        "user": Argument(required=True, replaces=True),
        "values": Argument({}),
        "types": Argument({}),
        "extensions": Argument({}),
        "baselined": Argument(False),
        "seen_missing": Argument({}, transient=True),  # user to a hint
        "seen_drift": Argument({}, transient=True),  # full name whose live value is not the declared one, to the user
        **recorded_arguments,
    }
    outputs: ClassVar = {"user_id": Argument(required=True), "__memory": Argument(required=True)}
    secret_outputs = ("__memory",)

    def check(self, olds: Props, news: Props) -> tuple[Props, Failures]:
        inputs, failures = super().check(olds, news)
        inputs[RECORDED_IDS] = collect_recorded_ids(news)
        if news.get("seen_missing"):
            if olds:  # a managed user who left the tenant or was renamed: nothing is written
                return olds, failures
            failures[""] = f"no such user: {describe_missing([text(news.get('user'))], news)}"
        if not known([inputs["values"], inputs["types"]]):
            return inputs, failures
        values = dict(inputs["values"])
        for name, value in values.items():
            if not known(value):
                continue
            try:
                data_type = DataType.parse(inputs["types"].get(name, "String"))
            except InvalidValue as problem:
                failures["types"] = f"{name}: {problem}"
                continue
            try:
                values[name] = data_type.canonical(value)
            except InvalidValue as problem:
                failures[""] = f"the value of {name} {problem}"
        inputs["values"] = values
        self._report_drift(olds, inputs, news.get("seen_drift") or {})
        if inputs["baselined"] is True and any(inputs[name] != olds.get(name) for name in _WRITTEN_FROM):
            missing = missing_records(news.get("recorded"), values)
            if missing:
                baselines = [baseline for baseline, _ in missing.values()]
                failures.setdefault("", refuse_unrecorded(", ".join(sorted(missing)), baselines))
        return inputs, failures

    def _report_drift(self, olds: Props, inputs: Props, drifted: Mapping[str, str]) -> None:
        """An update writes every value that differs; without an update, none is written."""
        if not olds or differs(olds.get("user"), inputs["user"]):
            return
        is_written = any(differs(olds.get(name), inputs[name]) for name in ("values", "types", "extensions"))
        for name, user in drifted.items():
            if name in inputs["values"] and not differs(olds["values"].get(name), inputs["values"][name]):
                warn_of_drift(name, [user], is_written=is_written)

    def diff(self, olds: Props, news: Props) -> set[str]:
        changed = {name for name in ("values", "types", "extensions") if differs(olds.get(name), news.get(name))}
        same_user = {text(olds.get("user")).lower(), text(olds.get("user_id")).lower()}
        user = news.get("user")
        return changed if known(user) and text(user).lower() in same_user else {*changed, "user"}

    def create(self, directory: graph.Directory, inputs: Props) -> tuple[str, Props]:
        outputs = self._write(directory, inputs["user"], {"types": {}}, Ledger(), inputs)
        return outputs["user_id"], outputs

    def update(self, directory: graph.Directory, id_: str, olds: Props, news: Props) -> Props:
        return self._write(directory, id_, olds, Ledger.unpack(olds["__memory"]), news)

    def _write(self, directory: graph.Directory, reference: str, olds: Props, ledger: Ledger, news: Props) -> Props:
        """Write the values that differ; alone, restore those that are no longer declared."""
        values: Values = news["values"]
        types = parse_types({**olds["types"], **news["types"]}, sorted({*values, *ledger.entries}))
        user = directory.read_user(reference, list(types))
        if not is_recorded_person(user.id, news):
            raise RefusedChange(IGNORED_PERSON if is_guid(text(news["user"])) else PASSED_ON)
        live = live_values(user, types)
        changes = values_to_patch(values, live, types)
        if changes:
            directory.patch_user_when_usable(
                user.id, changes, lambda: refuse_gone_properties(directory, news["extensions"], changes)
            )
            directory.confirm_users({user.id: changes})
        if news["baselined"]:
            return _outputs(user.id, Ledger())
        _restore_values(directory, user.id, olds, ledger.only(set(ledger.entries) - set(values)), types)
        return _outputs(user.id, ledger.only(values).before_write(ledger.align(live, types), values))

    def read(self, directory: graph.Directory, id_: str, outputs: Props) -> Props | None:
        values: Values = outputs["values"]
        user = directory.read_users([id_], list(values))[id_]
        if user is None:
            return None
        types = parse_types(outputs["types"], values)
        return {**outputs, "values": show_live(values, live_values(user, types), types)}

    def adopt(self, directory: graph.Directory, inputs: Props) -> tuple[str, Props] | None:
        if not extensions_exist(inputs):
            return None
        id_ = directory.read_user(inputs["user"]).id
        live = self.read(directory, id_, {**inputs, **_outputs(id_, Ledger())})
        return (id_, live) if live else None

    def delete(self, directory: graph.Directory, id_: str, outputs: Props) -> None:
        ledger = Ledger.unpack(outputs["__memory"])
        _restore_values(directory, id_, outputs, ledger, parse_types(outputs["types"], ledger.entries))


def _restore_values(
    directory: graph.Directory, id_: str, outputs: Props, ledger: Ledger, types: Mapping[str, DataType]
) -> None:
    """Write the prior values of cells that still hold what this stack wrote. That another value stands there, or that
    the user has left, is believed only after three reads."""
    if not ledger.entries:
        return

    def align(user: graph.User) -> dict[str, str]:
        return ledger.align(live_values(user, types), types)

    def is_settled(user: graph.User) -> bool:
        return all(ledger.is_ours(name, value) for name, value in align(user).items())

    user = directory.read_users_settled([id_], list(ledger.entries), is_settled)[id_]
    if user is None:
        return
    restoration = ledger.restoration(align(user))
    for name in restoration.changed_by_others:
        engine.say(f"{name}: the value of {text(outputs.get('user'))} was changed by others and is left as it is")
    priors = {name: types[name].to_wire(prior) for name, prior in restoration.priors.items()}
    if priors:
        directory.patch_user(id_, priors)
        directory.confirm_users({id_: priors})


def _outputs(user_id: str, ledger: Ledger) -> Props:
    return {"user_id": user_id, "__memory": ledger.pack()}
