"""If this goes red, a mistake that somebody reported in public passes unnoticed, or gets another answer than the right one.

The inputs stand in tests/corpus/reports, with their sources; the responses in tests/corpus/saml/reports are judged in
tests/verification.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import ROOT, run
from tests.emulator.process import SEED, Emulator
from tests.emulator.tenant import Tenant

REPORTS = ROOT / "tests" / "corpus" / "reports"
ADA, GUEST = "ada@contoso.example", "mary_fabrikam.example#EXT#@contoso.example"
QUOTES = "is a String, and this is what YAML makes of unquoted text: write it in quotes"
UID = "extension_22220000000040008000000000000002_uid"
STATION = "extension_22220000000040008000000000000002_athRemoteWorkstation"

LINT: list[tuple[str, str, int, list[str]]] = [
    # stack file or definition, roster for it, status, what is said (nothing else is an error or a warning)
    ("01-groupfilter/policy.json", "", 0, []),
    ("01-groupfilter/documented.json", "", 0, []),
    ("02-applies-to/min.json", "", 0, ["'AppliesToUserType' is not documented", "'MemberOf' is not", "'Condition' is not"]),
    ("02-applies-to/unknown-root.json", "", 0, ["the key 'Conditions' is not documented"]),
    ("06-line-break/stack.yaml", "06-line-break/crlf.csv", 0, ["roster.csv, line 2: team has a carriage return (U+000D)"]),
    ("06-line-break/stack.yaml", "06-line-break/lf.csv", 0, ["roster.csv, line 2: team has a line feed (U+000A)"]),
    ("06-line-break/stack.yaml", "06-line-break/sep.csv", 1, ["roster.csv, line 1"]),
    ("06-line-break/const.yaml", "", 0, ["claims.team: the constant of claim 'team' has a carriage return", "users.ada@contoso.example: site has a carriage return"]),
    ("08-full-name/stack.yaml", "", 1, ["claim 'full_name' is missing ('Full Name' is another name)", "'Member' in claim 'roles' is not a role of Flex"]),
    ("08-full-name/roles-usertype.yaml", "", 0, ["'Member' in claim 'roles' is not a role of Flex"]),
    ("12-largeint/bigint.yaml", "", 1, ["claims.badge.int: claim 'badge.int' gets '9007199254740993', which is not a whole number of at most 53 bits"]),
    ("12-largeint/stack.yaml", "", 0, ["the hyphen may break TaskRouter's expressions"]),
    ("13-yaml-scalars/min.yaml", "", 1, [f"users.ada@contoso.example.languages: {QUOTES}"]),
    ("13-yaml-scalars/min-no.yaml", "", 0, []),
    ("17-portal-names/stack.yaml", "", 1, ["use user.mail [flex-required-empty]", *[f"user.{name} is not a documented attribute" for name in ("secondemail", "objectguid", "firstname", "manager", "company", "employeehiredate", "employeetype")]]),
    ("19-existing-extension-name/stack.yaml", "", 0, []),
    ("20-null-words", "20-null-words/roster.csv", 0, [f"roster.csv, line {line}: {name} is a word" for line, name in ((2, "team"), (3, "languages"), (3, "team"), (4, "languages"), (4, "team"))]),
    ("20-null-words", "20-null-words/empty.csv", 0, []),
]  # fmt: skip


@pytest.mark.parametrize(("file", "roster", "status", "said"), LINT)
def test_lint(file: str, roster: str, status: int, said: list[str], tmp_path: Path) -> None:
    source = "06-line-break/stack.yaml" if file == "20-null-words" else file
    name = "Pulumi.dev.yaml" if source.endswith(".yaml") else "policy.json"
    shutil.copy(REPORTS / source, tmp_path / name)
    if roster:
        shutil.copy(REPORTS / roster, tmp_path / "roster.csv")
    ended = run("lint", name, cwd=tmp_path)
    lines = [line for line in ended.out.splitlines() if line.startswith(("error", "warning"))]
    assert ended.status == status, ended.out
    assert len(lines) == len(said), ended.out
    for words in said:
        assert any(words in line for line in lines), ended.out


def predict(tenant: Tenant, folder: Path, definition: str, user: str) -> dict[str, Any]:
    """The prediction for a user under a reported definition or stack file."""
    emulator = tenant.emulator
    stack = (
        f"config:\n  flexsaml:cloud: loopback\n  flexsaml:graphEndpoint: {emulator.http}\n"
        f"  flexsaml:loginEndpoint: {emulator.http}\n  flexsaml:servicePrincipal: Twilio Flex\n"
    )
    (folder / "Pulumi.dev.yaml").write_text(stack)
    policy = REPORTS / definition
    if policy.suffix == ".yaml":
        claims = policy.read_text("utf-8").partition("flexsaml:servicePrincipal: Twilio Flex\n")[2]
        policy = folder / "Pulumi.report.yaml"
        policy.write_text(stack + claims)
    ended = run("predict", "--file", "Pulumi.dev.yaml", "--policy", str(policy), "--user", user, "--json", cwd=folder)
    assert ended.status in (0, 1), ended.err
    prediction: dict[str, Any] = json.loads(ended.out)["users"][0]
    return prediction


@pytest.fixture
def tenant(emulator: Emulator) -> Tenant:
    return Tenant(emulator)


@pytest.mark.parametrize("file", ["policy.json", "with-groups.json", "documented.json"])
def test_a_group_filter_may_send_groups(tenant: Tenant, tmp_path: Path, file: str) -> None:
    lines = predict(tenant, tmp_path, f"01-groupfilter/{file}", ADA)["attributes"]
    groups = [line for line in lines if line["name"].endswith("/groups") or line["name"] == "teams.stringarray"]
    assert [line["confidence"] for line in groups] == ["unknown"] * len(groups)
    assert groups


@pytest.mark.parametrize("file", ["min.json", "unknown-root.json"])
def test_what_an_undocumented_key_does_is_unknown(tenant: Tenant, tmp_path: Path, file: str) -> None:
    prediction = predict(tenant, tmp_path, f"02-applies-to/{file}", ADA)
    claims = {line["name"]: line for line in prediction["attributes"]}
    assert {claims[name]["confidence"] for name in ("email", "full_name", "roles")} == {"unknown"}
    assert prediction["signIn"]["outcome"] == "unknown"


def test_the_local_name_of_a_guest_is_undocumented_for_the_name_id(tenant: Tenant, tmp_path: Path) -> None:
    name_id = predict(tenant, tmp_path, "05-guest/local-nameid.json", GUEST)["nameId"]
    assert name_id["confidence"] != "exact"


@pytest.mark.parametrize(
    ("file", "role"), [("08-full-name/roles-usertype.yaml", "Member"), ("11-app-role-value/p.json", "Agent")]
)
def test_a_role_that_flex_does_not_know_is_no_sign_in_that_works(
    tenant: Tenant, tmp_path: Path, file: str, role: str
) -> None:
    seed = json.loads(SEED.read_text("utf-8").replace('"value": "agent"', '"value": "Agent"'))
    tenant.emulator.seed(seed)
    prediction = predict(tenant, tmp_path, file, ADA)
    roles = next(line for line in prediction["worker"] if line["name"] == "roles")
    assert roles["value"] == [role]
    assert prediction["signIn"]["outcome"] == "unknown"
    assert "is not one of Flex's roles" in prediction["signIn"]["doubts"][0]


def test_doctor_names_a_role_and_a_synced_extension(tenant: Tenant, tmp_path: Path) -> None:
    seed = json.loads(SEED.read_text("utf-8").replace('"value": "agent"', '"value": "Agent"'))
    signin_application = next(row for row in seed["applications"] if row["displayName"] == "Twilio Flex")
    owner = {
        **signin_application,
        "id": "11110000-0000-4000-8000-000000000001",
        "displayName": "Tenant Schema Extension App",
    }
    owner |= {"appId": "22220000-0000-4000-8000-000000000002", "appRoles": [], "identifierUris": []}
    seed["applications"].append(owner)
    principal = next(row for row in seed["servicePrincipals"] if row["displayName"] == "Twilio Flex")
    seed["servicePrincipals"].append(
        {**principal, "id": "33330000-0000-4000-8000-000000000003", "appId": owner["appId"], "appRoles": [],
         "displayName": owner["displayName"], "servicePrincipalNames": [owner["appId"]]}
    )  # fmt: skip
    names = (
        {"id": "44440000-0000-4000-8000-000000000004", "name": STATION},
        {"id": "44440000-0000-4000-8000-000000000005", "name": UID},
    )
    shape = {"application": owner["id"], "applicationId": owner["id"], "dataType": "String", "isMultiValued": False,
             "isSyncedFromOnPremises": True, "targetObjects": ["User"]}  # fmt: skip
    seed["extensionProperties"] = [{**shape, **name} for name in names]
    tenant.emulator.seed(seed)
    keys = (
        f"config:\n  flexsaml:graphEndpoint: {tenant.emulator.http}\n  flexsaml:loginEndpoint: {tenant.emulator.http}\n"
    )
    written = (REPORTS / "18-synced-extension" / "stack.yaml").read_text("utf-8").replace("config:\n", keys)
    (tmp_path / "Pulumi.dev.yaml").write_text(written)
    ended = run("doctor", "--file", "Pulumi.dev.yaml", cwd=tmp_path)
    assert ended.status == 1
    assert f"extension '{STATION}': is synchronised from on-premises" in ended.out
    assert f"extension '{UID}'" not in ended.out  # only read
    assert "'Agent', which are not roles of Flex" in ended.out


def test_verify_warns_of_a_role_that_flex_does_not_know(tmp_path: Path) -> None:
    folder = REPORTS / "11-app-role-value"
    stack = shutil.copy(folder / "stack.yaml", tmp_path / "Pulumi.dev.yaml")
    at = ("--at", "2026-11-25T22:56:00Z")
    ended = run("verify", str(folder / "grace.b64"), "--metadata", str(folder / "md.xml"), *at, "--file", str(stack))
    assert ended.status == 0, ended.out
    assert "a value of 'roles' is not one of Flex's roles" in ended.out


def test_a_mail_address_in_place_of_the_name(tenant: Tenant, tmp_path: Path) -> None:
    rows = (REPORTS / "22-roster-identity" / "by-mail.csv").read_text("utf-8").splitlines()
    keys = (
        f"config:\n  flexsaml:graphEndpoint: {tenant.emulator.http}\n  flexsaml:loginEndpoint: {tenant.emulator.http}\n"
    )
    stack = (REPORTS / "06-line-break" / "stack.yaml").read_text("utf-8").replace("config:\n", keys)
    (tmp_path / "Pulumi.dev.yaml").write_text(stack)
    (tmp_path / "roster.csv").write_text("\n".join(rows).replace("linus.pauling@", "mary@"))
    ended = run("doctor", "--file", "Pulumi.dev.yaml", cwd=tmp_path)
    assert ended.status == 1
    assert f"'mary@fabrikam.example' is not in this tenant; {GUEST} has this mail address" in ended.out
