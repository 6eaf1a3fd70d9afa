"""How fast writes may go: one pace for all workers, learned from what Graph says of its quota. Touches nothing. Graph's
write quota is a bucket per application and tenant: 3,000 writes that refill over 150 s (A). Refused writes count too
(A), so it costs more to be refused than to slow down before. Above 80 % every answer states how full the bucket is
(`x-ms-throttle-limit-percentage`, A). Graph never states the bucket's size; two readings suffice to estimate it,
because it refills in 150 s. Until Graph states something there is no pace: a tenant that allows more than the
documented quota is not held back. A 429 stops all workers until its Retry-After has passed."""

import threading
from typing import NamedTuple

from .clock import Clock

WRITES, WINDOW = 3000.0, 150.0  # the documented quota: so many writes, refilled over so many seconds (A)
FULL = 0.99  # how full the bucket may get; the rest is for answers that come late
_LONGEST_PAUSE, _SHORTEST_PAUSE = 1.0, 0.01  # seconds; workers check between two pauses whether to stop
_SILENT_BELOW = 0.8  # up to this share Graph states nothing (A)
_SHRINK = 0.95
_SMALLEST_MOVE = 0.04  # share by which two readings must differ before the size is estimated from them


class _Reading(NamedTuple):
    """How full the bucket was said to be, when, and how many writes had been answered by then."""

    time: float
    share: float
    answered: int


class Pace:
    """Shared by the workers of one bulk write; every method may be called from any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._lock, self._started = clock, threading.Lock(), clock.now()
        self._sent, self._answered = 0, 0  # writes on their way or answered, and answered
        self._capacity = 0.0  # estimated size of the bucket in writes; 0: unknown
        self._latest: _Reading | None = None
        self._reference: _Reading | None = None  # an earlier one, to measure against
        self._closed_until, self._states_share, self.refusals = 0.0, False, 0

    def take(self, writes: int) -> float:
        """0.0 when that many writes may go now (they then count as sent), else seconds to wait before asking again."""
        with self._lock:
            seconds = self._closed_until - self._clock.now()
            if seconds <= 0 and self._capacity:
                room = max(0.0, FULL * self._capacity - writes)  # what is larger than the bucket goes when it is empty
                seconds = (self._used() - room) * WINDOW / self._capacity
            if seconds > 0:
                return min(max(seconds, _SHORTEST_PAUSE), _LONGEST_PAUSE)
            self._sent += writes
            return 0.0

    def answered(self, writes: int, share: float | None) -> None:
        """That many writes were answered; `share` is how full the answers said the bucket is, if they said so."""
        with self._lock:
            self._answered += writes
            if share is not None:
                self._learn(_Reading(self._clock.now(), share, self._answered))
            elif self._states_share:  # so it is less than 80 % full
                self._capacity = max(self._capacity, self._used() / _SILENT_BELOW)

    def refused(self, seconds: float) -> None:
        """A write was answered 429: nobody sends for that long, and the bucket counts as full then."""
        with self._lock:
            self.refusals += 1
            now = self._clock.now()
            if not self._capacity:
                self._capacity = max(WRITES, self._answered / (1.0 + (now - self._started) / WINDOW))
            elif now >= self._closed_until:  # it should have had room: it is smaller, or others write too
                self._capacity *= _SHRINK
            self._closed_until = max(self._closed_until, now + seconds)
            self._latest = self._reference = _Reading(self._closed_until, 1.0, self._answered)

    def pause(self, seconds: float) -> None:
        """Nobody sends for that long: the network is away."""
        with self._lock:
            self._closed_until = max(self._closed_until, self._clock.now() + seconds)

    def seconds_for(self, writes: int) -> float | None:
        """How long so many writes will take at Graph's quota; None while that is not known."""
        with self._lock:
            if not self._capacity:
                return None
            room = FULL * self._capacity - self._used()
            closed = max(0.0, self._closed_until - self._clock.now())
            return closed + max(0.0, writes - room) * WINDOW / self._capacity

    def _used(self) -> float:
        """How many writes the bucket holds now: the latest reading, less what has drained, plus what was sent since."""
        if self._latest is None:
            return 0.0
        drained = max(0.0, self._clock.now() - self._latest.time) / WINDOW
        return max(0.0, (self._latest.share - drained) * self._capacity + self._sent - self._latest.answered)

    def _learn(self, reading: _Reading) -> None:
        """Estimate the size from what was written since the reference reading, and by how much the bucket filled."""
        self._states_share = True
        reference = self._reference or _Reading(self._started, 0.0, 0)
        filled = reading.share - reference.share + (reading.time - reference.time) / WINDOW
        if filled >= _SMALLEST_MOVE:
            self._capacity = max(1.0, (reading.answered - reference.answered) / filled)
            self._reference = reading
        self._latest = reading


def quota_seconds(writes: int) -> float:
    """How long Graph's documented quota makes so many writes take, from a full allowance (A)."""
    return max(0.0, (writes - WRITES) * WINDOW / WRITES)
