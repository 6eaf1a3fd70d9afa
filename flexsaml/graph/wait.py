"""Waiting for a tenant to show what was written, bounded. Touches nothing itself: the check and the clock are
given.

Quirk: creates and changes take seconds to reach every replica; reads meanwhile answer 404 or the old value
(B/C). The first check comes at once, so a tenant that answers truly costs one request. Pinned by
tests/graph/test_wait.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from flexsaml.graph.clock import Clock
from flexsaml.graph.errors import StillPending

DELAYS = (0.5, 1.0, 2.0, 4.0)
LAST_DELAY = 5.0
_TELL_AFTER = 3.0  # seconds of waiting that need no explanation


def until(
    check: Callable[[], bool],
    *,
    deadline: float,
    clock: Clock,
    what: str,
    hint: str = "run the same command again",
    progress: Callable[[str], None] | None = None,
) -> None:
    """Return when `check()` is true. Raises StillPending when it is not within `deadline` seconds.

    `what` completes the sentence "… : still not so after N s": name the object and what it should show.
    """
    started = clock.now()
    for delay in _delays():
        if check():
            return
        waited = clock.now() - started
        if waited + delay > deadline:
            raise StillPending(what, f"still not so after {waited:.0f} s", hint)
        if progress is not None and waited >= _TELL_AFTER:
            progress(f"{what}: waiting, {waited:.0f} of at most {deadline:.0f} s")
        clock.sleep(delay)


def _delays() -> Iterator[float]:
    yield from DELAYS
    while True:
        yield LAST_DELAY
