"""If this goes red, docs/preflight.md promises a rule, a level or a freedom that preflight does not have."""

from __future__ import annotations

from pathlib import Path

from flexsaml.preflight import FIXED_RULES, RULE_LEVELS

DOCUMENT = (Path(__file__).parents[2] / "docs" / "preflight.md").read_text(encoding="utf-8")


def test_the_table_is_that_of_the_rules() -> None:
    rows = [[cell.strip() for cell in line.split("|")[1:4]] for line in DOCUMENT.splitlines() if line.startswith("| `")]
    assert rows == [[f"`{rule}`", level, "no" if rule in FIXED_RULES else "yes"] for rule, level in RULE_LEVELS.items()]
