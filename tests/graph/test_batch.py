"""If this goes red, a refusal is told of another user, a throttled item is lost, or a batched write is repeated."""

from __future__ import annotations

import pytest

from flexsaml.graph.batch import BatchRequest
from flexsaml.graph.errors import Forbidden, NotFound, NotSent, ServerError, Throttled, Unanswered

from .fakes import Answer, asked, batch, error, lost, missing, ok, stage, throttled, unreachable


def gets(count: int) -> list[BatchRequest]:
    return [BatchRequest("GET", f"/users/{number}") for number in range(count)]


def patches(count: int) -> list[BatchRequest]:
    return [BatchRequest("PATCH", f"/users/{number}", {"n": number}) for number in range(count)]


def test_answers_come_in_the_order_of_the_items() -> None:
    scene = stage(batch(ok({"n": 0}), missing(), ok({"n": 2})))
    first, second, third = scene.client.batch(gets(3))
    assert (first.body, third.body) == ({"n": 0}, {"n": 2})
    assert first.failure is None
    assert isinstance(second.failure, NotFound)
    assert str(second.failure).startswith("GET /users/1: 404 Request_ResourceNotFound")


def test_chunks_of_twenty_with_unique_ids() -> None:
    scene = stage(*[batch(*[ok({})] * size) for size in (20, 20, 5)])
    assert len(scene.client.batch(gets(45))) == 45
    for request in scene.graph.requests:
        ids = [item["id"] for item in request.body["requests"]]
        assert len(set(ids)) == len(ids) <= 20
    assert scene.graph.lines == ["POST /v1.0/$batch"] * 3


def test_nothing_to_do_sends_nothing() -> None:
    assert stage().client.batch([]) == []


def test_item_on_the_wire() -> None:
    scene = stage(batch(ok(), ok({})))
    items = [
        BatchRequest("PATCH", "/users/1", {"a": None}),
        BatchRequest("GET", "/users", headers={"ConsistencyLevel": "eventual"}),
    ]
    scene.client.batch(items, version="beta")
    write, read = scene.graph.requests[0].body["requests"]
    assert write == {
        "id": "0",
        "method": "PATCH",
        "url": "/users/1",
        "headers": {"Content-Type": "application/json"},
        "body": {"a": None},
    }
    assert read["headers"] == {"ConsistencyLevel": "eventual"}
    assert "body" not in read
    assert scene.graph.lines == ["POST /beta/$batch"]


def test_throttled_items_go_again_alone_each_after_its_own_time() -> None:
    scene = stage(
        batch(ok(), throttled("4.5"), throttled("0.249"), ok()),
        batch(ok()),
        batch(ok()),
    )
    answers = scene.client.batch(patches(4))
    assert all(answer.failure is None for answer in answers)
    assert [asked(request) for request in scene.graph.requests[1:]] == [["PATCH /users/2"], ["PATCH /users/1"]]
    assert scene.clock.slept == [0.249, pytest.approx(4.251)]


def test_item_throttled_beyond_the_deadline_is_told_others_succeed() -> None:
    scene = stage(batch(ok(), throttled("500")))
    fine, throttled_one = scene.client.batch(patches(2))
    assert fine.failure is None
    assert isinstance(throttled_one.failure, Throttled)
    assert scene.clock.slept == []


def test_failed_read_goes_again_failed_write_does_not() -> None:
    scene = stage(batch(error(503), error(503)), batch(ok({"id": "1"})))
    read, write = scene.client.batch([BatchRequest("GET", "/users/1"), BatchRequest("PATCH", "/users/1", {})])
    assert read.body == {"id": "1"}
    assert isinstance(write.failure, ServerError)
    assert asked(scene.graph.requests[1]) == ["GET /users/1"]


def test_refused_items_are_not_repeated() -> None:
    scene = stage(batch(error(403), error(400), error(409)))
    answers = scene.client.batch(patches(3))
    assert isinstance(answers[0].failure, Forbidden)
    assert len(scene.graph.requests) == 1


def test_item_left_out_of_the_answer_is_unanswered() -> None:
    scene = stage(ok({"responses": [{"id": "0", "status": 204}]}))
    fine, left_out = scene.client.batch(patches(2))
    assert fine.failure is None
    assert isinstance(left_out.failure, Unanswered)
    assert "PATCH /users/1" in str(left_out.failure)


def test_lost_batch_of_reads_goes_again() -> None:
    scene = stage(lost(), batch(ok({"n": 1})))
    assert scene.client.batch(gets(1))[0].body == {"n": 1}


def test_lost_batch_with_a_write_does_not_and_later_chunks_still_go() -> None:
    scene = stage(lost(), batch(*[ok()] * 5))
    answers = scene.client.batch(patches(25))
    assert [isinstance(answer.failure, Unanswered) for answer in answers] == [True] * 20 + [False] * 5
    assert len(scene.graph.requests) == 2


def test_batch_that_cannot_be_sent_stops_and_fails_every_item() -> None:
    scene = stage(*[unreachable()] * 4)
    answers = scene.client.batch(patches(65))
    assert len(answers) == 65
    assert all(isinstance(answer.failure, NotSent) for answer in answers)
    assert len(scene.graph.requests) == 4


def test_batch_of_reads_that_is_refused_raises() -> None:
    with pytest.raises(Forbidden):
        stage(error(403)).client.batch(gets(2))


@pytest.mark.parametrize("answer", [ok({}), ok({"responses": "x"}), Answer(200, {"responses": [1]})])
def test_answer_without_responses_leaves_the_writes_unanswered(answer: Answer) -> None:
    scene = stage(answer)
    assert isinstance(scene.client.batch(patches(1))[0].failure, Unanswered)
