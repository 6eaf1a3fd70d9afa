"""OData query options as this subset of Graph takes them: $filter, $search, $select, $top, $count, paging.

Quirks tamed: $search wants `ConsistencyLevel: eventual` and is tokenised, hence fuzzy (A); `ne` and `not null` want
that header and $count=true (A); `in` and `or` end at 15 values without it (A); $top is 1 to 999 (C for the words).
A filter is a set of explicit forms joined by `and` or by `or`; everything else is refused, never ignored.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import parse_qsl

from emulator.errors import bad_request, gateway_bad_request, unsupported_query
from emulator.types import Attributes, Json

DEFAULT_PAGE = 100
MAX_PAGE = 999
MAX_OR = 15
_KNOWN = frozenset({"$select", "$filter", "$search", "$top", "$count", "$skiptoken"})
Predicate: TypeAlias = Callable[[Attributes], bool]

_PATH = r"[A-Za-z_][A-Za-z0-9_/]*"
_LITERAL = r"'(?:[^']|'')*'|true|false|null|-?\d+|[0-9A-Za-z\-:.]+Z"
_COMPARE = re.compile(rf"({_PATH})\s+(eq|ne)\s+({_LITERAL})")
_IN = re.compile(rf"({_PATH})\s+in\s*\(\s*((?:{_LITERAL})(?:\s*,\s*(?:{_LITERAL}))*)\s*\)")
_STARTS = re.compile(rf"startswith\(\s*({_PATH})\s*,\s*('(?:[^']|'')*')\s*\)")
_JOIN = re.compile(r"\s+(and|or)\s+")


@dataclass(frozen=True)
class Query:
    """The query options of one request; `eventual` tells whether ConsistencyLevel: eventual was sent."""

    options: Mapping[str, str]
    eventual: bool

    @staticmethod
    def parse(text: str, consistency_level: str) -> Query:
        options = dict(parse_qsl(text, keep_blank_values=True))
        unknown = sorted(name for name in options if name.startswith("$") and name not in _KNOWN)
        if unknown:
            raise unsupported_query(f"The query option '{unknown[0]}' is not served by this emulator.")
        return Query(options, consistency_level.strip().lower() == "eventual")

    def refuse_unless(self, served: Collection[str]) -> None:
        """Raises for a $filter or $search that this collection does not serve."""
        for name in ("$filter", "$search"):
            if name in self.options and name not in served:
                raise unsupported_query(f"The query option '{name}' is not served by this emulator here.")

    @property
    def select(self) -> tuple[str, ...]:
        return tuple(name.strip() for name in self.options.get("$select", "").split(",") if name.strip())

    @property
    def counted(self) -> bool:
        """?$count=true is silently ignored without the header (A)."""
        return self.eventual and self.options.get("$count", "").lower() == "true"

    @property
    def top(self) -> int | None:
        text = self.options.get("$top")
        if text is None:
            return None
        if not re.fullmatch(r"[0-9]{1,9}", text) or not 1 <= int(text) <= MAX_PAGE:
            raise bad_request(f"Invalid page size specified: '{text}'. Must be between 1 and {MAX_PAGE} inclusive.")
        return int(text)

    @property
    def offset(self) -> int:
        token = self.options.get("$skiptoken")
        if token is None:
            return 0
        try:
            return int(base64.urlsafe_b64decode(token.encode()).removeprefix(b"page:"))
        except (ValueError, binascii.Error) as error:
            raise bad_request("Skip token is invalid.") from error  # own wording, D


def skip_token(offset: int) -> str:
    return base64.urlsafe_b64encode(f"page:{offset}".encode()).decode()


@dataclass(frozen=True)
class Clause:
    """One comparison: `path` equals one of `values` (or none of them, or starts with the only one)."""

    path: str
    operator: str  # eq, ne, in, startswith
    values: tuple[Json, ...]

    def __call__(self, attributes: Attributes) -> bool:
        held: Json = attributes
        for part in self.path.split("/"):
            held = held.get(part) if isinstance(held, dict) else None
        # A multi-valued extension compares by any of its values.
        items = held if isinstance(held, list) else [held]
        if self.operator == "startswith":
            prefix = self.values[0].casefold()
            return any(isinstance(item, str) and item.casefold().startswith(prefix) for item in items)
        hit = any(_same(item, value) for item in items for value in self.values)
        return not hit if self.operator == "ne" else hit


def _same(held: Json, value: Json) -> bool:
    if isinstance(held, str) and isinstance(value, str):
        return held.casefold() == value.casefold()  # directory strings compare without case (D)
    return type(held) is type(value) and bool(held == value)


@dataclass(frozen=True)
class Filter:
    clauses: tuple[Clause, ...]
    any_of: bool  # True: joined by or

    def __call__(self, attributes: Attributes) -> bool:
        return (any if self.any_of else all)(clause(attributes) for clause in self.clauses)


def parse_filter(query: Query, filterable: Callable[[str], bool], resource: str) -> Filter | None:
    """The $filter, or None without one. `filterable` tells the properties that may be compared at all."""
    text = query.options.get("$filter")
    if text is None:
        return None
    clauses: list[Clause] = []
    joins: list[str] = []
    rest = text.strip()
    while True:
        clause, length = _clause(rest)
        clauses.append(clause)
        rest = rest[length:]
        joined = _JOIN.match(rest)
        if joined is None:
            break
        joins.append(joined[1])
        rest = rest[joined.end() :]
    if rest.strip() or len(set(joins)) > 1:
        raise _bad_filter()
    for clause in clauses:
        advanced = clause.operator == "ne"
        if not filterable(clause.path) or (advanced and not query.counted):
            raise unsupported_query(  # wording D; the code is recorded
                f"Unsupported or invalid query filter clause specified for property '{clause.path}' of resource "
                f"'{resource}'."
            )
    width = sum(len(clause.values) for clause in clauses) if "and" not in joins else 0
    width = max([width, *(len(clause.values) for clause in clauses)])
    if width > MAX_OR and not query.counted:
        raise unsupported_query(
            "Too many child clauses specified in search filter expression containing 'OR' operators: "
            f"{width}. Max allowed: {MAX_OR}"
        )
    return Filter(tuple(clauses), "or" in joins)


def _clause(text: str) -> tuple[Clause, int]:
    if match := _COMPARE.match(text):
        return Clause(match[1], match[2], (_value(match[3]),)), match.end()
    if match := _IN.match(text):
        return Clause(match[1], "in", tuple(_value(v) for v in re.findall(_LITERAL, match[2]))), match.end()
    if match := _STARTS.match(text):
        return Clause(match[1], "startswith", (_value(match[2]),)), match.end()
    raise _bad_filter()


def _bad_filter() -> Exception:
    return gateway_bad_request("Invalid filter clause")


def _value(literal: str) -> Json:
    if literal.startswith("'"):
        return literal[1:-1].replace("''", "'")
    if literal in ("true", "false", "null"):
        return {"true": True, "false": False, "null": None}[literal]
    return int(literal) if re.fullmatch(r"-?\d+", literal) else literal


_TOKEN = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")
_SEARCH_CLAUSE = re.compile(r'"((?:[^"\\]|\\.)*)"')


def parse_search(query: Query) -> Predicate | None:
    """The $search, or None without one: quoted "property:words" clauses joined by AND or OR."""
    text = query.options.get("$search")
    if text is None:
        return None
    if not query.eventual:
        raise unsupported_query(
            "Request with $search query parameter only works through MSGraph with a special request header: "
            "'ConsistencyLevel: eventual'"
        )
    clauses: list[Predicate] = []
    joins: list[str] = []
    rest = text.strip()
    while match := _SEARCH_CLAUSE.match(rest):
        prop, colon, words = re.sub(r"\\(.)", r"\1", match[1]).partition(":")
        if not colon:
            break
        clauses.append(_search_clause(prop, words))
        rest = rest[match.end() :]
        joined = re.match(r"\s+(AND|OR)\s+", rest)
        if joined is None:
            break
        joins.append(joined[1])
        rest = rest[joined.end() :]
    if rest.strip() or not clauses or len(set(joins)) > 1:
        raise gateway_bad_request(f"Syntax error: $search takes \"property:words\" in double quotes, not '{text}'.")
    combine = any if "OR" in joins else all
    return lambda attributes: combine(clause(attributes) for clause in clauses)


def _search_clause(prop: str, words: str) -> Predicate:
    if prop not in ("displayName", "description"):
        prefix = words.casefold()
        return lambda attributes: str(attributes.get(prop) or "").casefold().startswith(prefix)
    wanted = tokens(words)

    def matches(attributes: Attributes) -> bool:
        held = tokens(str(attributes.get(prop) or ""))
        return all(any(token.startswith(word) for token in held) for word in wanted)

    return matches


def tokens(text: str) -> list[str]:
    """Words as the directory's index splits them: at spaces, symbols, digits and changes of case."""
    return [token.casefold() for token in _TOKEN.findall(text)]
