"""If this goes red, there is an order of changes, accidents and strangers after which destroy leaves a value of ours
behind, takes back to a wrong value, or overwrites what somebody else wrote.

Nobody would write these sequences down, so hypothesis does: `UserValueBaseline` and `UserExtensionValue` as they are,
a real directory on the emulator, the engine in miniature. The judge knows nothing of how memory is kept: we write
a, b, c; strangers write x, y, z or clear; so a value tells who wrote it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

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
OURS, STRANGERS = ("a", "b", "c"), ("x", "y", "z", None)
_names = (f"seq{number}" for number in itertools.count())

user = st.sampled_from(USERS)
CHANGE = st.one_of(
    st.tuples(st.just("declare"), user, st.sampled_from(OURS)),
    st.tuples(st.just("drop"), user),
    st.tuples(st.just("stranger"), user, st.sampled_from(STRANGERS)),
)
RUN = st.one_of(
    st.tuples(st.just("up")),
    st.tuples(st.just("up"), st.just("killed"), st.integers(1, 3)),
    st.tuples(st.just("up"), st.just("refused"), st.integers(0, 2)),
    st.tuples(st.just("refresh")),
    st.tuples(st.just("destroy"), st.just("killed"), st.integers(1, 3)),
)
TURN = st.tuples(CHANGE, st.one_of(st.tuples(st.just("up")), RUN))  # half of the runs are plain


class Drive:
    """One stack of one extension, and the judge's notes: who is managed, and what they held before."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant, self.stack, self.short = tenant, FakeStack(), next(_names)
        self.extension = f"{tenant.application['id']}/{tenant.make_property(self.short)}"
        self.ids = {name: tenant.user(name)["id"] for name in USERS}
        self.declared: dict[str, str] = {}
        self.prior: dict[str, str | None] = {}

    def live(self) -> dict[str, str | None]:
        full, people = self.tenant.full(self.short), self.tenant.emulator.export()["users"]
        held = {one["id"]: one.get("values", {}).get(full) for one in people}
        return {name: held[id_] for name, id_ in self.ids.items()}

    def step(self, kind: str, *more: object) -> None:
        if kind == "declare":
            self.declared[str(more[0])] = str(more[1])
        elif kind == "drop":
            self.declared.pop(str(more[0]), None)
        elif kind == "stranger":
            self.tenant.do("PATCH", f"/users/{self.ids[str(more[0])]}", {self.tenant.full(self.short): more[1]})
        elif kind == "refresh":
            self.stack.refresh()
        elif kind == "destroy":
            self.stack.destroy(killed_at=int(str(more[1])))
            self.forget()
        else:
            self.up(*more)

    def up(self, how: object = "", number: object = 0) -> list[str]:
        before = self.live()
        if how == "refused":
            self.tenant.emulator.fault("refuse", "PATCH", "/users/", status=403, skip=number, times=-1)
        done = self.stack.up(self.resources(), killed_at=int(str(number)) if how == "killed" else 0)
        self.tenant.emulator.clear_faults()
        if "before" in done:  # the baseline was recorded: from here on it answers for these users, and for no others
            self.prior = {name: self.prior.get(name, before[name]) for name in self.declared}
        return done

    def clear(self) -> None:
        """Leave nothing of this example: a user holds at most 100 extension values."""
        for name in USERS:
            self.step("stranger", name, None)
        self.tenant.delete_property(self.short)

    def forget(self) -> None:
        if "before" not in self.stack.state:
            self.prior = {}

    def resources(self) -> Declared:
        full = self.tenant.full(self.short)
        cells = packed({self.ids[name]: value for name, value in self.declared.items()})
        made: Declared = {
            "before": ("UserValueBaseline", {"extension": self.extension, "full_name": full, "__cells": cells})
        }
        for name, value in self.declared.items():
            made[name] = (
                "UserExtensionValue",
                {
                    "user": self.ids[name],
                    "values": {full: value},
                    "types": {full: "String"},
                    "extensions": {full: self.extension},
                    "baselined": True,
                },
            )
        return made

    def expected(self) -> dict[str, str | None]:
        """What destroy must leave: priors where our value is live, else what is there."""
        return {
            name: self.prior[name] if now in OURS and name in self.prior else now for name, now in self.live().items()
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
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    before=st.lists(st.tuples(user, st.sampled_from(STRANGERS)), max_size=2),
    turns=st.lists(TURN, min_size=2, max_size=6),
)
def test_destroy_leaves_the_tenant_as_it_was(
    connected: Emulator,
    before: list[tuple[str, str | None]],
    turns: list[tuple[tuple[object, ...], tuple[object, ...]]],
) -> None:
    drive = Drive(Tenant(connected))
    try:
        for name, value in before:
            drive.step("stranger", name, value)
        for kind, *more in itertools.chain.from_iterable(turns):
            drive.step(str(kind), *more)
            left = [name for name, now in drive.live().items() if now in OURS and name not in drive.prior]
            assert left == [], "a value of ours that no baseline answers for"
        drive.step("refresh")
        drive.up()
        live = drive.live()
        assert {name: live[name] for name in drive.declared} == drive.declared, (
            "after refresh and up all is as declared"
        )
        expected = drive.expected()
        drive.stack.destroy()
        assert drive.live() == expected
    finally:
        drive.clear()


SEQUENCES: list[tuple[str, list[tuple[object, ...]], dict[str, str | None]]] = [
    # in words, the steps, what ada holds after destroy (x before)
    ("plain", [("declare", "ada", "a"), ("up",)], {"ada": "x"}),
    (
        "two failed updates",
        [
            ("declare", "ada", "a"),
            ("up",),
            ("declare", "ada", "b"),
            ("up", "refused", 0),
            ("declare", "ada", "c"),
            ("up", "refused", 0),
        ],
        {"ada": "x"},
    ),
    (
        "killed after the write, then another value refused",
        [
            ("declare", "ada", "a"),
            ("up",),
            ("declare", "ada", "b"),
            ("up", "killed", 2),
            ("declare", "ada", "c"),
            ("up", "refused", 0),
        ],
        {"ada": "x"},
    ),
    ("dropped", [("declare", "ada", "a"), ("up",), ("drop", "ada"), ("up",)], {"ada": "x"}),
    ("create killed after the write", [("declare", "ada", "a"), ("up", "killed", 2)], {"ada": "x"}),
    (
        "drift kept",
        [("declare", "ada", "a"), ("up",), ("stranger", "ada", "y"), ("refresh",)],
        {"ada": "y"},
    ),
    (
        "drift repaired",
        [("declare", "ada", "a"), ("up",), ("stranger", "ada", "y"), ("refresh",), ("up",)],
        {"ada": "x"},
    ),
    ("cleared by a stranger", [("declare", "ada", "a"), ("up",), ("stranger", "ada", None)], {"ada": None}),
    (
        "dropped, then taken up again after a stranger",
        [
            ("declare", "ada", "a"),
            ("up",),
            ("drop", "ada"),
            ("up",),
            ("stranger", "ada", "z"),
            ("declare", "ada", "b"),
            ("up",),
        ],
        {"ada": "z"},
    ),
]


@pytest.mark.parametrize(("_words", "steps", "end"), SEQUENCES, ids=[one[0] for one in SEQUENCES])
def test_known_sequences(
    connected: Emulator, _words: str, steps: list[tuple[object, ...]], end: dict[str, str | None]
) -> None:
    drive = Drive(Tenant(connected))
    drive.step("stranger", "ada", "x")
    for kind, *more in steps:
        drive.step(str(kind), *more)
    drive.stack.destroy()
    assert {name: drive.live()[name] for name in end} == end
