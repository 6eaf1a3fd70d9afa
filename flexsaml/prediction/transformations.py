"""The transformations of a claims mapping policy (rules T1 to T7). Pure. Entra runs RegexReplace on .NET. A pattern is
read token by token, and every token must be in the lists below, so that the `regex` library gives it the same meaning;
the rest is unknown: constructs that only .NET has (balancing groups, class subtraction, named blocks, options in the
middle) and those that `regex` reads differently (possessive quantifiers, POSIX classes, fuzzy matching)."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import prod
from typing import Any

from .evidence import UNDOCUMENTED, SourceValues
from .policy import PolicyTransformation

METHODS_FOR_NAME_ID = ("join", "extractmailprefix")
_REQUIRED_INPUTS: Mapping[str, tuple[str, ...]] = {
    "join": ("string1", "string2", "separator"), "extractmailprefix": ("mail",), "tolowercase": (),
    "touppercase": (), "regexreplace": ("sourceClaim", "regex", "replacement"),
}  # fmt: skip
TIMEOUT = 0.1  # seconds for one value
MAX_TIMEOUTS = 3  # of one pattern
MAX_LENGTH = 4000
MAX_REPEATS = 100_000  # product of all counts in braces: nested ones are compiled to as many copies
MAX_COMBINATIONS = 1000  # of the values of inputs, if they are taken one by one

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
_COUNTS = re.compile(r"\{(\d{1,9})(?:,(\d{0,9}))?\}")
_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
_DOLLAR = re.compile(r"\$(?:[0-9&`'+_$]|\{)")


def apply_transformation(
    transformation: PolicyTransformation, read_reference: Callable[[str], SourceValues]
) -> SourceValues:
    """`read_reference` gives the values of what an input claim refers to."""
    if transformation.method == "createstringclaim":
        return SourceValues(evidence=("T5",), reason="Entra sends nothing for CreateStringClaim outside B2C")
    if transformation.method not in _REQUIRED_INPUTS:
        name = transformation.written or "(none)"
        return SourceValues(evidence=("T6",), reason=f"there is no transformation method {name}")
    if transformation.undocumented:
        return SourceValues(
            evidence=("S25",), unknown=f"the transformation has {transformation.undocumented}, {UNDOCUMENTED}"
        )
    evidence: list[str] = [*transformation.caveats]
    columns: list[list[tuple[str, str]]] = []
    for claim in transformation.claims:
        source = read_reference(claim.reference)
        evidence += source.evidence
        if source.unknown:
            return SourceValues(evidence=tuple(evidence), unknown=source.unknown)
        if not source.values:
            null = "T1" if transformation.method == "join" else "T6"
            reason = f"its input {claim.name} has no value: {source.reason}"
            return SourceValues(evidence=(*evidence, null, "T6"), reason=reason)
        if claim.each or len(source.values) > 1:
            evidence.append("T7")
        columns.append([(claim.name.lower(), text) for text in (source.values if claim.each else source.values[:1])])
    # Constants are named as the method names them, additional inputs of RegexReplace as the policy does.
    constants = {name.lower(): value for name, value in transformation.parameters.items()}
    combinations = prod(map(len, columns))
    if combinations > MAX_COMBINATIONS:
        unknown = f"its inputs have {combinations:,} combinations of values, more than {MAX_COMBINATIONS:,}"
        return SourceValues(evidence=(*evidence, "T7"), unknown=unknown)
    rows = [{**constants, **dict(row)} for row in product(*columns)]
    required = _REQUIRED_INPUTS[transformation.method]
    missing = [name for name in required if any(name.lower() not in row for row in rows)]
    if missing or not all(rows):
        reason = f"it has no input {', '.join(missing)}".rstrip()
        return SourceValues(evidence=(*evidence, "T6"), reason=reason)
    results = [_run_method(transformation, row) for row in rows]
    evidence += [rule for result in results for rule in result.evidence]
    unknown = next((result.unknown for result in results if result.unknown), "")
    texts = () if unknown else tuple(text for result in results for text in result.values)
    return SourceValues(values=texts, evidence=tuple(dict.fromkeys(evidence)), unknown=unknown)


def _run_method(transformation: PolicyTransformation, inputs: Mapping[str, str]) -> SourceValues:
    method = transformation.method
    if method == "join":
        evidence = ("T1", "T1 address") if "@" in inputs["string1"] else ("T1",)
        return SourceValues(values=(inputs["string1"] + inputs["separator"] + inputs["string2"],), evidence=evidence)
    if method == "extractmailprefix":
        return SourceValues(values=(inputs["mail"].partition("@")[0],), evidence=("T2",))
    if method == "regexreplace":
        return _replace_pattern(transformation, inputs)
    # Invariant case maps one character to one: the sharp s stays, where Python makes it two.
    change = str.lower if method == "tolowercase" else str.upper
    letters = (new if len(new := change(letter)) == 1 else letter for letter in next(iter(inputs.values())))
    return SourceValues(values=("".join(letters),), evidence=("T3",))


def _replace_pattern(transformation: PolicyTransformation, inputs: Mapping[str, str]) -> SourceValues:
    names = {name.lower(): name for name in transformation.parameters}
    names |= {claim.name.lower(): claim.name for claim in transformation.claims}
    additional = {names[name]: value for name, value in inputs.items()}
    try:
        text, matches = replace_matches(inputs["regex"], inputs["replacement"], inputs["sourceclaim"], additional)
    except UnsupportedPattern as problem:
        return SourceValues(evidence=("T4",), unknown=str(problem))
    rules = {0: ("T4", "T4 no match"), 1: ("T4",)}.get(matches, ("T4", "T4 every"))
    return SourceValues(values=(text,), evidence=rules)


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

    def expand(match: Any) -> str:
        groups = match.groupdict(default="")
        return _PLACEHOLDER.sub(lambda name: groups.get(name[1], inputs.get(name[1], name[0])), replacement)

    try:
        replaced, matches = compiled.pattern.subn(expand, text, timeout=TIMEOUT)
    except TimeoutError:
        compiled.timeouts += 1
        raise UnsupportedPattern(f"the pattern takes longer than {TIMEOUT} s") from None
    except (RecursionError, MemoryError):
        raise UnsupportedPattern("the pattern is nested too deep") from None
    return str(replaced), matches


@lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> _CompiledPattern:
    import regex  # only if a policy has such a transformation

    if len(pattern) > MAX_LENGTH:
        raise UnsupportedPattern(f"the pattern is longer than {MAX_LENGTH} characters")
    if count_repeats(pattern) > MAX_REPEATS:
        raise UnsupportedPattern(f"the counts in the pattern multiply to more than {MAX_REPEATS:,}")
    try:
        return _CompiledPattern(regex.compile("".join(_translate(pattern)), regex.V0))
    except (regex.error, RecursionError, OverflowError, MemoryError) as problem:
        raise UnsupportedPattern(f"the pattern cannot be evaluated: {problem}") from None


def count_repeats(pattern: str) -> int:
    """The product of all counts in braces, an upper bound for the copies of a character in the compiled pattern."""
    return prod(max(1, *map(int, filter(None, counts))) for counts in _COUNTS.findall(pattern))


def _translate(pattern: str) -> Iterator[str]:
    """The tokens of the pattern as `regex` spells them. Raises `UnsupportedPattern` at the first that only .NET has."""
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
            yield token[0] + rest
        elif kind == "back_number" and has_names:
            raise UnsupportedPattern("the pattern refers to a group by number, but .NET numbers named groups last")
        else:
            yield _SPELLINGS[kind](token) if kind in _SPELLINGS else token[0]


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
