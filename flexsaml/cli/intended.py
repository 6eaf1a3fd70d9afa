"""What a stack file would make of users' extension values: for a prediction of a stack before `pulumi up`.

Extensions that are declared but not made yet count as made, and declared values count as written, from `users` and from
the roster file. Encrypted ones cannot be read without the engine and are named.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from flexsaml.claims import build_full_name, is_full_name
from flexsaml.values import DataType, InvalidRoster, InvalidValue, read_roster

from .stack_file import Stack, types_of
from .stack_yaml import is_secret
from .terminal import CannotLook

if TYPE_CHECKING:
    from flexsaml.prediction import DeclaredValues

    from .declared import Declared


def intended(stack: Declared, app_id: str) -> DeclaredValues:
    """What the stack would write, its extensions living on that application. Raises `CannotLook`."""
    from flexsaml.prediction import DeclaredValues

    types = types_of(Stack(stack.keys))
    full = {name: build_full_name(app_id, name) for name in types}
    values: dict[str, dict[str, object]] = {}
    hidden = [key for key in ("users", "usersFile") if is_secret(stack.keys.get(key))]
    dark: dict[str, frozenset[str]] = {"": frozenset(full.values())} if hidden else {}
    for user, cells in _cells(stack, types):
        held = values.setdefault(user.lower(), {})
        for name, value in cells.items():
            if is_secret(value):
                hidden.append(f"users.{user}{f'.{name}' if name else ''}")
                concerned = {full.get(name, name)} if name else set(full.values())
                dark[user.lower()] = dark.get(user.lower(), frozenset()) | concerned
            elif name in types:
                held[full[name]] = _wire(stack, types[name], f"users.{user}.{name}", value)
            elif is_full_name(name):
                held[name] = None if value == "<null>" else value
            else:
                raise CannotLook(f"{stack.file}: users.{user}.{name}: that extension is not declared")
    return DeclaredValues({full[name]: str(kind) for name, kind in types.items()}, values, dark, tuple(hidden))


def _wire(stack: Declared, kind: DataType, where: str, value: object) -> object:
    try:
        return kind.wire(kind.canonical(value))
    except InvalidValue as problem:
        raise CannotLook(f"{stack.file}: {where}: {problem}") from None


def _cells(stack: Declared, types: Mapping[str, DataType]) -> list[tuple[str, Mapping[str, object]]]:
    """Users inline, then those of the roster; a roster that is wrong is refused as `pulumi preview` would.

    A user whose map is encrypted has it as the one cell without a name.
    """
    told = Stack(stack.keys)
    found: list[tuple[str, Mapping[str, object]]] = []
    for user, cells in told.mapping("users").items():
        if is_secret(cells):
            found.append((user, {"": cells}))
        elif isinstance(cells, Mapping):
            found.append((user, cells))
        else:
            told.tell(f"users.{user}", "is no map of extension to value")
    if told.findings:
        one = told.findings[0]
        raise CannotLook(f"{stack.file}: {one.where}: {one.message}; see `python -m flexsaml lint {stack.file}`")
    name = stack.keys.get("usersFile")
    if name and isinstance(name, str):
        file = Path(stack.file).parent / name
        try:
            found += read_roster(file.read_bytes(), types.get).users.items()
        except OSError as problem:
            raise CannotLook(f"usersFile: cannot read {file}: {problem.strerror}") from None
        except InvalidRoster as bad:
            raise CannotLook(f"{file}, {bad.problems[0]}") from None
    return found
