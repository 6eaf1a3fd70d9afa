"""The types of what is written, as Microsoft's schema has them: `types.json`, derived from the schema by
`tests/emulator/contract.py`. A value that does not fit is refused when it is written, so that no later answer breaks.
Quirks: a collection is never null, and neither are its items; an object of a closed type has known properties only."""

import base64
import binascii
import json
import re
from collections.abc import Callable
from pathlib import Path

from emulator.types import Json

_TABLE = json.loads(Path(__file__).with_name("types.json").read_text(encoding="utf-8"))
TYPES: dict[str, dict[str, str]] = _TABLE["types"]
"""Type to property to its type: `String`, with `?` if it may be null, or `[]` for a collection."""
_GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_TIME = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,12})?)?(?:Z|[+-]\d\d:\d\d)")  # fmt: skip # noqa: E501
_DURATION = re.compile(r"-?P(?=\d|T)(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?")


def find_misfit(type_: str, value: Json, path: str, *, is_whole: bool = False) -> str:
    """The path of the first value that does not fit the type; "" if all fits. `is_whole`: an object that replaces
    another, so that nothing may be missing that is never null and has no default."""
    if type_.endswith("[]"):
        if not isinstance(value, list):
            return path
        return next(filter(None, (find_misfit(type_[:-2], item, path, is_whole=True) for item in value)), "")
    if value is None and type_.endswith("?"):
        return ""
    name = type_.removesuffix("?")
    if name in _PRIMITIVES:
        return "" if _PRIMITIVES[name](value) else path
    if not isinstance(value, dict):
        return path
    properties = TYPES[name]
    if is_whole and any(key not in value for key, kind in properties.items() if kind in ("String", "Guid")):
        return path
    for key, item in value.items():
        if "@odata." not in key and (misfit := find_misfit(properties.get(key, "None"), item, f"{path}.{key}")):
            return misfit
    return ""


def complete(type_: str, value: Json) -> Json:
    """The value with what its type never leaves out: empty collections, and false."""
    name = type_.removesuffix("[]").removesuffix("?")
    if isinstance(value, list):
        return [complete(name, item) for item in value]
    if not isinstance(value, dict) or name not in TYPES:
        return value
    defaults: dict[str, Json] = {
        key: [] if kind.endswith("[]") else False for key, kind in TYPES[name].items() if _has_default(kind)
    }
    return {**defaults, **{key: complete(TYPES[name].get(key, ""), item) for key, item in value.items()}}


def _has_default(type_: str) -> bool:
    return type_.endswith("[]") or type_ == "Boolean"


def _is_base64(value: Json) -> bool:
    try:
        return isinstance(value, str) and base64.b64decode(value, validate=True) is not None
    except (binascii.Error, ValueError):
        return False


def _is_integer(bits: int) -> Callable[[Json], bool]:
    limit = 2 ** (bits - 1)
    return lambda value: type(value) is int and -limit <= value < limit


_PRIMITIVES: dict[str, Callable[[Json], bool]] = {
    "Binary": _is_base64,
    "Boolean": lambda value: isinstance(value, bool),
    "Date": lambda value: isinstance(value, str) and _TIME.fullmatch(f"{value}T00:00Z") is not None,
    "DateTimeOffset": lambda value: isinstance(value, str) and _TIME.fullmatch(value) is not None,
    "Double": lambda value: type(value) in (int, float),
    "Duration": lambda value: isinstance(value, str) and _DURATION.fullmatch(value) is not None,
    "Guid": lambda value: isinstance(value, str) and _GUID.fullmatch(value) is not None,
    "Int16": _is_integer(16),
    "Int32": _is_integer(32),
    "Int64": _is_integer(64),
    "None": lambda _: False,  # no such property
    "Object": lambda value: isinstance(value, dict),
    "Stream": lambda _: False,
    "String": lambda value: isinstance(value, str),
}
