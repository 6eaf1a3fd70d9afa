"""The custom claims policy of a service principal, which is also what the portal's claims page writes.

Quirks: there is one per principal, made by PUT and never deleted (A); what a read answers before it was ever set is
written nowhere (dial `absent_claims_policy`); the reference pages name 201 and 204 for the same write, the emulator
answers 204 (D).
"""

from __future__ import annotations

from emulator.errors import not_found
from emulator.tenant.changes import NULL, Writable, check_changes
from emulator.tenant.records import PlainRecord, PrincipalRecord
from emulator.tenant.store import Store
from emulator.types import Attributes

_WRITABLE: Writable = {
    "audienceOverride": (str, NULL),
    "claims": (list,),
    "groupFilter": (dict, NULL),
    "includeApplicationIdInIssuer": (bool,),
    "includeBasicClaimSet": (bool,),
}


def find(store: Store, principal: PrincipalRecord) -> Attributes:
    policy = store.claims_policies.get(principal.id)
    if policy is None and store.dials.absent_claims_policy == "not_found":
        raise not_found(principal.id)
    return policy.attributes if policy else _empty(principal)


def put(store: Store, principal: PrincipalRecord, body: Attributes) -> None:
    """Create it, or replace it completely."""
    _write(store, _empty(principal), body)


def patch(store: Store, principal: PrincipalRecord, body: Attributes) -> None:
    """Change it; where absence is a 404, there is nothing to change."""
    _write(store, find(store, principal), body)


def _empty(principal: PrincipalRecord) -> Attributes:
    return {"id": principal.id, "includeBasicClaimSet": False, "claims": []}


def _write(store: Store, before: Attributes, body: Attributes) -> None:
    row = {**before, **check_changes(body, _WRITABLE, "CustomClaimsPolicy")}
    store.commit(put=[("claimsPolicies", PlainRecord.from_row(row))])
