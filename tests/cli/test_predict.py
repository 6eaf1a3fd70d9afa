"""If this goes red, `python -m flexsaml predict` gives a pipeline the wrong exit status, or a person no usable line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.command import CLAIMS, ROOT, refused, run, stack_file
from tests.emulator import signin
from tests.emulator.process import ADMIN, LEAST, MEMBER_READER, PREVIEW, Emulator
from tests.emulator.tenant import FLEX, GUEST, Tenant, full_name

ADA, LINUS, NORA = "ada@contoso.example", "linus@contoso.example", "nora@contoso.example"
GUIDE = ROOT / "tests" / "corpus" / "policies" / "03-twilio-flex-doc.json"
POLICY = json.loads(GUIDE.read_text("utf-8"))


@pytest.fixture
def tenant(emulator: Emulator) -> Tenant:
    found = Tenant(emulator)
    signin.assign(found, POLICY)
    return found


def predict(tenant: Tenant, folder: Path, *arguments: str, client: str = ADMIN, **keys: str):  # type: ignore[no-untyped-def]
    file = stack_file(folder, tenant.emulator, **keys)
    return run("predict", "--file", file, *arguments, AZURE_CLIENT_ID=client)


def test_one_user_in_full(tenant: Tenant, tmp_path: Path) -> None:
    found = predict(tenant, tmp_path, "--user", ADA)
    assert (found.status, found.err) == (0, "")
    for words in (f"{ADA} (", "sign-in works", "exact", "predicted", "keeps its value", "Flex ignores 8 attributes"):
        assert words in found.out


def test_json_has_every_line_and_changes_nothing(tenant: Tenant, tmp_path: Path) -> None:
    before = tenant.emulator.export()
    tenant.emulator.clear()
    body = json.loads(predict(tenant, tmp_path, "--user", ADA, "--json").out)
    assert body["principal"]["id"] == FLEX["id"]
    one = body["users"][0]
    assert one["signIn"] == {"outcome": "works", "refusals": [], "faults": [], "doubts": []}
    assert one["nameId"]["value"] == ADA
    assert {line["name"]: line["values"] for line in one["attributes"]}["roles"] == ["agent"]
    kept = {line["name"]: line["kept"] for line in one["worker"]}
    assert kept == {
        "full_name": False,
        "roles": False,
        "email": False,
        "contact_uri": False,
        "exampleclaimattribute": True,
    }
    assert body["counts"] == {"users": 1, "works": 1, "fails": 0, "cannot be known": 0}
    assert tenant.emulator.export() == before
    sent = {
        one["method"]
        for one in tenant.emulator.requests()
        if "$batch" not in one["path"] and "oauth2" not in one["path"]
    }
    assert sent == {"GET"}


def test_xml_is_what_an_assertion_has(tenant: Tenant, tmp_path: Path) -> None:
    root = ElementTree.fromstring(predict(tenant, tmp_path, "--user", ADA, "--xml").out)  # noqa: S314 - our own
    issued = signin.issued(tenant.emulator, ADA)
    values = {
        one.attrib["Name"]: [value.text or "" for value in one.findall("saml:AttributeValue", signin.SAML)]
        for one in root.iterfind(".//saml:Attribute", signin.SAML)
    }
    assert values == issued.values
    assert root.findtext(".//saml:NameID", namespaces=signin.SAML) == issued.name_id


def test_everybody_in_a_line_each(tenant: Tenant, tmp_path: Path) -> None:
    tenant.patch({"mail": None}, LINUS)
    found = predict(tenant, tmp_path, "--all")
    assert found.status == 1
    lines = {line.split()[0]: line for line in found.out.splitlines()}
    assert lines[ADA].split()[1] == "works"
    assert "'email' is missing" in lines[LINUS]
    assert "AADSTS50057" in lines[GUEST]  # a direct member of the assigned group
    assert NORA not in lines  # only in a group inside it
    assert found.out.splitlines()[-1] == "of 6 users, 4 can sign in, 2 cannot, 0 cannot be known"


@pytest.mark.parametrize(("user", "words"), [(GUEST, "AADSTS50057"), (NORA, "AADSTS50105"), (LINUS, "AADSTS50146")])
def test_who_cannot_sign_in_is_a_finding(tenant: Tenant, tmp_path: Path, user: str, words: str) -> None:
    if user == LINUS:
        signin.patch_principal(tenant, preferredTokenSigningKeyThumbprint=None)
    found = predict(tenant, tmp_path, "--user", user)
    assert found.status == 1
    assert words in found.out


def test_an_ill_typed_value_is_a_finding(tenant: Tenant, tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    skill = {"Source": "user", "ID": "department", "SamlClaimType": "skill.int"}
    file.write_text(json.dumps(signin.claims(*POLICY["ClaimsMappingPolicy"]["ClaimsSchema"], skill)))
    found = predict(tenant, tmp_path, "--user", ADA, "--policy", str(file))
    assert found.status == 1
    assert "400 Error invalid attribute format" in found.out


def test_a_change_before_it_is_made(tenant: Tenant, tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    entry = {"Source": "user", "ID": "department", "SamlClaimType": "department"}
    file.write_text(json.dumps(signin.claims(*POLICY["ClaimsMappingPolicy"]["ClaimsSchema"], entry)))
    found = predict(tenant, tmp_path, "--user", ADA, "--policy", str(file), "--against", "assigned", "--json")
    told = {(one["where"], one["name"]): one["after"] for one in json.loads(found.out)["users"][0]["changes"]}
    assert told["attribute", "department"] == ["Support"]
    assert told["worker", "department"] == "Support"
    assert told["attribute", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"] == "(not sent)"
    everybody = predict(tenant, tmp_path, "--all", "--policy", str(file), "--against", "assigned")
    assert "6 of 6 users change" in everybody.out
    assert "no change" in predict(tenant, tmp_path, "--user", ADA, "--policy", str(GUIDE), "--against", "assigned").out


STACK = CLAIMS.replace(
    "    email", "    languages.stringarray: extension.languages\n    level.int: extension.level\n    email"
)
STACK += "  flexsaml:extensions: {languages: String, level: Integer}\n"


def test_a_stack_file_is_predicted_with_what_it_would_write(tenant: Tenant, tmp_path: Path) -> None:
    (tmp_path / "agents.csv").write_text(f"user,level\n{ADA.upper()},3\n{LINUS},<null>\n")
    users = f"  flexsaml:usersFile: agents.csv\n  flexsaml:users:\n    {ADA}: {{languages: 'en,de'}}\n"
    file = stack_file(tmp_path, tenant.emulator, STACK + users)
    found = run("predict", "--file", file, "--all", "--policy", file, "--against", "assigned", "--json")
    worker = {
        one["userPrincipalName"]: {line["name"]: line["value"] for line in one["worker"] if not line["kept"]}
        for one in json.loads(found.out)["users"]
    }
    assert (worker[ADA]["languages"], worker[ADA]["level"]) == (["en", "de"], 3)
    assert not {"languages", "level"} & set(worker[LINUS])
    assert tenant.value(full_name("languages")) is None  # nothing was written


@pytest.mark.parametrize(
    ("users", "words"),
    [
        (f"  flexsaml:users:\n    {ADA}: {{level: many}}\n", "level"),
        (f"  flexsaml:users:\n    {ADA}: {{colour: red}}\n", "not declared"),
        (f"  flexsaml:users:\n    {ADA}: red\n", "must be a map"),
        ("  flexsaml:usersFile: absent.csv\n", "cannot read"),
        ("  flexsaml:usersFile: Pulumi.dev.yaml\n", "line 1"),
    ],
)
def test_a_stack_file_that_would_not_preview_is_not_predicted(
    tenant: Tenant, tmp_path: Path, users: str, words: str
) -> None:
    file = stack_file(tmp_path, tenant.emulator, STACK + users)
    refused(run("predict", "--file", file, "--user", ADA, "--policy", file), "predict", words)


@pytest.mark.parametrize(
    ("users", "place", "unknown"),
    [
        (f"  flexsaml:users:\n    {ADA}: {{level: {{secure: 'v1:x'}}}}\n", f"users.{ADA}.level", {"level.int"}),
        (f"  flexsaml:users:\n    {ADA}: {{secure: 'v1:x'}}\n", f"users.{ADA}", {"level.int", "languages.stringarray"}),
        ("  flexsaml:users: {secure: 'v1:x'}\n", "users", {"level.int", "languages.stringarray"}),
    ],
)
def test_encrypted_values_are_named_and_not_guessed(
    tenant: Tenant, tmp_path: Path, users: str, place: str, unknown: set[str]
) -> None:
    file = stack_file(tmp_path, tenant.emulator, STACK + users)
    body = json.loads(run("predict", "--file", file, "--user", ADA, "--policy", file, "--json").out)
    assert body["notLookedAt"] == [f"{place}: encrypted, and only the engine can read it"]
    marks = {line["name"] for line in body["users"][0]["attributes"] if line["mark"] == "cannot be known"}
    assert marks == unknown


@pytest.mark.parametrize("client", [LEAST, PREVIEW])
def test_less_rights_say_less_and_nothing_wrong(tenant: Tenant, tmp_path: Path, client: str) -> None:
    found = predict(tenant, tmp_path, "--user", ADA, "--json", client=client)
    body = json.loads(found.out)
    assert found.status == 0
    assert body["notLookedAt"] == ["members of the group 'Flex agents' (GroupMember.Read.All)"]
    marks = {line["name"]: line["mark"] for line in body["users"][0]["attributes"]}
    assert (marks["roles"], marks["email"]) == ("exact", "exact")  # the group's role is hers already
    assert marks["http://schemas.microsoft.com/identity/claims/tenantid"] == "cannot be known"
    other = json.loads(predict(tenant, tmp_path, "--user", NORA, "--json", client=client).out)["users"][0]
    assert other["signIn"]["outcome"] == "cannot be known"


@pytest.mark.parametrize(
    ("keys", "arguments", "words"),
    [
        ({}, ("--user", "nobody@contoso.example"), ("no user 'nobody@contoso.example'", "user principal name")),
        ({}, ("--user", ""), ("no user ''",)),
        ({}, ("--user", ".."), ("no user '..'",)),
        ({}, ("--user", "a/b?c#d"), ("GET /users/a/b?c#d",)),
        ({}, ("--user", "two\nlines"), ("no user 'two lines'",)),
        ({"servicePrincipal": "Twilio Flux"}, ("--all",), ("no enterprise application is called 'Twilio Flux'",)),
        ({"servicePrincipal": "Twilio"}, ("--all",), ("similar names: Twilio Flex",)),
        ({"servicePrincipal": "Twilio Flex Staging"}, ("--all",), ("no claims mapping policy is assigned", "S2")),
        (
            {"servicePrincipal": "00000000-0000-4000-8000-000000000000"},
            ("--all",),
            ("no enterprise application has the appId",),
        ),
        ({"servicePrincipal": ""}, ("--all",), ("servicePrincipal: is missing",)),
        ({"servicePrincipal": "{secure: v1:abc}"}, ("--all",), ("encrypted",)),
        ({"cloud": "moon"}, ("--all",), ("cloud: 'moon' is not one of",)),
        ({}, ("--all", "--policy", "absent.json"), ("cannot read absent.json",)),
        ({}, ("--all", "--policy", str(ROOT / "README.md")), ("Graph refuses it",)),
        ({}, ("--all", "--policy", str(ROOT / "tests/corpus/policies/70-bad-lowercase-version.json")), ("Version",)),
        ({}, ("--all", "--against", "assigned"), ("--policy",)),
        ({}, ("--all", "--xml"), ("--user",)),
        ({"graphEndpoint": "http://127.0.0.1:9"}, ("--all",), ("no connection to 127.0.0.1:9",)),
        ({"loginEndpoint": "http://127.0.0.1:9"}, ("--all",), ("no connection to 127.0.0.1:9",)),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    tenant: Tenant, tmp_path: Path, keys: dict[str, str], arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    refused(predict(tenant, tmp_path, *arguments, **keys), "predict", *words)


def test_a_reader_that_has_seen_enough_is_no_failure(tenant: Tenant, tmp_path: Path) -> None:
    file = stack_file(tmp_path, tenant.emulator)
    command = f"{sys.executable} -m flexsaml predict --file {file} --user {ADA} --json | head -c 1"
    found = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (found.stdout, found.stderr) == ("{", "")


def test_not_allowed_to_read_is_one_line(tenant: Tenant, tmp_path: Path) -> None:
    found = predict(tenant, tmp_path, "--user", ADA, client=MEMBER_READER)
    refused(found, "predict", "403", "User.Read.All")


def test_several_principals_of_one_name_are_told_with_their_ids(tenant: Tenant, tmp_path: Path) -> None:
    signin.patch_principal(tenant, displayName="Twilio Flex Staging")
    found = predict(tenant, tmp_path, "--all", servicePrincipal="Twilio Flex Staging")
    refused(found, "predict", "2 enterprise applications", FLEX["id"])


def test_whom_is_asked_for_is_named_once(tenant: Tenant, tmp_path: Path) -> None:
    for arguments in ((), ("--all", "--user", ADA)):
        assert predict(tenant, tmp_path, *arguments).status == 2
