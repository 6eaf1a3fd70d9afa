"""If this goes red, a write may be sent twice, a read given up too early, or a wait exceed what the user allowed."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from flexsaml.graph.errors import (
    Conflict,
    Forbidden,
    GraphError,
    Malformed,
    NoCredential,
    NotFound,
    NotSent,
    Refused,
    ServerError,
    Throttled,
    Unanswered,
    Unauthorized,
)
from flexsaml.graph.retry import BACKOFF_CAP, CHECK_PAUSES, SHORTEST_PAUSE, is_repeatable, pause_before, retry_after

from .fakes import error, late, listing, lost, missing, ok, stage, throttled, unreachable

UTC = datetime(2026, 1, 1, 12, 0, 0, tzinfo=timezone.utc)

RETRY_AFTER: list[tuple[str | None, float | None]] = [
    ("10", 10.0),
    ("2.128", 2.128),
    (" 0.249 ", 0.249),
    ("0", 0.0),
    ("Thu, 01 Jan 2026 12:00:30 GMT", 30.0),
    ("Thu, 01 Jan 2026 11:59:00 GMT", 0.0),
    ("Thu, 01 Jan 2026 12:00:30", 30.0),
    (None, None),
    ("", None),
    ("soon", None),
    ("-5", None),
    ("nan", None),
    ("inf", None),
    ("10 s", None),
    ("Thu, 99 Foo 2026", None),
]


@pytest.mark.parametrize(("value", "seconds"), RETRY_AFTER)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, UTC) == seconds


@pytest.mark.parametrize("days", [-400, -1, 0, 1, 400])
def test_a_wrong_clock_does_not_change_how_long_a_date_means(days: int) -> None:
    """Graph's answer says what time it is there."""
    date = "Sun, 06 Nov 2094 08:49:37 GMT"
    wrong = datetime(2094, 11, 6, 8, 49, 30, tzinfo=timezone.utc) + timedelta(days=days)
    assert retry_after(date, wrong, "Sun, 06 Nov 2094 08:49:30 GMT") == 7.0
    assert retry_after("12", wrong, "Sun, 06 Nov 2094 08:49:30 GMT") == 12.0
    assert retry_after(date, datetime(2094, 11, 6, 8, 49, 30, tzinfo=timezone.utc), "nonsense") == 7.0


def refused(kind: type[Refused], status: int = 400, after: float | None = None) -> Refused:
    return kind("POST /x", status=status, retry_after=after)


DECISIONS: list[tuple[GraphError, bool, bool]] = [  # error, whether a read and a write are sent again at once
    (NotSent("POST /x", ""), True, True),
    (NotSent("POST /x", "", transient=False), False, False),
    (NoCredential("POST /x", ""), False, False),
    (refused(Throttled, 429), True, True),
    (refused(ServerError, 503), True, False),
    (Unanswered("POST /x", ""), True, False),
    (refused(Malformed), False, False),
    (refused(NotFound, 404), False, False),
    (refused(Conflict, 409), False, False),
    (refused(Forbidden, 403), False, False),
    (refused(Unauthorized, 401), False, False),
    (refused(Refused, 405), False, False),
]


@pytest.mark.parametrize(("failed", "read", "write"), DECISIONS, ids=lambda value: type(value).__name__)
def test_decisions(failed: GraphError, read: bool, write: bool) -> None:
    assert is_repeatable(failed, safe=True) is read
    assert is_repeatable(failed, safe=False) is write


PAUSES = [
    (1, refused(Throttled, 429, 2.128), 1.0, 2.128),
    (9, refused(Throttled, 429, 7.0), 0.0, 7.0),
    (1, refused(ServerError, 503, 3.0), 0.0, 3.0),
    (1, refused(Throttled, 429, 0.0), 0.0, SHORTEST_PAUSE),
    (1, refused(ServerError, 500), 1.0, 1.0),
    (2, refused(ServerError, 500), 0.5, 1.0),
    (30, Unanswered("GET /x", ""), 1.0, BACKOFF_CAP),
    (3, NotSent("GET /x", ""), 0.0, SHORTEST_PAUSE),
]


@pytest.mark.parametrize(("attempt", "failed", "chance", "seconds"), PAUSES)
def test_pauses(attempt: int, failed: GraphError, chance: float, seconds: float) -> None:
    assert pause_before(attempt, failed, lambda: chance) == pytest.approx(seconds)


def test_read_survives_all_that_passes() -> None:
    scene = stage(throttled("2.5"), error(503), lost(), late(), unreachable(), ok({"id": "1"}))
    assert scene.client.get("/x") == {"id": "1"}
    assert len(scene.graph.requests) == 6
    assert scene.clock.slept[0] == 2.5
    assert scene.progress_lines[0].startswith("GET /x: 429 TooManyRequests")


def test_read_gives_up_after_six_failures() -> None:
    scene = stage(*[error(500, "boom")] * 6)
    with pytest.raises(ServerError, match="run the same command again"):
        scene.client.get("/x")
    assert len(scene.graph.requests) == 6


def test_endpoint_that_is_not_there_fails_in_seconds() -> None:
    scene = stage(*[unreachable()] * 4)
    with pytest.raises(NotSent, match=r"no connection to graph\.microsoft\.com"):
        scene.client.get("/x")
    assert scene.clock.passed < 10


@pytest.mark.parametrize("answer", [throttled("1"), unreachable()], ids=["429", "never sent"])
def test_write_that_certainly_was_not_carried_out_is_sent_again(answer: object) -> None:
    scene = stage(answer, ok({"id": "1"}))  # type: ignore[arg-type]
    assert scene.client.write("POST", "/x", {}) == {"id": "1"}
    assert scene.graph.lines == ["POST /v1.0/x"] * 2


@pytest.mark.parametrize("answer", [lost(), late(), error(500), error(504)], ids=["lost", "late", "500", "504"])
def test_write_of_unknown_outcome_that_landed_is_not_sent_again(answer: object) -> None:
    scene = stage(answer, listing(), listing({"id": "1"}))  # type: ignore[arg-type]

    def landed() -> str | None:
        items = list(scene.client.pages("/x"))
        return items[0]["id"] if items else None

    assert scene.client.write("POST", "/x", {}, landed=landed) == "1"
    assert scene.graph.lines == ["POST /v1.0/x", "GET /v1.0/x", "GET /v1.0/x"]
    assert scene.clock.slept == [1.0, 2.0]
    assert len(scene.progress_lines) == 1
    assert scene.progress_lines[0].endswith("checking whether it was carried out")


def test_write_that_was_not_carried_out_is_sent_again() -> None:
    scene = stage(lost(), *[listing()] * len(CHECK_PAUSES), ok({"id": "2"}))
    landed = scene.client.write("POST", "/x", {}, landed=lambda: next(scene.client.pages("/x"), None))
    assert landed == {"id": "2"}
    assert [line.split()[0] for line in scene.graph.lines] == ["POST", "GET", "GET", "GET", "POST"]


def test_write_of_unknown_outcome_without_a_check_is_not_sent_again() -> None:
    scene = stage(lost())
    with pytest.raises(Unanswered, match=r"POST /x: .* it may or may not have been carried out"):
        scene.client.write("POST", "/x", {})
    assert scene.graph.lines == ["POST /v1.0/x"]


def test_check_that_fails_leaves_the_outcome_unknown() -> None:
    scene = stage(error(502), error(403))
    with pytest.raises(ServerError) as raised:
        scene.client.write("POST", "/x", {}, landed=lambda: scene.client.get("/x"))
    assert isinstance(raised.value.__cause__, Forbidden)
    assert scene.graph.lines == ["POST /v1.0/x", "GET /v1.0/x"]


def test_post_is_sent_three_times_at_most() -> None:
    scene = stage(*[lost()] * 3)
    with pytest.raises(Unanswered):
        scene.client.write("POST", "/x", landed=lambda: None)
    assert len(scene.graph.requests) == 3


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_write_that_may_be_carried_out_twice_is_repeated_like_a_read(method: str) -> None:
    scene = stage(throttled("2.5"), error(503), lost(), late(), unreachable(), ok())
    assert scene.client.write(method, "/x") == {}
    assert scene.graph.lines == [f"{method} /v1.0/x"] * 6
    scene = stage(*[error(500, "boom")] * 6)
    with pytest.raises(ServerError, match="run the same command again"):
        scene.client.write(method, "/x")


@pytest.mark.parametrize("status", [400, 403, 404, 405, 409])
def test_refused_write_is_sent_once(status: int) -> None:
    scene = stage(error(status))
    with pytest.raises(Refused):
        scene.client.write("PATCH", "/x", {}, landed=lambda: pytest.fail("nothing to check"))


def test_wait_longer_than_the_deadline_ends_at_once_and_says_how_long() -> None:
    scene = stage(throttled("300"))
    with pytest.raises(Throttled, match="again in 300 s") as raised:
        scene.client.get("/x")
    assert raised.value.retry_after == 300.0
    assert scene.clock.slept == []


def test_deadline_covers_all_repeats() -> None:
    scene = stage(*[throttled("20")] * 5, deadline=60.0)
    with pytest.raises(Throttled):
        scene.client.get("/x")
    assert scene.clock.passed == 60.0
    assert len(scene.graph.requests) == 4


def test_checks_share_the_deadline_of_their_write() -> None:
    scene = stage(lost(), *[throttled("30")] * 2, deadline=60.0)
    with pytest.raises(Unanswered):
        scene.client.write("POST", "/x", {}, landed=lambda: scene.client.get("/x"))
    assert scene.clock.passed <= 60.0


def test_deadline_starts_anew_with_each_operation() -> None:
    scene = stage(throttled("50"), missing(), throttled("50"), ok({"id": "1"}), deadline=60.0)
    with pytest.raises(NotFound):
        scene.client.get("/x")
    assert scene.client.get("/x") == {"id": "1"}
