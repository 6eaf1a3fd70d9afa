"""If this goes red, a bulk write sends something twice, loses an item, or gives up on a network that comes back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import pytest

from flexsaml.graph.batch import BatchRequest, BatchResponse
from flexsaml.graph.bulk import BulkWrite, Progress
from flexsaml.graph.errors import Forbidden, GraphError, NotFound, NotSent, ServerError, Throttled, Unanswered

from .fakes import FakeClock

AWAY = NotSent("POST /$batch", "no connection")
LOST = Unanswered("POST /$batch", "closed the connection before it answered")
Answers = Callable[[int, BatchRequest], GraphError | None]


def refused(status: int) -> GraphError:
    kind = {403: Forbidden, 404: NotFound, 429: Throttled, 503: ServerError}[status]
    return kind("PATCH /users/x", status=status, retry_after=2.0 if status == 429 else None)


class FakeService:
    """Settles each item by `answers(attempt, item)`; `failure_of_batch` is what the batch of that number ends in."""

    def __init__(
        self, clock: FakeClock, answers: Answers, failure_of_batch: Callable[[int], GraphError | None]
    ) -> None:
        self.clock, self.answers, self.failure_of_batch = clock, answers, failure_of_batch
        self.attempts: Counter[str] = Counter()
        self.carried_out: Counter[str] = Counter()
        self.batches = 0

    def send(self, chunk: Sequence[BatchRequest]) -> list[BatchResponse]:
        self.batches += 1
        self.clock.passed += 0.01
        problem = self.failure_of_batch(self.batches)
        if problem is not None:
            raise problem
        answers = []
        for item in chunk:
            self.attempts[item.url] += 1
            failure = self.answers(self.attempts[item.url], item)
            self.carried_out[item.url] += failure is None
            answers.append(BatchResponse(item, 204 if failure is None else 400, failure=failure))
        return answers


def run(
    count: int,
    answers: Answers = lambda _attempt, _item: None,
    failure_of_batch: Callable[[int], GraphError | None] = lambda _number: None,
) -> tuple[list[GraphError | None], FakeService, list[Progress]]:
    clock, reports = FakeClock(), list[Progress]()
    service = FakeService(clock, answers, failure_of_batch)
    items = [BatchRequest("PATCH", f"/users/{number}", {"x": number}) for number in range(count)]
    return BulkWrite(items, service.send, clock, reports.append).run(), service, reports


@pytest.mark.parametrize("count", [0, 1, 20, 21, 1000])
def test_everything_is_sent_once(count: int) -> None:
    outcomes, service, reports = run(count)
    assert outcomes == [None] * count
    assert set(service.carried_out.values()) <= {1}
    assert len(service.carried_out) == count
    assert service.batches == -(-count // 20)
    assert not count or (max(report.done for report in reports), reports[-1].total) == (count, count)


def test_only_a_throttled_item_is_sent_again() -> None:
    outcomes, service, reports = run(
        40, lambda attempt, item: refused(429) if item.url == "/users/7" and attempt < 3 else None
    )
    assert outcomes == [None] * 40
    assert service.attempts["/users/7"] == 3
    assert service.attempts.total() == 42
    assert reports[-1].refusals == 2
    assert service.clock.passed >= 4.0, "Retry-After was waited out each time"


@pytest.mark.parametrize("status", [404, 403, 503])
def test_a_refused_item_fails_and_the_others_go_on(status: int) -> None:
    outcomes, service, reports = run(100, lambda _attempt, item: refused(status) if item.url == "/users/7" else None)
    assert [number for number, outcome in enumerate(outcomes) if outcome is not None] == [7]
    assert service.attempts["/users/7"] == 1
    assert reports[-1].failed == 1


def test_a_lost_batch_is_of_unknown_outcome_and_never_sent_again_here() -> None:
    outcomes, service, _ = run(60, failure_of_batch=lambda number: LOST if number == 2 else None)
    assert sum(outcome is LOST for outcome in outcomes) == 20
    assert service.batches == 3


def test_a_throttled_batch_is_sent_again() -> None:
    outcomes, service, _ = run(60, failure_of_batch=lambda number: refused(429) if number == 2 else None)
    assert outcomes == [None] * 60
    assert service.batches == 4


def test_a_network_that_failed_for_half_a_minute_is_waited_for() -> None:
    def failure_of_batch(number: int) -> GraphError | None:
        return AWAY if number > 1 and clock.passed < 30.0 else None

    clock = FakeClock()
    service = FakeService(clock, lambda _attempt, _item: None, failure_of_batch)
    items = [BatchRequest("PATCH", f"/users/{number}", {}) for number in range(200)]
    assert BulkWrite(items, service.send, clock, None).run() == [None] * 200
    assert set(service.carried_out.values()) == {1}


@pytest.mark.parametrize(("works_until", "longest"), [(0, 30.0), (1, 90.0)])
def test_a_network_that_keeps_failing_ends_it(works_until: int, longest: float) -> None:
    outcomes, service, _ = run(100, failure_of_batch=lambda number: AWAY if number > works_until else None)
    assert sum(outcome is None for outcome in outcomes) == 20 * works_until
    assert sum(outcome is AWAY for outcome in outcomes) == 100 - 20 * works_until
    assert service.clock.passed <= longest


def test_an_identity_that_may_not_write_is_told_at_once() -> None:
    outcomes, service, _ = run(1000, failure_of_batch=lambda _number: refused(403))
    assert all(isinstance(outcome, Forbidden) for outcome in outcomes)
    assert service.batches <= 8


def test_time_left_is_told_as_soon_as_something_is_known() -> None:
    _, _, reports = run(1000)
    after_a_batch = [report.left for report in reports if report.done]
    assert after_a_batch
    assert None not in after_a_batch


@pytest.mark.parametrize("of_batch", [True, False], ids=["a batch", "an item"])
def test_a_wait_that_nobody_would_sit_through_ends_it(of_batch: bool) -> None:
    tomorrow = Throttled("PATCH /users/x", status=429, retry_after=86_400.0)
    clock = FakeClock()
    service = FakeService(
        clock,
        lambda _attempt, item: tomorrow if item.url == "/users/7" and not of_batch else None,
        lambda number: tomorrow if number == 1 and of_batch else None,
    )
    items = [BatchRequest("PATCH", f"/users/{number}", {}) for number in range(1000)]
    outcomes = BulkWrite(items, service.send, clock, None, longest=120.0).run()
    assert outcomes.count(tomorrow) >= 500
    assert service.carried_out.total() == outcomes.count(None)
    assert clock.passed < 60.0
