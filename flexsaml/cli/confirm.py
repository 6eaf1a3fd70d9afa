"""How every command that changes something goes about it: it shows what it will do, asks, and only then acts."""

import sys
from collections.abc import Callable, Sequence
from typing import TextIO, TypeVar

from flexsaml.errors import UserError
from flexsaml.terminal_text import print_lines

State = TypeVar("State")

NOT_CONFIRMED = 1
"""Exit status of a command that has shown its steps and changed nothing."""


def confirm_steps(
    steps: Sequence[str], *, yes: bool, answers: TextIO | None = None, output: TextIO | None = None
) -> bool:
    """Prints the steps, numbered, and returns whether to carry them out: at once with `yes`, after the answer `yes` on
    a terminal, else never. Whoever gets False changes nothing and ends with `NOT_CONFIRMED`; the reason is on stderr.

    `steps` is not empty, and each completes "This will …". `answers` and `output` are stdin and stdout unless given;
    a command that prints JSON gives stderr as `output`. Somebody is asked only where both are terminals: an answer
    to steps that went into a file would be given blindly."""
    answers, output = answers or sys.stdin, output or sys.stdout
    print_lines(["This will:", *(f"  {number}. {step}" for number, step in enumerate(steps, 1))], output)
    if yes:
        return True
    if not (answers.isatty() and output.isatty()):
        print_lines(["nothing was changed: add --yes to do this, or run it in a terminal to be asked"], sys.stderr)
        return False
    print_lines(["Go on? Type yes:"], output)
    output.flush()
    if answers.readline().strip().lower() == "yes":
        return True
    print_lines(["nothing was changed"], sys.stderr)
    return False


def check_unchanged(before: State, read: Callable[[], State], what: str, *, yes: bool) -> None:
    """Raises `UserError` where what the steps were planned from is not what `read` returns after the answer: a person
    may take hours to give it. `what` names it; with `yes` nobody was asked, and nothing is read again."""
    if not yes and read() != before:
        raise UserError(
            f"{what} was changed while the question waited; nothing was changed: run the same command again"
        )
