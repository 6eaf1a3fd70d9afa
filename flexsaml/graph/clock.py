"""The time, as an argument.

Everything here that measures, waits or dates takes a `Clock`, so that deadlines are exact and no test sleeps.
Touches nothing but the operating system's clocks. The only call of `time.sleep` in the project is below.
"""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import Protocol


class Clock(Protocol):
    """What the graph room needs to know about time."""

    def now(self) -> float:
        """Monotonic seconds; only differences mean anything."""

    def utc(self) -> datetime:
        """The wall clock, aware, in UTC: for `Retry-After` dates and the expiry of tokens."""

    def sleep(self, seconds: float) -> None:
        """Wait that many seconds."""


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> float:
        return time.monotonic()

    def utc(self) -> datetime:
        return datetime.now(timezone.utc)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
