"""If this goes red, a preview keeps silent about what a reviewer should have known, or cries wolf.

Each finding is seen in `pulumi preview` on the real engine, and seen gone after its remedy."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import pytest

from tests.emulator.process import LEAST, POLICY_WRITER, PREVIEW, SEED
from tests.engine.stack import BASE, Stack, Tenant, calls

Deed = Callable[[Stack, Tenant], None]


@dataclass(frozen=True)
class Case:
    """A rule: what brings it about, what preview says, what takes it away. `stops`: preview fails on it."""

    rule: str
    deed: Deed
    says: str
    remedy: Deed
    stops: bool = False


def user(name: str, **changes: object) -> Deed:
    return lambda _stack, tenant: tenant.do("PATCH", f"/users/{tenant.user(name)['id']}", changes)


def principal(**changes: object) -> Deed:
    return lambda _stack, tenant: tenant.do("PATCH", f"/servicePrincipals/{tenant.principal['id']}", changes)


def application(**changes: object) -> Deed:
    return lambda _stack, tenant: tenant.do("PATCH", f"/applications/{tenant.application['id']}", changes)


def both(*deeds: Deed) -> Deed:
    def do(stack: Stack, tenant: Tenant) -> None:
        for deed in deeds:
            deed(stack, tenant)

    return do


def configure(key: str, value: object) -> Deed:
    return lambda stack, _tenant: stack.config.__setitem__(key, value)


def identity(client: str) -> Deed:
    def use(stack: Stack, _tenant: Tenant) -> None:
        stack.identity = {"AZURE_CLIENT_ID": client, "AZURE_CLIENT_SECRET": "sandbox"} if client else {}

    return use


def take_role(stack: Stack, tenant: Tenant) -> None:
    ada = tenant.user("ada")["id"]
    rows = [one for one in stack.emulator.export()["appRoleAssignments"] if one["principalId"] == ada]
    for row in rows:
        tenant.do("DELETE", f"/servicePrincipals/{row['resourceId']}/appRoleAssignedTo/{row['id']}")


def give_role(_stack: Stack, tenant: Tenant) -> None:
    role = next(one["id"] for one in tenant.principal["appRoles"] if one["value"] == "agent")
    body = {"principalId": tenant.user("ada")["id"], "resourceId": tenant.principal["id"], "appRoleId": role}
    tenant.do("POST", f"/servicePrincipals/{tenant.principal['id']}/appRoleAssignedTo", body)


def synced(flag: bool | None) -> Deed:
    """Only a synchronisation sets it, so the tenant is planted anew."""

    def plant(stack: Stack, _tenant: Tenant) -> None:
        seed = stack.emulator.export()
        for one in seed["users"]:
            if one["userPrincipalName"].startswith("ada@"):
                one["onPremisesSyncEnabled"] = flag
        stack.emulator.seed({**seed, "clients": clients()})

    return plant


def clients() -> object:
    return json.loads(SEED.read_text())["clients"]


def custom_claims(*claims: object) -> Deed:
    def put(_stack: Stack, tenant: Tenant) -> None:
        path = f"/servicePrincipals/{tenant.principal['id']}/claimsPolicy"
        answer = tenant.emulator.graph("PUT", path, {"claims": list(claims)}, version="beta")
        assert answer.status < 300, answer.content

    return put


def key(ends: str) -> dict[str, object]:
    return {
        "customKeyIdentifier": base64.b64encode(bytes.fromhex(THUMBPRINT)).decode(),
        "endDateTime": ends,
        "startDateTime": "2024-01-01T00:00:00Z",
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
        "keyId": "d3959325-d40b-5ebd-87b4-971f31285f7e",
        "displayName": "CN=Microsoft Azure Federated SSO Certificate",
        "key": None,
    }


def in_days(number: int) -> str:
    return f"{datetime.now(timezone.utc) + timedelta(days=number):%Y-%m-%dT%H:%M:%SZ}"


THUMBPRINT = json.loads(SEED.read_text())["servicePrincipals"][0]["preferredTokenSigningKeyThumbprint"]
FUTURE = "2099-01-01T00:00:00Z"
NOBODY = "00000000-0000-4000-8000-000000000000"
FULL = "extension_8f66597486ab539983f97492e2e5acec"
ADA = {"ada@contoso.example": {"languages": "en,de"}}
MARY = {**ADA, "mary_fabrikam.example#EXT#@contoso.example": {"languages": "en"}}

CASES = [
    Case(
        "principal-disabled",
        principal(accountEnabled=False),
        "servicePrincipal: it is disabled: nobody can sign in; enable it [principal-disabled]",
        principal(accountEnabled=True),
    ),
    Case(
        "signing-key-missing",
        principal(preferredTokenSigningKeyThumbprint=None),
        "AADSTS50146",
        principal(preferredTokenSigningKeyThumbprint=THUMBPRINT),
    ),
    Case(
        "signing-key-expired",
        principal(keyCredentials=[key("2025-01-01T00:00:00Z")]),
        "its signing certificate ended on 2025-01-01",
        principal(keyCredentials=[key(FUTURE)]),
    ),
    Case(
        "accept-mapped-claims",
        both(
            principal(preferredTokenSigningKeyThumbprint=None),
            application(api={"acceptMappedClaims": True}),
            configure("rules", {"signing-key-missing": "off"}),
        ),
        "AADSTS501461",
        application(api={"acceptMappedClaims": False}),
    ),
    Case(
        "signing-key-expiring",
        lambda stack, tenant: principal(keyCredentials=[key(in_days(10))])(stack, tenant),
        "its signing certificate ends on",
        principal(keyCredentials=[key(FUTURE)]),
    ),
    Case(
        "principal-unknown",
        configure("servicePrincipal", "Twilio"),
        "similar names: Twilio Flex",
        configure("servicePrincipal", "Twilio Flex"),
        stops=True,
    ),
    Case(
        "application-absent",
        configure("application", NOBODY),
        f"there is no application '{NOBODY}'",
        configure("application", ""),
        stops=True,
    ),
    Case(
        "extension-absent",
        configure("claims", {**BASE["claims"], "x": f"extension.{FULL}_Absent"}),
        "does not exist in this tenant",
        configure("claims", BASE["claims"]),
        stops=True,
    ),
    Case(
        "extension-twice",
        configure("users", {"ada@contoso.example": {f"{FULL}_languages": "en"}}),
        "is this stack's own; write 'languages'",
        configure("users", ADA),
        stops=True,
    ),
    Case(
        "value-misfit",
        both(
            lambda _stack, tenant: tenant.make_property("level", "Integer"),
            configure("users", {"ada@contoso.example": {f"{FULL}_level": "many"}}),
        ),
        "whole number",
        configure("users", {"ada@contoso.example": {f"{FULL}_level": "3"}}),
        stops=True,
    ),
    Case(
        "user-twice",
        lambda stack, tenant: stack.config.__setitem__("users", {**ADA, tenant.user("ada")["id"]: {"languages": "en"}}),
        "is the same user as '",
        configure("users", ADA),
        stops=True,
    ),
    Case("claims-superseded", custom_claims({"name": "x"}), "custom claims policy", custom_claims()),
    Case(
        "permission-missing",
        identity(PREVIEW),
        "Policy.ReadWrite.ApplicationConfiguration to write the policy",
        identity(""),
    ),
    Case("not-looked-at", identity(PREVIEW), "it may not read the policy assigned now", identity("")),
    Case(
        "user-disabled",
        user("ada", accountEnabled=False),
        "1 user cannot sign in: disabled (ada@contoso.example)",
        user("ada", accountEnabled=True),
    ),
    Case("user-guest", configure("users", MARY), "guests of the tenant (mary_fabrikam", configure("users", ADA)),
    Case(
        "user-without-mail",
        user("ada", mail=None),
        "1 user without mail (ada@contoso.example); Flex answers their sign-in with error 45050",
        user("ada", mail="ada@contoso.example"),
    ),
    Case(
        "user-without-display-name",
        user("ada", displayName=None),
        "without a display name (ada@contoso.example)",
        user("ada", displayName="Ada"),
    ),
    Case("user-without-role", take_role, "without a role of the application (ada@contoso.example)", give_role),
    Case(
        "user-synced",
        synced(True),
        "synchronised from on-premises",
        synced(None),
    ),
    Case(
        "too-many-values",
        both(
            configure("extensions", {"languages": {"dataType": "String", "multiValued": True}}),
            configure("users", {"ada@contoso.example": {"languages": [f"v{number}" for number in range(101)]}}),
        ),
        "101 extension values; an object holds at most 100",
        both(configure("extensions", {"languages": "String"}), configure("users", ADA)),
        stops=True,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[case.rule for case in CASES])
def test_a_finding_is_told_and_gone_after_its_remedy(stack: Stack, case: Case) -> None:
    tenant = stack.tenant()
    assert f"[{case.rule}]" not in stack.run("preview").output
    case.deed(stack, tenant)
    found = stack.run("preview")
    assert case.says in found.output
    assert f"[{case.rule}]" in found.output
    assert (found.code != 0) is case.stops, "people's and the tenant's conditions are warnings"
    if not case.stops:
        stack.config.setdefault("rules", {})[case.rule] = "error"
        assert stack.run("preview").code != 0, "a stack may make it an error"
        stack.config["rules"][case.rule] = "off"
        assert f"[{case.rule}]" not in stack.preview().output, "or turn it off"
        del stack.config["rules"][case.rule]
    case.remedy(stack, tenant)
    assert f"[{case.rule}]" not in stack.preview().output


def test_all_findings_come_in_one_report_errors_first(stack: Stack) -> None:
    user("ada", accountEnabled=False)(stack, stack.tenant())
    stack.config["claims"]["site"] = "extension.extension_8f66597486ab539983f97492e2e5acec_absent"
    refused = stack.run("preview")
    assert refused.code != 0
    lines = [line.strip() for line in refused.output.splitlines() if line.strip().startswith("- ")]
    assert "does not exist in this tenant" in lines[0]
    assert any(line.startswith("- warning: users: 1 user cannot sign in") for line in lines[1:])


def test_the_least_privileged_identity_can_do_all_of_it(stack: Stack) -> None:
    before = stack.emulator.export()
    identity(LEAST)(stack, stack.tenant())
    assert "[permission-missing]" not in stack.preview().output
    stack.up()
    stack.unchanged()
    stack.destroy()
    assert stack.emulator.export() == before


def test_an_identity_that_cannot_read_policies_is_told_so(stack: Stack) -> None:
    identity(POLICY_WRITER)(stack, stack.tenant())
    assert "Policy.Read.All to read policies" in stack.preview().output


def test_a_gallery_application_is_told_where_extensions_can_live(stack: Stack) -> None:
    seed = stack.emulator.export()
    gone = next(one for one in seed["applications"] if one["displayName"] == "Twilio Flex")
    seed["applications"].remove(gone)
    stack.emulator.seed({**seed, "clients": clients()})
    refused = stack.run("preview")
    assert refused.code != 0
    assert "is not in this tenant (a gallery application has none here)" in refused.output
    assert "flexsaml:application" in refused.output
    other = next(one for one in seed["applications"] if one["displayName"] == "Twilio Flex Staging")
    stack.config["application"] = other["appId"]
    stack.up()
    stack.unchanged()
    stack.destroy()


def test_an_owner_without_a_principal_stops(stack: Stack) -> None:
    tenant = stack.tenant()
    other = next(one for one in stack.emulator.export()["applications"] if one["displayName"] == "Twilio Flex Staging")
    principal_id = next(
        one["id"] for one in stack.emulator.export()["servicePrincipals"] if one["appId"] == other["appId"]
    )
    tenant.do("DELETE", f"/servicePrincipals/{principal_id}")
    stack.config["application"] = other["id"]
    refused = stack.run("preview")
    assert refused.code != 0
    assert "has no service principal in this tenant" in refused.output
    tenant.do("POST", "/servicePrincipals", {"appId": other["appId"]})
    stack.preview()


def test_values_that_will_be_overwritten_are_counted_not_shown(stack: Stack) -> None:
    tenant = stack.tenant()
    tenant.make_property("team")
    full = tenant.full("team")
    tenant.write("ada", "private", "team")
    stack.config["users"] = {"ada@contoso.example": {full: "blue"}}
    seen = stack.preview().output
    assert "1 user holds another value, which will be overwritten (ada@contoso.example)" in seen
    assert "private" not in seen
    stack.up()
    assert "will be overwritten" not in stack.preview().output
    stack.config["users"] = {"ada@contoso.example": {full: "red"}}
    assert "will be overwritten" not in stack.preview().output, "our own value of the last run is no surprise"
    tenant.write("ada", "private again", "team")
    assert "1 user holds another value" in stack.preview().output
    stack.destroy()


def test_an_assignment_displaced_by_somebody_else(stack: Stack) -> None:
    before = stack.emulator.export()
    stack.up()
    tenant = stack.tenant()
    theirs = tenant.make_policy("by hand")
    tenant.unassign(tenant.assigned()[0])
    tenant.assign(theirs)
    seen = stack.preview().output
    assert "this stack's policy is no longer assigned (now: 'by hand'" in seen
    stack.refresh()
    refused = stack.run("preview")
    assert refused.code != 0
    assert "already has the claims mapping policy 'by hand'" in refused.output
    stack.destroy()
    assert tenant.assigned() == [theirs], "what somebody else assigned stays"
    tenant.unassign(theirs)
    tenant.do("DELETE", f"/policies/claimsMappingPolicies/{theirs}")
    assert stack.emulator.export() == before


def test_an_assignment_displaced_by_somebody_else_and_never_refreshed(stack: Stack) -> None:
    before = stack.emulator.export()
    stack.up()
    tenant = stack.tenant()
    theirs = tenant.make_policy("by hand")
    tenant.unassign(tenant.assigned()[0])
    tenant.assign(theirs)
    stack.config["claims"] = {**stack.config["claims"], "email": "user.othermail"}
    assert "is no longer assigned (now: 'by hand'" in stack.up().output
    assert tenant.assigned() == [theirs], "told, and left to a person"
    stack.destroy()
    assert tenant.assigned() == [theirs], "what somebody else assigned stays"
    tenant.unassign(theirs)
    tenant.do("DELETE", f"/policies/claimsMappingPolicies/{theirs}")
    assert stack.emulator.export() == before


def test_a_policy_of_somebody_else_survives_beside_ours(stack: Stack) -> None:
    """Already on the principal: without `replaceExisting` nothing is done at all, with it theirs comes back."""
    tenant = stack.tenant()
    theirs = tenant.make_policy("by hand")
    tenant.assign(theirs)
    before = stack.emulator.export()
    assert stack.run("up", "--yes").code != 0
    stack.destroy()
    assert stack.emulator.export() == before
    stack.config["replaceExisting"] = True
    stack.up()
    stack.destroy()
    assert stack.emulator.export() == before


def test_the_number_of_round_trips(stack: Stack) -> None:
    app_id = stack.tenant().principal["appId"]
    for reference, most in (("Twilio Flex", 3), (app_id, 2), (stack.tenant().principal["id"], 3)):
        stack.config["servicePrincipal"] = reference
        stack.emulator.clear()
        stack.preview()
        trips = [call for call in calls(stack.emulator) if not call.startswith(" ")]
        people_and_beta = 2
        assert len(trips) <= most + people_and_beta, trips
        assert sum("claimsPolicy" in call for call in trips) == 1
