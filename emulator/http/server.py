"""Two listeners in one event loop: http and https on loopback, the certificate signed by a CA of this emulator's own.

The CA lives beside the data (`ca.pem`, its key in `ca-key.pem`, readable by the owner only), so that a client that
trusts it once trusts every restart. uvicorn owns HTTP; what it does not offer, cutting a connection without an answer,
is added by handing each request its transport's `abort`. No quirk of Graph lives here.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import trustme
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class AbortableProtocol(HttpToolsProtocol):
    """Hands the application, in scope["state"], the way to cut its connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "abort": transport.abort}


class Listener(uvicorn.Server):
    """A uvicorn server that leaves signals to `serve` below, which has two of them to end."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def bind(port: int) -> socket.socket:
    """A socket on 127.0.0.1; OSError when the port is taken. 0 means any free one."""
    # The protocol is named because asyncio sets TCP_NODELAY only where it is; without it each answer on a kept
    # connection waits 40 ms for the client's delayed acknowledgement.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a restart must not wait for TIME_WAIT
    try:
        bound.bind(("127.0.0.1", port))
        bound.listen(256)
    except OSError:
        bound.close()
        raise
    return bound


def authority(directory: Path) -> trustme.CA:
    """The CA kept in `directory`, made on first use."""
    certificate, key = directory / "ca.pem", directory / "ca-key.pem"
    if certificate.exists() and key.exists():
        return trustme.CA.from_pem(certificate.read_bytes(), key.read_bytes())
    made = trustme.CA(organization_name="Entra emulator on loopback")
    _write(key, made.private_key_pem.bytes(), 0o600)
    _write(certificate, made.cert_pem.bytes(), 0o644)
    return made


def _write(path: Path, content: bytes, mode: int) -> None:
    """Whole or not at all: a kill between two bytes must not leave half a key."""
    half = path.with_suffix(".new")
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(content)
    half.replace(path)


def tls_context(ca: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    return context


def serve(
    app: ASGIApp, plain: socket.socket, secure: socket.socket, ca_directory: Path, stop: Callable[[], None]
) -> None:
    """Serve until SIGTERM or SIGINT; `stop` lets go of whatever hangs. Prints one line of JSON once ready."""
    context = tls_context(authority(ca_directory))
    ready = {
        "http": f"http://127.0.0.1:{plain.getsockname()[1]}",
        "https": f"https://localhost:{secure.getsockname()[1]}",
        "ca": str(ca_directory / "ca.pem"),
    }
    asyncio.run(_serve(app, plain, secure, context, stop, json.dumps(ready)))


async def _serve(
    app: ASGIApp,
    plain: socket.socket,
    secure: socket.socket,
    context: ssl.SSLContext,
    stop: Callable[[], None],
    ready: str,
) -> None:
    listeners = [Listener(_config(app, None)), Listener(_config(app, context))]

    def end() -> None:
        stop()
        for listener in listeners:
            listener.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    # The sockets listen already: whoever reads this line and connects is queued, not refused.
    print(ready, flush=True)
    await asyncio.gather(*(s.serve([sock]) for s, sock in zip(listeners, (plain, secure), strict=True)))


def _config(app: ASGIApp, context: ssl.SSLContext | None) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        ssl_context_factory=(lambda _config, _default: context) if context else None,
        http=AbortableProtocol,
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=2,
    )
