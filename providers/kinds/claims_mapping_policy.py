"""ClaimsMappingPolicy: what Entra puts into the assertion.

POST, GET, PATCH, DELETE /policies/claimsMappingPolicies (v1.0). Writing needs
Policy.ReadWrite.ApplicationConfiguration, reading Policy.Read.All as well (grade A: known issue).

* The visible input is a map claim name -> source, which previews show as one line for each changed
  claim; the JSON string exists only towards Graph. A raw `definition` is taken instead of claims.
* Changes are PATCHed in place, so that the assignment survives. It is replaced in one case only: when
  the tenant baseline in front is (another service principal), which takes everything back first.
* `description` is never sent: a POST with it fails with 404 (A).
* displayName is not unique (D): our own half-made policy is recognised by its name, by a definition
  that is byte for byte of our make, and by applying to nobody else.
* A policy that applies to another principal is kept on delete.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from flexsaml.claims import (
    ClaimsPolicy,
    InvalidClaim,
    InvalidDefinition,
    decode,
    encode,
    has_same_meaning,
    is_made_here,
    normalise_definition,
)
from flexsaml.graph import NotFound, Policy

from .. import engine
from .base import Argument, Failures, Kind, Props, RefusedChange, known, text

if TYPE_CHECKING:
    from flexsaml.graph import Directory


class ClaimsMappingPolicyKind(Kind):
    name = "ClaimsMappingPolicy"
    arguments: ClassVar = {
        "display_name": Argument(required=True),
        "claims": Argument({}),
        "include_basic_claim_set": Argument(False),
        "definition": Argument(),
        "extensions": Argument({}),
        "baseline": Argument(replaces=True),
    }

    def describe(self, props: Props) -> str:
        return f"'{text(props.get('display_name'))}'"

    def check(self, olds: Props, news: Props) -> tuple[Props, Failures]:
        inputs, failures = super().check(olds, news)
        claims, definition = inputs["claims"], inputs["definition"]
        if bool(claims) == bool(definition):
            failures["claims"] = "give either claims or a raw definition"
        try:
            if definition and known(definition):
                definition = normalise_definition(definition)
            elif claims and known(claims):
                claims = ClaimsPolicy.parse(claims).to_short()
        except (InvalidClaim, InvalidDefinition) as problem:
            failures["definition" if definition else "claims"] = str(problem)
        return {**inputs, "claims": claims, "definition": definition}, failures

    def diff(self, olds: Props, news: Props) -> set[str]:
        changed = super().diff(olds, news)
        meaning = {"claims", "include_basic_claim_set", "definition", "extensions"}
        if (
            changed & meaning
            and known([olds.get(key) for key in meaning])
            and known([news.get(key) for key in meaning])
        ):
            try:
                same = has_same_meaning(_definition(olds), _definition(news))
            except (InvalidClaim, InvalidDefinition, KeyError):
                same = False
            if same:
                changed -= meaning
        return changed

    def create(self, directory: Directory, props: Props) -> tuple[str, Props]:
        wanted, name = _definition(props), props["display_name"]
        ours = half_made(directory, directory.policies(name), props["baseline"]) if props["baseline"] else []
        if not ours:
            return directory.create_policy(display_name=name, definition=wanted).id, {}
        engine.say(f"policy '{name}' is there already, made by an earlier run of this stack that did not finish")
        if ours[0].definition != wanted:
            directory.update_policy(ours[0].id, display_name=name, definition=wanted)
        return ours[0].id, {}

    def update(self, directory: Directory, id_: str, olds: Props, news: Props) -> Props:
        if self.diff(olds, news):
            try:
                directory.update_policy(id_, display_name=news["display_name"], definition=_definition(news))
            except NotFound:
                raise RefusedChange(f"policy {id_} is gone: run `pulumi refresh`, then `pulumi up`") from None
        return {}

    def read(self, directory: Directory, id_: str, props: Props) -> Props | None:
        found = directory.policy(id_)
        if found is None:
            return None
        live = {**props, "display_name": found.display_name}
        if found.definition == _definition(props) or has_same_meaning(found.definition, _definition(props)):
            return live
        if not props["definition"]:
            try:
                policy = decode(found.definition, props["extensions"])
            except InvalidDefinition:
                return {**live, "claims": {}, "definition": found.definition}
            return {**live, "claims": policy.to_short(), "include_basic_claim_set": policy.include_basic_claim_set}
        return {**live, "definition": found.definition}

    def adopt(self, directory: Directory, props: Props) -> tuple[str, Props] | None:
        """The one assigned to the principal, whatever its name; else the one of our name."""
        candidates = directory.assigned_policies(props["baseline"]) if props["baseline"] else []
        candidates = candidates or directory.policies(props["display_name"])
        if len(candidates) != 1:
            return None
        live = self.read(directory, candidates[0].id, props)
        return (candidates[0].id, live) if live else None

    def delete(self, directory: Directory, id_: str, props: Props) -> None:
        delete_unless_used(directory, id_, props["display_name"], props["baseline"])


def _definition(props: Props) -> str:
    """The definition string that the inputs ask for."""
    if props["definition"]:
        return str(props["definition"])
    return encode(ClaimsPolicy.parse(props["claims"], props["include_basic_claim_set"]), props["extensions"])


def half_made(directory: Directory, named: list[Policy], principal: str) -> list[Policy]:
    """Which of the policies of our name an unfinished run of this stack left behind."""
    ours = [policy for policy in named if is_made_here(policy.definition)]
    return [policy for policy in ours if set(directory.applies_to(policy.id)) <= {principal}]


def delete_unless_used(directory: Directory, policy_id: str, name: str, principal: str) -> None:
    """Delete a policy, and its link to our principal first; keep it while others sign in with it."""
    users = directory.applies_to(policy_id)
    others = [one for one in users if one != principal]
    if others:
        engine.warn(f"policy '{name}' ({policy_id}) is kept: it applies to {', '.join(others[:3])}, not this stack's")
        return
    if users:
        directory.unassign(principal, policy_id)
    directory.delete_policy(policy_id)
