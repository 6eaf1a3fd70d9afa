"""The report of a run, and that it names nobody: the answers with the grades they change, and what was observed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flexsaml.prediction import apply_measurements, load_rules
from tests.live.experiment import Answer, Experiment, Outcome

FORMAT = 1
TENANT, EMULATOR = "tenant", "emulator"
_PATTERNS = (
    (re.compile(r"[\w.+#~-]+@[\w-]+(?:\.[\w-]+)+"), "<address>"),
    (re.compile(r"extension_[0-9a-fA-F]{32}"), "extension_<id>"),
    (re.compile(r"\b[0-9a-fA-F]{32,}\b"), "<id>"),
    (re.compile(r"[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}"), "<id>"),
    (re.compile(r"\b[\w-]+\.(?:partner\.)?onmicrosoft\.\w+\b"), "<domain>"),
)


@dataclass(frozen=True)
class Finding:
    """How an experiment ended: with an outcome, or undecided for a reason. `is_abandoned`: nobody signed in."""

    experiment: Experiment
    outcome: Outcome | None = None
    undecided: str = ""
    is_abandoned: bool = False

    @property
    def answer(self) -> Answer | None:
        return self.experiment.answers.get(self.outcome.answer) if self.outcome else None

    def to_json(self) -> dict[str, Any]:
        row: dict[str, Any] = {"question": self.experiment.question, "does": self.experiment.does}
        if self.outcome is None:
            return {**row, "answer": None, "undecided": self.undecided, "rules": {}, "dials": {}, "observations": {}}
        answer = self.answer
        verdicts = {
            **dict.fromkeys(answer.confirms if answer else (), "confirmed"),
            **dict.fromkeys(answer.contradicts if answer else (), "contradicted"),
        }
        means = answer.means if answer else "an answer that was not expected: see the observations"
        return {
            **row, "answer": self.outcome.answer, "means": means, "rules": {rule: {"verdict": verdict} for rule, verdict in verdicts.items()},
            "dials": {**(answer.dials if answer else {}), **self.outcome.dials}, "observations": dict(self.outcome.observations),
        }  # fmt: skip


@dataclass
class Report:
    measured_on: str
    commit: str
    date: str
    life_cycles: list[dict[str, Any]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def to_json(self, secrets: Iterable[str]) -> dict[str, Any]:
        """`secrets`: names and ids of this run, which are taken out wherever they stand."""
        head = {"format": FORMAT, "measured_on": self.measured_on, "commit": self.commit, "date": self.date}
        answers = [finding.to_json() for finding in self.findings]
        report = {**head, "life_cycles": self.life_cycles, "answers": answers, "left_behind": len(self.left)}
        before, after = load_rules(), apply_measurements(load_rules(), [report])
        for row in answers:
            for rule, change in row["rules"].items():
                change |= {"before": before[rule].describe(), "after": after[rule].describe()}
        redacted: dict[str, Any] = redact(report, secrets)
        return redacted


def redact(value: Any, secrets: Iterable[str]) -> Any:
    """The same without these texts, in any case, and without what looks like an id, an address or a tenant's domain."""
    known = sorted(filter(None, secrets), key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, known)) or r"(?!)", re.IGNORECASE)

    def clean(item: Any) -> Any:
        if isinstance(item, str):
            for form, stand_in in _PATTERNS:
                item = form.sub(stand_in, item)
            return pattern.sub("<redacted>", item)
        if isinstance(item, Mapping):
            return {clean(key): clean(member) for key, member in item.items()}
        if isinstance(item, Sequence):
            return [clean(member) for member in item]
        return item

    return clean(value)
