"""Aligned plain text: columns as wide as their widest cell, long cells cut, nothing that moves the cursor."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .terminal import one_line

WIDEST = 72


def aligned(rows: Iterable[Sequence[object]], indent: str = "  ") -> list[str]:
    """One line for each row; the last column is neither padded nor cut."""
    cells = [[_cell(cell, last=index == len(row) - 1) for index, cell in enumerate(row)] for row in rows]
    widths: list[int] = []
    for row in cells:
        widths += [0] * (len(row) - len(widths))
        for index, cell in enumerate(row[:-1]):
            widths[index] = max(widths[index], len(cell))
    return [
        indent + "  ".join(cell.ljust(widths[index]) for index, cell in enumerate(row[:-1])) + f"  {row[-1]}".rstrip()
        for row in cells
    ]


def _cell(value: object, *, last: bool) -> str:
    text = one_line(str(value))
    return text if last or len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"
