"""What the groups of calls of `Directory` share: the client, the confirmed 404, the bounded wait. Quirks: a replica
that has not heard of an object yet answers 404 for one that exists; a provider that believed it once made a duplicate
(C), so absence is believed only after three reads. Creates and changes take seconds to reach every replica; reads
meanwhile answer 404 or the old value (B/C)."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from .batch import BatchResponse
from .client import Client
from .errors import RUN_AGAIN, NotFound, StillPending, Unreadable

T = TypeVar("T")

ABSENCE_PAUSES = (1.0, 2.0)  # seconds before the second and the third read
CONFIRM_WITHIN = 30.0  # seconds in which a tenant must show what was written
DELAYS, LAST_DELAY = (0.5, 1.0, 2.0, 4.0), 5.0
_SILENT_FOR = 3.0  # seconds of waiting that need no explanation


def do_nothing() -> None:
    """Where nothing is to be looked at during a long wait."""


@dataclass
class Wait:
    """Pauses between tries, `deadline` seconds in all. `what` completes the sentence "… : gave up after waiting N s":
    name the object and what it should show. Only pauses count, not the time that the tries themselves take: a write of
    many minutes must not use up the wait. `on_long_wait` is called once, after `CONFIRM_WITHIN` seconds; it raises if
    the wait is in vain."""

    client: Client
    what: str
    deadline: float = CONFIRM_WITHIN
    hint: str = RUN_AGAIN
    on_long_wait: Callable[[], object] = do_nothing
    waited: float = 0.0
    delays: Iterator[float] = field(default_factory=lambda: iter(DELAYS))

    def pause(self, reason: str = "") -> None:
        """Sleep until the next try. Raises StillPending, with `reason`, when the deadline would pass."""
        delay = next(self.delays, LAST_DELAY)
        if self.waited + delay > self.deadline:
            words = f"gave up after waiting {self.waited:.0f} s"
            raise StillPending(self.what, f"{words} ({reason})" if reason else words, self.hint)
        if self.waited >= _SILENT_FOR:
            self.client.progress(f"{self.what}: waiting, {self.waited:.0f} of at most {self.deadline:.0f} s")
        self.client.clock.sleep(delay)
        self.waited += delay
        if self.waited - delay < CONFIRM_WITHIN <= self.waited:
            self.on_long_wait()


class DirectoryCalls:
    """A group of directory calls over one client."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def _unless_absent(self, read: Callable[[], T | None]) -> T | None:
        """The first result of `read()` that is true, or None once three in a row gave none or answered 404."""
        for seconds in (*ABSENCE_PAUSES, None):
            with suppress(NotFound):
                if result := read():
                    return result
            if seconds is not None:
                self._client.clock.sleep(seconds)
        return None

    def _read_confirmed(self, paths: Sequence[str]) -> list[BatchResponse]:
        """GETs in batches, in which a 404 stands only if three reads in a row gave it."""
        answers = self._client.read_batch(paths)
        for seconds in ABSENCE_PAUSES:
            absent = [number for number, answer in enumerate(answers) if isinstance(answer.failure, NotFound)]
            if not absent:
                break
            self._client.clock.sleep(seconds)
            repeated = self._client.read_batch([paths[number] for number in absent])
            for number, answer in zip(absent, repeated, strict=True):
                answers[number] = answer
        return answers

    def wait_for(
        self,
        check: Callable[[], T | None],
        what: str,
        deadline: float = CONFIRM_WITHIN,
        hint: str = RUN_AGAIN,
        on_long_wait: Callable[[], object] = do_nothing,
    ) -> T:
        """The first result of `check()` that is true, tried at once; raises StillPending when there is none in time. A
        read that is answered without the shape of Graph's answers shows nothing: what it follows was carried out."""
        wait = Wait(self._client, what, deadline, hint, on_long_wait)
        while True:
            reason = ""
            try:
                if result := check():
                    return result
            except Unreadable as problem:
                reason = problem.words
            wait.pause(reason)

    def _delete(self, path: str) -> None:
        """DELETE an object; one that is gone already, as three answers in a row say, is a success."""
        self._unless_absent(lambda: (self._client.write("DELETE", path),))
