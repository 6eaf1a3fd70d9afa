"""Whether a JSON value fits a property or a directory extension's data type, and the form in which the tenant keeps it.

Types and limits: String up to 256 characters, Binary up to 256 bytes as base64, Integer 32-bit, LargeInteger 64-bit,
Boolean, DateTime in ISO 8601 stored in UTC (grade A, extensionProperty reference). How Graph words a refusal was
recorded nowhere (grade D), and whether an empty string is accepted is a dial.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import TypeAlias

from emulator.dials import Dials
from emulator.errors import bad_request, invalid_value
from emulator.types import Attributes, Json

NULL = type(None)
Writable: TypeAlias = Mapping[str, tuple[type, ...]]  # property name -> the JSON types it takes


_DATE_TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d{1,7}))?(?:(Z)|([+-])(\d\d):(\d\d))?", re.ASCII)


def check_changes(body: Attributes, writable: Writable, resource: str) -> Attributes:
    """The body without its annotations. Raises GraphRefusal for an unknown property or a value of another type."""
    changes = {name: value for name, value in body.items() if "@odata." not in name}
    for name, value in changes.items():
        if name not in writable:
            raise bad_request(f"Invalid property '{name}'.")
        if type(value) not in writable[name]:
            raise invalid_value(name, resource)
    return changes


class UnfitValue(ValueError):
    """The value does not fit the data type."""


def convert_value(data_type: str, is_multi_valued: bool, value: Json, dials: Dials) -> Json:
    """The value as it is stored; raises InvalidValue. None is not a value: the caller removes instead."""
    convert = _CONVERTERS[data_type]
    if not is_multi_valued:
        return convert(value, dials)
    if not isinstance(value, list):
        raise UnfitValue("a multi-valued property takes an array")
    return [convert(item, dials) for item in value]


def _boolean(value: Json, _dials: Dials) -> bool:
    if not isinstance(value, bool):
        raise UnfitValue("not a Boolean")
    return value


def _integer_converter(bits: int) -> Callable[[Json, Dials], int]:
    def convert(value: Json, _dials: Dials) -> int:
        # bool is an int in Python, not on the wire; 5.0 is a double on the wire, not an Edm.Int32.
        if type(value) is not int or not -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
            raise UnfitValue(f"not a {bits}-bit integer")
        return value

    return convert


def _string(value: Json, dials: Dials) -> str:
    if not isinstance(value, str) or len(value) > 256 or (value == "" and dials.empty_string == "refuse"):
        raise UnfitValue("not a string of at most 256 characters")
    return value


def _date_time(value: Json, _dials: Dials) -> str:
    match = _DATE_TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise UnfitValue("not an ISO 8601 date and time")
    day, time, fraction, _zulu, sign, hours, minutes = match.groups()
    try:
        moment = datetime.strptime(f"{day}T{time}", "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
        offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
        moment = moment + offset if sign == "-" else moment - offset
    except (ValueError, OverflowError) as error:
        raise UnfitValue("not a date that exists") from error
    fraction = (fraction or "").rstrip("0")
    return f"{moment:%Y-%m-%dT%H:%M:%S}" + (f".{fraction}" if fraction else "") + "Z"


def _binary(value: Json, _dials: Dials) -> str:
    try:
        raw = base64.b64decode(value, validate=True) if isinstance(value, str) else None
    except (binascii.Error, ValueError) as error:
        raise UnfitValue("not base64") from error
    if raw is None or len(raw) > 256:
        raise UnfitValue("not base64 of at most 256 bytes")
    return base64.b64encode(raw).decode("ascii")


_CONVERTERS: dict[str, Callable[[Json, Dials], Json]] = {
    "Binary": _binary,
    "Boolean": _boolean,
    "DateTime": _date_time,
    "Integer": _integer_converter(32),
    "LargeInteger": _integer_converter(64),
    "String": _string,
}
DATA_TYPES = frozenset(_CONVERTERS)
TARGET_OBJECTS = frozenset({"User", "Group", "AdministrativeUnit", "Application", "Device", "Organization"})
