"""Who is in which group, directly and through other groups, and who has which role of an application. Quirks:
membership nests, and only the transitive lists follow it (A); adding a member twice, removing who is not a member, or
giving the same role twice is refused with 400 (B: several clients match these words); a role given to a group is its
direct members' only, nesting does not cascade (A); the all-zero role id means "assigned without a role" (A)."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from emulator.errors import bad_request, invalid_body, not_found, reference_exists, reference_missing
from emulator.tenant.records import PlainRecord, PrincipalRecord, Record, UserRecord
from emulator.tenant.store import Store, get_existing
from emulator.types import Attributes

NO_ROLE = "00000000-0000-0000-0000-000000000000"
Member = TypeVar("Member", bound="UserRecord | PlainRecord")


def list_member_ids(group: PlainRecord) -> list[str]:
    return list(group.attributes.get("members", ()))


def list_direct_members(store: Store, group: PlainRecord) -> list[UserRecord | PlainRecord]:
    """Users and groups."""
    members = (store.users.get(member_id) or store.groups.get(member_id) for member_id in list_member_ids(group))
    return [member for member in members if member is not None]


def list_transitive_members(store: Store, group: PlainRecord) -> list[UserRecord | PlainRecord]:
    return _reach(group.id, lambda key: list_direct_members(store, store.groups[key]) if key in store.groups else [])


def list_direct_groups(store: Store, member_id: str) -> list[PlainRecord]:
    return [group for group in store.groups.values() if member_id in list_member_ids(group)]


def list_transitive_groups(store: Store, member: UserRecord) -> list[PlainRecord]:
    return _reach(member.id, lambda key: list_direct_groups(store, key))


def _reach(start: str, neighbours: Callable[[str], list[Member]]) -> list[Member]:
    """Everything that can be reached from `start`, each object once, the nearest first; circles end."""
    reached: dict[str, Member] = {}
    waiting = [start]
    while waiting:
        for neighbour in neighbours(waiting.pop(0)):
            if neighbour.id not in reached and neighbour.id != start:
                reached[neighbour.id] = neighbour
                waiting.append(neighbour.id)
    return list(reached.values())


def add_member(store: Store, group: PlainRecord, member_id: str) -> None:
    if member_id not in store.users and member_id not in store.groups:
        raise not_found(member_id)
    if member_id == group.id:
        raise invalid_body()  # wording D
    if member_id in list_member_ids(group):
        raise reference_exists("members")
    members = [*list_member_ids(group), member_id]
    store.commit(put=[("groups", replace(group, attributes={**group.attributes, "members": members}))])


def remove_member(store: Store, group: PlainRecord, member_id: str) -> None:
    if member_id not in list_member_ids(group):
        raise reference_missing("members")
    store.commit(put=[_without_member(group, member_id)])


def groups_without(store: Store, member_id: str) -> list[tuple[str, Record]]:
    """The groups of a member as they are once it was deleted."""
    return [_without_member(group, member_id) for group in list_direct_groups(store, member_id)]


def _without_member(group: PlainRecord, member_id: str) -> tuple[str, Record]:
    members = [key for key in list_member_ids(group) if key != member_id]
    return "groups", replace(group, attributes={**group.attributes, "members": members})


def list_assignments_to(store: Store, principal: PrincipalRecord) -> list[Attributes]:
    """The role assignments of an application."""
    return [row.attributes for row in store.role_assignments.values() if row.attributes["resourceId"] == principal.id]


def list_assignments_of(store: Store, user: UserRecord) -> list[Attributes]:
    """Direct assignments of a user and those of the groups it is a direct member of (A)."""
    holders = {user.id, *(group.id for group in list_direct_groups(store, user.id))}
    return [row.attributes for row in store.role_assignments.values() if row.attributes["principalId"] in holders]


def list_roles_of(store: Store, principal: PrincipalRecord) -> list[Attributes]:
    """The roles that a service principal holds, which are its application permissions."""
    return [row.attributes for row in store.role_assignments.values() if row.attributes["principalId"] == principal.id]


def assign_role(store: Store, principal: PrincipalRecord, body: Attributes) -> Attributes:
    keys = [body.get(name) for name in ("principalId", "resourceId", "appRoleId")]
    if not all(isinstance(key, str) for key in keys):
        raise invalid_body()
    holder_id, resource_id, role_id = (str(key).lower() for key in keys)
    roles = {NO_ROLE, *(role["id"] for role in principal.attributes.get("appRoles", ()))}
    if resource_id != principal.id or role_id not in roles:
        raise bad_request(f"Permission being assigned was not found on application '{principal.app_id}'.")
    tables: dict[str, Mapping[str, PlainRecord]] = {
        "User": store.users, "Group": store.groups, "ServicePrincipal": store.service_principals,
    }  # fmt: skip
    kind = next((name for name, table in tables.items() if holder_id in table), "")
    if not kind:
        raise not_found(holder_id)
    holder = tables[kind][holder_id]
    if kind == "ServicePrincipal" and not _is_for_applications(principal, role_id):
        raise bad_request(f"Permission being assigned was not found on application '{principal.app_id}'.")
    held = {(row["principalId"], row["appRoleId"]) for row in list_assignments_to(store, principal)}
    if (holder_id, role_id) in held:
        raise bad_request("Permission being assigned already exists on the object")
    row = {
        "id": store.new_id("appRoleAssignments"),
        "deletedDateTime": None,
        "appRoleId": role_id,
        "createdDateTime": "2026-01-05T09:00:00Z",  # the seed's: exports carry no clock time
        "principalDisplayName": holder.attributes.get("displayName"),
        "principalId": holder_id,
        "principalType": kind,
        "resourceDisplayName": principal.display_name,
        "resourceId": principal.id,
    }
    store.commit(put=[("appRoleAssignments", PlainRecord.from_row(row))])
    return row


def _is_for_applications(principal: PrincipalRecord, role_id: str) -> bool:
    roles = [role for role in principal.attributes.get("appRoles", ()) if role["id"] == role_id]
    return any("Application" in role["allowedMemberTypes"] for role in roles)


def assign_role_of(store: Store, holder: PrincipalRecord, body: Attributes) -> Attributes:
    """The same from the holder's side: the resource is named in the body."""
    if str(body.get("principalId")).lower() != holder.id:
        raise invalid_body()
    resource = store.service_principals.get(str(body.get("resourceId")).lower())
    if resource is None:
        raise not_found(str(body.get("resourceId")))
    return assign_role(store, resource, body)


def remove_role_of(store: Store, holder: PrincipalRecord, assignment_id: str) -> None:
    assignment = get_existing(store.role_assignments, assignment_id)
    if assignment.attributes["principalId"] != holder.id:
        raise not_found(assignment_id)
    store.commit(remove=[("appRoleAssignments", assignment.id)])


def remove_role(store: Store, principal: PrincipalRecord, assignment_id: str) -> None:
    assignment = get_existing(store.role_assignments, assignment_id)
    if assignment.attributes["resourceId"] != principal.id:
        raise not_found(assignment_id)
    store.commit(remove=[("appRoleAssignments", assignment.id)])
