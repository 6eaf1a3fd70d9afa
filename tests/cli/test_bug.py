"""If this goes red, a bug of flexsaml looks like a finding to a script, or shows a traceback with somebody's values."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.cli.command import ROOT

PROGRAM = """
import sys
from flexsaml import cli
cli.COMMANDS["buggy"], cli.MODULES["buggy"] = "", "tests.cli.buggy_command"
sys.exit(cli.main(["buggy"]))
"""


@pytest.mark.parametrize("debug", ["", "1"])
def test_a_bug_is_one_line_with_a_status_of_its_own(debug: str) -> None:
    environment = {**os.environ, "FLEXSAML_DEBUG": debug}
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if debug:
        assert "Traceback" in ended.stderr
        assert "Blue Team" in ended.stderr
    else:
        place = "LookupError at buggy_command.py:12; set FLEXSAML_DEBUG=1"
        assert ended.stderr.startswith(f"buggy: this is a bug in flexsaml: {place}")
        assert len(ended.stderr.splitlines()) == 1
        assert "Blue Team" not in ended.stderr
        assert ended.returncode == 3
