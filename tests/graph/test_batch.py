"""If this goes red, a refusal is taken for another user's, a throttled item is lost, or reads are sent again without need."""

from __future__ import annotations

import json

import pytest

from flexsaml.graph.batch import BatchRequest
from flexsaml.graph.errors import Forbidden, GraphError, NotFound, NotSent, Throttled, Unanswered

from .fakes import Answer, asked, batch, error, lost, missing, ok, stage, throttled, unreachable


def users(count: int) -> list[str]:
    return [f"/users/{number}" for number in range(count)]


def test_answers_come_in_the_order_of_the_items() -> None:
    scene = stage(batch(ok({"n": 0}), missing(), ok({"n": 2})))
    first, second, third = scene.client.read_batch(users(3))
    assert (first.body, third.body) == ({"n": 0}, {"n": 2})
    assert first.failure is None
    assert isinstance(second.failure, NotFound)
    assert str(second.failure).startswith("GET /users/1: 404 Request_ResourceNotFound")


def test_chunks_of_twenty_with_unique_ids() -> None:
    scene = stage(*[batch(*[ok({})] * size) for size in (20, 20, 5)])
    assert len(scene.client.read_batch(users(45))) == 45
    for request in scene.graph.requests:
        ids = [item["id"] for item in request.body["requests"]]
        assert len(set(ids)) == len(ids) <= 20
    assert scene.graph.lines == ["POST /v1.0/$batch"] * 3


def test_nothing_to_do_sends_nothing() -> None:
    assert stage().client.read_batch([]) == []


def test_item_on_the_wire() -> None:
    assert BatchRequest("PATCH", "/users/1", {"a": None}).wire(0) == {
        "id": "0",
        "method": "PATCH",
        "url": "/users/1",
        "headers": {"Content-Type": "application/json"},
        "body": {"a": None},
    }
    assert BatchRequest("GET", "/users").wire(7) == {"id": "7", "method": "GET", "url": "/users"}


def test_only_throttled_items_are_sent_again_after_the_longest_time_asked_for() -> None:
    scene = stage(batch(ok(), throttled("4.5"), throttled("0.249"), ok()), batch(ok(), ok()))
    answers = scene.client.read_batch(users(4))
    assert all(answer.failure is None for answer in answers)
    assert [asked(request) for request in scene.graph.requests[1:]] == [["GET /users/1", "GET /users/2"]]
    assert scene.clock.slept == [4.5]


def test_an_item_throttled_beyond_the_deadline_fails_and_others_succeed() -> None:
    scene = stage(batch(ok(), throttled("500")))
    fine, refused = scene.client.read_batch(users(2))
    assert fine.failure is None
    assert isinstance(refused.failure, Throttled)
    assert scene.clock.slept == []


def test_only_a_failed_item_is_sent_again() -> None:
    scene = stage(batch(error(503), ok({"id": "2"})), batch(ok({"id": "1"})))
    first, second = scene.client.read_batch(users(2))
    assert (first.body, second.body) == ({"id": "1"}, {"id": "2"})
    assert asked(scene.graph.requests[1]) == ["GET /users/0"]


def test_refused_items_are_not_sent_again() -> None:
    scene = stage(batch(error(403), error(400), error(409)))
    assert isinstance(scene.client.read_batch(users(3))[0].failure, Forbidden)
    assert len(scene.graph.requests) == 1


@pytest.mark.parametrize("answer", [ok({}), ok({"responses": "x"}), Answer(200, {"responses": [1]})])
def test_an_item_that_the_answer_leaves_out_is_sent_again_and_then_unanswered(answer: Answer) -> None:
    scene = stage(answer, batch(ok({"n": 1})))
    assert scene.client.read_batch(users(1))[0].body == {"n": 1}
    (left_out,) = stage(*[answer] * 6).client.read_batch(users(1))
    assert isinstance(left_out.failure, Unanswered)
    assert "GET /users/0" in str(left_out.failure)


def test_a_lost_batch_is_sent_again() -> None:
    scene = stage(lost(), batch(ok({"n": 1})))
    assert scene.client.read_batch(users(1))[0].body == {"n": 1}


@pytest.mark.parametrize(("answers", "kind"), [([error(403)], Forbidden), ([unreachable()] * 4, NotSent)])
def test_a_batch_that_fails_as_such_raises(answers: list[Answer], kind: type[GraphError]) -> None:
    with pytest.raises(kind):
        stage(*answers).client.read_batch(users(65))


def test_a_batch_refused_as_a_whole_names_the_permissions_of_its_items() -> None:
    with pytest.raises(Forbidden) as refused:
        stage(error(403, "Authorization_RequestDenied")).client.read_batch([*users(2), "/servicePrincipals/1"])
    assert "POST /$batch: 403" in str(refused.value)
    assert "(request-id r-1)" in str(refused.value)
    assert str(refused.value).endswith("; grant the identity in use User.Read.All and Application.Read.All")


ANSWER = {"id": "0", "status": 200, "body": {"id": "a"}}
SHAPES: list[tuple[str, object]] = [
    ("missing", []),
    ("an object by id", {"0": ANSWER}),
    ("text", [json.dumps(ANSWER)]),
    ("without status", [{"id": "0"}]),
    ("status is text", [{**ANSWER, "status": "200"}]),
    ("status is a truth value", [{**ANSWER, "status": True}]),
    ("status says nothing yet", [{**ANSWER, "status": 102}]),
    ("of another item", [{**ANSWER, "id": "1"}]),
    ("two different answers", [ANSWER, {**ANSWER, "status": 404}]),
]


@pytest.mark.parametrize("responses", [case[1] for case in SHAPES], ids=[case[0] for case in SHAPES])
def test_an_item_without_its_answer_is_asked_again(responses: object) -> None:
    scene = stage(ok({"responses": responses}), batch(ok({"id": "a"})))
    assert [answer.body for answer in scene.client.read_batch(users(1))] == [{"id": "a"}]
    assert len(scene.graph.requests) == 2


@pytest.mark.parametrize(
    "responses",
    [[ANSWER, ANSWER], [{**ANSWER, "id": 0}], [{**ANSWER, "headers": ["x"]}], [{**ANSWER, "headers": None}]],
)
def test_an_answer_in_another_form_is_read(responses: object) -> None:
    scene = stage(ok({"responses": responses}))
    assert [answer.body for answer in scene.client.read_batch(users(1))] == [{"id": "a"}]
