"""Who has which role of an application: assignments to users and to groups.

Quirks tamed: a role given to a group is its direct members' only, nesting does not cascade (A); the all-zero role id
means "assigned without a role" (A); the same role twice is refused (B: several clients match these words).
"""

from __future__ import annotations

from emulator.errors import bad_request, not_found
from emulator.tenant import groups, users
from emulator.tenant.records import Plain, ServicePrincipal
from emulator.tenant.store import Store
from emulator.types import Attributes

NO_ROLE = "00000000-0000-0000-0000-000000000000"
_KEYS = ("principalId", "resourceId", "appRoleId")


def assigned_to(store: Store, principal: ServicePrincipal) -> list[Attributes]:
    rows = (one.attributes for one in store.role_assignments.values())
    return [row for row in rows if row["resourceId"] == principal.id]


def roles_of_user(store: Store, key: str) -> list[Attributes]:
    """Direct assignments of a user and those of the groups it is a direct member of (A)."""
    user = users.find(store, key)
    own = {user.id, *(one.id for one in groups.direct_groups_of(store, user.id))}
    return [one.attributes for one in store.role_assignments.values() if one.attributes["principalId"] in own]


def assign_role(store: Store, principal: ServicePrincipal, body: Attributes) -> Attributes:
    wanted = {name: body.get(name) for name in _KEYS}
    if not all(isinstance(value, str) for value in wanted.values()):
        raise bad_request("One or more properties contains invalid values.")
    who, resource, role = (str(wanted[name]).lower() for name in _KEYS)
    if resource != principal.id or role not in {
        NO_ROLE,
        *(one["id"] for one in principal.attributes.get("appRoles", ())),
    }:
        raise bad_request(f"Permission being assigned was not found on application '{principal.app_id}'.")
    held = store.users.get(who) or store.groups.get(who)
    if held is None:
        raise not_found(who)
    if any((row["principalId"], row["appRoleId"]) == (who, role) for row in assigned_to(store, principal)):
        raise bad_request("Permission being assigned already exists on the object")
    made_id = store.new_id("appRoleAssignments")
    row = {
        "id": made_id,
        "deletedDateTime": None,
        "appRoleId": role,
        "createdDateTime": "2026-01-05T09:00:00Z",  # the seed's: exports carry no clock time
        "principalDisplayName": held.attributes.get("displayName"),
        "principalId": who,
        "principalType": "User" if who in store.users else "Group",
        "resourceDisplayName": principal.display_name,
        "resourceId": principal.id,
    }
    store.commit(put=[("appRoleAssignments", Plain(made_id, row))])
    return row


def take_role(store: Store, principal: ServicePrincipal, assignment_id: str) -> None:
    found = store.role_assignments.get(assignment_id)
    if found is None or found.attributes["resourceId"] != principal.id:
        raise not_found(assignment_id)
    store.commit(remove=[("appRoleAssignments", found.id)])
