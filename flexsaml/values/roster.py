"""A roster file: many users' cells as CSV. Pure: bytes in; a roster, or all its mistakes with their line numbers, out.

    user,languages,site
    ada@contoso.example,"en,de",vienna

UTF-8 with or without a byte-order mark; separated by commas, semicolons (spreadsheets of many countries write these) or
tabs, whichever the header has. The first column is the user (UPN or object id), every other column is an extension by
its short or full name. An empty cell is not managed, `<null>` is written as null, a multi-valued cell is a JSON array.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from flexsaml.errors import UserError

from .data_types import DataType, InvalidValue

USER_COLUMNS = ("user", "userprincipalname", "upn", "id")
_SEPARATORS = ",;\t"
_LISTED = 20  # mistakes that are listed; the others are counted
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_USER = re.compile(r"[^\s/\\@]+@[^\s/\\@]+|[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
NO_USER = "neither a user principal name nor an object id"


def is_user(text: str) -> bool:
    """Whether it has the form of a user principal name or of an object id."""
    return text.isprintable() and _USER.fullmatch(text) is not None


class InvalidRoster(UserError):
    """A roster file that cannot be used; `problems` are texts like `line 3: the user is missing`."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Roster:
    """What a roster file says."""

    users: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """user as written to extension (short or full name) to value; canonical where the data type is known"""
    columns: tuple[str, ...] = ()
    lines: Mapping[str, int] = field(default_factory=dict)
    """user in lower case to line number, for messages"""


def read_roster(raw: bytes, type_of: Callable[[str], DataType | None]) -> Roster:
    """Raises `InvalidRoster` with all mistakes. `type_of` returns the data type of a column, or None where only the
    tenant knows it (a full name); it raises `InvalidValue` for a column that is not an extension."""
    rows = _rows(_decoded(raw))
    header_line, header = next(rows, (1, []))
    columns = [name.strip() for name in header]
    types, problems = _columns(header_line, columns, type_of)
    if problems:
        raise InvalidRoster(problems)
    users: dict[str, Mapping[str, str]] = {}
    lines: dict[str, int] = {}
    checked: dict[tuple[str, ...], dict[str, str]] = {}  # most rows of a large roster repeat another user's cells
    width, problems = len(columns), []
    try:
        for line, row in rows:
            user = row[0].strip()
            lowered = user.lower()
            if len(row) != width:
                problems.append(
                    f"line {line}: has {len(row)} cells, but the header has {width}; quote cells that contain commas"
                )
            elif not user:
                problems.append(f"line {line}: the user is missing")
            elif not is_user(user):
                problems.append(f"line {line}: '{user}' is {NO_USER}")
            elif lowered in lines:
                problems.append(f"line {line}: {user} is already on line {lines[lowered]}; keep one of the two")
            else:
                lines[lowered], cells = line, tuple(row[1:])
                values = checked.get(cells)
                if values is None:
                    count = len(problems)
                    values = dict(_cells(line, columns[1:], row[1:], types, problems))
                    if len(problems) == count:
                        checked[cells] = values
                users[user] = values
    except InvalidRoster as invalid:
        problems += invalid.problems
    if problems:
        more = len(problems) - _LISTED
        raise InvalidRoster([*problems[:_LISTED], *([f"and {more} more"] if more > 0 else [])])
    return Roster(users, tuple(columns[1:]), lines)


def _decoded(raw: bytes) -> str:
    if raw.startswith(_UTF_16):
        raise InvalidRoster(["line 1: the file is UTF-16; save it as CSV UTF-8"])
    if b"\0" in raw:  # text has none; Python 3.10 reads no CSV with one, later versions do
        line = raw.count(b"\n", 0, raw.index(b"\0")) + 1
        raise InvalidRoster(
            [f"line {line}: contains the character U+0000, as no text does; save the file as CSV UTF-8"]
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line, byte = raw.count(b"\n", 0, problem.start) + 1, raw[problem.start]
        raise InvalidRoster([f"line {line}: byte 0x{byte:02x} is not UTF-8; save the file as CSV UTF-8"]) from None


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of every row that is not blank; a quoted cell may span several lines."""
    header = text.lstrip().partition("\n")[0]
    separator = max(_SEPARATORS, key=lambda character: (header.count(character), character == ","))
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
    """The csv module's message in words that a person can act on."""
    if problem.startswith("unexpected end of data"):
        return "a quote is opened and never closed"
    if problem.startswith("field larger than field limit"):
        return "a cell has more than 131,072 characters; is there a quote that is never closed?"
    if "expected after" in problem:
        return "text follows a closing quote; a quote inside a cell must be written twice"
    return problem


def _columns(
    line: int, columns: list[str], type_of: Callable[[str], DataType | None]
) -> tuple[dict[str, DataType | None], list[str]]:
    if not columns or columns[0].lower() not in USER_COLUMNS:
        name = f"'{columns[0]}'" if columns else "missing"
        return {}, [f"line {line}: the first column is {name}; it must be `user`, then one column for each extension"]
    types: dict[str, DataType | None] = {}
    problems = []
    for name in columns[1:]:
        if name in types:
            problems.append(f"line {line}: column '{name}' appears twice")
            continue
        try:
            types[name] = type_of(name)
        except InvalidValue as problem:
            types[name] = None
            problems.append(f"line {line}: column '{name}' {problem}")
    if len(columns) == 1:
        problems.append(f"line {line}: there is no column for an extension")
    return types, problems


def _cells(
    line: int, columns: list[str], row: list[str], types: Mapping[str, DataType | None], problems: list[str]
) -> Iterator[tuple[str, str]]:
    for name, cell in zip(columns, row, strict=True):
        if cell == "":
            continue
        data_type = types[name]
        try:
            yield name, cell if data_type is None else data_type.canonical(cell)
        except InvalidValue as problem:
            problems.append(f"line {line}: {name} {problem}")
