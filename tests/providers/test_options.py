"""If this goes red, an option of a resource, another name of the component or an older state loses what somebody held
before, or leaves a stack that cannot go on.

Each resource of a stack gets each option, in a create, a change and a removal, under the engine in miniature
(`tests/engine/test_options.py` shows that the engine is like it).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from providers import TENANT, Connection, provider_class
from tests.emulator.process import Emulator
from tests.engine.stack import Tenant
from tests.providers.scenarios import FIRST, SCENARIOS, WITH_TEAM, Moment, Scenario, holds, prepare
from tests.torture import add_figures, is_whole_run

SHARE = [*SCENARIOS] if is_whole_run() else ["change", "an extension leaves"]
MakeScenario = Callable[[str], Scenario]


@pytest.fixture
def make_scenario(emulator: Emulator, tmp_path: Path) -> Iterator[MakeScenario]:
    yield partial(prepare, emulator, tmp_path)
    TENANT.configure(Connection())


def finish(scenario: Scenario, moment: Moment) -> str:
    """From this moment: destroy; and a full `up`, then destroy. What went wrong, "" if nothing did."""
    for with_full_up in (False, True):
        stack = moment.open(scenario.emulator)
        if with_full_up:
            if refusal := stack.up(scenario.program()).refusal:
                return f"the full up is refused: {refusal}"
            if not holds(scenario.goal, Tenant(scenario.emulator)):
                return "after the full up the tenant is not as declared"
        if refusal := stack.destroy().refusal:
            return f"destroy is refused: {refusal}"
        if scenario.emulator.export() != scenario.before:
            return f"destroy{' after a full up' if with_full_up else ''} leaves another tenant"
    return ""


@pytest.mark.torture
@pytest.mark.parametrize("name", SHARE)
def test_protect(make_scenario: MakeScenario, name: str) -> None:
    scenario = make_scenario(name)
    problems = {}
    for resource in scenario.names:
        stack = scenario.start.open(scenario.emulator)
        stack.protected = {resource}
        refusal = stack.up(scenario.program()).refusal
        if refusal and "is protected" not in refusal:
            problems[resource] = refusal
        if resource in stack.state and "is protected" not in stack.destroy().refusal:
            problems[resource] = "destroy ran"
        stack.protected = ()
        if problem := finish(scenario, Moment.save(stack, scenario.emulator)):
            problems[resource] = problem
    add_figures("options", protect=len(scenario.names), that_do_not_converge=len(problems))
    assert problems == {}


@pytest.mark.torture
@pytest.mark.parametrize("name", SHARE if is_whole_run() else SHARE[:1])
def test_ignore_changes(make_scenario: MakeScenario, name: str) -> None:
    """Of each input of each resource in state: the run does without, or refuses in one line."""
    scenario = make_scenario(name)
    problems: dict[tuple[str, str], str] = {}
    runs = 0
    for resource, held in scenario.start.stack.state.items():
        arguments = provider_class(held.kind).kind.arguments
        for key in [key for key in held.inputs if not arguments[key].computed]:
            stack = scenario.start.open(scenario.emulator)
            stack.ignored, runs = {resource: {key}}, runs + 1
            refusal = stack.up(scenario.program()).refusal
            stack.ignored = {}
            problem = finish(scenario, Moment.save(stack, scenario.emulator))
            if problem or not re.fullmatch(
                r"(.+(; add --target .+ or ignoreChanges|; drop ignoreChanges, or .+))?", refusal
            ):
                problems[resource, key] = problem or refusal
    add_figures("options", ignoreChanges=runs, that_do_not_converge=len(problems))
    assert problems == {}


@pytest.mark.torture
@pytest.mark.parametrize("name", SHARE)
def test_retain_on_delete(make_scenario: MakeScenario, name: str) -> None:
    """Only what a retained baseline or property is itself stays; a writer and the policy leave nothing."""
    scenario = make_scenario(name)
    left: dict[str, set[str]] = {}
    for resource in scenario.names:
        stack = scenario.start.open(scenario.emulator)
        stack.retained = {resource}
        assert stack.up(scenario.program()).refusal == ""
        assert stack.destroy().refusal == ""
        before, after = scenario.before, scenario.emulator.export()
        left[resource.removeprefix("flex-")] = {key for key in before if before[key] != after[key]}
    add_figures("options", retainOnDelete=len(scenario.names))
    assert left.pop("tenant") == {"assignments"}
    team = left.pop("team-before", {"extensionProperties", "users"})
    assert team == {"extensionProperties", "users"}, "the values stay, and so their property does"
    languages = left.pop(f"{Tenant(scenario.emulator).full('languages')}-before")
    assert languages == (set() if name == "users leave" else {"users"})
    if name == "an extension leaves":
        assert left.pop("team") == {"extensionProperties"}
    assert {resource: keys for resource, keys in left.items() if keys} == {}


OLDER_STATE_REFUSED = ("create", "change", "an extension comes")


@pytest.mark.parametrize("name", SCENARIOS)
@pytest.mark.parametrize("command", ["up", "refresh, up", "destroy"])
def test_older_state(make_scenario: MakeScenario, name: str, command: str) -> None:
    """State is rolled back to before the goal. `up` refuses to take the newer objects over, or does as declared, and
    destroy restores. What only the newer state records stays, in any case; with that state, all is restored."""
    scenario = make_scenario(name)
    newest = scenario.start.open(scenario.emulator)
    newest.up(scenario.program())
    older = Moment(scenario.start.stack, scenario.emulator.export()).open(scenario.emulator)
    restores = name in ("users leave", "an extension leaves", "moves to the roster")
    if "refresh" in command:
        older.refresh()
    if "up" in command:
        before = scenario.emulator.export()
        refusal = older.up(scenario.program()).refusal
        assert ("import the newest export of that state first" in refusal) == (name in OLDER_STATE_REFUSED), refusal
        if refusal:
            assert scenario.emulator.export() == before
    if command == "destroy" or name not in OLDER_STATE_REFUSED:
        assert older.destroy().refusal == ""
        is_restored = scenario.emulator.export() == scenario.before
        assert is_restored == (name == "users leave" if command == "destroy" else restores)
    assert newest.destroy().refusal == ""
    assert scenario.emulator.export() == scenario.before


OTHER_NAMES: dict[str, tuple[str, str, str, bool]] = {
    # the policy's name, then the component's other name, the policy's other name, preflight
    "policyName": ("Flex", "main", "Flex", True),
    "default name": ("", "main", "", True),
    "another case": ("", "Flex", "", True),
    "without preflight": ("", "main", "", False),
    "another policyName too": ("Flex", "main", "Flex 2", True),
}


@pytest.mark.parametrize("names", OTHER_NAMES.values(), ids=list(OTHER_NAMES))
def test_another_name_of_the_component(make_scenario: MakeScenario, names: tuple[str, str, str, bool]) -> None:
    """Its new baselines would record this stack's own values as those from before. (The parent is part of the name.)"""
    policy_name, component, then_policy, preflight = names
    scenario = make_scenario("create")
    scenario.goal = replace(WITH_TEAM, policy_name=policy_name, extensions=(), users=FIRST.users, preflight=preflight)
    stack = scenario.start.open(scenario.emulator)
    assert stack.up(scenario.program()).refusal == ""
    before, goal, state = scenario.emulator.export(), scenario.goal, set(stack.state)
    scenario.goal = replace(goal, component=component, policy_name=then_policy)
    assert "which flexsaml made: if this stack did, name the component" in stack.up(scenario.program()).refusal
    assert scenario.emulator.export() == before
    assert set(stack.state) == state
    scenario.goal = goal
    assert stack.up(scenario.program()).changed == []
    assert stack.destroy().refusal == ""
    assert scenario.emulator.export() == scenario.before
