"""If this goes red, a cell that moves from one baseline of a state to another loses what the person held before: because
a user moves to another component, or because a component or a baseline has another name."""

from __future__ import annotations

import pulumi
import pytest

from tests.providers.miniature import Program, declare
from tests.providers.test_neighbours import Scene, scene

__all__ = ["scene"]  # a fixture
FLEX, STAGING = ("flex", "Twilio Flex"), ("staging", "Twilio Flex Staging")
Components = list[tuple[str, str, str]]
"""Name, principal, and the value of an administrator's extension that it gives Ada; "" for none."""


def component(scene: Scene, name: str, principal: str, value: str) -> Program:
    full = scene.tenant.full("languages")
    keys = {
        "servicePrincipal": principal,
        "policyName": f"Policy of {name}",
        "claims": {"languages": f"extension.{full}"},
        "users": {"ada@contoso.example": {full: value}} if value else {},
    }
    return declare(scene.emulator, scene.directory, keys, {}, name)


def program(scene: Scene, components: Components) -> Program:
    made = [component(scene, *given) for given in components]
    return lambda: pulumi.Output.all(*(build() for build in made))


MOVES: dict[str, tuple[Components, Components]] = {
    # the components of the first run, and of the second
    "to another component": ([(*STAGING, ""), (*FLEX, "a")], [(*STAGING, "a"), (*FLEX, "")]),
    "to another component, with another value": ([(*STAGING, ""), (*FLEX, "a")], [(*STAGING, "b"), (*FLEX, "")]),
    "to a new component, whose predecessor goes": ([(*STAGING, "a")], [(*FLEX, "a")]),
    "to a new component, with another value": ([(*STAGING, "a")], [(*FLEX, "b")]),
}
REFUSED = (
    "another baseline of this program has recorded this stack's value of ada@contoso.example as the one from before"
)


def run(scene: Scene, components: Components) -> str:
    scene.start_process()
    return scene.stack.up(program(scene, components)).refusal


@pytest.mark.parametrize("afterwards", ["declared as before", "repeated", "repeated in another order", "destroyed"])
@pytest.mark.parametrize("move", MOVES)
def test_a_user_moves_between_components_of_one_program(scene: Scene, move: str, afterwards: str) -> None:
    """The new baseline is made before the former one restores."""
    before = scene.values()
    first, second = MOVES[move]
    assert run(scene, first) == ""
    assert REFUSED in run(scene, second)
    if afterwards == "declared as before":
        assert run(scene, first) == ""
        assert scene.values()[0] == "a"
    elif afterwards == "repeated":
        scene.stack.refresh()
        assert REFUSED in run(scene, second)
    elif afterwards == "repeated in another order":
        run(scene, second[::-1])  # the former baseline may restore before the new one is looked at
        scene.stack.refresh()
        run(scene, second[::-1])
    scene.start_process()
    scene.destroy()
    assert scene.values() == before


def test_a_user_moves_in_two_runs(scene: Scene) -> None:
    """As the refusal says; and in one run, if the former baseline restores first."""
    before = scene.values()
    for components in (
        [(*FLEX, "a")],
        [(*FLEX, ""), (*STAGING, "")],
        [(*FLEX, ""), (*STAGING, "b")],
        [(*STAGING, "c")],
    ):
        assert run(scene, components) == ""
        scene.start_process()
    assert scene.values()[0] == "c"
    assert run(scene, [(*FLEX, "d"), (*STAGING, "")]) != ""  # flex is new, and comes first
    assert run(scene, [(*STAGING, "c")]) == ""
    scene.start_process()
    scene.destroy()
    assert scene.values() == before


def unassign(scene: Scene) -> None:
    scene.tenant.unassign(scene.tenant.assigned()[0])


@pytest.mark.parametrize("value", ["a", "b"])
def test_a_component_has_another_name_while_its_policy_is_unassigned(scene: Scene, value: str) -> None:
    """The tenant baseline does not notice it then."""
    before = scene.values()
    assert run(scene, [(*FLEX, "a")]) == ""
    unassign(scene)
    assert REFUSED in run(scene, [("main", "Twilio Flex", value)])
    scene.start_process()
    scene.destroy()
    assert scene.values() == before
    assert scene.emulator.export() == scene.before


def test_a_baseline_is_renamed_in_the_state(scene: Scene) -> None:
    before = scene.values()
    assert run(scene, [(*FLEX, "a")]) == ""
    name = f"flex-{scene.tenant.full('languages')}-before"
    state = scene.stack.state
    scene.stack.state = {("other" if key == name else key): held for key, held in state.items()}
    for held in scene.stack.state.values():
        held.dependencies = {
            key: {"other" if dependency == name else dependency for dependency in names}
            for key, names in held.dependencies.items()
        }
    for _ in range(2):
        assert REFUSED in run(scene, [(*FLEX, "a")])
    scene.start_process()
    scene.destroy()
    assert scene.values() == before
