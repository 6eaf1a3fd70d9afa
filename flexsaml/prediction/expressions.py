"""Regular expressions of .NET where they mean the same to the `regex` library; the rest cannot be known. Pure.

Entra runs RegexReplace on .NET. A pattern is read token by token, and every token must be one of the list below: a
construct of .NET only (balancing groups, class subtraction, named blocks, options in the middle), or one that `regex`
would read in another way (possessive quantifiers, POSIX classes, fuzzy matching), is refused by name. Time is bounded
for one value, and for a pattern that is slow again and again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

TIMEOUT = 0.1  # seconds for one value
PATIENCE = 3  # values of one pattern that may take so long
LONGEST = 4000

_OUTSIDE = re.compile(
    r"""
    (?P<end> \\Z ) | (?P<very_end> \\z ) | (?P<escape> \\e )
  | (?P<category> \\[pP]\{[A-Z][a-z]?\} )
  | (?P<code> \\x[0-9A-Fa-f]{2} | \\u[0-9A-Fa-f]{4} )
  | (?P<back_name> \\k(?:<(?P<n1>[A-Za-z_]\w*)>|'(?P<n2>[A-Za-z_]\w*)') )
  | (?P<back_number> \\[1-9](?!\d) )
  | (?P<same> \\[AbBdDwWsStrnfva] | \\[^A-Za-z0-9] )
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
_INSIDE = re.compile(
    r"(?P<same>\\[bdDwWsStrnfva]|\\[^A-Za-z0-9]|\\x[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\[pP]\{[A-Z][a-z]?\})"
    r"|(?P<escape>\\e)|(?P<bracket>\[)|(?P<plain>[^\\\[\]])",
    re.DOTALL,
)
_PLACE = re.compile(r"\{([^{}]+)\}")
_DOLLAR = re.compile(r"\$(?:[0-9&`'+_$]|\{)")


class Unknowable(ValueError):
    """Why nobody can tell from here what .NET makes of it."""


@dataclass
class _Compiled:
    pattern: Any
    slow: int = 0


@dataclass(frozen=True)
class Replaced:
    """`matches`: how many there were."""

    text: str
    matches: int


def replace(pattern: str, replacement: str, text: str, inputs: Mapping[str, str]) -> Replaced:
    """`text` with every match replaced; `{name}` is a named group or an input. Raises Unknowable."""
    if _DOLLAR.search(replacement):
        raise Unknowable("what Entra makes of a $ in the replacement is documented nowhere")
    compiled = _compile(pattern)
    if compiled.slow >= PATIENCE:
        raise Unknowable(f"the pattern takes longer than {TIMEOUT} s")
    matches = 0

    def one(match: Any) -> str:
        nonlocal matches
        matches += 1
        groups = match.groupdict(default="")
        return _PLACE.sub(lambda place: groups.get(place[1], inputs.get(place[1], place[0])), replacement)

    try:
        return Replaced(str(compiled.pattern.sub(one, text, timeout=TIMEOUT)), matches)
    except TimeoutError:
        compiled.slow += 1
        raise Unknowable(f"the pattern takes longer than {TIMEOUT} s") from None
    except (RecursionError, MemoryError):
        raise Unknowable("the pattern is too deep to be evaluated here") from None


@lru_cache(maxsize=256)
def _compile(pattern: str) -> _Compiled:
    import regex  # only where a policy has such a transformation

    if len(pattern) > LONGEST:
        raise Unknowable(f"the pattern is longer than {LONGEST} characters")
    try:
        return _Compiled(regex.compile("".join(translated(pattern)), regex.V0))
    except (regex.error, RecursionError, OverflowError, MemoryError) as problem:
        raise Unknowable(f"the pattern cannot be evaluated here: {problem}") from None


def translated(pattern: str) -> Iterator[str]:
    """The pattern's tokens in the words of `regex`. Raises Unknowable at the first that .NET alone has."""
    numbered = re.search(r"\(\?(?:<[A-Za-z_]|')", pattern) is None
    at = 0
    while at < len(pattern):
        token = _OUTSIDE.match(pattern, at)
        if token is None or (token.lastgroup == "leading" and at):
            raise Unknowable(f"the pattern holds {pattern[at : at + 4]!r}, which means something else outside .NET")
        at = token.end()
        kind, text = _kind(token), token[0]
        if kind == "class":
            rest, at = _class(pattern, at)
            yield text + rest
        elif kind == "back_number" and not numbered:
            raise Unknowable("the pattern counts groups that have names, which .NET numbers last")
        else:
            yield _SPELLED[kind](token) if kind in _SPELLED else text


def _kind(token: re.Match[str]) -> str:
    return next(name for name, text in token.groupdict().items() if text is not None and name not in _NAMES)


_NAMES = ("n1", "n2", "n3", "n4")
_SPELLED: Mapping[str, Callable[[re.Match[str]], str]] = {
    "end": lambda _: r"(?=\n?\Z)",
    "very_end": lambda _: r"\Z",
    "escape": lambda _: r"\x1b",
    "brace": lambda token: rf"\{token[0]}",
    "back_name": lambda token: f"(?P={token['n1'] or token['n2']})",
    "named": lambda token: f"(?P<{token['n3'] or token['n4']}>",
}


def _class(pattern: str, at: int) -> tuple[str, int]:
    """The rest of a character class and where it ends; a first `]` belongs to it."""
    parts = []
    if pattern.startswith("]", at):
        parts.append(r"\]")
        at += 1
    while not pattern.startswith("]", at):
        token = _INSIDE.match(pattern, at)
        if token is None:
            raise Unknowable(f"the pattern holds {pattern[at : at + 4]!r} in a class, which means something else here")
        if token["bracket"] and parts and parts[-1] == "-":
            raise Unknowable("the pattern subtracts a class, which only .NET does")
        parts.append(r"\x1b" if token["escape"] else r"\[" if token["bracket"] else token[0])
        at = token.end()
    return "".join(parts) + "]", at + 1
