"""TenantBaseline: what the tenant held before this stack's first write. Every other resource depends on it.

It records with one $batch of GET: the application's extension properties, the policies of this stack's name, and the
policies assigned to the service principal (Application.Read.All, Policy.Read.All). It writes only when it is deleted,
as the last resource of all.

* Id: the service principal's object id. Another principal is a replacement.
* An object that exists already is never taken over: the baseline refuses it, in a preview if preflight saw it, else
  before the first write. So a property or policy of this stack's names that appears later was created by this stack,
  even if the answer was lost or the run was killed before the engine knew of it. Delete removes such objects; of a
  policy, whose name is not unique, only one that carries this stack's signature and applies to no other principal. It
  keeps a property whose recorded refusal the same command deleted (`names_not_created`), and one whose name left the
  configuration, because by then nothing in state tells who made it.
* A policy of flexsaml that was assigned before is refused, whatever its name: if this stack made it, under another name
  of the component, the new baselines would record this stack's own values as those from before, and the former ones
  would restore behind the writers' back; if another stack made it, both would go on replacing each other's policy.
* Another policy that was assigned before is recorded. With `replace_existing` it may be displaced; delete assigns it
  again if no other policy is assigned by then.
* Nothing that others rely on is deleted: a property with values in it, a policy that applies to another principal.
* 404 on delete: the service principal is gone, and nothing can be restored on it; the rest is done. 403: the
  permission is missing.
* `read` returns what was recorded and never looks at the tenant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from flexsaml import graph
from flexsaml.claims import is_signed, short_name
from flexsaml.graph import ExistingObjects, ExtensionProperty, NotFound

from .. import engine
from .base import Argument, Failures, Kind, Props, RefusedChange, known
from .claims_mapping_policy import delete_unless_used, select_unfinished
from .extension_property import explain_keeping, names_not_created
from .policy_assignment import name_policies, refuse_assigned

_ADOPT = "or adopt it: python -m flexsaml adopt --out import.json"
_OLDER_STATE = (
    "if this stack made it and its state was lost or rolled back since, import the newest export of that state first: "
    "only it knows what was there before"
)

_replacements: set[str] = set()
"""Principals to which a baseline is about to move. The engine checks a replacement twice, the second time without the
old inputs; preflight's report then still lists this stack's own objects, which would look like somebody else's. The
first check adds the principal and the second takes it away, so nothing outlives a replacement. If the second check
never comes, one later preview may miss a refusal, and `create` refuses all the same, before the first write."""


class TenantBaselineKind(Kind):
    name = "TenantBaseline"
    description = "of service principal {service_principal_id}"
    arguments: ClassVar = {
        "service_principal_id": Argument(required=True, replaces=True),
        "application_id": Argument(required=True),
        "app_id": Argument(required=True),
        "properties": Argument([]),
        "policy_name": Argument(required=True),
        "replace_existing": Argument(False, ignored=True),
        "seen_properties": Argument({}, transient=True),
        "seen_policies": Argument({}, transient=True),
        "seen_signed": Argument({}, transient=True),
    }
    outputs: ClassVar = {
        "displaced": Argument([], required=True),
        "__policy_names": Argument([], required=True),
        "__removed_properties": Argument([]),
    }

    def check(self, olds: Props, news: Props) -> tuple[Props, Failures]:
        inputs, failures = super().check(olds, news)
        if known(inputs["properties"]):
            inputs["properties"] = sorted(inputs["properties"])
        if not known(inputs):
            return inputs, failures
        is_replacement = _is_replacement(olds, inputs["service_principal_id"])
        if (is_replacement or not olds) and news.get("seen_signed"):
            return inputs, {**failures, "": _refuse_signed(news["seen_signed"])}
        if is_replacement:
            return inputs, failures  # `create` refuses what exists then
        properties, policies = news.get("seen_properties") or {}, news.get("seen_policies") or {}
        added = set(inputs["properties"]) - set(olds.get("properties") or [])
        is_renamed = inputs["policy_name"] != olds.get("policy_name")
        problems = _list_problems(
            {name: id_ for name, id_ in properties.items() if name in added},
            inputs["policy_name"],
            policies if is_renamed else (),
        )
        return inputs, {**failures, "": problems} if problems else failures

    def create(self, directory: graph.Directory, inputs: Props) -> tuple[str, Props]:
        existing = _read_existing(directory, inputs)
        _refuse_unreadable(existing)
        signed = {policy.id: policy.display_name for policy in existing.assigned or () if is_signed(policy.definition)}
        if signed:
            raise RefusedChange(_refuse_signed(signed))
        _refuse_existing(existing, set(inputs["properties"]), inputs["policy_name"])
        assigned = {policy.id: policy.display_name for policy in existing.assigned or ()}
        if assigned and not inputs["replace_existing"]:
            raise RefusedChange(refuse_assigned(assigned))
        outputs = {"displaced": sorted(assigned), "__policy_names": [inputs["policy_name"]]}
        return inputs["service_principal_id"], {**outputs, "__removed_properties": []}

    def update(self, directory: graph.Directory, id_: str, olds: Props, news: Props) -> Props:
        added = set(news["properties"]) - set(olds["properties"])
        is_renamed = news["policy_name"] not in olds["__policy_names"]
        if added or is_renamed:
            existing = _read_existing(directory, news)
            _refuse_unreadable(existing)
            _refuse_existing(existing, added, news["policy_name"] if is_renamed else "")
        removed = {*olds["__removed_properties"], *olds["properties"]} - set(news["properties"])
        names = sorted({*olds["__policy_names"], news["policy_name"]})
        return {"displaced": olds["displaced"], "__policy_names": names, "__removed_properties": sorted(removed)}

    def read(self, directory: graph.Directory, id_: str, outputs: Props) -> Props | None:
        return outputs

    def adopt(self, directory: graph.Directory, inputs: Props) -> tuple[str, Props] | None:
        outputs = {"displaced": [], "__policy_names": [inputs["policy_name"]], "__removed_properties": []}
        return inputs["service_principal_id"], {**inputs, **outputs}

    def delete(self, directory: graph.Directory, id_: str, outputs: Props) -> None:
        is_gone = False
        try:
            existing = _read_existing(directory, outputs)
        except NotFound:
            is_gone = True  # what an unfinished run left elsewhere is deleted all the same
            engine.warn("the service principal is gone from the tenant, so nothing can be restored on it")
            existing = _read_existing(directory, outputs, needs_principal=False)
        _delete_unfinished(directory, outputs, existing.properties)
        displaced = [] if is_gone else outputs["displaced"]
        named = list(existing.policies or ())
        for name in outputs["__policy_names"]:
            if name != outputs["policy_name"]:
                named += directory.policies(name)
        unfinished = select_unfinished(
            directory, [policy for policy in named if policy.id not in outputs["displaced"]], id_
        )
        for policy in named:
            if policy in unfinished:
                delete_unless_used(directory, policy.id, policy.display_name, id_)
            elif not is_signed(policy.definition):
                name = policy.display_name
                engine.say(f"policy '{name}' ({policy.id}) is kept: it has this stack's policy name, not its signature")
        if not displaced:
            return
        # The list may be older than this stack's own changes. So another policy must stay in it, and the displaced one
        # is assigned even if it is listed: if that is so, nothing changes.
        others = {policy.id for policy in existing.assigned or ()} - {*displaced, *(policy.id for policy in unfinished)}
        if any(directory.stays_assigned(id_, other) for other in others):
            engine.warn(f"the displaced policy {displaced[0]} is not assigned again: another one is assigned now")
            return
        try:
            directory.assign(id_, displaced[0])
        except NotFound:
            engine.warn(f"the displaced policy {displaced[0]} is not assigned again: it is gone from the tenant")


def _is_replacement(olds: Props, principal: str) -> bool:
    """Whether this is the first or the second check of a move to that principal."""
    if olds:
        is_moving = olds.get("service_principal_id") != principal
        if is_moving:
            _replacements.add(principal)
        return is_moving
    is_second_check = principal in _replacements
    _replacements.discard(principal)
    return is_second_check


def _read_existing(directory: graph.Directory, props: Props, *, needs_principal: bool = True) -> ExistingObjects:
    return directory.read_existing_objects(
        app_id=props["app_id"], service_principal_id=props["service_principal_id"], policy_name=props["policy_name"],
        needs_principal=needs_principal,
    )  # fmt: skip


def _refuse_unreadable(existing: ExistingObjects) -> None:
    """Raise if what there was before may not be read: nobody could restore it, or tell it from this stack's own."""
    for readable, what, path in (
        (
            existing.assigned,
            "which policy is assigned to the service principal",
            "/servicePrincipals/1/claimsMappingPolicies",
        ),
        (existing.policies, "which policies there are", "/policies/claimsMappingPolicies"),
    ):
        if readable is None:
            permission = graph.describe_requirement("GET", path)
            raise RefusedChange(
                f"it may not be read {what}, which is recorded first: grant the identity in use {permission}"
            )


def _refuse_signed(policies: Mapping[str, str]) -> str:
    """Why a principal with this policy of flexsaml, id to name, is left alone, and what to do."""
    return (
        f"the service principal already has the claims mapping policy {name_policies(policies)}, which flexsaml made: "
        "if this stack did, name the component and its parent as they were then, run `pulumi up` once, and only then "
        "give them other names, together with `aliases`; if another stack did, destroy that one first; if the state "
        f"was lost or rolled back, import the newest export of that state first, {_ADOPT}"
    )


def _refuse_existing(existing: ExistingObjects, properties: set[str], policy_name: str) -> None:
    """Raise for properties of these names and policies of that name; "" names no policy."""
    taken = {prop.name: prop.id for prop in existing.properties if prop.name in properties}
    policies = [policy.id for policy in existing.policies or ()] if policy_name else []
    problems = _list_problems(taken, policy_name, policies)
    if problems:
        raise RefusedChange(problems)


def _list_problems(properties: Mapping[str, str], policy_name: str, policies: Iterable[str]) -> str:
    """What exists and is not this stack's: properties (full name to id) and ids of policies of this stack's name."""
    problems = [
        f"extension property '{short_name(name)}' exists already ({name}, id {id_}) and is not this stack's: use its "
        f"full name in place of '{short_name(name)}' (it is then never deleted), {_ADOPT}"
        for name, id_ in sorted(properties.items())
    ]
    problems += [
        f"a claims mapping policy named '{policy_name}' exists already (id {id_}): set flexsaml:policyName to another "
        f"name, delete that policy, {_ADOPT}"
        for id_ in policies
    ]
    return "; ".join([*problems, _OLDER_STATE]) if problems else ""


def _delete_unfinished(directory: graph.Directory, outputs: Props, properties: Iterable[ExtensionProperty]) -> None:
    """Delete the properties of this stack's names that are in no state, unless others made them or hold values."""
    for prop in properties:
        if prop.name in outputs["__removed_properties"]:
            engine.say(
                f"{prop.name} ({prop.id}) is kept: it left the configuration before, and state does not say who made "
                "it; delete it if nobody uses it"
            )
        elif prop.name in outputs["properties"]:
            if prop.name in names_not_created:
                reason = "Graph refused to create it for this stack, so somebody else made it since"
            else:
                reason = explain_keeping(directory, prop.name)
            if reason:
                engine.say(f"{prop.name} is kept: {reason}")
                continue
            directory.delete_extension_property(outputs["application_id"], prop.id)
            engine.say(
                f"{prop.name} ({prop.id}) is deleted although it is not in state: it was not there before this "
                "stack, and nobody is seen to hold a value in it, so it counts as made by an unfinished run"
            )
