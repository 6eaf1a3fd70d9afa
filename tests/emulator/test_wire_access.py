"""If this goes red, preview and prediction are shown roles, groups or keys that Entra would not show.

Raw standard-library HTTP, refusals in the same tables; v1.0 exchanges are held against Microsoft's schema.
"""

from __future__ import annotations

import base64
import json

import pytest

from tests.emulator.process import LEAST, POLICY_WRITER, PREVIEW
from tests.emulator.tenant import ABSENT, FLEX, FLEX_APP, STAGING, STAGING_APP, USERS, Tenant, bad, gone

ROLES = f"/servicePrincipals/{FLEX['id']}/appRoleAssignedTo"
CLAIMS = f"/servicePrincipals/{FLEX['id']}/claimsPolicy"
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
        found = tenant.emulator.graph("GET", f"/users/{user}/appRoleAssignments").json["value"]
        return [row["principalType"] for row in found]

    assert roles(MARY["id"]) == ["Group"]
    assert roles(NORA["id"]) == [], "nesting does not cascade"
    (group,) = (row for row in tenant.emulator.graph("GET", ROLES).json["value"] if row["principalType"] == "Group")
    members = tenant.emulator.graph("GET", f"/groups/{group['principalId']}/members?$select=id").json["value"]
    assert [one["@odata.type"] for one in members] == ["#microsoft.graph.user", "#microsoft.graph.group"]
    assert tenant.emulator.graph("GET", f"/groups/{ABSENT}").error == gone(ABSENT)


def test_a_role_is_given_and_taken(tenant: Tenant) -> None:
    agent = next(role["id"] for role in FLEX["appRoles"] if role["value"] == "agent")
    body = {"principalId": NORA["id"], "resourceId": FLEX["id"], "appRoleId": agent}
    made = tenant.emulator.graph("POST", ROLES, body)
    assert (made.status, made.json["principalType"]) == (201, "User")
    assert tenant.emulator.graph("DELETE", f"{ROLES}/{made.json['id']}").status == 204
    assert tenant.emulator.graph("DELETE", f"{ROLES}/{made.json['id']}").error == gone(made.json["id"])
    assert tenant.emulator.graph("POST", ROLES, {**body, "appRoleId": ABSENT[:-1] + "1"}).status == 400
    assert tenant.emulator.graph("POST", ROLES, {**body, "principalId": ABSENT}).error == gone(ABSENT)


@pytest.mark.parametrize(("dial", "status"), [("not_found", 404), ("empty", 200)])
def test_custom_claims_are_beta_and_their_absence_is_a_dial(tenant: Tenant, dial: str, status: int) -> None:
    tenant.emulator.dials(absent_claims_policy=dial)
    assert tenant.emulator.graph("GET", CLAIMS, version="beta").status == status
    assert tenant.emulator.graph("PUT", CLAIMS, {"claims": [{"name": "x"}]}, version="beta").status == 204
    assert tenant.emulator.graph("GET", CLAIMS, version="beta").json["claims"] == [{"name": "x"}]
    wrong = {"requests": [{"id": "1", "method": "GET", "url": CLAIMS}]}
    (item,) = tenant.emulator.graph("POST", "/$batch", wrong).json["responses"]
    assert (item["status"], item["body"]["error"]["code"]) == (405, "Request_BadRequest")


def test_a_principal_made_anew_is_another_object_without_links(tenant: Tenant) -> None:
    policy = tenant.post_policy().json["id"]
    url = f"{tenant.emulator.http}/v1.0/policies/claimsMappingPolicies/{policy}"
    links = f"/servicePrincipals/{STAGING['id']}/claimsMappingPolicies"
    assert tenant.emulator.graph("POST", f"{links}/$ref", {"@odata.id": url}).status == 204
    assert tenant.emulator.graph("DELETE", f"/servicePrincipals/{STAGING['id']}").status == 204
    assert tenant.emulator.graph("GET", links).error == gone(STAGING["id"])
    made = tenant.emulator.graph("POST", "/servicePrincipals", {"appId": STAGING_APP["appId"]})
    assert made.status == 201
    assert made.json["id"] != STAGING["id"]
    again = tenant.emulator.graph("POST", "/servicePrincipals", {"appId": STAGING_APP["appId"]})
    assert again.error[:2] == (409, "Request_MultipleObjectsWithSameKeyValue")
    assert tenant.emulator.graph("GET", f"/policies/claimsMappingPolicies/{policy}/appliesTo").json["value"] == []


def test_principals_and_applications_change(tenant: Tenant) -> None:
    path = f"/servicePrincipals/{FLEX['id']}"
    assert tenant.emulator.graph("PATCH", path, {"accountEnabled": False}).status == 204
    assert tenant.emulator.graph("GET", path).json["accountEnabled"] is False
    assert tenant.emulator.graph("PATCH", path, {"oauth": 1}).error == bad("Invalid property 'oauth'.")
    application = f"/applications/{FLEX_APP['id']}"
    assert tenant.emulator.graph("PATCH", application, {"api": {"acceptMappedClaims": True}}).status == 204
    assert tenant.emulator.graph("GET", application).json["api"]["acceptMappedClaims"] is True


@pytest.mark.parametrize(
    ("client", "method", "path", "allowed"),
    [
        (PREVIEW, "GET", ROLES, True),
        (PREVIEW, "DELETE", f"/servicePrincipals/{STAGING['id']}", False),
        (LEAST, "GET", "/groups/6c0d9a34-2a0e-5b0c-8d3e-0a4a5c7b1e01/members", False),
        (POLICY_WRITER, "GET", f"/users/{NORA['id']}/appRoleAssignments", False),
    ],
)
def test_who_may_read_them(tenant: Tenant, client: str, method: str, path: str, allowed: bool) -> None:
    assert (tenant.emulator.graph(method, path, client=client).status != 403) is allowed


def test_a_token_names_its_roles(tenant: Tenant) -> None:
    payload = tenant.emulator.token(LEAST).split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert "Application.ReadWrite.OwnedBy" in claims["roles"]
    assert claims["appid"] == LEAST
