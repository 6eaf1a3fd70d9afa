"""The time, as an argument: what measures, waits or dates takes a `Clock`, so that no test sleeps."""

import time
from datetime import datetime, timezone


class Clock:
    """The machine's own clocks. Tests pass a subclass. Whatever waits for Graph waits through `sleep`."""

    def now(self) -> float:
        """Monotonic seconds; only differences mean anything."""
        return time.monotonic()

    def utc(self) -> datetime:
        """The wall clock, aware, in UTC: for `Retry-After` dates and the expiry of tokens."""
        return datetime.now(timezone.utc)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
