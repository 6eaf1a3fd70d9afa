"""If this goes red, clients that make and own applications, or ask who is in which group, meet another Graph here.

Bodies and refusals are those of Microsoft's reference pages. Every v1.0 exchange is held against Microsoft's schema.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.emulator.process import ADMIN, LEAST, POLICY_WRITER, PREVIEW
from tests.emulator.tenant import ADA, FLEX, FLEX_APP, GROUPS, USERS, Tenant, bad, gone

PRINCIPAL_NAMES = {
    *("accountEnabled", "addIns", "alternativeNames", "appDescription", "appDisplayName", "appId"),
    *("appOwnerOrganizationId", "appRoleAssignmentRequired", "appRoles", "applicationTemplateId", "createdDateTime"),
    *("deletedDateTime", "description", "disabledByMicrosoftStatus", "displayName", "homepage", "id", "info"),
    *("keyCredentials", "loginUrl", "logoutUrl", "notes", "notificationEmailAddresses", "oauth2PermissionScopes"),
    *("passwordCredentials", "preferredSingleSignOnMode", "preferredTokenSigningKeyThumbprint", "replyUrls"),
    *("resourceSpecificApplicationPermissions", "samlSingleSignOnSettings", "servicePrincipalNames"),
    *("servicePrincipalType", "signInAudience", "tags", "tokenEncryptionKeyId", "verifiedPublisher"),
}


def make(tenant: Tenant, **body: Any) -> dict[str, Any]:
    answer = tenant.emulator.graph("POST", "/applications", {"displayName": "Flex 2", **body}, client=LEAST)
    assert answer.status == 201
    return dict(answer.json)


def test_an_application_is_made_owned_and_deleted_with_what_it_has(tenant: Tenant) -> None:
    graph = tenant.emulator.graph
    application = make(tenant, identifierUris=["api://two"], web={"redirectUris": ["https://flex.example/acs"]})
    assert application["signInAudience"] == "AzureADMyOrg"
    path = f"/applications/{application['id']}"
    assert graph("GET", f"/applications(appId='{application['appId']}')").json["id"] == application["id"]
    principal = graph("POST", "/servicePrincipals", {"appId": application["appId"]}).json
    assert principal["replyUrls"] == ["https://flex.example/acs"]
    body = {"name": "team", "dataType": "String", "targetObjects": ["User"]}
    prop = graph("POST", f"{path}/extensionProperties", body, client=LEAST).json
    assert graph("PATCH", f"/users/{ADA}", {prop["name"]: "blue"}).status == 204
    assert graph("DELETE", path, client=LEAST).status == 204
    assert graph("GET", path).error == gone(application["id"])
    assert graph("GET", f"/servicePrincipals/{principal['id']}").error == gone(principal["id"])
    assert graph("PATCH", f"/users/{ADA}", {prop["name"]: "red"}).status == 400
    assert prop["name"] in str(tenant.emulator.export()["orphanedValues"])


@pytest.mark.parametrize(
    ("body", "client", "expected"),
    [
        ({}, ADMIN, bad("One or more properties contains invalid values.")),
        ({"displayName": "x", "identifierUris": ["api://x/"]}, ADMIN, bad("IdentifierUrisEndsWithSlash")),
        ({"displayName": 5}, ADMIN, bad("Invalid value specified for property 'displayName' of resource 'Application'.")),
        ({"displayName": "x", "owner": "y"}, ADMIN, bad("Invalid property 'owner'.")),
        ({"displayName": "x"}, PREVIEW, (403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")),
    ],
)  # fmt: skip
def test_an_invalid_application_is_refused(
    tenant: Tenant, body: dict[str, Any], client: str, expected: tuple[int, str, str]
) -> None:
    assert tenant.emulator.graph("POST", "/applications", body, client=client).error == expected


@pytest.mark.parametrize("kind", ["applications", "servicePrincipals"])
def test_owners_are_listed_and_added(tenant: Tenant, kind: str) -> None:
    path = f"/{kind}/{(FLEX_APP if kind == 'applications' else FLEX)['id']}/owners"
    graph = tenant.emulator.graph
    owners = [row["id"] for row in graph("GET", path).json["value"]]
    assert LEAST in owners
    reference = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{POLICY_WRITER}"}
    local = {"@odata.id": f"{tenant.emulator.http}/v1.0/directoryObjects/{POLICY_WRITER}"}
    assert graph("POST", f"{path}/$ref", reference).error == bad("Invalid URL format specified in payload.")
    assert graph("POST", f"{path}/$ref", local).status == 204
    assert [row["id"] for row in graph("GET", path).json["value"]] == sorted({*owners, POLICY_WRITER})
    words = "One or more added object references already exist for the following modified properties: 'owners'."
    assert graph("POST", f"{path}/$ref", local).error == bad(words)


@pytest.mark.parametrize(
    ("name", "value", "count"),
    [
        ("servicePrincipalNames", FLEX["servicePrincipalNames"][0], 1),
        ("servicePrincipalNames", FLEX["servicePrincipalNames"][0].upper(), 1),
        ("servicePrincipalNames", "urn:nothing", 0),
        ("tags", "x", 0),
    ],
)
def test_a_principal_is_looked_up_by_any_of_its_names(tenant: Tenant, name: str, value: str, count: int) -> None:
    filter_ = quote(f"{name}/any(n:n eq '{value}')")
    assert len(tenant.emulator.graph("GET", f"/servicePrincipals?$filter={filter_}").json["value"]) == count


def test_a_principal_has_the_names_that_the_guide_prints(tenant: Tenant) -> None:
    body = tenant.emulator.graph("GET", f"/servicePrincipals/{FLEX['id']}").json
    assert len(PRINCIPAL_NAMES) == 36
    assert {name for name in body if "@odata." not in name} == PRINCIPAL_NAMES


def test_a_user_of_beta_has_64_names_and_all_values(tenant: Tenant) -> None:
    body = tenant.emulator.graph("GET", f"/users/{ADA}", version="beta").json
    assert len({name for name in body if "@odata." not in name and not name.startswith("extension_")}) == 64
    assert (body["mail"], body["identities"], body["passwordPolicies"]) == (ADA, [], None)


def test_groups_of_a_user_are_listed_and_checked(tenant: Tenant) -> None:
    nora = f"/users/{USERS['nora@contoso.example']['id']}"
    graph = tenant.emulator.graph
    groups = graph("POST", f"{nora}/getMemberGroups", {"securityEnabledOnly": True}).json["value"]
    transitive = graph("GET", f"{nora}/transitiveMemberOf").json["value"]
    assert sorted(groups) == sorted(row["id"] for row in transitive)
    assert groups
    asked = {"groupIds": [*[group["id"] for group in GROUPS], "00000000-0000-0000-0000-000000000000"]}
    assert sorted(graph("POST", f"{nora}/checkMemberGroups", asked).json["value"]) == sorted(groups)
    for ids in (None, [], [5], ["x"] * 21):
        body = {} if ids is None else {"groupIds": ids}
        assert graph("POST", f"{nora}/checkMemberGroups", body).status == 400


def test_there_is_no_manager_and_no_person(tenant: Tenant) -> None:
    assert tenant.emulator.graph("GET", f"/users/{ADA}/manager").error == gone("manager")
    words = "/me request is only valid with delegated authentication flow."
    assert tenant.emulator.graph("GET", "/me").error == (400, "BadRequest", words)


def test_an_empty_mobile_phone_is_refused(tenant: Tenant) -> None:
    words = "Invalid value specified for property 'mobilePhone' of resource 'User'."
    assert tenant.emulator.graph("PATCH", f"/users/{ADA}", {"mobilePhone": ""}).error == bad(words)
    assert tenant.emulator.graph("PATCH", f"/users/{ADA}", {"mobilePhone": "+1"}).status == 204


def test_a_resource_manager_lists_nothing(tenant: Tenant) -> None:
    for path in ("/subscriptions", "/tenants"):
        assert tenant.emulator.request("GET", f"{path}?api-version=2022-12-01").json == {"value": []}
        assert tenant.emulator.request("GET", path).status == 400
