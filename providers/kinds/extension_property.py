"""ExtensionProperty: a directory extension of an application, the place where a user value lives.

POST, GET, DELETE /applications/{id}/extensionProperties (v1.0; Application.ReadWrite.OwnedBy or .All).
There is no PATCH (grade A), so any change replaces, and a replacement loses the values: the value
baseline takes them back before, the writers write them again after.

* The full name `extension_{appId without dashes}_{name}` is computed in `check`, so that previews show
  it whole; the token service reads names with case (A), so an answer in other case is an error.
* Deleting a property hides its values, and a property of the same name shows them again (A).
* It is kept on delete while users hold values in it: by then ours are taken back, so they are others'.
* Our own half-made property (an answer lost, a run killed) is recognised because the tenant baseline
  was recorded before and did not list it. Without a baseline nothing is ever taken over.
* Not usable at once after POST (C): whoever first writes a value waits, not this resource.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from flexsaml.claims import build_full_name
from flexsaml.graph import Conflict
from flexsaml.graph import ExtensionProperty as Found
from flexsaml.values import DataType, InvalidValue

from .. import engine
from .base import UNKNOWN, Argument, Failures, Kind, Props, RefusedChange, differs, known, text

if TYPE_CHECKING:
    from flexsaml.graph import Directory

TARGETS = ("User", "Group", "AdministrativeUnit", "Application", "Device", "Organization")


class ExtensionPropertyKind(Kind):
    name = "ExtensionProperty"
    arguments: ClassVar = {
        "name": Argument(required=True, replaces=True),
        "data_type": Argument("String", replaces=True),
        "multi_valued": Argument(False, replaces=True),
        "target_objects": Argument(["User"], replaces=True),
        "application_id": Argument(required=True, replaces=True),
        "app_id": Argument(required=True, replaces=True),
        "full_name": Argument(replaces=True, computed=True),
        "baseline": Argument(replaces=True),
    }

    def describe(self, props: Props) -> str:
        return f"'{text(props.get('full_name')) or text(props.get('name'))}'"

    def check(self, olds: Props, news: Props) -> tuple[Props, Failures]:
        inputs, failures = super().check(olds, news)
        name, targets = inputs["name"], inputs["target_objects"]
        if known(name) and not re.fullmatch(r"[A-Za-z0-9_]+", name):
            failures["name"] = "an extension name has letters, digits and underscores only (a rule of this tool)"
        try:
            DataType(text(inputs["data_type"]) or "String")
        except InvalidValue as problem:
            failures["data_type"] = str(problem)
        if known(targets) and not set(targets) <= set(TARGETS):
            failures["target_objects"] = f"target objects are {', '.join(TARGETS)}"
        if olds and any(differs(olds.get(key), news.get(key)) for key in ("data_type", "multi_valued", "name")):
            engine.warn(f"extension '{name}' is made anew: sign-ins may miss its claims for minutes meanwhile")
        named = known([inputs["app_id"], name])
        return {**inputs, "full_name": build_full_name(inputs["app_id"], name) if named else UNKNOWN}, failures

    def create(self, directory: Directory, props: Props) -> tuple[str, Props]:
        application, whole = props["application_id"], props["full_name"]
        before: list[Found] = [] if props["baseline"] else directory.extension_properties(application, whole)
        if before:
            raise RefusedChange(
                f"it exists already ({before[0].id}) and is not this stack's: refer to it by its full name"
            )
        try:
            made = self._post(directory, props)
        except Conflict:
            made = self._half_made(directory, props)
        if made.name != whole:
            raise RefusedChange(
                f"Graph named it '{made.name}': the token service reads names with case, so it would not do"
            )
        return f"{application}/{made.id}", {}

    def _post(self, directory: Directory, props: Props) -> Found:
        return directory.create_extension_property(
            props["application_id"],
            name=props["name"],
            data_type=props["data_type"],
            multi_valued=props["multi_valued"],
            target_objects=tuple(props["target_objects"]),
        )

    def _half_made(self, directory: Directory, props: Props) -> Found:
        """The property that stands in the way: ours if the baseline did not list it."""
        whole = props["full_name"]
        found = directory.extension_properties(props["application_id"], whole)
        if not found or not props["baseline"]:
            raise RefusedChange("a property of that name exists already: refer to it by its full name")
        one = found[0]
        if (one.data_type, one.multi_valued, sorted(one.target_objects)) == (
            props["data_type"],
            props["multi_valued"],
            sorted(props["target_objects"]),
        ):
            engine.say(f"{whole} is there already, made by an earlier run of this stack that did not finish")
            return one
        people = holders(directory, whole)
        if people:
            raise RefusedChange(
                f"it exists as {DataType(one.data_type, one.multi_valued)} and {people}: "
                "clear those values or keep the old data type"
            )
        directory.delete_extension_property(props["application_id"], one.id)
        return self._post(directory, props)

    def read(self, directory: Directory, id_: str, props: Props) -> Props | None:
        application, property_id = split(id_)
        found = directory.extension_property(application, property_id)
        if found is None:
            return None
        return {
            **props,
            "full_name": found.name,
            "data_type": found.data_type,
            "multi_valued": found.multi_valued,
            "target_objects": list(found.target_objects),
        }

    def adopt(self, directory: Directory, props: Props) -> tuple[str, Props] | None:
        found = directory.extension_properties(props["application_id"], props["full_name"])
        if not found:
            return None
        id_ = f"{props['application_id']}/{found[0].id}"
        live = self.read(directory, id_, props)
        return (id_, live) if live else None

    def delete(self, directory: Directory, id_: str, props: Props) -> None:
        application, property_id = split(id_)
        people = holders(directory, props["full_name"])
        if people:
            engine.warn(f"{props['full_name']} is kept: {people}, which are not this stack's")
            return
        directory.delete_extension_property(application, property_id)


def split(id_: str) -> tuple[str, str]:
    """`{applicationObjectId}/{extensionPropertyId}` in its two parts."""
    application, _, property_id = id_.partition("/")
    if not property_id:
        raise RefusedChange(f"'{id_}' is no id of an extension property: applicationObjectId/extensionPropertyId")
    return application, property_id


def holders(directory: Directory, full_name: str) -> str:
    """Who holds a value in the property, in words; "" when nobody does."""
    held = directory.find_value_holders(full_name)
    if not held.count:
        return ""
    names = [user.user_principal_name for user in held.users[:3]]
    listed = f" ({', '.join(names)}{', …' if held.count > 3 else ''})" if names else ""
    return f"{held.count} user{'s hold values' if held.count > 1 else ' holds a value'} in it{listed}"
