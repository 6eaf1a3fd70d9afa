"""If this goes red, a release is made from a tag that names another version than its wheel has, or it has no notes; or a
maintainer learns that only from the release workflow, when the tag cannot be moved any more."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tools.release_notes import PROJECT, NotReleasable, read_notes

VERSION = "1.2.3rc1"
CHANGELOG = "# Changelog\n\n## 1.2.3rc1\n\n- A line.\n\n- Another.\n\n## 1.2.2\n\n- Old.\n"


def test_the_notes_are_those_of_the_version() -> None:
    assert read_notes("v1.2.3rc1", VERSION, CHANGELOG) == "- A line.\n\n- Another."


@pytest.mark.parametrize(
    ("tag", "changelog", "words"),
    [
        ("v1.2.3", CHANGELOG, "the tag v1.2.3 is not v1.2.3rc1"),
        ("1.2.3rc1", CHANGELOG, "the tag 1.2.3rc1 is not v1.2.3rc1"),
        ("v3.10", CHANGELOG, "the tag v3.10 is not v1.2.3rc1"),
        ("v1.2.3rc1", CHANGELOG.replace("3rc1", "3rc1, not released yet"), "no text below a heading '## 1.2.3rc1'"),
        ("v1.2.3rc1", CHANGELOG.replace("3rc1", "3"), "no text below a heading"),
        ("v1.2.3rc1", "## 1.2.3rc1\n\n## 1.2.2\n\n- Old.\n", "no text below a heading"),
        ("v1.2.3rc1", "# Changelog\n", "no text below a heading"),
    ],
)
def test_a_tag_that_does_not_fit_is_refused_in_one_line(tag: str, changelog: str, words: str) -> None:
    with pytest.raises(NotReleasable, match=words) as refusal:
        read_notes(tag, VERSION, changelog)
    assert "\n" not in str(refusal.value)


def test_it_runs_before_anything_is_installed() -> None:
    """`-I -S`: without the packages of the virtual environment, as on the runner."""
    command = [sys.executable, "-I", "-S", "tools/release_notes.py", "v0"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=PROJECT)
    assert (ended.returncode, ended.stdout, len(ended.stderr.splitlines())) == (1, "", 1)
    assert ended.stderr.startswith("the tag v0 is not v")
