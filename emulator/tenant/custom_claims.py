"""The custom claims policy of a service principal, which is also what the portal's claims page writes.

Quirks tamed: there is one per principal, made by PUT and never deleted (A); what a read answers before it was ever set
is written nowhere (dial `absent_claims_policy`); the reference pages name 201 and 204 for the same write, we answer 204
(D).
"""

from __future__ import annotations

from emulator.errors import bad_request, invalid_value, not_found
from emulator.tenant.records import Plain, ServicePrincipal
from emulator.tenant.store import Store
from emulator.types import Attributes

_NONE = type(None)
_FIELDS: dict[str, tuple[type, ...]] = {
    "audienceOverride": (str, _NONE),
    "claims": (list,),
    "groupFilter": (dict, _NONE),
    "includeApplicationIdInIssuer": (bool,),
    "includeBasicClaimSet": (bool,),
}


def find(store: Store, principal: ServicePrincipal) -> Attributes:
    found = store.claims_policies.get(principal.id)
    if found is not None:
        return found.attributes
    if store.dials().absent_claims_policy == "not_found":
        raise not_found(principal.id)
    return _empty(principal)


def put(store: Store, principal: ServicePrincipal, body: Attributes) -> None:
    """Create it, or replace it whole."""
    _keep(store, principal, {**_empty(principal), **_checked(body)})


def patch(store: Store, principal: ServicePrincipal, body: Attributes) -> None:
    """Change what there is; where absence is a 404, there is nothing to change."""
    _keep(store, principal, {**find(store, principal), **_checked(body)})


def _empty(principal: ServicePrincipal) -> Attributes:
    return {"id": principal.id, "includeBasicClaimSet": False, "claims": []}


def _keep(store: Store, principal: ServicePrincipal, row: Attributes) -> None:
    store.commit(put=[("claimsPolicies", Plain(principal.id, row))])


def _checked(body: Attributes) -> Attributes:
    changes = {name: value for name, value in body.items() if "@odata." not in name}
    for name, value in changes.items():
        if name not in _FIELDS:
            raise bad_request(f"Invalid property '{name}'.")
        if type(value) not in _FIELDS[name]:
            raise invalid_value(name, "CustomClaimsPolicy")
    return changes
