"""Two listeners in one event loop: http and https on loopback, the certificate signed by the emulator's own CA. The CA
is kept beside the data (`ca.pem`, its key in `ca-key.pem`, readable by the owner only), so that a client that trusts it
once trusts it after every restart. uvicorn speaks HTTP; it cannot cut a connection without an answer, so each request
gets its transport's `abort`."""

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
    """Gives the application, in scope["state"], a function that cuts the connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "abort": transport.abort}


class Listener(uvicorn.Server):
    """A uvicorn server that leaves signals to `serve` below, which stops two of them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def bind(port: int) -> socket.socket:
    """A socket on 127.0.0.1; port 0 means any free port. Raises OSError, in one line, when the port is taken."""
    # The protocol is named because asyncio sets TCP_NODELAY only where it is; without it each answer on a kept
    # connection waits 40 ms for the client's delayed acknowledgement.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a restart must not wait for TIME_WAIT
    try:
        bound.bind(("127.0.0.1", port))
        bound.listen(256)
    except (OSError, OverflowError) as error:
        bound.close()
        raise OSError(f"cannot listen on 127.0.0.1:{port}: {error}; choose another port") from error
    return bound


def authority(directory: Path) -> trustme.CA:
    """The CA kept in `directory`, made on first use."""
    certificate, key = directory / "ca.pem", directory / "ca-key.pem"
    if certificate.exists() and key.exists():
        return trustme.CA.from_pem(certificate.read_bytes(), key.read_bytes())
    ca = trustme.CA(organization_name="Entra emulator on loopback")
    _write(key, ca.private_key_pem.bytes(), 0o600)
    _write(certificate, ca.cert_pem.bytes(), 0o644)
    return ca


def _write(path: Path, content: bytes, mode: int) -> None:
    """Write completely or not at all: a kill between two bytes must not leave half a key."""
    unfinished = path.with_suffix(".new")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode), "wb") as file:
        file.write(content)
    unfinished.replace(path)


def serve(
    app: ASGIApp, plain: socket.socket, secure: socket.socket, ca_directory: Path, stop: Callable[[], None]
) -> None:
    """Serve until SIGTERM or SIGINT; `stop` releases requests that hang. Prints one line of JSON when ready."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority(ca_directory).issue_cert("localhost", "127.0.0.1").configure_cert(context)
    listeners = [Listener(_config(app, tls)) for tls in (None, context)]
    ready = {
        "http": f"http://127.0.0.1:{plain.getsockname()[1]}",
        "https": f"https://localhost:{secure.getsockname()[1]}",
        "ca": str(ca_directory / "ca.pem"),
    }

    def end() -> None:
        stop()
        for listener in listeners:
            listener.should_exit = True

    async def run() -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, end)
        # The sockets listen already: a client that reads this line and connects is queued, not refused.
        print(json.dumps(ready), flush=True)
        await asyncio.gather(listeners[0].serve([plain]), listeners[1].serve([secure]))

    asyncio.run(run())


def _config(app: ASGIApp, context: ssl.SSLContext | None) -> uvicorn.Config:
    return uvicorn.Config(
        app, ssl_context_factory=(lambda _config, _default: context) if context else None, http=AbortableProtocol,
        ws="none", lifespan="off", access_log=False, log_level="warning", server_header=False, date_header=False,
        timeout_keep_alive=75, timeout_graceful_shutdown=2,
    )  # fmt: skip
