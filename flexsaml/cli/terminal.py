"""How every command reads files and aligns rows."""

import sys
from collections.abc import Iterable, Sequence
from itertools import zip_longest

from flexsaml.errors import UserError
from flexsaml.private_files import read_regular_file
from flexsaml.terminal_text import escape_controls

MAX_CELL_WIDTH = 72


def read_file(name: str, max_bytes: int, fix: str) -> bytes:
    """A regular file, or stdin for "-". Ends one byte after `max_bytes`, so that a reader can tell that it is too
    large. Raises `UserError`, which names the fix, if it cannot be read."""
    try:
        if name == "-":
            return sys.stdin.buffer.read(max_bytes + 1)
        return read_regular_file(name, max_bytes + 1)
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or problem
        raise UserError(f"cannot read {name}: {reason}; {fix}") from None


def align_columns(rows: Iterable[Sequence[object]], indent: str = "  ") -> list[str]:
    """One line for each row, columns as wide as their widest cell; the last column is neither padded nor cut."""
    cells = [[escape_controls(str(cell)) for cell in row] for row in rows]
    for row in cells:
        row[:-1] = [cell if len(cell) <= MAX_CELL_WIDTH else f"{cell[: MAX_CELL_WIDTH - 1]}…" for cell in row[:-1]]
    widths = [max(map(len, column)) for column in zip_longest(*(row[:-1] for row in cells), fillvalue="")]
    padded = [[cell.ljust(width) for cell, width in zip(row, widths, strict=False)][: len(row) - 1] for row in cells]
    return [indent + "  ".join(start) + f"  {row[-1]}".rstrip() for start, row in zip(padded, cells, strict=True)]
