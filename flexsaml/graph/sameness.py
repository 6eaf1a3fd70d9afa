"""Whether a value read back is the one that was written. Pure.

Quirks: an unset value reads as absent or null, a cleared multi-valued one maybe as an empty array (D); dates
come back in UTC in another spelling (A: stored UTC); the order of a multi-valued one is not promised (D).
JSON true is not 1. Pinned by tests/graph/test_sameness.py.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone

_DATE_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?", re.IGNORECASE)


def same_value(live: object, wanted: object) -> bool:
    """True when `live` (as read) means `wanted` (as written)."""
    return _plain(live) == _plain(wanted)


def _plain(value: object) -> object:
    """A form in which equal values are equal."""
    if value is None or value == []:
        return ("unset",)
    if isinstance(value, list):
        return ("array", sorted(repr(_plain(item)) for item in value))
    if isinstance(value, bool):
        return ("boolean", value)
    if isinstance(value, str):
        return ("text", _instant(value))
    return ("number", value)


def _instant(text: str) -> object:
    """The instant that a date and time names, down to 100 ns; any other text is itself."""
    parts = _DATE_TIME.fullmatch(text)
    if parts is None:
        return text
    seconds, fraction, zone = parts.groups()
    try:
        moment = datetime.fromisoformat(seconds + ("+00:00" if zone in (None, "Z", "z") else zone))
    except ValueError:
        return text
    return moment.astimezone(timezone.utc), (fraction or "").rstrip("0")
