"""If this goes red, a name that somebody gave a policy, a user or a file reaches the terminal as it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import CLAIMS, run, stack_file
from tests.emulator import signin
from tests.emulator.process import Emulator
from tests.emulator.tenant import ADA, Tenant
from tests.test_terminal_text import is_harmless

HOSTILE = "Blue\x1b[31m\u202e ##vso[task.x]\nerror: forged\r\u2028::error::"


@pytest.fixture
def tenant(emulator: Emulator) -> Tenant:
    """Its policy, its user, their role and a value are hostile."""
    hostile = Tenant(emulator)
    policy = signin.claims(
        {"Source": "user", "ID": "displayname", "SamlClaimType": "full_name"},
        {"Source": "user", "ID": "department", "SamlClaimType": f"team {HOSTILE}"},
        {"Value": HOSTILE, "SamlClaimType": "site"},
    )
    answer = hostile.post_policy(json.dumps(policy), displayName=f"Policy {HOSTILE}")
    assert answer.status == 201, answer.content
    assert hostile.assign(answer.json["id"]).status == 204
    assert hostile.patch({"displayName": f"Ada {HOSTILE}", "department": HOSTILE}, ADA).status == 204
    signin.patch_principal(hostile, displayName=f"Flex {HOSTILE}")
    return hostile


COMMANDS = [
    ("doctor",),
    ("predict", "--user", ADA),
    ("predict", "--all"),
    ("predict", "--user", f"{HOSTILE}@contoso.example"),
    ("predict", "--user", ADA, "--policy", f"{HOSTILE}.json"),
    ("predict", "--all", "--policy", "policy.json", "--against", "assigned"),
    ("worker", ADA, "--friendly-name", HOSTILE),
    ("lint", HOSTILE),
    ("lint", "policy.json"),
    ("lint", "hostile.yaml"),
    ("verify", HOSTILE),
    ("verify", "policy.json", "--at", HOSTILE),
    ("doctor", "--stack", HOSTILE),
    ("ledger", "--out", HOSTILE),
    ("lint", "--no-such", HOSTILE),
    (HOSTILE,),
]


@pytest.mark.parametrize(
    "command", COMMANDS, ids=lambda command: ascii(" ".join(command)).replace(ascii(HOSTILE), "X")[:60]
)
def test_every_line_of_a_command_is_harmless(tenant: Tenant, tmp_path: Path, command: tuple[str, ...]) -> None:
    file = stack_file(tmp_path, tenant.emulator, servicePrincipal="8f665974-86ab-5399-83f9-7492e2e5acec")
    policy = signin.claims({"Value": HOSTILE, "SamlClaimType": HOSTILE, HOSTILE: HOSTILE})
    (tmp_path / "policy.json").write_text(json.dumps(policy))
    written = f"config:\n{CLAIMS}  flexsaml:servicePrincipal: {json.dumps(HOSTILE)}\n  {json.dumps('flexsaml:' + HOSTILE)}: x\n"
    (tmp_path / "hostile.yaml").write_text(written)
    takes_file = command[0] in ("doctor", "predict", "worker") and "--stack" not in command
    ended = run(*command, *(("--file", file) if takes_file else ()), cwd=tmp_path)
    lines = (ended.out + ended.err).splitlines()
    assert lines
    assert [line for line in lines if not is_harmless(line)] == []
    assert not any(line.startswith("error: forged") for line in lines)


def test_json_has_the_data_as_it_is(tenant: Tenant, tmp_path: Path) -> None:
    file = stack_file(tmp_path, tenant.emulator, servicePrincipal="8f665974-86ab-5399-83f9-7492e2e5acec")
    ended = run("predict", "--user", ADA, "--json", "--file", file)
    values = {line["name"]: line["values"] for line in json.loads(ended.out)["users"][0]["attributes"]}
    assert values["full_name"] is None or HOSTILE in values["full_name"][0]
    assert "\x1b" not in ended.out
