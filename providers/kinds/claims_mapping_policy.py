"""ClaimsMappingPolicy: the policy that tells Entra which claims to put into a SAML assertion.

POST, GET, PATCH and DELETE /policies/claimsMappingPolicies, v1.0. Writing needs
Policy.ReadWrite.ApplicationConfiguration, reading Policy.Read.All as well (grade A: known issue).

* Id: the policy's object id.
* The program gives a map of claim name to source, of which a preview shows one line for each changed claim, or a raw
  `definition`. The JSON string exists only towards Graph; two strings that mean the same are no change.
* Changes are sent by PATCH, which keeps the assignment. The policy is replaced only with the tenant baseline it
  belongs to (another service principal), which restores everything first.
* 404: the policy is gone, or not replicated yet, which the client waits out. 403: the permission is missing.
* `description` is never sent: a POST with it is answered by 404 (A).
* Display names are not unique (D). A policy that an unfinished run left behind is recognised by its name, which was
  free when the baseline was recorded; by the signature in its definition, which no other tool writes; and by applying
  to no other principal. One without the signature counts as somebody else's.
* A policy that applies to another principal is kept on delete."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import ClassVar

from flexsaml import graph
from flexsaml.claims import (
    ClaimsPolicy,
    InvalidClaim,
    InvalidDefinition,
    decode,
    encode,
    has_same_meaning,
    is_signed,
    normalise_definition,
    sign_definition,
)
from flexsaml.graph import NotFound, Policy

from .. import engine
from ..progress import first_names
from .base import Argument, Failures, Kind, Props, RefusedChange, known
from .record import refuse_unlisted

_MEANING = frozenset({"claims", "include_basic_claim_set", "definition", "extensions"})
"""Inputs from which the definition is made."""


class ClaimsMappingPolicyKind(Kind):
    name = "ClaimsMappingPolicy"
    description = "'{display_name}'"
    arguments: ClassVar = {
        "display_name": Argument(required=True),
        "claims": Argument({}, items=(str, dict)),
        "include_basic_claim_set": Argument(False),
        "definition": Argument(),
        "extensions": Argument({}),
        "baseline": Argument(replaces=True),
        "recorded": Argument({}, transient=True),
    }

    def check(self, olds: Props, news: Props) -> tuple[Props, Failures]:
        inputs, failures = super().check(olds, news)
        claims, definition = inputs["claims"], inputs["definition"]
        if bool(claims) == bool(definition):
            failures["claims"] = "give either claims or a raw definition"
        try:
            if definition and known(definition):
                inputs["definition"] = normalise_definition(definition)
            elif claims and known(claims):
                inputs["claims"] = ClaimsPolicy.parse(claims).to_short()
        except (InvalidClaim, InvalidDefinition) as problem:
            failures["definition" if definition else "claims"] = str(problem)
        name = inputs["display_name"]
        if name != olds.get("display_name") and (
            refusal := refuse_unlisted(news.get("recorded"), name, "the policy's name")
        ):
            failures.setdefault("", refusal)
        return inputs, failures

    def diff(self, olds: Props, news: Props) -> set[str]:
        changed = super().diff(olds, news)
        if changed & _MEANING and all(known([olds.get(key), news.get(key)]) for key in _MEANING):
            with suppress(InvalidClaim, InvalidDefinition, KeyError):
                if has_same_meaning(_definition(olds), _definition(news)):
                    changed -= _MEANING
        return changed

    def create(self, directory: graph.Directory, inputs: Props) -> tuple[str, Props]:
        definition, name = sign_definition(_definition(inputs)), inputs["display_name"]
        principal = inputs["baseline"]
        unfinished = select_unfinished(directory, directory.policies(name), principal) if principal else []
        if not unfinished:
            return directory.create_policy(display_name=name, definition=definition).id, {}
        engine.say(f"policy '{name}' exists already: an earlier run of this stack created it and did not finish")
        if unfinished[0].definition != definition:
            directory.update_policy(unfinished[0].id, display_name=name, definition=definition)
        return unfinished[0].id, {}

    def update(self, directory: graph.Directory, id_: str, olds: Props, news: Props) -> Props:
        if self.diff(olds, news):
            definition = sign_definition(_definition(news))
            try:
                directory.update_policy(id_, display_name=news["display_name"], definition=definition)
            except NotFound:
                raise RefusedChange(f"policy {id_} is gone: run `pulumi refresh`, then `pulumi up`") from None
        return {}

    def read(self, directory: graph.Directory, id_: str, outputs: Props) -> Props | None:
        policy = directory.policy(id_)
        if policy is None:
            return None
        live = {**outputs, "display_name": policy.display_name}
        if has_same_meaning(policy.definition, _definition(outputs)):
            return live
        if outputs["definition"]:
            return {**live, "definition": policy.definition}
        try:
            typed = decode(policy.definition, outputs["extensions"])
        except InvalidDefinition:
            return {**live, "claims": {}, "definition": policy.definition}
        return {**live, "claims": typed.to_short(), "include_basic_claim_set": typed.include_basic_claim_set}

    def adopt(self, directory: graph.Directory, inputs: Props) -> tuple[str, Props] | None:
        """The policy assigned to the principal, whatever its name; without one, the only one of that name."""
        candidates = directory.assigned_policies(inputs["baseline"]) if inputs["baseline"] else []
        candidates = candidates or directory.policies(inputs["display_name"])
        if len(candidates) != 1:
            return None
        live = self.read(directory, candidates[0].id, inputs)
        return (candidates[0].id, live) if live else None

    def delete(self, directory: graph.Directory, id_: str, outputs: Props) -> None:
        delete_unless_used(directory, id_, outputs["display_name"], outputs["baseline"])


def _definition(props: Props) -> str:
    """The definition string that the inputs ask for, unsigned."""
    if props["definition"]:
        return str(props["definition"])
    return encode(ClaimsPolicy.parse(props["claims"], props["include_basic_claim_set"]), props["extensions"])


def select_unfinished(directory: graph.Directory, policies: Iterable[Policy], principal: str) -> list[Policy]:
    """Those of the policies of this stack's name that an unfinished run of it left behind. `policies` must not contain
    what existed when the baseline was recorded."""
    signed = [policy for policy in policies if is_signed(policy.definition)]
    return [policy for policy in signed if set(directory.applies_to(policy.id)) <= {principal}]


def delete_unless_used(directory: graph.Directory, policy_id: str, name: str, principal: str) -> None:
    """Delete a policy and its link to this stack's principal; keep it while it applies to others."""
    applies_to = directory.applies_to(policy_id)
    others = [principal_id for principal_id in applies_to if principal_id != principal]
    if others:
        reason = f"it applies to {first_names(others)}, which this stack does not manage"
        engine.warn(f"policy '{name}' ({policy_id}) is kept: {reason}")
        return
    if applies_to:
        directory.unassign(principal, policy_id)
    directory.delete_policy(policy_id)
