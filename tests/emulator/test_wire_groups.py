"""If this goes red, prediction reads memberships that Entra would not show, or takes "may not read" for "has none".

Raw standard-library HTTP, refusals in the same tables; v1.0 exchanges are held against Microsoft's schema.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.process import LEAST, MEMBER_READER, PREVIEW
from tests.emulator.tenant import ABSENT, ADA, GROUPS, USERS, Tenant, bad, gone

AGENTS, NIGHT = (group["id"] for group in GROUPS)
NORA, MARY = USERS["nora@contoso.example"], USERS["mary_fabrikam.example#EXT#@contoso.example"]
MEMBERS, BELOW = f"/groups/{AGENTS}/members", f"/groups/{AGENTS}/transitiveMembers"


def _ids(tenant: Tenant, path: str) -> list[str]:
    answer = tenant.emulator.graph("GET", path)
    assert answer.status == 200, answer.content
    return [row["id"] for row in answer.json["value"]]


def _url(tenant: Tenant, object_id: str, collection: str = "directoryObjects") -> dict[str, str]:
    return {"@odata.id": f"{tenant.emulator.http}/v1.0/{collection}/{object_id}"}


def test_members_are_direct_and_transitive_members_are_not(tenant: Tenant) -> None:
    assert _ids(tenant, MEMBERS) == [MARY["id"], NIGHT]
    assert _ids(tenant, BELOW) == [MARY["id"], NIGHT, NORA["id"]]
    assert _ids(tenant, f"/users/{NORA['id']}/transitiveMemberOf") == [NIGHT, AGENTS]
    assert _ids(tenant, f"/users/{ADA}/transitiveMemberOf") == []
    assert tenant.emulator.graph("GET", f"/users/{ABSENT}/transitiveMemberOf").error == gone(ABSENT)


def test_groups_that_contain_each_other_are_listed_once(tenant: Tenant) -> None:
    assert tenant.emulator.graph("POST", f"/groups/{NIGHT}/members/$ref", _url(tenant, AGENTS)).status == 204
    assert _ids(tenant, BELOW) == [MARY["id"], NIGHT, NORA["id"]]
    assert _ids(tenant, f"/users/{NORA['id']}/transitiveMemberOf") == [NIGHT, AGENTS]


def test_members_select_what_their_type_has_and_are_paged(tenant: Tenant) -> None:
    first = tenant.emulator.graph("GET", f"{BELOW}?$select=id,userPrincipalName,accountEnabled&$top=2").json
    assert first["value"][0] == {
        "@odata.type": "#microsoft.graph.user",
        "id": MARY["id"],
        "userPrincipalName": MARY["userPrincipalName"],
        "accountEnabled": False,
    }
    assert first["value"][1] == {"@odata.type": "#microsoft.graph.group", "id": NIGHT}
    (last,) = _ids(tenant, first["@odata.nextLink"].split("/v1.0")[1])
    assert last == NORA["id"]


def test_who_may_not_read_users_sees_limited_information(tenant: Tenant) -> None:
    path = f"{MEMBERS}?$select=userPrincipalName,extension_x_y"
    user, group = tenant.emulator.graph("GET", path, client=MEMBER_READER).json["value"]
    nulls = {"userPrincipalName": None, "extension_x_y": None}
    assert user == {"@odata.type": "#microsoft.graph.user", "id": MARY["id"], **nulls}
    assert group["@odata.type"] == "#microsoft.graph.group"
    plain = tenant.emulator.graph("GET", MEMBERS, client=MEMBER_READER).json["value"]
    assert {value for name, value in plain[0].items() if name not in ("id", "@odata.type")} == {None}
    assert plain[1]["displayName"] == "Flex night shift", "it may read groups"
    above = tenant.emulator.graph("GET", f"/users/{NORA['id']}/transitiveMemberOf", client=PREVIEW).json["value"]
    assert [(group["id"], group["displayName"]) for group in above] == [(NIGHT, None), (AGENTS, None)]


def test_groups_are_listed_filtered_and_read(tenant: Tenant) -> None:
    assert _ids(tenant, "/groups") == [AGENTS, NIGHT]
    assert _ids(tenant, "/groups?$filter=startswith(displayName,'Flex%20a')&$select=id") == [AGENTS]
    group = tenant.emulator.graph("GET", f"/groups/{NIGHT}").json
    assert (group["displayName"], group["securityEnabled"], "members" in group) == ("Flex night shift", True, False)
    assert tenant.emulator.graph("GET", "/groups/night").error == bad("Invalid object identifier 'night'.")


@pytest.mark.parametrize("path", [f"{MEMBERS}?$filter=id eq '{ABSENT}'", '/groups?$search="displayName:x"'])
def test_a_filter_that_is_not_served_is_refused(tenant: Tenant, path: str) -> None:
    answer = tenant.emulator.graph("GET", path.replace(" ", "%20"), headers={"ConsistencyLevel": "eventual"})
    assert answer.error[:2] == (400, "Request_UnsupportedQuery")


@pytest.mark.parametrize("collection", ["users", "directoryObjects"])
def test_a_member_comes_and_goes(tenant: Tenant, collection: str) -> None:
    path, ada = f"/groups/{NIGHT}/members", USERS[ADA]["id"]
    assert tenant.emulator.graph("POST", f"{path}/$ref", _url(tenant, ada, collection)).status == 204
    assert _ids(tenant, path) == [NORA["id"], ada]
    twice = "One or more added object references already exist for the following modified properties: 'members'."
    assert tenant.emulator.graph("POST", f"{path}/$ref", _url(tenant, ada)).error == bad(twice)
    assert tenant.emulator.graph("DELETE", f"{path}/{ada}/$ref").status == 204
    missing = "One or more removed object references do not exist for the following modified properties: 'members'."
    assert tenant.emulator.graph("DELETE", f"{path}/{ada}/$ref").error == bad(missing)
    assert _ids(tenant, path) == [NORA["id"]]


@pytest.mark.parametrize(
    ("object_id", "collection", "refusal"),
    [
        (ABSENT, "directoryObjects", gone(ABSENT)),
        (NORA["id"], "policies/claimsMappingPolicies", bad("Invalid URL format specified in payload.")),
        (NIGHT, "groups", bad("One or more properties contains invalid values.")),
    ],
)
def test_an_invalid_member_is_refused(tenant: Tenant, object_id: str, collection: str, refusal: Any) -> None:
    answer = tenant.emulator.graph("POST", f"/groups/{NIGHT}/members/$ref", _url(tenant, object_id, collection))
    assert answer.error == refusal
    assert _ids(tenant, f"/groups/{NIGHT}/members") == [NORA["id"]]


def test_a_deleted_user_leaves_its_groups(tenant: Tenant) -> None:
    assert tenant.emulator.graph("DELETE", f"/users/{NORA['id']}").status == 204
    night = next(group for group in tenant.emulator.export()["groups"] if group["id"] == NIGHT)
    assert night["members"] == []


@pytest.mark.parametrize(
    ("client", "method", "path", "allowed"),
    [
        (MEMBER_READER, "GET", "/groups", True),
        (MEMBER_READER, "GET", BELOW, True),
        (MEMBER_READER, "POST", f"{MEMBERS}/$ref", False),
        (MEMBER_READER, "DELETE", f"{MEMBERS}/{MARY['id']}/$ref", False),
        (LEAST, "GET", "/groups", False),
        (LEAST, "GET", BELOW, False),
        (PREVIEW, "GET", f"/users/{NORA['id']}/transitiveMemberOf", True),
    ],
)
def test_who_may_ask_for_groups(tenant: Tenant, client: str, method: str, path: str, allowed: bool) -> None:
    body: dict[str, Any] | None = {} if method == "POST" else None
    assert (tenant.emulator.graph(method, path, body, client=client).status != 403) is allowed
