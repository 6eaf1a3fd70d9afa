"""If this goes red, a name that somebody gave a policy, a user or a file reaches the terminal as it is."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from tests.cli import test_ledger as ledger
from tests.cli.command import CLAIMS, ROOT, Ended, run, stack_file
from tests.cli.test_worker import KEYS
from tests.emulator import signin
from tests.emulator.process import ADMIN, SECRET, Emulator
from tests.emulator.tenant import ADA, Tenant
from tests.test_terminal_text import is_harmless

HOSTILE = "Blue\x1b[31m\x9b31m\u202e\u3164 ##vso[task.x]\nerror: forged\r\u2028::error::"
IN_XML = "::error::\x9b31m\u202e\u3164\u2028 ##vso[task.x]"
"""What of it an assertion can carry."""
PRINCIPAL = "8f665974-86ab-5399-83f9-7492e2e5acec"


@pytest.fixture
def tenant(emulator: Emulator) -> Tenant:
    """Its policy, its user, their role and a value are hostile."""
    hostile = Tenant(emulator)
    policy = signin.claims(
        {"Source": "user", "ID": "displayname", "SamlClaimType": "full_name"},
        {"Source": "user", "ID": "department", "SamlClaimType": f"team {HOSTILE}"},
        {"Value": HOSTILE, "SamlClaimType": "site"},
        {"Value": IN_XML, "SamlClaimType": "place"},
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
    ("predict", "--user", ADA, "--xml"),
    ("predict", "--all"),
    ("predict", "--user", f"{HOSTILE}@contoso.example"),
    ("predict", "--user", ADA, "--policy", f"{HOSTILE}.json"),
    ("predict", "--all", "--policy", "policy.json", "--against", "assigned"),
    ("worker", ADA),
    ("worker", ADA, "--friendly-name", HOSTILE),
    ("lint", HOSTILE),
    ("lint", "policy.json"),
    ("lint", "hostile.yaml"),
    ("verify", HOSTILE),
    ("verify", "policy.json", "--at", HOSTILE),
    ("doctor", "--stack", HOSTILE),
    ("ledger", "--out", HOSTILE),
    ("certificate",),
    ("certificate", "--activate", HOSTILE),
    ("certificate", "--create", "--out", HOSTILE),
    ("certificate", "--create", "--out", HOSTILE, "--name", f"CN={HOSTILE}"),
    ("certificate", "--create", "--out", "x.pem", "--until", HOSTILE),
    ("accept-mapped-claims",),
    ("login", "--client-id", HOSTILE, "--tenant", HOSTILE),
    ("adopt", "--out", HOSTILE),
    ("adopt", "--out", "import.json", "--stack", HOSTILE),
    ("lint", "--no-such", HOSTILE),
    (HOSTILE,),
]


def name_of(command: tuple[str, ...]) -> str:
    return ascii(" ".join(command)).replace(ascii(HOSTILE)[1:-1], "X")[1:-1]


def assert_harmless(ended: Ended) -> None:
    """Nothing but lines of text, on stdout and on stderr."""
    assert "Traceback" not in ended.err
    lines = (ended.out + ended.err).split("\n")
    assert any(lines)
    assert [line for line in lines if not is_harmless(line)] == []
    assert not any(line.startswith("error: forged") for line in lines)


@pytest.mark.parametrize("form", ["lines", "json"])
@pytest.mark.parametrize("command", COMMANDS, ids=name_of)
def test_every_line_of_a_command_is_harmless(
    tenant: Tenant, tmp_path: Path, command: tuple[str, ...], form: str
) -> None:
    """The files exist only where a command can do something with them."""
    file = stack_file(tmp_path, tenant.emulator, servicePrincipal=PRINCIPAL)
    policy = signin.claims({"Value": HOSTILE, "SamlClaimType": HOSTILE, HOSTILE: HOSTILE})
    (tmp_path / "policy.json").write_text(json.dumps(policy))
    written = f"config:\n{CLAIMS}  flexsaml:servicePrincipal: {json.dumps(HOSTILE)}\n  {json.dumps('flexsaml:' + HOSTILE)}: x\n"
    (tmp_path / "hostile.yaml").write_text(written)
    takes_file = (
        command[0] in ("accept-mapped-claims", "certificate", "doctor", "predict", "worker")
        and "--stack" not in command
    )
    has_json = form == "json" and command[0] not in ("accept-mapped-claims", "login")
    options = [*(("--file", file) if takes_file else ()), *(["--json"] if has_json else [])]
    assert_harmless(run(*command, *options, cwd=tmp_path, environment=KEYS))


@pytest.mark.parametrize("form", ["lines", "json"])
def test_files_with_hostile_names_are_used(tenant: Tenant, tmp_path: Path, form: str) -> None:
    """A policy, a stack file with a roster, a response and a certificate; what a command says of them is harmless."""
    options = ["--json"] if form == "json" else []
    names = {kind: f"{kind} {HOSTILE}" for kind in ("policy", "roster", "response", "certificate")}
    (tmp_path / names["policy"]).write_text(json.dumps(signin.claims({"Value": HOSTILE, "SamlClaimType": "site"})))
    (tmp_path / names["roster"]).write_text(f'user,{ledger.FULL}\n"{HOSTILE}@contoso.example",x\n{ADA},"{HOSTILE}"\n')
    (tmp_path / names["response"]).write_text("<x/>")
    (tmp_path / names["certificate"]).write_text("no certificate")
    stack = Path(
        stack_file(tmp_path, tenant.emulator, servicePrincipal=PRINCIPAL, usersFile=json.dumps(names["roster"]))
    )
    stack = stack.rename(stack.with_name(f"Pulumi.{HOSTILE}.yaml"))
    at_stack = ("--file", str(stack))
    for command, status in {
        ("lint", names["policy"]): 0,
        ("lint", str(stack)): 1,
        ("predict", "--user", ADA, "--policy", names["policy"], *at_stack): 1,
        ("predict", "--user", ADA, "--policy", str(stack), *at_stack): 2,
        ("doctor", *at_stack): 1,
        ("verify", names["response"], "--certificate", names["certificate"]): 2,
    }.items():
        ended = run(*command, *options, cwd=tmp_path)
        assert ended.status == status, (command, ended)
        assert_harmless(ended)


def test_what_a_command_writes_has_the_data_as_it_is(tmp_path: Path) -> None:
    """The ledger, which people look at in a terminal, under a hostile name and with a hostile user in it."""
    alone = copy.deepcopy(ledger.ALONE)
    alone["outputs"]["user"] = HOSTILE
    ended = ledger.export(tmp_path, {"deployment": {"resources": [alone]}}, "--out", f"{tmp_path}/{HOSTILE}")
    assert ended.status == 0
    assert_harmless(ended)
    written = (tmp_path / HOSTILE).read_text("utf-8")
    assert [line for line in written.split("\n") if not is_harmless(line)] == []
    assert json.loads(written)["cells"][0]["user"] == HOSTILE


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["lines", "json"])
def test_adoption_names_what_exists_and_its_file(tenant: Tenant, tmp_path: Path, options: tuple[str, ...]) -> None:
    """In a process of its own, as it takes the engine's place; `pulumi` is a program that prints a configuration."""
    stack = Path(stack_file(tmp_path, tenant.emulator, servicePrincipal=PRINCIPAL, policyName=json.dumps(HOSTILE)))
    entries = yaml.safe_load(stack.read_text())["config"]
    config = {key: {"value": value if isinstance(value, str) else json.dumps(value)} for key, value in entries.items()}
    program = tmp_path / "pulumi"
    program.write_text(f"#!/bin/sh\ncase $1 in config) cat {tmp_path}/config.json;; *) echo '{{}}';; esac\n")
    program.chmod(0o700)
    (tmp_path / "config.json").write_text(json.dumps(config))
    ended = subprocess.run(
        [sys.executable, "-m", "flexsaml", "adopt", "--stack", "dev", "--out", f"{tmp_path}/{HOSTILE}", *options],
        cwd=ROOT,
        env={"PATH": f"{tmp_path}:/bin:/usr/bin", "FLEXSAML_SANDBOX_CLIENT": ADMIN, "FLEXSAML_SANDBOX_SECRET": SECRET},
        capture_output=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert_harmless(Ended(0, ended.stdout.decode(), ended.stderr.decode()))
    assert (tmp_path / HOSTILE).exists()


def test_json_and_xml_have_the_data_as_it_is(tenant: Tenant, tmp_path: Path) -> None:
    file = stack_file(tmp_path, tenant.emulator, servicePrincipal=PRINCIPAL)
    predict = ("predict", "--user", ADA, "--file", file)
    lines = json.loads(run(*predict, "--json").out)["users"][0]["attributes"]
    values = {line["name"]: line["values"] for line in lines}
    assert values["place"] == [IN_XML]
    root = ElementTree.fromstring(run(*predict, "--xml").out)  # noqa: S314 - our own
    texts = [element.text for element in root.iter("{urn:oasis:names:tc:SAML:2.0:assertion}AttributeValue")]
    assert IN_XML in texts
