"""The one way HTTP leaves this project (azure-identity has its own). What a session promises: an answer is complete,
headers and body, within the read timeout, however slowly it drips; it has a largest size, decompressed; redirects are
not followed, and .netrc replaces no credential; a loopback address is reached without a proxy.
Quirks: the timeouts of `requests` are for single reads of a socket; it reads the whole body of a redirect that is not
followed, unless it sees no redirect."""

from __future__ import annotations

import http.client
import io
import os
import socket
import time
from collections.abc import Callable
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

LARGEST_ANSWER = 32 * 2**20  # bytes; a page of 999 users with their extensions has about 2 MB
_LARGEST_FRAME = 2**20  # bytes of headers, chunk sizes and trailers beside a body


class AnswerTooLarge(requests.RequestException):
    """The answer is larger than `largest` bytes, and was not read to its end."""

    def __init__(self, largest: int) -> None:
        super().__init__(f"larger than {largest:,} bytes")
        self.largest = largest


def open_session(*, is_loopback: bool, now: Callable[[], float] = time.monotonic) -> requests.Session:
    """A session with pooled connections. A loopback one bypasses proxies, yet keeps REQUESTS_CA_BUNDLE. `now`: seconds,
    for the end of an answer."""
    session = _Session()
    session.auth = _send_no_credential
    for scheme in ("https://", "http://"):
        session.mount(scheme, _BoundedAdapter(now))
    if is_loopback:
        session.trust_env = False
        session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
    return session


def read_body(answer: requests.Response, largest: int = LARGEST_ANSWER) -> bytes:
    """The decompressed body of an answer that was asked for with `stream=True`. Raises AnswerTooLarge."""
    body = bytearray()
    for chunk in answer.iter_content(65536):
        body += chunk
        if len(body) > largest:
            answer.close()
            raise AnswerTooLarge(largest)
    return bytes(body)


def _send_no_credential(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002
        """None: no answer is a redirect to follow."""
        return None


class _BoundedReader(io.RawIOBase):
    """What the socket sends, until `ends` (in the time of `now`) and up to a size."""

    def __init__(self, received: io.BufferedReader, sock: socket.socket, now: Callable[[], float]) -> None:
        self._received, self._sock, self._now = received, sock, now
        seconds = sock.gettimeout()  # urllib3 sets the read timeout just before the answer is read
        self._ends = None if seconds is None else now() + seconds
        self._left = LARGEST_ANSWER + _LARGEST_FRAME

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._left <= 0:
            raise AnswerTooLarge(LARGEST_ANSWER)
        if self._ends is not None:
            seconds = self._ends - self._now()
            if seconds <= 0:
                raise TimeoutError("the answer was not complete in time")
            self._sock.settimeout(seconds)
        count = self._received.raw.readinto(buffer)
        self._left -= count or 0
        return count or 0

    def close(self) -> None:
        self._received.close()
        super().close()


class _BoundedAdapter(HTTPAdapter):
    """Connections whose answers end; of proxies too."""

    def __init__(self, now: Callable[[], float]) -> None:
        class Response(http.client.HTTPResponse):
            def __init__(self, sock: socket.socket, *arguments: Any, **named: Any) -> None:
                super().__init__(sock, *arguments, **named)
                self.fp = io.BufferedReader(_BoundedReader(self.fp, sock, now))

        class Plain(HTTPConnection):
            response_class = Response

        class Secure(HTTPSConnection):
            response_class = Response

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(HTTPSConnectionPool):
            ConnectionCls = Secure

        self._pools = {"http": PlainPool, "https": SecurePool}
        super().__init__(pool_connections=4, pool_maxsize=16, max_retries=0)

    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        super().init_poolmanager(*arguments, **named)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *arguments: Any, **named: Any) -> Any:
        manager = super().proxy_manager_for(*arguments, **named)
        manager.pool_classes_by_scheme = self._pools
        return manager
