"""If this goes red, `predict` gives a line more confidence than the grades of docs/sign-in.md allow."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flexsaml.prediction.evidence import EXACT, PREDICTED, RULE_GRADES, UNKNOWN, Inference

DOCUMENT = Path(__file__).parents[2] / "docs" / "sign-in.md"


def test_every_rule_has_the_grade_of_the_document() -> None:
    rows = re.findall(r"(?m)^\| ([A-Z]\d+) \|.*\| ([^|]*) \|$", DOCUMENT.read_text("utf-8"))
    grades = {number: set(re.findall(r"\b[ABCD]\b", text)) for number, text in rows}
    outside_tables = ("ID", "T", "S3 beside")  # graded in the text between the tables, or not at all
    cited = {rule: grade for rule, grade in RULE_GRADES.items() if rule not in outside_tables}
    graded_in_text = {"S13", "N2"}
    for rule, grade in cited.items():
        number = rule.partition(" ")[0]
        assert grade in grades[number] or number in graded_in_text, (rule, grades[number])
    assert set(grades) - {"S1", "S22", "F10"} == {rule.partition(" ")[0] for rule in cited}


@pytest.mark.parametrize(
    ("evidence", "unknown", "confidence"),
    [(("S3", "S5"), "", EXACT), (("S3", "S6"), "", PREDICTED), (("S3",), "it may not be read", UNKNOWN)],
)
def test_the_weakest_rule_decides_about_the_confidence(
    evidence: tuple[str, ...], unknown: str, confidence: str
) -> None:
    assert Inference(evidence=evidence, unknown=unknown).confidence == confidence


def test_rules_are_listed_once_in_the_order_of_the_document() -> None:
    assert Inference(evidence=("F3", "S13 form", "S3", "F3 blanks")).rules == ("S3", "S13", "F3")
