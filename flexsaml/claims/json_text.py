"""Text to JSON values, with everything that is wrong with the text told and nothing raised.

Bytes may have a byte order mark or be UTF-16, as editors and shells of Windows write them; strings may hold raw line
breaks; keys may stand twice. What cannot be read at all, or would take long, is told of in one problem.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import dataclass
from typing import Any, Protocol

from .wording import escape, quote

MAX_TEXT_BYTES = 1_000_000  # bytes; no limit of Graph is known, and a real definition has a few kilobytes
DEEPEST = 16
MOST = 100  # problems of one text that are told
ROOT = "ClaimsMappingPolicy"
_NEAR = {",": "a comma is missing or too much", "'": "JSON wants double quotes", "/": "JSON has no comments"}


@dataclass(frozen=True)
class Problem:
    """What is wrong with the text itself; a rule of that name reports it."""

    rule: str
    where: str
    message: str
    fix: str = ""


class Teller(Protocol):
    """Where problems are told."""

    def tell(self, rule: str, where: str, message: str, fix: str = "") -> None: ...


class _Object(dict[str, Any]):
    """A JSON object that remembers which of its keys stood there twice."""

    twice: tuple[str, ...] = ()


def decoded(source: str | bytes, told: Teller) -> str | None:
    """The text without byte order mark; None if there is nothing to read."""
    if len(source) > MAX_TEXT_BYTES:
        told.tell("size", "definition", f"has {len(source):,} bytes; nothing over {MAX_TEXT_BYTES:,} is looked at")
        return None
    text = source if isinstance(source, str) else ""
    if isinstance(source, bytes):
        wide = source.startswith((b"\xff\xfe", b"\xfe\xff"))
        try:
            text = source.decode("utf-16" if wide else "utf-8")
        except UnicodeDecodeError as problem:
            kind = "UTF-16" if wide else "UTF-8"
            told.tell("encoding", f"byte {problem.start}", f"the text is no {kind}", "save the file as UTF-8")
            return None
        if wide:
            text = "\ufeff" + text
    if text.startswith("\ufeff"):
        told.tell(
            "byte-order-mark", "line 1", "the text starts with a byte order mark", "save the file as UTF-8 without one"
        )
        text = text[1:]
    return text


def parsed(text: str, where: str, told: Teller) -> tuple[bool, Any]:
    """Whether it is JSON, and the value. Strings with raw line breaks are read and told of."""
    strict = True
    for _ in range(2):
        try:
            value = json.loads(text, object_pairs_hook=_pairs, strict=strict)
        except json.JSONDecodeError as problem:
            if strict and "control character" in problem.msg:
                strict = False
                what = "a raw line break or control character inside a string"
                told.tell("raw-line-break", _at(where, problem), what, "write the definition in one line")
                continue
            told.tell("json", _at(where, problem), f"{quote(text.strip(), 40)} is no JSON: {_why(text, problem)}")
        except RecursionError:
            told.tell("nesting", where, "is nested too deeply to be a policy")
        except ValueError as problem:  # a number of thousands of digits
            told.tell("json", where, f"is no usable JSON: {quote(str(problem))}")
        else:
            return _walked(value, where, told), value
        break
    return False, None


def _pairs(pairs: list[tuple[str, Any]]) -> _Object:
    made = _Object(pairs)
    if len(made) != len(pairs):
        counted = Counter(key for key, _ in pairs)
        made.twice = tuple(key for key, times in counted.items() if times > 1)
    return made


def _at(where: str, problem: json.JSONDecodeError) -> str:
    place = f"line {problem.lineno}, column {problem.colno}"
    return place if where == "definition" else f"{where} {place}"


def _why(text: str, problem: json.JSONDecodeError) -> str:
    if not text.strip():
        return "it is empty"
    if text.strip() == "[object Object]":
        return "an object was turned into text; turn it into JSON"
    here = text[problem.pos : problem.pos + 1]
    before = text[: problem.pos].rstrip()[-1:]
    after = text[problem.pos + 1 :].lstrip()[:1]
    if (before == "," and here in "]}") or (here == "," and after in ("]", "}")):
        return "trailing comma (a comma before the closing bracket)"
    if here in ("\u201c", "\u201d", "\u2018", "\u2019"):
        return 'typographic quotes; JSON wants "'
    if problem.pos >= len(text.rstrip()):
        return "it ends too early"
    return _NEAR.get(here, problem.msg[:1].lower() + problem.msg[1:])


def _walked(value: Any, where: str, told: Teller) -> bool:
    """Looks into every corner for keys that stand twice and numbers that are none; False when it is too deep."""
    todo: list[tuple[Any, tuple[Any, str], int]] = [(value, (None, ""), 0)]
    found = 0
    while todo:
        item, path, depth = todo.pop()
        if depth > DEEPEST:
            told.tell("nesting", _spelt(path) or where, f"is nested deeper than {DEEPEST} levels")
            return False
        if isinstance(item, dict):
            for key in getattr(item, "twice", ()) if found < MOST else ():
                found += 1
                text = f"the key {quote(key)} is there twice; the service sees one of the two"
                told.tell("duplicate-key", _spelt(path) or where, text, "keep one of them")
            todo += [(sub, (path, f".{escape(key, 40)}"), depth + 1) for key, sub in item.items()]
        elif isinstance(item, list):
            todo += [(sub, (path, f"[{index}]"), depth + 1) for index, sub in enumerate(item)]
        elif isinstance(item, float) and not math.isfinite(item) and found < MOST:
            found += 1
            told.tell("json", _spelt(path) or where, "NaN or Infinity is no JSON number")
    return True


def _spelt(path: tuple[Any, str] | None) -> str:
    steps: list[str] = []
    while path is not None:
        steps.append(path[1])
        path = path[0]
    return "".join(reversed(steps)).removeprefix(".").removeprefix(f"{ROOT}.")
