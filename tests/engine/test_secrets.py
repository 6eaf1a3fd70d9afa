"""If this goes red, a credential, a token or a person's data ends up where others can read it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

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
    stack.unchanged()
    stack.ok("config", "set", "--secret", "--path", 'flexsaml:users["ada@contoso.example"].languages', "hushed")
    stack.config["users"] = yaml.safe_load(stack.config_file.read_text())["config"]["flexsaml:users"]
    stack.up()
    assert stack.tenant().value("ada") == "hushed"
    stack.config["users"] = {}
    stack.up()
    stack.destroy()
    assert stack.tenant().value("ada") is None
