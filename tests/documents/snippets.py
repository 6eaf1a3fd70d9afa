"""Everything that a document sets as code. A helper."""

from __future__ import annotations

import re
from collections.abc import Iterator


def snippets(text: str) -> Iterator[str]:
    """The lines of fenced blocks, continued lines joined, and code in sentences."""
    for block in re.findall(r"(?ms)^ *```[^\n`]*\n(.*?)\n *```$", text):
        yield from re.sub(r"\\\n|\n(?= +[\[-])", " ", block).splitlines()
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"(?ms)^ *```.*?\n *```$", "", text))
