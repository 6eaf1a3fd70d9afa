"""If this goes red, `pulumi up --target` or `--exclude` loses what somebody held before, or leaves a stack that a full
`up` cannot finish.

Every subset of a stack's resources runs alone, as `--target` of the subset and therefore as `--exclude` of all others,
in a create, a change and a removal. Kinds and directory calls are the real ones, on the emulator; `PartialStack` is the
engine. What it does with resources that do not run was tried on the real one (`tests/engine/test_targets.py`).
"""

from __future__ import annotations

import copy
import itertools
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from flexsaml.errors import UserError
from providers import Connection, provider_class
from providers.kinds.record import find_unrecorded_users
from providers.tenant import TENANT
from tests.emulator.process import Emulator
from tests.engine.stack import Tenant, seed
from tests.providers.miniature import Held, Props
from tests.providers.process import packed
from tests.torture import add_figures, is_whole_run

Cells = dict[str, dict[str, str]]
"""User's short name to extension's short name to value."""


class EngineRefuses(Exception):
    """The engine ends the command by itself: a dependency was never made, or a dependent would stay behind."""


class KindRefuses(Exception):
    """`check` failed, or a call raised a `UserError`; the text is its line."""


class Outputs:
    """The outputs of other resources, as the engine hands them out: from state, whether they ran or not."""

    def __init__(self, state: Mapping[str, Held]) -> None:
        self._state = state
        self.dependencies: set[str] = set()

    def __getitem__(self, name: str) -> Props:
        self.dependencies.add(name)
        if name not in self._state:
            raise EngineRefuses(f"{name} was not specified in --target, and is needed")
        held = self._state[name]
        return {**held.outs, "id": held.id}


Declared = dict[str, tuple[str, Callable[[Outputs], Props]]]


@dataclass
class PartialStack:
    """State, and commands that run a subset of the resources."""

    state: dict[str, Held] = field(default_factory=dict)
    dependencies: dict[str, set[str]] = field(default_factory=dict)

    def up(self, declared: Declared, names: Collection[str]) -> None:
        """Run the resources of these names, in order; the others keep their state, and their new inputs are ignored."""
        for name, (kind, make_props) in declared.items():
            if name in names:
                self._settle(name, kind, make_props)
        for name in [name for name in reversed(self.state) if name not in declared and name in names]:
            self._delete(name)

    def destroy(self) -> None:
        """Dependents first, else the latest first."""
        while self.state:
            self._delete(next(name for name in reversed(self.state) if not self._dependents(name)))

    def _dependents(self, name: str) -> list[str]:
        return [other for other in self.state if name in self.dependencies[other]]

    def _settle(self, name: str, kind: str, make_props: Callable[[Outputs], Props]) -> None:
        outputs = Outputs(self.state)
        props = make_props(outputs)
        provider, held = provider_class(kind)(), self.state.get(name)
        checked = provider.check(held.inputs if held else {}, props)
        if checked.failures:
            raise KindRefuses("; ".join(failure.reason for failure in checked.failures))
        inputs = checked.inputs
        self.dependencies[name] = outputs.dependencies
        try:
            if held is None:
                created = provider.create(inputs)
                self.state[name] = Held(kind, created.id, inputs, created.outs or {})
                return
            verdict = provider.diff(held.id, held.outs, inputs)
            assert verdict.replaces == []
            outs = (provider.update(held.id, held.outs, inputs).outs or {}) if verdict.changes else held.outs
            self.state[name] = Held(kind, held.id, inputs, outs)
        except UserError as problem:
            raise KindRefuses(str(problem)) from problem

    def _delete(self, name: str) -> None:
        if dependents := self._dependents(name):
            raise EngineRefuses(f"{', '.join(dependents)} depends on {name}")
        held = self.state[name]
        provider_class(held.kind)().delete(held.id, held.outs)
        del self.state[name]


@dataclass(frozen=True)
class Declaration:
    users: Cells
    roster: Cells
    extensions: tuple[str, ...] = ()
    """made by the stack; `languages` is the administrator's"""
    policy_name: str = "Flex"
    email: str = "user.mail"

    def resources(self, tenant: Tenant, *, believed: bool = False) -> Declared:
        """What the component registers; `tenant` is what preflight sees. With `believed`, a writer is told that all
        is recorded, as a flag would."""
        principal, ids = tenant.principal["id"], {name: str(tenant.user(name)["id"]) for name in ("ada", "grace")}
        full_names = {short: tenant.full(short) for short in ("languages", *self.extensions)}
        languages = f"{tenant.application['id']}/{tenant.properties()[full_names['languages']]['id']}"
        live = {name: row["id"] for name, row in tenant.properties().items()}
        policies = {row["id"]: row["displayName"] for row in tenant.policies()}
        tenant_baseline: Props = {
            "service_principal_id": principal,
            "application_id": tenant.application["id"],
            "app_id": tenant.application["appId"],
            "properties": [full_names[short] for short in self.extensions],
            "policy_name": self.policy_name,
            "replace_existing": True,
            "seen_properties": live,
            "seen_policies": {id_: name for id_, name in policies.items() if name == self.policy_name},
        }

        def names(outputs: Outputs, key: str) -> Props:
            recorded = outputs["tenant"][key]
            return {"baseline": "tenant", "names": [recorded] if isinstance(recorded, str) else recorded}

        def extension(short: str) -> Callable[[Outputs], Props]:
            return lambda outputs: {
                "application_id": tenant.application["id"],
                "app_id": tenant.application["appId"],
                "name": short,
                "baseline": outputs["tenant"]["id"],
                "recorded": names(outputs, "properties"),
            }

        def table(short: str) -> str:
            cells = {user: row[short] for user, row in {**self.users, **self.roster}.items() if short in row}
            return packed({f"{user}@contoso.example": cell for user, cell in cells.items()}, upns)

        def value_baseline(short: str) -> Callable[[Outputs], Props]:
            return lambda outputs: {
                "extension": outputs[short]["id"] if short in self.extensions else languages,
                "full_name": full_names[short],
                "__cells": table(short),
            }

        def record(outputs: Outputs, short: str, users: Collection[str]) -> Props:
            unrecorded = find_unrecorded_users(table(short), outputs[f"{short}-before"]["__cells"])
            users = {f"{user}@contoso.example" for user in users}
            return {"baseline": f"{short}-before", "unrecorded": [] if believed else sorted(users & unrecorded)}

        def written(outputs: Outputs, rows: Cells) -> Props:
            used = sorted({short for row in rows.values() for short in row})
            return {
                "types": {full_names[short]: "String" for short in used},
                "extensions": {full_names[short]: outputs[f"{short}-before"]["extension"] for short in used},
                "baselined": True,
                "recorded": {full_names[short]: record(outputs, short, rows) for short in used},
            }

        def user_value(name: str) -> Callable[[Outputs], Props]:
            return lambda outputs: {
                "user": ids[name],
                "values": {full_names[short]: value for short, value in self.users[name].items()},
                **written(outputs, {name: self.users[name]}),
            }

        def roster(outputs: Outputs) -> Props:
            rows = {
                f"{user}@contoso.example": {full_names[short]: value for short, value in row.items()}
                for user, row in self.roster.items()
            }
            return {
                "service_principal_id": principal,
                "roster": "agents.csv",
                "__cells": packed(rows, upns),
                **written(outputs, self.roster),
            }

        def policy(outputs: Outputs) -> Props:
            own = {short: f"extension.{short}" for short in self.extensions}
            return {
                "display_name": self.policy_name,
                "claims": {"email": self.email, "languages": f"user.{full_names['languages']}", **own},
                "extensions": {short: outputs[short]["full_name"] for short in self.extensions},
                "baseline": outputs["tenant"]["id"],
                "recorded": names(outputs, "policy_name"),
            }

        def assignment(outputs: Outputs) -> Props:
            return {
                "service_principal_id": outputs["tenant"]["id"],
                "policy_id": outputs["policy"]["id"],
                "displaces": outputs["tenant"]["displaced"],
                "replace_existing": True,
                "seen_assigned": {id_: policies[id_] for id_ in tenant.assigned()},
            }

        upns = {f"{name}@contoso.example": id_ for name, id_ in ids.items()}
        declared: Declared = {"tenant": ("TenantBaseline", lambda _outputs: tenant_baseline)}
        declared |= {short: ("ExtensionProperty", extension(short)) for short in self.extensions}
        declared |= {f"{short}-before": ("UserValueBaseline", value_baseline(short)) for short in full_names}
        declared["roster"] = ("UserExtensionValues", roster)
        declared |= {name: ("UserExtensionValue", user_value(name)) for name in self.users}
        declared["policy"] = ("ClaimsMappingPolicy", policy)
        declared["assignment"] = ("PolicyAssignment", assignment)
        return declared


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

    stack: PartialStack
    tenant: dict[str, Any]

    @staticmethod
    def save(stack: PartialStack, emulator: Emulator) -> Moment:
        return Moment(copy.deepcopy(stack), emulator.export())

    def open(self, emulator: Emulator) -> PartialStack:
        seed(emulator, self.tenant)
        connect(emulator)
        return copy.deepcopy(self.stack)


def connect(emulator: Emulator) -> None:
    TENANT.configure(Connection("loopback", graph_endpoint=emulator.http, login_endpoint=emulator.http))


@dataclass
class Prepared:
    """A scenario up to its partial run."""

    before: dict[str, Any]
    """the tenant before the stack made anything"""
    start: Moment
    goal: Declaration
    names: list[str]
    """of all resources that a run may touch"""


@pytest.fixture(params=list(SCENARIOS))
def prepared(request: pytest.FixtureRequest, emulator: Emulator) -> Iterator[Prepared]:
    first, goal = SCENARIOS[request.param]
    yield prepare(emulator, first, goal)
    TENANT.configure(Connection())


def prepare(emulator: Emulator, first: Declaration | None, goal: Declaration) -> Prepared:
    """Before: a displaced policy is assigned; Ada and Grace hold values of a property of theirs."""
    seed(emulator)
    connect(emulator)
    tenant, stack = Tenant(emulator), PartialStack()
    tenant.assign(tenant.make_policy("older"))
    tenant.make_property("languages")
    tenant.write("ada", "x")
    tenant.write("grace", "y")
    before = emulator.export()
    if first:
        declared = first.resources(Tenant(emulator))
        stack.up(declared, declared)
    names = dict.fromkeys([*goal.resources(Tenant(emulator)), *stack.state])
    return Prepared(before, Moment.save(stack, emulator), goal, list(names))


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


def run_subset(prepared: Prepared, emulator: Emulator, subset: frozenset[str], *, believed: bool = False) -> str:
    """The partial run, then destroy; and the same partial run, then a full `up`, then destroy. A refusal that names a
    target is followed. Returns what went wrong, "" if nothing did."""
    stack, names = prepared.start.open(emulator), set(subset)
    while True:
        declared = prepared.goal.resources(Tenant(emulator), believed=believed)
        try:
            stack.up(declared, names)
        except KindRefuses as refusal:
            targets = set(re.findall(r"--target '\*\*::([^']+)'", str(refusal)))
            if not targets - names:
                return f"a refusal that names nothing to add: {refusal}"
            names |= targets
            continue
        except EngineRefuses:
            pass
        break
    partial = Moment.save(stack, emulator)
    for with_full_up in (False, True):
        stack = partial.open(emulator) if with_full_up else stack
        try:
            if with_full_up:
                declared = prepared.goal.resources(Tenant(emulator))
                stack.up(declared, {*declared, *stack.state})
                if not holds(prepared.goal, Tenant(emulator)):
                    return "after the full up the tenant is not as declared"
            stack.destroy()
        except (KindRefuses, EngineRefuses) as refusal:
            return f"{'the full up or destroy' if with_full_up else 'destroy'} is refused: {refusal}"
        if emulator.export() != prepared.before:
            return f"destroy{' after a full up' if with_full_up else ''} leaves another tenant"
    return ""


@pytest.mark.torture
def test_every_subset(prepared: Prepared, emulator: Emulator) -> None:
    """A whole run takes ten minutes; a share has the subsets of at most one resource, those without at most one, and
    every sixteenth of the others."""
    chosen, most = subsets(prepared.names), len(prepared.names) - 1
    if not is_whole_run():
        chosen = [
            subset
            for number, subset in enumerate(chosen)
            if number % 16 == 0 or len(subset) <= 1 or len(subset) >= most
        ]
    problems = {
        ",".join(sorted(subset)): problem for subset in chosen if (problem := run_subset(prepared, emulator, subset))
    }
    add_figures("partial-runs", subsets=len(chosen), that_do_not_converge=len(problems))
    assert problems == {}


@pytest.mark.parametrize("name", ["ada", "roster"])
def test_a_writer_that_believes_a_flag_loses_what_a_person_held(emulator: Emulator, name: str) -> None:
    """A test of the test above: without the proof it goes red."""
    prepared = prepare(emulator, *SCENARIOS["change"])
    assert run_subset(prepared, emulator, frozenset({name})) == ""
    assert run_subset(prepared, emulator, frozenset({name}), believed=True) != ""
