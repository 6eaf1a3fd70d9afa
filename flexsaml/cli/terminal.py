"""How every command reads files and writes to a terminal: one line for an error, text that any terminal can show."""

from __future__ import annotations

import io
import sys

from flexsaml.errors import UserError


class CannotLook(UserError):
    """Something keeps the command from its work."""


def end(command: str, problem: object) -> int:
    """Reports why the command failed. Returns its exit status."""
    print(f"{command}: {one_line(' '.join(str(problem).split()))}", file=sys.stderr)
    return 2


def one_line(text: str) -> str:
    """The text with escapes for everything that could break the line or move the cursor."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def lenient() -> None:
    """Escapes the letters that a terminal lacks, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def read_file(name: str, max_bytes: int) -> bytes:
    """A file, or stdin for "-". Ends one byte after `max_bytes`, so that a reader can tell that it is too large."""
    try:
        if name == "-":
            return sys.stdin.buffer.read(max_bytes + 1)
        with open(name, "rb") as file:
            return file.read(max_bytes + 1)
    except (OSError, ValueError) as problem:
        raise CannotLook(f"cannot read {name}: {getattr(problem, 'strerror', None) or problem}") from None
