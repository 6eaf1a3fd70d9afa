"""From the attributes of an assertion to the attributes of a Flex worker. Pure.

The rules are F1 to F9 of docs/sign-in.md. Quirks: names that are URIs are ignored (A); a typed suffix makes numbers,
booleans and arrays, and a single value that does not fit refuses the sign-in (A); an absent attribute keeps its old
value, an empty one clears it (A); channel settings look like suffixes but set no attribute (A).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from emulator.types import Attributes, Json

REQUIRED = ("email", "full_name", "roles")
_INTEGER = re.compile(r"-?[0-9]+")
_LARGEST = 2**53 - 1
_CHANNEL = re.compile(r"channel\.([^.]+)\.(capacity|availability)")


class MissingAttributes(ValueError):
    """Error 45050; `names` are the missing attributes."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(", ".join(names))
        self.names = tuple(names)


class InvalidFormat(ValueError):
    """400 Error invalid attribute format; the message names the attribute and the value."""

    def __init__(self, name: str, value: str, expected: str) -> None:
        super().__init__(f"{name}: {value!r} is not {expected}")


@dataclass
class MappedAttributes:
    """What a sign-in sets, and what became of each attribute of the assertion, in its order."""

    attributes: Attributes = field(default_factory=dict)
    channels: dict[str, Attributes] = field(default_factory=dict)
    effects: list[str] = field(default_factory=list)


def map_attributes(attributes: Sequence[tuple[str, Sequence[str]]], name_id: str) -> MappedAttributes:
    """Raises MissingAttributes or, with all required attributes present, InvalidFormat."""
    given = dict(attributes)
    missing = [name for name in REQUIRED if not any(value.strip(" ,") for value in given.get(name, ()))]
    if missing:
        raise MissingAttributes(missing)
    mapped = MappedAttributes({"contact_uri": contact_uri(name_id)})
    for name, values in attributes:
        mapped.effects.append(_set(mapped, name, list(values) or [""]))
    return mapped


def contact_uri(name_id: str) -> str:
    """`client:` and the name, every byte but letters, digits and _ escaped (D)."""
    escaped = (
        chr(b) if chr(b).isascii() and (chr(b).isalnum() or b == 0x5F) else f"_{b:02X}" for b in name_id.encode()
    )
    return f"client:{''.join(escaped)}"


def _set(mapped: MappedAttributes, name: str, values: list[str]) -> str:
    """Set what an attribute of the assertion asks for; returns its effect in words."""
    if ":" in name:
        return "ignored: its name is a URI"
    if channel := _CHANNEL.fullmatch(name):
        kind, convert = ("int", _integer) if channel[2] == "capacity" else ("boolean", _boolean)
        mapped.channels.setdefault(channel[1], {})[channel[2]] = convert(name, values[0])
        return f"sets the {channel[2]} of channel {channel[1]} ({kind}); not kept as an attribute"
    bare, dot, suffix = name.rpartition(".")
    if not (dot and bare and suffix in _SUFFIXES):
        bare, suffix = name, "stringarray" if name == "roles" else "string"
    mapped.attributes[bare] = _SUFFIXES[suffix](name, values)
    return f"kept as {bare} ({suffix})" if len(values) == 1 or "array" in suffix else f"kept as {bare}: the first value"


def _string(_name: str, value: str) -> str:
    return value


def _integer(name: str, value: str) -> int:
    if not _INTEGER.fullmatch(value) or len(value) > 17 or abs(int(value)) > _LARGEST:
        raise InvalidFormat(name, value, "an integer")
    return int(value)


def _boolean(name: str, value: str) -> bool:
    if value.lower() not in ("true", "false"):
        raise InvalidFormat(name, value, "true or false")
    return value.lower() == "true"


_Convert = Callable[[str, str], Json]


def _first(convert: _Convert) -> Callable[[str, list[str]], Json]:
    return lambda name, values: convert(name, values[0])


def _array(convert: _Convert) -> Callable[[str, list[str]], Json]:
    def convert_all(name: str, values: list[str]) -> Json:
        items = values if len(values) > 1 else values[0].split(",") if values[0].strip() else []
        return [convert(name, item.strip()) for item in items]

    return convert_all


_SUFFIXES: dict[str, Callable[[str, list[str]], Json]] = {
    "string": _first(_string),
    "int": _first(_integer),
    "boolean": _first(_boolean),
    "stringarray": _array(_string),
    "intarray": _array(_integer),
    "booleanarray": _array(_boolean),
}
