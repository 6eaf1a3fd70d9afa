"""Tells what is wrong with a claims mapping policy, or with the claims of a stack file.

FILE is a definition, a request body or answer copied from Graph Explorer, or `Pulumi.<stack>.yaml`. No tenant is
asked. Exit status: 0 without a finding of level error, 1 with one, 2 when the file could not be read.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence

from flexsaml.claims import MAX_TEXT_BYTES, PROFILES, lint
from flexsaml.findings import LEVELS, Finding, apply_levels

from .terminal import end, lenient, one_line


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="definition, request body or Pulumi.<stack>.yaml; - is stdin")
    parser.add_argument(
        "--profile", choices=PROFILES, help="entra: any policy; flex: what Flex needs too (default for a stack file)"
    )
    parser.add_argument("--json", action="store_true", help='print {"findings": [...]} instead of lines')


def run(given: argparse.Namespace) -> int:
    lenient()
    try:
        raw = read_file(given.file)
    except (OSError, ValueError) as problem:
        why = getattr(problem, "strerror", None) or str(problem)
        return end("lint", f"cannot read {given.file}: {why}; give a file with a definition, or - for stdin")
    if is_stack_file(given.file, raw):
        try:
            from .stack_file import lint_stack
        except ImportError as problem:
            return end("lint", f"a stack file needs {problem.name}; run `pip install -r requirements.txt`")
        findings = lint_stack(raw, given.profile or "flex")
    else:
        findings = apply_levels(lint(raw, profile=given.profile or "entra"), {})
    if given.json:
        print(json.dumps({"findings": [one.to_json() for one in findings]}, indent=2))
    else:
        print("\n".join(lines(findings)))
    return 1 if any(one.level == "error" for one in findings) else 0


def lines(findings: Sequence[Finding]) -> list[str]:
    """One line for each finding, and the counts."""
    told = [f"{one.level:<8}{one_line(str(one))}" for one in findings]
    counts = [(sum(one.level == level for one in findings), level) for level in LEVELS]
    counted = [f"{count} {level}{'s' if count != 1 and level != 'info' else ''}" for count, level in counts if count]
    return [*told, ", ".join(counted) or "no findings"]


def read_file(name: str) -> bytes:
    """The file, or as much of it as tells that it is too large. Raises OSError, and ValueError for an odd name."""
    if name == "-":
        return sys.stdin.buffer.read(MAX_TEXT_BYTES + 1)
    with open(name, "rb") as file:
        return file.read(MAX_TEXT_BYTES + 1)


def is_stack_file(name: str, raw: bytes) -> bool:
    """By its ending; what comes without one, by a line no JSON has."""
    if name.lower().endswith((".yaml", ".yml")):
        return True
    return re.search(rb"(?m)^(\xef\xbb\xbf)?config:\s*(#.*)?$", raw) is not None and raw.lstrip()[:1] not in b'{["'
