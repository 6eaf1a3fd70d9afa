"""If this goes red, docs/lint.md promises a rule or a level that lint does not have.

The table in the document is the one written here from `RULES`, row by row.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from flexsaml.claims.linter import RULES
from flexsaml.claims.rules import Rule

DOCUMENT = (Path(__file__).parents[2] / "docs" / "lint.md").read_text(encoding="utf-8")
ROWS = [line for line in DOCUMENT.splitlines() if line.startswith("| `")]


def row(rule: Rule) -> str:
    return f"| `{rule.name}` | {rule.level} | {rule.profile} | {rule.what} | {rule.grade} |"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_rule_has_its_row(rule: Rule) -> None:
    assert row(rule) in ROWS
    assert rule.grade[0] in "ABCD"


def test_the_table_has_no_other_rows() -> None:
    assert [row(rule) for rule in RULES] == ROWS
