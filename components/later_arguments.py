"""Arguments that are outputs of other resources. Which children there are follows from what is known at once; what
they hold may come later, so such an argument is allowed where it holds a value and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from flexsaml.declaration import KEYS
from providers import lifting

_PLACEHOLDERS: dict[str, object] = {
    "servicePrincipal": "not-known-yet",
    "application": "",
    "policyName": "not known yet",
}
"""What stands for the argument while the children are counted."""


def replace_outputs(keys: Mapping[str, object]) -> tuple[dict[str, Any], list[str]]:
    """The keys with something valid in place of each Output; and the paths of those that must be plain values."""
    misplaced: list[str] = []
    replaced: dict[str, Any] = {}
    for name, value in keys.items():
        if isinstance(value, pulumi.Output) and name in _PLACEHOLDERS:
            replaced[name] = _PLACEHOLDERS[name]
        elif name == "users" and isinstance(value, Mapping):
            replaced[name] = {user: _replace_values(row, misplaced, f"users.{user}") for user, row in value.items()}
        elif name == "claims" and isinstance(value, Mapping):
            replaced[name] = {
                claim: _replace_constant(source, misplaced, f"claims.{claim}") for claim, source in value.items()
            }
        else:
            replaced[name] = _refuse_output(value, misplaced, name)
    return replaced, misplaced


def _replace_values(row: object, misplaced: list[str], path: str) -> object:
    if not isinstance(row, Mapping):
        return _refuse_output(row, misplaced, path)
    return {name: None if isinstance(value, pulumi.Output) else value for name, value in row.items()}


def _replace_constant(source: object, misplaced: list[str], path: str) -> object:
    if isinstance(source, Mapping) and isinstance(source.get("value"), pulumi.Output):
        return {**source, "value": "not known yet"}
    return _refuse_output(source, misplaced, path)


def _refuse_output(value: object, misplaced: list[str], path: str) -> object:
    if lifting.contains_output(value):
        misplaced.append(path)
        return KEYS[path].default if path in KEYS else ""
    return value
