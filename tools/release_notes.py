"""Print what CHANGELOG.md says of the version that a tag names. Exit status 1, and one line on stderr, for a tag that
is not the version of pyproject.toml, or a version without a section of its own. CONTRIBUTING.md asks for it before the
tag, because a tag is never moved; the release workflow asks again. It runs before anything is installed."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from flexsaml.installation import read_version
from flexsaml.terminal_text import print_lines

PROJECT = Path(__file__).resolve().parents[1]


class NotReleasable(Exception):
    """`str()` is one line: what does not fit the tag, and what to do."""


def read_notes(tag: str, version: str, changelog: str) -> str:
    """The text below the heading of the version. `version`: that of pyproject.toml; `changelog`: the text of
    CHANGELOG.md. Raises `NotReleasable`."""
    if tag != f"v{version}":
        raise NotReleasable(f"the tag {tag} is not v{version}, the version of pyproject.toml: change one of them")
    for section in re.split(r"(?m)^## ", changelog)[1:]:
        heading, _, notes = section.partition("\n")
        if heading == version and notes.strip():
            return notes.strip()
    raise NotReleasable(f"CHANGELOG.md has no text below a heading '## {version}' with nothing behind it: write it")


def main(tag: str) -> int:
    try:
        notes = read_notes(tag, read_version(), (PROJECT / "CHANGELOG.md").read_text("utf-8"))
    except NotReleasable as problem:
        print_lines([str(problem)], sys.stderr)
        return 1
    print_lines(notes.splitlines())
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tag", help="v1.2.3, or v1.2.3rc1")
    sys.exit(main(parser.parse_args().tag))
