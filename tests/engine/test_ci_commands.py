"""If this goes red, the commands of examples/ci do not work on this engine: the plan of a preview, and the drift gate."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.cli.command import ROOT, run
from tests.engine.stack import ADA, Stack

EXAMPLES = sorted((ROOT / "examples" / "ci").iterdir())


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_every_option_is_one_of_the_engine(example: Path) -> None:
    commands = re.findall(r"(?<!get\.)\bpulumi ((?:stack )?[a-z]+)\b([^\n|>&]*)", example.read_text("utf-8"))
    commands = [(words, options) for words, options in commands if words not in ("up", "preview") or options]
    assert len(commands) >= 5
    environment = {**os.environ, "PULUMI_EXPERIMENTAL": "true"}  # else the help leaves plans out
    for words, options in commands:
        helped = subprocess.run(
            ["pulumi", *words.split(), "--help"], env=environment, capture_output=True, text=True, check=False
        )
        assert helped.returncode == 0, words
        for option in re.findall(r"--[a-z-]+", options):
            assert re.search(rf"{option}\b", helped.stdout), f"pulumi {words} {option}"


def test_the_review_takes_a_file() -> None:
    assert "FILE" in run("review", "--help").out


def test_an_update_by_the_plan_of_its_preview(base_stack: Stack) -> None:
    base_stack.config["users"] = {ADA: {"languages": "en,fr"}}
    base_stack.config["extensions"] |= {"team": "String"}
    base_stack.config["claims"] |= {"team": "extension.team"}
    plan = str(base_stack.directory / "plan.json")
    base_stack.preview("--save-plan", plan)
    base_stack.ok("up", "--yes", "--skip-preview", "--plan", plan)
    assert base_stack.tenant().value("ada") == "en,fr"
    base_stack.assert_unchanged()


def test_what_the_plan_does_not_hold_is_refused(base_stack: Stack) -> None:
    plan = str(base_stack.directory / "plan.json")
    base_stack.preview("--save-plan", plan)
    base_stack.config["users"] = {ADA: {"languages": "en,fr"}}
    assert "violates plan" in base_stack.refused("up", "--yes", "--skip-preview", "--plan", plan)
    assert base_stack.tenant().value("ada") == "en,de"


def test_the_drift_gate(base_stack: Stack) -> None:
    gate = ("refresh", "--preview-only", "--expect-no-changes")
    base_stack.ok(*gate)
    base_stack.tenant().write("ada", "fi")
    base_stack.refused(*gate)
    assert base_stack.tenant().value("ada") == "fi"
