"""What a stack file would make of users' extension values: for a prediction of a stack before `pulumi up`.

Extensions that are declared but not made yet count as made, and declared values count as written, from `users` and from
the roster file. Encrypted values cannot be read without the engine and are named.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flexsaml.values import NULL

if TYPE_CHECKING:
    from flexsaml.prediction.subject import Agent, Place

    from .declared import Declared

_ENCRYPTED = "its value is encrypted, and only the engine can read it"


@dataclass(frozen=True)
class PlannedValues:
    """What a stack would write, its extensions living on one application."""

    types: Mapping[str, str]
    """Full name to data type."""
    values: Mapping[str, Mapping[str, object]]
    """User in lower case to full name to JSON value."""
    encrypted_paths: tuple[str, ...]
    encrypted: Mapping[str, frozenset[str]]
    """User in lower case to the full names of encrypted values; "" for everybody."""

    def apply_to_place(self, place: Place) -> Place:
        """The place once the extensions are made."""
        return replace(place, extensions={**place.extensions, **self.types})

    def apply_to_agent(self, agent: Agent) -> Agent:
        """The user once the values are written."""
        keys = (agent.upn.lower(), agent.id.lower())
        written = {name: value for key in keys for name, value in self.values.get(key, {}).items()}
        encrypted = frozenset().union(*(self.encrypted.get(key, ()) for key in ("", *keys)))
        unread = {name: reason for name, reason in agent.unread.items() if name not in self.types}
        unread |= dict.fromkeys(encrypted, _ENCRYPTED)
        return replace(agent, values={**agent.values, **written}, unread=unread)


def plan_values(stack: Declared, app_id: str) -> PlannedValues:
    """Raises `CannotLook` if users, extensions or the roster have a finding."""
    declaration = stack.declaration
    stack.require_valid("users", "usersFile", "extensions")
    full_names = declaration.full_names(app_id)
    types = {full_names[name]: str(kind) for name, kind in declaration.extensions.items()}
    values: dict[str, dict[str, object]] = {}
    for user, cells in declaration.all_users.items():
        row = values.setdefault(user.lower(), {})
        for name, value in cells.items():
            kind = declaration.extensions.get(name)
            if kind is not None:
                row[full_names[name]] = kind.wire(str(value))
            else:
                row[name] = None if value == NULL else value
    paths = tuple(path for path in declaration.encrypted if path.startswith("users"))
    encrypted: dict[str, frozenset[str]] = {}
    for path in paths:
        user, name = _split(path, declaration.users)
        names = {full_names.get(name, name)} if name else set(full_names.values())
        encrypted[user] = encrypted.get(user, frozenset()) | names
    return PlannedValues(types, values, paths, encrypted)


def _split(path: str, users: Mapping[str, object]) -> tuple[str, str]:
    """User in lower case and extension of an encrypted path; "" where it is all of them."""
    _, _, place = re.sub(r"\[\d+\]$", "", path).partition(".")
    if not place or place in users:
        return place.lower(), ""
    user, _, name = place.rpartition(".")
    return user.lower(), name
