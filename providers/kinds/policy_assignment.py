"""PolicyAssignment: the link by which a service principal uses a claims mapping policy.

POST and DELETE /servicePrincipals/{id}/claimsMappingPolicies/$ref, GET the list, v1.0; Application.ReadWrite.OwnedBy
or Application.ReadWrite.All together with Policy.Read.All, for the list as well.

* Id: `{servicePrincipalId}/{policyId}`. A change of either is a replacement.
* A service principal has one policy (grade C/D: several clients say so, no error body is known), so the list is read
  first, and another policy is unassigned only if the baseline recorded it.
* Assigning a policy that is assigned already is refused with a known text (B) and counts as success, and so does
  removing an assignment that does not exist.
* $ref answers 404 for seconds after the policy was created (B), which the client waits out. 409: another policy is
  assigned. 403: the permission is missing, or the identity does not own the principal.
* From then on the portal's claims page is read-only and says so; a preview says it beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from flexsaml import graph
from flexsaml.graph import Conflict

from .. import engine
from .base import Argument, Failures, Kind, Props, RefusedChange, known, text

PORTAL_MESSAGE = "This configuration was overwritten by a claim mapping policy created via Graph/PowerShell."


class PolicyAssignmentKind(Kind):
    name = "PolicyAssignment"
    description = "of policy {policy_id} to service principal {service_principal_id}"
    arguments: ClassVar = {
        "service_principal_id": Argument(required=True, replaces=True),
        "policy_id": Argument(required=True, replaces=True),
        "displaces": Argument([], ignored=True),
        "replace_existing": Argument(False, transient=True),
        "seen_assigned": Argument({}, transient=True),
    }

    def check(self, olds: Props, news: Props) -> tuple[Props, Failures]:
        inputs, failures = super().check(olds, news)
        assigned = news.get("seen_assigned")  # None where preflight is off
        if assigned is None or not known(assigned):
            assigned = {}
        elif olds and text(olds.get("policy_id")) not in assigned:
            engine.warn(
                f"this stack's policy is no longer assigned (now: {name_policies(assigned) or 'none'}): run "
                "`pulumi refresh`, then `pulumi up`"
            )
        if olds:
            return inputs, failures
        others = {id_: name for id_, name in assigned.items() if id_ != text(news.get("policy_id"))}
        displaces = inputs["displaces"]
        if others and news.get("replace_existing") and known(displaces) and not others.keys() <= set(displaces):
            failures[""] = _refuse_unrecorded({id_: name for id_, name in others.items() if id_ not in displaces})
        elif others and news.get("replace_existing"):
            engine.warn(
                f"the claims mapping policy {name_policies(others)} will be displaced; destroy assigns it again. "
                "Sign-ins may miss claims for minutes meanwhile"
            )
        elif others:
            failures[""] = refuse_assigned(others)
        engine.say(f'once assigned, the portal\'s claims page will answer: "{PORTAL_MESSAGE}"')
        return inputs, failures

    def create(self, directory: graph.Directory, inputs: Props) -> tuple[str, Props]:
        principal, policy = inputs["service_principal_id"], inputs["policy_id"]
        id_ = f"{principal}/{policy}"
        assigned = {policy.id: policy.display_name for policy in directory.assigned_policies(principal)}
        if policy in assigned:
            return id_, {}
        strangers = {other: name for other, name in assigned.items() if other not in inputs["displaces"]}
        if strangers:
            raise RefusedChange(_refuse_unrecorded(strangers))
        for other in assigned:
            directory.unassign(principal, other)
        try:
            directory.assign(principal, policy)
        except Conflict as conflict:
            hint = "or set flexsaml:replaceExisting to true before the stack is created"
            raise RefusedChange(f"{conflict}; {hint}") from conflict
        return id_, {}

    def read(self, directory: graph.Directory, id_: str, outputs: Props) -> Props | None:
        principal, _, policy = id_.partition("/")
        if not policy:
            raise RefusedChange(f"'{id_}' is not the id of an assignment, servicePrincipalObjectId/policyId")
        if not directory.is_assigned(principal, policy):
            return None
        return {**outputs, "service_principal_id": principal, "policy_id": policy}

    def adopt(self, directory: graph.Directory, inputs: Props) -> tuple[str, Props] | None:
        if not inputs["policy_id"]:
            return None  # the policy itself does not exist
        id_ = f"{inputs['service_principal_id']}/{inputs['policy_id']}"
        live = self.read(directory, id_, inputs)
        return (id_, live) if live else None

    def delete(self, directory: graph.Directory, id_: str, outputs: Props) -> None:
        principal, _, policy = id_.partition("/")
        directory.unassign(principal, policy)


def name_policies(policies: Mapping[str, str]) -> str:
    """Policies, id to name, for a sentence."""
    return ", ".join(f"'{name}' ({id_})" for id_, name in policies.items())


def _refuse_unrecorded(policies: dict[str, str]) -> str:
    """Why policies that the tenant baseline did not record are not displaced: nobody would assign them again."""
    return (
        f"the claims mapping policy {name_policies(policies)} is assigned, and was not when this stack was created: "
        "unassign it, then run the same command again"
    )


def refuse_assigned(policies: dict[str, str]) -> str:
    """Why a principal with these policies is left alone, and what a user can do about it."""
    return (
        f"the service principal already has the claims mapping policy {name_policies(policies)}, which is not this "
        "stack's: unassign it, or set flexsaml:replaceExisting to true before the stack is created (destroy then "
        "assigns it again)"
    )
