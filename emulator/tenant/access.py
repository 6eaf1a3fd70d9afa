"""Who may use an application and how: role assignments, groups, principals that come and go, custom claims.

Quirks tamed: a role given to a group is its direct members' only, nesting does not cascade (A); the all-zero role id
means "assigned without a role" (A); deleting a principal takes its assignments and links along, and the extensions of
its application are usable by nobody until there is a new one, which has another object id (A).
"""

from __future__ import annotations

from dataclasses import replace

from emulator.errors import GraphError, bad_request, not_found
from emulator.tenant import users
from emulator.tenant.records import Application, Plain, ServicePrincipal, User
from emulator.tenant.store import Store
from emulator.types import Attributes

NO_ROLE = "00000000-0000-0000-0000-000000000000"
_PRINCIPAL = frozenset({"accountEnabled", "preferredTokenSigningKeyThumbprint", "keyCredentials", "displayName"})
_APPLICATION = frozenset({"api", "signInAudience", "identifierUris", "displayName"})


def assigned_to(store: Store, principal: ServicePrincipal) -> list[Attributes]:
    rows = (one.attributes for one in store.role_assignments.values())
    return [row for row in rows if row["resourceId"] == principal.id]


def assign_role(store: Store, principal: ServicePrincipal, body: Attributes) -> Attributes:
    who = str(body.get("principalId"))
    user, group = store.users.get(who), store.groups.get(who)
    known = {NO_ROLE, *(role["id"] for role in principal.attributes.get("appRoles", ()))}
    if body.get("resourceId") != principal.id or body.get("appRoleId") not in known:
        raise bad_request("Permission being assigned was not found on application '" + principal.app_id + "'.")
    if user is None and group is None:
        raise not_found(who)
    held = user.attributes if user else group.attributes if group else {}
    made_id = store.new_id("appRoleAssignments")
    row = {
        "id": made_id,
        "deletedDateTime": None,
        "appRoleId": body["appRoleId"],
        "createdDateTime": "2026-01-05T09:00:00Z",
        "principalDisplayName": held.get("displayName"),
        "principalId": who,
        "principalType": "User" if user else "Group",
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


def group(store: Store, group_id: str) -> Plain:
    found = store.groups.get(group_id)
    if found is None:
        raise not_found(group_id)
    return found


def members(store: Store, found: Plain) -> list[User | Plain]:
    """Direct members: users and groups."""
    ids = found.attributes.get("members", ())
    return [one for one in (store.users.get(i) or store.groups.get(i) for i in ids) if one is not None]


def patch_principal(store: Store, found: ServicePrincipal, changes: Attributes) -> None:
    _patch(store, "servicePrincipals", found, changes, _PRINCIPAL)


def patch_application(store: Store, found: Application, changes: Attributes) -> None:
    _patch(store, "applications", found, changes, _APPLICATION)


def _patch(store: Store, kind: str, found: Application, changes: Attributes, known: frozenset[str]) -> None:
    for name in changes:
        if name not in known:
            raise bad_request(f"Invalid property '{name}'.")
    if "api" in changes:
        changes = {**changes, "api": {**(found.attributes.get("api") or {}), **changes["api"]}}
    store.commit(put=[(kind, replace(found, attributes={**found.attributes, **changes}))])


def create_principal(store: Store, body: Attributes) -> ServicePrincipal:
    app = store.applications.get(store.app_ids.get(str(body.get("appId")), ""))
    if app is None:
        raise bad_request(
            f"The appId '{body.get('appId')}' of the service principal does not reference a valid application object."
        )
    if app.app_id in store.principal_app_ids:
        raise GraphError(
            409,
            "Request_MultipleObjectsWithSameKeyValue",
            "The service principal cannot be created, updated, or restored because the service principal name "
            f"{app.app_id} is already in use.",
        )
    made_id = store.new_id("servicePrincipals")
    attributes = {
        "id": made_id,
        "appId": app.app_id,
        "displayName": app.display_name,
        "appOwnerOrganizationId": store.tenant_id,
        "accountEnabled": True,
        "appRoles": app.attributes.get("appRoles", []),
        "keyCredentials": [],
        "preferredTokenSigningKeyThumbprint": None,
        "servicePrincipalNames": [app.app_id, *app.attributes.get("identifierUris", ())],
    }
    made = ServicePrincipal(made_id, attributes, app.owners)
    store.commit(put=[("servicePrincipals", made)])
    return made


def delete_principal(store: Store, found: ServicePrincipal) -> None:
    roles = [one["id"] for one in assigned_to(store, found)]
    links = [link.id for link in store.links.values() if link.service_principal_id == found.id]
    store.commit(
        remove=[
            ("servicePrincipals", found.id),
            *(("appRoleAssignments", one) for one in roles),
            *(("assignments", one) for one in links),
        ]
    )


def custom_claims(store: Store, principal: ServicePrincipal) -> Attributes:
    """The custom claims policy; what is answered when none was ever set is a dial (D)."""
    found = store.claims_policies.get(principal.id)
    if found is not None:
        return found.attributes
    if store.dials().absent_claims_policy == "not_found":
        raise not_found(principal.id)
    return {"id": principal.id, "includeBasicClaimSet": False, "claims": []}


def put_custom_claims(store: Store, principal: ServicePrincipal, body: Attributes) -> None:
    row = {**body, "id": principal.id}
    store.commit(put=[("claimsPolicies", Plain(principal.id, row))])


def roles_of_user(store: Store, key: str) -> list[Attributes]:
    """Direct assignments of a user and those of the groups it is a direct member of (A)."""
    user = users.find(store, key)
    own = {user.id, *(one.id for one in store.groups.values() if user.id in one.attributes.get("members", ()))}
    return [one.attributes for one in store.role_assignments.values() if one.attributes["principalId"] in own]
