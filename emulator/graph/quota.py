"""The write quota: a token bucket per client, 3000 writes per 150 s, scaled (0.01 makes tests quick).

Quirks: refused writes count too, so a client that keeps trying waits longer (A); above 80 % the answer says how full
the bucket is (A); Retry-After may be whole, fractional or a date (A, A, D), in the form of the dial.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import format_datetime

WRITES = 3000
SECONDS = 150.0
MAX_DEBT = 2.0  # in windows: refused writes lengthen the wait, but not without limit


class Quota:
    """`scale` None switches it off."""

    def __init__(self, scale: float | None, now: Callable[[], float]) -> None:
        self._capacity = None if scale is None else WRITES * scale
        self._now = now
        self._buckets: dict[str, tuple[float, float]] = {}  # client -> (used writes, as of)

    def charge(self, client_id: str, writes: int) -> tuple[float, float]:
        """Charge the writes; returns (seconds to wait or 0, share of the bucket used). A wait above 0 means refused."""
        if self._capacity is None or writes == 0:
            return 0.0, 0.0
        now = self._now()
        used, since = self._buckets.get(client_id, (0.0, now))
        rate = self._capacity / SECONDS
        used = max(0.0, used - (now - since) * rate) + writes
        self._buckets[client_id] = (min(used, self._capacity * (1 + MAX_DEBT)), now)
        wait = max(0.0, (used - self._capacity) / rate)
        return wait, used / self._capacity

    def clear(self) -> None:
        self._buckets.clear()


def format_retry_after(form: str, wait: float | None, now: datetime) -> str:
    """`wait` seconds in the form of the dial: whole ("2"), fractional ("2.128") or "date".

    Without `wait`, for refusals that no bucket caused, the dial's own value; a date is then two seconds ahead.
    """
    if form == "date":
        return format_datetime(now + timedelta(seconds=math.ceil(2 if wait is None else wait)), usegmt=True)
    if wait is None:
        return form
    return f"{wait:.3f}" if "." in form else str(max(1, math.ceil(wait)))
