"""Cells of many users in the inputs of a resource: packed, by object id, and who of them is missing. Pure.

The same for the baseline of an extension and for the writer of a roster. A user is the object id wherever it is known,
so that another spelling, another name or preflight turned off change nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from flexsaml.values import digest_of_packed, unpack

from .base import Props, text

T = TypeVar("T")


def unpacked(props: Props, key: str) -> dict[str, Any]:
    """What is packed under a key; {} for nothing."""
    found: dict[str, Any] = unpack(props[key]) if text(props.get(key)) else {}
    return found


def as_given(news: Props) -> str:
    """What stands for the packed inputs as the program gave them: equal to last time's, nothing needs a look."""
    return text(news.get("__given")) or digest_of_packed(text(news.get("__cells")), text(news.get("__names")))


def by_id(cells: Mapping[str, T], names: Mapping[str, str]) -> dict[str, T]:
    """Cells under object ids where a user's id is known from `names` (lower case to id): with preflight or without,
    the same user is the same."""
    return {names.get(who.lower(), who): value for who, value in cells.items()}


def sorted_out(
    missing: Iterable[str],
    cells: dict[str, T],
    names: dict[str, str],
    before: Mapping[str, T],
    old_names: Mapping[str, str],
) -> tuple[list[str], list[str]]:
    """Users whom preflight did not find: those never managed, and those gone or renamed since the last run.

    The latter stay in `cells` and `names` as they were: nothing is written to them, and nothing taken back.
    """
    unknown, gone = [], []
    for user in missing:
        id_ = old_names.get(user.lower())
        if id_ is None or id_ not in before:
            unknown.append(user)
        elif id_ not in cells:
            cells[id_], names[user.lower()] = before[id_], id_
            gone.append(user)
    return unknown, gone
