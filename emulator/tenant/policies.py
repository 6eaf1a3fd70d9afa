"""Claims mapping policies and their assignment to service principals.

Quirks tamed: the definition is kept byte for byte and judged by shape only, never by meaning (A); `description` makes
a POST fail with 404 (A); displayName is not unique (D); one policy per service principal (C); linking a policy seconds
after its creation answers 404 (B); what deleting an assigned policy does was recorded nowhere (dial).
"""

from __future__ import annotations

import json
from dataclasses import replace

from emulator.errors import GraphError, bad_request, not_found
from emulator.tenant.records import Link, Policy, ServicePrincipal
from emulator.tenant.store import Store
from emulator.types import Attributes, Json

_ARRAYS = ("ClaimsSchema", "ClaimsTransformation", "ClaimsTransformations")


def create(store: Store, body: Attributes) -> Policy:
    if "description" in body:
        raise not_found("")
    name = body.get("displayName")
    if not isinstance(name, str) or not name or "definition" not in body:
        raise bad_request("One or more properties contains invalid values.")
    definition = checked_definition(body["definition"])
    default = body.get("isOrganizationDefault") is True
    made = Policy(store.new_id("claimsMappingPolicies"), name, definition, default)
    store.commit(put=[("claimsMappingPolicies", made)])
    store.seen_policies.created(made)
    if store.dials().ref_lag:
        store.unlinkable[made.id] = store.dials().ref_lag
    return made


def patch(store: Store, policy_id: str, body: Attributes) -> None:
    """Omitted properties stay."""
    before = store.policies.get(policy_id)
    if before is None:
        raise not_found(policy_id)
    after = before
    if "isOrganizationDefault" in body:
        # Reported of a sibling policy type only (C); there is no report of a success.
        raise GraphError(500, "Service_InternalServerError", "Encountered an internal server error.")
    if "displayName" in body:
        if not isinstance(body["displayName"], str) or not body["displayName"]:
            raise bad_request("One or more properties contains invalid values.")
        after = replace(after, display_name=body["displayName"])
    if "definition" in body:
        after = replace(after, definition=checked_definition(body["definition"]))
    store.commit(put=[("claimsMappingPolicies", after)])
    store.seen_policies.changed(before)


def delete(store: Store, policy_id: str) -> None:
    found = store.policies.get(policy_id)
    if found is None:
        raise not_found(policy_id)
    links = [link for link in store.links.values() if link.policy_id == policy_id]
    if links and store.dials().delete_assigned_policy == "refuse":
        raise bad_request("The policy is still applied to a principal and cannot be deleted.")  # own wording, D
    store.commit(remove=[("claimsMappingPolicies", policy_id), *(("assignments", link.id) for link in links)])
    store.seen_policies.deleted(found)
    store.unlinkable.pop(policy_id, None)


def find(store: Store, policy_id: str) -> Policy:
    """One read of it, lag included."""
    seen = store.seen_policies.see(policy_id, store.policies.get(policy_id))
    if seen is None:
        raise not_found(policy_id)
    return seen


def assign(store: Store, principal: ServicePrincipal, policy_id: str) -> None:
    left = store.unlinkable.pop(policy_id, 0)
    if left > 1:
        store.unlinkable[policy_id] = left - 1
    if left or policy_id not in store.policies:
        raise not_found(policy_id)
    held = [link.policy_id for link in store.links.values() if link.service_principal_id == principal.id]
    if policy_id in held:
        raise bad_request(
            "One or more added object references already exist for the following modified properties: "
            "'claimsMappingPolicies'."
        )
    if held:
        raise GraphError(
            store.dials().second_policy_status,
            "Request_MultipleObjectsWithSameKeyValue",
            "A conflicting object with one or more of the specified property values is present in the directory.",
        )
    link = Link(principal.id, policy_id)
    store.commit(put=[("assignments", link)])
    store.seen_links.created(link)


def unassign(store: Store, principal: ServicePrincipal, policy_id: str) -> None:
    link = store.links.get(Link(principal.id, policy_id).id)
    if link is None and store.dials().missing_link_delete == 404:
        raise not_found(policy_id)
    if link is None:
        raise bad_request(
            "One or more removed object references do not exist for the following modified properties: "
            "'claimsMappingPolicies'."
        )
    store.commit(remove=[("assignments", link.id)])
    store.seen_links.deleted(link)


def of_principal(store: Store, principal: ServicePrincipal) -> list[Policy]:
    """One list of what is assigned, lag of the links included."""
    mine = [link for link in store.links.values() if link.service_principal_id == principal.id]
    seen = store.seen_links.see_all(mine, lambda link: link.service_principal_id == principal.id)
    return [store.policies[link.policy_id] for link in seen if link.policy_id in store.policies]


def checked_definition(value: Json) -> tuple[str, ...]:
    """The definition as it came: an array of exactly one string of JSON of the right outer shape."""
    items = value if isinstance(value, list) else [value]
    for item in items:
        if isinstance(item, (dict, list)):
            kind = "StartObject" if isinstance(item, dict) else "StartArray"
            raise bad_request(
                f"An unexpected '{kind}' node was found for property named '' when reading from the JSON reader. "
                "A 'PrimitiveValue' node was expected."
            )
    if not isinstance(value, list) or len(value) != 1 or not _has_shape(value[0]):
        raise bad_request("Property definition has an invalid value.")
    return (str(value[0]),)


def _has_shape(text: Json) -> bool:
    if not isinstance(text, str) or "\n" in text or "\r" in text:
        return False
    try:
        document = json.loads(text)
    except ValueError:
        return False
    policy = document.get("ClaimsMappingPolicy") if isinstance(document, dict) else None
    if not isinstance(policy, dict) or type(policy.get("Version")) is not int or policy["Version"] != 1:
        return False
    return all(isinstance(policy.get(name, []), list) for name in _ARRAYS)
