"""If this goes red, docs/lint.md promises a rule or a level that lint does not have.

The table in the document is the one written here from `RULES`, row by row.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from flexsaml.claims.rules import RULES, Rule

DOCUMENT = (Path(__file__).parents[2] / "docs" / "lint.md").read_text(encoding="utf-8")
ROWS = [line for line in DOCUMENT.splitlines() if line.startswith("| `")]


def row(profile: str, rule: Rule) -> str:
    return f"| `{rule.name}` | {rule.level} | {profile} | {rule.summary} | {rule.evidence} |"


EXPECTED = {rule.name: row(profile, rule) for profile, rules in RULES.items() for rule in rules}


@pytest.mark.parametrize("name", EXPECTED)
def test_every_rule_has_its_row(name: str) -> None:
    assert EXPECTED[name] in ROWS
    assert EXPECTED[name].split(" | ")[-1][0] in "ABCD", "the grade of the evidence"


def test_the_table_has_no_other_rows_and_the_same_order() -> None:
    assert list(EXPECTED.values()) == ROWS
