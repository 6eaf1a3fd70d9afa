"""If this goes red, a program of examples/ does not run as it stands there.
`tests/engine/test_outputs_as_arguments.py` runs `examples/application`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.emulator.process import Emulator
from tests.engine.host import open_example
from tests.engine.stack import UP, Stack, seed


def read_outputs(name: str, emulator: Emulator, directory: Path, wheel: Path) -> object:
    """What a program that reads the environments' stack exports itself."""
    reader = open_example(name, emulator, directory, wheel)
    reader.ok(*UP, "--config", "claimsStack=organization/flex-environments/dev")
    return outputs_of(reader)


def make_environments(emulator: Emulator, directory: Path, wheel: Path) -> Stack:
    seed(emulator)
    environments = open_example("environments", emulator, directory, wheel)
    environments.up()
    return environments


def outputs_of(stack: Stack) -> dict[str, Any]:
    outputs: dict[str, Any] = json.loads(stack.ok("stack", "output", "--json").output)
    return outputs


def test_two_environments_and_a_program_that_reads_them(emulator: Emulator, tmp_path: Path, wheel: Path) -> None:
    environments = make_environments(emulator, tmp_path, wheel)
    environments.assert_unchanged()
    held = environments.tenant().user("ada")["values"]
    assert sorted(map(str, held.values())) == ["3", "3", "en,de", "en,de"], "each application has its own properties"
    outputs = outputs_of(environments)
    assert set(outputs) == {"production", "staging"}
    read = read_outputs("reader", emulator, tmp_path, wheel)
    assert read == {"attribute": outputs["production"]["extensions"]["languages"]}
    environments.assert_destroy_restores_the_tenant()


@pytest.mark.skipif(not shutil.which("pulumi-language-yaml"), reason="needs `python tools/engine.py --yaml`")
def test_a_program_in_yaml_reads_the_environments(emulator: Emulator, tmp_path: Path, wheel: Path) -> None:
    outputs = outputs_of(make_environments(emulator, tmp_path, wheel))
    read = read_outputs("reader-yaml", emulator, tmp_path, wheel)
    assert read == {"attribute": outputs["production"]["extensions"]["languages"]}
