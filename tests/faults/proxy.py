"""A proxy between the product and the emulated tenant that lets a fault meet a chosen call. A helper, not a test.

It knows nothing of the emulator and uses none of its faults. Calls to Graph are counted and recorded; others (tokens)
pass. Addresses of the tenant in answers become addresses of the proxy, and the reverse in requests. Which faults there
are is in `catalogue.py`.
"""

from __future__ import annotations

import http.client
import json
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote, urlsplit

GRAPH = ("/v1.0/", "/beta/")
IDLE = 30.0  # seconds after which a connection to the tenant may be closed
HOP_BY_HOP = frozenset({"connection", "content-length", "date", "host", "keep-alive", "server", "transfer-encoding"})


@dataclass(frozen=True)
class Reply:
    """One HTTP answer."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def json(self) -> Any:
        """The decoded body, None when it is no JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


CUT = None
"""In place of a Reply: the connection is closed before an answer."""


@dataclass
class RecordedCall:
    """One call to Graph as it arrived, and what became of it."""

    number: int
    method: str
    path: str
    """with version and query"""
    url: str
    body: Any
    """decoded JSON, None without a body"""
    fault: str = ""
    passed_on: int = 0
    """how often it was sent to the tenant"""
    tenant_status: int = 0
    """what the tenant answered last; 0 when it was not asked"""
    reply: Reply | None = CUT
    """what the product was answered"""

    @property
    def items(self) -> list[dict[str, Any]]:
        """The items of a $batch."""
        return list(self.body["requests"]) if self.is_batch else []

    @property
    def is_batch(self) -> bool:
        return self.path.endswith("/$batch")

    @property
    def is_write(self) -> bool:
        """Whether it may change the tenant."""
        if self.is_batch:
            return any(item["method"] != "GET" for item in self.items)
        return self.method != "GET" and not self.path.endswith("/getAvailableExtensionProperties")


Forward = Callable[..., Reply]
"""Send the call to the tenant, with another JSON body if one is given; its answer."""
Send = Callable[[str, str, Any], Reply]
"""Ask the tenant something else, as whoever made the call: method, path, JSON body."""


@dataclass(frozen=True)
class Fault:
    """What happens to a call in place of an answer. `strike(call, forward)` returns what is answered, or CUT."""

    name: str
    applies: Callable[[RecordedCall], bool]
    """told from the call; of a recorded one also from its reply"""
    strike: Callable[[RecordedCall, Forward], Reply | None]
    same_path: bool = False
    """whether a repetition strikes only calls of the same method and path"""
    notice: Callable[[RecordedCall, Send], None] | None = None
    """told of every call before it is passed on"""


class FaultProxy:
    """Use as a context manager. `url` is where it listens, `calls` what arrived since the last `arm` or `clear`."""

    def __init__(self, upstream_url: str) -> None:
        self.upstream = upstream_url.rstrip("/")
        self.calls: list[RecordedCall] = []
        self._lock = threading.Lock()
        self._fault: Fault | None = None
        self._choose: Callable[[RecordedCall], Fault | None] | None = None
        self._at = self._left = 0
        self._struck = ("", "")
        proxy = self

        class Handler(_Handler):
            owner = proxy

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.owner = self
        self.failures: list[BaseException | None] = []
        """what went wrong in the proxy itself; leaving it raises the first"""
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> FaultProxy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        for failure in self.failures:
            raise RuntimeError("the proxy failed") from failure

    def arm(self, fault: Fault, at: int = 0, times: int = 1) -> None:
        """Forget the calls; let the fault meet the first call from number `at` on (from 0) to which it applies, and
        the next such calls until it struck `times` times."""
        with self._lock:
            self.calls, self._fault, self._at, self._left, self._struck = [], fault, at, times, ("", "")

    def arm_each(self, choose: Callable[[RecordedCall], Fault | None]) -> None:
        """Let `choose` say for each call which fault meets it."""
        with self._lock:
            self._choose = choose

    def disarm(self) -> None:
        with self._lock:
            self._fault = self._choose = None

    def clear(self) -> None:
        """Forget the calls."""
        with self._lock:
            self.calls = []

    @property
    def strikes(self) -> int:
        """How many calls a fault met since the last `arm` or `clear`."""
        return sum(bool(call.fault) for call in self.calls)

    def receive(self, method: str, path: str, body: Any) -> tuple[RecordedCall, Fault | None, Fault | None]:
        """Record a call; the fault that meets it, and the fault that notices it."""
        with self._lock:
            call = RecordedCall(len(self.calls), method, path, f"{self.url}{path}", body)
            self.calls.append(call)
            if self._choose is not None:
                chosen = self._choose(call)
                call.fault = chosen.name if chosen else ""
                return call, chosen, None
            fault = self._fault
            if fault is None or not self._left or call.number < self._at or not fault.applies(call):
                return call, None, fault
            key = (method, path.partition("?")[0])
            if fault.same_path and self._struck not in (("", ""), key):
                return call, None, fault
            self._left, self._struck, call.fault = self._left - 1, key, fault.name
            return call, fault, fault

    def to_tenant(self, text: bytes) -> bytes:
        return _replaced(text, self.url, self.upstream)

    def to_product(self, text: bytes) -> bytes:
        return _replaced(text, self.upstream, self.url)


def _replaced(text: bytes, old: str, new: str) -> bytes:
    return text.replace(old.encode(), new.encode()).replace(quote(old, safe="").encode(), quote(new, safe="").encode())


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    owner: FaultProxy

    def handle_error(self, *_: object) -> None:
        error = sys.exc_info()[1]
        if not isinstance(error, ConnectionError):  # the product may close a connection
            self.owner.failures.append(error)


class _Handler(BaseHTTPRequestHandler):
    owner: FaultProxy
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self._upstream: http.client.HTTPConnection | None = None
        self._used = 0.0

    def finish(self) -> None:
        super().finish()
        if self._upstream is not None:
            self._upstream.close()

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _serve(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self.path.startswith(GRAPH):
            self._answer(self._send(self.owner.to_tenant(content), self.command, self.path))
            return
        call, fault, noticing = self.owner.receive(self.command, self.path, json.loads(content) if content else None)

        def send(method: str, path: str, body: Any) -> Reply:
            return self._send(self.owner.to_tenant(b"" if body is None else json.dumps(body).encode()), method, path)

        def forward(body: Any = None) -> Reply:
            reply = send(self.command, self.path, call.body if body is None else body)
            call.passed_on, call.tenant_status = call.passed_on + 1, reply.status
            return reply

        if noticing is not None and noticing.notice is not None:
            noticing.notice(call, send)
        call.reply = forward() if fault is None else fault.strike(call, forward)
        self._answer(call.reply)

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _serve

    def _send(self, content: bytes, method: str, path: str) -> Reply:
        kept = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        kept["Accept-Encoding"] = "identity"
        if self._upstream is None or time.monotonic() - self._used > IDLE:  # nothing is ever sent twice from here
            self._upstream = http.client.HTTPConnection(urlsplit(self.owner.upstream).netloc, timeout=60)
        self._used = time.monotonic()
        self._upstream.request(method, path, content or None, kept)
        response = self._upstream.getresponse()
        body = response.read()
        headers = {name: value for name, value in response.getheaders() if name.lower() not in HOP_BY_HOP}
        return Reply(response.status, headers, self.owner.to_product(body))

    def _answer(self, reply: Reply | None) -> None:
        if reply is None:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status != 204:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)
