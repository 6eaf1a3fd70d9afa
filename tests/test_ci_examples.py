"""If this goes red, a workflow of examples/ci is none that its service would take."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.torture import PROJECT

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


def test_a_pull_request_of_a_fork_gets_no_identity() -> None:
    text = (EXAMPLES / "github-actions.yml").read_text("utf-8")
    assert "pull_request_target" not in text
    assert "head.repo.full_name == github.repository" in text
