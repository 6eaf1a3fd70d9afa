"""The table of what is served: method and path, and the handler that answers. Roles and costs are in calls.json."""

from collections.abc import Callable
from typing import TypeVar

from emulator.graph import handlers, render
from emulator.graph.call import GraphCall, Handler
from emulator.graph.handlers import POLICIES, application_of, group_of, policy_of, principal_of, typed_row, user_of
from emulator.tenant import access, applications, consents, extensions, identities, policies, principals, users
from emulator.tenant.records import PlainRecord, UserRecord
from emulator.tenant.store import Store
from emulator.types import Attributes

M = TypeVar("M", bound=UserRecord | PlainRecord)
P = TypeVar("P")
T = TypeVar("T")


def _get(fragment: str, read: Callable[[GraphCall], T], show: Callable[[GraphCall, T], Attributes]) -> Handler:
    return lambda call: render.entity(call, fragment, show(call, read(call)))


def _create(
    fragment: str, create: Callable[[Store, Attributes], T], show: Callable[[GraphCall, T], Attributes]
) -> Handler:
    return lambda call: render.entity(call, fragment, show(call, create(call.store, call.body())), 201)


def _assignments(read: Callable[[Store, P], list[Attributes]], parent: Callable[[GraphCall], P]) -> Handler:
    return lambda call: render.page(call, "appRoleAssignments", read(call.store, parent(call)), render.selected)


def _members(read: Callable[[Store, P], list[M]], parent: Callable[[GraphCall], P]) -> Handler:
    return lambda call: render.page(call, "directoryObjects", read(call.store, parent(call)), typed_row)


_APPLICATION = "/applications/{application}"
_FEDERATED = f"{_APPLICATION}/federatedIdentityCredentials"
_PROPERTIES = f"{_APPLICATION}/extensionProperties"
_PRINCIPAL = "/servicePrincipals/{principal}"
_LINKS = f"{_PRINCIPAL}/claimsMappingPolicies"
_ROLES = f"{_PRINCIPAL}/appRoleAssignedTo"
_POLICY = f"/{POLICIES}/{{policy}}"

ROUTES: dict[str, Handler] = {
    "GET /users": lambda call: render.page(call, "users", handlers.matching_users(call), render.user, {"$filter"}),
    "GET /users/$count": handlers.count_users,
    "POST /users": _create("users", users.create, render.user),
    "GET /users/{user}": _get("users", user_of, render.user),
    "PATCH /users/{user}": lambda call: users.patch(call.store, call.key("user"), call.body()),
    "DELETE /users/{user}": lambda call: users.delete(call.store, call.key("user")),
    "GET /users/{user}/manager": handlers.refuse_manager,
    "POST /users/{user}/getMemberGroups": handlers.list_group_ids,
    "POST /users/{user}/checkMemberGroups": handlers.check_group_ids,
    "GET /me": handlers.refuse_me,
    "GET /users/{user}/appRoleAssignments": _assignments(access.list_assignments_of, user_of),
    "GET /users/{user}/transitiveMemberOf": _members(access.list_transitive_groups, user_of),
    "GET /applications": lambda call: handlers.list_applications(call, "applications", call.store.applications),
    f"GET {_APPLICATION}": _get("applications", application_of, render.application),
    "POST /applications": handlers.create_application,
    f"PATCH {_APPLICATION}": lambda call: applications.patch(call.store, application_of(call), call.body()),
    f"DELETE {_APPLICATION}": lambda call: applications.delete(call.store, application_of(call)),
    f"GET {_APPLICATION}/owners": lambda call: handlers.list_owners(call, application_of(call)),
    f"POST {_APPLICATION}/owners/$ref": lambda call: applications.add_owner(
        call.store, application_of(call), call.referenced_id("servicePrincipals")
    ),
    f"DELETE {_APPLICATION}/owners/{{object}}/$ref": lambda call: applications.remove_owner(
        call.store, application_of(call), call.guid("object")
    ),
    f"GET {_PROPERTIES}": handlers.list_properties,
    f"POST {_PROPERTIES}": handlers.create_property,
    f"GET {_PROPERTIES}/{{property}}": handlers.get_property,
    f"DELETE {_PROPERTIES}/{{property}}": lambda call: extensions.delete(
        call.store, application_of(call), call.guid("property")
    ),
    "POST /directoryObjects/getAvailableExtensionProperties": handlers.list_available_properties,
    "GET /servicePrincipals": lambda call: handlers.list_applications(
        call, "servicePrincipals", call.store.service_principals
    ),
    "POST /servicePrincipals": _create("servicePrincipals", principals.create_principal, render.application),
    f"GET {_PRINCIPAL}": _get("servicePrincipals", principal_of, render.application),
    f"PATCH {_PRINCIPAL}": lambda call: principals.patch_principal(call.store, principal_of(call), call.body()),
    f"DELETE {_PRINCIPAL}": lambda call: principals.delete_principal(call.store, principal_of(call)),
    f"GET {_PRINCIPAL}/owners": lambda call: handlers.list_owners(call, principal_of(call)),
    f"POST {_PRINCIPAL}/owners/$ref": lambda call: applications.add_owner(
        call.store, principal_of(call), call.referenced_id("servicePrincipals")
    ),
    f"DELETE {_PRINCIPAL}/owners/{{object}}/$ref": lambda call: applications.remove_owner(
        call.store, principal_of(call), call.guid("object")
    ),
    f"POST {_PRINCIPAL}/addTokenSigningCertificate": handlers.add_signing_certificate,
    f"POST {_APPLICATION}/addPassword": handlers.add_password,
    f"POST {_APPLICATION}/removePassword": lambda call: identities.remove_password(
        call.store, application_of(call), call.body()
    ),
    f"GET {_FEDERATED}": handlers.list_federated,
    f"POST {_FEDERATED}": lambda call: render.entity(
        call, "federatedIdentityCredentials", consents.add_federated(call.store, application_of(call), call.body()), 201
    ),
    f"GET {_FEDERATED}/{{credential}}": _get("federatedIdentityCredentials", handlers.find_federated, render.selected),
    f"DELETE {_FEDERATED}/{{credential}}": lambda call: consents.remove_federated(
        call.store, application_of(call), call.key("credential")
    ),
    f"GET {_PRINCIPAL}/oauth2PermissionGrants": lambda call: render.page(
        call, "oauth2PermissionGrants", consents.list_grants_of(call.store, principal_of(call)), render.selected
    ),
    "GET /oauth2PermissionGrants": handlers.list_grants,
    "POST /oauth2PermissionGrants": _create("oauth2PermissionGrants", consents.grant, render.selected),
    "PATCH /oauth2PermissionGrants/{grant}": lambda call: consents.change_grant(
        call.store, call.key("grant"), call.body()
    ),
    "DELETE /oauth2PermissionGrants/{grant}": lambda call: consents.remove_grant(call.store, call.key("grant")),
    f"GET {_PRINCIPAL}/appRoleAssignments": _assignments(access.list_roles_of, principal_of),
    f"POST {_PRINCIPAL}/appRoleAssignments": lambda call: render.entity(
        call, "appRoleAssignments", access.assign_role_of(call.store, principal_of(call), call.body()), 201
    ),
    f"DELETE {_PRINCIPAL}/appRoleAssignments/{{assignment}}": lambda call: access.remove_role_of(
        call.store, principal_of(call), call.key("assignment")
    ),
    "GET /directoryObjects/{object}": handlers.get_directory_object,
    f"GET {_LINKS}": handlers.list_assigned_policies,
    f"POST {_LINKS}": handlers.refuse_without_ref,
    f"POST {_LINKS}/$ref": lambda call: policies.assign(call.store, principal_of(call), call.referenced_id(POLICIES)),
    f"DELETE {_LINKS}/{{policy}}/$ref": lambda call: policies.unassign(
        call.store, principal_of(call), call.guid("policy")
    ),
    f"GET {_ROLES}": _assignments(access.list_assignments_to, principal_of),
    f"POST {_ROLES}": lambda call: render.entity(
        call, "appRoleAssignments", access.assign_role(call.store, principal_of(call), call.body()), 201
    ),
    f"DELETE {_ROLES}/{{assignment}}": lambda call: access.remove_role(
        call.store, principal_of(call), call.key("assignment")
    ),
    f"GET {_PRINCIPAL}/claimsPolicy": handlers.get_custom_claims,
    f"PUT {_PRINCIPAL}/claimsPolicy": lambda call: principals.write_custom_claims(
        call.store, principal_of(call), call.body(), keep_others=False
    ),
    f"PATCH {_PRINCIPAL}/claimsPolicy": lambda call: principals.write_custom_claims(
        call.store, principal_of(call), call.body(), keep_others=True
    ),
    f"GET /{POLICIES}": handlers.list_policies,
    f"POST /{POLICIES}": _create(POLICIES, policies.create, render.policy),
    f"GET {_POLICY}": _get(POLICIES, policy_of, render.policy),
    f"PATCH {_POLICY}": lambda call: policies.patch(call.store, call.guid("policy"), call.body()),
    f"DELETE {_POLICY}": lambda call: policies.delete(call.store, call.guid("policy")),
    f"GET {_POLICY}/appliesTo": handlers.list_principals_of,
    "GET /groups": handlers.list_groups,
    "GET /groups/{group}": _get("groups", group_of, render.group),
    "GET /groups/{group}/members": _members(access.list_direct_members, group_of),
    "POST /groups/{group}/members/$ref": lambda call: access.add_member(
        call.store, group_of(call), call.referenced_id("users", "groups")
    ),
    "DELETE /groups/{group}/members/{member}/$ref": lambda call: access.remove_member(
        call.store, group_of(call), call.guid("member")
    ),
    "GET /groups/{group}/transitiveMembers": _members(access.list_transitive_members, group_of),
    "GET /organization": lambda call: render.page(call, "organization", [call.store.organization], render.organization),
}
