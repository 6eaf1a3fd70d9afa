"""The change that a PATCH or PUT body asks for, checked against the properties that may be written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from emulator.errors import bad_request, invalid_value
from emulator.types import Attributes

NULL = type(None)
Writable: TypeAlias = Mapping[str, tuple[type, ...]]  # property name -> the JSON types it takes


def check_changes(body: Attributes, writable: Writable, resource: str) -> Attributes:
    """The body without its annotations. Raises GraphRefusal for an unknown property or a value of another type."""
    changes = {name: value for name, value in body.items() if "@odata." not in name}
    for name, value in changes.items():
        if name not in writable:
            raise bad_request(f"Invalid property '{name}'.")
        if type(value) not in writable[name]:
            raise invalid_value(name, resource)
    return changes
