"""A stack of each kind of resource up to a moment from which a test goes on more than once. A helper."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.emulator.process import Emulator
from tests.engine.stack import Tenant, seed
from tests.providers.miniature import Cells, Miniature, Program, declare, make_provider, name_cells
from tests.providers.quick_connection import connect


@dataclass(frozen=True)
class Declaration:
    users: Cells
    roster: Cells
    extensions: tuple[str, ...] = ()
    """made by the stack; `languages` is the administrator's"""
    policy_name: str = "Flex"
    email: str = "user.mail"
    component: str = "flex"
    principal: str = "Twilio Flex"
    rules: dict[str, str] = field(default_factory=dict)
    preflight: bool = True

    def program(self, tenant: Tenant, directory: Path) -> Program:
        names = {"languages": tenant.full("languages"), **{short: short for short in self.extensions}}

        keys = {
            "servicePrincipal": self.principal,
            "policyName": self.policy_name,
            "claims": {"email": self.email, **{short: f"extension.{name}" for short, name in names.items()}},
            "extensions": dict.fromkeys(self.extensions, "String"),
            "users": name_cells(self.users, names),
            "rules": self.rules,
            "preflight": self.preflight,
        }
        return declare(tenant.emulator, directory, keys, name_cells(self.roster, names), self.component)


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
    "users come": (replace(FIRST, users={}, roster={}), FIRST),
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


def make_provider_after(number: int, happening: Callable[[], object], kind: str = "") -> Callable[[str], Any]:
    """Of a `Miniature`, in whose run something happens before its step of that number; with a kind, of that kind."""
    numbers = itertools.count(1)

    def make(asked: str) -> Any:
        if kind in ("", asked) and next(numbers) == number:
            happening()
        return make_provider(asked)

    return make


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
