"""Long runs: which tests run whole, what they counted, and where the counts are published.

`make test` runs a representative share of every test marked `torture`, `make torture` all of it (FLEXSAML_TORTURE=1).
A test adds what it counted with `add_figures`. `python -m tests.torture` writes the sums of the last whole run into
docs/reliability.md, between `<!-- figures of SECTION -->` and `<!-- end -->`.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
_FIGURES, _DOCUMENT = PROJECT / ".torture", PROJECT / "docs" / "reliability.md"
_PLACE = re.compile(r"(<!-- figures of ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def is_whole_run() -> bool:
    """Whether every cell, subset and history is to run, not a share of them."""
    return os.environ.get("FLEXSAML_TORTURE") == "1"


def add_figures(section: str, **figures: int) -> None:
    """Add to the counts of a section, from any process; the report sums them. A name is printed with spaces."""
    if is_whole_run():
        _FIGURES.mkdir(exist_ok=True)
        with (_FIGURES / f"{section}.jsonl").open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(figures) + "\n")


def read_figures(section: str) -> Counter[str]:
    """The sums of one section of the last whole run."""
    sums: Counter[str] = Counter()
    lines = (_FIGURES / f"{section}.jsonl").read_text(encoding="utf-8").splitlines()
    for line in lines:
        sums.update(json.loads(line))
    return sums


def render_table(figures: Counter[str]) -> str:
    rows = [f"| {name.replace('_', ' ')} | {count:,} |" for name, count in figures.items()]
    return "\n".join(["| | count |", "|---|---:|", *rows]) + "\n"


def main() -> int:
    document = _DOCUMENT.read_text(encoding="utf-8")
    missing = [name for _, name, _ in _PLACE.findall(document) if not (_FIGURES / f"{name}.jsonl").exists()]
    if missing:
        print(f"nothing was counted for {', '.join(missing)}: run `make torture` first", file=sys.stderr)
        return 1
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=PROJECT, capture_output=True, text=True)
    document = _PLACE.sub(lambda at: f"{at[1]}{render_table(read_figures(at[2]))}{at[3]}", document)
    document = re.sub(r"Measured at commit \S+\.", f"Measured at commit {commit.stdout.strip()}.", document)
    _DOCUMENT.write_text(document, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
