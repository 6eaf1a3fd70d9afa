"""If this goes red, a workflow of examples/ci or of this repository is none that its service would take."""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from flexsaml.cli import COMMANDS, load_module
from tests.torture import PROJECT
from tools.versions import SUPPORTED

EXAMPLES = PROJECT / "examples" / "ci"
PIPELINES = (
    "--builtin-schema",
    "vendor.azure-pipelines",
    "--data-transform",
    "azure-pipelines",
    "--regex-variant",
    "python",
)
SCHEMAS = {"github-actions.yml": ("--builtin-schema", "vendor.github-workflows"), "azure-pipelines.yml": PIPELINES}


def read(name: str) -> dict[Any, Any]:
    return dict(yaml.safe_load((EXAMPLES / name).read_text("utf-8")))


def is_valid(name: str, file: Path) -> bool:
    command = [sys.executable, "-m", "check_jsonschema", *SCHEMAS[name], str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False).returncode == 0


def test_there_is_no_other_example() -> None:
    assert {path.name for path in EXAMPLES.iterdir()} == set(SCHEMAS)


@pytest.mark.parametrize(("name", "written", "broken"), [
    ("github-actions.yml", "runs-on:", "run-on:"),
    ("azure-pipelines.yml", "- task: AzureCLI@2", "- tusk: AzureCLI@2"),
])  # fmt: skip
def test_the_file_fits_the_schema_of_its_service(name: str, written: str, broken: str, tmp_path: Path) -> None:
    text = (EXAMPLES / name).read_text("utf-8")
    assert is_valid(name, EXAMPLES / name)
    (tmp_path / name).write_text(text.replace(written, broken), encoding="utf-8")
    assert not is_valid(name, tmp_path / name)


@pytest.mark.parametrize(("file", "schema"), [
    (".github/workflows/ci.yml", "vendor.github-workflows"),
    (".github/workflows/release.yml", "vendor.github-workflows"),
    (".github/dependabot.yml", "vendor.dependabot"),
    (".github/ISSUE_TEMPLATE/bug.yml", "vendor.github-issue-forms"),
    (".github/ISSUE_TEMPLATE/tenant-answer.yml", "vendor.github-issue-forms"),
    (".github/ISSUE_TEMPLATE/config.yml", "vendor.github-issue-config"),
])  # fmt: skip
def test_the_files_of_this_repository_fit_their_schemas(file: str, schema: str) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(PROJECT / file)]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stdout


def test_every_make_target_of_a_workflow_exists_and_every_supported_python_is_tested() -> None:
    makefile = (PROJECT / "Makefile").read_text("utf-8")
    workflows = "\n".join(path.read_text("utf-8") for path in (PROJECT / ".github" / "workflows").iterdir())
    targets = set(re.findall(r"run: make (\w+)", workflows))
    assert targets
    assert {target for target in targets if not re.search(rf"(?m)^{target}:", makefile)} == set()
    assert [version for version in SUPPORTED if f'"{version}"' not in workflows] == []


def test_every_command_of_flexsaml_exists() -> None:
    for name in SCHEMAS:
        lines = re.findall(r"-m flexsaml ([^\n]*)", (EXAMPLES / name).read_text("utf-8"))
        assert lines, name
        for line in lines:
            command, *_ = line.split()
            assert command in COMMANDS, line
            parser = argparse.ArgumentParser(exit_on_error=False)
            load_module(command).arguments(parser)
            parser.parse_args(shlex.split(line.partition(" > ")[0])[1:])


def test_a_pull_request_of_a_fork_gets_no_identity() -> None:
    workflow = read("github-actions.yml")
    assert "pull_request_target" not in workflow[True]  # YAML 1.1 reads the key `on` as true
    for name, job in workflow["jobs"].items():
        if "'pull_request'" in job["if"]:
            assert "head.repo.full_name == github.repository" in job["if"], name


def test_each_job_says_which_subject_its_credential_has() -> None:
    text = (EXAMPLES / "github-actions.yml").read_text("utf-8")
    header = text.partition("\nname:")[0]
    environments = {job["environment"] for job in read("github-actions.yml")["jobs"].values() if "environment" in job}
    assert environments
    assert all(f"`environment:{environment}`" in header for environment in environments)


def test_a_job_has_no_more_rights_than_it_uses() -> None:
    workflow = read("github-actions.yml")
    assert workflow["permissions"] == {"contents": "read"}
    for name, job in workflow["jobs"].items():
        comment = {"pull-requests": "write"} if "/comments" in str(job["steps"]) else {}
        assert job["permissions"] == {"contents": "read", "id-token": "write", **comment}, name


def test_an_update_that_waits_is_not_cancelled_by_another_event() -> None:
    workflow = read("github-actions.yml")
    assert "github.event_name" in workflow["concurrency"]["group"]
    assert "github.event.action == 'closed'" in workflow["jobs"]["trial"]["concurrency"]["group"]


def test_no_stage_waits_for_one_that_is_skipped() -> None:
    assert [stage["dependsOn"] for stage in read("azure-pipelines.yml")["stages"]] == [[], [], []]
