"""How fast writes may go: one pace for all workers, learned from what Graph says of its quota. Touches nothing.

Graph's write quota is a bucket per application and tenant: 3,000 writes that refill over 150 s (A). Refused writes
count too (A), so running into the wall costs more than slowing down before it. Above 80 % every answer tells how full
the bucket is (`x-ms-throttle-limit-percentage`, A); how large it is nobody says, but it refills once in 150 s, so two
such answers tell that as well. Until Graph says something there is no pace: other quotas than the documented one
were never seen, and a tenant that takes more is not held back. A 429 stops all workers until its Retry-After has
passed. Pinned by tests/graph/test_pace.py.
"""

from __future__ import annotations

import threading

from flexsaml.graph.clock import Clock

WRITES, WINDOW = 3000.0, 150.0  # the documented quota: so many writes, refilled over so many seconds (A)
BRIM = 0.99  # how full the bucket may get; the rest is for answers that come late
_STEP = 1.0  # seconds at most between two looks at whether to stop
_SILENT = 0.8  # how full the bucket may be without a word about it (A)
_SHORTEST = 0.01
_SMALLER = 0.95
_TELLING = 0.04  # a share of the bucket that has to have moved before two answers say how large it is


class Pace:
    """Shared by the workers of one bulk write; every method may be called from any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._started = clock.now()
        self._sent = 0  # writes on their way or answered
        self._answered = 0
        self._capacity = 0.0  # writes the bucket holds; 0: not known
        self._told: tuple[float, float, int] | None = None  # when, how full, answered by then
        self._anchor: tuple[float, float, int] | None = None  # an older one, to measure against
        self._closed_until = 0.0
        self._tells = False
        self.refusals = 0

    def take(self, writes: int) -> float:
        """0.0 when that many writes may go now (they then count as sent), else seconds to wait before asking again."""
        with self._lock:
            seconds = self._due(writes)
            if seconds > 0:
                return min(max(seconds, _SHORTEST), _STEP)
            self._sent += writes
            return 0.0

    def answered(self, writes: int, share: float | None) -> None:
        """That many writes were answered; `share` is how full the bucket was said to be, if anything was said."""
        with self._lock:
            self._answered += writes
            if share is not None:
                self._learn((self._clock.now(), share, self._answered))
            elif self._tells:  # it would have told of more than 80 %
                self._capacity = max(self._capacity, self._used() / _SILENT)

    def refused(self, seconds: float) -> None:
        """A write was answered 429: nobody sends for that long, and the bucket counts as full then."""
        with self._lock:
            self.refusals += 1
            now = self._clock.now()
            if not self._capacity:
                self._capacity = max(WRITES, self._answered / (1.0 + (now - self._started) / WINDOW))
            elif now >= self._closed_until:  # thought to have room: it is smaller, or others write too
                self._capacity *= _SMALLER
            self._closed_until = max(self._closed_until, now + seconds)
            self._told = self._anchor = (self._closed_until, 1.0, self._answered)

    def pause(self, seconds: float) -> None:
        """Nobody sends for that long: the network is away."""
        with self._lock:
            self._closed_until = max(self._closed_until, self._clock.now() + seconds)

    def seconds_for(self, writes: int) -> float | None:
        """How long so many writes will take at Graph's quota; None while that is not known."""
        with self._lock:
            if not self._capacity:
                return None
            room = BRIM * self._capacity - self._used()
            closed = max(0.0, self._closed_until - self._clock.now())
            return closed + max(0.0, writes - room) * WINDOW / self._capacity

    def _due(self, writes: int) -> float:
        closed = self._closed_until - self._clock.now()
        if closed > 0:
            return closed
        if not self._capacity:
            return 0.0
        room = max(0.0, BRIM * self._capacity - writes)  # what is larger than the bucket goes when it is empty
        return max(0.0, self._used() - room) * WINDOW / self._capacity

    def _used(self) -> float:
        """How many writes the bucket holds by now: as last told, less what has run out, more what was sent since."""
        if self._told is None:
            return 0.0
        when, share, answered = self._told
        gone = max(0.0, self._clock.now() - when) / WINDOW
        return max(0.0, (share - gone) * self._capacity + self._sent - answered)

    def _learn(self, told: tuple[float, float, int]) -> None:
        self._tells = True
        when, share, answered = told
        since, before, done = self._anchor or (self._started, 0.0, 0)
        moved = share - before + (when - since) / WINDOW
        if moved >= _TELLING:
            self._capacity = max(1.0, (answered - done) / moved)
            self._anchor = told
        self._told = told


def quota_seconds(writes: int) -> float:
    """How long Graph's documented quota makes so many writes take, from a full allowance (A)."""
    return max(0.0, (writes - WRITES) * WINDOW / WRITES)
