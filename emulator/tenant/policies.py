"""Claims mapping policies and their assignment to service principals. Quirks: the definition is kept byte for byte and
judged by shape only, never by meaning (A); `description` makes a POST fail with 404 (A); displayName is not unique (D);
one policy per service principal (C); linking a policy seconds after its creation answers 404 (B); what deleting an
assigned policy does was recorded nowhere (dial)."""

import json
from contextlib import suppress
from dataclasses import replace

from emulator import errors
from emulator.dials import Dials
from emulator.errors import bad_request, conflict, invalid_body, not_found, reference_exists, reference_missing, refusal
from emulator.tenant.records import LinkRecord, PolicyRecord, PrincipalRecord
from emulator.tenant.store import Store, count_down, get_existing
from emulator.types import Attributes, Json

_ARRAYS = ("ClaimsSchema", "ClaimsTransformation", "ClaimsTransformations")


def create(store: Store, body: Attributes) -> PolicyRecord:
    if "description" in body:
        raise not_found("")
    name = body.get("displayName")
    if not isinstance(name, str) or not name or "definition" not in body:
        raise invalid_body()
    definition = check_definition(body["definition"], store.dials)
    is_default = body.get("isOrganizationDefault") is True
    policy = PolicyRecord(store.new_id("claimsMappingPolicies"), name, definition, is_default)
    store.commit(put=[("claimsMappingPolicies", policy)])
    store.policy_view.show(policy.id, None, reads=store.dials.read_lag)
    store.unlinkable[policy.id] = store.dials.ref_lag
    return policy


def patch(store: Store, policy_id: str, body: Attributes) -> None:
    """Omitted properties stay."""
    before = get_existing(store.policies, policy_id)
    if "isOrganizationDefault" in body:
        # Reported of a sibling policy type only (C); there is no report of a success.
        raise errors.GraphRefusal(500, "Service_InternalServerError", "Encountered an internal server error.")
    name = body.get("displayName", before.display_name)
    if not isinstance(name, str) or not name:
        raise invalid_body()
    definition = check_definition(body["definition"], store.dials) if "definition" in body else before.definition
    store.commit(put=[("claimsMappingPolicies", replace(before, display_name=name, definition=definition))])
    store.policy_view.show(before.id, before, reads=store.dials.stale_reads)
    store.sign_in_policies.show(before.id, before, reads=store.dials.sign_in_lag)


def delete(store: Store, policy_id: str) -> None:
    policy = get_existing(store.policies, policy_id)
    links = [link for link in store.links.values() if link.policy_id == policy_id]
    if links and store.dials.delete_assigned_policy == "refuse":
        raise bad_request("The policy is still applied to a principal and cannot be deleted.")  # own wording, D
    store.commit(remove=[("claimsMappingPolicies", policy_id), *(("assignments", link.id) for link in links)])
    store.policy_view.show(policy.id, policy, reads=store.dials.delete_lag)
    del store.unlinkable[policy_id]


def assign(store: Store, principal: PrincipalRecord, policy_id: str) -> None:
    if count_down(store.unlinkable, policy_id) or policy_id not in store.policies:
        raise not_found(policy_id)
    assigned_ids = [link.policy_id for link in list_links(store, principal)]
    if policy_id in assigned_ids:
        raise reference_exists("claimsMappingPolicies")
    if assigned_ids and store.dials.second_policy_status != 204:
        words = "A conflicting object with one or more of the specified property values is present in the directory."
        raise conflict(store.dials.second_policy_status, message=words)
    link = LinkRecord(principal.id, policy_id)
    store.commit(put=[("assignments", link)])
    store.link_view.show(link.id, None, reads=store.dials.read_lag)
    store.sign_in_links.show(link.id, None, reads=store.dials.sign_in_lag)


def unassign(store: Store, principal: PrincipalRecord, policy_id: str) -> None:
    link = store.links.get(LinkRecord(principal.id, policy_id).id)
    if link is None:
        is_404 = store.dials.missing_link_delete == 404
        raise not_found(policy_id) if is_404 else reference_missing("claimsMappingPolicies")
    store.commit(remove=[("assignments", link.id)])
    store.link_view.show(link.id, link, reads=store.dials.delete_lag)
    store.sign_in_links.show(link.id, link, reads=store.dials.sign_in_lag)


def list_links(store: Store, principal: PrincipalRecord) -> list[LinkRecord]:
    return [link for link in store.links.values() if link.service_principal_id == principal.id]


def find_assigned_policy(store: Store, principal: PrincipalRecord) -> PolicyRecord | None:
    """The policy of this principal, without lag: what the portal sees."""
    policies = (store.policies.get(link.policy_id) for link in list_links(store, principal))
    return next((policy for policy in policies if policy is not None), None)


def find_policy_in_force(store: Store, principal: PrincipalRecord) -> PolicyRecord | None:
    """The policy that a sign-in at this principal follows; the sign-in is counted."""
    links = store.sign_in_links.read_all(lambda link: link.service_principal_id == principal.id)
    policy_ids = [link.policy_id for link in links]
    policies = store.sign_in_policies.read_all(lambda policy: policy.id in policy_ids)
    return min(policies, key=lambda policy: policy_ids.index(policy.id), default=None)


def list_assigned(store: Store, principal: PrincipalRecord) -> list[PolicyRecord]:
    """A read of what is assigned, lag of the links included."""
    links = store.link_view.read_all(lambda link: link.service_principal_id == principal.id)
    return [store.policies[link.policy_id] for link in links if link.policy_id in store.policies]


def check_definition(value: Json, dials: Dials) -> tuple[str, ...]:
    """The definition as it came: an array of exactly one string of JSON of the right outer shape."""
    items = value if isinstance(value, list) else [value]
    for item in items:
        if isinstance(item, (dict, list)):
            kind = "StartObject" if isinstance(item, dict) else "StartArray"
            raise refusal("not_primitive", kind)
    text = value[0] if isinstance(value, list) and len(value) == 1 else None
    document: Json = None
    if isinstance(text, str) and "\n" not in text and "\r" not in text:
        with suppress(ValueError):
            document = json.loads(text)
    policy: Json = document.get("ClaimsMappingPolicy") if isinstance(document, dict) else None
    has_version = isinstance(policy, dict) and type(policy.get("Version")) is int and policy["Version"] == 1
    refused_key = {"singular": "ClaimsTransformations", "plural": "ClaimsTransformation"}.get(dials.transformations_key)
    if not has_version or refused_key in policy or not all(isinstance(policy.get(name, []), list) for name in _ARRAYS):
        raise bad_request("Property definition has an invalid value.")
    return (str(text),)
