"""If this goes red, `pulumi up --target` or `--exclude` loses what somebody held before, or leaves a stack that a full
`up` cannot finish.

Every subset of a stack's resources runs alone, as `--target` of the subset and therefore as `--exclude` of all others,
in a create, a change and a removal, under the engine in miniature.
"""

from __future__ import annotations

import copy
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from providers import TENANT, Connection
from tests.emulator.process import Emulator
from tests.engine.stack import Tenant, seed
from tests.providers.miniature import Miniature, Program, Props, connect, declare
from tests.torture import add_figures, is_whole_run

Cells = dict[str, dict[str, str]]
"""User's short name to extension's short name to value."""


@dataclass(frozen=True)
class Declaration:
    users: Cells
    roster: Cells
    extensions: tuple[str, ...] = ()
    """made by the stack; `languages` is the administrator's"""
    policy_name: str = "Flex"
    email: str = "user.mail"

    def program(self, tenant: Tenant, directory: Path) -> Program:
        names = {"languages": tenant.full("languages"), **{short: short for short in self.extensions}}

        def rows(cells: Cells) -> Cells:
            return {
                f"{user}@contoso.example": {names[short]: value for short, value in row.items()}
                for user, row in cells.items()
            }

        keys = {
            "policyName": self.policy_name,
            "claims": {"email": self.email, **{short: f"extension.{name}" for short, name in names.items()}},
            "extensions": dict.fromkeys(self.extensions, "String"),
            "users": rows(self.users),
        }
        return declare(tenant.emulator, directory, keys, rows(self.roster))


FIRST = Declaration(users={"ada": {"languages": "a"}}, roster={"grace": {"languages": "b"}})
SECOND = Declaration(
    users={"ada": {"languages": "c"}},
    roster={"grace": {"languages": "d"}},
    policy_name="Flex 2",
    email="user.othermail",
)
WITH_TEAM = replace(FIRST, users={"ada": {"languages": "c", "team": "red"}}, extensions=("team",))
SCENARIOS: dict[str, tuple[Declaration | None, Declaration]] = {
    "create": (None, WITH_TEAM),
    "change": (FIRST, SECOND),
    "users leave": (FIRST, replace(FIRST, users={}, roster={})),
    "an extension comes": (FIRST, WITH_TEAM),
    "an extension leaves": (WITH_TEAM, FIRST),
    "moves to the roster": (FIRST, replace(FIRST, users={}, roster={**FIRST.roster, "ada": {"languages": "c"}})),
}


@dataclass
class Moment:
    """A stack and its tenant, to go on from more than once."""

    stack: Miniature
    tenant: dict[str, Any]

    @staticmethod
    def save(stack: Miniature, emulator: Emulator) -> Moment:
        return Moment(copy.deepcopy(stack), emulator.export())

    def open(self, emulator: Emulator) -> Miniature:
        seed(emulator, self.tenant)
        connect(emulator)
        return copy.deepcopy(self.stack)


@dataclass
class Scenario:
    """Up to its partial run."""

    emulator: Emulator
    directory: Path
    before: dict[str, Any]
    """the tenant before the stack made anything"""
    start: Moment
    goal: Declaration
    names: list[str]
    """of all resources that a run may touch"""

    def program(self) -> Program:
        return self.goal.program(Tenant(self.emulator), self.directory)


@pytest.fixture
def make_scenario(emulator: Emulator, tmp_path: Path) -> Iterator[Callable[[str], Scenario]]:
    yield partial(prepare, emulator, tmp_path)
    TENANT.configure(Connection())


def prepare(emulator: Emulator, directory: Path, name: str) -> Scenario:
    """Before: a displaced policy is assigned; Ada and Grace hold values of a property of theirs."""
    first, goal = SCENARIOS[name]
    seed(emulator)
    connect(emulator)
    tenant, stack = Tenant(emulator), Miniature()
    tenant.assign(tenant.make_policy("older"))
    tenant.make_property("languages")
    tenant.write("ada", "x")
    tenant.write("grace", "y")
    before = emulator.export()
    if first:
        assert stack.up(first.program(tenant, directory)).refusal == ""
    scenario = Scenario(emulator, directory, before, Moment.save(stack, emulator), goal, [])
    run = stack.up(scenario.program())
    assert run.refusal == ""
    scenario.names = list(dict.fromkeys([*run.settled, *scenario.start.stack.state]))
    return scenario


def subsets(names: list[str]) -> list[frozenset[str]]:
    """All of them, smallest first."""
    sizes = range(len(names) + 1)
    return [frozenset(chosen) for size in sizes for chosen in itertools.combinations(names, size)]


def holds(goal: Declaration, tenant: Tenant) -> bool:
    """Whether the tenant is as declared."""
    rows = {**goal.users, **goal.roster}
    wanted = {"ada": {"languages": "x"}, "grace": {"languages": "y"}}
    wanted = {user: {**prior, **rows.get(user, {})} for user, prior in wanted.items()}
    live = {
        user: {short: value for short in ("languages", "team") if (value := tenant.value(user, short)) is not None}
        for user in wanted
    }
    policies = {row["id"]: row["displayName"] for row in tenant.policies()}
    assigned = [policies[id_] for id_ in tenant.assigned()]
    own = {tenant.full(short) for short in goal.extensions} | {tenant.full("languages")}
    return live == wanted and assigned == [goal.policy_name] and own == set(tenant.properties())


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
    every sixteenth of the others."""
    scenario = make_scenario(name)
    chosen, most = subsets(scenario.names), len(scenario.names) - 1
    if not is_whole_run():
        chosen = [
            subset
            for number, subset in enumerate(chosen)
            if number % 16 == 0 or len(subset) <= 1 or len(subset) >= most
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
