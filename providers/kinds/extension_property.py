"""ExtensionProperty: a directory extension of an application, the attribute in which a user's value is stored.

POST, GET and DELETE /applications/{id}/extensionProperties, v1.0; Application.ReadWrite.OwnedBy or
Application.ReadWrite.All. There is no PATCH (grade A), so every change is a replacement. A replacement loses the
values: the value baseline restores the former ones before it, and the writers write theirs again after it.

* Id: `{applicationObjectId}/{extensionPropertyId}`.
* The full name is computed in `check`, so that a preview shows it. The token service distinguishes upper and lower
  case in it (A), so a property that Graph creates in another case is an error.
* 404: the property or the application is gone. 409, or 400 on some tenants: the name is taken. 403: the identity
  lacks the permission, or does not own the application.
* A property that exists already is never taken over without a baseline. With one, the name was free when the baseline
  was recorded, so a property that has it now was left behind by an unfinished run of this stack. If Graph certainly
  refused the creation (400, 401, 403, 429, never sent), state records that: a property that has the name later was
  made by somebody else, and is left alone. docs/architecture.md names the cases in which the record does not help.
* Deleting a property hides its values, and a new property of that name shows them again (A). So it is kept on delete
  while users hold values in it: this stack's values are cleared by then, and what is left belongs to others.
* A new property accepts values only after seconds or minutes (C). Whoever first writes a value waits for that."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import ClassVar

from flexsaml import graph
from flexsaml.claims import build_full_name, is_full_name, owner_app_id
from flexsaml.errors import UserError
from flexsaml.graph import Conflict
from flexsaml.graph import ExtensionProperty as Property
from flexsaml.values import DataType, InvalidValue

from .. import engine
from ..progress import first_names
from .base import UNKNOWN, Argument, Failures, Kind, Props, RecordedRefusal, RefusedChange, differs, known, text
from .record import refuse_unlisted

NOT_CREATED = "not-created"
"""In the record of a refused creation: the last part of the id, and the baseline."""

names_not_created: set[str] = set()
"""Full names whose record of a refused creation this process has deleted. The engine deletes the record right before
it creates the property anew, or before it deletes the tenant baseline; a provider process serves one command."""

TARGETS = ("User", "Group", "AdministrativeUnit", "Application", "Device", "Organization")


class ExtensionPropertyKind(Kind):
    name = "ExtensionProperty"
    description = "'{full_name}'"
    arguments: ClassVar = {
        "name": Argument(required=True, replaces=True),
        "data_type": Argument("String", replaces=True),
        "multi_valued": Argument(False, replaces=True),
        "target_objects": Argument(["User"], replaces=True),
        "application_id": Argument(required=True, replaces=True),
        "app_id": Argument(required=True, replaces=True),
        "full_name": Argument(replaces=True, computed=True),
        "baseline": Argument(replaces=True),
        "recorded": Argument({}, transient=True),
    }

    def check(self, olds: Props, news: Props) -> tuple[Props, Failures]:
        inputs, failures = super().check(olds, news)
        name, targets = inputs["name"], inputs["target_objects"]
        if known(name) and not re.fullmatch(r"[A-Za-z0-9_]+", name):
            failures["name"] = "an extension name has letters, digits and underscores only (a rule of this tool)"
        elif known(name) and is_full_name(name):
            failures["name"] = f"'{name}' is the full name of an extension that exists already; give a short name"
        try:
            DataType(text(inputs["data_type"]) or "String")
        except InvalidValue as problem:
            failures["data_type"] = str(problem)
        if known(targets) and not set(targets) <= set(TARGETS):
            failures["target_objects"] = f"each target object is one of {', '.join(TARGETS)}"
        if olds.get("baseline") == NOT_CREATED != inputs["baseline"]:
            engine.say(
                f"extension '{olds.get('name')}' does not exist yet, because Graph refused to create it: the "
                "replacement creates it"
            )
        elif olds and any(differs(olds.get(key), inputs[key]) for key in ("data_type", "multi_valued", "name")):
            consequence = "will be deleted and created again: sign-ins may miss its claims for minutes"
            engine.warn(f"extension '{olds.get('name')}' {consequence}")
        is_named = known([inputs["app_id"], name])
        full_name = build_full_name(inputs["app_id"], name) if is_named else UNKNOWN
        if full_name != olds.get("full_name") and (
            refusal := refuse_unlisted(news.get("recorded"), full_name, f"extension '{name}'")
        ):
            failures[""] = refusal
        return {**inputs, "full_name": full_name}, failures

    def create(self, directory: graph.Directory, inputs: Props) -> tuple[str, Props]:
        application, full_name = inputs["application_id"], inputs["full_name"]
        if not inputs["baseline"] and (existing := directory.extension_properties(application, full_name)):
            raise RefusedChange(_taken(existing[0]))
        if full_name in names_not_created:
            _refuse_made_since(directory, inputs)
        try:
            created = _post(directory, inputs)
        except Conflict:
            created = _reuse_unfinished(directory, inputs)
        except graph.NotCreated as problem:
            raise _refuse_not_created(directory, str(problem), inputs) from problem
        if created.name != full_name:
            directory.delete_extension_property(application, created.id)
            raise RefusedChange(
                f"Graph created it as '{created.name}', a name in which claims would not find it, because the token "
                "service distinguishes upper and lower case; it was deleted again"
            )
        return f"{application}/{created.id}", {}

    def read(self, directory: graph.Directory, id_: str, outputs: Props) -> Props | None:
        if is_not_created(id_):
            return outputs
        live = directory.extension_property(*split_id(id_))
        if live is None:
            return None
        return {
            **outputs, "full_name": live.name, "data_type": live.data_type, "multi_valued": live.multi_valued,
            "target_objects": list(live.target_objects),
        }  # fmt: skip

    def adopt(self, directory: graph.Directory, inputs: Props) -> tuple[str, Props] | None:
        existing = directory.find_extension_property(inputs["application_id"], inputs["full_name"])
        if existing is None:
            return None
        id_ = f"{inputs['application_id']}/{existing.id}"
        live = self.read(directory, id_, inputs)
        return (id_, live) if live else None

    def delete(self, directory: graph.Directory, id_: str, outputs: Props) -> None:
        application, property_id = split_id(id_)
        if is_not_created(id_):
            names_not_created.add(outputs["full_name"])
            return
        if reason := explain_keeping(directory, outputs["full_name"]):
            if directory.extension_property(application, property_id):
                engine.warn(f"{outputs['full_name']} is kept: {reason}")
            return
        directory.delete_extension_property(application, property_id)


NO_PRINCIPAL = "its application has no service principal in this tenant any more"
"""Values of such an extension can be neither read nor written (grade A for reading, C for writing)."""


def has_owner_principal(directory: graph.Directory, full_name: str) -> bool:
    """Whether the application that owns the extension has a service principal in this tenant."""
    return not is_full_name(full_name) or directory.has_service_principal(owner_app_id(full_name))


def refuse_gone_properties(directory: graph.Directory, extensions: Mapping[str, str], names: Iterable[str]) -> None:
    """Raise for the first of these full names whose property the tenant no longer has. `extensions`: full name to the
    id of the property."""
    for full_name in names:
        if full_name in extensions and directory.extension_property(*split_id(extensions[full_name])) is None:
            raise RefusedChange(
                f"{full_name} no longer exists in the tenant; if this stack made it, run `pulumi refresh`, then "
                "`pulumi up`, which makes it again"
            )


def explain_keeping(directory: graph.Directory, full_name: str) -> str:
    """Why the property is not deleted: values of others are in it, or may be; "" when there are none."""
    if holders := describe_holders(directory, full_name):
        return f"{holders} that this stack did not write"
    if not has_owner_principal(directory, full_name):
        return f"{NO_PRINCIPAL}, so nobody can see who holds a value in it"
    return ""


def split_id(id_: str) -> tuple[str, str]:
    """Application object id and extension property id."""
    application, _, property_id = id_.partition("/")
    if not property_id:
        raise RefusedChange(f"'{id_}' is not the id of an extension property, applicationObjectId/extensionPropertyId")
    return application, property_id


def is_not_created(id_: str) -> bool:
    """Whether this is the id in the record of a refused creation."""
    return id_.endswith(f"/{NOT_CREATED}")


def describe_holders(directory: graph.Directory, full_name: str) -> str:
    """Who holds a value in the property, in words; "" when nobody does."""
    holders = directory.find_value_holders(full_name)
    if not holders.count:
        return ""
    names = [user.user_principal_name for user in holders.users]
    users = "1 user holds a value" if holders.count == 1 else f"{holders.count:,} users hold values"
    return f"{users} in it" + (f" ({first_names(names, total=holders.count)})" if names else "")


def _refuse_made_since(directory: graph.Directory, inputs: Props) -> None:
    """Raise, and record the refusal again, if somebody made the property after Graph refused to create it, or if that
    cannot be read. Without the new record the next command would count the property as made by this stack, because the
    engine forgets the former record without calling `delete` (tried)."""
    try:
        existing = directory.find_extension_property(inputs["application_id"], inputs["full_name"])
    except UserError as problem:
        raise _record_not_created(str(problem), inputs) from problem
    if existing:
        raise _record_not_created(_taken(existing), inputs)


def _refuse_not_created(directory: graph.Directory, reason: str, inputs: Props) -> RefusedChange:
    """The error of a create that Graph refused. A property that is there all the same was made by an earlier run,
    unless this command has seen that it was not there."""
    with suppress(graph.GraphError):  # without an answer the record is made: it keeps what may be somebody else's
        if inputs["full_name"] not in names_not_created and directory.find_extension_property(
            inputs["application_id"], inputs["full_name"]
        ):
            return RefusedChange(reason)
    return _record_not_created(reason, inputs)


def _record_not_created(reason: str, inputs: Props) -> RefusedChange:
    """The error that makes state record a refusal. Without a baseline nobody needs the record, since such a property
    is never taken over."""
    if not inputs["baseline"]:
        return RefusedChange(reason)
    return RecordedRefusal(reason, f"{inputs['application_id']}/{NOT_CREATED}", {**inputs, "baseline": NOT_CREATED})


def _taken(existing: Property) -> str:
    return f"it exists already (id {existing.id}) and this stack did not create it; refer to it by its full name"


def _post(directory: graph.Directory, inputs: Props) -> Property:
    return directory.create_extension_property(
        inputs["application_id"], name=inputs["name"], data_type=inputs["data_type"],
        multi_valued=inputs["multi_valued"], target_objects=tuple(inputs["target_objects"]),
    )  # fmt: skip


def _reuse_unfinished(directory: graph.Directory, inputs: Props) -> Property:
    """The property that has the name, which an unfinished run left behind; created anew if its shape is another."""
    application, full_name = inputs["application_id"], inputs["full_name"]
    existing = directory.extension_properties(application, full_name)
    if not existing:
        raise RefusedChange("Graph says that the name is taken, and lists no such property; run the same command again")
    unfinished = existing[0]
    if not inputs["baseline"]:
        raise RefusedChange(_taken(unfinished))
    if full_name in names_not_created:
        raise _record_not_created(_taken(unfinished), inputs)
    shape = inputs["data_type"], inputs["multi_valued"], sorted(inputs["target_objects"])
    holders = describe_holders(directory, full_name)
    if (unfinished.data_type, unfinished.multi_valued, sorted(unfinished.target_objects)) == shape:
        if holders:  # no run of this stack writes values before it has the property
            engine.warn(
                f"{full_name} exists already, and {holders}: if another stack creates it at this moment, refer to it "
                "by its full name in one of the two"
            )
        else:
            engine.say(f"{full_name} exists already: an earlier run of this stack created it and did not finish")
        return unfinished
    if holders:
        raise RefusedChange(
            f"it exists as {DataType(unfinished.data_type, unfinished.multi_valued)} and {holders}: "
            "clear what the property holds or keep the old data type"
        )
    directory.delete_extension_property(application, unfinished.id)
    return _post(directory, inputs)
