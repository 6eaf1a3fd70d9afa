"""If this goes red, clients that make and own applications, or ask who is in which group, meet another Graph here.

Bodies and refusals are those of Microsoft's reference pages. Every v1.0 exchange is held against Microsoft's schema.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from emulator.tenant.records import ClientRecord
from tests.emulator import signin
from tests.emulator.process import ADMIN, LEAST, POLICY_WRITER, PREVIEW
from tests.emulator.tenant import ABSENT, ADA, FLEX, FLEX_APP, GROUPS, USERS, Tenant, bad, gone

PRINCIPAL_NAMES = {
    *("accountEnabled", "addIns", "alternativeNames", "appDescription", "appDisplayName", "appId"),
    *("appOwnerOrganizationId", "appRoleAssignmentRequired", "appRoles", "applicationTemplateId", "createdDateTime"),
    *("deletedDateTime", "description", "disabledByMicrosoftStatus", "displayName", "homepage", "id", "info"),
    *("keyCredentials", "loginUrl", "logoutUrl", "notes", "notificationEmailAddresses", "oauth2PermissionScopes"),
    *("passwordCredentials", "preferredSingleSignOnMode", "preferredTokenSigningKeyThumbprint", "replyUrls"),
    *("resourceSpecificApplicationPermissions", "samlSingleSignOnSettings", "servicePrincipalNames"),
    *("servicePrincipalType", "signInAudience", "tags", "tokenEncryptionKeyId", "verifiedPublisher"),
}


TAKEN = bad("Another object with the same value for property identifierUris already exists.")


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
        ({"displayName": "x", "identifierUris": ["api://x", FLEX_APP["identifierUris"][0]]}, ADMIN, TAKEN),
        ({"displayName": 5}, ADMIN, bad("Invalid value specified for property 'displayName' of resource 'Application'.")),
        ({"displayName": "x", "owner": "y"}, ADMIN, bad("Invalid property 'owner'.")),
        ({"displayName": "x"}, PREVIEW, (403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")),
    ],
)  # fmt: skip
def test_an_invalid_application_is_refused(
    tenant: Tenant, body: dict[str, Any], client: str, expected: tuple[int, str, str]
) -> None:
    assert tenant.emulator.graph("POST", "/applications", body, client=client).error == expected


def object_id(client: str) -> str:
    """Of a client's own service principal."""
    return ClientRecord(client, "", "", frozenset()).object_id


def test_an_identifier_uri_belongs_to_one_application(tenant: Tenant) -> None:
    graph = tenant.emulator.graph
    first, second = make(tenant, identifierUris=["api://one"]), make(tenant, identifierUris=["api://two"])
    assert graph("PATCH", f"/applications/{second['id']}", {"identifierUris": ["api://one"]}).error == TAKEN
    assert graph("PATCH", f"/applications/{first['id']}", {"identifierUris": ["api://one", "api://1"]}).status == 204
    assert graph("DELETE", f"/applications/{first['id']}").status == 204
    assert graph("PATCH", f"/applications/{second['id']}", {"identifierUris": ["api://one"]}).status == 204


@pytest.mark.parametrize("owner", ["client", "user"])
@pytest.mark.parametrize("kind", ["applications", "servicePrincipals"])
def test_owners_are_listed_added_and_removed(tenant: Tenant, kind: str, owner: str) -> None:
    path = f"/{kind}/{(FLEX_APP if kind == 'applications' else FLEX)['id']}/owners"
    graph, added = tenant.emulator.graph, object_id(POLICY_WRITER) if owner == "client" else USERS[ADA]["id"]
    owners = [row["id"] for row in graph("GET", path).json["value"]]
    assert object_id(LEAST) in owners
    elsewhere = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{added}"}
    reference = {"@odata.id": f"{tenant.emulator.http}/v1.0/directoryObjects/{added}"}
    assert graph("POST", f"{path}/$ref", elsewhere).error == bad("Invalid URL format specified in payload.")
    assert graph("POST", f"{path}/$ref", reference).status == 204
    rows = graph("GET", path).json["value"]
    assert [row["id"] for row in rows] == sorted({*owners, added})
    kinds = {row["id"]: row["@odata.type"] for row in rows}
    assert kinds[added] == f"#microsoft.graph.{'servicePrincipal' if owner == 'client' else 'user'}"
    words = "One or more added object references already exist for the following modified properties: 'owners'."
    assert graph("POST", f"{path}/$ref", reference).error == bad(words)
    assert graph("DELETE", f"{path}/{added}/$ref").status == 204
    assert graph("DELETE", f"{path}/{added}/$ref").status == 400
    assert [row["id"] for row in graph("GET", path).json["value"]] == owners
    if owner == "user":
        assert graph("POST", f"{path}/$ref", reference).status == 204
        assert graph("DELETE", f"/users/{added}").status == 204
        assert [row["id"] for row in graph("GET", path).json["value"]] == owners
        assert added not in str(tenant.emulator.export()[kind])


def test_a_lagging_index_is_a_dial(tenant: Tenant) -> None:
    graph = tenant.emulator.graph
    tenant.emulator.dials(index_lag=2)
    application = make(tenant)
    principal = graph("POST", "/servicePrincipals", {"appId": application["appId"]}).json
    body = {"displayName": "N", "mailNickname": "n", "passwordProfile": {"password": "x"}, "accountEnabled": True}
    user = graph("POST", "/users", {**body, "userPrincipalName": "new@contoso.example"}).json
    by_app_id, by_name = (quote(text) for text in (f"appId eq '{application['appId']}'", "displayName eq 'N'"))
    for path, made in (
        (f"/applications?$filter={by_app_id}", application),
        (f"/servicePrincipals?$filter={by_app_id}", principal),
        (f"/users?$filter={by_name}", user),
    ):
        assert made["id"] in [row["id"] for row in graph("GET", path.partition("?")[0]).json["value"]]
        assert [len(graph("GET", path).json["value"]) for _ in range(4)] == [0, 0, 1, 1]


def test_any_object_is_found_with_its_type(tenant: Tenant) -> None:
    graph = tenant.emulator.graph
    for key, kind in (
        (USERS[ADA]["id"], "user"),
        (GROUPS[0]["id"], "group"),
        (FLEX_APP["id"], "application"),
        (FLEX["id"], "servicePrincipal"),
        (object_id(LEAST), "servicePrincipal"),
    ):
        body = graph("GET", f"/directoryObjects/{key}").json
        assert (body["id"], body["@odata.type"]) == (key, f"#microsoft.graph.{kind}")
    assert graph("GET", f"/directoryObjects/{ABSENT}").error == gone(ABSENT)


def test_terraforms_azuread_makes_reads_changes_and_destroys(tenant: Tenant) -> None:
    """Its requests as its source has them (hashicorp/terraform-provider-azuread: application_resource.go,
    service_principal_resource.go, claims_mapping_policy_resource.go); the provider itself is not run here."""
    graph, caller = tenant.emulator.graph, object_id(ADMIN)
    assert graph("GET", f"/directoryObjects/{caller}").json["id"] == caller
    by_name = quote("displayName eq 'Flex 2'")
    assert graph("GET", f"/applications?$filter={by_name}").json["value"] == []
    role = {
        "allowedMemberTypes": ["User"],
        "description": "d",
        "displayName": "Agent",
        "isEnabled": True,
        "value": "agent",
    }
    owners = [
        f"{tenant.emulator.http}/v1.0/{tenant.emulator.export()['organization'][0]['id']}/directoryObjects/{caller}"
    ]
    body: dict[str, Any] = {
        "api": {"acceptMappedClaims": True, "knownClientApplications": [], "oauth2PermissionScopes": [], "requestedAccessTokenVersion": 1},
        "appRoles": [{**role, "id": "1b19509b-32b1-4e9f-b71d-4992aa991967"}], "description": None, "displayName": "TERRAFORM_UPDATE_1",
        "groupMembershipClaims": None, "identifierUris": ["api://flex-2"], "isDeviceOnlyAuthSupported": False,
        "isFallbackPublicClient": False, "notes": None, "oauth2RequirePostResponse": False,
        "optionalClaims": {"accessToken": [], "idToken": [{"additionalProperties": [], "essential": True, "name": "email", "source": None}], "saml2Token": []},
        "publicClient": {"redirectUris": []}, "requiredResourceAccess": [], "serviceManagementReference": None,
        "signInAudience": "AzureADMyOrg", "spa": {"redirectUris": []}, "tags": [],
        "web": {"homePageUrl": None, "implicitGrantSettings": {"enableAccessTokenIssuance": False, "enableIdTokenIssuance": False}, "logoutUrl": None, "redirectUris": ["https://flex.example/acs"]},
        "owners@odata.bind": owners,
    }  # fmt: skip
    application = graph("POST", "/applications", body).json
    path = f"/applications/{application['id']}"
    assert graph("PATCH", path, {"displayName": "Flex 2"}).status == 204
    assert graph("GET", path).json["optionalClaims"]["idToken"][0]["name"] == "email"
    assert [row["id"] for row in graph("GET", f"{path}/owners").json["value"]] == [caller]
    by_app_id = quote(f"appId eq '{application['appId']}'")
    assert graph("GET", f"/servicePrincipals?$filter={by_app_id}").json["value"] == []
    body = {
        "accountEnabled": True, "alternativeNames": [], "appId": application["appId"], "appRoleAssignmentRequired": False,
        "description": "TERRAFORM_UPDATE_1", "loginUrl": None, "notes": None, "notificationEmailAddresses": [],
        "preferredSingleSignOnMode": "saml", "samlSingleSignOnSettings": {"relayState": None}, "tags": [], "owners@odata.bind": owners,
    }  # fmt: skip
    principal = graph("POST", "/servicePrincipals", body).json
    principal_path = f"/servicePrincipals/{principal['id']}"
    assert graph("PATCH", principal_path, {"description": None}).status == 204
    read = graph("GET", principal_path).json
    assert (read["description"], read["preferredSingleSignOnMode"]) == (None, "saml")
    assert [row["value"] for row in read["appRoles"]] == ["agent"]
    definition = '{"ClaimsMappingPolicy":{"Version":1,"IncludeBasicClaimSet":"true","ClaimsSchema":[]}}'
    policy = graph("POST", "/policies/claimsMappingPolicies", {"definition": [definition], "displayName": "p"}).json
    reference = {"@odata.id": f"{tenant.emulator.http}/v1.0/policies/claimsMappingPolicies/{policy['id']}"}
    assert graph("POST", f"{principal_path}/claimsMappingPolicies/$ref", reference).status == 204
    assert [row["id"] for row in graph("GET", f"{principal_path}/claimsMappingPolicies").json["value"]] == [
        policy["id"]
    ]
    assert graph("DELETE", f"{principal_path}/claimsMappingPolicies/{policy['id']}/$ref").status == 204
    for key in (f"/policies/claimsMappingPolicies/{policy['id']}", principal_path, path):
        assert graph("DELETE", key).status == 204
        assert graph("GET", key).status == 404


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


def test_credentials_and_grants_are_empty_lists(tenant: Tenant) -> None:
    for path in (
        f"/applications/{FLEX_APP['id']}/federatedIdentityCredentials",
        f"/servicePrincipals/{FLEX['id']}/oauth2PermissionGrants",
        f"/servicePrincipals/{FLEX['id']}/appRoleAssignments",
    ):
        assert tenant.emulator.graph("GET", path).json["value"] == []
        kind, _, name = path[1:].split("/")
        assert tenant.emulator.graph("GET", f"/{kind}/{ABSENT}/{name}").error == gone(ABSENT)


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


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/applications", {"displayName": "\ud800"}),
        ("POST", "/applications", {"displayName": "x", "tags": ["a", "\udfff"]}),
        ("PATCH", f"/users/{USERS[ADA]['id']}", {"displayName": "\ud800"}),
        ("POST", "/$batch", {"requests": [{"id": "\ud800", "method": "GET", "url": "/users"}]}),
    ],
)
def test_half_of_a_surrogate_pair_is_refused(tenant: Tenant, method: str, path: str, body: Any) -> None:
    """JSON can name it, and no later answer could hold it."""
    assert tenant.emulator.graph(method, path, body).status == 400
    assert {tenant.emulator.graph("GET", path).status for path in ("/applications", "/users")} == {200}


def test_a_page_shows_what_is_stored_whatever_it_is(tenant: Tenant) -> None:
    last = [{**row, "endDateTime": "9999-12-31T23:59:59.9999999Z"} for row in FLEX["keyCredentials"]]
    signin.patch_principal(tenant, keyCredentials=last)
    signin.assign(tenant, signin.claims({"Value": "\ud800", "SamlClaimType": "x"}))
    assert tenant.emulator.request("GET", f"/portal/{FLEX['id']}").status == 200
