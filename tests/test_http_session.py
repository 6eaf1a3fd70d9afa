"""If this goes red, an answer that drips holds a command for hours, a small one takes all memory, or a redirect, a proxy
or .netrc sends a credential elsewhere."""

from __future__ import annotations

import gzip
import socket
import threading
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import pytest
import requests

from flexsaml.errors import UserError
from flexsaml.flex import read_access, read_worker
from flexsaml.graph import Clock, GraphError, cloud, credentials, skew
from flexsaml.http_session import LARGEST_ANSWER, AnswerTooLarge, open_session, read_body
from flexsaml.verification import CannotVerify, fetch_metadata

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@contextmanager
def server(first: bytes, forever: bytes = b"") -> Iterator[str]:
    """Answers every connection with `first`, then with `forever` again and again until the client closes."""
    listener, threads = socket.create_server(("127.0.0.1", 0)), list[threading.Thread]()

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.recv(65536)
            connection.sendall(first)
            while forever:
                connection.sendall(forever)

    def accept() -> None:
        with suppress(OSError):
            while True:
                threads.append(threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True))
                threads[-1].start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for thread in [accepting, *threads]:
            thread.join(timeout=10)


def get(url: str, now: Callable[[], float], largest: int = LARGEST_ANSWER) -> bytes:
    with (
        open_session(is_loopback=True, now=now) as session,
        session.get(url, timeout=(5.0, 30.0), stream=True) as answer,
    ):
        return read_body(answer, largest)


@pytest.mark.parametrize(
    ("first", "forever"),
    [
        (b"", b"H"),
        (HEAD, b"X-Header: 1\r\n"),
        (HEAD + b"X-Header: ", b"x"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (HEAD + b"Content-Length: 99999999\r\n\r\n", b"x"),
        (HEAD + b"\r\n", b"x"),
        (CHUNKED, b"1\r\nx\r\n"),
        (CHUNKED + b"1;", b"x"),
        (CHUNKED + b"1\r\nx\r\n0\r\n", b"X-Trailer: 1\r\n"),
    ],
)
def test_an_answer_that_drips_ends(first: bytes, forever: bytes) -> None:
    """Each look at the time finds two seconds passed: an answer of 30 seconds ends after some reads."""
    moments = count(step=2.0)
    with server(first, forever) as url, pytest.raises(requests.RequestException):
        get(url, lambda: next(moments))
    assert next(moments) < 200.0


@pytest.mark.parametrize(
    ("first", "forever"),
    [
        (HEAD + b"\r\n", b"x" * 2**20),
        (CHUNKED, b"100000\r\n" + b"x" * 2**20 + b"\r\n"),
        (b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\n\r\n", b"x" * 2**20),
    ],
)
def test_an_answer_without_end_has_a_largest_size(first: bytes, forever: bytes) -> None:
    with server(first, forever) as url, pytest.raises(requests.RequestException) as raised:
        get(url, lambda: 0.0)
    related: BaseException | None = raised.value
    while related is not None and not isinstance(related, AnswerTooLarge):
        related = related.__cause__ or related.__context__
    assert related is not None, raised.value


def bomb(layers: int) -> bytes:
    """An answer of 300 MB of zeros, compressed."""
    packer = zlib.compressobj(1, wbits=31)
    body = b"".join(packer.compress(bytes(2**20)) for _ in range(300)) + packer.flush()
    for _ in range(layers - 1):
        body = gzip.compress(body)
    encoding = b", ".join([b"gzip"] * layers)
    return HEAD + b"Content-Encoding: %s\r\nContent-Length: %d\r\n\r\n" % (encoding, len(body)) + body


@pytest.mark.parametrize("layers", [1, 2])
def test_a_small_answer_does_not_become_a_large_one(layers: int) -> None:
    answer = bomb(layers)
    assert len(answer) < 2 * 2**20
    with server(answer) as url:
        tracemalloc.start()
        try:
            with pytest.raises(AnswerTooLarge, match="larger than 33,554,432 bytes"):
                get(url, lambda: 0.0)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 4 * LARGEST_ANSWER


def test_an_answer_within_the_bounds_arrives_whole_and_the_connection_is_used_again() -> None:
    body = bytes(range(256)) * 4000
    packed = gzip.compress(body)
    answer = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed
    with server(answer) as url:
        assert get(url, lambda: 0.0) == body


CLIENTS: list[tuple[str, Callable[[str], object], type[Exception]]] = [
    ("a token request", lambda url: credentials(cloud("loopback", login_endpoint=url)).token(), GraphError),
    ("the metadata", lambda url: fetch_metadata(f"{url}/x"), CannotVerify),
    ("a worker", lambda url: read_worker(read_access({"FLEXSAML_TASKROUTER_URL": url}), "ada"), UserError),
]


@pytest.mark.parametrize(("ask", "kind"), [client[1:] for client in CLIENTS], ids=[client[0] for client in CLIENTS])
def test_every_client_ends_with_one_line(ask: Callable[[str], object], kind: type[Exception]) -> None:
    with server(HEAD + b"\r\n", b" " * 2**20) as url, pytest.raises(kind, match="larger than") as raised:
        ask(url)
    assert "\n" not in str(raised.value)


def test_the_time_is_read_without_the_body() -> None:
    with server(HEAD + b"Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n\r\n", b" " * 2**20) as url:
        assert skew(cloud("loopback", graph_endpoint=url), clock=Clock()) is not None


def test_netrc_replaces_no_credential(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine graph.microsoft.com login other password other\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with open_session(is_loopback=False) as session:
        request = requests.Request("GET", "https://graph.microsoft.com/v1.0/me")
        assert "Authorization" not in session.prepare_request(request).headers
        keyed = requests.Request("GET", "https://graph.microsoft.com/v1.0/me", auth=("ours", "ours"))
        assert session.prepare_request(keyed).headers["Authorization"] == "Basic b3VyczpvdXJz"


@pytest.mark.parametrize("is_loopback", [False, True])
def test_a_proxy_of_the_environment_is_for_other_hosts_only(monkeypatch: pytest.MonkeyPatch, is_loopback: bool) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://gateway.example:8080")
    monkeypatch.delenv("NO_PROXY", raising=False)
    with open_session(is_loopback=is_loopback) as session:
        settings = session.merge_environment_settings("https://graph.microsoft.com/", {}, None, None, None)
    assert settings["proxies"].get("https") == (None if is_loopback else "http://gateway.example:8080")
