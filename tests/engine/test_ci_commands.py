"""If this goes red, the commands of examples/ci do not work on this engine: the plan of a preview, the drift gate, and
stacks that live as long as a pull request."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.azure_repos import PullRequests
from tests.cli.command import ROOT, run
from tests.engine.stack import ADA, Checkout, Stack

EXAMPLES = sorted((ROOT / "examples" / "ci").iterdir())
GITHUB, AZURE = (
    yaml.safe_load((ROOT / "examples" / "ci" / name).read_text("utf-8"))
    for name in ("github-actions.yml", "azure-pipelines.yml")
)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_every_option_is_one_of_the_engine(example: Path) -> None:
    commands = re.findall(
        r"(?<!get\.)\bpulumi ((?:(?:stack|config) )?[a-z]+)\b([^\n|>&)]*)", example.read_text("utf-8")
    )
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


def run_script(stack: Stack, script: str, environment: dict[str, str]) -> None:
    """A step of a workflow, in a clone that has the stack file of the model only. Dependencies are there already."""
    model = stack.config_file
    stack.checkout = Checkout(stack.directory / f"clone-{len(list(stack.directory.glob('clone-*')))}")
    shutil.copy(model, stack.checkout.directory)
    inherited = {name: value for name, value in stack.environment.items() if name != "PULUMI_STACK"}
    ended = subprocess.run(
        ["bash", "-e", "-c", script.replace("pulumi install\n", "")], cwd=stack.checkout.directory,
        env={**inherited, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr


def steps_of(stage: str) -> list[dict[str, Any]]:
    """Of a stage of the Azure pipeline that deploys."""
    (jobs,) = [each["jobs"] for each in AZURE["stages"] if each["stage"] == stage]
    steps: list[dict[str, Any]] = jobs[0]["strategy"]["runOnce"]["deploy"]["steps"]
    return steps


@pytest.fixture
def model(stack: Stack) -> Stack:
    """A stack whose configuration trial stacks copy, a secret in it."""
    stack.set_secret(f'users["{ADA}"].languages', "hush")
    stack.config = {}
    return stack


def test_a_trial_stack_of_github_actions(model: Stack) -> None:
    """Opened, pushed to, closed: each time in a clone that has no stack file of the trial."""
    *_, up, destroy = GITHUB["jobs"]["trial"]["steps"]
    environment = {"TRIAL": "pr-7", "MODEL": model.name}
    for _ in ("opened", "pushed to"):
        run_script(model, up["run"], environment)
        assert model.tenant().value("ada") == "hush"
    run_script(model, destroy["run"], environment)
    assert model.emulator.export() == model.tenant_before


@pytest.mark.skipif(not shutil.which("jq"), reason="agents of Azure Pipelines have jq")
def test_a_trial_stack_of_azure_pipelines(model: Stack) -> None:
    """It stays while the pull request is open."""
    up, end = (steps_of(stage)[-1]["inputs"]["inlineScript"] for stage in ("trial", "trial_end"))
    with PullRequests.serve() as pulls:
        environment = {**pulls.environment, "FLEXSAML_TRIAL_STACK": model.name}
        for _ in ("opened", "pushed to"):
            run_script(model, up, environment)
        pulls.states = {"7": "active"}
        run_script(model, end, environment)
        assert model.tenant().value("ada") == "hush"
        pulls.states = {"7": "abandoned"}
        run_script(model, end, environment)
        assert model.emulator.export() == model.tenant_before
        run_script(model, end, environment)
        assert [path for _, path in pulls.requests] == ["7", "7"], "nothing is left to ask about"
