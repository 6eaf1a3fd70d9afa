"""If this goes red, somebody who searches docs/troubleshooting.md for the error they see does not find it, because no
program prints those words.
"""

from __future__ import annotations

import re

import pytest

from flexsaml.claims import RULES
from flexsaml.preflight import RULE_LEVELS
from tests.documents.pages import DOCS, PROJECT

HEADINGS = re.findall(r"(?m)^### (.+)$", (DOCS / "troubleshooting.md").read_text("utf-8"))
NOT_OURS = {
    "No module named": "Python",
    "the stack is currently locked": "Pulumi",
    "interrupted while creating": "Pulumi",
    "fatal error: concurrent map": "Pulumi's engine (3.259)",
    "failed to load checkpoint": "Pulumi",
    "The sign-in works, and the attribute is old or missing": "no message",
}
"""Headings whose words no program of this repository prints, to where they come from."""


@pytest.fixture(scope="module")
def printed() -> str:
    """The text of all programs, without what divides a text in the source: quotes, line breaks and letter case."""
    sources = [
        path
        for room in ("flexsaml", "providers", "components", "emulator")
        for path in sorted((PROJECT / room).rglob("*"))
        if path.suffix in (".py", ".json", ".html")
    ]
    text = "\n".join(path.read_text("utf-8") for path in sources)
    return re.sub(r"\s+", " ", re.sub(r'["\']\s*\n\s*f?["\']', "", text)).replace('"', "").lower()


@pytest.mark.parametrize("heading", HEADINGS)
def test_the_words_of_a_heading_are_printed_by_a_program(printed: str, heading: str) -> None:
    words = heading.replace("AADSTS", "").replace("`", "").lower()
    assert (words in printed.replace("`", "")) is (heading not in NOT_OURS)


def test_every_heading_says_what_it_means_and_what_to_do() -> None:
    text = (DOCS / "troubleshooting.md").read_text("utf-8")
    sections = re.split(r"(?m)^### ", text)[1:]
    assert [section.partition("\n")[0] for section in sections if "**Do:**" not in section] == []


def test_every_rule_that_is_named_exists() -> None:
    known = {*RULE_LEVELS, *(rule.name for rules in RULES.values() for rule in rules)}
    named = re.findall(r"`([a-z]+(?:-[a-z]+)+)`", (DOCS / "troubleshooting.md").read_text("utf-8"))
    assert named
    assert [name for name in named if name not in known] == []
