"""Patterns of RegexReplace, which Entra runs on .NET. Pure.

A pattern is read token by token, and every token must be in the lists below, so that the `regex` library gives it the
same meaning; the rest is unknown: constructs that only .NET has (balancing groups, class subtraction, named blocks,
options in the middle) and those that `regex` reads differently (possessive quantifiers, POSIX classes, fuzzy
matching)."""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from .pattern_evaluation import UnsupportedPattern

MAX_LENGTH = 4000  # characters of a pattern
DOLLAR = re.compile(r"\$(?:[0-9&`'+_$]|\{)")
"""What a replacement of .NET has instead of text."""

_TOKEN = re.compile(
    r"""
    (?P<end> \\Z ) | (?P<very_end> \\z ) | (?P<escape> \\e )
  | (?P<category> \\[pP]\{[A-Z][a-z]?\} )
  | (?P<code> \\x[0-9A-Fa-f]{2} | \\u[0-9A-Fa-f]{4} )
  | (?P<back_name> \\k(?:<(?P<n1>[A-Za-z_]\w*)>|'(?P<n2>[A-Za-z_]\w*)') )
  | (?P<back_number> \\[1-9](?!\d) )
  | (?P<literal> \\[AbBdDwWsStrnfva] | \\[^A-Za-z0-9] )
  | (?P<named> \(\?(?:<(?P<n3>[A-Za-z_]\w*)>|'(?P<n4>[A-Za-z_]\w*)') )
  | (?P<group> \(\?(?::|=|!|<=|<!|>) | \((?!\?) )
  | (?P<options> \(\?[ims]+(?:-[ims]+)?:) | (?P<leading> \(\?[ims]+\) )
  | (?P<class> \[\^? )
  | (?P<quantifier> (?:[*+?]|\{\d{1,4}(?:,\d{0,4})?\})\??(?![*+?]) )
  | (?P<brace> [{}] )
  | (?P<plain> [^\\()\[{}*+?] | \) )
    """,
    re.VERBOSE | re.DOTALL,
)
_CLASS_TOKEN = re.compile(
    r"(?P<literal>\\[bdDwWsStrnfva]|\\[^A-Za-z0-9]|\\x[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\[pP]\{[A-Z][a-z]?\})"
    r"|(?P<escape>\\e)|(?P<bracket>\[)|(?P<plain>[^\\\[\]])",
    re.DOTALL,
)
_COUNT = re.compile(r"\d+")


@dataclass(frozen=True)
class TranslatedPattern:
    """`tokens`: the kind of each, and how `regex` spells it; `text`: all of them."""

    tokens: tuple[tuple[str, str], ...]
    text: str


@lru_cache(maxsize=64)
def translate_pattern(pattern: str) -> TranslatedPattern:
    """Raises `UnsupportedPattern`."""
    if len(pattern) > MAX_LENGTH:
        raise UnsupportedPattern(f"the pattern is longer than {MAX_LENGTH} characters")
    tokens = tuple(_translate(pattern))
    return TranslatedPattern(tokens, "".join(spelling for _, spelling in tokens))


def count_steps(pattern: TranslatedPattern, length: int) -> float:
    """A bound of the steps in which a text of that length is searched, if it follows from the pattern's choices one by
    one; infinity otherwise: for a group that is repeated, a reference to a group, and what looks around. A choice is
    how often a single character is repeated, or an alternative."""
    steps, before = float(length + 1) * len(pattern.tokens), ""
    for kind, spelling in pattern.tokens:
        if kind in ("back_name", "back_number", "end", "leading", "options"):
            return math.inf
        if kind == "group" and spelling not in ("(", "(?:"):
            return math.inf
        if kind == "quantifier":
            if before == ")" and spelling.rstrip("?"):
                return math.inf
            counts = [int(count) for count in _COUNT.findall(spelling)]
            steps *= 1 + (length if spelling[0] in "*+" or ",}" in spelling else max(counts, default=1))
        elif spelling == "|":
            steps *= 2
        before = spelling
    return steps


def _translate(pattern: str) -> Iterator[tuple[str, str]]:
    """The kind of each token of the pattern, and how `regex` spells it. Raises `UnsupportedPattern` at the first that
    only .NET has."""
    has_names = re.search(r"\(\?(?:<[A-Za-z_]|')", pattern) is not None
    position = 0
    while position < len(pattern):
        token = _TOKEN.match(pattern, position)
        if token is None or (token.lastgroup == "leading" and position):
            raise UnsupportedPattern(f"only .NET knows what {pattern[position : position + 4]!r} means in the pattern")
        position = token.end()
        kind = token.lastgroup or ""
        if kind == "class":
            rest, position = _translate_class(pattern, position)
            yield kind, token[0] + rest
        elif kind == "back_number" and has_names:
            raise UnsupportedPattern("the pattern refers to a group by number, but .NET numbers named groups last")
        else:
            yield kind, _SPELLINGS[kind](token) if kind in _SPELLINGS else token[0]


_SPELLINGS: Mapping[str, Callable[[re.Match[str]], str]] = {
    "end": lambda _: r"(?=\n?\Z)", "very_end": lambda _: r"\Z", "escape": lambda _: r"\x1b",
    "brace": lambda token: rf"\{token[0]}", "back_name": lambda token: f"(?P={token['n1'] or token['n2']})",
    "named": lambda token: f"(?P<{token['n3'] or token['n4']}>",
}  # fmt: skip


def _translate_class(pattern: str, position: int) -> tuple[str, int]:
    """The rest of a character class and where it ends; a `]` at its start belongs to it."""
    tokens = []
    if pattern.startswith("]", position):
        tokens.append(r"\]")
        position += 1
    while not pattern.startswith("]", position):
        token = _CLASS_TOKEN.match(pattern, position)
        if token is None:
            text = pattern[position : position + 4]
            raise UnsupportedPattern(f"only .NET knows what {text!r} means in a class of the pattern")
        if token["bracket"] and tokens and tokens[-1] == "-":
            raise UnsupportedPattern("the pattern subtracts a class, which only .NET supports")
        tokens.append(r"\x1b" if token["escape"] else r"\[" if token["bracket"] else token[0])
        position = token.end()
    return "".join(tokens) + "]", position + 1
