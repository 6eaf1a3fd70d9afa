"""If this goes red, a wait for a slow tenant costs needless requests, never ends, or gives up without a reason."""

from __future__ import annotations

import pytest

from flexsaml.graph.errors import StillPending
from flexsaml.graph.wait import Wait, until

from .fakes import FakeClock


def test_true_at_once_costs_one_check_and_no_time() -> None:
    clock, checks = FakeClock(), iter(["shown"])
    assert until(lambda: next(checks), Wait("x", deadline=0.0, clock=clock)) == "shown"
    assert clock.slept == []


def test_delays_grow_and_stay_bounded() -> None:
    clock, lines = FakeClock(), list[str]()
    checks = iter([False] * 7 + [True])
    until(lambda: next(checks), Wait("x", deadline=60.0, clock=clock, progress=lines.append))
    assert clock.slept == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0, 5.0]
    assert lines[0] == "x: waiting, 4 of at most 60 s"
    assert len(lines) == 4


@pytest.mark.parametrize("takes", [0.0, 100.0])
def test_the_deadline_counts_waiting_only(takes: float) -> None:
    clock, checks = FakeClock(), list[float]()

    def never() -> bool:
        checks.append(sum(clock.slept))
        clock.passed += takes
        return False

    with pytest.raises(StillPending) as raised:
        until(never, Wait("reading x", deadline=10.0, clock=clock, hint="wait"))
    assert checks == [0.0, 0.5, 1.5, 3.5, 7.5]
    assert str(raised.value) == "reading x: gave up after waiting 8 s; wait"
