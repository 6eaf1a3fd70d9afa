"""If this goes red, a program of examples/ does not run as it stands there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.emulator.process import Emulator
from tests.engine.stack import UP, Checkout, Stack, seed
from tests.torture import PROJECT


class Example(Checkout):
    """A copy of an example, beside the installed wheel."""

    def __init__(self, directory: Path, name: str) -> None:
        shutil.copytree(PROJECT / "examples" / name, directory)
        self.directory = directory
        (directory / ".venv").symlink_to(PROJECT / ".venv")


def open_example(name: str, emulator: Emulator, directory: Path, wheel: Path) -> Stack:
    stack = Stack(Example(directory / name, name), emulator, directory)
    stack.config = {}
    stack.identity = {"PYTHONPATH": str(wheel)}
    stack.init()
    return stack


def test_two_environments_and_a_program_that_reads_them(emulator: Emulator, tmp_path: Path, wheel: Path) -> None:
    seed(emulator)
    environments = open_example("environments", emulator, tmp_path, wheel)
    environments.up()
    environments.assert_unchanged()
    held = environments.tenant().user("ada")["values"]
    assert sorted(map(str, held.values())) == ["3", "3", "en,de", "en,de"], "each application has its own properties"
    outputs = json.loads(environments.ok("stack", "output", "--json").output)
    assert set(outputs) == {"production", "staging"}

    reader = open_example("reader", emulator, tmp_path, wheel)
    reader.ok(*UP, "--config", "claimsStack=organization/flex-environments/dev")
    read = json.loads(reader.ok("stack", "output", "--json").output)
    assert read == {"attribute": outputs["production"]["extensions"]["languages"]}
    environments.assert_destroy_restores_the_tenant()
