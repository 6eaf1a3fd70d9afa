"""If this goes red, `predict` gives a line more confidence than the evidence of docs/sign-in.md allows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flexsaml.prediction.evidence import EXACT, PREDICTED, UNKNOWN, Inference, SourceValues, load_rules

DOCUMENT = Path(__file__).parents[2] / "docs" / "sign-in.md"
ROOM = Path(__file__).parents[2] / "flexsaml" / "prediction"
IN_TEXT = ("ID", "T")  # graded in the text between the tables
NOT_CITED = {"S1", "F10"}  # nothing is predicted by them: which policy decides, and how workers are listed


def read_grades() -> dict[str, set[str]]:
    """Rule number to what its row of the document says: grades, and the word contradicted."""
    rows = re.findall(r"(?m)^\| ([A-Z]\d+) \|.*\| ([^|]*) \|$", DOCUMENT.read_text("utf-8"))
    return {number: set(re.findall(r"\b[ABCD]\b|contradicted", text)) for number, text in rows}


@pytest.mark.parametrize("name", load_rules())
def test_a_rule_has_a_grade_a_source_and_the_words_of_the_document(name: str) -> None:
    rule, number = load_rules()[name], name.partition(" ")[0]
    assert rule.grade in ("A", "B", "C", "D")
    assert rule.source
    assert bool(rule.contradicted_by) == bool(rule.unknown)
    if number not in IN_TEXT:
        assert rule.grade in read_grades()[number] | ({"A", "D"} if "contradicted" in read_grades()[number] else set())
        assert not rule.contradicted_by or "contradicted" in read_grades()[number]


def test_the_document_and_the_table_have_the_same_rules() -> None:
    contradicted = {name.partition(" ")[0] for name, rule in load_rules().items() if rule.contradicted_by}
    assert set(read_grades()) - NOT_CITED == {name.partition(" ")[0] for name in load_rules()} - set(IN_TEXT)
    assert {number for number, words in read_grades().items() if "contradicted" in words} == contradicted


def test_every_rule_is_cited_and_every_citation_is_a_rule() -> None:
    files = (*sorted(ROOM.glob("*.py")), ROOM.parent / "flex" / "statement.py")
    sources = "".join(path.read_text("utf-8") for path in files)
    cited = set(re.findall(r'"([A-Z]\d{1,2}(?: [a-z][a-z ]+)?|ID|T)"', sources))
    assert cited - set(load_rules()) == set()
    # These decide which lines there are, and what is unknown; no line follows from them.
    assert set(load_rules()) - cited == {"F11", "F12", "F13", "F2", "N5", "S2", "S22", "S27", "W10", "W6", "W7", "W8"}


@pytest.mark.parametrize(
    ("evidence", "unknown", "confidence"),
    [
        (("S3", "S5"), "", EXACT),
        (("S3", "S6"), "", PREDICTED),
        (("S3",), "it may not be read", UNKNOWN),
        (("S3", "S18"), "", UNKNOWN),
        ((), "", PREDICTED),  # nothing says so
        (("S3", "S6", "T4 no match"), "", UNKNOWN),
    ],
)
def test_the_weakest_rule_decides_about_the_confidence(
    evidence: tuple[str, ...], unknown: str, confidence: str
) -> None:
    assert Inference(evidence=evidence, unknown=unknown).confidence == confidence


def test_a_contradicted_rule_takes_the_values_away_and_says_why() -> None:
    source = SourceValues(values=("a", "b"), evidence=("S3",)).citing("S18")
    assert (source.values, source.confidence) == ((), UNKNOWN)
    assert source.explanation == load_rules()["S18"].unknown


def test_rules_are_listed_once_in_the_order_of_the_document() -> None:
    assert Inference(evidence=("F3", "S13 form", "S3", "F3 items")).rules == ("S3", "S13", "F3")
