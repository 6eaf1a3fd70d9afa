"""The table of what is served: method, path, the permission it needs, its cost, and the handler that answers.

Costs (resource units, writes): microsoft-graph-docs-contrib concepts/throttling-limits.md (A); an unlisted POST
counts as a write even when it only reads, as getAvailableExtensionProperties does (A for the rule, D for that action).
"""

from __future__ import annotations

from emulator.graph.handlers import access, applications, groups, policies, users
from emulator.graph.routing import Route

_READ, _READ2, _READ3, _READ5, _WRITE = (1, 0), (2, 0), (3, 0), (5, 0), (1, 1)
# Paths.
_APP = "/applications/{application}"
_PRINCIPAL = "/servicePrincipals/{principal}"
_PROPERTIES = f"{_APP}/extensionProperties"
_PROPERTY = f"{_PROPERTIES}/{{property}}"
_POLICIES = "/policies/claimsMappingPolicies"
_POLICY = f"{_POLICIES}/{{policy}}"
_ASSIGNED = f"{_PRINCIPAL}/claimsMappingPolicies"
_ROLES = f"{_PRINCIPAL}/appRoleAssignedTo"
_CLAIMS = f"{_PRINCIPAL}/claimsPolicy"
_AVAILABLE = "/directoryObjects/getAvailableExtensionProperties"
# Entries of permissions.json that are long or used several times.
_READ_APP = "GET applications/{id}, applications(appId='...')"
_READ_PRINCIPAL = "GET servicePrincipals/{id}, servicePrincipals(appId='...')"
_READ_USERS = "GET users, users/$count"
_READ_LISTS = "GET servicePrincipals / applications (list, $filter, $search)"
_READ_POLICY = "GET policies/claimsMappingPolicies[/{id}]"
_READ_APPLIED = "GET policies/claimsMappingPolicies/{id}/appliesTo"
_READ_ROLES = "GET servicePrincipals/{id}|(appId='...')/appRoleAssignedTo"
_READ_GROUPS = "GET groups, groups/{id}"
_READ_MEMBERS = "GET groups/{id}/members[/microsoft.graph.user]"
_READ_ALL_MEMBERS = "GET groups/{id}/transitiveMembers[/microsoft.graph.user]"
_READ_CLAIMS = "GET servicePrincipals/{id}/claimsPolicy (beta)"
_WRITE_PRINCIPAL = "PATCH/DELETE servicePrincipals"
_WRITE_POLICY = "POST/PATCH/DELETE policies/claimsMappingPolicies"
_WRITE_ROLES = "POST/DELETE appRoleAssignedTo"
_WRITE_MEMBER = "POST/DELETE groups/{id}/members/$ref"
_WRITE_CLAIMS = "PUT/PATCH servicePrincipals/{id}/claimsPolicy (beta)"
_LINKS = "POST/DELETE/GET servicePrincipals/{id}/claimsMappingPolicies[/$ref]"

ROUTES: tuple[Route, ...] = (
    Route("GET", "/users", _READ_USERS, _READ2, users.list_users),
    Route("GET", "/users/$count", _READ_USERS, _READ, users.count_users),
    Route("POST", "/users", "POST users", _WRITE, users.create_user),
    Route("GET", "/users/{user}", "GET users/{id|upn}", _READ, users.get_user),
    Route("PATCH", "/users/{user}", "PATCH users/{id|upn}", _WRITE, users.patch_user),
    Route("DELETE", "/users/{user}", "DELETE users/{id|upn}", _WRITE, users.delete_user),
    Route(
        "GET", "/users/{user}/appRoleAssignments", "GET users/{id|upn}/appRoleAssignments", _READ, access.list_roles_of
    ),
    Route(
        "GET",
        "/users/{user}/transitiveMemberOf",
        "GET users/{id|upn}/transitiveMemberOf",
        _READ2,
        groups.list_groups_of,
    ),
    Route("GET", "/applications", _READ_LISTS, _READ2, applications.list_applications),
    Route("GET", _APP, _READ_APP, _READ2, applications.get_application),
    Route("PATCH", _APP, "PATCH applications", _WRITE, applications.patch_application),
    Route("GET", _PROPERTIES, "GET applications/{id}/extensionProperties", _READ2, applications.list_properties),
    Route("POST", _PROPERTIES, "POST applications/{id}/extensionProperties", _WRITE, applications.create_property),
    Route("GET", _PROPERTY, "GET applications/{id}/extensionProperties/{id}", _READ2, applications.get_property),
    Route(
        "DELETE", _PROPERTY, "DELETE applications/{id}/extensionProperties/{id}", _WRITE, applications.delete_property
    ),
    Route("POST", _AVAILABLE, f"POST {_AVAILABLE[1:]}", _WRITE, applications.list_available_properties),
    Route("GET", "/servicePrincipals", _READ_LISTS, _READ, applications.list_principals),
    Route("POST", "/servicePrincipals", "POST servicePrincipals", _WRITE, applications.create_principal),
    Route("GET", _PRINCIPAL, _READ_PRINCIPAL, _READ, applications.get_principal),
    Route("PATCH", _PRINCIPAL, _WRITE_PRINCIPAL, _WRITE, applications.patch_principal),
    Route("DELETE", _PRINCIPAL, _WRITE_PRINCIPAL, _WRITE, applications.delete_principal),
    Route("GET", _ASSIGNED, _LINKS, _READ, policies.list_assigned),
    Route("POST", _ASSIGNED, _LINKS, _WRITE, policies.assign_without_ref),
    Route("POST", f"{_ASSIGNED}/$ref", _LINKS, _WRITE, policies.assign),
    Route("DELETE", f"{_ASSIGNED}/{{policy}}/$ref", _LINKS, _WRITE, policies.unassign),
    Route("GET", _ROLES, _READ_ROLES, _READ, access.list_assigned_to),
    Route("POST", _ROLES, _WRITE_ROLES, _WRITE, access.assign_role),
    Route("DELETE", f"{_ROLES}/{{assignment}}", _WRITE_ROLES, _WRITE, access.remove_role),
    Route("GET", _CLAIMS, _READ_CLAIMS, _READ, applications.get_custom_claims, beta_only=True),
    Route("PUT", _CLAIMS, _WRITE_CLAIMS, _WRITE, applications.put_custom_claims, beta_only=True),
    Route("PATCH", _CLAIMS, _WRITE_CLAIMS, _WRITE, applications.patch_custom_claims, beta_only=True),
    Route("GET", _POLICIES, _READ_POLICY, _READ, policies.list_policies),
    Route("POST", _POLICIES, _WRITE_POLICY, _WRITE, policies.create_policy),
    Route("GET", _POLICY, _READ_POLICY, _READ, policies.get_policy),
    Route("PATCH", _POLICY, _WRITE_POLICY, _WRITE, policies.patch_policy),
    Route("DELETE", _POLICY, _WRITE_POLICY, _WRITE, policies.delete_policy),
    Route("GET", f"{_POLICY}/appliesTo", _READ_APPLIED, _READ, policies.list_principals_of),
    Route("GET", "/groups", _READ_GROUPS, _READ, groups.list_groups),
    Route("GET", "/groups/{group}", _READ_GROUPS, _READ, groups.get_group),
    Route("GET", "/groups/{group}/members", _READ_MEMBERS, _READ3, groups.list_members),
    Route("POST", "/groups/{group}/members/$ref", _WRITE_MEMBER, _WRITE, groups.add_member),
    Route("DELETE", "/groups/{group}/members/{member}/$ref", _WRITE_MEMBER, _WRITE, groups.remove_member),
    Route("GET", "/groups/{group}/transitiveMembers", _READ_ALL_MEMBERS, _READ5, groups.list_transitive_members),
    Route("GET", "/organization", "GET organization", _READ, applications.get_organization),
)
