"""If this goes red, a client cannot be tried against both ways in which Entra may sign what its documents leave open."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.emulator import signin
from tests.emulator.process import Emulator
from tests.emulator.tenant import ADA, FLEX, USERS, Tenant, bad, full_name

XMLSOAP = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
DISPLAY_NAME = "http://schemas.microsoft.com/identity/claims/displayname"
RESTRICTED = "http://schemas.xmlsoap.org/ws/2009/09/identity/claims/actor"
ENTRIES = {"first": range(50), "last": range(5, 55), "all": range(55)}


def constant(name: str, value: str) -> dict[str, Any]:
    return {"Value": value, "SamlClaimType": name}


def transformed(name: str, method: str, kind: str, **parameters: str) -> dict[str, Any]:
    entries = [
        {"Source": "user", "ID": "mail"},
        {"Source": "transformation", "ID": "out", "TransformationID": "T", "SamlClaimType": name},
    ]
    transformation = {
        "ID": "T",
        "TransformationMethod": method,
        "InputClaims": [{"ClaimTypeReferenceId": "mail", "TransformationClaimType": kind}],
        "InputParameters": [{"ID": key, "Value": value} for key, value in parameters.items()],
        "OutputClaims": [{"ClaimTypeReferenceId": "out", "TransformationClaimType": "outputClaim"}],
    }
    return signin.claims(*entries, ClaimsTransformation=[transformation])


def extension(key: str) -> dict[str, Any]:
    return signin.claims({"Source": "user", key: full_name("many"), "SamlClaimType": "x"})


POLICIES = {
    "extension_under_id": extension("ID"),
    "several_values": extension("ExtensionID"),
    "empty_value": signin.claims(constant("x", "")),
    "same_claim_type": signin.claims(constant("x", "1"), constant("x", "2")),
    "over_fifty": signin.claims(*(constant(f"x{number}", "1") for number in range(55))),
    "null_role": signin.claims({"Source": "user", "ID": "assignedroles", "SamlClaimType": "x"}),
    "restricted_claim": signin.claims(constant(RESTRICTED, "1")),
    "basic_claims": signin.claims(basic=True),
    "regex_without_match": transformed("x", "RegexReplace", "sourceClaim", regex="^z+$", replacement="y"),
    "join_on_name_id": transformed(
        f"{XMLSOAP}nameidentifier", "Join", "string1", string2="contoso.example", separator="@"
    ),
}


@pytest.mark.parametrize(
    ("dial", "setting", "name", "expected"),
    [
        ("extension_under_id", "nothing", "x", None),
        ("extension_under_id", "value", "x", ["a", "b"]),
        ("several_values", "all", "x", ["a", "b"]),
        ("several_values", "first", "x", ["a"]),
        ("empty_value", "sent", "x", [""]),
        ("empty_value", "left_out", "x", None),
        ("same_claim_type", "all", "x", ["1", "2"]),
        ("same_claim_type", "last", "x", ["2"]),
        *(
            ("over_fifty", setting, f"x{number}", ["1"] if number in ENTRIES[setting] else None)
            for setting in ENTRIES
            for number in (0, 4, 49, 50, 54)
        ),
        ("null_role", "nothing", "x", None),
        ("null_role", "empty", "x", [""]),
        ("restricted_claim", "left_out", RESTRICTED, None),
        ("restricted_claim", "sent", RESTRICTED, ["1"]),
        ("basic_claims", "four", DISPLAY_NAME, None),
        ("basic_claims", "five", DISPLAY_NAME, ["Ada Lovelace"]),
        ("regex_without_match", "input", "x", [ADA]),
        ("regex_without_match", "nothing", "x", None),
        ("join_on_name_id", "whole", "NameID", [f"{ADA}@contoso.example"]),
        ("join_on_name_id", "without_domain", "NameID", [ADA]),
    ],
)
def test_what_sources_disagree_about_is_a_dial(
    tenant: Tenant, dial: str, setting: str, name: str, expected: list[str] | None
) -> None:
    tenant.emulator.dials(**{dial: setting})
    many = tenant.property("many", isMultiValued=True)
    assert tenant.patch({many["name"]: ["a", "b"]}).status == 204
    if dial == "null_role":
        give_a_role_without_text(tenant.emulator)
    signin.assign(tenant, POLICIES[dial])
    assertion = signin.issued(tenant.emulator, ADA)
    values = [assertion.name_id] if name == "NameID" else assertion.values.get(name)
    assert values == expected


def give_a_role_without_text(emulator: Emulator) -> None:
    role_id = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
    role = {"id": role_id, "displayName": "Silent", "description": "", "isEnabled": True, "value": None}
    roles = [{**role, "allowedMemberTypes": ["User"]}]
    assert emulator.graph("PATCH", f"/servicePrincipals/{FLEX['id']}", {"appRoles": roles}).status == 204
    body = {"principalId": USERS[ADA]["id"], "resourceId": FLEX["id"], "appRoleId": role_id}
    assert emulator.graph("POST", f"/servicePrincipals/{FLEX['id']}/appRoleAssignedTo", body).status == 201


def test_sign_ins_may_follow_a_change_later(tenant: Tenant) -> None:
    tenant.emulator.dials(sign_in_lag=2)

    def read_mark() -> list[str] | None:
        return signin.issued(tenant.emulator, ADA).values.get("x")

    policy = tenant.post_policy(json.dumps(signin.claims(constant("x", "1")))).json["id"]
    assert tenant.assign(policy).status == 204
    assert [read_mark() for _ in range(3)] == [None, None, ["1"]]
    definition = [json.dumps(signin.claims(constant("x", "2")))]
    path = f"/policies/claimsMappingPolicies/{policy}"
    assert tenant.emulator.graph("PATCH", path, {"definition": definition}).status == 204
    assert [read_mark() for _ in range(3)] == [["1"], ["1"], ["2"]]
    assert tenant.unassign(policy).status == 204
    assert [read_mark() for _ in range(3)] == [["2"], ["2"], None]


@pytest.mark.parametrize(
    ("setting", "accepted"),
    [
        ("both", {"ClaimsTransformation", "ClaimsTransformations"}),
        ("singular", {"ClaimsTransformation"}),
        ("plural", {"ClaimsTransformations"}),
    ],
)
def test_a_spelling_of_the_transformations_key_may_be_refused(tenant: Tenant, setting: str, accepted: set[str]) -> None:
    tenant.emulator.dials(transformations_key=setting)
    for key in ("ClaimsTransformation", "ClaimsTransformations"):
        policy: dict[str, Any] = signin.claims()
        policy["ClaimsMappingPolicy"][key] = []
        answer = tenant.post_policy(json.dumps(policy))
        assert answer.status == (201 if key in accepted else 400)
        assert key in accepted or answer.error == bad("Property definition has an invalid value.")


def test_a_second_policy_may_be_assigned_beside_the_first(tenant: Tenant) -> None:
    tenant.emulator.dials(second_policy_status=204)
    signin.assign(tenant, signin.claims(constant("x", "1")))
    signin.assign(tenant, signin.claims(constant("x", "2")))
    assert len(tenant.assigned()) == 2
    assert signin.issued(tenant.emulator, ADA).values["x"] == ["1"]
