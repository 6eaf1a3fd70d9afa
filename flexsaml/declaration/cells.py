"""Extensions, and the values that users and the roster give them."""

import re
from collections.abc import Callable, Mapping

from flexsaml.claims import escape, find_nearest, is_full_name, quote, suggest
from flexsaml.values import DATA_TYPES, NO_USER, DataType, InvalidRoster, InvalidValue, is_user, read_roster

from .keys import Secret
from .reader import KeyReader, contains_unknown_secret

_SHORT_NAME = re.compile(r"[A-Za-z0-9_]+")

_OTHER_NAMES = {
    "text": "String",
    "str": "String",
    "int": "Integer",
    "number": "Integer",
    "bool": "Boolean",
    "date": "DateTime",
}
"""What other tools call the data types."""


def parse_extensions(reader: KeyReader) -> dict[str, DataType]:
    """Short name to data type; String for one that has a finding, so that it counts as declared elsewhere."""
    extensions: dict[str, DataType] = {}
    spellings: dict[str, str] = {}
    for name, written in reader.read_map("extensions").items():
        where = f"extensions.{name}"
        if is_full_name(name):
            message = "this is a full name, whose extension exists already"
            reader.report(where, message, "use it in users and claims only")
        elif not _SHORT_NAME.fullmatch(name):
            reader.report(where, "an extension name has letters, digits and underscores only")
        elif name.lower() in spellings:
            message = (
                f"is declared twice, also as {spellings[name.lower()]}: Graph compares names without regard to case"
            )
            reader.report(where, message, "keep one")
        spellings.setdefault(name.lower(), name)
        extensions[name] = _parse_data_type(reader, where, written)
    return extensions


def _parse_data_type(reader: KeyReader, where: str, written: object) -> DataType:
    fields = {"dataType": written} if isinstance(written, str) else written
    if contains_unknown_secret(written):
        return DataType("String")  # a finding of its own: extensions cannot be secret
    if not isinstance(fields, Mapping) or set(fields) - {"dataType", "multiValued"}:
        forms = f"a data type ({', '.join(DATA_TYPES)}) or {{ dataType, multiValued }}"
        reader.report(where, "is not a data type", f"write {forms}")
        return DataType("String")
    multi_valued = str(fields.get("multiValued", "")).lower()
    if multi_valued not in ("", "true", "false"):
        reader.report(where, f"multiValued must be true or false, not {quote(fields['multiValued'], 40)}")
    name = str(fields.get("dataType") or "String")
    try:
        return DataType(name, multi_valued == "true")
    except InvalidValue:
        message = f"data type {quote(name, 40)} is none of {', '.join(DATA_TYPES)}"
        nearest = _OTHER_NAMES.get(name.lower()) or find_nearest(name.removesuffix("[]"), DATA_TYPES, 0.4)
        fix = (
            f"write {{ dataType: {nearest}, multiValued: true }}"
            if name.endswith("[]")
            else f"did you mean '{nearest}'?"
        )
        reader.report(where, message, fix if nearest else "")
        return DataType("String")


def parse_users(reader: KeyReader, extensions: Mapping[str, DataType]) -> dict[str, dict[str, object]]:
    """User as written to extension to value; canonical where the data type is known. Encrypted cells are left out."""
    users: dict[str, dict[str, object]] = {}
    spellings: dict[str, str] = {}
    for user, cells in reader.read_map("users").items():
        where = f"users.{user}"
        if user.lower() in spellings:
            reader.report(where, f"is declared twice, also as {spellings[user.lower()]}", "keep one")
        spellings.setdefault(user.lower(), user)
        if not is_user(user):
            reader.report(where, f"is {NO_USER}")
        if isinstance(cells, Secret):
            users[user] = {}
            continue
        if not isinstance(cells, Mapping):
            reader.report(where, "must be a map of extension to value")
            continue
        users[user] = {}
        for name, value in cells.items():
            if contains_unknown_secret(value):
                continue
            if name not in extensions:
                if is_full_name(name):
                    users[user][name] = value  # its data type is the tenant's; preflight checks the value
                elif reader.is_readable("extensions"):
                    fix = suggest(name, extensions, "declare it in extensions")
                    reader.report(f"{where}.{name}", f"extension {quote(name)} is not declared", fix)
                continue
            try:
                users[user][name] = extensions[name].canonical(value)
            except InvalidValue as problem:
                reader.report(f"{where}.{name}", str(problem))
    return users


def parse_roster(
    reader: KeyReader,
    file: str,
    read_file: Callable[[str], bytes],
    extensions: Mapping[str, DataType],
    users: Mapping[str, Mapping[str, object]],
) -> tuple[tuple[str, ...], dict[str, Mapping[str, str]], Mapping[str, int]]:
    """Columns, users and lines of the roster file. A cell may be declared there or in `users`, not in both."""
    if not file:
        return (), {}, {}
    shown = "the roster" if "usersFile" in reader.hidden_keys else escape(file, 120)

    def type_of(column: str) -> DataType | None:
        if column not in extensions and not is_full_name(column):
            fix = suggest(column, extensions, "declare it in extensions")
            raise InvalidValue(f"is not an extension that is declared; {fix}")
        return extensions.get(column)

    try:
        roster = read_roster(read_file(file), type_of)
    except InvalidRoster as problem:
        for line in problem.problems:  # `line 3: what is wrong`
            row, separator, message = line.partition(": ")
            reader.report(*((f"{shown}, {row}", message) if separator else (shown, line)))
        return (), {}, {}
    except (OSError, ValueError) as problem:  # ValueError: a name that no file can have
        reader.report("usersFile", f"cannot read {shown}: {getattr(problem, 'strerror', None) or problem}")
        return (), {}, {}
    spellings = {user.lower(): user for user in users}
    for user, cells in roster.users.items() if spellings else ():
        inline = spellings.get(user.lower())
        for name in sorted(set(cells) & set(users[inline])) if inline else ():
            where = f"{shown}, line {roster.lines[user.lower()]}"
            reader.report(where, f"{name} of {user} is declared in users.{inline} too", "keep one of them")
    rows = {spellings.get(user.lower(), user): cells for user, cells in roster.users.items()}
    return roster.columns, rows, roster.lines
