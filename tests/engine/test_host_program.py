"""If this goes red, a program in a project of another name, which has modules of its own called `components` and
`providers`, cannot use the installed wheel."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.emulator.process import Emulator
from tests.engine.host import HostProject
from tests.engine.stack import ADA, Stack, seed

PROGRAM = """
import os
import pulumi
import components, providers  # the project's own
from flexsaml.components import start_early

directory = start_early("Twilio Flex")
from flexsaml.components import FlexSamlClaims, FlexSamlClaimsArgs

assert components.OWNER == providers.OWNER == "platform"
flex = FlexSamlClaims("flex", FlexSamlClaimsArgs(
    service_principal="Twilio Flex",
    claims={"nameid": "user.userprincipalname", "email": "user.mail", "full_name": "user.displayname",
            "roles": "user.assignedroles", "team": "extension.team"},
    extensions={"team": "String"},
    users={"ada@contoso.example": {"team": os.environ.get("TEAM", "red")}},
), directory=directory)
pulumi.export("extensions", flex.extensions)
"""


@pytest.fixture
def host(emulator: Emulator, tmp_path: Path, wheel: Path) -> Stack:
    seed(emulator)
    stack = Stack(HostProject(tmp_path / "platform", PROGRAM), emulator, tmp_path)
    stack.config = {}
    stack.identity = {"PYTHONPATH": str(wheel)}
    stack.init()
    return stack


def run_flexsaml(host: Stack, *arguments: str) -> str:
    """Both streams of the command of the wheel."""
    command = [sys.executable, "-W", "always::ResourceWarning", "-m", "flexsaml", *arguments]
    ended = subprocess.run(
        command, cwd=host.checkout.directory, env=host.environment, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in ended.stderr
    assert "unclosed event loop" not in ended.stderr  # which, at times, ends in a traceback of asyncio
    return ended.stderr + ended.stdout


def test_a_stack_without_the_component_names_the_way(host: Stack) -> None:
    assert "the state has no component of flexsaml: run `pulumi up` first" in run_flexsaml(host, "predict", "--all")
    doctor = run_flexsaml(host, "doctor", "--principal", "Twilio Flex")
    assert "read from --principal Twilio Flex" in doctor
    assert "service principal 'Twilio Flex' (" in doctor, "the tenant was inspected"
    assert "the state has them from the first `pulumi up` on; `pulumi preview` judges them" in doctor
    assert "problem" not in doctor


STACK_FILE = """
config:
  flexsaml:servicePrincipal: Twilio Flex
  flexsaml:claims:
    {nameid: user.userprincipalname, email: user.mail, full_name: user.displayname, roles: user.assignedroles,
     team: extension.team}
  flexsaml:extensions: {team: String}
  flexsaml:users: {ada@contoso.example: {team: red}}
"""


def test_what_exists_is_adopted_into_the_program(host: Stack) -> None:
    host.up()
    tenant_with_objects = host.emulator.export()
    (host.directory / "state").rename(host.directory / "lost")
    (host.directory / "state").mkdir()
    host.init()
    import_file = str(host.directory / "import.json")
    hint = "give it with --file, and the component's name in the program with --component"
    assert hint in run_flexsaml(host, "adopt", "--out", import_file)
    declared = host.directory / "claims.yaml"
    declared.write_text(STACK_FILE, encoding="utf-8")
    adopted = run_flexsaml(host, "adopt", "--out", import_file, "--file", str(declared))
    assert "4 objects exist" in adopted
    assert (
        f"# shows no change, if the program's component is called 'flex' and declares the same as {declared}\n"
        in adopted
    )
    host.ok("import", "--yes", "--file", import_file, "--generate-code=false", "--protect=false")
    host.assert_unchanged()
    host.up()
    assert host.emulator.export() == tenant_with_objects
    host.assert_destroy_restores_the_tenant()


def test_the_life_of_a_stack_with_the_wheel(host: Stack) -> None:
    steps = json.loads(host.preview("--json").output)["steps"]
    inputs = {step["urn"].rsplit("::", 1)[-1]: step["newState"].get("inputs", {}) for step in steps}
    (principal,) = (sp for sp in host.emulator.export()["servicePrincipals"] if sp["displayName"] == "Twilio Flex")
    user = host.tenant().user("ada")["id"]
    ids = inputs["flex-tenant"]["service_principal_id"], inputs["flex-team"]["app_id"], inputs[f"flex-{ADA}"]["user"]
    assert ids == (principal["id"], principal["appId"], user), "a preview knows the ids that preflight has read"
    host.up()
    assert list(host.tenant().user("ada")["values"].values()) == ["red"]
    exported = json.loads(host.ok("stack", "export").output)["deployment"]["resources"]
    managed = [resource for resource in exported if "__provider" in resource.get("inputs", {})]
    assert len(managed) == 6
    host.assert_unchanged()
    host.refresh()
    host.assert_unchanged()
    assert "read from the state of stack dev, component flex\n" in run_flexsaml(
        host, "predict", "--user", "ada@contoso.example"
    )
    assert "team" in run_flexsaml(host, "predict", "--user", "ada@contoso.example", "--principal", "flex")
    assert "which component is meant?" in run_flexsaml(host, "predict", "--all", "--principal", "other")
    doctor = run_flexsaml(host, "doctor")
    assert "state of stack dev, component flex" in doctor
    assert "Twilio Flex" in doctor
    assert "preview refuses" not in doctor, "what exists is the stack's own"
    host.identity["TEAM"] = "blue"
    host.up()
    assert list(host.tenant().user("ada")["values"].values()) == ["blue"]
    host.assert_destroy_restores_the_tenant()
