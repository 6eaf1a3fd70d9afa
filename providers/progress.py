"""What a user at the terminal sees of a bulk write: a live line, and now and then one that stays. The live line comes
at most once a second, on the engine's own display. A CI log has no live line; there, one line stays every minute.
Ctrl-C cannot interrupt a call (tried: the engine waits for it), so a line says how much time is left, as soon as that
is known."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence, Sized

from flexsaml import graph

from . import engine

LIVE_INTERVAL, KEPT_INTERVAL = 1.0, 60.0  # seconds between two lines


def progress_reporter(
    subject: str, say: Callable[..., None] = engine.say, now: Callable[[], float] = time.monotonic
) -> Callable[[graph.Progress], None]:
    """A function to call with every progress: it says a line when the last one is old enough. A line that is shown live
    and not kept is said with `ephemeral=True`."""
    live_at = kept_at = now()

    def report(progress: graph.Progress) -> None:
        nonlocal live_at, kept_at
        moment = now()
        if moment - kept_at >= KEPT_INTERVAL:
            live_at = kept_at = moment
            say(progress_line(subject, progress))
        elif moment - live_at >= LIVE_INTERVAL:
            live_at = moment
            say(progress_line(subject, progress), ephemeral=True)

    return report


def progress_line(subject: str, progress: graph.Progress) -> str:
    """Time left first, `subject` last: the engine cuts the live line to what fits beside its table."""
    phrases = [] if progress.left is None else [f"{duration(progress.left)} left"]
    phrases.append(f"{progress.done:,} of {progress.total:,} users, {progress.rate:.0f} a second")
    if progress.failed:
        phrases.append(f"{progress.failed:,} failed")
    if progress.refusals:
        phrases.append(f"Graph asked to wait {progress.refusals} time{'s' if progress.refusals != 1 else ''}")
    return f"{', '.join(phrases)} ({subject})"


def duration(seconds: float) -> str:
    """Seconds as a person says them: `40 s`, `6 min`, `1 h 5 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def count_users(users: Sized) -> str:
    return f"{len(users):,} user{'s' if len(users) != 1 else ''}"


def first_names(names: Sequence[str], most: int = 3, total: int | None = None) -> str:
    """The first names of a list, for a sentence. `total`: how many there are, if more than the list holds."""
    return ", ".join(names[:most]) + (", …" if (total or len(names)) > len(names[:most]) else "")
