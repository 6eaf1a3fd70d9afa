"""Long runs: which tests run whole, what they counted, and where the counts are published.

`make torture` runs every test marked `torture` with all its cases (FLEXSAML_TORTURE=1), `make full` with a share of them,
and `make test` the same without the tests and cases marked `long`.
A test adds what it counted with `add_figures`. `python -m tests.torture` writes the sums of each section that ran, with
the commit, into docs/reliability.md, between `<!-- figures of SECTION -->` and `<!-- end -->`; sections that did not run
stay. `python -m tests.torture --check` says which tables are older than the code that they measured. Comments and
docstrings are no code: an edit of them leaves a table valid.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
_FIGURES, _DOCUMENT = PROJECT / ".torture", PROJECT / "docs" / "reliability.md"
_SECTION = re.compile(r"(<!-- figures of ([\w-]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
_COMMIT = re.compile(r"Measured at commit (\w+)\.")  # "…-dirty", a run beside uncommitted changes, names no commit

_RESOURCES = ("providers", "components", ":!components/adopt.py", "flexsaml/graph", "flexsaml/values")
"""`adopt` is a command, which no section runs: the fault matrix asks the kinds for what exists."""
_READERS = (
    "flexsaml/claims",
    "flexsaml/declaration",
    "flexsaml/flex",
    "flexsaml/prediction",
    "flexsaml/values",
    "flexsaml/verification",
)
_MEASURED = {
    "sign-ins": ("flexsaml/flex", "flexsaml/prediction", "emulator"),
    "contract": ("emulator",),
    "fuzzing": _READERS,
}
"""Section to the paths (as git writes them) whose code its table measures; those of resources for all others."""


def is_whole_run() -> bool:
    """Whether every cell, subset and history is to run, not a share of them."""
    return os.environ.get("FLEXSAML_TORTURE") == "1"


def add_figures(section: str, **figures: int) -> None:
    """Add to the counts of a section, from any process; the report sums them. A name is printed with spaces."""
    if is_whole_run():
        _FIGURES.mkdir(exist_ok=True)
        record = {"commit": _git("describe", "--always", "--dirty", "--exclude", "*"), "figures": figures}
        with (_FIGURES / f"{section}.jsonl").open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(record) + "\n")


def publish(document: str, runs: dict[str, str]) -> str:
    """The document with a new table for each section of `runs`, which has the text of its JSON Lines. Raises ValueError
    for a section that ran on several commits: its sums would be of neither."""

    def replace(place: re.Match[str]) -> str:
        text = runs.get(place[2])
        return f"{place[1]}{place[3] if text is None else _render_section(place[2], text)}{place[4]}"

    return _SECTION.sub(replace, document)


def _render_section(name: str, text: str) -> str:
    records = [json.loads(line) for line in text.splitlines()]
    commits = sorted({record["commit"] for record in records})
    if len(commits) != 1:
        raise ValueError(f"{name} ran on {' and '.join(commits)}: remove .torture and run it again")
    sums: Counter[str] = Counter()
    for record in records:
        sums.update(record["figures"])
    rows = [f"| {figure.replace('_', ' ')} | {count:,} |" for figure, count in sorted(sums.items())]
    return "\n".join(["| | count |", "|---|---:|", *rows, "", f"Measured at commit {commits[0]}."]) + "\n"


def list_outdated(document: str, list_changes: Callable[[str, tuple[str, ...]], Iterable[str]]) -> list[str]:
    """One line for each section whose table names no commit, or one after which the code that it measures changed.
    `list_changes(commit, directories)`: the files that differ."""
    lines = []
    for _, name, table, _ in _SECTION.findall(document):
        commit = _COMMIT.search(table)
        changes = list(list_changes(commit[1], _MEASURED.get(name, _RESOURCES))) if commit else ["no commit is named"]
        if changes:
            more = f" and {len(changes) - 1} more" if len(changes) > 1 else ""
            lines.append(f"{name}: {f'changed since {commit[1]}: ' if commit else ''}{changes[0]}{more}")
    return lines


def is_same_code(module: str, other: str) -> bool:
    """Whether two Python modules differ in comments, docstrings and layout at most."""
    return _dump_code(module) == _dump_code(other)


def _dump_code(module: str) -> str:
    tree = ast.parse(module)
    for node in ast.walk(tree):
        if isinstance(body := getattr(node, "body", None), list):
            node.body = [statement for statement in body if not _is_docstring(statement)]  # type: ignore[attr-defined]
    return ast.dump(tree)


def _is_docstring(statement: ast.stmt) -> bool:
    """Also of an attribute: any statement that is a text alone."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _list_changed_code(commit: str, paths: tuple[str, ...]) -> list[str]:
    """Files in which more than comments and docstrings changed since the commit."""
    changes = [
        line.split("\t") for line in _git("diff", "--no-renames", "--name-status", commit, "--", *paths).splitlines()
    ]
    return [
        file
        for status, file in changes
        if status != "M"
        or not file.endswith(".py")
        or not is_same_code(_git("show", f"{commit}:{file}"), (PROJECT / file).read_text(encoding="utf-8"))
    ]


def _git(*arguments: str) -> str:
    ended = subprocess.run(["git", *arguments], cwd=PROJECT, capture_output=True, text=True, check=False)
    if ended.returncode:  # a shallow clone does not have the commit
        sys.exit(f"git {' '.join(arguments)}: {ended.stderr.strip()}")
    return ended.stdout.strip()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.torture")
    parser.add_argument("--check", action="store_true", help="say which tables are older than the code they measured")
    document = _DOCUMENT.read_text(encoding="utf-8")
    if parser.parse_args(arguments).check:
        outdated = list_outdated(document, _list_changed_code)
        print("\n".join(outdated or ["every table of docs/reliability.md measures the code as it is"]))
        return 1 if outdated else 0
    runs = {path.stem: path.read_text(encoding="utf-8") for path in _FIGURES.glob("*.jsonl")}
    if not runs:
        print("nothing was counted: run `make torture` first", file=sys.stderr)
        return 1
    _DOCUMENT.write_text(publish(document, runs), encoding="utf-8")
    print(f"published: {', '.join(sorted(runs))}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
