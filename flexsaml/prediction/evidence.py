"""The evidence for everything predicted, and how far it may be believed. Nothing else in this room decides that: every
line cites rules of docs/sign-in.md, and `data/evidence.json` has for each rule its grade, the source, and the sources
that contradict it. A line is exact if each of its rules has grade A, B or C, predicted if one has grade D, which no
document and no tenant confirms, and unknown if a rule is contradicted or if even a guess would mislead."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

EXACT, PREDICTED, UNKNOWN = "exact", "predicted", "unknown"
CONFIDENCE_LEVELS = (EXACT, PREDICTED, UNKNOWN)
UNDOCUMENTED = "and it is not documented what Entra makes of it"


@dataclass(frozen=True)
class Rule:
    """`grade`: A to D, with its `source`. `contradicted_by`: a source that says otherwise, "" if there is none;
    `unknown`: what that means for a line, as its reason."""

    grade: str
    source: str
    contradicted_by: str = ""
    unknown: str = ""


@cache
def load_rules() -> Mapping[str, Rule]:
    """Rule to evidence, in the order of docs/sign-in.md. If a rule has several grades, words after its number say which
    part is meant. `ID`: which property a user ID reads; `T`: that a policy's transformations are read, and how."""
    rows = json.loads((Path(__file__).parent / "data" / "evidence.json").read_text("utf-8"))
    return {name: Rule(**row) for name, row in rows.items()}


def rate_evidence(rules: Iterable[str]) -> str:
    """EXACT, PREDICTED or UNKNOWN. What follows from no rule has no evidence, and is not exact."""
    evidence = [load_rules()[rule] for rule in rules]
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
