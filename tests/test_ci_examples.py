"""If this goes red, a workflow of examples/ci or of this repository is none that its service would take."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from flexsaml.cli import COMMANDS, load_module
from tests.azure_repos import PullRequests
from tests.torture import PROJECT
from tools.engine import CLI
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
    (".github/workflows/links.yml", "vendor.github-workflows"),
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


def test_in_azure_pipelines_neither() -> None:
    stages = {stage["stage"]: stage["condition"] for stage in read("azure-pipelines.yml")["stages"]}
    of_pull_requests = {name: text for name, text in stages.items() if "eq(variables['Build.Reason'], 'PullR" in text}
    assert set(of_pull_requests) == {"preview", "trial"}
    assert all("ne(variables['System.PullRequest.IsFork'], 'True')" in text for text in of_pull_requests.values())


def test_the_code_of_a_pull_request_gets_no_identity_that_may_write_to_production() -> None:
    connections = {
        stage["stage"]: set(re.findall(r"'azureSubscription': '([^']+)'", str(stage)))
        for stage in read("azure-pipelines.yml")["stages"]
    }
    assert connections["preview"].isdisjoint(connections["update"])
    assert connections["trial"].isdisjoint(connections["update"])


def comment(directory: Path, pulls: PullRequests, text: str) -> subprocess.CompletedProcess[str]:
    """Runs the step of the pipeline that comments on the pull request."""
    steps = read("azure-pipelines.yml")["stages"][0]["jobs"][0]["steps"]
    (step,) = [step for step in steps if step.get("displayName") == "comment"]
    (directory / "preview.md").write_text(text, encoding="utf-8")
    environment = {**os.environ, **pulls.environment, "AGENT_TEMPDIRECTORY": str(directory)}
    return subprocess.run(
        ["bash", "-c", step["bash"]], cwd=directory, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", SCHEMAS)
def test_where_nothing_was_previewed_the_comment_says_so(name: str, tmp_path: Path) -> None:
    """An empty comment would take the place of the former one; `pulumi install` may have failed before any preview."""
    text = (EXAMPLES / name).read_text("utf-8")
    step = re.search(
        r"^ *(?P<script>\.venv/bin/python -m flexsaml review .*\n *\[ -s .*?(?:\|\|\n.*)?)$", text, re.MULTILINE
    )
    assert step
    directories = {"RUNNER_TEMP": str(tmp_path), "AGENT_TEMPDIRECTORY": str(tmp_path)}
    command = ["bash", "-e", "-c", step["script"]]
    subprocess.run(command, cwd=PROJECT, env={**os.environ, **directories}, check=True, capture_output=True)
    (comment_file,) = tmp_path.iterdir()
    assert comment_file.read_text("utf-8") == "### flexsaml: no preview; the log says why\n"


@pytest.mark.skipif(not shutil.which("jq"), reason="agents of Azure Pipelines have jq")
def test_a_pull_request_in_azure_repos_has_one_comment_with_the_newest_review(tmp_path: Path) -> None:
    reviews = ['### flexsaml: 1 to create\n\n<code>"$(é)"</code>\n', "### flexsaml: nothing to change\n"]
    with PullRequests.serve() as pulls:
        pulls.threads.append(
            {"id": 1, "status": "active", "comments": [{"id": 1}, {"id": 2, "content": "Why flexsaml?"}]}
        )
        for review in reviews:
            ended = comment(tmp_path, pulls, review)
            assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
            assert [note["content"] for thread in pulls.threads[1:] for note in thread["comments"]] == [review]
        assert [method for method, _ in pulls.requests] == ["GET", "POST", "GET", "PATCH"]
        assert pulls.threads[1]["status"] == "closed"
        pulls.threads = None  # type: ignore[assignment]  # a service that answers something else
        assert comment(tmp_path, pulls, "### flexsaml: x").returncode != 0


def test_each_job_says_which_subject_its_credential_has() -> None:
    text = (EXAMPLES / "github-actions.yml").read_text("utf-8")
    header = text.partition("\nname:")[0]
    environments = {job["environment"] for job in read("github-actions.yml")["jobs"].values() if "environment" in job}
    assert environments
    assert all(f"`environment:{environment}`" in header for environment in environments)


def test_the_page_on_setup_names_variables_and_connections_as_the_examples_do() -> None:
    named = re.findall(r"`(AZURE_\w+_CLIENT_ID|flexsaml-preview)`", (PROJECT / "docs" / "setup.md").read_text("utf-8"))
    used = [*read("github-actions.yml")["jobs"].values(), *read("azure-pipelines.yml")["stages"]]
    assert set(named) == {"AZURE_PREVIEW_CLIENT_ID", "AZURE_UPDATE_CLIENT_ID", "flexsaml-preview"}
    assert [name for name in named if name not in str(used)] == []


WORKFLOWS = sorted([*(PROJECT / ".github" / "workflows").iterdir(), EXAMPLES / "github-actions.yml"])


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_digest(workflow: Path) -> None:
    """A tag can be moved to other code; Dependabot moves digest and version."""
    lines = [line.strip() for line in workflow.read_text("utf-8").splitlines() if "uses:" in line]
    pinned = re.compile(r"(- )?uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
    assert lines
    assert [line for line in lines if not pinned.fullmatch(line)] == []


TESTED_VERSION = CLI.removeprefix("v")


def test_each_job_that_runs_pulumi_installs_the_version_of_the_tests() -> None:
    """The newest one may refuse, or do otherwise, what worked when the workflow was copied."""
    steps, versions = [], []
    for path in WORKFLOWS:
        workflow = yaml.safe_load(path.read_text("utf-8"))
        steps += [
            step for job in workflow["jobs"].values() for step in job["steps"] if "pulumi/" in step.get("uses", "")
        ]
        versions += [workflow.get("env", {}).get("CLI_VERSION", TESTED_VERSION)]
    assert len(steps) == 6
    assert {step["with"]["pulumi-version"] for step in steps} == {TESTED_VERSION, "${{ env.CLI_VERSION }}"}
    assert set(versions) == {TESTED_VERSION}


def find_steps(tree: Any) -> Iterator[dict[str, Any]]:
    """The steps of a pipeline, however deep they stand."""
    if isinstance(tree, dict):
        yield from tree.get("steps", [])
    for child in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from find_steps(child)


def test_in_azure_pipelines_too(tmp_path: Path) -> None:
    """The step runs with a `curl` whose answer is an installer that repeats its options, and with one that fails."""
    pipeline = read("azure-pipelines.yml")
    (version,) = (variable["value"] for variable in pipeline["variables"] if variable.get("name") == "CLI_VERSION")
    assert version == TESTED_VERSION
    scripts = [step["bash"] for step in find_steps(pipeline) if step.get("displayName") == "install Pulumi"]
    assert len(scripts) == len(pipeline["stages"])
    for answer, status, printed in (
        ("echo 'echo $*'", 0, f"--version {version}\n##vso[task.prependpath]"),
        ("exit 6", 6, ""),
    ):
        (tmp_path / "curl").write_text(f"#!/bin/sh\n{answer}\n")
        (tmp_path / "curl").chmod(0o755)
        environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": str(tmp_path), "CLI_VERSION": version}
        for script in scripts:
            ended = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=False)
            assert (ended.returncode, ended.stdout.partition("/")[0]) == (status, printed)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_checkout_leaves_no_token_behind(workflow: Path) -> None:
    """Every later step could read it from .git: tests, packages, and in the examples the program of a pull request."""
    jobs = yaml.safe_load(workflow.read_text("utf-8"))["jobs"].values()
    checkouts = [step for job in jobs for step in job["steps"] if step.get("uses", "").startswith("actions/checkout@")]
    assert checkouts
    assert [step for step in checkouts if step.get("with", {}).get("persist-credentials") is not False] == []


def test_what_is_released_leaves_the_job_before_what_could_change_it_runs() -> None:
    """That is what no lock file has by hash, and the tests. What they find still stops the release."""
    jobs = yaml.safe_load((PROJECT / ".github" / "workflows" / "release.yml").read_text("utf-8"))["jobs"]
    steps = [step.get("run") or step["uses"] for step in jobs["build"]["steps"]]
    (upload,) = (at for at, step in enumerate(steps) if step.startswith("actions/upload-artifact@"))
    later = [at for at, step in enumerate(steps) if "pip" in step or "pulumi/" in step or step == ".ci/run"]
    assert steps[upload - 1] == "make dist"
    assert len(later) == 3
    assert upload < min(later)
    assert jobs["publish"]["needs"] == "build"


def test_a_job_has_no_more_rights_than_it_uses() -> None:
    workflow = read("github-actions.yml")
    assert workflow["permissions"] == {"contents": "read"}
    for name, job in workflow["jobs"].items():
        comment = {"pull-requests": "write"} if "/comments" in str(job["steps"]) else {}
        assert job["permissions"] == {"contents": "read", "id-token": "write", **comment}, name


def test_an_update_that_waits_is_not_cancelled_by_another_event() -> None:
    workflow = read("github-actions.yml")
    assert "github.event_name" in workflow["concurrency"]["group"]
    # Of a merged pull request, `github.ref` is the branch that it was merged into.
    assert "github.event.pull_request.number || github.ref" in workflow["concurrency"]["group"]
    assert "github.event.action == 'closed'" in workflow["jobs"]["trial"]["concurrency"]["group"]


def test_no_stage_waits_for_one_that_is_skipped() -> None:
    assert all(stage["dependsOn"] == [] for stage in read("azure-pipelines.yml")["stages"])
