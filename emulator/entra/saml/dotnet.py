"""Regular expressions of .NET, as far as they can be translated. Pure. A pattern is translated for the `regex` package;
what only .NET has, or what `regex` would read in another way, is refused, and then the claim has no value. Time is
bounded: a pattern that backtracks without end gives nothing."""

import re
from collections.abc import Mapping
from functools import lru_cache

import regex

MAX_WEIGHT = 10_000  # characters of a pattern when its repeated parts are written out, as the compiler has them
MAX_RESULT = 100_000  # characters
TIMEOUT = 1.0  # seconds; ordinary patterns take microseconds, also on a busy machine
_ESCAPES = {"Z": r"(?=\n?\Z)", "z": r"\Z", "e": r"\x1b"}
_PLAIN_ESCAPE = re.compile(r"\\([abBAGdDwWsStrvfn]|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|[^0-9A-Za-z])")
_CATEGORY = re.compile(r"\\[pP]\{(?!Is)[A-Z][a-z]?\}")
_BACK_REFERENCE = re.compile(r"\\(?:k<(\w+)>|k'(\w+)'|([1-9]))")
_NAMED = re.compile(r"\(\?(?:<([A-Za-z_]\w*)>|'([A-Za-z_]\w*)')")
_GROUP_KIND = re.compile(r"\(\?(?::|=|!|<=|<!|>)")
_OPTIONS = re.compile(r"\(\?([imsx]+)(?:-[imsx]+)?:|\(\?[imsx]+\)")
_QUANTIFIER = re.compile(r"(?:[*+?]|\{\d+(?:,\d*)?\})\??")
_CLASS_RANGE = re.compile(r"-\[|\[[:.=]")
_SUBSTITUTION = re.compile(r"\$[0-9&`'+_${]")
_COUNT = re.compile(r"\d+")
_PLACE = re.compile(r"\{(\w+)\}")


class UntranslatablePattern(ValueError):
    """What the pattern does in .NET is not known here."""


def replace(
    pattern: str, replacement: str, text: str, inputs: Mapping[str, str], *, unmatched_stays: bool = True
) -> str | None:
    """`text` with every match replaced; None when the result is unknown, and without a match unless `unmatched_stays`.
    `{name}` is a named group or an input."""
    if _SUBSTITUTION.search(replacement):
        return None  # .NET would substitute something; whether Entra does is written nowhere
    room = MAX_RESULT

    def take_room(piece: str) -> str:
        nonlocal room
        room -= len(piece)
        if room < 0:
            raise UntranslatablePattern("a result without end")
        return piece

    def expand(match: regex.Match[str]) -> str:
        groups = match.groupdict(default="")
        take_room(replacement)
        return _PLACE.sub(lambda place: take_room(groups.get(place[1], inputs.get(place[1], place[0]))), replacement)

    try:
        result, matches = _compile(pattern).subn(expand, text, timeout=TIMEOUT)
        return str(result) if matches or unmatched_stays else None
    except (UntranslatablePattern, regex.error, TimeoutError, RecursionError, OverflowError, MemoryError):
        return None


@lru_cache(maxsize=64)
def _compile(pattern: str) -> regex.Pattern[str]:
    return regex.compile(translate_pattern(pattern), regex.V0, cache_pattern=False)


def translate_pattern(pattern: str) -> str:
    """The pattern as `regex` spells it. Raises UntranslatablePattern."""
    translated, position = "", 0
    weights, last = [0], 0  # of the groups that are open, the outermost first, and of what a quantifier would repeat
    while position < len(pattern):
        text, end = _translate_at(pattern, position)
        if _QUANTIFIER.match(pattern, position):
            weights[-1] += last * max([0, *(int(count) - 1 for count in _COUNT.findall(text))])
        elif text == ")" and len(weights) > 1:
            last = weights.pop()
            weights[-1] += last
        elif text.startswith("("):
            weights.append(1)
        else:
            last = len(text)
            weights[-1] += last
        if sum(weights) > MAX_WEIGHT:
            raise UntranslatablePattern("parts that are repeated to a large pattern")
        translated, position = translated + text, end
    return translated


def _translate_at(pattern: str, at: int) -> tuple[str, int]:
    char = pattern[at]
    if char == "\\":
        return _escape(pattern, at)
    if char == "[":
        return _character_class(pattern, at)
    if pattern.startswith("(?", at):
        return _group(pattern, at)
    if quantifier := _QUANTIFIER.match(pattern, at):
        if pattern[quantifier.end() : quantifier.end() + 1] in ("+", "*", "?"):
            raise UntranslatablePattern("possessive or doubled")
        return quantifier[0], quantifier.end()
    # In .NET a brace that quantifies nothing is an ordinary character.
    return rf"\{char}" if char in "{}" else char, at + 1


def _escape(pattern: str, at: int, *, in_class: bool = False) -> tuple[str, int]:
    if match := _CATEGORY.match(pattern, at) or _PLAIN_ESCAPE.match(pattern, at):
        return match[0], match.end()
    letter = pattern[at + 1 : at + 2]
    if letter in _ESCAPES and (letter == "e" or not in_class):
        return _ESCAPES[letter], at + 2
    if (match := _BACK_REFERENCE.match(pattern, at)) and not in_class:
        if match[3]:
            if _NAMED.search(pattern):
                raise UntranslatablePattern(".NET numbers named groups last")
            return match[0], match.end()
        return f"(?P={match[1] or match[2]})", match.end()
    raise UntranslatablePattern(f"escape {pattern[at : at + 2]}")


def _group(pattern: str, at: int) -> tuple[str, int]:
    if named := _NAMED.match(pattern, at):
        return f"(?P<{named[1] or named[2]}>", named.end()
    if match := _GROUP_KIND.match(pattern, at):
        return match[0], match.end()
    options = _OPTIONS.match(pattern, at)
    if options and (options[1] or at == 0):
        return options[0], options.end()
    raise UntranslatablePattern(f"group {pattern[at : at + 4]}")


def _character_class(pattern: str, at: int) -> tuple[str, int]:
    translated = opening = "[^" if pattern.startswith("[^", at) else "["
    at += len(opening)
    while at < len(pattern) and (translated == opening or pattern[at] != "]"):
        if _CLASS_RANGE.match(pattern, at):
            raise UntranslatablePattern("class subtraction")
        text, at = _escape(pattern, at, in_class=True) if pattern[at] == "\\" else (pattern[at], at + 1)
        translated += rf"\{text}" if text in ("[", "]") else text
    return translated + "]", at + 1
