"""The emulator's clock: real time plus what a test advanced it by. Token expiry, quota and dates in answers follow it.
Nothing waits on this clock; it only answers what time it is."""

import re
import time
from datetime import datetime, timezone


class TenantClock:
    """Seconds since the epoch; `advance` moves it forward, never back, and `stop` stops it."""

    def __init__(self) -> None:
        self._offset = 0.0
        self._stopped_at: float | None = None

    def now(self) -> float:
        return (time.time() if self._stopped_at is None else self._stopped_at) + self._offset

    def utc(self) -> datetime:
        return datetime.fromtimestamp(self.now(), timezone.utc)

    def advance(self, seconds: float) -> None:
        """Raises ValueError for a negative or infinite step: expired tokens would become valid again."""
        if not 0 <= seconds < float("inf"):
            raise ValueError("the clock only moves forward by a finite number of seconds")
        self._offset += seconds

    def stop(self) -> None:
        """From now on only `advance` moves the clock, until it is reset."""
        self._stopped_at = self.now() - self._offset

    def reset(self) -> None:
        self._offset, self._stopped_at = 0.0, None


def parse_timestamp(text: str) -> float:
    """Seconds since the epoch of an ISO 8601 date and time, UTC without an offset. Raises ValueError. Graph writes
    seven digits of a second at most; Python 3.10 reads exactly three or six."""
    digits = re.sub(r"\.(\d{1,6})\d*", lambda fraction: f".{fraction[1]:0<6}", text)
    moment = datetime.fromisoformat(digits.replace("Z", "+00:00"))
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
