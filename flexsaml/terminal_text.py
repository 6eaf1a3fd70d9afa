"""Text that may be shown: the one place that cleans every line on its way to a terminal or a CI log, and the only one
that prints (`tests/test_house.py`)."""

import json
import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import TextIO

_CI_COMMAND = re.compile(r"#(?=#[a-z]*\[)|^\s*:(?=:)", re.IGNORECASE)
_BLANK_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and symbols, for Unicode and for `str.isprintable`, that show nothing: the fillers of Hangul, the blank
pattern of Braille, a joiner, and two vowels of Khmer."""
_JOINERS = "\u200c\u200d"
_VIRAMA = 9  # combining class


def escape_controls(text: str) -> str:
    """The text as one line that can neither move the cursor nor command a CI system. Escaped are:

    * control and format characters (line breaks, escape sequences, text direction, zero width) and lone surrogates;
    * every blank but the ordinary one, and letters that show nothing: two names that differ in them alone would look
      the same. A no-break space, which is often copied from a web page, is for the same reason shown as `\\xa0`;
    * what begins a CI command: `::` at the beginning of a line (GitHub Actions, which ignores blanks before it), and
      anywhere `##[` (GitHub Actions and Azure Pipelines) and `##word[` (`vso` of Azure Pipelines, `teamcity`).

    Letters and symbols of all languages stay. So does a zero-width joiner or non-joiner where spelling needs it, in
    Persian and in Indic names (RFC 5892, appendix A.1 and A.2); elsewhere it is escaped, which shows emoji that are
    joined of several as these and `\\u200d`: names rarely have them. Variation selectors stay too, because names in
    Japanese and Mongolian have them."""
    return replace_controls(text, _spell)


def replace_controls(text: str, spell: Callable[[str], str]) -> str:
    """The text with `spell(character)` for each character that `escape_controls` escapes."""
    shown = text
    if not (text.isascii() and text.isprintable()):
        shown = "".join(c if _is_visible(text, at) else spell(c) for at, c in enumerate(text))
    return _CI_COMMAND.sub(lambda command: command[0][:-1] + spell(command[0][-1]), shown)


def print_lines(lines: Iterable[str], file: TextIO | None = None) -> None:
    """The only way in which this project prints text: whatever a line holds, it stays one line and commands nothing.
    Without `file` to stdout."""
    print("\n".join(map(escape_controls, lines)), file=file)


def format_json(body: object, indent: int | None = 1) -> str:
    """JSON in ASCII, so that every terminal and every encoding can show it. A reader gets the data as it is: what would
    command a CI system is escaped as JSON does it."""
    return _CI_COMMAND.sub(r"\\u0023", json.dumps(body, indent=indent))


def print_json(body: object, indent: int | None = 1) -> None:
    """The only way in which a command prints `--json`."""
    print(format_json(body, indent))


def _spell(character: str) -> str:
    escaped = character.encode("unicode_escape").decode("ascii")
    return escaped if escaped != character else f"\\x{ord(character):02x}"


def _is_visible(text: str, at: int) -> bool:
    """Whether the character at that place shows as itself."""
    character = text[at]
    if character not in _JOINERS:
        return character.isprintable() and character not in _BLANK_LETTERS
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    if not (before and after):
        return False
    is_arabic = unicodedata.bidirectional(before) == unicodedata.bidirectional(after) == "AL"
    return unicodedata.combining(before) == _VIRAMA or (is_arabic and character == _JOINERS[0])
