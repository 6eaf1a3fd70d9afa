"""If this goes red, a registration gets a permission too many, or the stack cannot run with those it gets."""

from __future__ import annotations

import pytest

from flexsaml.setup.rights import Need, choose_permissions, list_needs

OWNED, ALL = "Application.ReadWrite.OwnedBy", "Application.ReadWrite.All"
POLICIES = {"Policy.Read.All", "Policy.ReadWrite.ApplicationConfiguration"}


@pytest.mark.parametrize(
    ("mode", "extensions", "users", "as_person", "permissions"),
    [
        ("up", True, True, False, {OWNED, *POLICIES, "User.ReadWrite.All"}),
        ("up", True, False, False, {OWNED, *POLICIES}),
        ("up", False, False, False, {OWNED, *POLICIES}),
        ("up", True, True, True, {ALL, *POLICIES, "User.ReadWrite.All"}),
        ("preview", True, True, False, {"Application.Read.All", "Policy.Read.All", "User.Read.All"}),
        ("preview", False, False, False, {"Application.Read.All", "Policy.Read.All"}),
        ("preview", True, True, True, {"Application.Read.All", "Policy.Read.All", "User.Read.All"}),
    ],
)
def test_the_fewest_permissions(
    mode: str, extensions: bool, users: bool, as_person: bool, permissions: set[str]
) -> None:
    needs = list_needs(mode, extensions=extensions, users=users, as_person=as_person)
    chosen = choose_permissions(needs)
    assert set(chosen) == permissions
    assert all(need.is_met(frozenset(chosen)) for need in needs)
    assert all(chosen.values()), "each permission says what it is for"


def test_a_permission_that_another_includes_is_left_out_in_any_order() -> None:
    read, write = Need("read", (frozenset({"r"}), frozenset({"w"}))), Need("write", (frozenset({"w"}),))
    for needs in ([read, write], [write, read]):
        assert {name: set(purposes) for name, purposes in choose_permissions(needs).items()} == {"w": {"read", "write"}}
