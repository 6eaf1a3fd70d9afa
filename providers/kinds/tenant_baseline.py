"""TenantBaseline: what the tenant held before the first write, and what a failed run left behind.

Reads through one $batch: the application's extension properties, the policies of our name, the
principal's assignment. It writes nothing until it is deleted, as the last of all.

* An object that exists before this stack is never taken over: the baseline refuses, in preview where
  preflight saw it (`check` judges what preflight only reports), else before the first write. Hence
  everything of ours by name that is found later was made by this stack, also when an answer was lost
  or a run was killed before the engine knew of it.
* A policy that was assigned before is recorded; with `replace_existing` it may be displaced, and it is
  put back on delete when nothing or only ours is assigned then.
* A property that left the configuration before it was ever finished is removed by the update.
* What others have come to rely on stays: a property with values in it, a policy applied elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from flexsaml.graph import ExistingObjects, NotFound

from .. import engine
from .base import Argument, Failures, Kind, Props, RefusedChange, known, text
from .claims_mapping_policy import delete_unless_used, half_made
from .extension_property import holders

if TYPE_CHECKING:
    from flexsaml.graph import Directory

_moving: set[str] = set()
"""Principals this process saw a stack move to. The engine checks a replacement twice, the second time
without the old inputs, when the objects about to be deleted would look like somebody else's."""


class TenantBaselineKind(Kind):
    name = "TenantBaseline"
    arguments: ClassVar = {
        "service_principal_id": Argument(required=True, replaces=True),
        "application_id": Argument(required=True),
        "app_id": Argument(required=True),
        "properties": Argument([]),
        "policy_name": Argument(required=True),
        "replace_existing": Argument(False, ignored=True),
        "seen_properties": Argument({}, transient=True),
        "seen_policies": Argument({}, transient=True),
    }
    outputs = ("displaced", "__policy_names")

    def describe(self, props: Props) -> str:
        return f"of service principal {text(props.get('service_principal_id'))}"

    def check(self, olds: Props, news: Props) -> tuple[Props, Failures]:
        inputs, failures = super().check(olds, news)
        if known(inputs["properties"]):
            inputs["properties"] = sorted(inputs["properties"])
        problems: list[str] = []
        principal = text(inputs["service_principal_id"])
        if olds and text(olds.get("service_principal_id")) != principal:
            _moving.add(principal)
        if principal in _moving:
            return inputs, failures  # `make` judges, once the old objects are gone
        properties, policies = news.get("seen_properties") or {}, news.get("seen_policies") or {}
        if known(inputs):
            new = set(inputs["properties"]) - set(olds.get("properties") or [])
            problems += [_exists(name, properties) for name in sorted(new) if name in properties]
            if inputs["policy_name"] != olds.get("policy_name"):
                problems += [_taken(inputs["policy_name"], id_) for id_ in policies]
        return inputs, {**failures, **({"": "; ".join(problems)} if problems else {})}

    def create(self, directory: Directory, props: Props) -> tuple[str, Props]:
        seen = _look(directory, props)
        _refuse_what_exists(seen, set(props["properties"]), props["policy_name"])
        assigned = {policy.id: policy.display_name for policy in seen.assigned or ()}
        if assigned and not props["replace_existing"]:
            named = ", ".join(f"'{name}' ({id_})" for id_, name in assigned.items())
            raise RefusedChange(
                f"it already has the claims mapping policy {named}: unassign it, or set flexsaml:replaceExisting "
                "to true (it comes back on destroy)"
            )
        return props["service_principal_id"], {"displaced": sorted(assigned), "__policy_names": [props["policy_name"]]}

    def update(self, directory: Directory, id_: str, olds: Props, news: Props) -> Props:
        added = set(news["properties"]) - set(olds["properties"])
        removed = set(olds["properties"]) - set(news["properties"])
        renamed = news["policy_name"] not in olds["__policy_names"]
        if added or renamed:
            _refuse_what_exists(_look(directory, news), added, news["policy_name"] if renamed else "")
        if removed:
            _remove_unfinished(directory, olds["application_id"], removed)
        names = sorted({*olds["__policy_names"], news["policy_name"]})
        return {"displaced": olds["displaced"], "__policy_names": names}

    def read(self, directory: Directory, id_: str, props: Props) -> Props | None:
        return props

    def adopt(self, directory: Directory, props: Props) -> tuple[str, Props] | None:
        return props["service_principal_id"], {**props, "displaced": [], "__policy_names": [props["policy_name"]]}

    def delete(self, directory: Directory, id_: str, props: Props) -> None:
        try:
            seen = _look(directory, props)
        except NotFound:
            engine.warn("the service principal is gone from the tenant, and with it what could be put back")
            return
        left = [one for one in seen.properties if one.name in props["properties"]]
        for one in left:
            people = holders(directory, one.name)
            if people:
                engine.say(f"{one.name} stays: {people}")
            else:
                directory.delete_extension_property(props["application_id"], one.id)
        named = list(seen.policies or ())
        for name in props["__policy_names"]:
            if name != props["policy_name"]:
                named += directory.policies(name)
        ours = half_made(directory, named, id_)
        for policy in ours:
            delete_unless_used(directory, policy.id, policy.display_name, id_)
        strangers = {policy.id for policy in seen.assigned or ()} - {policy.id for policy in ours}
        if props["displaced"] and not strangers:
            _put_back(directory, id_, props["displaced"][0])
        elif props["displaced"] and strangers != set(props["displaced"]):
            engine.warn(f"the displaced policy {props['displaced'][0]} does not come back: another one is assigned now")


def _look(directory: Directory, props: Props) -> ExistingObjects:
    return directory.read_existing_objects(
        app_id=props["app_id"],
        service_principal_id=props["service_principal_id"],
        policy_name=props["policy_name"],
    )


def _refuse_what_exists(seen: ExistingObjects, properties: set[str], policy_name: str) -> None:
    problems = [_exists(one.name, {one.name: one.id}) for one in seen.properties if one.name in properties]
    problems += [_taken(policy_name, one.id) for one in seen.policies or () if policy_name]
    if problems:
        raise RefusedChange("; ".join(problems))


def _remove_unfinished(directory: Directory, application_id: str, names: set[str]) -> None:
    """Properties that left the configuration; one with values in it is still in state and goes later."""
    for one in directory.extension_properties(application_id):
        if one.name in names and not holders(directory, one.name):
            directory.delete_extension_property(application_id, one.id)


def _put_back(directory: Directory, principal: str, policy_id: str) -> None:
    try:
        directory.assign(principal, policy_id)
    except NotFound:
        engine.warn(f"the displaced policy {policy_id} does not come back: it is gone from the tenant")


def _exists(name: str, seen: dict[str, str]) -> str:
    short = name.split("_", 2)[-1]
    return (
        f"extension property '{short}' exists already ({name}, id {seen[name]}) and is not this stack's: "
        f"use its full name in place of '{short}' (it is then never deleted here), or adopt it: "
        "python -m flexsaml adopt --out import.json"
    )


def _taken(name: str, id_: str) -> str:
    return (
        f"a claims mapping policy named '{name}' exists already (id {id_}): set flexsaml:policyName, delete it, "
        "or adopt it: python -m flexsaml adopt --out import.json"
    )
