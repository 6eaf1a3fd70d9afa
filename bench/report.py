"""Figures with their limits, and the document they go to. A limit is a ratio within one run, for machines differ."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

REPORT = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"


@dataclass
class Figures:
    """Rows of a table `what | figure | at most | kept`, and the limits that were missed."""

    rows: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    def note(self, text: str, rest: str = " | | |") -> None:
        """A row without a limit."""
        self.rows.append(f"| {text} |{rest}")
        print(self.rows[-1], flush=True)

    def limit(self, what: str, figure: float, at_most: float) -> None:
        """A row with a limit: a ratio of two figures of this run, or a count."""
        verdict = "kept" if figure <= at_most else "**missed**"
        self.note(what, f" {figure:.4g} | {at_most:.4g} | {verdict} |")
        if figure > at_most:
            self.missed.append(f"{what}: {figure:.4g}, at most {at_most:.4g}")

    def finish(self, heading: str, about: list[str]) -> int:
        """Replace the section of the document under this heading; print what was missed; return the exit status."""
        sections = re.split(r"(?m)^(?=# )", REPORT.read_text())
        by_heading = {section.partition("\n")[0]: section.strip() for section in sections if section.strip()}
        table = ["| what | figure | at most | |", "|---|--:|--:|---|", *self.rows]
        by_heading[heading] = "\n".join([heading, "", *about, "", *table])
        REPORT.write_text("\n\n".join(by_heading.values()) + "\n")
        print("\n".join(f"missed: {what}" for what in self.missed) or "every limit was kept")
        return 1 if self.missed else 0


def describe_run(command: str) -> str:
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"`{command}` on {date.today()}: {machine}"
