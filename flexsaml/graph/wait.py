"""Waiting for a tenant to show what was written, bounded. Touches nothing itself: the check and the clock are given.

Quirk: creates and changes take seconds to reach every replica; reads meanwhile answer 404 or the old value
(B/C). The first check comes at once, so a tenant that has no delay costs one request. Only pauses count, not the
time that the checks themselves take: a write of many minutes must not use up the wait. Pinned by
tests/graph/test_wait.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from flexsaml.graph.clock import Clock
from flexsaml.graph.errors import RUN_AGAIN, StillPending

T = TypeVar("T")

DELAYS = (0.5, 1.0, 2.0, 4.0)
LAST_DELAY = 5.0
_SILENT_FOR = 3.0  # seconds of waiting that need no explanation


class Wait:
    """Pauses between tries, `deadline` seconds in all. `what` completes the sentence "… : gave up after waiting N s":
    name the object and what it should show."""

    def __init__(
        self,
        what: str,
        *,
        deadline: float,
        clock: Clock,
        hint: str = RUN_AGAIN,
        progress: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self._what = what
        self._deadline = deadline
        self._clock = clock
        self._hint = hint
        self._progress = progress
        self._delays = iter(DELAYS)
        self._waited = 0.0

    def pause(self, reason: str = "") -> None:
        """Sleep until the next try. Raises StillPending, with `reason`, when the deadline would pass."""
        delay = next(self._delays, LAST_DELAY)
        if self._waited + delay > self._deadline:
            words = f"gave up after waiting {self._waited:.0f} s"
            raise StillPending(self._what, f"{words} ({reason})" if reason else words, self._hint)
        if self._waited >= _SILENT_FOR:
            self._progress(f"{self._what}: waiting, {self._waited:.0f} of at most {self._deadline:.0f} s")
        self._clock.sleep(delay)
        self._waited += delay


def until(check: Callable[[], T | None], wait: Wait) -> T:
    """The first result of `check()` that is true. Raises StillPending when `wait` ends before."""
    while not (result := check()):
        wait.pause()
    return result
