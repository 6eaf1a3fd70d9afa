"""What every lint rule is made of: the rule itself, and what it may know.

A rule is a small function over one policy as read (`reading`): it yields `(where, message, fix)`, never raises,
and knows neither its level nor its name; the table in `lint` gives it both. Tables come from `data/`, public
documents named in each file, loaded when a rule first asks.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .reading import Document

Told = tuple[str, str, str]
"""Where, message, fix."""


@dataclass(frozen=True)
class Context:
    """What a stack knows beyond the definition; empty means nothing is known, and rules that need it are silent."""

    extensions: Mapping[str, str] = field(default_factory=dict)
    """Full name of an extension to its data type: "String", "Integer[]"."""
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Full name of an extension to the canonical values declared for it ("<null>" for null)."""


Check = Callable[["Document", Context], Iterator[Told]]


@dataclass(frozen=True)
class Rule:
    """One row of the table: `grade` is the evidence (A to D) and its source, `what` the check's docstring."""

    name: str
    level: str
    profile: str
    grade: str
    check: Check
    says: str = ""

    @property
    def what(self) -> str:
        return self.says or (self.check.__doc__ or "").strip().splitlines()[0]


@cache
def load_table(name: str) -> dict[str, Any]:
    """`data/<name>.json`."""
    loaded: dict[str, Any] = json.loads((Path(__file__).parent / "data" / f"{name}.json").read_text("utf-8"))
    return loaded
