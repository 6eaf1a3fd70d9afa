"""Text to JSON values. What is wrong with the text is reported as problems; nothing raises.

Bytes may have a byte order mark or be UTF-16, as editors and shells of Windows write them; strings may hold raw line
breaks; an object may have a key twice. Text that is unreadable, too long or too deep is reported in one problem.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

from .wording import escape, quote

MAX_TEXT_BYTES = 1_000_000
"""No limit of Graph is known; a real definition has a few kilobytes."""
MAX_DEPTH = 16
MAX_VALUE_PROBLEMS = 100
ROOT = "ClaimsMappingPolicy"
_REASONS = {",": "a comma is missing or superfluous", "'": "JSON needs double quotes", "/": "JSON has no comments"}


@dataclass(frozen=True)
class TextProblem:
    """Something wrong with the text itself; the lint rule named `rule` reports it."""

    rule: str
    where: str
    message: str
    fix: str = ""


class _Object(dict[str, Any]):
    """A JSON object that remembers which keys its text had more than once."""

    repeated_keys: tuple[str, ...] = ()


def decode_text(source: str | bytes, problems: list[TextProblem]) -> str | None:
    """The text without byte order mark; None if it is too long or not decodable."""
    if len(source) > MAX_TEXT_BYTES:
        message = f"the text has {len(source):,} bytes; more than {MAX_TEXT_BYTES:,} are not read"
        problems.append(TextProblem("size", "definition", message))
        return None
    text = source if isinstance(source, str) else ""
    if isinstance(source, bytes):
        is_utf_16 = source.startswith((b"\xff\xfe", b"\xfe\xff"))
        try:
            text = source.decode("utf-16" if is_utf_16 else "utf-8")
        except UnicodeDecodeError as error:
            message = f"the text is not valid {'UTF-16' if is_utf_16 else 'UTF-8'}"
            problems.append(TextProblem("encoding", f"byte {error.start}", message, "save the file as UTF-8"))
            return None
        if is_utf_16:
            text = "\ufeff" + text
    if text.startswith("\ufeff"):
        message, fix = "the text starts with a byte order mark", "save the file as UTF-8 without byte order mark"
        problems.append(TextProblem("byte-order-mark", "line 1", message, fix))
        text = text[1:]
    return text


def parse_json(text: str, where: str, problems: list[TextProblem]) -> tuple[bool, Any]:
    """True and the value, or False. A string with raw line breaks is reported and read all the same."""
    for strict in (True, False):
        try:
            value = json.loads(text, object_pairs_hook=_object, strict=strict)
        except json.JSONDecodeError as error:
            place = f"line {error.lineno}, column {error.colno}"
            place = place if where == "definition" else f"{where} {place}"
            if strict and "control character" in error.msg:
                message, fix = "a string holds a raw line break or control character", "write the JSON in one line"
                problems.append(TextProblem("raw-line-break", place, message, fix))
                continue
            message = f"{quote(text.strip(), 40)} is not JSON: {_reason(text, error)}"
            problems.append(TextProblem("json", place, message))
        except RecursionError:
            problems.append(TextProblem("nesting", where, "the text is nested too deeply for a policy"))
        except ValueError as error:  # a number of thousands of digits
            problems.append(TextProblem("json", where, f"this JSON cannot be used: {quote(str(error))}"))
        else:
            return _check_values(value, where, problems), value
        break
    return False, None


def _object(pairs: list[tuple[str, Any]]) -> _Object:
    result = _Object(pairs)
    if len(result) != len(pairs):
        counts = Counter(key for key, _ in pairs)
        result.repeated_keys = tuple(key for key, count in counts.items() if count > 1)
    return result


def _reason(text: str, error: json.JSONDecodeError) -> str:
    if not text.strip():
        return "the text is empty"
    if text.strip() == "[object Object]":
        return "an object was turned into text; serialise it as JSON"
    character = text[error.pos : error.pos + 1]
    before = text[: error.pos].rstrip()[-1:]
    after = text[error.pos + 1 :].lstrip()[:1]
    if (before == "," and character in "]}") or (character == "," and after in ("]", "}")):
        return "there is a comma before the closing bracket"
    if character in ("\u201c", "\u201d", "\u2018", "\u2019"):
        return 'it has typographic quotes; JSON needs "'
    if error.pos >= len(text.rstrip()):
        return "the text ends too early"
    return _REASONS.get(character, error.msg[:1].lower() + error.msg[1:])


def _check_values(value: Any, where: str, problems: list[TextProblem]) -> bool:
    """Report repeated keys and non-finite numbers, at any depth; False if the value is nested too deeply."""
    pending: list[tuple[Any, tuple[Any, str], int]] = [(value, (None, ""), 0)]
    limit = len(problems) + MAX_VALUE_PROBLEMS
    while pending:
        item, path, depth = pending.pop()
        if depth > MAX_DEPTH:
            message = f"the text is nested deeper than {MAX_DEPTH} levels"
            problems.append(TextProblem("nesting", _format_path(path) or where, message))
            return False
        if isinstance(item, dict):
            for key in getattr(item, "repeated_keys", ())[: max(0, limit - len(problems))]:
                message = f"the key {quote(key)} appears twice; the service reads only one of the two"
                problems.append(TextProblem("duplicate-key", _format_path(path) or where, message, "remove one"))
            pending += [(child, (path, f".{escape(key, 40)}"), depth + 1) for key, child in item.items()]
        elif isinstance(item, list):
            pending += [(child, (path, f"[{index}]"), depth + 1) for index, child in enumerate(item)]
        elif isinstance(item, float) and not math.isfinite(item) and len(problems) < limit:
            message = "NaN and Infinity are not JSON numbers"
            problems.append(TextProblem("json", _format_path(path) or where, message))
    return True


def _format_path(path: tuple[Any, str] | None) -> str:
    """A path is a linked list from the innermost step to the outermost."""
    steps: list[str] = []
    while path is not None:
        steps.append(path[1])
        path = path[0]
    return "".join(reversed(steps)).removeprefix(".").removeprefix(f"{ROOT}.")
