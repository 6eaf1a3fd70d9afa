"""Run the tests that start no process on every supported Python version that this machine has, in environments made
from requirements-dev.lock. Exit status 1 if one fails, 2 for a version that is not supported; one that is not installed
is named."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from flexsaml.terminal_text import print_lines

SUPPORTED = ("3.10", "3.11", "3.12", "3.13", "3.14")
PROJECT = Path(__file__).resolve().parents[1]
UV = Path(sys.executable).with_name("uv")
TESTS = ("-m", "pytest", "-q", "--quick", "-m", "not engine and not browser", "-n", "2", "-p", "no:cacheprovider")


def main(versions: Sequence[str]) -> int:
    """`versions`: which to test; none stands for all supported ones but the running one."""
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    wanted = versions or [version for version in SUPPORTED if version != running]
    if unknown := [version for version in wanted if version not in SUPPORTED]:
        print_lines([f"{', '.join(unknown)}: give one of {', '.join(SUPPORTED)}"], sys.stderr)
        return 2
    return int(not all([_test(version) for version in wanted]))


def _test(version: str) -> bool:
    """Whether the tests pass on that version, or it is not installed."""
    environment = PROJECT / ".venv" / "versions" / version
    python = environment / "bin" / "python"
    os.environ["PYENV_VERSION"] = version  # where pyenv installed them, its commands need this; nothing else reads it
    if _run(UV, "venv", "-q", "--clear", "--no-python-downloads", "-p", version, environment, quiet=True):
        print_lines([f"Python {version} is not installed: not tested"])
        return True
    lock = PROJECT / "requirements-dev.lock"
    if _run(UV, "pip", "install", "-q", "--require-hashes", "--python", python, "-r", lock):
        return False
    print_lines([f"Python {version}"])
    sys.stdout.flush()
    return _run(python, *TESTS) == 0


def _run(*command: str | Path, quiet: bool = False) -> int:
    silent = subprocess.DEVNULL if quiet else None
    return subprocess.run(
        [str(item) for item in command], cwd=PROJECT, stdout=silent, stderr=silent, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
