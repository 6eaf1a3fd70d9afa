"""If a test of this module passes, a known limit is gone: a user principal name that passes from one person to another
then no longer makes `destroy` leave this stack's value with one of them. Take the test's mark away, and the limit out of
docs/architecture.md."""

from __future__ import annotations

from typing import Any

import pytest

from tests.providers.miniature import Program, declare, make_provider
from tests.providers.test_neighbours import Scene, scene

__all__ = ["scene"]  # a fixture
KEYS = ("users", "roster")
limit = pytest.mark.xfail(raises=AssertionError, reason="a known limit: names that pass to another person")


def program(scene: Scene, key: str, row: dict[str, str], *, preflight: bool) -> Program:
    """Ada's values, of extensions that exist, in `users` or in the roster."""
    names = {short: scene.tenant.full(short) for short in row}
    rows = {"ada@contoso.example": {names[short]: value for short, value in row.items()}}
    keys = {
        "policyName": "Flex",
        "preflight": preflight,
        "claims": {"email": "user.mail", **{short: f"extension.{name}" for short, name in names.items()}},
        "users": rows if key == "users" else {},
    }
    return declare(scene.emulator, scene.directory, keys, rows if key == "roster" else {})


def swap_names(scene: Scene) -> None:
    """Ada's user principal name becomes Grace's, and Grace's becomes Ada's."""
    ada, grace = (scene.tenant.user(name)["id"] for name in ("ada", "grace"))
    for person, name in ((ada, "former"), (grace, "ada"), (ada, "grace")):
        scene.tenant.do("PATCH", f"/users/{person}", {"userPrincipalName": f"{name}@contoso.example"})


def begin(scene: Scene, first: Program) -> None:
    """The first run, and then the swap."""
    if refusal := scene.stack.up(first).refusal:
        raise RuntimeError(refusal)
    swap_names(scene)
    scene.start_process()


def values_by_id(scene: Scene) -> dict[str, Any]:
    return {row["id"]: row["values"] for row in scene.emulator.export()["users"] if row.get("values")}


@limit
@pytest.mark.parametrize("key", KEYS)
def test_without_preflight_an_extension_is_added_after_the_swap(scene: Scene, key: str) -> None:
    scene.tenant.make_property("areas")
    scene.tenant.write("ada", "xa", "areas")
    scene.tenant.write("grace", "ya", "areas")
    before = values_by_id(scene)
    begin(scene, program(scene, key, {"languages": "a"}, preflight=False))
    scene.stack.up(program(scene, key, {"languages": "a", "areas": "aa"}, preflight=False))
    scene.stack.destroy()
    assert values_by_id(scene) == before


@limit
@pytest.mark.parametrize(("first", "then"), [KEYS, KEYS[::-1]])
def test_without_preflight_a_user_moves_between_the_writers_after_the_swap(scene: Scene, first: str, then: str) -> None:
    before = values_by_id(scene)
    begin(scene, program(scene, first, {"languages": "a"}, preflight=False))
    scene.stack.up(program(scene, then, {"languages": "a"}, preflight=False))
    scene.stack.destroy()
    assert values_by_id(scene) == before


@limit
def test_the_names_are_swapped_between_the_baseline_and_the_roster(scene: Scene) -> None:
    before = values_by_id(scene)

    def make_provider_after_the_swap(kind: str) -> Any:
        if kind == "UserExtensionValues":
            swap_names(scene)
            scene.stack.make_provider = make_provider
        return make_provider(kind)

    scene.stack.make_provider = make_provider_after_the_swap
    scene.stack.up(program(scene, "roster", {"languages": "a"}, preflight=True))
    scene.stack.destroy()
    assert values_by_id(scene) == before
