"""Arguments that may be Outputs. A function of them is computed at once where it can be, because an Output of a map
costs a future for every item."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import pulumi

T = TypeVar("T")


def lift(function: Callable[[T], Any], argument: T | pulumi.Output[T]) -> Any:
    """`function(argument)`, or an Output of it if there is an Output in the argument."""
    if contains_output(argument):
        return pulumi.Output.from_input(argument).apply(function)
    return function(argument)  # type: ignore[arg-type]


def contains_output(value: object) -> bool:
    """Whether a value is an Output, or holds one in maps and lists."""
    if isinstance(value, Mapping):
        return any(map(contains_output, value.values()))
    if isinstance(value, (list, tuple)):
        return any(map(contains_output, value))
    return isinstance(value, pulumi.Output)
