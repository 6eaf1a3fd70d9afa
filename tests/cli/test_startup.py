"""If this goes red, a command pays for libraries it does not use, or ends in a traceback when one is not installed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.cli.command import ROOT


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("modules", "unused"),
    [
        ("flexsaml.cli.verify, flexsaml.verification", {"pulumi", "regex", "requests"}),
        ("flexsaml.cli.predict, flexsaml.cli.worker, flexsaml.prediction", {"pulumi", "regex", "lxml", "signxml"}),
        ("flexsaml.flex", {"requests"}),
        ("components, providers", {"regex", "lxml", "signxml"}),
    ],
)
def test_nothing_is_imported_that_is_not_used(modules: str, unused: set[str]) -> None:
    process = run_python(f"import {modules}, sys; print(*sorted({unused!r} & set(sys.modules)))")
    assert (process.stdout.strip(), process.stderr) == ("", "")
