"""The evidence for everything predicted, and how far it may be believed. Nothing else in this room decides that: every
line cites rules of docs/sign-in.md, and `data/evidence.json` has for each rule its grade, the source, and the sources
that contradict it. A line is exact if each of its rules has grade A, B or C, predicted if one has grade D, which no
document and no tenant confirms, and unknown if a rule is contradicted or if even a guess would mislead. What a tenant
was measured to do (`data/measured.json`, reports of the live suite) changes these grades."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

EXACT, PREDICTED, UNKNOWN = "exact", "predicted", "unknown"
MEASURED = "A-measured"
"""The grade of a rule that a tenant was measured to follow."""
CONFIDENCE_LEVELS = (EXACT, PREDICTED, UNKNOWN)
GRADES = ("A", MEASURED, "B", "C", "D")
"""From the best to the weakest."""
ORDER_RULES = frozenset({"S12 order", "S13 order"})
"""The rules that say only in which order values come."""
UNDOCUMENTED = "and it is not documented what Entra makes of it"


@dataclass(frozen=True)
class Rule:
    """`grade`: A to D or `MEASURED`, with its `source`. `contradicted_by`: a source that says otherwise, "" if there is
    none; `unknown`: what that means for a line, as its reason."""

    grade: str
    source: str
    contradicted_by: str = ""
    unknown: str = ""

    def describe(self) -> str:
        """The grade in a word or two."""
        return f"{self.grade}, contradicted" if self.contradicted_by else self.grade


@cache
def load_rules() -> Mapping[str, Rule]:
    """Rule to evidence, in the order of docs/sign-in.md. If a rule has several grades, words after its number say which
    part is meant. `ID`: which property a user ID reads; `T`: that a policy's transformations are read, and how."""
    data = Path(__file__).parent / "data"
    rows = json.loads((data / "evidence.json").read_text("utf-8"))
    measured = json.loads((data / "measured.json").read_text("utf-8"))
    return apply_measurements({name: Rule(**row) for name, row in rows.items()}, measured["reports"])


def apply_measurements(rules: Mapping[str, Rule], reports: Iterable[Mapping[str, Any]]) -> dict[str, Rule]:
    """The rules with the grades that reports of the live suite (docs/live.md) give them. What a tenant was measured to
    do by the rule makes it `MEASURED`, whatever sources say; what it was measured to do otherwise contradicts it, also
    if another tenant does it by the rule. A report of the emulator changes nothing."""
    verdicts: dict[str, dict[str, str]] = {}
    for report in reports:
        for answer in report["answers"] if report["measured_on"] == "tenant" else ():
            source = f"{answer['question']}: {answer['answer']}, {report['date']}"
            for rule, change in answer["rules"].items():
                verdicts.setdefault(rule, {}).setdefault(change["verdict"], source)
    measured = dict(rules)
    for name, sources in verdicts.items():
        if "contradicted" in sources:
            source = sources["contradicted"]
            unknown = f"a tenant was measured to do otherwise ({source})"
            measured[name] = replace(rules[name], contradicted_by=f"measured on a tenant, {source}", unknown=unknown)
        else:
            measured[name] = Rule(MEASURED, f"measured on a tenant, {sources['confirmed']}")
    return measured


def rate_evidence(rules: Iterable[str], table: Mapping[str, Rule] | None = None) -> str:
    """EXACT, PREDICTED or UNKNOWN, by this table or the one that is shipped. What follows from no rule has no evidence,
    and is not exact."""
    known = load_rules() if table is None else table
    evidence = [known[rule] for rule in rules]
    if any(rule.contradicted_by for rule in evidence):
        return UNKNOWN
    return PREDICTED if not evidence or any(rule.grade == "D" for rule in evidence) else EXACT


@dataclass(frozen=True, kw_only=True)
class Inference:
    """Something predicted. `evidence`: rules of docs/sign-in.md; `reason`: why there is no value, or what the value is;
    `unknown`: why nobody can know it, "" if it is known. A contradicted rule makes it unknown."""

    evidence: tuple[str, ...] = ()
    reason: str = ""
    unknown: str = ""

    def __post_init__(self) -> None:
        if not self.unknown:
            contradictions = (load_rules()[rule].unknown for rule in self.evidence)
            object.__setattr__(self, "unknown", next(filter(None, contradictions), ""))

    @property
    def confidence(self) -> str:
        return UNKNOWN if self.unknown else rate_evidence(self.evidence)

    @property
    def rules(self) -> tuple[str, ...]:
        """The numbers of the rules, each once, in the order of the document."""
        order = list(load_rules())
        cited = sorted(set(self.evidence), key=order.index)
        return tuple(dict.fromkeys(rule.partition(" ")[0] for rule in cited))

    @property
    def grade(self) -> str:
        """That of its weakest rule; "" if it follows from none."""
        return max((load_rules()[rule].grade for rule in self.evidence), key=GRADES.index, default="")

    @property
    def grounds(self) -> str:
        """The rules and their grade in words; of what is not certain only the rules that make it so."""
        table, weakest = load_rules(), self.grade
        deciding = [rule for rule in self.evidence if self.confidence == EXACT or table[rule].grade == weakest]
        numbers = replace(self, evidence=tuple(deciding)).rules
        plural = "s" if len(numbers) > 1 else ""
        named = f"rule{plural} {', '.join(numbers)}, grade {weakest}" if numbers else "no rule"
        return named if self.confidence == EXACT else f"not confirmed: {named}"

    @property
    def explanation(self) -> str:
        return self.unknown or self.reason

    def to_json(self) -> dict[str, object]:
        return {"confidence": self.confidence, "rules": self.rules, "reason": self.explanation}


@dataclass(frozen=True, kw_only=True)
class SourceValues(Inference):
    """What a source gives a user: `values` is empty if there are none or nobody can know them."""

    values: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.unknown:
            object.__setattr__(self, "values", ())

    def citing(self, *rules: str) -> SourceValues:
        """The same, following from more rules."""
        return replace(self, evidence=(*self.evidence, *rules))
