"""Very many writes: batches of 20 over a small pool, at one pace, each item settled by itself. Quirks: single items of
a batch are throttled, each with its own Retry-After, and even refused writes use up quota (A); so a refusal slows all
workers together (pace.py) and only that item is sent again. A 5xx or a lost answer leaves the outcome open: such items
are sent again, after all others, as often as a single call would be. A network that fails for less than a minute in
mid-run is waited for."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count

from .batch import CHUNK, BatchRequest, BatchResponse
from .clock import Clock
from .errors import OUTCOME_UNKNOWN, GraphError, NotSent, Throttled
from .pace import Pace
from .retry import Retrier, pause_before, tries

BULK_WORKERS = 8
OUTAGE = 60.0  # seconds a network may fail once something was answered
STALLED = 600.0  # seconds without a write carried out, after which a run that Graph only tells to wait ends
_PAUSE, _LONGEST_PAUSE = 0.5, 5.0

Send = Callable[[Sequence[BatchRequest]], list[BatchResponse]]


@dataclass(frozen=True)
class Progress:
    """How far a bulk write is. `rate`: writes per second so far; `left`: seconds, None while nothing is known."""

    done: int
    total: int
    failed: int
    rate: float
    refusals: int
    left: float | None

    def after(self, others: int) -> Progress:
        """The same, counting others that were written before."""
        return replace(self, done=self.done + others, total=self.total + others)


OnProgress = Callable[[Progress], None]


def write_until_settled(
    items: Sequence[BatchRequest], send: Send, retrier: Retrier, longest: float, on_progress: OnProgress | None = None
) -> list[GraphError | None]:
    """Carry out writes that may be carried out twice; None or the error of each. No single wait is longer than
    `longest` seconds: if Graph asks for a longer one, the run ends."""
    outcomes = BulkWrite(items, send, retrier.clock, on_progress, longest).run()
    for attempt in count(1):
        pauses = {
            number: pause_before(attempt, error, retrier.chance)
            for number, error in enumerate(outcomes)
            if isinstance(error, OUTCOME_UNKNOWN) and attempt < tries(error)
        }
        repeated = [number for number, seconds in pauses.items() if seconds <= longest]
        if not repeated:
            break
        pause = max(pauses[number] for number in repeated)
        retrier.progress(f"repeating {len(repeated):,} writes of unknown outcome in {pause:.0f} s")
        retrier.clock.sleep(pause)
        round_ = BulkWrite([items[number] for number in repeated], send, retrier.clock, None, longest).run()
        for number, error in zip(repeated, round_, strict=True):
            outcomes[number] = error
    return outcomes


class BulkWrite:
    """One run over a list of writes; `outcomes` has an entry for each, by its number: None or the error."""

    def __init__(
        self,
        items: Sequence[BatchRequest],
        send: Send,
        clock: Clock,
        on_progress: OnProgress | None,
        longest: float = math.inf,
    ) -> None:
        self._items, self._send, self._clock, self._on_progress = items, send, clock, on_progress
        self._longest = longest
        self._pace, self._lock = Pace(clock), threading.Lock()
        self._waiting = deque(range(len(items)))
        self._started, self._failed, self._failing_tries = clock.now(), 0, 0
        self._failing_since: float | None = None
        self._carried_out_at = clock.now()
        self._stopped: GraphError | None = None
        self.outcomes: dict[int, GraphError | None] = {}

    def run(self) -> list[GraphError | None]:
        """Carry them all out; an error for each that failed or could not be sent."""
        workers = min(BULK_WORKERS, -(-len(self._items) // CHUNK))
        with ThreadPoolExecutor(workers or 1, thread_name_prefix="bulk") as pool:
            for worker in [pool.submit(self._work) for _ in range(workers)]:
                worker.result()
        return [self.outcomes.get(number, self._stopped) for number in range(len(self._items))]

    def _work(self) -> None:
        """Send chunks until none is waiting. What has to be sent again is taken up by the worker that requeued it."""
        while chunk := self._next():
            try:
                answers = self._send([self._items[number] for number in chunk])
            except GraphError as error:
                self._pace.answered(len(chunk), None)
                self._not_answered(chunk, error)
                continue
            self._pace.answered(len(chunk), _share(answers))
            self._answered(chunk, answers)

    def _next(self) -> list[int]:
        with self._lock:
            if self._stopped is not None:
                return []
            chunk = [self._waiting.popleft() for _ in range(min(CHUNK, len(self._waiting)))]
        while chunk and (seconds := self._pace.take(len(chunk))):
            self._report()
            self._clock.sleep(seconds)
            if self._stopped is not None:
                return []
        return chunk

    def _answered(self, chunk: list[int], answers: list[BatchResponse]) -> None:
        throttled: list[float] = []
        with self._lock:
            self._failing_since, self._failing_tries = None, 0
            for number, answer in zip(chunk, answers, strict=True):
                error = answer.failure
                if isinstance(error, Throttled) and self._may_wait(error):
                    throttled.append(error.retry_after or 1.0)
                    self._waiting.appendleft(number)
                else:
                    self.outcomes[number] = error
                    self._failed += error is not None
                    self._carried_out_at = self._clock.now()
        if throttled:
            self._pace.refused(max(throttled))
        self._report()

    def _not_answered(self, chunk: list[int], error: GraphError) -> None:
        """No item has an answer of its own: a batch that was refused by quota or never sent is sent again."""
        repeats = isinstance(error, NotSent) and error.transient and self._may_recover(error)
        if isinstance(error, Throttled) and self._may_wait(error):
            self._pace.refused(error.retry_after or 1.0)
            repeats = True
        with self._lock:
            if repeats:
                self._waiting.extendleft(reversed(chunk))
            elif isinstance(error, OUTCOME_UNKNOWN):
                self.outcomes |= dict.fromkeys(chunk, error)
                self._failed += len(chunk)
            else:
                self._stopped = self._stopped or error

    def _may_wait(self, error: Throttled) -> bool:
        """Whether Graph wants to be asked again within `longest` seconds, and has carried a write out lately; if not,
        the run ends with its refusal."""
        is_stalled = self._clock.now() - self._carried_out_at > STALLED
        if (error.retry_after or 0.0) <= self._longest and not is_stalled:
            return True
        self._stopped = self._stopped or error
        return False

    def _may_recover(self, error: NotSent) -> bool:
        """True if another try makes sense: for `OUTAGE` seconds if the network worked in this run, else a few times."""
        with self._lock:
            now = self._clock.now()
            self._failing_since = now if self._failing_since is None else self._failing_since
            self._failing_tries += 1
            worked = bool(self.outcomes)
            pause = min(_LONGEST_PAUSE, _PAUSE * 2.0 ** min(self._failing_tries, 8))
            if now - self._failing_since + pause > OUTAGE if worked else self._failing_tries >= tries(error):
                return False
        self._pace.pause(pause)
        return True

    def _report(self) -> None:
        if self._on_progress is None:
            return
        done, spent = len(self.outcomes), self._clock.now() - self._started
        rest, rate = len(self._items) - done, done / spent if spent > 0 else 0.0
        by_quota = self._pace.seconds_for(rest)
        left = max(by_quota or 0.0, rest / rate if rate and by_quota is None else 0.0) if done else None
        self._on_progress(Progress(done, len(self._items), self._failed, rate, self._pace.refusals, left))


def _share(answers: Sequence[BatchResponse]) -> float | None:
    """The highest share of the quota in use that an answer states; None where none does."""
    shares = []
    for answer in answers:
        with suppress(KeyError, ValueError):
            shares.append(float(answer.headers["x-ms-throttle-limit-percentage"]))
    return max(shares, default=None)
