"""If this goes red, the steps that are printed for an administrator do not make what `setup` itself makes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import CLAIMS, run, stack_file
from tests.emulator.process import AZURE_CLI, SECRET, Emulator

PERSON = {"FLEXSAML_SANDBOX_CLIENT": AZURE_CLI, "FLEXSAML_SANDBOX_SECRET": SECRET}
HOSTILE = 'it\'s $HOME `id` "x" \\u0000 {0}'
COMMANDING = "x ##[add-mask]y ##vso[task.complete]z"
AZ = Path(__file__).with_name("azure.py")


def run_script(script: str, emulator: Emulator, folder: Path) -> str:
    """What the script prints, with a program called `az` that asks the emulator."""
    program = folder / "az"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{AZ}" "$@"\n')
    program.chmod(0o755)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "TOKEN": emulator.token(AZURE_CLI)}
    ended = subprocess.run(["bash", "-eu"], input=script, env=environment, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("--secret",),
        ("--github", "contoso/infra:branch:main"),
        ("--person",),
        ("--secret", "--name", HOSTILE),
        ("--secret", "--name", COMMANDING),
    ],
    ids=["secret", "GitHub", "person", "hostile name", "name that commands a CI system"],
)
def test_the_printed_steps_make_what_setup_makes(
    emulator: Emulator, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    file, before = stack_file(tmp_path, emulator, CLAIMS), emulator.export()
    printed = run("setup", "--file", file, *arguments, "--print", environment=PERSON)
    assert printed.status == 0, printed.err
    assert emulator.export() == before
    assert not re.search(r"##[a-z]*\[", printed.out), "Azure Pipelines reads it as a command"
    output = run_script(printed.out, emulator, tmp_path)
    assert ("emulated~" in output) is ("--secret" in arguments)
    again = run("setup", "--file", file, *arguments, "--yes", environment=PERSON)
    assert again.status == 0, again.err
    assert "nothing to do" in again.out


def test_what_exists_is_not_printed(emulator: Emulator, tmp_path: Path) -> None:
    arguments = ("setup", "--file", stack_file(tmp_path, emulator, CLAIMS), "--github", "contoso/infra")
    assert run(*arguments, "--yes", environment=PERSON).status == 0
    printed = run(*arguments, "--github", "contoso/infra:branch:main", "--print", environment=PERSON)
    assert printed.out.count("az rest") == 1
    assert "${" not in printed.out, "what is known is written out"
