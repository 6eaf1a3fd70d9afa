"""Findings: what lint and preflight report, in one form. A rule returns findings and never raises. Its level comes from
one table, and a stack can change it by name (`flexsaml:rules`). Pure: standard library only."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace

from .terminal_text import escape_controls

LEVELS = ("error", "warning", "info")
OFF = "off"


@dataclass(frozen=True)
class Finding:
    """One finding. `where` names the key, entry or object; `fix` says what to do, "" if there is nothing to do."""

    rule: str
    level: str
    where: str
    message: str
    fix: str = ""

    def __str__(self) -> str:
        fix = f"; {self.fix}" if self.fix else ""
        return escape_controls(f"{self.where}: {self.message}{fix} [{self.rule}]")

    def to_json(self) -> dict[str, str]:
        return asdict(self)


def apply_levels(findings: Iterable[Finding], levels: Mapping[str, str]) -> list[Finding]:
    """The findings with the levels that a stack gave to rules, without the rules it turned off, errors first."""
    changed = [replace(finding, level=levels.get(finding.rule, finding.level)) for finding in findings]
    return sorted((finding for finding in changed if finding.level != OFF), key=lambda each: LEVELS.index(each.level))
