"""If this goes red, doctor names another identity than Graph sees, or blames a clock that is right."""

from __future__ import annotations

import base64
import io
import json
from datetime import datetime, timedelta, timezone

import pytest
import requests
from requests.adapters import BaseAdapter

from flexsaml.graph import NotSent, cloud, skew
from flexsaml.graph.clock import Clock
from flexsaml.graph.errors import Unanswered
from flexsaml.graph.tokens import Identity, identity

NOON = datetime(2026, 5, 4, 12, 0, 0, tzinfo=timezone.utc)


def token(**claims: object) -> str:
    return f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.x"


@pytest.mark.parametrize(
    ("text", "holder"),
    [
        (
            token(idtyp="app", appid="a", oid="o", tid="t", roles=["User.Read.All"]),
            Identity("application", "a", "o", "t", frozenset({"User.Read.All"})),
        ),
        (token(appid="a", roles=[]), Identity("application", "a", "", "", frozenset())),
        (token(roles=["A"], scp="B C"), Identity("person", "", "", "", frozenset("ABC"))),
        (token(scp="A B", oid="o"), Identity("person", "", "o", "", frozenset("AB"))),
        (
            token(idtyp="app", wids=["0997a1d0-0d1d-4acb-b408-d5ca73121e90", "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"]),
            Identity("application", "", "", "", frozenset(), frozenset({"9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"})),
        ),
        (token(scp="A", wids=["b79fbf4d-3ef9-4689-8143-76b194e85509"]), Identity("person", "", "", "", frozenset("A"))),
        (token(roles=["A"], wids=7), None),
        (token(idtyp="device"), Identity("device", "", "", "", frozenset())),
        ("opaque", None),
        ("a.b!.c", None),
        ("e30.WzFd.x", None),
    ],
)
def test_what_a_token_says_of_its_holder(text: str, holder: Identity | None) -> None:
    assert identity(text) == holder


class FakeTimes(Clock):
    """A clock that shows the times it was given, one after the other."""

    def __init__(self, *times: datetime) -> None:
        self._times = list(times)

    def utc(self) -> datetime:
        return self._times.pop(0)

    def sleep(self, seconds: float) -> None:
        raise AssertionError(f"slept {seconds}")


class FakeFrontDoor(BaseAdapter):
    """Answers every request with one status and Date header, or not at all."""

    def __init__(self, date: str | None) -> None:
        super().__init__()
        self._date = date

    def send(self, request: requests.PreparedRequest, **_: object) -> requests.Response:  # type: ignore[override]
        assert "Authorization" not in request.headers
        if self._date == "down":
            raise requests.ConnectionError
        answer = requests.Response()
        answer.status_code = 401
        answer.raw = io.BytesIO(b"")
        answer.headers.update({"Date": self._date} if self._date else {})
        return answer

    def close(self) -> None:
        pass


def ahead(date: str | None, *times: datetime) -> float | None:
    session = requests.Session()
    session.mount("http://", FakeFrontDoor(date))
    return skew(cloud("loopback"), clock=FakeTimes(*times), session=session)


@pytest.mark.parametrize(
    ("date", "before", "after", "seconds"),
    [
        ("Mon, 04 May 2026 12:00:00 GMT", NOON, NOON, 0.0),
        ("Mon, 04 May 2026 12:00:00 GMT", NOON, NOON + timedelta(seconds=2), 1.0),  # the middle of the exchange
        ("Mon, 04 May 2026 12:10:00 GMT", NOON, NOON, -600.0),
        (None, NOON, NOON, None),
    ],
)
def test_the_clock_beside_graphs(date: str | None, before: datetime, after: datetime, seconds: float | None) -> None:
    assert ahead(date, before, after) == seconds


def test_a_clock_that_cannot_be_compared_is_no_verdict() -> None:
    with pytest.raises(Unanswered, match="not a date"):
        ahead("soon", NOON, NOON)
    with pytest.raises((NotSent, Unanswered)):
        ahead("down", NOON, NOON)
