"""If this goes red, an option of a resource, another name of the component or an older state loses what somebody held
before, or leaves a stack that cannot go on.

Each resource of a stack gets each option, in a create, a change and a removal, under the engine in miniature
(`tests/engine/test_options.py` shows that the engine is like it).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from providers import TENANT, Connection
from tests.emulator.process import Emulator
from tests.engine.stack import Tenant
from tests.providers.scenarios import SCENARIOS, Moment, Scenario, holds, prepare

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


@pytest.mark.parametrize("name", SCENARIOS)
def test_protect(make_scenario: MakeScenario, name: str) -> None:
    scenario = make_scenario(name)
    problems = {}
    for resource in scenario.names:
        stack = scenario.start.open(scenario.emulator)
        stack.protected = {resource}
        refusal = stack.up(scenario.program()).refusal
        if refusal and "is protected" not in refusal:
            problems[resource] = refusal
        before = scenario.emulator.export()
        if resource in stack.state and "is protected" not in stack.destroy().refusal:
            problems[resource] = "destroy ran"
        if scenario.emulator.export() != before:
            problems[resource] = "a refused destroy changed something"
        stack.protected = ()
        if problem := finish(scenario, Moment.save(stack, scenario.emulator)):
            problems[resource] = problem
    assert problems == {}


@pytest.mark.parametrize("name", [name for name, (first, _) in SCENARIOS.items() if first])
def test_ignore_changes(make_scenario: MakeScenario, name: str) -> None:
    """Of each input of each resource: the run does without, or refuses in one line."""
    scenario = make_scenario(name)
    problems = {}
    for resource, held in scenario.start.stack.state.items():
        for key in held.inputs:
            stack = scenario.start.open(scenario.emulator)
            stack.ignored = {resource: {key}}
            print(resource, key, stack.up(scenario.program()).refusal)
            stack.ignored = {}
            if problem := finish(scenario, Moment.save(stack, scenario.emulator)):
                problems[resource, key] = problem
    assert problems == {}


@pytest.mark.parametrize("name", SCENARIOS)
def test_retain_on_delete(make_scenario: MakeScenario, name: str) -> None:
    scenario = make_scenario(name)
    problems = {}
    for resource in scenario.names:
        stack = scenario.start.open(scenario.emulator)
        stack.retained = {resource}
        assert stack.up(scenario.program()).refusal == ""
        assert stack.destroy().refusal == ""
        if scenario.emulator.export() != scenario.before:
            problems[resource] = "another tenant"
    assert problems == {}


@pytest.mark.parametrize("name", SCENARIOS)
@pytest.mark.parametrize("command", ["up", "refresh, up", "destroy"])
def test_older_state(make_scenario: MakeScenario, name: str, command: str) -> None:
    scenario = make_scenario(name)
    stack = scenario.start.open(scenario.emulator)
    stack.up(scenario.program())
    older = Moment(scenario.start.stack, scenario.emulator.export()).open(scenario.emulator)
    if "refresh" in command:
        older.refresh()
    if "up" in command:
        assert older.up(scenario.program()).refusal == ""
    assert older.destroy().refusal == ""
    assert scenario.emulator.export() == scenario.before
