"""If this goes red, a credential, a token or a person's data ends up where others can read it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.emulator.process import ADMIN, SECRET, SEED, Emulator
from tests.engine.request_log import requests_of, writes_in
from tests.engine.stack import ADA, UP, Stack

ADAS_LANGUAGES = f'users["{ADA}"].languages'


def test_no_credential_and_no_token_anywhere(stack: Stack) -> None:
    emulator, secret = stack.emulator, "not-" + SECRET
    emulator.seed({**emulator.export(), "clients": clients(secret)})
    stack.identity = {"FLEXSAML_SANDBOX_CLIENT": ADMIN, "FLEXSAML_SANDBOX_SECRET": secret}
    outputs = [stack.ok(*UP, "--logtostderr", "-v=9", "--debug").output, stack.refresh().output]
    outputs.append(json.dumps(stack.deployment()))
    emulator.fault("refuse", "PATCH", "/users/", status=403)
    stack.config["users"][ADA]["languages"] = "fr"
    outputs.append(stack.refused(*UP))
    outputs.append(stack.destroy().output)
    text = "\n".join([*outputs, *state_files(stack.directory)])
    tokens = issued_tokens(emulator)
    assert len(tokens) == 6, "two for each `up` (program and provider), one for refresh and one for destroy"
    for token in [*tokens, secret]:
        assert token not in text
    assert "Bearer" not in text


def issued_tokens(emulator: Emulator) -> list[str]:
    """The tokens that the emulator issued, from its data file. A running emulator locks the file, so it is stopped."""
    emulator.stop()
    with closing(sqlite3.connect(emulator.data)) as database:
        rows = database.execute("select id from rows where kind = 'tokens'").fetchall()
    emulator.start()
    return [token for (token,) in rows]


def clients(secret: str) -> object:
    return [{**client, "secret": secret} for client in json.loads(SEED.read_text())["clients"]]


def state_files(directory: Path) -> list[str]:
    return [
        path.read_text(errors="replace") for path in directory.rglob("*") if path.is_file() and "state" in path.parts
    ]


def test_what_a_person_held_before_is_secret_in_state(stack: Stack) -> None:
    tenant = stack.tenant()
    tenant.make_property("team")
    tenant.write("ada", "a private matter", "team")
    team = tenant.full("team")
    stack.config["users"] = {ADA: {team: "blue"}}
    stack.up()
    tenant.write("ada", "another private matter", "team")
    output = stack.refresh().output
    assert "private matter" not in output + "".join(state_files(stack.directory))
    memory = stack.resources()[f"flex-{team}-before"]["outputs"]["__memory"]
    assert "ciphertext" in memory


def test_a_value_given_as_a_secret_stays_one(stack: Stack) -> None:
    stack.set_secret(ADAS_LANGUAGES, "hush")
    output = stack.preview("--diff").output + stack.up().output
    assert stack.tenant().value("ada") == "hush"
    assert "hush" not in output + "".join(state_files(stack.directory))
    baseline = stack.resources()["flex-languages-before"]
    digests = {baseline[side]["sha256"] for side in ("inputs", "outputs")}
    assert digests == {"[secret]"}, "a short value can be guessed from its digest"
    assert {baseline[side]["__given"] for side in ("inputs", "outputs")} == {""}, "from this one too"
    stack.assert_unchanged()
    stack.set_secret(ADAS_LANGUAGES, "hushed")
    stack.up()
    assert stack.tenant().value("ada") == "hushed"
    stack.config["users"] = {}
    stack.up()
    assert stack.tenant().value("ada") is None


SECRETS = {
    "claims.site.value": "vienna-office",
    "policyName": "the-hidden-policy",
    "usersFile": "hidden-agents.csv",
    "servicePrincipal": "Twilio Flex",
    ADAS_LANGUAGES: "welsh-and-cornish",
}


def test_what_is_secret_in_any_key_is_encrypted_in_state(stack: Stack) -> None:
    """Names of users and extensions stay readable: they are names of resources, which cannot be encrypted."""
    (stack.checkout.directory / "hidden-agents.csv").write_text("user,languages\nlinus@contoso.example,fi\n")
    for path, text in SECRETS.items():
        stack.set_secret(path, text)
    stack.set_secret("replaceExisting", "true")
    output = stack.preview("--diff").output + stack.up().output
    tenant = stack.tenant()
    (policy,) = tenant.policies()
    assert policy["displayName"] == "the-hidden-policy"
    assert "vienna-office" in policy["definition"][0]
    assert (tenant.value("ada"), tenant.value("linus")) == ("welsh-and-cornish", "fi")
    output += json.dumps(stack.deployment())
    stack.assert_unchanged()
    tenant.do("PATCH", f"/policies/claimsMappingPolicies/{policy['id']}", {"definition": [edited(policy)]})
    output += stack.refresh().output + json.dumps(stack.deployment())
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


def test_a_roster_whose_name_is_secret_has_secret_values(stack: Stack) -> None:
    roster = stack.checkout.directory / "agents.csv"
    roster.write_text("user,languages\nlinus@contoso.example,fi\n")
    stack.config["usersFile"] = "agents.csv"
    stack.up()
    stack.set_secret("usersFile", "agents.csv")
    stack.emulator.clear()
    stack.up()
    assert writes_in(requests_of(stack.emulator)) == [], "that it is secret now changes no value"
    stack.assert_unchanged()
    for name in ("flex-roster", "flex-languages-before"):
        for side in ("inputs", "outputs"):
            held = stack.resources()[name][side]
            assert "ciphertext" in held["__cells"], name
            assert (held["sha256"], held["__given"]) == ("[secret]", "")
    roster.write_text("user,languages\nlinus@contoso.example,sv\n")
    stack.up()
    assert stack.tenant().value("linus") == "sv"
    stack.assert_unchanged()
    stack.assert_destroy_restores_the_tenant()


def test_what_cannot_be_encrypted_is_refused(stack: Stack) -> None:
    stack.set_secret("extensions.languages", "String")
    assert "extensions: cannot be secret" in stack.refused("preview")
