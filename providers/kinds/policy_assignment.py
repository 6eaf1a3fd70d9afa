"""PolicyAssignment: the link that makes a service principal use a claims mapping policy.

POST and DELETE /servicePrincipals/{id}/claimsMappingPolicies/$ref, GET the list (v1.0;
Application.ReadWrite.OwnedBy or .All together with Policy.Read.All, for the list too).

* A service principal has one policy (grade C/D: several clients say so, no error body was found), so
  the list is read first and another policy is never displaced unless the baseline recorded it.
* The same link twice is refused with a known text (B) and counts as success, as does taking a link
  away that is not there.
* $ref answers 404 for seconds after the policy was made (B): waited out.
* From here on the portal's claims page is read-only and says so; preview says it beforehand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from .. import engine
from .base import Argument, Failures, Kind, Props, RefusedChange, known, text

if TYPE_CHECKING:
    from flexsaml.graph import Directory

PORTAL_SAYS = "This configuration was overwritten by a claim mapping policy created via Graph/PowerShell."


class PolicyAssignmentKind(Kind):
    name = "PolicyAssignment"
    arguments: ClassVar = {
        "service_principal_id": Argument(required=True, replaces=True),
        "policy_id": Argument(required=True, replaces=True),
        "displaces": Argument([], ignored=True),
        "replace_existing": Argument(False, transient=True),
        "seen_assigned": Argument({}, transient=True),
    }

    def describe(self, props: Props) -> str:
        return (
            f"of policy {text(props.get('policy_id'))} to service principal {text(props.get('service_principal_id'))}"
        )

    def check(self, olds: Props, news: Props) -> tuple[Props, Failures]:
        inputs, failures = super().check(olds, news)
        ours = {text(olds.get("policy_id")), text(news.get("policy_id"))}
        seen = news.get("seen_assigned")
        others = {id_: name for id_, name in (seen if known(seen) and seen else {}).items() if id_ not in ours}
        if olds and seen is not None and known(seen) and text(olds.get("policy_id")) not in seen:
            now = ", ".join(f"'{name}' ({id_})" for id_, name in others.items()) or "none"
            engine.warn(
                f"this stack's policy is no longer assigned (now: {now}): run `pulumi refresh`, then `pulumi up`"
            )
        if not olds:
            if others and not news.get("replace_existing"):
                named = ", ".join(f"'{name}' ({id_})" for id_, name in others.items())
                failures[""] = (
                    f"the service principal already has the claims mapping policy {named}, not this stack's: "
                    "unassign it, or set flexsaml:replaceExisting to true (it comes back on destroy)"
                )
            elif others:
                named = ", ".join(f"'{name}'" for name in others.values())
                engine.warn(
                    f"the claims mapping policy {named} will be displaced; it comes back on destroy. Sign-ins may miss "
                    "claims for minutes meanwhile"
                )
            engine.say(f'once assigned, the portal\'s claims page will answer: "{PORTAL_SAYS}"')
        return inputs, failures

    def create(self, directory: Directory, props: Props) -> tuple[str, Props]:
        principal, policy = props["service_principal_id"], props["policy_id"]
        assigned = directory.assigned_policies(principal)
        for other in assigned:
            if other.id == policy:
                return f"{principal}/{policy}", {}
            if other.id not in props["displaces"]:
                raise RefusedChange(
                    f"policy '{other.display_name}' ({other.id}) is assigned and was not when this stack began: "
                    "unassign it, then run the same command again"
                )
        for other in assigned:
            directory.unassign(principal, other.id)
        directory.assign(principal, policy)
        return f"{principal}/{policy}", {}

    def read(self, directory: Directory, id_: str, props: Props) -> Props | None:
        principal, _, policy = id_.partition("/")
        if not policy:
            raise RefusedChange(f"'{id_}' is no id of an assignment: servicePrincipalObjectId/policyId")
        if not directory.is_assigned(principal, policy):
            return None
        return {**props, "service_principal_id": principal, "policy_id": policy}

    def adopt(self, directory: Directory, props: Props) -> tuple[str, Props] | None:
        if not props["policy_id"]:
            return None  # the policy itself does not exist
        id_ = f"{props['service_principal_id']}/{props['policy_id']}"
        live = self.read(directory, id_, props)
        return (id_, live) if live else None

    def delete(self, directory: Directory, id_: str, props: Props) -> None:
        principal, _, policy = id_.partition("/")
        directory.unassign(principal, policy)
