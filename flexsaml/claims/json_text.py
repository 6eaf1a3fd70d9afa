"""Text to JSON values. What is wrong with the text is reported under the name of its lint rule; nothing raises. Bytes
may have a byte order mark or be UTF-16, as editors and shells of Windows write them; strings may hold raw line breaks;
an object may have a key twice. Text that is unreadable, too long or too deep is reported once."""

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from flexsaml.json_values import NUMBER_TOO_LONG

from .rules import Violation
from .wording import escape, quote

MAX_TEXT_BYTES = 1_000_000
"""No limit of Graph is known; a real definition has a few kilobytes."""
MAX_DEPTH = 16
MAX_VALUE_PROBLEMS = 100
ROOT = "ClaimsMappingPolicy"
_REASONS = {
    ",": "a comma is missing or superfluous", "'": "JSON needs double quotes", "/": "JSON has no comments",
    **dict.fromkeys("\u201c\u201d\u2018\u2019", 'it has typographic quotes; JSON needs "'),
}  # fmt: skip
Report = Callable[..., None]
"""Takes rule, where, message and optionally fix of a `Violation`."""


class _Object(dict[str, Any]):
    """A JSON object that remembers which keys its text had more than once."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        counts = Counter(key for key, _ in pairs) if len(self) != len(pairs) else {}
        self.repeated_keys = [key for key, count in counts.items() if count > 1]


def decode_text(source: str | bytes, report: Report) -> str | None:
    """The text without byte order mark; None if it is too long or not decodable."""
    if len(source) > MAX_TEXT_BYTES:
        report("size", "definition", f"the text has {len(source):,} bytes; more than {MAX_TEXT_BYTES:,} are not read")
        return None
    is_utf_16 = isinstance(source, bytes) and source.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = source if isinstance(source, str) else source.decode("utf-16" if is_utf_16 else "utf-8")
    except UnicodeDecodeError as error:
        message = f"the text is not valid {'UTF-16' if is_utf_16 else 'UTF-8'}"
        report("encoding", f"byte {error.start}", message, "save the file as UTF-8")
        return None
    if is_utf_16 or text.startswith("\ufeff"):
        message, fix = "the text starts with a byte order mark", "save the file as UTF-8 without byte order mark"
        report("byte-order-mark", "line 1", message, fix)
    return text.removeprefix("\ufeff")


def parse_json(text: str, where: str, report: Report) -> tuple[bool, Any]:
    """True and the value, or False. A string with raw line breaks is reported and read all the same."""
    for strict in (True, False):
        try:
            value = json.loads(text, object_pairs_hook=_Object, strict=strict)
        except json.JSONDecodeError as error:
            position = _find_mistake(text, error.pos)
            line_start = text.rfind("\n", 0, position) + 1
            place = f"line {text.count(chr(10), 0, position) + 1}, column {position - line_start + 1}"
            place = place if where == "definition" else f"{where} {place}"
            if strict and "control character" in error.msg:
                message, fix = "a string holds a raw line break or control character", "write the JSON in one line"
                report("raw-line-break", place, message, fix)
                continue
            report("json", place, f"{quote(text.strip(), 40)} is not JSON: {_reason(text, position, error.msg)}")
        except RecursionError:
            report("nesting", where, "the text is nested too deeply for a policy")
        except ValueError:
            report("json", where, f"this JSON cannot be used: {NUMBER_TOO_LONG}")
        else:
            return _report_values(value, where, report), value
        break
    return False, None


def _report_values(value: Any, where: str, report: Report) -> bool:
    """Report what is wrong inside the value; False if it is nested too deeply."""
    for count, (rule, path, message, fix) in enumerate(_check_value(value)):
        if count < MAX_VALUE_PROBLEMS or rule == "nesting":
            report(rule, path.removeprefix(".").removeprefix(f"{ROOT}.") or where, message, fix)
        if rule == "nesting":
            return False
    return True


def _find_mistake(text: str, position: int) -> int:
    """The position of the mistake that the parser reports at `position`: Python 3.12 and older report the bracket after
    a superfluous comma, later versions the comma."""
    before = text[:position].rstrip()
    return len(before) - 1 if before.endswith(",") and text[position : position + 1] in ("]", "}") else position


def _reason(text: str, position: int, message: str) -> str:
    if not text.strip():
        return "the text is empty"
    if text.strip() == "[object Object]":
        return "an object was turned into text; serialise it as JSON"
    character = text[position : position + 1]
    if character == "," and text[position + 1 :].lstrip()[:1] in ("]", "}"):
        return "there is a comma before the closing bracket"
    if position >= len(text.rstrip()):
        return "the text ends too early"
    return _REASONS.get(character, message[:1].lower() + message[1:])


def _check_value(value: Any, path: str = "", depth: int = 0) -> Iterator[Violation]:
    """Repeated keys and non-finite numbers, at any depth, and values that are nested too deeply."""
    if depth > MAX_DEPTH:
        yield Violation("nesting", path, f"the text is nested deeper than {MAX_DEPTH} levels")
    elif isinstance(value, _Object):
        for key in value.repeated_keys:
            message = f"the key {quote(key)} appears twice, and readers of JSON disagree which of the two counts"
            yield Violation("duplicate-key", path, message, "remove one")
        for key, child in value.items():
            yield from _check_value(child, f"{path}.{escape(key, 40)}", depth + 1)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _check_value(child, f"{path}[{index}]", depth + 1)
    elif isinstance(value, float) and not math.isfinite(value):
        yield Violation("json", path, "NaN and Infinity are not JSON numbers")
