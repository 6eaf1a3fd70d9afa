"""If this goes red, policies or their assignment behave otherwise than in Graph, and tests pass for calls that fail there.

Raw standard-library HTTP with bodies from Microsoft's reference, refusals in the same tables. Every v1.0 exchange is
held against Microsoft's schema on the way (conftest.py).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.emulator.tenant import ABSENT, DEFINITION, FLEX, FLEX_APP, STAGING, Tenant, bad, gone


@pytest.mark.parametrize(
    "definition",
    [
        DEFINITION,
        '{"ClaimsMappingPolicy":{"Version":1,"IncludeBasicClaimSet":"false"}}',
        '{ "ClaimsMappingPolicy" : { "Version":1, "ClaimsSchema":[{"Source":"user","ID":"900"}], "Odd":"\\u00e4ä" } }',
        '{"ClaimsMappingPolicy":{"Version":1,"ClaimsTransformations":[],"ClaimsTransformation":[]}}',
    ],
)
def test_a_definition_of_the_right_shape_comes_back_byte_for_byte(tenant: Tenant, definition: str) -> None:
    made = tenant.post_policy(definition)
    assert made.status == 201
    assert tenant.emulator.graph("GET", f"/policies/claimsMappingPolicies/{made.json['id']}").json["definition"] == [
        definition
    ]


@pytest.mark.parametrize(
    "definition",
    [
        [],
        [DEFINITION, DEFINITION],
        [5],
        '{"ClaimsMappingPolicy":{"version":1}}',
        '{"ClaimsMappingPolicy":{"Version":"1"}}',
        '{"ClaimsMappingPolicy":{"Version":2}}',
        '{"ClaimsMappingPolicy":{"Version":true}}',
        '{"ClaimsMappingPolicy":{"Version":1,"ClaimsSchema":{}}}',
        '{"claimsMappingPolicy":{"Version":1}}',
        '{"ClaimsMappingPolicy":{"Version":1},\n"x":1}',
        "not JSON",
        "[]",
    ],
)
def test_a_definition_of_another_shape_is_refused_without_detail(tenant: Tenant, definition: Any) -> None:
    words = "Property definition has an invalid value."
    assert tenant.post_policy(definition).error == bad(words)
    policy = tenant.policy()
    body = {"definition": [definition] if isinstance(definition, str) else definition}
    assert tenant.emulator.graph("PATCH", f"/policies/claimsMappingPolicies/{policy}", body).error == bad(words)


def test_a_definition_of_objects_and_a_description_get_their_recorded_refusals(tenant: Tenant) -> None:
    words = (
        "An unexpected 'StartObject' node was found for property named '' when reading from the JSON reader. "
        "A 'PrimitiveValue' node was expected."
    )
    assert tenant.post_policy([{"ClaimsMappingPolicy": {"Version": 1}}]).error == bad(words)
    assert tenant.post_policy(description="x").error == gone("")
    assert tenant.emulator.export()["claimsMappingPolicies"] == []


def test_a_policy_is_patched_in_place_listed_by_name_and_deleted(tenant: Tenant) -> None:
    first, second = tenant.policy(), tenant.policy()  # displayName is not unique
    path = f"/policies/claimsMappingPolicies/{first}"
    assert tenant.emulator.graph("PATCH", path, {"displayName": "O'Brien's"}).status == 204
    policy = tenant.emulator.graph("GET", path).json
    assert (policy["displayName"], policy["definition"]) == ("O'Brien's", [DEFINITION])
    query = quote("displayName eq 'O''Brien''s'")
    listed = tenant.emulator.graph("GET", f"/policies/claimsMappingPolicies?$filter={query}&$select=id").json
    assert listed["value"] == [{"id": first}]
    assert tenant.emulator.graph("DELETE", path).status == 204
    assert tenant.emulator.graph("GET", path).error == gone(first)
    assert [p["id"] for p in tenant.emulator.export()["claimsMappingPolicies"]] == [second]
    patch = {"isOrganizationDefault": True}
    assert tenant.emulator.graph("PATCH", f"/policies/claimsMappingPolicies/{second}", patch).status == 500


@pytest.mark.parametrize(
    "form", ["v1.0/policies/claimsMappingPolicies", "beta/policies/claimsMappingPolicies", "v1.0/directoryObjects"]
)
def test_a_policy_is_assigned_by_either_form_of_its_url(tenant: Tenant, form: str) -> None:
    policy = tenant.policy()
    assert tenant.assign(policy, url=f"{tenant.emulator.https}/{form}/{policy}").status == 204
    assert tenant.assigned() == [policy]
    applied = tenant.emulator.graph("GET", f"/policies/claimsMappingPolicies/{policy}/appliesTo").json["value"]
    assert [row["id"] for row in applied] == [FLEX["id"]]
    assert tenant.unassign(policy).status == 204
    assert tenant.assigned() == []


@pytest.mark.parametrize(
    "url",
    [
        "policies/claimsMappingPolicies/{policy}",
        "https://graph.microsoft.com/v1.0/policies/claimsMappingPolicies/{policy}",
        "{http}/v1.0/policies/{policy}",
        "{http}/v1.0/policies/claimsMappingPolicies/",
        "http://[",
    ],
)
def test_a_reference_elsewhere_is_refused(tenant: Tenant, url: str) -> None:
    policy = tenant.policy()
    sent = url.format(policy=policy, http=tenant.emulator.http)
    assert tenant.assign(policy, url=sent).error == bad("Invalid URL format specified in payload.")
    assert tenant.assigned() == []


def test_the_same_policy_twice_and_a_second_one_are_refused(tenant: Tenant) -> None:
    first, second = tenant.policy(), tenant.policy()
    assert tenant.assign(first).status == 204
    assert tenant.assign(first).error == bad(
        "One or more added object references already exist for the following modified properties: "
        "'claimsMappingPolicies'."
    )
    for status in (400, 409):
        tenant.emulator.dials(second_policy_status=status)
        assert tenant.assign(second).error == (
            status,
            "Request_MultipleObjectsWithSameKeyValue",
            "A conflicting object with one or more of the specified property values is present in the directory.",
        )
    assert tenant.assigned() == [first]
    assert tenant.assign(second, principal=STAGING["id"]).status == 204


def test_links_to_objects_that_do_not_exist_are_refused(tenant: Tenant) -> None:
    policy = tenant.policy()
    assert tenant.assign(ABSENT).error == gone(ABSENT)
    assert tenant.assign(policy, principal=FLEX_APP["id"]).error == gone(FLEX_APP["id"])  # an application's id
    assert tenant.unassign(policy).error == gone(policy)
    tenant.emulator.dials(missing_link_delete=400)
    assert tenant.unassign(policy).error == bad(
        "One or more removed object references do not exist for the following modified properties: "
        "'claimsMappingPolicies'."
    )


def test_a_link_is_written_through_ref_only(tenant: Tenant) -> None:
    refusal = (
        400,
        "BadRequest",
        "Write requests are only supported on contained entities or navigation properties with bindings.",
    )
    body = {"@odata.id": f"{tenant.emulator.http}/v1.0/policies/claimsMappingPolicies/{tenant.policy()}"}
    path = f"/servicePrincipals/{FLEX['id']}/claimsMappingPolicies"
    assert tenant.emulator.graph("POST", path, body).error == refusal
    assert tenant.emulator.graph("POST", f"/{ABSENT}{path}/$ref", body).error == refusal
    assert tenant.assigned() == []


@pytest.mark.parametrize(("dial", "status", "left"), [("allow", 204, []), ("refuse", 400, None)])
def test_deleting_an_assigned_policy_removes_its_links_or_is_refused(
    tenant: Tenant, dial: str, status: int, left: list[str] | None
) -> None:
    policy = tenant.policy()
    tenant.assign(policy)
    tenant.emulator.dials(delete_assigned_policy=dial)
    assert tenant.emulator.graph("DELETE", f"/policies/claimsMappingPolicies/{policy}").status == status
    assert tenant.assigned() == ([policy] if left is None else left)


def test_new_objects_are_missed_by_as_many_reads_as_the_dial_says(tenant: Tenant) -> None:
    tenant.emulator.dials(read_lag=2)
    policy = tenant.policy()
    path = "/policies/claimsMappingPolicies"
    assert tenant.emulator.graph("GET", f"{path}/{policy}").error == gone(policy)
    assert tenant.emulator.graph("GET", path).json["value"] == []
    assert tenant.emulator.graph("GET", f"{path}/{policy}").status == 200
    assert tenant.assign(policy).status == 204
    assert [tenant.assigned() for _ in range(3)] == [[], [], [policy]]
    made = tenant.property()
    address = f"/applications/{FLEX_APP['id']}/extensionProperties/{made['id']}"
    assert [tenant.emulator.graph("GET", address).status for _ in range(3)] == [404, 404, 200]


def test_reads_after_a_change_and_a_delete_show_what_was(tenant: Tenant) -> None:
    policy = tenant.policy()
    path = f"/policies/claimsMappingPolicies/{policy}"
    tenant.emulator.dials(stale_reads=1, delete_lag=1)
    tenant.emulator.graph("PATCH", path, {"displayName": "new"})
    assert [tenant.emulator.graph("GET", path).json["displayName"] for _ in range(2)] == ["Flex claims", "new"]
    tenant.patch({"jobTitle": "Lead"})
    assert [tenant.value("jobTitle") for _ in range(2)] == ["Agent", "Lead"]
    tenant.assign(policy)
    tenant.unassign(policy)
    assert [tenant.assigned() for _ in range(2)] == [[policy], []]
    tenant.emulator.graph("DELETE", path)
    assert [tenant.emulator.graph("GET", path).status for _ in range(2)] == [200, 404]


def test_a_new_policy_cannot_be_linked_for_as_many_tries_as_the_dial_says(tenant: Tenant) -> None:
    tenant.emulator.dials(ref_lag=2)
    policy = tenant.policy()
    assert [tenant.assign(policy).status for _ in range(3)] == [404, 404, 204]
