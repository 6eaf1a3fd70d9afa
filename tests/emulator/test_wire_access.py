"""If this goes red, preview and prediction read roles, groups or keys that Entra would not show.

Raw standard-library HTTP, refusals in the same tables; v1.0 exchanges are held against Microsoft's schema.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.emulator.process import AZURE_CLI, LEAST, POLICY_WRITER, PREVIEW, SEED, TENANT, Emulator
from tests.emulator.tenant import (
    ABSENT,
    FLEX,
    FLEX_APP,
    STAGING,
    STAGING_APP,
    USERS,
    Tenant,
    bad,
    full_name,
    gone,
    unavailable,
)

ROLES = f"/servicePrincipals/{FLEX['id']}/appRoleAssignedTo"
CLAIMS = f"/servicePrincipals/{FLEX['id']}/claimsPolicy"
PRINCIPAL, APPLICATION = f"/servicePrincipals/{FLEX['id']}", f"/applications/{FLEX_APP['id']}"
NORA, MARY = USERS["nora@contoso.example"], USERS["mary_fabrikam.example#EXT#@contoso.example"]


def test_roles_are_paged_and_name_the_group_not_its_members(tenant: Tenant) -> None:
    listed = tenant.emulator.graph("GET", f"{ROLES}?$top=4").json
    assert len(listed["value"]) == 4
    rest = listed["@odata.nextLink"].split("/v1.0")[1]
    rows = listed["value"] + tenant.emulator.graph("GET", rest).json["value"]
    kinds = {row["principalDisplayName"]: row["principalType"] for row in rows}
    assert kinds["Flex agents"] == "Group"
    assert NORA["displayName"] not in kinds
    by_app_id = f"/servicePrincipals(appId='{FLEX['appId']}')/appRoleAssignedTo?$top=999"
    assert len(tenant.emulator.graph("GET", by_app_id).json["value"]) == len(rows)


def test_a_role_of_a_group_is_its_direct_members_only(tenant: Tenant) -> None:
    def roles(user: str) -> list[str]:
        rows = tenant.emulator.graph("GET", f"/users/{user}/appRoleAssignments").json["value"]
        return [row["principalType"] for row in rows]

    assert roles(MARY["id"]) == ["Group"]
    assert roles(NORA["id"]) == [], "nesting does not cascade"
    (group,) = (row for row in tenant.emulator.graph("GET", ROLES).json["value"] if row["principalType"] == "Group")
    members = tenant.emulator.graph("GET", f"/groups/{group['principalId']}/members?$select=id").json["value"]
    assert [member["@odata.type"] for member in members] == ["#microsoft.graph.user", "#microsoft.graph.group"]
    assert tenant.emulator.graph("GET", f"/groups/{ABSENT}").error == gone(ABSENT)


def test_a_role_is_assigned_and_removed(tenant: Tenant) -> None:
    agent = next(role["id"] for role in FLEX["appRoles"] if role["value"] == "agent")
    body = {"principalId": NORA["id"], "resourceId": FLEX["id"], "appRoleId": agent}
    made = tenant.emulator.graph("POST", ROLES, body)
    assert (made.status, made.json["principalType"]) == (201, "User")
    assert tenant.emulator.graph("DELETE", f"{ROLES}/{made.json['id']}").status == 204
    assert tenant.emulator.graph("DELETE", f"{ROLES}/{made.json['id']}").error == gone(made.json["id"])
    unknown = bad(f"Permission being assigned was not found on application '{FLEX['appId']}'.")
    assert tenant.emulator.graph("POST", ROLES, {**body, "appRoleId": ABSENT[:-1] + "1"}).error == unknown
    assert tenant.emulator.graph("POST", ROLES, {**body, "resourceId": STAGING["id"]}).error == unknown
    ill = bad("One or more properties contains invalid values.")
    assert tenant.emulator.graph("POST", ROLES, {**body, "appRoleId": [agent]}).error == ill
    assert tenant.emulator.graph("POST", ROLES, {**body, "appRoleId": ABSENT}).status == 201, "assigned without a role"
    twice = bad("Permission being assigned already exists on the object")
    assert tenant.emulator.graph("POST", ROLES, {**body, "appRoleId": ABSENT}).error == twice
    assert tenant.emulator.graph("POST", ROLES, {**body, "principalId": ABSENT}).error == gone(ABSENT)


@pytest.mark.parametrize(("dial", "status"), [("not_found", 404), ("empty", 200)])
def test_custom_claims_are_beta_and_their_absence_is_a_dial(tenant: Tenant, dial: str, status: int) -> None:
    tenant.emulator.dials(absent_claims_policy=dial)
    assert tenant.emulator.graph("GET", CLAIMS, version="beta").status == status
    assert tenant.emulator.graph("PUT", CLAIMS, {"claims": [{"name": "x"}]}, version="beta").status == 204
    assert tenant.emulator.graph("PATCH", CLAIMS, {"includeBasicClaimSet": True}, version="beta").status == 204
    set_up = tenant.emulator.graph("GET", CLAIMS, version="beta").json
    assert (set_up["claims"], set_up["includeBasicClaimSet"]) == ([{"name": "x"}], True)
    assert tenant.emulator.graph("PUT", CLAIMS, {}, version="beta").status == 204
    assert tenant.emulator.graph("GET", CLAIMS, version="beta").json["claims"] == [], "PUT replaces everything"
    wrong = {"requests": [{"id": "1", "method": "GET", "url": CLAIMS}]}
    (item,) = tenant.emulator.graph("POST", "/$batch", wrong).json["responses"]
    assert (item["status"], item["body"]["error"]["code"]) == (405, "Request_BadRequest")
    assert tenant.emulator.graph("POST", "/$batch", wrong, version="beta").json["responses"][0]["status"] == 200


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"claims": None}, "Invalid value specified for property 'claims' of resource 'CustomClaimsPolicy'."),
        ({"definition": []}, "Invalid property 'definition'."),
    ],
)
def test_invalid_custom_claims_are_refused(tenant: Tenant, body: dict[str, Any], words: str) -> None:
    assert tenant.emulator.graph("PUT", CLAIMS, body, version="beta").error == bad(words)
    assert tenant.emulator.graph("PATCH", CLAIMS, {}, version="beta").error == gone(FLEX["id"]), "nothing to change"
    assert tenant.emulator.graph("GET", CLAIMS, version="beta").status == 404


def test_a_principal_created_again_is_another_object_without_links(tenant: Tenant) -> None:
    policy = tenant.post_policy().json["id"]
    url = f"{tenant.emulator.http}/v1.0/policies/claimsMappingPolicies/{policy}"
    links = f"/servicePrincipals/{STAGING['id']}/claimsMappingPolicies"
    assert tenant.emulator.graph("POST", f"{links}/$ref", {"@odata.id": url}).status == 204
    assert tenant.emulator.graph("DELETE", f"/servicePrincipals/{STAGING['id']}").status == 204
    assert tenant.emulator.graph("GET", links).error == gone(STAGING["id"])
    made = tenant.emulator.graph("POST", "/servicePrincipals", {"appId": STAGING_APP["appId"]})
    assert made.status == 201
    assert made.json["id"] != STAGING["id"]
    second = tenant.emulator.graph("POST", "/servicePrincipals", {"appId": STAGING_APP["appId"]})
    assert second.error[:2] == (409, "Request_MultipleObjectsWithSameKeyValue")
    assert tenant.emulator.graph("GET", f"/policies/claimsMappingPolicies/{policy}/appliesTo").json["value"] == []


def test_a_deleted_principal_loses_roles_claims_and_usable_extensions(tenant: Tenant) -> None:
    tenant.property("languages")
    name = full_name("languages")
    assert tenant.patch({name: "en"}).status == 204
    assert tenant.emulator.graph("PUT", CLAIMS, {}, version="beta").status == 204
    assert tenant.emulator.graph("DELETE", f"/servicePrincipals/{FLEX['id']}").status == 204
    left = tenant.emulator.export()
    assert (left["appRoleAssignments"], left["claimsPolicies"]) == ([], [])
    assert tenant.patch({name: "de"}).error == unavailable(name)
    made = tenant.emulator.graph("POST", "/servicePrincipals", {"appId": FLEX["appId"]}).json
    assert tenant.value(name) == "en", "the value outlived the principal"
    assert tenant.patch({name: "de"}).status == 204
    assert (made["preferredTokenSigningKeyThumbprint"], made["keyCredentials"]) == (None, [])
    assert made["appRoleAssignmentRequired"] is False


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            {"appId": ABSENT},
            f"The appId '{ABSENT}' of the service principal does not reference a valid application object.",
        ),
        ({}, "The appId 'None' of the service principal does not reference a valid application object."),
        ({"appId": STAGING_APP["appId"], "id": ABSENT}, "Invalid property 'id'."),
    ],
)
def test_an_invalid_principal_is_refused(tenant: Tenant, body: dict[str, Any], words: str) -> None:
    assert tenant.emulator.graph("POST", "/servicePrincipals", body).error == bad(words)


@pytest.mark.parametrize(
    ("path", "change"),
    [
        (PRINCIPAL, {"accountEnabled": False}),
        (PRINCIPAL, {"appRoleAssignmentRequired": True}),
        (PRINCIPAL, {"preferredTokenSigningKeyThumbprint": None}),
        (PRINCIPAL, {"keyCredentials": []}),
        (
            PRINCIPAL,
            {"tags": ["a"], "notes": "x", "loginUrl": "https://x.example", "notificationEmailAddresses": ["a@x"]},
        ),
        (
            APPLICATION,
            {"tags": [], "description": None, "groupMembershipClaims": "None", "identifierUris": ["api://x"]},
        ),
        (
            f"/users/{NORA['id']}",
            {"employeeHireDate": "2026-01-02T00:00:00Z", "businessPhones": ["+1"], "otherMails": []},
        ),
        (APPLICATION, {"signInAudience": "AzureADMultipleOrgs"}),
        (f"/users/{NORA['id']}", {"accountEnabled": False, "mail": None, "displayName": "N.", "userType": "Guest"}),
    ],
)
def test_others_may_change_what_preflight_reads(tenant: Tenant, path: str, change: dict[str, Any]) -> None:
    assert tenant.emulator.graph("PATCH", path, change).status == 204
    body = tenant.emulator.graph("GET", f"{path}?$select={','.join(change)}").json
    assert {name: body[name] for name in change} == change
    assert tenant.emulator.graph("PATCH", path, change, client=PREVIEW).status == 403


@pytest.mark.parametrize(
    ("path", "change", "words"),
    [
        (PRINCIPAL, {"oauth": 1}, "Invalid property 'oauth'."),
        (
            PRINCIPAL,
            {"accountEnabled": "no"},
            "Invalid value specified for property 'accountEnabled' of resource 'ServicePrincipal'.",
        ),
        (APPLICATION, {"api": None}, "Invalid value specified for property 'api' of resource 'Application'."),
        (APPLICATION, {"identifierUris": ["api://flex/"]}, "IdentifierUrisEndsWithSlash"),  # as it was recorded
        *(
            (path, {name: value}, f"Invalid value specified for property '{name}' of resource '{resource}'.")
            for path, resource, name, value in (
                (APPLICATION, "Application", "identifierUris", [5]),
                (APPLICATION, "Application", "identifierUris", None),
                (APPLICATION, "Application", "api", {"acceptMappedClaims": "yes"}),
                (APPLICATION, "Application", "api", {"unknown": 1}),
                (APPLICATION, "Application", "appRoles", [{"value": "x"}]),  # without an id
                (APPLICATION, "Application", "web", {"redirectUris": "https://x"}),
                (PRINCIPAL, "ServicePrincipal", "keyCredentials", [5]),
                (PRINCIPAL, "ServicePrincipal", "keyCredentials", [{"keyId": "x"}]),
                (PRINCIPAL, "ServicePrincipal", "keyCredentials", [{"key": "?"}]),
                (PRINCIPAL, "ServicePrincipal", "keyCredentials", [{"endDateTime": "tomorrow"}]),
                (PRINCIPAL, "ServicePrincipal", "tokenEncryptionKeyId", "x"),
                (PRINCIPAL, "ServicePrincipal", "tags", [None]),
            )
        ),
    ],
)
def test_an_invalid_change_is_refused(tenant: Tenant, path: str, change: dict[str, Any], words: str) -> None:
    assert tenant.emulator.graph("PATCH", path, change).error == bad(words)


def test_an_application_is_patched_by_member_and_its_principal_copies(tenant: Tenant) -> None:
    patch = {"api": {"acceptMappedClaims": True}, "identifierUris": ["api://flex"], "@odata.type": "#x"}
    assert tenant.emulator.graph("PATCH", APPLICATION, patch).status == 204
    api = tenant.emulator.graph("GET", f"{APPLICATION}?$select=api").json["api"]
    empty: dict[str, list[str]] = {
        key: [] for key in ("knownClientApplications", "oauth2PermissionScopes", "preAuthorizedApplications")
    }
    assert api == {**empty, **FLEX_APP["api"], "acceptMappedClaims": True}
    names = tenant.emulator.graph("GET", PRINCIPAL).json["servicePrincipalNames"]
    assert sorted(names) == sorted(["api://flex", FLEX["appId"]])


@pytest.mark.parametrize(
    ("client", "method", "path", "allowed"),
    [
        (PREVIEW, "GET", ROLES, True),
        (PREVIEW, "DELETE", f"/servicePrincipals/{STAGING['id']}", False),
        (LEAST, "GET", "/groups/6c0d9a34-2a0e-5b0c-8d3e-0a4a5c7b1e01/members", False),
        (POLICY_WRITER, "GET", f"/users/{NORA['id']}/appRoleAssignments", False),
        (POLICY_WRITER, "POST", ROLES, False),
        (POLICY_WRITER, "GET", f"/beta{CLAIMS}", True),
        (PREVIEW, "GET", f"/beta{CLAIMS}", True),
        (PREVIEW, "PUT", f"/beta{CLAIMS}", False),
        (LEAST, "PATCH", PRINCIPAL, True),
        (LEAST, "PATCH", f"/servicePrincipals/{STAGING['id']}", False),
        (LEAST, "PATCH", APPLICATION, True),
        (LEAST, "PATCH", f"/applications/{STAGING_APP['id']}", False),
        (LEAST, "POST", "/servicePrincipals", False),
    ],
)
def test_who_may_read_them(tenant: Tenant, client: str, method: str, path: str, allowed: bool) -> None:
    version, path = ("beta", path.removeprefix("/beta")) if path.startswith("/beta/") else ("v1.0", path)
    body: dict[str, Any] | None = None if method in ("GET", "DELETE") else {}
    answer = tenant.emulator.graph(method, path, body, client=client, version=version)
    assert (answer.status != 403) is allowed


def test_a_token_names_its_roles(tenant: Tenant) -> None:
    header, payload, signature = tenant.emulator.token(LEAST).split(".")
    assert _decoded(header)["alg"] == "RS256"
    claims = _decoded(payload)
    (client,) = (client for client in json.loads(SEED.read_text())["clients"] if client["id"] == LEAST)
    assert claims["roles"] == sorted(client["roles"])
    assert (claims["appid"], claims["tid"], claims["aud"]) == (LEAST, TENANT, tenant.emulator.http)
    assert (claims["iss"], claims["ver"]) == (f"https://sts.windows.net/{TENANT}/", "1.0")
    assert claims["nbf"] == claims["iat"] == claims["exp"] - 3599
    assert len(claims["oid"]) == 36
    assert claims["app_displayname"] == client["displayName"]
    altered = {"Authorization": f"Bearer {header}.{payload}.{signature[:-2]}AA"}
    refused = tenant.emulator.request("GET", "/v1.0/users", headers=altered)
    assert refused.error[:2] == (401, "InvalidAuthenticationToken"), "tokens are compared completely"


def test_the_token_of_a_person_names_its_scopes(tenant: Tenant) -> None:
    claims = _decoded(tenant.emulator.token(AZURE_CLI).split(".")[1])
    assert (claims["idtyp"], claims["appid"]) == ("user", AZURE_CLI)
    scopes = "AppRoleAssignment.ReadWrite.All Application.ReadWrite.All Directory.AccessAsUser.All User.ReadWrite.All"
    assert claims["scp"] == scopes
    assert "roles" not in claims
    for method, path, allowed in (
        ("POST", f"{APPLICATION}/extensionProperties", True),
        ("POST", "/policies/claimsMappingPolicies", False),
        ("GET", f"{PRINCIPAL}/claimsMappingPolicies", False),
        ("GET", "/organization", False),
    ):
        body: dict[str, Any] | None = None if method == "GET" else {}
        answer = tenant.emulator.graph(method, path, body, client=AZURE_CLI)
        assert (answer.status != 403) is allowed, path


def _decoded(segment: str) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    return fields


@pytest.mark.parametrize("version", ["2022-09-01", "2019-05-01"])
def test_the_cloud_describes_its_endpoints(emulator: Emulator, version: str) -> None:
    answer = emulator.request("GET", f"/metadata/endpoints?api-version={version}")
    clouds = answer.json if version == "2019-05-01" else [answer.json]
    assert answer.status == 200
    assert [cloud["authentication"]["loginEndpoint"] for cloud in clouds] == [emulator.http]
    assert clouds[0]["microsoftGraphResourceId"] == f"{emulator.http}/"


@pytest.mark.parametrize(
    ("query", "code"), [("", "MissingApiVersionParameter"), ("?api-version=2015-01-01", "InvalidApiVersionParameter")]
)
def test_the_cloud_wants_a_version_it_knows(emulator: Emulator, query: str, code: str) -> None:
    assert emulator.request("GET", f"/metadata/endpoints{query}").error[:2] == (400, code)
