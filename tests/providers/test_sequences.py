"""If this goes red, there is an order of changes, accidents and strangers after which destroy leaves a value of this
stack behind, restores a wrong value, or overwrites what somebody else wrote.

Nobody would write these sequences down, so Hypothesis does: new ones in every run; a failure prints the line that
repeats it. The real kinds and directory calls run on the emulator, under the engine in miniature. Some users are written
by a resource each, some by the roster's writer, and they move between the two. The judge knows nothing of the ledger:
this stack writes a, b, c; strangers write x, y, z or clear; so a value tells who wrote it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from providers import Connection
from providers.tenant import TENANT
from tests.emulator.process import Emulator
from tests.engine.stack import Tenant
from tests.providers.miniature import Declared, FakeStack
from tests.providers.process import packed

USERS = ("ada", "grace")
STACK_VALUES, STRANGERS_VALUES = ("a", "b", "c"), ("x", "y", "z", None)
Writer = Literal["single", "roster"]
Step = tuple[object, ...]
_names = (f"seq{number}" for number in itertools.count())

user = st.sampled_from(USERS)
CHANGE = st.one_of(
    st.tuples(st.just("declare"), user, st.sampled_from(STACK_VALUES), st.sampled_from(("single", "roster"))),
    st.tuples(st.just("drop"), user),
    st.tuples(st.just("stranger"), user, st.sampled_from(STRANGERS_VALUES)),
)
PLAIN_RUNS: list[Step] = [*[("up",)] * 4, ("refresh",)]
ACCIDENTS: list[Step] = [
    *[("up", "refused", number) for number in (0, 0, 1, 2)],
    *[("up", "killed", number) for number in (1, 2, 3)],
    *[("destroy", "killed", number) for number in (1, 2)],
]
CHANGE_AND_RUN = st.tuples(CHANGE, st.sampled_from([*PLAIN_RUNS, *ACCIDENTS]))


class Scenario:
    """One stack of one extension, and the judge's notes: who is managed, and what they held before."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant, self.stack, self.short = tenant, FakeStack(), next(_names)
        self.extension = f"{tenant.application['id']}/{tenant.make_property(self.short)}"
        self.full_name = tenant.full(self.short)
        self.ids = {name: str(tenant.user(name)["id"]) for name in USERS}
        self.declared: dict[str, tuple[str, Writer]] = {}
        self.priors: dict[str, str | None] = {}

    def live(self) -> dict[str, str | None]:
        users = self.tenant.emulator.export()["users"]
        values = {row["id"]: row.get("values", {}).get(self.full_name) for row in users}
        return {name: values[id_] for name, id_ in self.ids.items()}

    def step(self, kind: str, *arguments: object) -> None:
        if kind == "declare":
            name, value, writer = (*arguments, "single")[:3]
            self.declared[str(name)] = (str(value), "roster" if writer == "roster" else "single")
        elif kind == "drop":
            self.declared.pop(str(arguments[0]), None)
        elif kind == "stranger":
            name, value = arguments
            self.tenant.do("PATCH", f"/users/{self.ids[str(name)]}", {self.full_name: value})
        elif kind == "stale":  # a replica that does not know a user answers one of the next reads
            self.tenant.emulator.fault("refuse", "GET", "/users/", status=404)
        elif kind == "behind":  # after every write, one read shows the state before it
            self.tenant.emulator.dials(stale_reads=1)
        elif kind == "refresh":
            self.stack.refresh()
        elif kind == "destroy":
            self.stack.destroy(killed_at=int(str(arguments[1])))
            if "before" not in self.stack.state:
                self.priors = {}
        else:
            self.up(*arguments)

    def up(self, accident: object = "", number: object = 0) -> None:
        before = self.live()
        if accident == "refused":
            self.tenant.emulator.fault("refuse", "PATCH", "/users/", status=403, skip=number, times=-1)
        done = self.stack.up(self.resources(), killed_at=int(str(number)) if accident == "killed" else 0)
        self.tenant.emulator.clear_faults()
        if "before" in done:  # the baseline was recorded: it answers for these users, and for no others
            self.priors = {name: self.priors.get(name, before[name]) for name in self.declared}

    def clear(self) -> None:
        """Leave nothing of this example: a user holds at most 100 extension values."""
        for name in USERS:
            self.step("stranger", name, None)
        self.tenant.delete_property(self.short)

    def resources(self) -> Declared:
        cells = {self.ids[name]: value for name, (value, _) in self.declared.items()}
        extensions = {
            "types": {self.full_name: "String"},
            "extensions": {self.full_name: self.extension},
            "recorded": {self.full_name: {"baseline": "before", "unrecorded": []}},  # it runs first in every run
        }
        roster = {
            self.ids[name]: {self.full_name: value}
            for name, (value, writer) in self.declared.items()
            if writer == "roster"
        }
        baseline = {"extension": self.extension, "full_name": self.full_name, "__cells": packed(cells)}
        resources: Declared = {"before": ("UserValueBaseline", baseline)}
        if roster or "roster" in self.stack.state:
            inputs = {"service_principal_id": "sp", "roster": "r.csv", "baselined": True, "__cells": packed(roster)}
            resources["roster"] = ("UserExtensionValues", {**inputs, **extensions})
        for name, (value, writer) in self.declared.items():
            if writer == "single":
                values = {"user": self.ids[name], "values": {self.full_name: value}, "baselined": True, **extensions}
                resources[name] = ("UserExtensionValue", values)
        return resources

    def expected_after_destroy(self) -> dict[str, str | None]:
        """The prior value where this stack's value is live, else what is there."""
        return {
            name: self.priors[name] if value in STACK_VALUES and name in self.priors else value
            for name, value in self.live().items()
        }


@pytest.fixture
def connected(emulator: Emulator) -> Iterator[Emulator]:
    """This process speaks to a tenant of its own; no reset between examples, which would forget its token."""
    emulator.reset()
    TENANT.configure(Connection("loopback", graph_endpoint=emulator.http, login_endpoint=emulator.http))
    yield emulator
    TENANT.configure(Connection())


@settings(
    max_examples=120,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    before=st.lists(st.tuples(user, st.sampled_from(STRANGERS_VALUES)), max_size=2),
    steps=st.lists(CHANGE_AND_RUN, min_size=2, max_size=6),
    started=st.sampled_from([None, "single", "roster"]),
    repaired=st.sampled_from([False, False, True]),
)
def test_destroy_leaves_the_tenant_as_it_was(
    connected: Emulator,
    before: list[tuple[str, str | None]],
    steps: list[tuple[Step, Step]],
    started: Writer | None,
    repaired: bool,
) -> None:
    scenario = Scenario(Tenant(connected))
    try:
        for name, value in before:
            scenario.step("stranger", name, value)
        if started:  # two examples of three begin with a stack that has written a value
            scenario.step("declare", "ada", "a", started)
            scenario.up()
        for kind, *arguments in itertools.chain.from_iterable(steps):
            scenario.step(str(kind), *arguments)
            live = scenario.live()
            unrecorded = [name for name in USERS if live[name] in STACK_VALUES and name not in scenario.priors]
            assert unrecorded == [], "a value of this stack that no baseline answers for"
        if repaired:
            scenario.step("refresh")
            scenario.up()
            live = scenario.live()
            declared = {name: value for name, (value, _) in scenario.declared.items()}
            assert {name: live[name] for name in declared} == declared, "after refresh and up all is as declared"
        expected = scenario.expected_after_destroy()
        scenario.stack.destroy()
        assert scenario.live() == expected
    finally:
        scenario.clear()


UP: Step = ("up",)
SEQUENCES: dict[str, tuple[list[Step], str | None]] = {
    # the steps, and what Ada holds after destroy; she held x before
    "plain": ([("declare", "ada", "a"), UP], "x"),
    "two failed updates": (
        [
            ("declare", "ada", "a"),
            UP,
            ("declare", "ada", "b"),
            ("up", "refused", 0),
            ("declare", "ada", "c"),
            ("up", "refused", 0),
        ],
        "x",
    ),
    "killed after the write, then another value refused": (
        [
            ("declare", "ada", "a"),
            UP,
            ("declare", "ada", "b"),
            ("up", "killed", 2),
            ("declare", "ada", "c"),
            ("up", "refused", 0),
        ],
        "x",
    ),
    "dropped": ([("declare", "ada", "a"), UP, ("drop", "ada"), UP], "x"),
    "destroyed while a replica does not know her": ([("declare", "ada", "a"), UP, ("stale",)], "x"),
    "dropped while a replica does not know her": ([("declare", "ada", "a"), UP, ("drop", "ada"), ("stale",), UP], "x"),
    "recorded while a replica does not know her": ([("declare", "ada", "a"), ("stale",), UP], "x"),
    "a read that is behind, then a refused update": (
        [("declare", "ada", "a"), ("behind",), UP, ("declare", "ada", "b"), ("up", "refused", 0)],
        "x",
    ),
    "create killed after the write": ([("declare", "ada", "a"), ("up", "killed", 2)], "x"),
    "drift kept": ([("declare", "ada", "a"), UP, ("stranger", "ada", "y"), ("refresh",)], "y"),
    "drift repaired": ([("declare", "ada", "a"), UP, ("stranger", "ada", "y"), ("refresh",), UP], "x"),
    "cleared by a stranger": ([("declare", "ada", "a"), UP, ("stranger", "ada", None)], None),
    "dropped, then declared again after a stranger": (
        [("declare", "ada", "a"), UP, ("drop", "ada"), UP, ("stranger", "ada", "z"), ("declare", "ada", "b"), UP],
        "z",
    ),
}


@pytest.mark.parametrize("writer", ["single", "roster"])
@pytest.mark.parametrize(("steps", "end"), SEQUENCES.values(), ids=list(SEQUENCES))
def test_known_sequences(connected: Emulator, writer: Writer, steps: list[Step], end: str | None) -> None:
    scenario = Scenario(Tenant(connected))
    scenario.step("stranger", "ada", "x")
    for kind, *arguments in steps:
        scenario.step(str(kind), *arguments, *([writer] if kind == "declare" else []))
    scenario.stack.destroy()
    assert scenario.live()["ada"] == end


def test_a_user_who_moves_between_the_writers_keeps_the_value(connected: Emulator) -> None:
    scenario = Scenario(Tenant(connected))
    scenario.step("stranger", "ada", "x")
    for writer in ("single", "roster", "single"):
        scenario.step("declare", "ada", "a", writer)
        scenario.up()
        assert scenario.live()["ada"] == "a"
    scenario.stack.destroy()
    assert scenario.live()["ada"] == "x"
