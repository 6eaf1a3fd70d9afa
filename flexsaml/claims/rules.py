"""The parts of a lint rule: the rule itself, what its check takes, and what it may know about a stack.

A check is a small function that yields what it has to say and never raises. It takes an entry of `ClaimsSchema`, a
transformation, the document, or the document and the stack's context; `linter` names its level and evidence. Tables
come from `data/`, public documents named in each file, loaded when a rule first needs them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .reading import Document, JsonNode

Violation = tuple[str, str, str]
"""Where, message, fix."""
Violations = Iterator[Violation]
NodeViolations = Iterator[tuple[str, str]]
"""Message and fix; where is the object that the check was given."""


@dataclass(frozen=True)
class Context:
    """What a stack knows beyond the definition. Rules that need it yield nothing when it is empty."""

    extensions: Mapping[str, str] = field(default_factory=dict)
    """Full name of an extension to its data type: "String", "Integer[]"."""
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Full name of an extension to the canonical values declared for it ("<null>" for null)."""


NodeCheck = Callable[["JsonNode"], NodeViolations]
DocumentCheck = Callable[["Document"], Violations]
ContextCheck = Callable[["Document", Context], Violations]


@dataclass(frozen=True)
class Rule:
    """One row of the table. `evidence` is its grade (A to D) and source, `summary` what a good policy has."""

    name: str
    level: str
    evidence: str
    summary: str
    check: ContextCheck


def entry_rule(level: str, evidence: str, check: NodeCheck) -> Rule:
    """A rule about each entry of ClaimsSchema by itself."""
    return _rule(level, evidence, check, lambda document, _context: _check_each(document.entries, check))


def transformation_rule(level: str, evidence: str, check: NodeCheck) -> Rule:
    """A rule about each transformation by itself."""
    return _rule(level, evidence, check, lambda document, _context: _check_each(document.transformations, check))


def document_rule(level: str, evidence: str, check: DocumentCheck) -> Rule:
    return _rule(level, evidence, check, lambda document, _context: check(document))


def context_rule(level: str, evidence: str, check: ContextCheck) -> Rule:
    """A rule that needs to know the extensions or values of the stack."""
    return _rule(level, evidence, check, check)


def reader_rule(name: str, level: str, evidence: str, summary: str) -> Rule:
    """A rule whose violations are the problems that reading the text has reported under its name."""
    return Rule(name, level, evidence, summary, lambda document, _context: document.problems_of(name))


def _rule(level: str, evidence: str, function: Callable[..., object], check: ContextCheck) -> Rule:
    """The function's name and the first line of its docstring are the rule's name and summary."""
    summary = (function.__doc__ or "").partition("\n")[0]
    return Rule(function.__name__.replace("_", "-"), level, evidence, summary, check)


def _check_each(nodes: Iterable[JsonNode], check: NodeCheck) -> Violations:
    for node in nodes:
        for message, fix in check(node):
            yield node.where, message, fix


@cache
def load_table(name: str) -> dict[str, Any]:
    """The content of `data/<name>.json`."""
    table: dict[str, Any] = json.loads((Path(__file__).parent / "data" / f"{name}.json").read_text("utf-8"))
    return table
