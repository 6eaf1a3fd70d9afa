"""What the person at the terminal sees of a bulk write: a live line, and a sparse one that stays.

The live line comes at most once a second, on the engine's own display; in a CI log, which has no live line, one
stays every minute. Ctrl-C cannot interrupt a call (tried: the engine waits for it), so the line always says how long
is left, as soon as anything is known about it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from . import engine

if TYPE_CHECKING:
    from flexsaml.graph import Progress

LIVE, KEPT = 1.0, 60.0  # seconds between two lines


class Say(Protocol):
    """How a line is said; `passing`: shown live and not kept."""

    def __call__(self, message: str, *, passing: bool = False) -> None: ...


def teller(what: str, say: Say = engine.say, now: Callable[[], float] = time.monotonic) -> Callable[[Progress], None]:
    """Hears of progress, and says some of it; `what` stands in front of each line."""
    started = now()
    live, kept = started, started

    def told(progress: Progress) -> None:
        nonlocal live, kept
        moment = now()
        if moment - kept >= KEPT:
            live = kept = moment
            say(line(what, progress))
        elif moment - live >= LIVE:
            live = moment
            say(line(what, progress), passing=True)

    return told


def line(what: str, progress: Progress) -> str:
    """What matters most comes first: the engine cuts the live line to what fits beside its table."""
    parts = [] if progress.left is None else [f"{duration(progress.left)} left"]
    parts.append(f"{progress.done:,} of {progress.total:,} users, {progress.rate:.0f} a second")
    if progress.failed:
        parts.append(f"{progress.failed:,} failed")
    if progress.refusals:
        parts.append(f"slowed down by Graph ({progress.refusals} times 429)")
    return f"{', '.join(parts)} ({what})"


def duration(seconds: float) -> str:
    """`40 s`, `6 min`, `1 h 5 min`: as much as a person wants to know."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def some(names: list[str], most: int = 3) -> str:
    """The first names of a list, for a sentence."""
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")
