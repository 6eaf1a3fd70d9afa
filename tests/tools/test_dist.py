"""If this goes red, nobody can tell by a build of their own whether the files of a release are those of its commit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.torture import PROJECT
from tests.wheel import copy_sources


def run_git(directory: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@contoso.example", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, *arguments], cwd=directory, capture_output=True, check=True)


def make_dist(checkout: Path, umask: int) -> dict[str, bytes]:
    """`make dist` with the packages of the running Python; the name of each file to its bytes."""
    installed = Path(sys.prefix)
    options = [f"VENV={installed}", "-o", f"{installed}/.dev"]
    ended = subprocess.run(
        ["make", *options, "dist"], cwd=checkout, umask=umask, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return {path.name: path.read_bytes() for path in (checkout / "dist").glob("flexsaml-*")}


def test_two_builds_of_a_commit_are_the_same_bytes(tmp_path: Path) -> None:
    """One checkout lies elsewhere, is another user's, and has files that are not committed."""
    origin = copy_sources(tmp_path)
    (origin / "Makefile").write_bytes((PROJECT / "Makefile").read_bytes())
    run_git(origin, "init", "-q")
    run_git(origin, "add", ".")
    run_git(origin, "commit", "-q", "-m", "A commit")
    elsewhere = tmp_path / "further" / "away"
    run_git(tmp_path, "clone", "-q", str(origin), str(elsewhere))
    (elsewhere / "flexsaml" / "draft.py").write_text("x = 1\n")
    (elsewhere / "README.md").write_text("# Draft\n")
    built = make_dist(origin, umask=0o022)
    assert {Path(name).suffix for name in built} == {".whl", ".gz"}
    assert make_dist(elsewhere, umask=0o077) == built
