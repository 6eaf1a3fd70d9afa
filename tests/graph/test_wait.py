"""If this goes red, a wait for a slow tenant costs needless requests, never ends, or gives up without a reason."""

from __future__ import annotations

import pytest

from flexsaml.graph.errors import StillPending

from .fakes import stage


def test_true_at_once_costs_one_check_and_no_time() -> None:
    scene, checks = stage(), iter(["shown"])
    assert scene.directory.wait_for(lambda: next(checks), "x", 0.0) == "shown"
    assert scene.clock.slept == []


def test_delays_grow_and_stay_bounded() -> None:
    scene, checks = stage(), iter([False] * 7 + [True])
    scene.directory.wait_for(lambda: next(checks), "x", 60.0)
    assert scene.clock.slept == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0, 5.0]
    assert scene.progress_lines[0] == "x: waiting, 4 of at most 60 s"
    assert len(scene.progress_lines) == 4


@pytest.mark.parametrize("takes", [0.0, 100.0])
def test_the_deadline_counts_waiting_only(takes: float) -> None:
    scene, checks = stage(), list[float]()

    def never() -> bool:
        checks.append(sum(scene.clock.slept))
        scene.clock.passed += takes
        return False

    with pytest.raises(StillPending) as raised:
        scene.directory.wait_for(never, "reading x", 10.0, "wait")
    assert checks == [0.0, 0.5, 1.5, 3.5, 7.5]
    assert str(raised.value) == "reading x: gave up after waiting 8 s; wait"
