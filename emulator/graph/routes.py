"""The table of what is served: method and path, and the handler that answers. Roles and costs are in calls.json."""

from __future__ import annotations

from emulator.graph import render
from emulator.graph.handlers import applications, directory
from emulator.graph.handlers.applications import POLICIES, application_of, principal_of
from emulator.graph.handlers.directory import group_of, page_of_objects, page_of_roles, user_of
from emulator.graph.routing import Handler
from emulator.tenant import access, extensions, policies, principals, users

_PROPERTIES = "/applications/{application}/extensionProperties"
_PRINCIPAL = "/servicePrincipals/{principal}"
_LINKS = f"{_PRINCIPAL}/claimsMappingPolicies"
_ROLES = f"{_PRINCIPAL}/appRoleAssignedTo"

ROUTES: dict[str, Handler] = {
    "GET /users": directory.list_users,
    "GET /users/$count": directory.count_users,
    "POST /users": lambda call: render.entity(
        call, "users", render.user(call, users.create(call.store, call.body())), 201
    ),
    "GET /users/{user}": lambda call: render.entity(call, "users", render.user(call, user_of(call))),
    "PATCH /users/{user}": lambda call: users.patch(call.store, call.key("user"), call.body()),
    "DELETE /users/{user}": lambda call: users.delete(call.store, call.key("user")),
    "GET /users/{user}/appRoleAssignments": lambda call: page_of_roles(
        call, access.list_assignments_of(call.store, user_of(call).id)
    ),
    "GET /users/{user}/transitiveMemberOf": lambda call: page_of_objects(
        call, access.list_transitive_groups(call.store, user_of(call).id)
    ),
    "GET /applications": lambda call: applications.page_of_applications(
        call, "applications", call.store.applications, "Application"
    ),
    "GET /applications/{application}": lambda call: render.entity(
        call, "applications", render.application(call, application_of(call))
    ),
    "PATCH /applications/{application}": lambda call: principals.patch_application(
        call.store, application_of(call), call.body()
    ),
    f"GET {_PROPERTIES}": applications.list_properties,
    f"POST {_PROPERTIES}": applications.create_property,
    f"GET {_PROPERTIES}/{{property}}": applications.get_property,
    f"DELETE {_PROPERTIES}/{{property}}": lambda call: extensions.delete(
        call.store, application_of(call), call.guid("property")
    ),
    "POST /directoryObjects/getAvailableExtensionProperties": applications.list_available_properties,
    "GET /servicePrincipals": lambda call: applications.page_of_applications(
        call, "servicePrincipals", call.store.service_principals, "ServicePrincipal"
    ),
    "POST /servicePrincipals": lambda call: render.entity(
        call, "servicePrincipals", render.application(call, principals.create_principal(call.store, call.body())), 201
    ),
    f"GET {_PRINCIPAL}": lambda call: render.entity(
        call, "servicePrincipals", render.application(call, principal_of(call))
    ),
    f"PATCH {_PRINCIPAL}": lambda call: principals.patch_principal(call.store, principal_of(call), call.body()),
    f"DELETE {_PRINCIPAL}": lambda call: principals.delete_principal(call.store, principal_of(call)),
    f"GET {_LINKS}": applications.list_assigned_policies,
    f"POST {_LINKS}": applications.refuse_without_ref,
    f"POST {_LINKS}/$ref": lambda call: policies.assign(call.store, principal_of(call), call.referenced_id(POLICIES)),
    f"DELETE {_LINKS}/{{policy}}/$ref": lambda call: policies.unassign(
        call.store, principal_of(call), call.guid("policy")
    ),
    f"GET {_ROLES}": lambda call: page_of_roles(call, access.list_assignments_to(call.store, principal_of(call))),
    f"POST {_ROLES}": lambda call: render.entity(
        call, "appRoleAssignments", access.assign_role(call.store, principal_of(call), call.body()), 201
    ),
    f"DELETE {_ROLES}/{{assignment}}": lambda call: access.remove_role(
        call.store, principal_of(call), call.key("assignment")
    ),
    f"GET {_PRINCIPAL}/claimsPolicy": applications.get_custom_claims,
    f"PUT {_PRINCIPAL}/claimsPolicy": lambda call: principals.put_custom_claims(
        call.store, principal_of(call), call.body()
    ),
    f"PATCH {_PRINCIPAL}/claimsPolicy": lambda call: principals.patch_custom_claims(
        call.store, principal_of(call), call.body()
    ),
    f"GET /{POLICIES}": applications.list_policies,
    f"POST /{POLICIES}": lambda call: render.entity(
        call, POLICIES, render.policy(call, policies.create(call.store, call.body())), 201
    ),
    f"GET /{POLICIES}/{{policy}}": lambda call: render.entity(
        call, POLICIES, render.policy(call, call.store.policy_view.read(call.guid("policy")))
    ),
    f"PATCH /{POLICIES}/{{policy}}": lambda call: policies.patch(call.store, call.guid("policy"), call.body()),
    f"DELETE /{POLICIES}/{{policy}}": lambda call: policies.delete(call.store, call.guid("policy")),
    f"GET /{POLICIES}/{{policy}}/appliesTo": applications.list_principals_of,
    "GET /groups": directory.list_groups,
    "GET /groups/{group}": lambda call: render.entity(call, "groups", render.group(call, group_of(call))),
    "GET /groups/{group}/members": lambda call: page_of_objects(
        call, access.list_direct_members(call.store, group_of(call))
    ),
    "POST /groups/{group}/members/$ref": lambda call: access.add_member(
        call.store, group_of(call), call.referenced_id("users", "groups")
    ),
    "DELETE /groups/{group}/members/{member}/$ref": lambda call: access.remove_member(
        call.store, group_of(call), call.guid("member")
    ),
    "GET /groups/{group}/transitiveMembers": lambda call: page_of_objects(
        call, access.list_transitive_members(call.store, group_of(call))
    ),
    "GET /organization": lambda call: render.page(call, "organization", [call.store.organization], render.organization),
}
