"""A scripted Graph, a clock that only moves when told, and fixed tokens: what the tests of this room share."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
from requests.adapters import BaseAdapter
from urllib3.connection import HTTPConnection
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError

from flexsaml.graph.client import Client
from flexsaml.graph.clock import Clock
from flexsaml.graph.clouds import Cloud
from flexsaml.graph.directory import Directory
from flexsaml.graph.tokens import CachedTokens

PUBLIC = Cloud("public", "https://graph.microsoft.com", "https://login.microsoftonline.com")
START = datetime(2026, 1, 1, tzinfo=timezone.utc)
SECRET = "eyJ-not-to-be-shown"


class FakeClock(Clock):
    """Starts at 2026-01-01 UTC; sleeping takes no time, and is remembered."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.passed

    def utc(self) -> datetime:
        return START + timedelta(seconds=self.passed)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.passed += seconds


class FakeTokens(CachedTokens):
    """A token per `forget`."""

    def __init__(self) -> None:
        self.forgotten: list[str] = []

    def token(self) -> str:
        return f"{SECRET}-{len(self.forgotten)}"

    def forget(self, token: str) -> None:
        self.forgotten.append(token)


@dataclass(frozen=True)
class RecordedRequest:
    """One request as it arrived."""

    method: str
    url: str
    headers: dict[str, str]
    body: Any

    @property
    def line(self) -> str:
        target = urlsplit(self.url)
        return f"{self.method} {unquote(target.path)}" + (f"?{unquote(target.query)}" if target.query else "")


@dataclass(frozen=True)
class Answer:
    """What to answer; `takes` seconds pass first. `raises` instead of answering."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    takes: float = 0.0
    raises: Exception | None = None


Step = Answer | Callable[[RecordedRequest], Answer]


class FakeGraph(BaseAdapter):
    """Answers request after request from a script; a request too many, or an answer left over, is a failure."""

    def __init__(self, steps: Iterable[Step], clock: FakeClock) -> None:
        super().__init__()
        self.steps = list(steps)
        self.requests: list[RecordedRequest] = []
        self._clock = clock

    def send(self, request: requests.PreparedRequest, **_options: Any) -> requests.Response:  # type: ignore[override]
        body = json.loads(request.body) if request.body else None
        recorded = RecordedRequest(request.method or "", request.url or "", dict(request.headers), body)
        self.requests.append(recorded)
        assert self.steps, f"a request that the script does not hold: {recorded.line}"
        step = self.steps.pop(0)
        answer = step(recorded) if callable(step) else step
        self._clock.passed += answer.takes
        if answer.raises is not None:
            raise answer.raises
        response = requests.Response()
        response.status_code = answer.status
        response.headers.update(answer.headers)
        raw = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        response._content = b"" if answer.body is None else raw
        response._content_consumed = True  # type: ignore[attr-defined]
        response.request = request
        response.url = request.url or ""
        return response

    def close(self) -> None:
        """Nothing is open."""

    @property
    def lines(self) -> list[str]:
        """The requests so far, unescaped, without scheme and host."""
        return [request.line for request in self.requests]


@dataclass
class Stage:
    """A client on a scripted Graph."""

    graph: FakeGraph
    clock: FakeClock
    tokens: FakeTokens
    client: Client
    progress_lines: list[str]

    @property
    def directory(self) -> Directory:
        return Directory(self.client)


def stage(*steps: Step, deadline: float = 120.0, chance: float = 1.0, cloud: Cloud = PUBLIC) -> Stage:
    """A client whose Graph answers `steps`; `chance` is what every throw of the dice gives."""
    clock, tokens, progress_lines = FakeClock(), FakeTokens(), list[str]()
    graph = FakeGraph(steps, clock)
    session = requests.Session()
    session.mount("https://", graph)
    session.mount("http://", graph)
    client = Client(
        cloud,
        tokens,
        clock=clock,
        chance=lambda: chance,
        deadline=deadline,
        session=session,
        progress=progress_lines.append,
    )
    return Stage(graph, clock, tokens, client, progress_lines)


def ok(body: Any = None, **more: Any) -> Answer:
    """200 with that body, or 204."""
    return Answer(200 if body is not None else 204, body, **more)


def listing(*items: Any, **more: Any) -> Answer:
    """A collection of one page."""
    return ok({"value": list(items), **more})


def error(status: int, code: str = "", message: str = "", **headers: str) -> Answer:
    """A refusal in Graph's envelope; header names with `_` for `-`."""
    body = {"error": {"code": code, "message": message, "innerError": {"request-id": "r-1"}}}
    return Answer(status, body, {key.replace("_", "-"): value for key, value in headers.items()})


def missing() -> Answer:
    """The usual 404."""
    text = "Resource 'x' does not exist or one of its queried reference-property objects are not present."
    return error(404, "Request_ResourceNotFound", text)


def throttled(after: str | None = "2") -> Answer:
    """429."""
    more = {} if after is None else {"Retry_After": after}
    return error(429, "TooManyRequests", "Please retry again later.", **more)


def lost() -> Answer:
    """The connection is closed before an answer: carried out or not, nobody knows."""
    return Answer(raises=requests.ConnectionError(ProtocolError("Connection aborted.", ConnectionResetError())))


def late() -> Answer:
    """No answer in time."""
    return Answer(raises=requests.ReadTimeout("Read timed out."), takes=30.0)


def unreachable() -> Answer:
    """Nobody listens: certainly not sent."""
    connection = HTTPConnection("graph.microsoft.com")
    reason = NewConnectionError(connection, "refused")
    return Answer(raises=requests.ConnectionError(MaxRetryError(None, "/", reason)))  # type: ignore[arg-type]


def batch(*answers: Answer, shuffle: bool = True) -> Callable[[RecordedRequest], Answer]:
    """A $batch answer holding one answer per item, in reverse order as the service may."""

    def respond(request: RecordedRequest) -> Answer:
        asked = request.body["requests"]
        assert len(asked) == len(answers), f"{len(asked)} items asked, {len(answers)} scripted: {asked}"
        responses = [
            {"id": item["id"], "status": answer.status, "headers": answer.headers, "body": answer.body}
            for item, answer in zip(asked, answers, strict=True)
        ]
        return ok({"responses": responses[::-1] if shuffle else responses})

    return respond


def asked(request: RecordedRequest) -> list[str]:
    """The items of a $batch request."""
    return [f"{item['method']} {unquote(item['url'])}" for item in request.body["requests"]]
