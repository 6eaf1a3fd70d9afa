"""Whether a JSON value fits a property or a directory extension's data type, and the form in which the tenant keeps it.

Types and limits: String up to 256 characters, Binary up to 256 bytes as base64, Integer 32-bit, LargeInteger 64-bit,
Boolean, DateTime in ISO 8601 stored in UTC (grade A, extensionProperty reference). How Graph words a refusal was
recorded nowhere (grade D), and whether an empty string is accepted is a dial.
"""

from __future__ import annotations

import base64
import json
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from emulator.dials import Dials
from emulator.errors import bad_request, invalid_value
from emulator.types import Attributes, Json

_PYTHON_TYPES = {"string": str, "boolean": bool, "array": list, "object": dict, "null": type(None)}
_TABLE = json.loads(Path(__file__).with_name("properties.json").read_text(encoding="utf-8"))
WRITABLE: dict[str, dict[str, list[type]]] = {  # resource -> property -> the types its value may have
    resource: {name: [_PYTHON_TYPES[kind] for kind in kinds.split(" or ")] for kinds in rows for name in rows[kinds]}
    for resource, rows in _TABLE["writable"].items()
}
READ_ONLY: dict[str, list[str]] = _TABLE["read only"]
TARGET_OBJECTS = frozenset({"User", "Group", "AdministrativeUnit", "Application", "Device", "Organization"})
_JSON_TYPES: dict[str, Any] = {
    "Binary": str,
    "Boolean": bool,
    "DateTime": str,
    "Integer": int,
    "LargeInteger": int,
    "String": str,
}
DATA_TYPES = frozenset(_JSON_TYPES)
_DATE_TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d{1,7}))?(?:(Z)|([+-])(\d\d):(\d\d))?", re.ASCII)


def check_changes(body: Attributes, resource: str) -> Attributes:
    """The body without its annotations. Raises GraphRefusal for an unknown property or a value of another type."""
    changes = {name: value for name, value in body.items() if "@odata." not in name}
    for name, value in changes.items():
        if name not in WRITABLE[resource]:
            raise bad_request(f"Invalid property '{name}'.")
        if type(value) not in WRITABLE[resource][name]:
            raise invalid_value(name, resource)
    return changes


def convert_value(data_type: str, is_multi_valued: bool, value: Json, dials: Dials) -> Json:
    """The value as it is stored. None is not a value: the caller removes instead.

    Raises ValueError for a value that does not fit the data type.
    """
    if is_multi_valued:
        if not isinstance(value, list):
            raise ValueError("a multi-valued property takes an array")
        return [convert_value(data_type, False, item, dials) for item in value]
    # bool is an int in Python, not on the wire; 5.0 is a double on the wire, not an Edm.Int32.
    if type(value) is not _JSON_TYPES[data_type]:
        raise ValueError(f"not a JSON value for {data_type}")
    if data_type == "DateTime":
        return _to_utc(value)
    if data_type == "Binary":
        raw = base64.b64decode(value, validate=True)
        value, fits = base64.b64encode(raw).decode("ascii"), len(raw) <= 256
    elif data_type == "String":
        fits = len(value) <= 256 and (value != "" or dials.empty_string == "accept")
    else:
        bits = {"Integer": 32, "LargeInteger": 64}.get(data_type)
        fits = bits is None or -(2 ** (bits - 1)) <= value < 2 ** (bits - 1)
    if not fits:
        raise ValueError(f"outside of the range of {data_type}")
    return value


def _to_utc(text: str) -> str:
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        raise ValueError("not an ISO 8601 date and time")
    day, time, fraction, _zulu, sign, hours, minutes = match.groups()
    moment = datetime.strptime(f"{day}T{time}", "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    try:
        moment = moment + offset if sign == "-" else moment - offset
    except OverflowError as error:
        raise ValueError("not a date that exists") from error
    fraction = (fraction or "").rstrip("0")
    return f"{moment:%Y-%m-%dT%H:%M:%S}" + (f".{fraction}" if fraction else "") + "Z"
