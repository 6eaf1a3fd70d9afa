"""If this goes red, a write that reached Graph passes for one that never did, or the other way round.

These tests use real sockets on loopback, since what `requests` raises there is what decides.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import requests
import trustme

from flexsaml.graph.clouds import Cloud, cloud
from flexsaml.graph.errors import GraphError, NotSent, Unanswered
from flexsaml.graph.transport import Call, exchange, failure, open_session
from tests.ports import find_free_port

from .fakes import SECRET, FakeClock

Conversation = Callable[[socket.socket], object]


@contextmanager
def server(talk: Conversation) -> Iterator[int]:
    """A loopback port whose first connection is handled by `talk`."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            talk(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()
        thread.join(timeout=5)


def post(url: str, where: Cloud | None = None) -> dict[str, object]:
    with open_session(where or cloud("loopback")) as session:
        return exchange(session, Call("POST", "/x", url + "/v1.0/x", body={"a": 1}), SECRET, clock=FakeClock())


def read_request(connection: socket.socket) -> bytes:
    received = b""
    while b'{"a": 1}' not in received:
        received += connection.recv(65536)
    return received


def test_refused_connection_was_never_sent() -> None:
    with pytest.raises(NotSent, match=r"POST /x: no connection to 127\.0\.0\.1:\d+; start the emulator") as raised:
        post(f"http://127.0.0.1:{find_free_port()}")
    assert raised.value.transient


def test_closed_connection_after_the_request_is_unanswered() -> None:
    with (
        server(lambda connection: read_request(connection) and None) as port,
        pytest.raises(Unanswered, match="closed the connection"),
    ):
        post(f"http://127.0.0.1:{port}")


def test_answer_cut_short_is_unanswered() -> None:
    def talk(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{")

    with server(talk) as port, pytest.raises(Unanswered):
        post(f"http://127.0.0.1:{port}")


def test_one_exchange_on_the_wire() -> None:
    got: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        got.append(read_request(connection))
        connection.sendall(b'HTTP/1.1 201 Created\r\nContent-Length: 10\r\n\r\n{"id":"1"}')

    with server(talk) as port:
        assert post(f"http://127.0.0.1:{port}") == {"id": "1"}
    assert got[0].startswith(b"POST /v1.0/x HTTP/1.1\r\n")
    assert f"Authorization: Bearer {SECRET}".encode() in got[0]


@pytest.mark.parametrize(
    ("is_trusted", "days", "words"),
    [
        (False, (-1, 1), "is not trusted; point REQUESTS_CA_BUNDLE"),
        (True, (1, 2), "is not valid at this machine's time; check the clock of this machine"),
        (True, (-2, -1), "is not valid at this machine's time; check the clock of this machine"),
    ],
    ids=["of an unknown CA", "in the future", "in the past"],
)
def test_a_certificate_that_does_not_hold_was_never_sent_to_and_is_not_worth_another_try(
    is_trusted: bool, days: tuple[int, int], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, authority = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), trustme.CA()
    start, end = (datetime.now(timezone.utc) + timedelta(days=day) for day in days)
    authority.issue_cert("127.0.0.1", not_before=start, not_after=end).configure_cert(context)
    if is_trusted:
        authority.cert_pem.write_to_path(tmp_path / "ca.pem")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))

    def talk(connection: socket.socket) -> None:
        with suppress(OSError):  # the client hangs up: that is the point
            context.wrap_socket(connection, server_side=True)

    with server(talk) as port, pytest.raises(NotSent, match=words) as raised:
        post(f"https://127.0.0.1:{port}")
    assert not raised.value.transient


def test_ca_bundle_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/not/there.pem")
    with pytest.raises(NotSent, match="check REQUESTS_CA_BUNDLE") as raised:
        post("https://127.0.0.1:1")
    assert not raised.value.transient


def test_loopback_bypasses_proxies_and_keeps_the_ca_bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/ca.pem")
    with open_session(cloud("loopback")) as session:
        assert session.trust_env is False
        assert session.verify == "/ca.pem"
    with open_session(cloud("public")) as session:
        assert session.trust_env is True


FAILURES: list[tuple[requests.RequestException, type[GraphError]]] = [
    (requests.ReadTimeout("x"), Unanswered),
    (requests.ConnectionError("reset"), Unanswered),
    (requests.exceptions.ChunkedEncodingError("x"), Unanswered),
    (requests.exceptions.SSLError("eof in the middle"), Unanswered),
    (requests.exceptions.ProxyError("x"), NotSent),
    (requests.exceptions.InvalidURL("x"), NotSent),
]


@pytest.mark.parametrize(("raised", "kind"), FAILURES, ids=lambda value: getattr(value, "__name__", repr(value)))
def test_failures(raised: requests.RequestException, kind: type[GraphError]) -> None:
    problem = failure("GET /x", "https://me:secret@graph.microsoft.com/v1.0/x?$filter=private", raised, "again")
    assert type(problem) is kind
    assert "graph.microsoft.com" in str(problem)
    assert "secret" not in str(problem)
    assert "private" not in str(problem)
