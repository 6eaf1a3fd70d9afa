"""Many calls in one: JSON batching. Touches nothing itself, the POST is given.

Quirks (all A unless said): at most 20 items; unique ids; relative URLs; answers in any order; headers are not
inherited by the items; an item with a body needs a Content-Type; the batch is answered 200 while single items are
throttled, each with its own Retry-After, even fractional ones in their headers (C). So each item is settled by itself:
after a 429 or a failed GET only that item is sent again; a write of unknown outcome is returned as such, and the
caller checks whether it was carried out. Pinned by tests/graph/test_batch.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flexsaml.graph.errors import (
    GraphError,
    NotSent,
    Throttled,
    Unanswered,
    Unauthorized,
    refusal,
    unsure_hint,
)
from flexsaml.graph.errors import operation as describe_call
from flexsaml.graph.retry import Next, Retrier, decide, pause_before, retry_after, tries

CHUNK = 20

Post = Callable[[dict[str, Any], float, bool], dict[str, Any]]


@dataclass(frozen=True)
class BatchRequest:
    """One item. `url` starts with a slash, relative to the version root, already escaped (urls.py)."""

    method: str
    url: str
    body: object = None
    headers: Mapping[str, str] | None = None

    def wire(self, number: int) -> dict[str, Any]:
        """The item as Graph reads it."""
        item: dict[str, Any] = {"id": str(number), "method": self.method, "url": self.url}
        headers = dict(self.headers or {})
        if self.body is not None:
            headers["Content-Type"] = "application/json"
            item["body"] = self.body
        if headers:
            item["headers"] = headers
        return item


@dataclass(frozen=True)
class BatchResponse:
    """The answer to one item. `status` is 0 when there is none; then `failure` says why."""

    request: BatchRequest
    status: int
    body: dict[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    failure: GraphError | None = None


def body_of(answer: BatchResponse) -> dict[str, Any]:
    """The body of an item that succeeded; raises the failure of one that did not."""
    if answer.failure is not None:
        raise answer.failure
    return answer.body or {}


@dataclass
class _Pending:
    index: int
    request: BatchRequest
    attempts: int = 0
    due: float = 0.0


def run_batch(items: Sequence[BatchRequest], *, post: Post, retrier: Retrier, deadline: float) -> list[BatchResponse]:
    """Settle all items, chunk by chunk; `deadline` (seconds) is each chunk's own.

    A chunk of reads that cannot be sent raises. A chunk with writes never does: each of its items carries the
    error, so that the outcome of the others is not lost. After a chunk that could not be sent at all, no other is.
    """
    done: list[BatchResponse] = []
    for start in range(0, len(items), CHUNK):
        chunk = items[start : start + CHUNK]
        stopped = _stopper(done)
        if stopped is not None:
            done += [BatchResponse(item, 0, failure=stopped) for item in items[start:]]
            break
        done += _settle(chunk, post, retrier, retrier.clock.now() + deadline)
    return done


def run_once(
    items: Sequence[BatchRequest], *, post: Callable[[dict[str, Any]], dict[str, Any]], retrier: Retrier
) -> list[BatchResponse]:
    """One batch, sent once: what came back for each item, a refusal among them as its failure."""
    responses = _by_id(post({"requests": [item.wire(number) for number, item in enumerate(items)]}))
    return [_read(item, responses.get(str(number)), retrier) for number, item in enumerate(items)]


def _stopper(done: list[BatchResponse]) -> GraphError | None:
    """The error that makes further chunks pointless: the last chunk could not be sent at all."""
    last = done[-1] if done else None
    if last is not None and last.status == 0 and isinstance(last.failure, (NotSent, Unauthorized, Throttled)):
        return last.failure
    return None


def _settle(chunk: Sequence[BatchRequest], post: Post, retrier: Retrier, ends: float) -> list[BatchResponse]:
    settled: dict[int, BatchResponse] = {}
    pending = [_Pending(index, request) for index, request in enumerate(chunk)]
    while pending:
        now = retrier.clock.now()
        ready = [item for item in pending if item.due <= now]
        safe = all(item.request.method == "GET" for item in ready)
        try:
            answer = post({"requests": [item.request.wire(item.index) for item in ready]}, ends, safe)
        except GraphError as error:
            if all(request.method == "GET" for request in chunk):
                raise
            settled |= {item.index: BatchResponse(item.request, 0, failure=error) for item in pending}
            break
        responses = _by_id(answer)
        for item in ready:
            response = _read(item.request, responses.get(str(item.index)), retrier)
            item.attempts += 1
            seconds = _pause_for(item, response, retrier, ends)
            if seconds is None:
                settled[item.index] = response
            else:
                item.due = retrier.clock.now() + seconds
        pending = [item for item in pending if item.index not in settled]
        _wait_for_next(pending, retrier)
    return [settled[index] for index in range(len(chunk))]


def _wait_for_next(pending: Sequence[_Pending], retrier: Retrier) -> None:
    if not pending:
        return
    seconds = min(item.due for item in pending) - retrier.clock.now()
    if seconds <= 0:
        return
    if seconds >= 1.0:
        retrier.progress(f"POST /$batch: sending {len(pending)} items again in {seconds:.0f} s")
    retrier.clock.sleep(seconds)


def _pause_for(item: _Pending, response: BatchResponse, retrier: Retrier, ends: float) -> float | None:
    """Seconds after which the item is sent again, None when it is settled."""
    error = response.failure
    if error is None or item.attempts >= tries(error):
        return None
    if decide(error, safe=item.request.method == "GET") is not Next.REPEAT:
        return None
    seconds = pause_before(item.attempts, error, retrier.chance)
    return seconds if retrier.clock.now() + seconds <= ends else None


def _by_id(answer: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    listed = answer.get("responses")
    if not isinstance(listed, list):
        return {}
    return {str(entry.get("id")): entry for entry in listed if isinstance(entry, dict)}


def _read(request: BatchRequest, entry: Mapping[str, Any] | None, retrier: Retrier) -> BatchResponse:
    status = entry.get("status") if entry is not None else None
    if entry is None or not isinstance(status, int):
        missing = Unanswered(
            describe_call(request.method, request.url),
            "the answer to the batch does not contain this item",
            unsure_hint(request.method),
        )
        return BatchResponse(request, 0, failure=missing)
    body = entry.get("body")
    headers = {str(key): str(value) for key, value in (entry.get("headers") or {}).items()}
    failure: GraphError | None = None
    if status >= 300:
        asked = next((value for key, value in headers.items() if key.lower() == "retry-after"), None)
        failure = refusal(
            request.method,
            request.url,
            status,
            body,
            headers=headers,
            retry_after=retry_after(asked, retrier.clock.utc()),
        )
    return BatchResponse(request, status, body if isinstance(body, dict) else None, headers, failure)
