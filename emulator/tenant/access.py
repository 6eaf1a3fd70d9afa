"""Who has which role of an application: assignments to users and to groups.

Quirks: a role given to a group is its direct members' only, nesting does not cascade (A); the all-zero role id means
"assigned without a role" (A); the same role twice is refused (B: several clients match these words).
"""

from __future__ import annotations

from emulator.errors import bad_request, invalid_body, not_found
from emulator.tenant import groups
from emulator.tenant.records import PlainRecord, PrincipalRecord
from emulator.tenant.store import Store, get_existing
from emulator.types import Attributes

NO_ROLE = "00000000-0000-0000-0000-000000000000"


def list_assignments_to(store: Store, principal: PrincipalRecord) -> list[Attributes]:
    """The role assignments of an application."""
    rows = (assignment.attributes for assignment in store.role_assignments.values())
    return [row for row in rows if row["resourceId"] == principal.id]


def list_assignments_of(store: Store, user_id: str) -> list[Attributes]:
    """Direct assignments of a user and those of the groups it is a direct member of (A)."""
    holders = {user_id, *(group.id for group in groups.list_direct_groups(store, user_id))}
    rows = (assignment.attributes for assignment in store.role_assignments.values())
    return [row for row in rows if row["principalId"] in holders]


def assign_role(store: Store, principal: PrincipalRecord, body: Attributes) -> Attributes:
    keys = [body.get(name) for name in ("principalId", "resourceId", "appRoleId")]
    if not all(isinstance(key, str) for key in keys):
        raise invalid_body()
    holder_id, resource_id, role_id = (str(key).lower() for key in keys)
    roles = {NO_ROLE, *(role["id"] for role in principal.attributes.get("appRoles", ()))}
    if resource_id != principal.id or role_id not in roles:
        raise bad_request(f"Permission being assigned was not found on application '{principal.app_id}'.")
    holder = store.users.get(holder_id) or store.groups.get(holder_id)
    if holder is None:
        raise not_found(holder_id)
    held = ((row["principalId"], row["appRoleId"]) for row in list_assignments_to(store, principal))
    if (holder_id, role_id) in held:
        raise bad_request("Permission being assigned already exists on the object")
    row = {
        "id": store.new_id("appRoleAssignments"),
        "deletedDateTime": None,
        "appRoleId": role_id,
        "createdDateTime": "2026-01-05T09:00:00Z",  # the seed's: exports carry no clock time
        "principalDisplayName": holder.attributes.get("displayName"),
        "principalId": holder_id,
        "principalType": "User" if holder_id in store.users else "Group",
        "resourceDisplayName": principal.display_name,
        "resourceId": principal.id,
    }
    store.commit(put=[("appRoleAssignments", PlainRecord.from_row(row))])
    return row


def remove_role(store: Store, principal: PrincipalRecord, assignment_id: str) -> None:
    assignment = get_existing(store.role_assignments, assignment_id)
    if assignment.attributes["resourceId"] != principal.id:
        raise not_found(assignment_id)
    store.commit(remove=[("appRoleAssignments", assignment.id)])
