"""If this goes red, a program in a project of another name, which has modules of its own called `components` and
`providers`, cannot use the installed wheel."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.emulator.process import Emulator
from tests.engine.stack import Checkout, Stack, seed
from tests.torture import PROJECT
from tests.wheel import install_wheel

PROJECT_FILE = """
name: platform
runtime: {name: python, options: {toolchain: pip, virtualenv: .venv}}
"""
PROGRAM = """
import os
import pulumi
import components, providers  # the project's own
from flexsaml.components import FlexSamlClaims, FlexSamlClaimsArgs

assert components.OWNER == providers.OWNER == "platform"
flex = FlexSamlClaims("flex", FlexSamlClaimsArgs(
    service_principal="Twilio Flex",
    claims={"nameid": "user.userprincipalname", "email": "user.mail", "full_name": "user.displayname",
            "roles": "user.assignedroles", "team": "extension.team"},
    extensions={"team": "String"},
    users={"ada@contoso.example": {"team": os.environ.get("TEAM", "red")}},
))
pulumi.export("extensions", flex.extensions)
"""


class HostProject(Checkout):
    """A project that has nothing of this one but the installed wheel."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        self.directory = directory
        (directory / "Pulumi.yaml").write_text(PROJECT_FILE, encoding="utf-8")
        (directory / "__main__.py").write_text(PROGRAM, encoding="utf-8")
        (directory / ".venv").symlink_to(PROJECT / ".venv")
        for module in ("components", "providers"):
            (directory / module).mkdir()
            (directory / module / "__init__.py").write_text('OWNER = "platform"\n', encoding="utf-8")


@pytest.fixture
def host(emulator: Emulator, tmp_path: Path) -> Stack:
    seed(emulator)
    stack = Stack(HostProject(tmp_path / "platform"), emulator, tmp_path)
    stack.config = {}
    stack.identity = {"PYTHONPATH": str(install_wheel(tmp_path))}
    stack.init()
    return stack


def test_the_life_of_a_stack_with_the_wheel(host: Stack) -> None:
    host.preview()
    host.up()
    assert list(host.tenant().user("ada")["values"].values()) == ["red"]
    exported = json.loads(host.ok("stack", "export").output)["deployment"]["resources"]
    managed = [resource for resource in exported if "__provider" in resource.get("inputs", {})]
    assert len(managed) == 6
    host.assert_unchanged()
    host.refresh()
    host.assert_unchanged()
    host.identity["TEAM"] = "blue"
    host.up()
    assert list(host.tenant().user("ada")["values"].values()) == ["blue"]
    host.assert_destroy_restores_the_tenant()
