"""How the product is connected to the proxy in this process: no wait takes time, and no socket has to time out."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.exceptions import MaxRetryError, NewConnectionError

from flexsaml import graph
from flexsaml.graph import Clock
from providers import Connection
from tests.faults.catalogue import REFUSED, SIMULATED, TIMED_OUT

READ_TIMEOUT = 30.0
HOUR = 3600.0


class Unbounded(Exception):
    """The product waited for hours."""


class SkippingClock(Clock):
    """Starts now; sleeping takes no time. Ends what sleeps longer than an hour in all."""

    def __init__(self) -> None:
        self.passed = 0.0
        self._lock = threading.Lock()

    def now(self) -> float:
        return self.passed

    def utc(self) -> datetime:
        return datetime.now(timezone.utc) + timedelta(seconds=self.passed)

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.passed += seconds
        if self.passed > HOUR:
            raise Unbounded


class SimulatingAdapter(HTTPAdapter):
    """Raises what the proxy asks for in place of an answer."""

    def __init__(self, clock: SkippingClock) -> None:
        super().__init__(pool_maxsize=16)
        self._clock = clock

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        response = super().send(request, *args, **options)
        kind = response.headers.get(SIMULATED)
        if kind is not None:
            response.close()
        if kind == REFUSED:
            reason = NewConnectionError(HTTPConnection("127.0.0.1"), "refused")
            raise requests.ConnectionError(MaxRetryError(None, "/", reason))  # type: ignore[arg-type]
        if kind == TIMED_OUT:
            self._clock.sleep(READ_TIMEOUT)
            raise requests.ReadTimeout("Read timed out.")
        return response


@dataclass(frozen=True)
class ProxiedConnection(Connection):
    """A connection to the loopback cloud at `graph_endpoint`, with a clock of its own."""

    clock: SkippingClock = field(default_factory=SkippingClock)
    client_class: type[graph.Client] = graph.Client
    directory_class: type[graph.Directory] = graph.Directory

    @staticmethod
    def to(url: str, **classes: Any) -> ProxiedConnection:
        return ProxiedConnection("loopback", graph_endpoint=url, login_endpoint=url, **classes)

    def directory(self) -> graph.Directory:
        where = graph.cloud(self.cloud, graph_endpoint=self.graph_endpoint, login_endpoint=self.login_endpoint)
        session = requests.Session()
        session.trust_env = False
        session.mount("http://", SimulatingAdapter(self.clock))
        tokens = graph.credentials(where, clock=self.clock, session=session)
        client = self.client_class(where, tokens, clock=self.clock, chance=lambda: 0.5, session=session)
        return self.directory_class(client)
