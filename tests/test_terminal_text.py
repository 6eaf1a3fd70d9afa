"""If this goes red, a name from the tenant or from a file moves the cursor, forges a line, or commands a CI system."""

from __future__ import annotations

import json
import re

import pytest

from flexsaml.errors import UserError
from flexsaml.findings import Finding
from flexsaml.graph import Conflict
from flexsaml.terminal_text import escape_controls, format_json

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
    "GitHub Actions, in the middle": "Blue ##[add-mask]x",
    "TeamCity": "Blue ##teamcity[buildProblem description='x']",
    "Azure Pipelines, in another case": "##VSO[task.complete]",
    "Hangul filler, first": "ad\u115fmin",
    "Hangul filler, middle": "ad\u1160min",
    "Hangul filler": "\u3164",
    "Hangul filler, half width": "ad\uffa0min",
    "Braille blank": "ad\u2800min",
    "grapheme joiner": "ad\u034fmin",
    "Khmer vowel that shows nothing": "ad\u17b4min",
    "no-break space": "Blue\xa0Team",
    "joiner in Latin": "ad\u200dmin",
    "non-joiner at the end of Persian": "علی\u200c",
    "joiner of emoji": "👩\u200d💻",
}
COMMAND = re.compile(r"^\s*::|##[a-z]*\[", re.IGNORECASE)
BLANK_LETTERS = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"


def is_harmless(line: str) -> bool:
    """Whether a line shows text only."""
    return line.isprintable() and not COMMAND.search(line) and not any(character in line for character in BLANK_LETTERS)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_escaped(text: str) -> None:
    assert not is_harmless(text)
    assert is_harmless(escape_controls(text))
    assert escape_controls(escape_controls(text)) == escape_controls(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "Blue Team", "Müller, Łukasz", "日本語", "شيماء", "שלום", "🙂 x", "a:b::c", "#1 [x]", "## x [y]", "C:\\x",
        "한국어", "علی\u200cرضا", "ශ්\u200dරී ලංකා", "葛\U000e0100飾", "❤\ufe0f", "ﾊﾝｶｸ",
    ],
)  # fmt: skip
def test_ordinary_text_stays(text: str) -> None:
    assert escape_controls(text) == text


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_errors_and_findings_are_harmless_lines(text: str) -> None:
    refused = Conflict(f"GET /things/{text}", 403, "X", text, text, text)
    for line in (str(UserError(text)), str(refused), str(Finding("rule", "error", text, text, text))):
        assert is_harmless(line), line


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_json_is_harmless_and_gives_the_data_as_it_is(text: str) -> None:
    body = {text: [text, {"x": text}], "n": 1}
    for indent in (None, 1):
        written = format_json(body, indent)
        assert written.isascii()
        assert all(map(is_harmless, written.split("\n"))), written
        assert json.loads(written) == body
