"""The lint rules, and what their checks take and give. `data/rules.json` has one row for each rule: name, level,
evidence (grade and source), and what a good policy has. The checks are generators in `reading` (the text) and `rules_*`
(the policy); they never raise. A check takes an entry of `ClaimsSchema`, a transformation, or the document, and the
stack's context if it needs that. The other tables of `data/` are public documents named in each file, loaded when a
rule first needs them."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

_FRACTION = re.compile(r"[+-]?\d+\.\d*[1-9]\d*")
_WORDS_FOR_NOTHING = frozenset({"null", "nil", "none", "undefined", "nan", "inf", "infinity"})
_WORDS_FOR_BOOLEANS = frozenset({"true", "false", "t", "f", "yes", "no", "y", "n", "on", "off"})


class Violation(NamedTuple):
    """What breaks the rule, where, and what to do; `fix` is "" if there is nothing to do."""

    rule: str
    where: str
    message: str
    fix: str = ""


Violations = Iterator[Violation]
NodeViolations = Iterator[tuple[str, str, str]]
"""Rule, message, fix; where is the object that the check was given."""


@dataclass(frozen=True)
class Context:
    """What a stack knows beyond the definition. Rules that need it yield nothing when it is empty."""

    extensions: Mapping[str, str] = field(default_factory=dict)
    """Full name of an extension to its data type: "String", "Integer[]"."""
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Full name of an extension to the canonical values declared for it ("<null>" for null)."""
    longest_row: Mapping[str, str] = field(default_factory=dict)
    """Full name of an extension to value, of the user whose declared values are the longest together."""


class Rule(NamedTuple):
    """One row of the table. `evidence` is its grade (A to D) and source, `summary` what a good policy has."""

    name: str
    level: str
    evidence: str
    summary: str


@cache
def load_table(name: str) -> dict[str, Any]:
    """The content of `data/<name>.json`."""
    table: dict[str, Any] = json.loads((Path(__file__).parent / "data" / f"{name}.json").read_text("utf-8"))
    return table


def is_uri(name: str) -> bool:
    """Whether the Name of an attribute is a URI, which Flex ignores (F2 of docs/sign-in.md: A for an http address, D
    for every other Name with a colon)."""
    return ":" in name


def is_flex_role(role: str) -> bool:
    """Whether Flex documents the role."""
    table = load_table("flex")
    return role in table["roles"] or role in table["insights_roles"]


def is_entity_id(identifier: str) -> bool:
    """Whether it begins as entity IDs of Flex do, of the enhanced and of the legacy configuration."""
    return identifier.startswith(tuple(load_table("flex")["entity_ids"]))


def is_surely_misfit(text: str, kind: str) -> bool:
    """Whether the text is no value of the type (`int` or `boolean`) by any reading. Twilio documents that a sign-in
    with `a` or `1.23` for an integer fails (A); of texts between those and plain values, as `+7` or `yes`, nobody
    says."""
    word = text.strip().lower()
    if not word or word.lstrip("+-") in _WORDS_FOR_NOTHING or (kind == "boolean" and word in _WORDS_FOR_BOOLEANS):
        return False
    has_digit = any(map(str.isdigit, text))
    return not has_digit or (kind == "int" and _FRACTION.fullmatch(text) is not None)


RULES = {profile: tuple(Rule(*row) for row in rows) for profile, rows in load_table("rules").items()}
"""Profile to its rules."""
PROFILES = tuple(RULES)
RULE_NAMES = tuple(rule.name for rules in RULES.values() for rule in rules)
