"""What commands say to a person: one line for what kept them from looking, text that any terminal can show."""

from __future__ import annotations

import io
import sys


class CannotLook(Exception):
    """One line for the person at the terminal; the command ends with status 2."""


def end(command: str, problem: object) -> int:
    """Tells why the command could not look; its exit status."""
    print(f"{command}: {one_line(' '.join(str(problem).split()))}", file=sys.stderr)
    return 2


def one_line(text: str) -> str:
    """Nothing in it can break the line or move the cursor."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def lenient() -> None:
    """A terminal that lacks a letter is no reason to fail."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
