"""If this goes red, a wrong name is found only when half of the stack is made, or the wrong object is taken for it."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from components import FlexSamlClaimsArgs
from flexsaml.declaration import parse_declaration
from flexsaml.graph import Directory
from flexsaml.preflight import InspectionEnded, PreflightResult, inspect_tenant
from providers import Connection
from tests.emulator.process import PREVIEW, SEED, Emulator
from tests.engine.stack import Tenant

GUEST = "mary_fabrikam.example#EXT#@contoso.example"
NOBODY = "00000000-0000-4000-8000-000000000000"
ABSENT_OWNER = "extension_0000000000004000800000000000000f_team"
ARGS: dict[str, Any] = {
    "service_principal": "Twilio Flex",
    "claims": {"email": "user.mail", "team": "extension.team"},
    "extensions": {"team": "String"},
    "users": {"ada@contoso.example": {"team": "blue"}},
}


@pytest.fixture
def tenant(emulator: Emulator) -> Tenant:
    emulator.reset()
    return Tenant(emulator)


@pytest.fixture
def directory(tenant: Tenant) -> Directory:
    url = tenant.emulator.http
    return Connection("loopback", graph_endpoint=url, login_endpoint=url).directory()


def inspected(directory: Directory, **changes: Any) -> PreflightResult:
    args = FlexSamlClaimsArgs(**{**ARGS, "policy_name": "a policy", **changes})
    return inspect_tenant(directory, parse_declaration(args.to_keys(), read_file=no_file))


def no_file(name: str) -> bytes:
    raise AssertionError(f"read {name}")


def errors(directory: Directory, **changes: Any) -> list[str]:
    """Errors only, as lines."""
    try:
        findings = inspected(directory, **changes).findings
    except InspectionEnded as end:
        return [str(end.finding)]
    return [str(finding) for finding in findings if finding.level == "error"]


WRONG: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({"service_principal": "Twilio"}, ("servicePrincipal: no enterprise", "Twilio Flex, Twilio Flex Staging")),
    (
        {"service_principal": NOBODY},
        (f"servicePrincipal: no enterprise application has the appId or object id '{NOBODY}'",),
    ),
    ({"application": NOBODY}, (f"application: there is no application '{NOBODY}'",)),
    ({"claims": {"t": f"extension.{ABSENT_OWNER}"}}, (f"extension '{ABSENT_OWNER}': does not exist",)),
]


@pytest.mark.parametrize(("changes", "phrases"), WRONG)
def test_what_is_not_there_is_named(directory: Directory, changes: dict[str, Any], phrases: tuple[str, ...]) -> None:
    (line,) = errors(directory, **changes)
    for phrase in phrases:
        assert phrase in line
    assert "\n" not in line


def test_an_ambiguous_name_lists_the_candidates(directory: Directory, tenant: Tenant) -> None:
    seed = tenant.emulator.export()
    flexes = [each for each in seed["servicePrincipals"] if each["displayName"].startswith("Twilio Flex")]
    for principal in flexes:
        principal["displayName"] = "Twilio Flex"
    tenant.emulator.seed({**seed, "clients": json.loads(SEED.read_text())["clients"]})
    (line,) = errors(directory)
    assert "servicePrincipal: 2 enterprise applications are called 'Twilio Flex'; give the object id of one" in line
    assert all(principal["id"] in line for principal in flexes)
    tenant.emulator.seed(json.loads(SEED.read_text()))


def test_an_application_that_is_not_in_the_tenant(directory: Directory, tenant: Tenant) -> None:
    seed = tenant.emulator.export()
    seed["applications"] = [each for each in seed["applications"] if each["displayName"] != "Twilio Flex"]
    tenant.emulator.seed({**seed, "clients": json.loads(SEED.read_text())["clients"]})
    (line,) = errors(directory)
    assert (
        "is not in this tenant (a gallery application has none here); name an application of your own in flex" in line
    )
    other = next(each for each in seed["applications"] if each["displayName"] == "Twilio Flex Staging")
    assert errors(directory, application=other["appId"]) == []
    tenant.emulator.seed(json.loads(SEED.read_text()))


def test_unknown_users_are_listed_all_at_once(directory: Directory, tenant: Tenant) -> None:
    users = {f"nobody{number}@contoso.example": {"team": "x"} for number in range(30)}
    users["mary@fabrikam.example"] = {"team": "x"}
    result = inspected(directory, users={**ARGS["users"], "mary@fabrikam.example": {"team": "x"}, **users})
    guest = "mary_fabrikam.example#EXT#@contoso.example"
    assert result.missing_users == {**dict.fromkeys(users, ""), "mary@fabrikam.example": guest}
    assert result.user_ids["ada@contoso.example"] == tenant.user("ada")["id"]


def test_an_existing_extension_is_referred_to_by_its_full_name(directory: Directory, tenant: Tenant) -> None:
    property_id, name = tenant.make_property("shared", "Integer"), tenant.full("shared")
    tenant.do("PATCH", f"/users/{tenant.user('ada')['id']}", {name: 7})
    result = inspected(directory, users={"ada@contoso.example": {name: 8}})
    assert [finding for finding in result.findings if finding.level == "error"] == []
    assert (result.properties[name].id, result.owners[name]) == (property_id, tenant.application["id"])
    assert result.live_values[name] == {tenant.user("ada")["id"]: "7"}


def test_the_owner_of_an_existing_extension_may_be_another_application(directory: Directory, tenant: Tenant) -> None:
    other = next(
        each for each in tenant.emulator.export()["applications"] if each["displayName"] == "Twilio Flex Staging"
    )
    body = {"name": "skill", "dataType": "String", "targetObjects": ["User"]}
    made = tenant.do("POST", f"/applications/{other['id']}/extensionProperties", body)
    tenant.emulator.clear()
    result = inspected(directory, claims={"skill": f"extension.{made['name']}"}, users={})
    assert (result.properties[made["name"]].id, result.owners[made["name"]]) == (made["id"], other["id"])
    batches = [call for call in tenant.emulator.requests() if call["path"] == "/v1.0/$batch"]
    assert len(batches) == 2, "one for the principal, one for the other owners"


def test_the_members_of_groups_are_read_for_users_without_a_role_of_their_own(
    directory: Directory, tenant: Tenant
) -> None:
    tenant.emulator.clear()
    inspected(directory)
    assert not any("/groups" in call["path"] for call in tenant.emulator.requests()), "ada has a role of her own"
    inspected(directory, users={GUEST: {"team": "blue"}})
    assert any("/groups" in call["path"] for call in tenant.emulator.requests())


def test_without_preflight_users_and_policies_are_not_read(directory: Directory, tenant: Tenant) -> None:
    tenant.emulator.clear()
    result = inspected(directory, preflight=False, users={"nobody@contoso.example": {"team": "x"}})
    assert result.user_ids == {"nobody@contoso.example": "nobody@contoso.example"}
    assert (result.missing_users, result.assigned, dict(result.policies)) == ({}, None, {})
    assert not any("/users" in call["path"] for call in tenant.emulator.requests())


def test_what_graph_answers_reaches_the_rules(directory: Directory, tenant: Tenant) -> None:
    """Each condition as Graph's JSON has it; what the rules make of it is in test_rules.py."""
    thumbprint = base64.b64encode(bytes.fromhex(tenant.principal["preferredTokenSigningKeyThumbprint"])).decode()
    keys = [key for key in tenant.principal["keyCredentials"] if key["customKeyIdentifier"] == thumbprint]
    expired = [{**key, "endDateTime": "2025-01-01T00:00:00Z"} for key in keys]
    principal, ada = f"/servicePrincipals/{tenant.principal['id']}", f"/users/{tenant.user('ada')['id']}"
    users = {"ada@contoso.example": {"team": "blue"}, GUEST: {"team": "red"}, tenant.user("ada")["id"]: {"team": "x"}}
    assert {finding.rule for finding in inspected(directory).findings} <= {"not-looked-at"}
    tenant.do("PATCH", principal, {"accountEnabled": False, "keyCredentials": expired})
    tenant.do("PATCH", ada, {"accountEnabled": False, "mail": None, "displayName": None})
    claims = tenant.emulator.graph("PUT", f"{principal}/claimsPolicy", {"claims": [{"name": "x"}]}, version="beta")
    assert claims.status < 300
    result = inspected(directory, users=users, claims={"email": "user.mail", "name": "user.displayname"})
    assert {finding.rule for finding in result.findings} == {
        "principal-disabled",
        "signing-key-expired",
        "claims-superseded",
        "user-disabled",
        "user-guest",
        "user-without-mail",
        "user-without-display-name",
        "user-twice",
    }
    tenant.do("PATCH", principal, {"preferredTokenSigningKeyThumbprint": None})
    tenant.do("PATCH", f"/applications/{tenant.application['id']}", {"api": {"acceptMappedClaims": True}})
    tenant.do("PATCH", f"/applications/{tenant.application['id']}", {"tokenEncryptionKeyId": tenant.principal["id"]})
    tenant.do("PATCH", principal, {"preferredSingleSignOnMode": "password"})
    rules = {finding.rule for finding in inspected(directory).findings}
    assert {"signing-key-missing", "accept-mapped-claims", "token-encryption", "sign-on-mode"} <= rules


def test_how_tokens_are_issued_is_read_of_the_principals_own_application(directory: Directory, tenant: Tenant) -> None:
    """Not of the application that holds the extensions."""
    [other] = [
        item for item in tenant.emulator.export()["applications"] if item["displayName"] == "Twilio Flex Staging"
    ]
    changes = {"api": {"acceptMappedClaims": True}, "tokenEncryptionKeyId": tenant.principal["id"]}
    tenant.do("PATCH", f"/applications/{other['id']}", changes)
    tenant.do("PATCH", f"/servicePrincipals/{tenant.principal['id']}", {"preferredTokenSigningKeyThumbprint": None})
    lines = {finding.rule: str(finding) for finding in inspected(directory, application=other["appId"]).findings}
    assert "fail with AADSTS50146" in lines["signing-key-missing"]
    assert not {"accept-mapped-claims", "token-encryption"} & set(lines)


def test_a_read_only_identity_is_told_what_it_lacks_and_what_it_cannot_read(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLEXSAML_SANDBOX_CLIENT", PREVIEW)
    monkeypatch.setenv("FLEXSAML_SANDBOX_SECRET", "sandbox")
    url = tenant.emulator.http
    findings = inspected(Connection("loopback", graph_endpoint=url, login_endpoint=url).directory()).findings
    lines = {finding.rule: str(finding) for finding in findings}
    assert "Policy.ReadWrite.ApplicationConfiguration (to write the policy)" in lines["permission-missing"]
    assert "it may not read the policy that is assigned now" in lines["not-looked-at"]


def test_the_number_of_round_trips(directory: Directory, tenant: Tenant) -> None:
    """Two more are for users and for the custom claims policy."""
    for reference, most in (("Twilio Flex", 2), (tenant.principal["appId"], 1), (tenant.principal["id"], 2)):
        tenant.emulator.clear()
        inspected(directory, service_principal=reference)
        trips = [call["path"] for call in tenant.emulator.requests() if not call["in_batch"]]
        trips = [path for path in trips if "oauth2" not in path]
        assert len(trips) <= most + 2, trips
        assert sum("claimsPolicy" in path for path in trips) == 1
