"""If this goes red, `pulumi new` with examples/template fails, or makes a project that does not run."""

from __future__ import annotations

from pathlib import Path

import yaml

from flexsaml.declaration import KEYS
from tests.emulator.process import Emulator
from tests.engine.stack import UP, Checkout, Stack, seed
from tests.torture import PROJECT

TEMPLATE = PROJECT / "examples" / "template"


class NewProject(Checkout):
    """A directory for `pulumi new`."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        self.directory = directory


def test_a_project_of_another_name(emulator: Emulator, tmp_path: Path, wheel: Path) -> None:
    """From a checkout in which `make` has made a virtual environment; with the answers that `pulumi new` asks for."""
    seed(emulator)
    stack = Stack(NewProject(tmp_path / "team"), emulator, tmp_path)
    stack.identity = {"PYTHONPATH": str(wheel)}
    stack.config_file.unlink()
    created = stack._run_once("new", str(TEMPLATE), "--yes", "--name", "team-flex", "--generate-only")
    assert created.code == 0, created.output
    directory = stack.checkout.directory
    assert {path.name for path in directory.iterdir()} == {".gitignore", "Pulumi.yaml", "__main__.py"}
    assert "name: team-flex" in (directory / "Pulumi.yaml").read_text("utf-8")
    (directory / ".venv").symlink_to(PROJECT / ".venv")

    questions = yaml.safe_load((TEMPLATE / "Pulumi.yaml").read_text("utf-8"))["template"]["config"]
    answers = {key.removeprefix("flexsaml:"): question.get("default") for key, question in questions.items()}
    assert [key for key in answers if key not in KEYS] == []
    stack.config = {**answers, "servicePrincipal": "Twilio Flex"}
    stack.init()
    assert "FlexSamlClaims flex create" in stack.preview().output
    stack.ok(*UP)
    assert stack.tenant().policies()[0]["displayName"] == "team-flex-dev Flex SAML claims"
    stack.assert_destroy_restores_the_tenant()
