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

_OWN_WORDS = re.compile(r"\d+ resources (changed|are left)|the tenant does not show it|exit status \d+|")
_REFUSAL = re.compile(r"\b[45]\d\d\b(?: [A-Z][A-Za-z]+_[A-Za-z]+)?")
_KNOWN_CODES = frozenset(
    {
        "Authorization_RequestDenied",
        "Request_BadRequest",
        "Request_MultipleObjectsWithSameKeyValue",
        "Request_ResourceNotFound",
        "Request_UnsupportedQuery",
        "Service_InternalServerError",
    }
)
_KNOWN_TEXTS = {
    "a property of that name exists": "An extension property exists with the name",
    "a conflicting object exists": "A conflicting object with one or more of the specified property values",
    "an object does not exist": "does not exist or one of its queried reference-property objects",
    "an invalid value": "Invalid value specified for property",
    "a property is not available": "The following extension properties are not available",
}


def summarize(text: str) -> str:
    """Status, Graph's code and the kind of a known text: free words of the service may name people or the tenant."""
    if _OWN_WORDS.fullmatch(text):
        return text
    refusal = _REFUSAL.search(text)
    kind = next((kind for kind, known in _KNOWN_TEXTS.items() if known in text), "other words")
    return f"{refusal[0]}: {kind}" if refusal else kind


def _summarize_observation(name: str, item: Any) -> Any:
    if name == "code":
        return item if item in {*_KNOWN_CODES, ""} else "another code"
    is_of_service = isinstance(item, str) and (name == "message" or re.match(r"[45]\d\d\b", item))
    return summarize(item) if is_of_service else item


@dataclass(frozen=True)
class Finding:
    """How an experiment ended: with an outcome, or undecided for a reason. `is_abandoned`: nobody signed in."""

    experiment: Experiment
    outcome: Outcome | None = None
    undecided: str = ""
    is_abandoned: bool = False
    is_own: bool = True
    """Whether `undecided` is this suite's text, without words of the service."""

    @property
    def reason(self) -> str:
        return self.undecided if self.is_own else f"an error: {summarize(self.undecided)}"

    @property
    def answer(self) -> Answer | None:
        return self.experiment.answers.get(self.outcome.answer) if self.outcome else None

    def to_json(self) -> dict[str, Any]:
        row: dict[str, Any] = {"question": self.experiment.question, "does": self.experiment.does}
        if self.outcome is None:
            return {**row, "answer": None, "undecided": self.reason, "rules": {}, "dials": {}, "observations": {}}
        observations = {name: _summarize_observation(name, item) for name, item in self.outcome.observations.items()}
        answer = self.answer
        verdicts = {
            **dict.fromkeys(answer.confirms if answer else (), "confirmed"),
            **dict.fromkeys(answer.contradicts if answer else (), "contradicted"),
        }
        means = answer.means if answer else "an answer that was not expected: see the observations"
        return {
            **row, "answer": self.outcome.answer, "means": means, "rules": {rule: {"verdict": verdict} for rule, verdict in verdicts.items()},
            "dials": {**(answer.dials if answer else {}), **self.outcome.dials}, "observations": observations,
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
        report = {
            **head,
            "life_cycles": list(map(_summarize_words, self.life_cycles)),
            "answers": answers,
            "left_behind": len(self.left),
        }
        before, after = load_rules(), apply_measurements(load_rules(), [report])
        for row in answers:
            for rule, change in row["rules"].items():
                change |= {"before": before[rule].describe(), "after": after[rule].describe()}
        redacted: dict[str, Any] = redact(report, secrets)
        return redacted


def _summarize_words(row: dict[str, Any]) -> dict[str, Any]:
    """A life cycle, or a step of it."""
    row = {**row, "words": summarize(row["words"])} if "words" in row else row
    return {**row, "steps": list(map(_summarize_words, row["steps"]))} if "steps" in row else row


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
