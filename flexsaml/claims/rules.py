"""What every lint rule is made of: the rule itself, what it may know, and the words for its messages.

A rule is a small function over one policy as read (`reading`): it yields `(where, message, fix)`, never raises,
and knows neither its level nor its name; the table in `lint` gives it both. Tables come from `data/`, public
documents named in each file, loaded when a rule first asks.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
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
def table(name: str) -> dict[str, Any]:
    """`data/<name>.json`."""
    loaded: dict[str, Any] = json.loads((Path(__file__).parent / "data" / f"{name}.json").read_text("utf-8"))
    return loaded


def quoted(value: object, limit: int = 90) -> str:
    """A value as one printable line in quotes, cut when it is long."""
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text[: limit + 1])
    return f"'{text[:limit]}…'" if len(text) > limit else f"'{text}'"


@lru_cache(maxsize=4096)
def nearest(word: str, among: tuple[str, ...], cutoff: float = 0.7) -> str:
    """The entry most like `word`, whatever its case; "" if none of the first hundred is like it."""
    if len(word) > 80:
        return ""
    spelt = {one.lower(): one for one in among[:100] if len(one) <= 80}
    found = difflib.get_close_matches(word.lower(), list(spelt), n=1, cutoff=cutoff)
    return spelt[found[0]] if found else ""


def listed(names: Iterable[str]) -> str:
    """A few names in a sentence."""
    shown = list(names)
    return ", ".join(shown[:12]) + (", …" if len(shown) > 12 else "")
