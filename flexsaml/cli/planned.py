"""What a stack file would make of users' extension values: for a prediction of a stack before `pulumi up`.

Extensions that are declared but not made yet count as made, and declared values count as written, from `users` and from
the roster file. Encrypted values cannot be read without the engine and are named.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from flexsaml.values import NULL

if TYPE_CHECKING:
    from flexsaml.prediction import DeclaredValues

    from .declared import Declared


def plan_values(stack: Declared, app_id: str) -> DeclaredValues:
    """Raises `UserError` if users, extensions or the roster have a finding."""
    from flexsaml.prediction import DeclaredValues

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
                row[full_names[name]] = kind.to_wire(str(value))
            else:
                row[name] = None if value == NULL else value
    paths = tuple(path for path in declaration.encrypted if path.startswith("users"))
    encrypted: dict[str, frozenset[str]] = {}
    for path in paths:
        user, name = _split(path, declaration.users)
        names = {full_names.get(name, name)} if name else set(full_names.values())
        encrypted[user] = encrypted.get(user, frozenset()) | names
    return DeclaredValues(types, values, encrypted, paths)


def _split(path: str, users: Mapping[str, object]) -> tuple[str, str]:
    """User in lower case and extension of an encrypted path; "" where it is all of them."""
    _, _, place = re.sub(r"\[\d+\]$", "", path).partition(".")
    if not place or place in users:
        return place.lower(), ""
    user, _, name = place.rpartition(".")
    return user.lower(), name
