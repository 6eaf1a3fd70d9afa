"""If this goes red, somebody in the roster is in no listing, or one listing holds everybody and is read page by page."""

from __future__ import annotations

import pytest

from flexsaml.graph.urls import MOST, listings, starting_with

NUMBERED = [f"user{number:05}@contoso.example" for number in range(10_000)]
NAMED = [f"{first}{last}@contoso.example" for first in "abcdefghijklmnopqrstuvwxyzäж" for last in ("da", "l", "o'neil")]


@pytest.mark.parametrize(
    "names", [NUMBERED, NAMED, ["ada@x"], ["a", "ab", "abc"], [""], ["A@x", "a@X"], ["same@x"] * 9]
)
def test_every_name_is_in_a_listing(names: list[str]) -> None:
    groups = listings(names, 4)
    assert all(any(name.lower().startswith(prefix) for prefixes in groups for prefix in prefixes) for name in names)
    assert 1 <= len(groups) <= 4
    assert all(1 <= len(prefixes) <= MOST for prefixes in groups)


@pytest.mark.parametrize("names", [NUMBERED, NAMED])
def test_the_listings_hold_about_the_same_number(names: list[str]) -> None:
    sizes = [sum(name.startswith(tuple(prefixes)) for name in names) for prefixes in listings(names, 4)]
    assert len(sizes) == 4
    assert sum(sizes) == len(names), "nobody is listed twice"
    assert max(sizes) <= 1.5 * len(names) / 4


def test_few_names_are_not_looked_for_among_very_many_others() -> None:
    chosen = [prefix for prefixes in listings([*NUMBERED, "user10000@contoso.example"], 4) for prefix in prefixes]
    assert [prefix for prefix in chosen if prefix.startswith("user1")] == ["user10000@contoso.example"]


def test_nobody_needs_no_listing() -> None:
    assert listings([], 4) == []


@pytest.mark.parametrize(
    ("prefixes", "filter_"),
    [
        ([""], None),
        (["a", "b"], "startswith(userPrincipalName,'a') or startswith(userPrincipalName,'b')"),
        (["o'n"], "startswith(userPrincipalName,'o''n')"),
    ],
)
def test_the_filter_of_a_listing(prefixes: list[str], filter_: str | None) -> None:
    assert starting_with(prefixes) == filter_
