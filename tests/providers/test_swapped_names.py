"""If this goes red, a user principal name that passes from one person to another makes a stack write a value to somebody
whose former value no baseline has recorded, or show one person's value as another's: `destroy` then leaves this stack's
value with one of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from providers import TENANT
from tests.providers.miniature import Program, declare, make_provider, name_cells
from tests.providers.scenarios import make_provider_after
from tests.providers.test_neighbours import Scene, scene

__all__ = ["scene"]  # a fixture
KEYS = ("users", "roster")
PASSED_ON = "another person has this name now than the baseline recorded: run the same command again, with preflight on"


def program(scene: Scene, key: str, row: dict[str, str], *, preflight: bool) -> Program:
    """Ada's values, of extensions that exist, in `users` or in the roster."""
    names = {short: scene.tenant.full(short) for short in row}
    rows = name_cells({"ada": row}, names)
    keys = {
        "policyName": "Flex",
        "preflight": preflight,
        "claims": {"email": "user.mail", **{short: f"extension.{name}" for short, name in names.items()}},
        "users": rows if key == "users" else {},
    }
    return declare(scene.emulator, scene.directory, keys, rows if key == "roster" else {})


def swap_names(scene: Scene) -> None:
    scene.tenant.swap_names("ada", "grace")


def make_ada_anew(scene: Scene) -> None:
    scene.remove_ada()
    scene.tenant.make_user("ada", "Another Ada")


def values_by_id(scene: Scene) -> dict[str, Any]:
    return {row["id"]: row["values"] for row in scene.emulator.export()["users"] if row.get("values")}


def run_with_preflight(scene: Scene, key: str, row: dict[str, str]) -> None:
    """What the refusal says to do: whoever has the name now holds the values, and nobody else does."""
    scene.start_process()
    scene.stack.make_provider = make_provider
    assert scene.stack.up(program(scene, key, row, preflight=True)).refusal == ""
    assert {short: scene.tenant.value("ada", short) for short in row} == row


def destroy(scene: Scene) -> dict[str, Any]:
    """What everybody holds after it, by object id."""
    scene.start_process()
    assert scene.stack.destroy().refusal == ""
    return values_by_id(scene)


AREAS = {"languages": "a", "areas": "aa"}


def prepare_areas(scene: Scene) -> None:
    scene.tenant.make_property("areas")
    scene.tenant.write("ada", "xa", "areas")
    scene.tenant.write("grace", "ya", "areas")


@pytest.mark.parametrize("repaired", [True, False])
@pytest.mark.parametrize("key", KEYS)
def test_without_preflight_an_extension_is_added_after_the_swap(scene: Scene, key: str, repaired: bool) -> None:
    prepare_areas(scene)
    before = values_by_id(scene)
    assert scene.stack.up(program(scene, key, {"languages": "a"}, preflight=False)).refusal == ""
    swap_names(scene)
    scene.start_process()
    assert PASSED_ON in scene.stack.up(program(scene, key, AREAS, preflight=False)).refusal
    if repaired:
        run_with_preflight(scene, key, AREAS)
    assert destroy(scene) == before


@pytest.mark.parametrize("repaired", [True, False])
@pytest.mark.parametrize(("first", "then"), [KEYS, KEYS[::-1]])
def test_without_preflight_a_user_moves_between_the_writers_after_the_swap(
    scene: Scene, first: str, then: str, repaired: bool
) -> None:
    before = values_by_id(scene)
    assert scene.stack.up(program(scene, first, {"languages": "a"}, preflight=False)).refusal == ""
    swap_names(scene)
    scene.start_process()
    assert PASSED_ON in scene.stack.up(program(scene, then, {"languages": "a"}, preflight=False)).refusal
    if repaired:
        run_with_preflight(scene, then, {"languages": "a"})
    assert destroy(scene) == before


MOMENTS: dict[str, tuple[str, bool, str, int, str]] = {
    # where Ada is declared; preflight; the kind and number of the resource before which it happens; words of the refusal
    "roster, before the write": ("roster", True, "UserExtensionValues", 1, PASSED_ON),
    "roster without preflight, before the write": ("roster", False, "UserExtensionValues", 1, PASSED_ON),
    "user without preflight, before the write": ("users", False, "UserExtensionValue", 1, PASSED_ON),
    "user, before the first baseline": ("users", True, "UserValueBaseline", 1, "than when this run began"),
    "roster, before everything": ("roster", True, "TenantBaseline", 1, "than when this run began"),
    "user, before the second baseline": ("users", True, "UserValueBaseline", 2, "than when this run began"),
    "roster, before the second baseline": ("roster", True, "UserValueBaseline", 2, "than when this run began"),
    "roster without preflight, before the second baseline": ("roster", False, "UserValueBaseline", 2, PASSED_ON),
    "user without preflight, before the second baseline": ("users", False, "UserValueBaseline", 2, PASSED_ON),
}


@pytest.mark.parametrize("repaired", [True, False])
@pytest.mark.parametrize("happening", [swap_names, make_ada_anew])
@pytest.mark.parametrize("moment", MOMENTS)
def test_in_the_middle_of_a_run(scene: Scene, moment: str, happening: Callable[[Scene], None], repaired: bool) -> None:
    key, preflight, kind, number, words = MOMENTS[moment]
    prepare_areas(scene)
    before = values_by_id(scene)
    if happening is make_ada_anew:
        del before[scene.tenant.user("ada")["id"]]
    scene.stack.make_provider = make_provider_after(number, partial(happening, scene), kind)
    assert words in scene.stack.up(program(scene, key, AREAS, preflight=preflight)).refusal
    if repaired:
        run_with_preflight(scene, key, AREAS)
    assert destroy(scene) == before


def test_a_user_by_object_id_is_the_same_whoever_has_the_name(scene: Scene) -> None:
    """The value stays with the person; nothing is refused."""
    before, ada = values_by_id(scene), scene.tenant.user("ada")["id"]
    full = scene.tenant.full("languages")
    keys = {"policyName": "Flex", "preflight": False, "claims": {}, "users": {ada: {full: "a"}}}
    scene.stack.make_provider = make_provider_after(1, partial(swap_names, scene), "UserExtensionValue")
    assert scene.stack.up(declare(scene.emulator, scene.directory, keys, {})).refusal == ""
    assert values_by_id(scene)[ada] == {full: "a"}
    assert destroy(scene) == before


def test_a_refresh_does_not_take_another_persons_value_for_the_users(scene: Scene) -> None:
    """An adopted roster knows its users by name and the beginning of the object id only."""
    row = {"languages": "a"}
    assert scene.stack.up(program(scene, "roster", row, preflight=True)).refusal == ""
    held = scene.stack.state["flex-roster"]
    kind = make_provider("UserExtensionValues").kind
    held.outs["__memory"] = kind.adopt(TENANT.directory(), held.inputs)[1]["__memory"]
    swap_names(scene)
    assert "flex-roster" not in scene.stack.refresh().changed


WRITERS = {"users": "flex-ada@contoso.example", "roster": "flex-roster"}


@pytest.mark.parametrize("happening", [swap_names, make_ada_anew])
@pytest.mark.parametrize("key", KEYS)
def test_a_partial_run_after_one_without_preflight(scene: Scene, key: str, happening: Callable[[Scene], None]) -> None:
    """The table in state then has no ids, so it does not tell one person from the other: its memory does."""
    before = values_by_id(scene)
    if happening is make_ada_anew:
        del before[scene.tenant.user("ada")["id"]]
    assert scene.stack.up(program(scene, key, {"languages": "a"}, preflight=False)).refusal == ""
    happening(scene)
    scene.start_process()
    run = scene.stack.up(program(scene, key, {"languages": "a"}, preflight=True), [WRITERS[key]])
    assert "the baseline in state does not record this" in run.refusal
    assert destroy(scene) == before


def test_a_user_whose_person_is_ignored(scene: Scene) -> None:
    """`ignoreChanges` of `user`: the writer stays with Ada, of whom the baseline no longer has a record."""
    before = values_by_id(scene)
    assert scene.stack.up(program(scene, "users", {"languages": "a"}, preflight=True)).refusal == ""
    swap_names(scene)
    scene.start_process()
    scene.stack.ignored = {WRITERS["users"]: ["user"]}
    assert (
        "drop ignoreChanges of `user`"
        in scene.stack.up(program(scene, "users", {"languages": "b"}, preflight=True)).refusal
    )
    scene.stack.ignored = {}
    assert destroy(scene) == before
