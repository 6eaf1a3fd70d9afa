"""If this goes red, `python -m flexsaml predict` gives a pipeline the wrong exit status, or a user no usable line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.cli.command import CLAIMS, ROOT, Ended, assert_refused, run, stack_file
from tests.emulator import signin
from tests.emulator.process import ADMIN, LEAST, MEMBER_READER, PREVIEW, Emulator
from tests.emulator.tenant import FLEX, GUEST, Tenant, full_name

ADA, LINUS, NORA = "ada@contoso.example", "linus@contoso.example", "nora@contoso.example"
GUIDE = ROOT / "tests" / "corpus" / "policies" / "03-twilio-flex-doc.json"
GUIDE_TEXT = GUIDE.read_text("utf-8").replace(
    "extension_" + "0" * 32 + "_exampleproperty", full_name("exampleproperty")
)
POLICY = json.loads(GUIDE_TEXT)


@pytest.fixture
def tenant(emulator: Emulator) -> Tenant:
    assigned = Tenant(emulator)
    assigned.property("exampleproperty")
    signin.assign(assigned, POLICY)
    return assigned


def predict(tenant: Tenant, folder: Path, *arguments: str, client: str = ADMIN, **keys: str) -> Ended:
    file = stack_file(folder, tenant.emulator, **keys)
    return run("predict", "--file", file, *arguments, environment={"FLEXSAML_SANDBOX_CLIENT": client})


def test_one_user_in_full(tenant: Tenant, tmp_path: Path) -> None:
    ended = predict(tenant, tmp_path, "--user", ADA)
    assert (ended.status, ended.err) == (0, "")
    for words in (f"{ADA} (", "sign-in works", "exact", "predicted", "keeps its value", "Flex ignores 8 attributes"):
        assert words in ended.out


@pytest.mark.parametrize("arguments", [("--user", ADA), ("--all",)], ids=" ".join)
def test_a_user_whom_one_replica_does_not_know_yet_is_predicted(
    tenant: Tenant, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    foreign = ("--policy", str(GUIDE))  # an extension of an application that is not there, which is asked for first
    expected = predict(tenant, tmp_path, *arguments, *foreign)
    tenant.emulator.fault("refuse", "GET", "^/users/", status=404, skip=1)
    assert predict(tenant, tmp_path, *arguments, *foreign) == expected
    assert [fault["fired"] for fault in tenant.emulator.faults()] == [1]


def test_json_has_every_line_and_changes_nothing(tenant: Tenant, tmp_path: Path) -> None:
    before = tenant.emulator.export()
    tenant.emulator.clear()
    body = json.loads(predict(tenant, tmp_path, "--user", ADA, "--json").out)
    assert body["principal"]["id"] == FLEX["id"]
    user = body["users"][0]
    certain = {"confidence": "exact", "grade": "A", "reason": ""}
    rules = ["W2", "W3", "W5", "S3", "S12", "F1", "F3", "F5"]
    assert user["signIn"] == {"outcome": "works", **certain, "rules": rules, "refusals": [], "faults": [], "doubts": []}
    assert user["nameId"]["value"] == ADA
    assert {line["name"]: line["values"] for line in user["attributes"]}["roles"] == ["agent"]
    assert {line["name"]: line["kept"] for line in user["worker"]} == {
        "full_name": False,
        "roles": False,
        "email": False,
        "contact_uri": False,
        "exampleclaimattribute": True,
    }
    assert body["counts"] == {"users": 1, "works": 1, "fails": 0, "unknown": 0, "probable": 0}
    assert tenant.emulator.export() == before
    sent = {
        request["method"]
        for request in tenant.emulator.requests()
        if "$batch" not in request["path"] and "oauth2" not in request["path"]
    }
    assert sent == {"GET"}


def test_xml_is_what_an_assertion_has(tenant: Tenant, tmp_path: Path) -> None:
    root = ElementTree.fromstring(predict(tenant, tmp_path, "--user", ADA, "--xml").out)  # noqa: S314 - our own
    issued = signin.issued(tenant.emulator, ADA)
    values = {
        element.attrib["Name"]: [value.text or "" for value in element.findall("saml:AttributeValue", signin.SAML)]
        for element in root.iterfind(".//saml:Attribute", signin.SAML)
    }
    assert values == issued.values
    assert root.findtext(".//saml:NameID", namespaces=signin.SAML) == issued.name_id


def test_all_users_have_a_line_each(tenant: Tenant, tmp_path: Path) -> None:
    tenant.patch({"mail": None}, LINUS)
    ended = predict(tenant, tmp_path, "--all")
    assert ended.status == 1
    lines = {line.split()[0]: line for line in ended.out.splitlines()}
    assert lines[ADA].split()[1] == "works"
    assert "'email' is missing" in lines[LINUS]
    assert "AADSTS50057" in lines[GUEST]  # a direct member of the assigned group
    assert NORA not in lines  # only in a group inside it
    assert ended.out.splitlines()[-1] == "6 users: 4 can sign in, 2 cannot, 0 unknown"


def test_an_application_without_users_has_no_sign_in(tenant: Tenant, tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    file.write_text(json.dumps(POLICY))
    ended = predict(tenant, tmp_path, "--all", "--policy", str(file), servicePrincipal="Twilio Flex Staging")
    assert ended.status == 0
    assert (
        ended.out.splitlines()[-1]
        == "nobody is known to be assigned to the application; give --user to predict the sign-in of one user"
    )


WITHOUT_PRIVATE_KEY = [key for key in FLEX["keyCredentials"] if key["usage"] == "Verify"]


@pytest.mark.parametrize(
    ("user", "changes", "verdict", "problem"),
    [
        (GUEST, {}, "sign-in fails", "AADSTS50057: the user is disabled (rule W2, grade A)"),
        (NORA, {}, "sign-in fails", "(rule W3, grade A)"),
        (NORA, {"accountEnabled": False}, "sign-in fails", "AADSTS7000112: the application 'Twilio Flex' is disabled"),
        (LINUS, {"preferredTokenSigningKeyThumbprint": None}, "sign-in probably fails", "AADSTS50146: 'Twilio Flex' has"),
        (LINUS, {"keyCredentials": WITHOUT_PRIVATE_KEY}, "sign-in probably fails", "has no private key in Entra"),
        (LINUS, {"keyCredentials": WITHOUT_PRIVATE_KEY}, "sign-in probably fails", "(not confirmed: rules W4, W9, grade D)"),
    ],
)  # fmt: skip
def test_who_cannot_sign_in_is_a_finding(
    tenant: Tenant, tmp_path: Path, user: str, changes: dict[str, Any], verdict: str, problem: str
) -> None:
    signin.patch_principal(tenant, **changes)
    ended = predict(tenant, tmp_path, "--user", user)
    assert ended.status == 1
    assert f"{verdict}\n" in ended.out
    assert problem in ended.out
    everybody = predict(tenant, tmp_path, "--all").out.splitlines()
    assert ("answers not confirmed (grade D)" in everybody[-1]) is ("probably" in verdict)
    assert any(line.split()[1:3] == ["probably", "fails"] for line in everybody) is ("probably" in verdict)


def test_what_works_by_an_inference_is_probable_and_no_finding(tenant: Tenant, tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    level = {"Value": "007", "SamlClaimType": "level.int"}
    file.write_text(json.dumps(signin.claims(*POLICY["ClaimsMappingPolicy"]["ClaimsSchema"], level)))
    ended = predict(tenant, tmp_path, "--user", ADA, "--policy", str(file))
    assert (ended.status, "sign-in probably works (not confirmed: rule F4, grade D)" in ended.out) == (0, True)
    everybody = predict(tenant, tmp_path, "--all", "--policy", str(file)).out
    assert f"{ADA}" in everybody
    assert "probably works  (not confirmed: rule F4, grade D)" in everybody


def test_an_ill_typed_value_is_a_finding(tenant: Tenant, tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    skill = {"Source": "user", "ID": "department", "SamlClaimType": "skill.int"}
    file.write_text(json.dumps(signin.claims(*POLICY["ClaimsMappingPolicy"]["ClaimsSchema"], skill)))
    ended = predict(tenant, tmp_path, "--user", ADA, "--policy", str(file))
    assert ended.status == 1
    assert "400 Error invalid attribute format" in ended.out


def test_another_policy_is_compared_with_the_assigned_one(tenant: Tenant, tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    entry = {"Source": "user", "ID": "department", "SamlClaimType": "department"}
    file.write_text(json.dumps(signin.claims(*POLICY["ClaimsMappingPolicy"]["ClaimsSchema"], entry)))
    ended = predict(tenant, tmp_path, "--user", ADA, "--policy", str(file), "--against", "assigned", "--json")
    changes = {
        (change["where"], change["name"]): change["after"] for change in json.loads(ended.out)["users"][0]["changes"]
    }
    assert changes["attribute", "department"] == ["Support"]
    assert changes["worker", "department"] == "Support"
    assert changes["attribute", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"] == "(not sent)"
    everybody = predict(tenant, tmp_path, "--all", "--policy", str(file), "--against", "assigned")
    assert "6 of 6 users change" in everybody.out
    file.write_text(GUIDE_TEXT)
    assert "no change" in predict(tenant, tmp_path, "--user", ADA, "--policy", str(file), "--against", "assigned").out


STACK = CLAIMS.replace(
    "    email", "    languages.stringarray: extension.languages\n    level.int: extension.level\n    email"
)
STACK += "  flexsaml:extensions: {languages: String, level: Integer}\n"


def test_a_stack_file_is_predicted_with_the_values_it_would_write(tenant: Tenant, tmp_path: Path) -> None:
    (tmp_path / "agents.csv").write_text(f"user,level\n{ADA.upper()},3\n{LINUS},<null>\n")
    users = f"  flexsaml:usersFile: agents.csv\n  flexsaml:users:\n    {ADA}: {{languages: 'en,de'}}\n"
    file = stack_file(tmp_path, tenant.emulator, STACK + users)
    ended = run("predict", "--file", file, "--all", "--policy", file, "--against", "assigned", "--json")
    worker = {
        user["userPrincipalName"]: {line["name"]: line["value"] for line in user["worker"] if not line["kept"]}
        for user in json.loads(ended.out)["users"]
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
    assert_refused(run("predict", "--file", file, "--user", ADA, "--policy", file), "predict", words)


@pytest.mark.parametrize(
    ("users", "path", "unknown"),
    [
        (f"  flexsaml:users:\n    {ADA}: {{level: {{secure: 'v1:x'}}}}\n", f"users.{ADA}.level", {"level.int"}),
        (f"  flexsaml:users:\n    {ADA}: {{secure: 'v1:x'}}\n", f"users.{ADA}", {"level.int", "languages.stringarray"}),
        ("  flexsaml:users: {secure: 'v1:x'}\n", "users", {"level.int", "languages.stringarray"}),
    ],
)
def test_encrypted_values_are_unknown(tenant: Tenant, tmp_path: Path, users: str, path: str, unknown: set[str]) -> None:
    file = stack_file(tmp_path, tenant.emulator, STACK + users)
    body = json.loads(run("predict", "--file", file, "--user", ADA, "--policy", file, "--json").out)
    assert body["notRead"] == [f"{path}: its value is encrypted, and only the engine can read it"]
    names = {line["name"] for line in body["users"][0]["attributes"] if line["confidence"] == "unknown"}
    assert names == unknown


@pytest.mark.parametrize("client", [LEAST, PREVIEW])
def test_fewer_rights_predict_less_and_nothing_wrong(tenant: Tenant, tmp_path: Path, client: str) -> None:
    ended = predict(tenant, tmp_path, "--user", ADA, "--json", client=client)
    body = json.loads(ended.out)
    assert ended.status == 0
    assert body["notRead"] == [
        "members of the group 'Flex agents' (GroupMember.Read.All, and Member.Read.Hidden if its membership is hidden)"
    ]
    levels = {line["name"]: line["confidence"] for line in body["users"][0]["attributes"]}
    # The group's role is hers already, and that it is sent once if she has it twice is an inference.
    assert (levels["roles"], levels["email"]) == ("predicted", "exact")
    assert levels["http://schemas.microsoft.com/identity/claims/tenantid"] == "predicted"  # of the token
    other = json.loads(predict(tenant, tmp_path, "--user", NORA, "--json", client=client).out)["users"][0]
    assert other["signIn"]["outcome"] == "unknown"


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
        ({}, ("--all", "--policy", str(ROOT / "MANIFEST.in")), ("Graph refuses this policy",)),
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
    assert_refused(predict(tenant, tmp_path, *arguments, **keys), "predict", *words)


def test_a_reader_that_closes_the_pipe_is_no_failure(tenant: Tenant, tmp_path: Path) -> None:
    file = stack_file(tmp_path, tenant.emulator)
    command = f"{sys.executable} -m flexsaml predict --file {file} --user {ADA} --json | head -c 1"
    process = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (process.stdout, process.stderr) == ("{", "")


def test_not_allowed_to_read_is_one_line(tenant: Tenant, tmp_path: Path) -> None:
    ended = predict(tenant, tmp_path, "--user", ADA, client=MEMBER_READER)
    assert_refused(ended, "predict", "403", "User.Read.All")


def test_several_principals_of_a_name_are_listed_with_their_ids(tenant: Tenant, tmp_path: Path) -> None:
    signin.patch_principal(tenant, displayName="Twilio Flex Staging")
    ended = predict(tenant, tmp_path, "--all", servicePrincipal="Twilio Flex Staging")
    assert_refused(ended, "predict", "2 enterprise applications", FLEX["id"])


def test_user_and_all_exclude_each_other(tenant: Tenant, tmp_path: Path) -> None:
    for arguments in ((), ("--all", "--user", ADA)):
        assert predict(tenant, tmp_path, *arguments).status == 2
