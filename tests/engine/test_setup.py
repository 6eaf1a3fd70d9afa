"""If this goes red, the registration that `setup` makes cannot run the stack it was made for, or may do more."""

from __future__ import annotations

import shlex
from pathlib import Path

from tests.cli.command import run
from tests.emulator.process import AZURE_CLI, SECRET
from tests.engine.stack import Stack

PERSON = {"FLEXSAML_SANDBOX_CLIENT": AZURE_CLI, "FLEXSAML_SANDBOX_SECRET": SECRET}


def test_a_person_makes_the_identity_that_runs_the_whole_life_of_a_stack(stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "credential"
    arguments = ("setup", "--file", str(stack.config_file), "--secret", "--secret-file", str(file), "--yes")
    stack.write_config()
    ended = run(*arguments, environment=PERSON)
    assert ended.status == 0, ended.err
    words = [shlex.split(line)[1] for line in file.read_text("utf-8").splitlines()]
    stack.identity = dict(word.split("=", 1) for word in words)
    stack.tenant_before = stack.emulator.export()
    stack.up()
    stack.assert_unchanged()
    assert stack.tenant().value("ada") == "en,de"
    secret = stack.identity["FLEXSAML_SANDBOX_SECRET"]
    assert secret not in ended.out
    assert secret not in str(stack.deployment())
    stack.assert_destroy_restores_the_tenant()
