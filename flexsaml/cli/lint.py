"""Reports what is wrong with a claims mapping policy, or with the claims of a stack file. FILE is a definition, a
request body or answer copied from Graph Explorer, or `Pulumi.<stack>.yaml`. No tenant is contacted. Exit status: 0
without a finding of level error, 1 with one, 2 when the file could not be read."""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

from flexsaml.claims import MAX_TEXT_BYTES, PROFILES, RULE_NAMES, lint
from flexsaml.findings import LEVELS, Finding, apply_levels
from flexsaml.private_files import read_regular_file
from flexsaml.project_file import name_project
from flexsaml.terminal_text import print_json, print_lines

from .terminal import read_file


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="definition, request body or Pulumi.<stack>.yaml; - is stdin")
    profiles = "entra: any policy; flex: what Flex needs too (default for a stack file)"
    parser.add_argument("--profile", choices=PROFILES, help=profiles)
    parser.add_argument("--json", action="store_true", help='print {"findings": [...]} instead of lines')


def run(options: argparse.Namespace) -> int:
    raw = read_file(options.file, MAX_TEXT_BYTES, "give a file with a definition, or - for stdin")
    if is_stack_file(options.file, raw):
        from flexsaml.declaration import lint_stack
        from flexsaml.preflight import FIXED_RULES, RULE_LEVELS

        findings = lint_stack(
            raw,
            options.profile or "flex",
            read_file=lambda name: read_regular_file(Path(options.file).parent / name),  # the roster lies beside it
            rule_names=(*RULE_LEVELS, *RULE_NAMES),
            fixed_rules=FIXED_RULES,
            project=name_project(Path(options.file).parent),
        )
    else:
        findings = apply_levels(lint(raw, profile=options.profile or "entra"), {})
    if options.json:
        print_json({"findings": [finding.to_json() for finding in findings]})
    else:
        print_lines(_format(findings))
    return 1 if any(finding.level == "error" for finding in findings) else 0


def _format(findings: Sequence[Finding]) -> list[str]:
    """One line for each finding, and one with their numbers."""
    lines = [f"{finding.level:<8}{finding}" for finding in findings]
    counts = [(sum(finding.level == level for finding in findings), level) for level in LEVELS]
    totals = [f"{count} {level}{'s' if count != 1 and level != 'info' else ''}" for count, level in counts if count]
    return [*lines, ", ".join(totals) or "no findings"]


def is_stack_file(name: str, raw: bytes) -> bool:
    """True for a name that ends in .yaml; otherwise true if there is a line `config:`, which JSON never has."""
    if name.lower().endswith((".yaml", ".yml")):
        return True
    return re.search(rb"(?m)^(\xef\xbb\xbf)?config:\s*(#.*)?$", raw) is not None and raw.lstrip()[:1] not in b'{["'
