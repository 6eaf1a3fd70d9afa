"""When a call may be sent again, after how long, and what is checked before. Anything that certainly was not carried
out (never sent, 429) may be repeated, and so may what does no harm when it is carried out twice: a read, a PATCH, a
DELETE. A POST whose outcome is unknown (5xx, lost answer) is checked first, more than once because reads may be stale
(B), and sent again only when the checks show that it was not carried out.
Quirks: Retry-After may be whole, fractional or a date (A), and asking before it has passed still costs quota (A), so it
is waited out in full or not at all. This is the rule for single calls; bulk.py and users.py have their own for batches
and for properties that are not usable yet."""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TypeVar

from .clock import Clock
from .errors import OUTCOME_UNKNOWN, GraphError, NotSent, Refused, Throttled

T = TypeVar("T")
L = TypeVar("L")

BACKOFF_BASE, BACKOFF_CAP, SHORTEST_PAUSE = 0.5, 20.0, 0.1  # seconds
CHECK_PAUSES = (1.0, 2.0, 4.0)  # seconds before each check whether a write of unknown outcome was carried out
_TRIES_NOT_SENT = 4  # a wrong endpoint must be reported in seconds, not at the end of the deadline
_TRIES_FAILED = 6
_CHECKED_WRITES = 3


def is_repeatable(error: GraphError, *, safe: bool) -> bool:
    """Whether the call was certainly not carried out, or is `safe`: carrying it out twice does no harm."""
    not_carried_out = isinstance(error, Throttled) or (isinstance(error, NotSent) and error.transient)
    return not_carried_out or (safe and isinstance(error, OUTCOME_UNKNOWN))


def tries(error: GraphError) -> float:
    """How many attempts an error of this kind may use up. A throttled call has until its deadline."""
    if isinstance(error, Throttled):
        return math.inf
    return _TRIES_NOT_SENT if isinstance(error, NotSent) else _TRIES_FAILED


def retry_after(value: str | None, utc: datetime, stated: str | None = None) -> float | None:
    """Seconds that a Retry-After header asks to wait (whole, fractional or a date). None when absent or nonsense. A
    date is counted from the answer's own time, its Date header `stated`, since this machine's clock (`utc`) may be
    wrong."""
    try:
        seconds = float(value or "nan")
        return seconds if math.isfinite(seconds) and seconds >= 0 else None
    except ValueError:
        pass
    when = _parse_date(value)
    return max(0.0, (when - (_parse_date(stated) or utc)).total_seconds()) if when else None


def _parse_date(value: str | None) -> datetime | None:
    """An HTTP date; None when absent or nonsense."""
    try:
        moment = parsedate_to_datetime(value or "")
    except (ValueError, TypeError, IndexError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def pause_before(attempt: int, error: GraphError, chance: Callable[[], float]) -> float:
    """Seconds to wait after the attempt of that number (from 1). Graph's own word, else back-off with full jitter."""
    asked = error.retry_after if isinstance(error, Refused) else None
    if asked is not None and asked >= SHORTEST_PAUSE:
        return asked
    return max(SHORTEST_PAUSE, chance() * min(BACKOFF_CAP, BACKOFF_BASE * 2.0**attempt))


@dataclass(frozen=True)
class Retrier:
    """Runs one call until it succeeds, fails for good, or its deadline would pass."""

    clock: Clock
    chance: Callable[[], float]
    progress: Callable[[str], None]

    def run(
        self, send: Callable[[], T], *, safe: bool, ends: float, landed: Callable[[], L | None] | None = None
    ) -> T | L:
        """`send()`'s result, or `landed()`'s when an unknown outcome turned out well. `ends`: in `clock.now()` time."""
        failed: Counter[type[GraphError]] = Counter()
        while True:
            try:
                return send()
            except GraphError as error:
                failed[type(error)] += 1
                attempt = failed.total()
                if is_repeatable(error, safe=safe) and failed[type(error)] < tries(error):
                    self._pause(pause_before(attempt, error, self.chance), error, ends, "trying again in {:.0f} s")
                elif isinstance(error, OUTCOME_UNKNOWN) and landed is not None and attempt < _CHECKED_WRITES:
                    if result := self._check(landed, error, ends):
                        return result
                else:
                    raise

    def _pause(self, seconds: float, error: GraphError, ends: float, announcement: str = "") -> None:
        """Sleep, unless that would pass the deadline: then `error` is raised at once."""
        if self.clock.now() + seconds > ends:
            raise error
        if announcement and seconds >= 1.0:
            self.progress(f"{error.operation}: {error.words}; {announcement.format(seconds)}")
        self.clock.sleep(seconds)

    def _check(self, landed: Callable[[], L | None], error: GraphError, ends: float) -> L | None:
        self.progress(f"{error.operation}: {error.words}; checking whether it was carried out")
        for seconds in CHECK_PAUSES:
            self._pause(seconds, error, ends)
            try:
                if result := landed():
                    return result
            except GraphError as failure:
                # Nobody knows what became of the write: its own error is what the user must see.
                raise error from failure
        return None
