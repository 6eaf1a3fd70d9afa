"""Many calls in one: JSON batching. Touches nothing itself, the POST is given. Quirks (all A unless said): at most 20
items; unique ids; relative URLs; answers in any order; headers are not inherited by the items; an item with a body
needs a Content-Type; the batch is answered 200 while single items are throttled, each with its own Retry-After, even
fractional ones in their headers (C). So each item is settled by itself: after a 429 or a failed GET only such items are
sent again, once the longest of their pauses has passed. Writes are sent by bulk.py, which decides what to do about
those that fail."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from requests.structures import CaseInsensitiveDict

from .errors import Forbidden, GraphError, Unanswered, operation, refusal, refusal_of_batch, unsure_hint
from .retry import Retrier, is_repeatable, pause_before, retry_after, tries
from .shapes import check_entity, is_error_object, read_batch_answers

CHUNK = 20

Json = dict[str, Any]
Post = Callable[[Json, float], Json]


@dataclass(frozen=True)
class BatchRequest:
    """One item. `url` starts with a slash, relative to the version root, already escaped (urls.py)."""

    method: str
    url: str
    body: object = None

    def wire(self, number: int) -> Json:
        """The item as Graph reads it."""
        item: Json = {"id": str(number), "method": self.method, "url": self.url}
        if self.body is not None:
            item |= {"body": self.body, "headers": {"Content-Type": "application/json"}}
        return item


@dataclass(frozen=True)
class BatchResponse:
    """The answer to one item. `status` is 0 when there is none; then `failure` says why."""

    request: BatchRequest
    status: int
    body: Json | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    failure: GraphError | None = None


def body_of(answer: BatchResponse) -> Json:
    """The body of an item that succeeded; raises the failure of one that did not."""
    if answer.failure is not None:
        raise answer.failure
    return answer.body or {}


def entity_of(answer: BatchResponse) -> Json:
    """The same of an item that asked for one object, which has an id."""
    return check_entity(answer.request.url, body_of(answer))


def send_once(items: Sequence[BatchRequest], post: Callable[[Json], Json], retrier: Retrier) -> list[BatchResponse]:
    """One batch, sent once: the answer to each item, a refusal among them as its failure. A 403 for the whole batch
    names the permissions that its items take."""
    try:
        answer = post({"requests": [item.wire(number) for number, item in enumerate(items)]})
    except Forbidden as error:
        raise refusal_of_batch(error, [(item.method, item.url) for item in items]) from error
    answers = read_batch_answers(answer)
    return [_read(item, answers.get(str(number)), retrier) for number, item in enumerate(items)]


def send_until_settled(
    chunk: Sequence[BatchRequest], post: Post, retrier: Retrier, deadline: float
) -> list[BatchResponse]:
    """One batch of reads: the answer to each item within `deadline` seconds. Raises what stops the whole batch."""
    ends = retrier.clock.now() + deadline
    settled: dict[int, BatchResponse] = {}
    pending = list(range(len(chunk)))
    for attempt in count(1):
        responses = send_once([chunk[number] for number in pending], lambda body: post(body, ends), retrier)
        settled |= dict(zip(pending, responses, strict=True))
        pauses = {}
        for number in pending:
            error = settled[number].failure
            if error is not None and attempt < tries(error) and is_repeatable(error, safe=True):
                pauses[number] = pause_before(attempt, error, retrier.chance)
        pending = [number for number, seconds in pauses.items() if retrier.clock.now() + seconds <= ends]
        if not pending:
            break
        longest = max(pauses[number] for number in pending)
        if longest >= 1.0:
            retrier.progress(
                f"POST /$batch: repeating {len(pending)} item{'s' * (len(pending) > 1)} in {longest:.0f} s"
            )
        retrier.clock.sleep(longest)
    return [settled[number] for number in range(len(chunk))]


def _read(request: BatchRequest, answer: Json | None, retrier: Retrier) -> BatchResponse:
    method, url = request.method, request.url
    if answer is None:
        return _unanswered(request, "the answer to the batch does not contain this item")
    status, body, listed = answer["status"], answer.get("body"), answer.get("headers")
    if status < 300 and method != "GET" and is_error_object(body):
        return _unanswered(request, f"the answer ({status}) is an error object")
    given = listed.items() if isinstance(listed, dict) else ()
    headers = CaseInsensitiveDict({str(key): str(value) for key, value in given})
    failure: GraphError | None = None
    if status >= 300:
        seconds = retry_after(headers.get("Retry-After"), retrier.clock.utc())
        failure = refusal(method, url, status, body, headers, seconds)
    return BatchResponse(request, status, body if isinstance(body, dict) else None, headers, failure)


def _unanswered(request: BatchRequest, words: str) -> BatchResponse:
    tried, hint = operation(request.method, request.url), unsure_hint(request.method)
    return BatchResponse(request, 0, failure=Unanswered(tried, words, hint))
