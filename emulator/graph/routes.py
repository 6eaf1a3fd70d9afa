"""The table of what is served: method, path, the permission it needs, its cost, and who answers.

Costs (resource units, writes): microsoft-graph-docs-contrib concepts/throttling-limits.md (A); an unlisted POST
counts as a write even when it only reads, as getAvailableExtensionProperties does (A for the rule, D for that action).
"""

from __future__ import annotations

from emulator.graph.handlers import access, applications, groups, policies, principals, users
from emulator.graph.routing import Route

_READ, _READ2, _READ3, _READ5, _WRITE = (1, 0), (2, 0), (3, 0), (5, 0), (1, 1)
_LINKS = "POST/DELETE/GET servicePrincipals/{id}/claimsMappingPolicies[/$ref]"
_PROPERTY = "applications/{id}/extensionProperties"
_SET = "/policies/claimsMappingPolicies"
_HELD = "/servicePrincipals/{principal}/claimsMappingPolicies"
_ROLES = "/servicePrincipals/{principal}/appRoleAssignedTo"
_CLAIMS = "/servicePrincipals/{principal}/claimsPolicy"
_ASSIGNED = "GET servicePrincipals/{id}|(appId='...')/appRoleAssignedTo"
_USER_WRITE = "PATCH users/{id|upn}"
_USERS_READ = "GET users, users/$count"
_LISTS = "GET servicePrincipals / applications (list, $filter, $search)"
_POLICY_WRITE = "POST/PATCH/DELETE policies/claimsMappingPolicies"
_GROUPS = "GET groups, groups/{id}"
_MEMBER_WRITE = "POST/DELETE groups/{id}/members/$ref"
_PRINCIPAL_WRITE = "PATCH/DELETE servicePrincipals"
_CLAIMS_WRITE = "PUT/PATCH servicePrincipals/{id}/claimsPolicy (beta)"
_POLICY_READ = "GET policies/claimsMappingPolicies[/{id}]"

ROUTES: tuple[Route, ...] = (
    Route("PATCH", "/users/{user}", _USER_WRITE, _WRITE, users.patch_user),
    Route("GET", "/users/{user}", "GET users/{id|upn}", _READ, users.get_user),
    Route("GET", "/users", _USERS_READ, _READ2, users.list_users),
    Route("GET", "/users/$count", _USERS_READ, _READ, users.count_users),
    Route("POST", "/users", "POST users", _WRITE, users.create_user),
    Route("DELETE", "/users/{user}", "DELETE users/{id|upn}", _WRITE, users.delete_user),
    Route("GET", "/applications", _LISTS, _READ2, applications.list_applications),
    Route(
        "GET",
        "/applications/{application}",
        "GET applications/{id}, applications(appId='...')",
        _READ2,
        applications.get_application,
    ),
    Route(
        "GET",
        "/applications/{application}/extensionProperties",
        f"GET {_PROPERTY}",
        _READ2,
        applications.list_properties,
    ),
    Route(
        "POST",
        "/applications/{application}/extensionProperties",
        f"POST {_PROPERTY}",
        _WRITE,
        applications.create_property,
    ),
    Route(
        "GET",
        "/applications/{application}/extensionProperties/{property}",
        f"GET {_PROPERTY}/{{id}}",
        _READ2,
        applications.get_property,
    ),
    Route(
        "DELETE",
        "/applications/{application}/extensionProperties/{property}",
        f"DELETE {_PROPERTY}/{{id}}",
        _WRITE,
        applications.delete_property,
    ),
    Route(
        "POST",
        "/directoryObjects/getAvailableExtensionProperties",
        "POST directoryObjects/getAvailableExtensionProperties",
        _WRITE,
        applications.available_properties,
    ),
    Route("GET", "/servicePrincipals", _LISTS, _READ, applications.list_principals),
    Route(
        "GET",
        "/servicePrincipals/{principal}",
        "GET servicePrincipals/{id}, servicePrincipals(appId='...')",
        _READ,
        applications.get_principal,
    ),
    Route("GET", _HELD, _LINKS, _READ, policies.list_assigned),
    Route("POST", _HELD, _LINKS, _WRITE, policies.assign_without_ref),
    Route("POST", f"{_HELD}/$ref", _LINKS, _WRITE, policies.assign),
    Route("DELETE", f"{_HELD}/{{policy}}/$ref", _LINKS, _WRITE, policies.unassign),
    Route("GET", _SET, _POLICY_READ, _READ, policies.list_policies),
    Route("POST", _SET, _POLICY_WRITE, _WRITE, policies.create_policy),
    Route("GET", f"{_SET}/{{policy}}", _POLICY_READ, _READ, policies.get_policy),
    Route("PATCH", f"{_SET}/{{policy}}", _POLICY_WRITE, _WRITE, policies.patch_policy),
    Route("DELETE", f"{_SET}/{{policy}}", _POLICY_WRITE, _WRITE, policies.delete_policy),
    Route(
        "GET",
        f"{_SET}/{{policy}}/appliesTo",
        "GET policies/claimsMappingPolicies/{id}/appliesTo",
        _READ,
        policies.applies_to,
    ),
    Route("GET", _ROLES, _ASSIGNED, _READ, access.list_assigned_to),
    Route("POST", _ROLES, "POST/DELETE appRoleAssignedTo", _WRITE, access.assign_role),
    Route("DELETE", f"{_ROLES}/{{assignment}}", "POST/DELETE appRoleAssignedTo", _WRITE, access.take_role),
    Route(
        "GET",
        "/users/{user}/appRoleAssignments",
        "GET users/{id|upn}/appRoleAssignments",
        _READ,
        access.list_roles_of_user,
    ),
    Route("GET", "/groups", _GROUPS, _READ, groups.list_groups),
    Route("GET", "/groups/{group}", _GROUPS, _READ, groups.get_group),
    Route(
        "GET", "/groups/{group}/members", "GET groups/{id}/members[/microsoft.graph.user]", _READ3, groups.list_members
    ),
    Route("POST", "/groups/{group}/members/$ref", _MEMBER_WRITE, _WRITE, groups.add_member),
    Route("DELETE", "/groups/{group}/members/{member}/$ref", _MEMBER_WRITE, _WRITE, groups.remove_member),
    Route(
        "GET",
        "/groups/{group}/transitiveMembers",
        "GET groups/{id}/transitiveMembers[/microsoft.graph.user]",
        _READ5,
        groups.list_transitive_members,
    ),
    Route(
        "GET",
        "/users/{user}/transitiveMemberOf",
        "GET users/{id|upn}/transitiveMemberOf",
        _READ2,
        groups.list_groups_of_user,
    ),
    Route("POST", "/servicePrincipals", "POST servicePrincipals", _WRITE, principals.create_principal),
    Route("PATCH", "/servicePrincipals/{principal}", _PRINCIPAL_WRITE, _WRITE, principals.patch_principal),
    Route("DELETE", "/servicePrincipals/{principal}", _PRINCIPAL_WRITE, _WRITE, principals.delete_principal),
    Route("PATCH", "/applications/{application}", "PATCH applications", _WRITE, principals.patch_application),
    Route(
        "GET",
        _CLAIMS,
        "GET servicePrincipals/{id}/claimsPolicy (beta)",
        _READ,
        principals.get_custom_claims,
        beta_only=True,
    ),
    Route("PUT", _CLAIMS, _CLAIMS_WRITE, _WRITE, principals.put_custom_claims, beta_only=True),
    Route("PATCH", _CLAIMS, _CLAIMS_WRITE, _WRITE, principals.patch_custom_claims, beta_only=True),
    Route("GET", "/organization", "GET organization", _READ, applications.get_organization),
)
