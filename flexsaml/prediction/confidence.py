"""What a line of a prediction hangs on, and how far it may be believed.

Rule numbers are those of docs/sign-in.md; where a rule there carries two grades, a word behind its number tells which
half is meant. Exact: every rule is A, B or C. Predicted: a D is among them, which no document and no tenant bears out.
Cannot be known: even a guess would mislead.
"""

from __future__ import annotations

from collections.abc import Iterable

EXACT, PREDICTED, UNKNOWN = "exact", "predicted", "cannot be known"
MARKS = (EXACT, PREDICTED, UNKNOWN)

GRADES = {
    "W1": "D", "W2": "A", "W3": "A", "W4": "D", "W5": "A",
    "S2": "D", "S3": "A", "S3 beside": "D", "S4": "D", "S5": "A", "S6": "D", "S7": "D", "S8": "A",
    "S9": "A", "S10": "A", "S11": "D", "S12": "A", "S13": "A", "S13 form": "D", "S13 several": "D", "S14": "D",
    "S15": "D", "S16": "C", "S17": "A", "S18": "D", "S19": "D", "S20": "D", "S21": "D", "ID": "D",
    "N1": "A", "N1 none": "D", "N2": "A", "N2 seen": "C", "N2 pairwise": "D", "N3": "A", "N3 default": "D", "N4": "A",
    "N5": "A",
    "T": "D", "T1": "A", "T2": "A", "T3": "A", "T4": "A", "T4 every": "D", "T5": "A", "T6": "D", "T7": "D",
    "F1": "A", "F1 empty": "D", "F2": "A", "F3": "A", "F3 blanks": "D", "F4": "A", "F4 spelling": "D", "F5": "A",
    "F6": "A", "F7": "A", "F8": "D", "F9": "A", "F9 uri": "D",
}  # fmt: skip
"""`ID`: the list of user IDs whose property has another name; `T`: how references and keys are read."""


def mark(grounds: Iterable[str], unknown: str = "") -> str:
    """How far a line with these grounds may be believed; `unknown` is the reason why it may not at all."""
    if unknown:
        return UNKNOWN
    return PREDICTED if any(GRADES[one] == "D" for one in grounds) else EXACT


def rules(grounds: Iterable[str]) -> tuple[str, ...]:
    """The numbers, each once."""
    return tuple(dict.fromkeys(one.partition(" ")[0] for one in grounds))
