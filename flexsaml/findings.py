"""Findings: what lint and preflight have to say, in one shape.

A rule returns findings and never raises; its level comes from one table and can be changed for a stack
(`flexsaml:rules`), by name. Pure: standard library only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace

LEVELS = ("error", "warning", "info")
OFF = "off"


@dataclass(frozen=True)
class Finding:
    """One finding. `where` names the key, entry or object; `fix` says what to do, "" if there is nothing to."""

    rule: str
    level: str
    where: str
    message: str
    fix: str = ""

    def __str__(self) -> str:
        fix = f"; {self.fix}" if self.fix else ""
        return f"{self.where}: {self.message}{fix} [{self.rule}]"

    def to_json(self) -> dict[str, str]:
        return asdict(self)


def apply_levels(findings: Iterable[Finding], levels: Mapping[str, str]) -> list[Finding]:
    """With the levels a stack gave to rules, without those it turned off, errors first."""
    changed = [replace(one, level=levels.get(one.rule, one.level)) for one in findings]
    return sorted((one for one in changed if one.level != OFF), key=lambda one: LEVELS.index(one.level))
