"""A roster file: who holds which value, as CSV. Pure: bytes in, a roster or all its mistakes out.

    user,languages,site
    ada@contoso.example,"en,de",vienna

UTF-8 with or without a byte-order mark; separated by commas, semicolons (as spreadsheets of many countries write
them) or tabs, whichever the header has. The first column is the user (UPN or object id), every other one an
extension by its short or full name. An empty cell is not managed, `<null>` is written as null, a multi-valued cell
is a JSON array. Mistakes are told with their line numbers, all at once.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from .data_types import DataType, InvalidValue

USER_COLUMNS = ("user", "userprincipalname", "upn", "id")
_SEPARATORS = ",;\t"
_TOLD = 20  # mistakes told one by one; the rest is counted
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_USER = re.compile(r"[^\s/\\@]+@[^\s/\\@]+|[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
NO_USER = "neither a user principal name nor an object id"


def is_user(text: str) -> bool:
    """Whether it has the form of a user principal name or of an object id."""
    return _USER.fullmatch(text) is not None


class InvalidRoster(ValueError):
    """A roster that cannot be used; `problems` are lines `line N: what`."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Roster:
    """User as written to extension (short or full name) to value; canonical where the data type is known."""

    users: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    lines: Mapping[str, int] = field(default_factory=dict)
    """User in lower case to the line it stands on, for messages."""


def read_roster(raw: bytes, type_of: Callable[[str], DataType | None]) -> Roster:
    """A roster from the bytes of a file. Raises `InvalidRoster`.

    `type_of` gives the data type of a column; None where only the tenant knows it (a full name), and raises
    `InvalidValue` for a column that is no extension.
    """
    rows = _rows(_decoded(raw))
    header_line, header = next(rows, (1, []))
    columns = [name.strip() for name in header]
    types, problems = _columns(header_line, columns, type_of)
    if problems:
        raise InvalidRoster(problems)
    users: dict[str, Mapping[str, str]] = {}
    lines: dict[str, int] = {}
    alike: dict[tuple[str, ...], dict[str, str]] = {}  # of many users, few rows are unlike all others
    width, problems = len(columns), []
    try:
        for line, row in rows:
            user = row[0].strip()
            lowered = user.lower()
            if len(row) != width:
                problems.append(f"line {line}: has {len(row)} cells, the header {width}; quote cells with commas")
            elif not user:
                problems.append(f"line {line}: names no user")
            elif not is_user(user):
                problems.append(f"line {line}: '{user}' is {NO_USER}")
            elif lowered in lines:
                problems.append(f"line {line}: {user} is there already, on line {lines[lowered]}; keep one of them")
            else:
                lines[lowered], cells = line, tuple(row[1:])
                known = alike.get(cells)
                if known is None:
                    count = len(problems)
                    known = dict(_cells(line, columns[1:], row[1:], types, problems))
                    if len(problems) == count:
                        alike[cells] = known
                users[user] = known
    except InvalidRoster as broken:
        problems += broken.problems
    if problems:
        more = len(problems) - _TOLD
        raise InvalidRoster([*problems[:_TOLD], *([f"and {more} more"] if more > 0 else [])])
    return Roster(users, tuple(columns[1:]), lines)


def _decoded(raw: bytes) -> str:
    if raw.startswith(_UTF_16):
        raise InvalidRoster(["line 1: the file is UTF-16; save it as CSV UTF-8"])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = raw.count(b"\n", 0, problem.start) + 1
        raise InvalidRoster(
            [f"line {line}: byte 0x{raw[problem.start]:02x} is no UTF-8; save the file as CSV UTF-8"]
        ) from None


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of every row that is not blank; a quoted cell may go over several lines."""
    header = text.lstrip().partition("\n")[0]
    separator = max(_SEPARATORS, key=lambda one: (header.count(one), one == ","))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    before = 0
    try:
        for row in reader:
            if "".join(row).strip():
                yield before + 1, row
            before = reader.line_num
    except csv.Error as problem:
        raise InvalidRoster([f"line {before + 1}: {_plain(str(problem))}"]) from None


def _plain(problem: str) -> str:
    """The csv module's words in a person's."""
    if problem.startswith(("unexpected end of data", "field larger than field limit")):
        return "a quote is opened and never closed"
    if "expected after" in problem:
        return "a cell goes on behind its closing quote; a quote inside a cell is written twice"
    return problem


def _columns(
    line: int, columns: list[str], type_of: Callable[[str], DataType | None]
) -> tuple[dict[str, DataType | None], list[str]]:
    if not columns or columns[0].lower() not in USER_COLUMNS:
        seen = f"'{columns[0]}'" if columns else "nothing"
        return {}, [f"line {line}: the first column is {seen}; the header is `user` and one column per extension"]
    types: dict[str, DataType | None] = {}
    problems = []
    for name in columns[1:]:
        if name in types:
            problems.append(f"line {line}: column '{name}' is there twice")
            continue
        try:
            types[name] = type_of(name)
        except InvalidValue as problem:
            types[name] = None
            problems.append(f"line {line}: column '{name}' {problem}")
    if len(columns) == 1:
        problems.append(f"line {line}: there is no column with an extension")
    return types, problems


def _cells(
    line: int, columns: list[str], row: list[str], types: Mapping[str, DataType | None], problems: list[str]
) -> Iterator[tuple[str, str]]:
    for name, cell in zip(columns, row, strict=True):
        if cell == "":
            continue
        kind = types[name]
        try:
            yield name, cell if kind is None else kind.canonical(cell)
        except InvalidValue as problem:
            problems.append(f"line {line}: {name} {problem}")
