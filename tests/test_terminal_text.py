"""If this goes red, a name from the tenant or from a file moves the cursor, forges a line, or commands a CI system."""

from __future__ import annotations

import pytest

from flexsaml.errors import UserError
from flexsaml.findings import Finding
from flexsaml.graph import Conflict
from flexsaml.terminal_text import escape_controls

HOSTILE = {
    "escape sequence": "Blue\x1b[2J\x1b[31m",
    "window title": "\x1b]0;owned\x07",
    "forged line": "Blue\nerror: everything is lost",
    "carriage return": "Blue\rGreen",
    "line separator": "Blue\u2028error: x",
    "next line": "Blue\x85error: x",
    "right to left": "\u202etxt.exe",
    "isolate": "\u2066x\u2069",
    "zero width": "ad\u200bmin",
    "byte order mark": "\ufeffadmin",
    "lone surrogate": "a\udcffb",
    "backspace": "admin\b\b\b\b\beve",
    "C1 control": "\x9b31m",
    "GitHub Actions": "::error::x",
    "GitHub Actions, indented": "  ::set-output name=x::y",
    "Azure Pipelines": "Blue ##vso[task.setvariable variable=x]y",
    "Azure Pipelines, short": "##[error]x",
}
COMMANDS = ("##vso[", "##[")


def is_harmless(line: str) -> bool:
    """Whether a line shows text only."""
    return line.isprintable() and not line.lstrip().startswith("::") and not any(word in line for word in COMMANDS)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_escaped(text: str) -> None:
    assert not is_harmless(text)
    assert is_harmless(escape_controls(text))
    assert escape_controls(escape_controls(text)) == escape_controls(text)


@pytest.mark.parametrize(
    "text", ["", "Blue Team", "Müller, Łukasz", "日本語", "شيماء", "שלום", "🙂 x", "a:b::c", "#1 [x]", "C:\\x"]
)
def test_ordinary_text_stays(text: str) -> None:
    assert escape_controls(text) == text


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_errors_and_findings_are_harmless_lines(text: str) -> None:
    refused = Conflict(f"GET /things/{text}", 403, "X", text, text, text)
    for line in (str(UserError(text)), str(refused), str(Finding("rule", "error", text, text, text))):
        assert is_harmless(line), line
