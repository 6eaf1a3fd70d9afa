"""If this goes red, `pulumi up --target` or `--exclude` loses what somebody held before, or leaves a stack that a full
`up` cannot finish.

Every subset of a stack's resources runs alone, as `--target` of the subset and therefore as `--exclude` of all others,
in a create, a change and a removal, under the engine in miniature.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from providers import TENANT, Connection
from tests.emulator.process import Emulator
from tests.engine.stack import Tenant
from tests.providers.miniature import Props
from tests.providers.scenarios import SCENARIOS, Moment, Scenario, holds, prepare
from tests.torture import add_figures, is_whole_run


@pytest.fixture
def make_scenario(emulator: Emulator, tmp_path: Path) -> Iterator[Callable[[str], Scenario]]:
    yield partial(prepare, emulator, tmp_path)
    TENANT.configure(Connection())


def subsets(names: list[str]) -> list[frozenset[str]]:
    """All of them, smallest first."""
    sizes = range(len(names) + 1)
    return [frozenset(chosen) for size in sizes for chosen in itertools.combinations(names, size)]


def run_subset(scenario: Scenario, subset: frozenset[str], falsify: Callable[[Props], None] | None = None) -> str:
    """The partial run, then destroy; and the same partial run, then a full `up`, then destroy. A refusal that names a
    target is followed. Returns what went wrong, "" if nothing did."""
    emulator, names = scenario.emulator, set(subset)
    stack = scenario.start.open(emulator)
    stack.falsify = falsify
    while refusal := stack.up(scenario.program(), names).refusal:
        targets = set(re.findall(r"--target '\*\*::([^']+)'", refusal))
        if targets <= names:
            if not re.search("was not specified in --target|depends on", refusal):
                return f"a refusal that names nothing to add: {refusal}"
            break
        names |= targets
    stack.falsify = None
    moment = Moment.save(stack, emulator)
    for with_full_up in (False, True):
        stack = moment.open(emulator) if with_full_up else stack
        if with_full_up:
            if refusal := stack.up(scenario.program()).refusal:
                return f"the full up is refused: {refusal}"
            if not holds(scenario.goal, Tenant(emulator)):
                return "after the full up the tenant is not as declared"
        if refusal := stack.destroy().refusal:
            return f"destroy is refused: {refusal}"
        if emulator.export() != scenario.before:
            return f"destroy{' after a full up' if with_full_up else ''} leaves another tenant"
    return ""


@pytest.mark.torture
@pytest.mark.parametrize("name", SCENARIOS)
def test_every_subset(make_scenario: Callable[[str], Scenario], name: str) -> None:
    """A whole run takes ten minutes; a share has the subsets of at most one resource, those without at most one, and
    one in forty of the others."""
    scenario = make_scenario(name)
    chosen, most = subsets(scenario.names), len(scenario.names) - 1
    if not is_whole_run():
        chosen = [
            subset
            for number, subset in enumerate(chosen)
            if number % 40 == 0 or len(subset) <= 1 or len(subset) >= most
        ]
    problems = {",".join(sorted(subset)): problem for subset in chosen if (problem := run_subset(scenario, subset))}
    add_figures("partial-runs", subsets=len(chosen), that_do_not_converge=len(problems))
    assert problems == {}


def believe_all_is_recorded(props: Props) -> None:
    """As a flag would say it."""
    for record in props.get("recorded", {}).values():
        if isinstance(record, dict):
            record["unrecorded"] = []


@pytest.mark.parametrize("name", ["flex-ada@contoso.example", "flex-roster"])
def test_a_writer_that_believes_a_flag_loses_what_a_person_held(
    make_scenario: Callable[[str], Scenario], name: str
) -> None:
    """A test of the test above: without the proof it goes red."""
    scenario = make_scenario("change")
    assert run_subset(scenario, frozenset({name})) == ""
    assert run_subset(scenario, frozenset({name}), believe_all_is_recorded) != ""
