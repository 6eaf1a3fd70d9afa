"""If this goes red, some text ends a command in a traceback, hangs it, or exhausts the memory."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys

import pytest

from tests.providers.process import PROJECT
from tests.torture import add_figures, is_whole_run

LENGTHS = [300] if is_whole_run() else [15, pytest.param(60, marks=pytest.mark.long)]
"""Seconds."""


@pytest.mark.torture
@pytest.mark.parametrize("seconds", LENGTHS)
def test_no_mutated_text_ends_in_a_traceback(seconds: int) -> None:
    seed = secrets.randbelow(2**32)
    command = [sys.executable, "-m", "tests.badinput.fuzzer", str(seed), str(seconds)]
    try:
        ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=seconds + 120)
    except subprocess.TimeoutExpired:
        pytest.fail(f"a text hangs it: python -m tests.badinput.fuzzer {seed} {seconds}")
    assert ended.returncode == 0, f"seed {seed}: {ended.stderr[-2000:]}"
    result = json.loads(ended.stdout)
    assert result["failures"] == [], f"python -m tests.badinput.fuzzer {seed} {seconds}"
    assert result["inputs"] > seconds
    assert (result["slowest"] < 5, result["megabytes"] < 300) == (True, True), result
    add_figures("fuzzing", texts=result["inputs"], tracebacks=0, seconds=seconds)
