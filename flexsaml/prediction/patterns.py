"""Patterns of RegexReplace, which Entra runs on .NET. Pure.

A pattern is read token by token, and every token must be in the lists below, so that the `regex` library gives it the
same meaning; the rest is unknown: constructs that only .NET has (balancing groups, class subtraction, named blocks,
options in the middle) and those that `regex` reads differently (possessive quantifiers, POSIX classes, fuzzy matching).
The size of the compiled pattern, the time for a value and the length of a result are bounded."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

TIMEOUT = 0.1  # seconds for one value
MAX_TIMEOUTS = 3  # of one pattern
MAX_LENGTH = 4000  # characters of a pattern
MAX_COPIES = 10_000  # tokens of the compiled pattern, which holds a copy for every repetition; at most some 6 MB
MAX_RESULT = 100_000  # characters of a value
RESULT_TOO_LONG = f"it gives a value of more than {MAX_RESULT:,} characters"

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
_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
_DOLLAR = re.compile(r"\$(?:[0-9&`'+_$]|\{)")


class UnsupportedPattern(ValueError):
    """Why it is unknown what .NET makes of a pattern."""


@dataclass
class _CompiledPattern:
    pattern: Any
    timeouts: int = 0


def replace_matches(pattern: str, replacement: str, text: str, inputs: Mapping[str, str]) -> tuple[str, int]:
    """`text` with every match replaced, and how many; `{name}` is a named group or an input. Raises
    `UnsupportedPattern`."""
    if _DOLLAR.search(replacement):
        raise UnsupportedPattern("it is not documented what Entra makes of a $ in the replacement")
    compiled = compile_pattern(pattern)
    if compiled.timeouts >= MAX_TIMEOUTS:
        raise UnsupportedPattern(f"the pattern takes longer than {TIMEOUT} s")
    length = 0

    def measure(text: str) -> str:
        nonlocal length
        length += len(text)
        if length > MAX_RESULT:
            raise UnsupportedPattern(RESULT_TOO_LONG)
        return text

    def expand(match: Any) -> str:
        groups = match.groupdict(default="")
        measure(replacement)
        return _PLACEHOLDER.sub(lambda name: measure(groups.get(name[1], inputs.get(name[1], name[0]))), replacement)

    try:
        replaced, matches = compiled.pattern.subn(expand, text, timeout=TIMEOUT)
    except TimeoutError:
        compiled.timeouts += 1
        raise UnsupportedPattern(f"the pattern takes longer than {TIMEOUT} s") from None
    except (RecursionError, MemoryError):
        raise UnsupportedPattern("the pattern is nested too deep") from None
    return str(replaced), matches


@lru_cache(maxsize=64)
def compile_pattern(pattern: str) -> _CompiledPattern:
    import regex  # only if a policy has such a transformation

    if len(pattern) > MAX_LENGTH:
        raise UnsupportedPattern(f"the pattern is longer than {MAX_LENGTH} characters")
    tokens = list(_translate(pattern))
    if _count_copies(tokens) > MAX_COPIES:
        raise UnsupportedPattern(f"the counts in the pattern repeat its parts more than {MAX_COPIES:,} times")
    try:
        return _CompiledPattern(
            regex.compile("".join(spelling for _, spelling in tokens), regex.V0, cache_pattern=False)
        )
    except (regex.error, RecursionError, OverflowError, MemoryError) as problem:
        raise UnsupportedPattern(f"the pattern cannot be evaluated: {problem}") from None


def _count_copies(tokens: list[tuple[str, str]]) -> int:
    """How many tokens the compiled pattern holds, at most: what is quantified by a count is there as often as that."""
    sizes = [[0]]  # of the atoms in each open group; the innermost group is last
    for kind, spelling in tokens:
        if kind == "quantifier":
            sizes[-1][-1] *= max([1, *map(int, _COUNT.findall(spelling))])
        elif kind in ("group", "named", "options"):
            sizes.append([1])
        elif spelling == ")" and len(sizes) > 1:
            group = sizes.pop()
            sizes[-1].append(sum(group))
        else:
            sizes[-1].append(len(spelling) if kind == "class" else 1)
    return sum(map(sum, sizes))


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
