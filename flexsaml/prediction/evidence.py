"""The evidence for everything predicted, and how far it may be believed. Nothing else in this room decides that. Every
line cites the rules of docs/sign-in.md that it follows from. It is exact if each of them has grade A, B or C, predicted
if one has grade D, which no document and no tenant confirms, and unknown if even a guess would mislead."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

EXACT, PREDICTED, UNKNOWN = "exact", "predicted", "unknown"
CONFIDENCE_LEVELS = (EXACT, PREDICTED, UNKNOWN)

RULE_GRADES = {
    "W1": "D", "W2": "A", "W3": "A", "W4": "D", "W5": "A",
    "S2": "D", "S3": "A", "S3 beside": "D", "S4": "D", "S5": "A", "S6": "D", "S7": "D", "S8": "A",
    "S9": "A", "S10": "A", "S11": "D", "S12": "A", "S13": "A", "S13 form": "D", "S13 several": "D", "S14": "D",
    "S15": "D", "S16": "C", "S17": "A", "S18": "D", "S19": "D", "S20": "D", "S21": "D", "ID": "D",
    "N1": "A", "N1 none": "D", "N2": "A", "N2 observed": "C", "N2 pairwise": "D", "N3": "A", "N3 default": "D",
    "N4": "A", "N5": "A",
    "T": "D", "T1": "A", "T2": "A", "T3": "A", "T4": "A", "T4 every": "D", "T5": "A", "T6": "D", "T7": "D",
    "F1": "A", "F1 empty": "D", "F2": "A", "F3": "A", "F3 blanks": "D", "F4": "A", "F4 spelling": "D", "F5": "A",
    "F6": "A", "F7": "A", "F8": "D", "F9": "A", "F9 uri": "D",
}  # fmt: skip
"""Rule to evidence grade. If a rule has two grades, a word after its number says which half is meant. `ID`: which
property a user ID reads; `T`: how references and keys of transformations are read."""
_NUMBERS = list(dict.fromkeys(rule.partition(" ")[0] for rule in RULE_GRADES))


def rate_evidence(rules: Iterable[str]) -> str:
    """EXACT or PREDICTED."""
    return PREDICTED if any(RULE_GRADES[rule] == "D" for rule in rules) else EXACT


@dataclass(frozen=True, kw_only=True)
class Inference:
    """Something predicted. `evidence`: keys of `RULE_GRADES`; `reason`: why there is no value, or what the value is;
    `unknown`: why nobody can know it, "" if it is known."""

    evidence: tuple[str, ...] = ()
    reason: str = ""
    unknown: str = ""

    @property
    def confidence(self) -> str:
        return UNKNOWN if self.unknown else rate_evidence(self.evidence)

    @property
    def rules(self) -> tuple[str, ...]:
        """The numbers of the rules, each once, in the order of the document."""
        return tuple(sorted({rule.partition(" ")[0] for rule in self.evidence}, key=_NUMBERS.index))

    @property
    def explanation(self) -> str:
        return self.unknown or self.reason

    def to_json(self) -> dict[str, object]:
        return {"confidence": self.confidence, "rules": self.rules, "reason": self.explanation}


@dataclass(frozen=True, kw_only=True)
class SourceValues(Inference):
    """What a source gives a user: `values` is empty if there are none or nobody can know them."""

    values: tuple[str, ...] = ()

    def citing(self, *rules: str) -> SourceValues:
        """The same, following from more rules."""
        return replace(self, evidence=(*self.evidence, *rules))
