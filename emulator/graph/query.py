"""OData query options as this subset of Graph takes them: $filter, $search, $select, $top, $count, paging. Quirks:
$search wants `ConsistencyLevel: eventual` and is tokenised, hence fuzzy (A); `ne` wants that header and $count=true
(A); `in` and `or` end at 15 values without it (A); $top is 1 to 999 (C for the words). A filter is a set of explicit
forms joined by `and` or by `or`; everything else is refused, never ignored."""

import base64
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import parse_qsl

from emulator.errors import bad_request, gateway_bad_request, refusal, unsupported_query
from emulator.types import Attributes, Json

DEFAULT_PAGE = 100
MAX_PAGE = 999
MAX_OR = 15
_KNOWN = frozenset({"$select", "$filter", "$search", "$top", "$count", "$skiptoken"})
Predicate: TypeAlias = Callable[[Attributes], bool]

_PATH = r"[A-Za-z_][A-Za-z0-9_/]*"
_LITERAL = r"'(?:[^']|'')*'|true|false|null|-?\d+|[0-9A-Za-z\-:.]+Z"
_CLAUSE = re.compile(
    rf"(?P<path>{_PATH})\s+(?P<operator>eq|ne)\s+(?P<literal>{_LITERAL})"
    rf"|(?P<list_path>{_PATH})\s+in\s*\(\s*(?P<list>(?:{_LITERAL})(?:\s*,\s*(?:{_LITERAL}))*)\s*\)"
    rf"|(?P<any_path>{_PATH})/any\(\s*(?P<variable>\w+)\s*:\s*(?P=variable)\s+eq\s+(?P<any>{_LITERAL})\s*\)"
    rf"|startswith\(\s*(?P<text_path>{_PATH})\s*,\s*(?P<text>'(?:[^']|'')*')\s*\)"
)
_JOIN = re.compile(r"\s+(and|or)\s+")
_SEARCH_CLAUSE = re.compile(r'"((?:[^"\\]|\\.)*)"')
_SEARCH_JOIN = re.compile(r"\s+(AND|OR)\s+")
_TOKEN = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")


@dataclass(frozen=True)
class Query:
    """The query options of a request; `eventual` tells whether ConsistencyLevel: eventual was sent."""

    options: Mapping[str, str]
    eventual: bool

    @staticmethod
    def parse(text: str, consistency_level: str) -> "Query":
        options = dict(parse_qsl(text, keep_blank_values=True))
        unknown = sorted(name for name in options if name.startswith("$") and name not in _KNOWN)
        if unknown:
            raise unsupported_query(f"The query option '{unknown[0]}' is not served by this emulator.")
        return Query(options, consistency_level.strip().lower() == "eventual")

    def refuse_unless(self, served: Collection[str]) -> None:
        """Raises GraphRefusal for a $filter or $search that this collection does not serve."""
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
        except ValueError as error:
            raise bad_request("Skip token is invalid.") from error  # own wording, D


def encode_skip_token(offset: int) -> str:
    return base64.urlsafe_b64encode(f"page:{offset}".encode()).decode()


@dataclass(frozen=True)
class Clause:
    """A comparison: `path` equals a member of `values` (or none of them, or starts with the only one)."""

    path: str
    operator: str  # eq, ne, in, startswith
    values: tuple[Json, ...]

    def __call__(self, attributes: Attributes) -> bool:
        held: Json = attributes
        for name in self.path.split("/"):
            held = held.get(name) if isinstance(held, dict) else None
        # A multi-valued extension compares by any of its values.
        # Directory strings compare without case (D).
        items = [_fold(item) for item in (held if isinstance(held, list) else [held])]
        values = [_fold(value) for value in self.values]
        if self.operator == "startswith":
            return any(isinstance(item, str) and item.startswith(values[0]) for item in items)
        is_equal = any(type(item) is type(value) and item == value for item in items for value in values)
        return is_equal is (self.operator != "ne")


def _fold(value: Json) -> Json:
    return value.casefold() if isinstance(value, str) else value


@dataclass(frozen=True)
class Filter:
    clauses: tuple[Clause, ...]
    any_of: bool  # True: joined by or

    def __call__(self, attributes: Attributes) -> bool:
        return (any if self.any_of else all)(clause(attributes) for clause in self.clauses)


def parse_filter(query: Query, filterable: Callable[[str], bool], resource: str) -> Filter:
    """The $filter; without one every object matches. `filterable` tells which properties may be compared at all."""
    text = query.options.get("$filter")
    if text is None:
        return Filter((), any_of=False)
    matches, join = _split(text, _CLAUSE, _JOIN)
    if not matches:
        raise gateway_bad_request("Invalid filter clause")
    clauses = tuple(map(_parse_clause, matches))
    for clause in clauses:
        if not filterable(clause.path) or (clause.operator == "ne" and not query.counted):
            raise refusal("unsupported_clause", clause.path, resource)  # wording D; the code is recorded
    widths = [len(clause.values) for clause in clauses]
    width = sum(widths) if join == "or" else max(widths)
    if width > MAX_OR and not query.counted:
        raise refusal("too_many_clauses", width, MAX_OR)
    return Filter(clauses, join == "or")


def _split(text: str, clause: re.Pattern[str], join: re.Pattern[str]) -> tuple[list[re.Match[str]], str]:
    """The clauses and the word that joins them ("" for a single clause); no clauses for any other text."""
    text = text.strip()
    matches: list[re.Match[str]] = []
    joins: set[str] = set()
    position = 0
    while match := clause.match(text, position):
        matches.append(match)
        joined = join.match(text, match.end())
        if joined is None:
            return (matches, "".join(joins)) if match.end() == len(text) and len(joins) <= 1 else ([], "")
        joins.add(joined[1])
        position = joined.end()
    return [], ""


def _parse_clause(match: re.Match[str]) -> Clause:
    path = match["path"] or match["list_path"] or match["any_path"] or match["text_path"]
    operator = match["operator"] or ("in" if match["list"] or match["any"] else "startswith")
    literals = (
        re.findall(_LITERAL, match["list"]) if match["list"] else [match["literal"] or match["any"] or match["text"]]
    )
    return Clause(path, operator, tuple(map(_parse_literal, literals)))


def _parse_literal(literal: str) -> Json:
    if literal.startswith("'"):
        return literal[1:-1].replace("''", "'")
    if literal in ("true", "false", "null"):
        return {"true": True, "false": False, "null": None}[literal]
    return int(literal) if re.fullmatch(r"-?\d+", literal) else literal


def parse_search(query: Query) -> Predicate:
    """The $search, quoted "property:words" clauses joined by AND or OR; without one every object matches."""
    text = query.options.get("$search")
    if text is None:
        return lambda _attributes: True
    if not query.eventual:
        raise refusal("search_without_header")
    matches, join = _split(text, _SEARCH_CLAUSE, _SEARCH_JOIN)
    clauses = [re.sub(r"\\(.)", r"\1", match[1]).split(":", 1) for match in matches]
    if not clauses or any(len(clause) == 1 for clause in clauses):
        raise gateway_bad_request(f"Syntax error: $search takes \"property:words\" in double quotes, not '{text}'.")
    combine = any if join == "OR" else all
    return lambda attributes: combine(_matches_words(prop, attributes.get(prop), words) for prop, words in clauses)


def _matches_words(prop: str, held: Json, words: str) -> bool:
    if prop not in ("displayName", "description"):
        return str(held or "").casefold().startswith(words.casefold())
    tokens = split_tokens(str(held or ""))
    return all(any(token.startswith(prefix) for token in tokens) for prefix in split_tokens(words))


def split_tokens(text: str) -> list[str]:
    """Words as the directory's index splits them: at spaces, symbols, digits and changes of case."""
    return [token.casefold() for token in _TOKEN.findall(text)]
