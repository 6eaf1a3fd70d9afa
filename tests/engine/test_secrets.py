"""If this goes red, a credential, a token or a person's data ends up where others can read it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import yaml

from tests.emulator.process import SECRET, SEED, Emulator
from tests.engine.stack import Stack, new_stack


def test_no_credential_and_no_token_anywhere(emulator: Emulator, tmp_path: Path) -> None:
    with new_stack(emulator, tmp_path) as stack:
        secret = "not-" + SECRET
        seed = {**emulator.export(), "clients": clients(secret)}
        emulator.seed(seed)
        stack.identity = {"AZURE_CLIENT_ID": "11111111-1111-4111-8111-111111111111", "AZURE_CLIENT_SECRET": secret}
        seen = [
            stack.ok("up", "--yes", "--skip-preview", "--logtostderr", "-v=9", "--debug").output,
            stack.refresh().output,
        ]
        seen.append(json.dumps(stack.state()))
        emulator.fault("refuse", "PATCH", "/users/", status=403)
        stack.config["users"]["ada@contoso.example"]["languages"] = "fr"
        seen.append(stack.run("up", "--yes", "--skip-preview").output)
        seen.append(stack.destroy().output)
        everything = "\n".join([*seen, *files(stack.room)])
        tokens = issued(emulator)
        assert len(tokens) >= 5
        for token in [*tokens, secret]:
            assert token not in everything
        assert "Bearer" not in everything


def issued(emulator: Emulator) -> list[str]:
    """The tokens the emulator gave out, from its data file, which it keeps to itself while it runs."""
    emulator.stop()
    with closing(sqlite3.connect(emulator.data)) as database:
        rows = database.execute("select id from rows where kind = 'tokens'").fetchall()
    emulator.start()
    return [token for (token,) in rows]


def clients(secret: str) -> object:
    return [{**one, "secret": secret} for one in json.loads(SEED.read_text())["clients"]]


def files(room: Path) -> list[str]:
    return [path.read_text(errors="replace") for path in room.rglob("*") if path.is_file() and "state" in path.parts]


def test_what_a_person_held_before_is_secret_in_state(stack: Stack) -> None:
    tenant = stack.tenant()
    tenant.make_property("team")
    tenant.write("ada", "a private matter", "team")
    team = tenant.full("team")
    stack.config["users"] = {"ada@contoso.example": {team: "blue"}}
    stack.up()
    tenant.write("ada", "another private matter", "team")
    shown = stack.refresh().output
    everything = shown + json.dumps(stack.state()) + "".join(files(stack.room))
    assert "private matter" not in everything
    memory = stack.resources()[f"flex-{team}-before"]["outputs"]["__memory"]
    assert "ciphertext" in memory


def test_a_value_given_as_a_secret_stays_one(stack: Stack) -> None:
    stack.ok("config", "set", "--secret", "--path", 'flexsaml:users["ada@contoso.example"].languages', "hush")
    written = yaml.safe_load(stack.config_file.read_text())["config"]["flexsaml:users"]
    stack.config["users"] = written
    shown = stack.preview("--diff").output + stack.up().output
    assert stack.tenant().value("ada") == "hush"
    assert "hush" not in shown
    assert "hush" not in json.dumps(stack.state())
    baseline = stack.resources()["flex-languages-before"]
    digests = {baseline[side]["sha256"] for side in ("inputs", "outputs")}
    assert digests == {"[secret]"}, "a short value can be guessed from its digest"
    assert {baseline[side]["__given"] for side in ("inputs", "outputs")} == {""}, "from this one too"
    stack.unchanged()
    stack.ok("config", "set", "--secret", "--path", 'flexsaml:users["ada@contoso.example"].languages', "hushed")
    stack.config["users"] = yaml.safe_load(stack.config_file.read_text())["config"]["flexsaml:users"]
    stack.up()
    assert stack.tenant().value("ada") == "hushed"
    stack.config["users"] = {}
    stack.up()
    stack.destroy()
    assert stack.tenant().value("ada") is None


SECRETS = {
    "claims.site.value": "vienna-office",
    "policyName": "the-hidden-policy",
    "usersFile": "hidden-agents.csv",
    "servicePrincipal": "Twilio Flex",
    'users["ada@contoso.example"].languages': "welsh-and-cornish",
}


def test_what_is_secret_in_any_key_is_encrypted_in_state(stack: Stack) -> None:
    """Names of users and extensions are names of resources, which cannot be encrypted; everything else is."""
    (stack.checkout.directory / "hidden-agents.csv").write_text("user,languages\nlinus@contoso.example,fi\n")
    stack.config["replaceExisting"] = True
    for path, text in SECRETS.items():
        set_secret(stack, path, text)
    set_secret(stack, "replaceExisting", "true")
    output = stack.preview("--diff").output + stack.up().output
    tenant = stack.tenant()
    (policy,) = tenant.policies()
    assert policy["displayName"] == "the-hidden-policy"
    assert "vienna-office" in policy["definition"][0]
    assert (tenant.value("ada"), tenant.value("linus")) == ("welsh-and-cornish", "fi")
    output += json.dumps(stack.state())
    stack.unchanged()
    tenant.do("PATCH", f"/policies/claimsMappingPolicies/{policy['id']}", {"definition": [edited(policy)]})
    output += stack.refresh().output + json.dumps(stack.state())
    for text in SECRETS.values():
        assert text not in output, text
    assert "ciphertext" in stack.resources()["flex-policy"]["outputs"]["claims"]
    assert "ciphertext" in stack.resources()["flex-tenant"]["inputs"]["replace_existing"]
    output = stack.up().output + stack.destroy().output
    assert not [text for text in SECRETS.values() if text in output]


def edited(policy: dict[str, Any]) -> str:
    """The definition with an entry that has no typed form, so that a refresh keeps it as a raw definition."""
    definition = json.loads(policy["definition"][0])
    definition["ClaimsMappingPolicy"]["ClaimsTransformations"] = [{"ID": "x", "TransformationMethod": "Join"}]
    return json.dumps(definition)


def set_secret(stack: Stack, path: str, text: str) -> None:
    """`pulumi config set --secret --path`, kept for the commands that follow."""
    stack.ok("config", "set", "--secret", "--path", f"flexsaml:{path}", text)
    written = yaml.safe_load(stack.config_file.read_text())["config"]
    stack.config |= {
        key.removeprefix("flexsaml:"): value for key, value in written.items() if not key.endswith("Endpoint")
    }


def test_what_cannot_be_encrypted_is_refused(stack: Stack) -> None:
    set_secret(stack, "extensions.languages", "String")
    result = stack.run("preview")
    assert result.code != 0
    assert "extensions: cannot be secret" in result.output
