"""If this goes red, the registration that `setup` makes cannot run the stack it was made for, or may do more."""

from __future__ import annotations

import shlex
from pathlib import Path

from tests.cli.command import run
from tests.emulator.process import AZURE_CLI, SECRET
from tests.engine.stack import UP, Stack

PERSON = {"FLEXSAML_SANDBOX_CLIENT": AZURE_CLI, "FLEXSAML_SANDBOX_SECRET": SECRET}


def set_up(stack: Stack, folder: Path, *arguments: str) -> str:
    """Makes an identity, which the stack uses from then on. Returns what was printed."""
    file = folder / "credential"
    stack.write_config()
    options = ("--file", str(stack.config_file), "--secret", "--secret-file", str(file), "--yes")
    ended = run("setup", *options, *arguments, environment=PERSON)
    assert ended.status == 0, ended.err
    words = [shlex.split(line)[1] for line in file.read_text("utf-8").splitlines()]
    stack.identity = dict(word.split("=", 1) for word in words)
    return ended.out


def test_a_person_makes_the_identity_that_runs_the_whole_life_of_a_stack(stack: Stack, tmp_path: Path) -> None:
    output = set_up(stack, tmp_path)
    stack.tenant_before = stack.emulator.export()
    stack.up()
    stack.assert_unchanged()
    assert stack.tenant().value("ada") == "en,de"
    secret = stack.identity["FLEXSAML_SANDBOX_SECRET"]
    assert secret not in output
    assert secret not in str(stack.deployment())
    stack.assert_destroy_restores_the_tenant()


def test_the_identity_for_previews_previews_and_makes_nothing(stack: Stack, tmp_path: Path) -> None:
    set_up(stack, tmp_path, "--for", "preview")
    before = stack.emulator.export()
    stack.preview()
    stack.refused(*UP)
    assert stack.emulator.export() == before
