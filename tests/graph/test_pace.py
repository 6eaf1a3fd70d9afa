"""If this goes red, bulk writes run into Graph's quota, crawl below it, or do not slow down together."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from flexsaml.graph.pace import WINDOW, Pace, quota_seconds

from .fakes import FakeClock


@dataclass
class FakeBucket:
    """Graph's quota as documented: `capacity` writes, refilled over 150 s; refused writes count too."""

    clock: FakeClock
    capacity: float
    states_share: bool = True
    used: float = 0.0
    refused: int = 0
    _since: float = field(default=0.0)

    def write(self, writes: int) -> tuple[float, float | None]:
        """Seconds to wait (0: carried out), and how full the answer says it is."""
        now = self.clock.now()
        self.used = max(0.0, self.used - (now - self._since) * self.capacity / WINDOW) + writes
        self._since = now
        share = self.used / self.capacity
        wait = max(0.0, (self.used - self.capacity) * WINDOW / self.capacity)
        self.refused += wait > 0
        return wait, round(share, 2) if self.states_share and share > 0.8 else None


def run(bucket: FakeBucket, clock: FakeClock, writes: int) -> float:
    """Seconds for so many writes in batches of 20, 5 ms each, by one worker."""
    pace, done = Pace(clock), 0
    while done < writes:
        seconds = pace.take(20)
        if seconds:
            clock.sleep(seconds)
            continue
        clock.passed += 0.005
        wait, share = bucket.write(20)
        pace.answered(20, share)
        if wait:
            pace.refused(wait)
        else:
            done += 20
    return clock.now()


@pytest.mark.parametrize("capacity", [300, 3000, 6000, 18_000])
def test_the_floor_of_the_quota_is_reached_without_a_refusal(capacity: int) -> None:
    clock = FakeClock()
    bucket = FakeBucket(clock, capacity)
    spent = run(bucket, clock, 3 * capacity)
    assert bucket.refused == 0
    assert spent <= 1.05 * 2 * WINDOW


def test_a_bucket_that_others_have_filled() -> None:
    clock, capacity = FakeClock(), 3000
    bucket = FakeBucket(clock, capacity, used=0.7 * capacity)
    spent = run(bucket, clock, 2 * capacity)
    assert bucket.refused <= 2
    assert spent <= 1.1 * (1.7 * WINDOW)


def test_without_any_word_of_the_bucket_refusals_are_few() -> None:
    clock, capacity = FakeClock(), 3000
    bucket = FakeBucket(clock, capacity, states_share=False)
    spent = run(bucket, clock, 3 * capacity)
    assert bucket.refused <= 0.01 * 3 * capacity / 20 + 4
    assert spent <= 1.1 * 2 * WINDOW


def test_nobody_is_held_back_until_graph_says_something() -> None:
    pace = Pace(FakeClock())
    assert [pace.take(20) for _ in range(1000)] == [0.0] * 1000
    assert pace.seconds_for(100) is None


def test_a_refusal_stops_everybody_for_as_long_as_graph_asks() -> None:
    clock = FakeClock()
    pace = Pace(clock)
    assert pace.take(20) == 0.0
    pace.answered(20, None)
    pace.refused(2.5)
    assert pace.take(20) == 1.0, "waits are short steps, so that a stop is heard"
    clock.passed = 2.4
    assert 0.0 < pace.take(20) <= 1.0
    assert pace.refusals == 1


def test_an_absent_network_is_waited_for_without_learning_anything() -> None:
    clock = FakeClock()
    pace = Pace(clock)
    pace.pause(0.5)
    assert pace.take(1) == 0.5
    clock.passed = 0.6
    assert [pace.take(20) for _ in range(100)] == [0.0] * 100


@pytest.mark.parametrize(("writes", "seconds"), [(0, 0), (3000, 0), (3020, 1), (10_000, 350)])
def test_what_the_documented_quota_costs(writes: int, seconds: float) -> None:
    assert quota_seconds(writes) == seconds
