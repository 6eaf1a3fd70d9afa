"""If this goes red, a wait for a slow tenant costs needless requests, never ends, or gives up without a reason."""

from __future__ import annotations

import pytest

from flexsaml.graph.errors import StillPending
from flexsaml.graph.wait import until

from .fakes import FakeClock


def test_true_at_once_costs_one_look_and_no_time() -> None:
    clock, looks = FakeClock(), iter([True])
    until(lambda: next(looks), deadline=0.0, clock=clock, what="x")
    assert clock.slept == []


def test_delays_grow_and_stay_bounded() -> None:
    clock, told = FakeClock(), list[str]()
    looks = iter([False] * 7 + [True])
    until(lambda: next(looks), deadline=60.0, clock=clock, what="x", progress=told.append)
    assert clock.slept == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0, 5.0]
    assert told[0] == "x: waiting, 4 of at most 60 s"
    assert len(told) == 4


def test_deadline_is_never_passed() -> None:
    clock, looks = FakeClock(), list[float]()

    def never() -> bool:
        looks.append(clock.now())
        return False

    with pytest.raises(StillPending) as raised:
        until(never, deadline=10.0, clock=clock, what="reading x", hint="wait")
    assert looks == [0.0, 0.5, 1.5, 3.5, 7.5]
    assert str(raised.value) == "reading x: still not so after 8 s; wait"
