"""The documents as tests read them: files, and fenced blocks with the marks in front of them. A helper.

A mark is a comment, which a reader does not see, on the line before a block:

    <!-- needs a tenant -->     commands that no emulated tenant can run
    <!-- is refused -->         commands of which the last one fails
    <!-- asks -->               a command that asks before it acts; where nobody can answer, it ends with status 1
    <!-- prints -->             lines that the commands before it print, among others; … stands for lines left out
    <!-- file: agents.csv -->   the content of a file that the reader writes; in a stack file, the keys to set
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
DOCS = PROJECT / "docs"
TOP_LEVEL = [PROJECT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")]
DOCUMENTS = [
    *(path for path in TOP_LEVEL if path.exists()),
    *sorted(path for path in DOCS.rglob("*.md") if "_build" not in path.relative_to(DOCS).parts),
]
NEEDS_TENANT, REFUSED, ASKS, PRINTS, FILE = "needs a tenant", "is refused", "asks", "prints", "file: "
_FENCE = re.compile(
    r"^(?: *<!-- (?P<mark>[^\n]*?) -->\n+)?(?P<indent> *)```(?P<language>[^\n`]*)\n(?P<text>.*?)\n(?P=indent)```$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Block:
    """A fenced block. `place` is file and line, as messages name it; `mark` is the comment in front of it, or ""."""

    document: Path
    place: str
    language: str
    text: str
    mark: str = ""

    @property
    def commands(self) -> Iterator[str]:
        """The commands of a shell block, each in one line, without comments."""
        for line in self.text.replace("\\\n", " ").splitlines():
            if command := " ".join(re.sub(r"(^|\s)#.*", "", line).split()):
                yield command


def name_of(document: Path) -> str:
    return document.relative_to(PROJECT).as_posix()


def read_blocks(document: Path, text: str | None = None) -> list[Block]:
    """All fenced blocks of a document, in order."""
    written = document.read_text("utf-8") if text is None else text
    blocks = []
    for fence in _FENCE.finditer(written):
        line = written.count("\n", 0, fence.start("language")) + 1
        indent = len(fence["indent"])
        content = "\n".join(each[indent:] for each in fence["text"].split("\n"))
        place = f"{document.name if text is not None else name_of(document)}:{line}"
        blocks.append(Block(document, place, fence["language"].strip(), content, fence["mark"] or ""))
    return blocks
