"""If this goes red, a command changes a tenant that nobody said yes to, or asks where nobody can answer."""

from __future__ import annotations

import io

import pytest

from flexsaml.cli.confirm import confirm_steps


class Stream(io.StringIO):
    """A text stream that is a terminal or is not."""

    def __init__(self, text: str = "", *, terminal: bool = True) -> None:
        super().__init__(text)
        self._is_terminal = terminal

    def isatty(self) -> bool:
        return self._is_terminal


@pytest.mark.parametrize(
    ("yes", "answer", "terminals", "is_confirmed", "is_asked"),
    [
        (True, "", (False, False), True, False),
        (True, "no\n", (True, True), True, False),
        (False, "yes\n", (True, True), True, True),
        (False, " YES \n", (True, True), True, True),
        (False, "y\n", (True, True), False, True),
        (False, "\n", (True, True), False, True),
        (False, "", (True, True), False, True),  # the end of the input, Control-D
        (False, "yes\n", (False, True), False, False),  # an answer from a file or a pipe is nobody's
        (False, "yes\n", (True, False), False, False),  # whoever is asked has not seen the steps
    ],
)
def test_only_yes_goes_on(
    yes: bool,
    answer: str,
    terminals: tuple[bool, bool],
    is_confirmed: bool,
    is_asked: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = Stream(terminal=terminals[1])
    answers = Stream(answer, terminal=terminals[0])
    steps = ["make a\x1b[2J certificate", "tell where it is"]
    assert confirm_steps(steps, yes=yes, answers=answers, output=output) is is_confirmed
    lines = output.getvalue().splitlines()
    assert lines[:3] == ["This will:", "  1. make a\\x1b[2J certificate", "  2. tell where it is"]
    assert (len(lines) == 4) is is_asked
    said = capsys.readouterr()
    assert (said.out, said.err.startswith("nothing was changed")) == ("", not is_confirmed)
