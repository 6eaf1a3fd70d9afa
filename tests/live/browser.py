"""Sign-ins by a person. The suite serves a page on this machine, which is also the reply URL of the scratch application:
the person signs in once, and every later sign-in is a redirect that Entra answers by the browser's session. The page
shows a password, so its address has a key that is printed in the terminal only; a response is taken only with the
RelayState of the request that is waiting."""

from __future__ import annotations

import html
import re
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flexsaml.errors import UserError
from tests.live.experiment import NobodySignedIn, Undecided
from tests.live.scratch import Scratch
from tests.live.signin import build_request_url

_LARGEST_FORM = 2**20  # bytes; a response with 60 attributes has some 20,000
_LONGEST_POLL = 20.0  # seconds for which a browser is kept waiting for the next request
_CODE = re.compile(r"AADSTS\d{4,7}")
_START = """<h1>Live suite</h1>
<p>Sign in as this user, in a private window, so that no account of yours is used:</p>
<p>User name <code>{upn}</code><br>Password <code>{password}</code></p>
<p>Entra may ask for a second factor: set it up for this user, who is deleted at the end of the run.</p>
<p><a href="{base}/next">Sign in</a>. After that, leave the window open: it goes on by itself, for as long as the run lasts.</p>
<form method="post" action="{base}/refused"><p>Does Entra show an error instead? Its code, and the run goes on without this
answer: <input name="code" placeholder="AADSTS50011" required pattern=".*AADSTS[0-9]+.*"> <button>Go on</button></p></form>"""
_WAITING = '<meta http-equiv="refresh" content="0; url={base}/next"><p>The suite prepares the next question.</p>'
_DONE = "<p>No more sign-ins are needed. You can close this window.</p>"


@dataclass
class _Pending:
    """The sign-in that is waited for. `answer`: a response, or why there is none."""

    relay_state: str
    url: str
    scratch: Scratch
    response: str = ""
    refused: str = ""


@dataclass
class BrowserSignIn:
    """`poll`: seconds for which a browser waits for the next request before it asks again."""

    login: str
    tenant_id: str
    port: int
    poll: float = _LONGEST_POLL
    key: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _pending: _Pending | None = None
    _is_done: bool = False

    @property
    def base(self) -> str:
        return f"/{self.key}"

    @property
    def address(self) -> str:
        """What the person opens."""
        return f"http://localhost:{self.port}{self.base}/"

    @contextmanager
    def serve(self) -> Iterator[BrowserSignIn]:
        """Raises UserError when the port is taken."""
        try:
            server = ThreadingHTTPServer(("127.0.0.1", self.port), _handler(self))
        except OSError as error:
            raise UserError(f"port {self.port} cannot be used ({error.strerror}): choose another with --port") from None
        server.daemon_threads = True
        self.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            with self._changed:
                self._is_done = True
                self._changed.notify_all()
            server.shutdown()
            server.server_close()
            thread.join()

    def sign_in(self, scratch: Scratch, seconds: float) -> str:
        relay_state = secrets.token_urlsafe(16)
        pending = _Pending(relay_state, build_request_url(self.login, self.tenant_id, scratch, relay_state), scratch)
        with self._changed:
            self._pending = pending
            self._changed.notify_all()
            try:
                if not self._changed.wait_for(lambda: pending.response or pending.refused, max(seconds, 0.0)):
                    raise NobodySignedIn(f"nobody signed in within {seconds:.0f} s")
            finally:
                self._pending = None
        if pending.refused:
            raise Undecided(f"Entra refused the sign-in: {pending.refused}")
        return pending.response

    # -- what the page asks --------------------------------------------------------------------------------------

    def start_page(self) -> str:
        pending = self._wait_for_pending()
        if pending is None:
            return _DONE if self._is_done else _WAITING.format(base=self.base).replace("/next", "/")
        agent = pending.scratch.agent
        return _START.format(base=self.base, upn=html.escape(agent.upn), password=html.escape(agent.password))

    def next_url(self) -> str:
        """Where the browser goes now; "" if it has to ask again."""
        pending = self._wait_for_pending()
        return pending.url if pending else ""

    def waiting_page(self) -> str:
        return _DONE if self._is_done else _WAITING.format(base=self.base)

    def accept(self, response: str, relay_state: str) -> bool:
        """Whether a sign-in with this RelayState was waited for."""
        with self._changed:
            if (
                self._pending is None
                or not response
                or not secrets.compare_digest(relay_state.encode(), self._pending.relay_state.encode())
            ):
                return False
            self._pending.response = response
            self._pending = None
            self._changed.notify_all()
        return True

    def refuse(self, text: str) -> None:
        """The person read an error at Entra."""
        code = _CODE.search(text)
        with self._changed:
            if self._pending:
                self._pending.refused = code[0] if code else "without a code"
                self._pending = None
                self._changed.notify_all()

    def _wait_for_pending(self) -> _Pending | None:
        with self._changed:
            self._changed.wait_for(lambda: self._pending or self._is_done, self.poll)
            return self._pending


def _handler(sign_in: BrowserSignIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            if not self._is_local():
                return self._answer(HTTPStatus.MISDIRECTED_REQUEST)
            if path == f"{sign_in.base}/":
                return self._answer(HTTPStatus.OK, sign_in.start_page())
            if path == f"{sign_in.base}/next":
                url = sign_in.next_url()
                return self._redirect(url) if url else self._answer(HTTPStatus.OK, sign_in.waiting_page())
            return self._answer(HTTPStatus.NOT_FOUND)

        def do_POST(self) -> None:
            path, fields = urlsplit(self.path).path, self._read_form()
            if not self._is_local():
                return self._answer(HTTPStatus.MISDIRECTED_REQUEST)
            if path == "/acs":
                if not sign_in.accept(fields.get("SAMLResponse", ""), fields.get("RelayState", "")):
                    return self._answer(HTTPStatus.FORBIDDEN, "<p>No sign-in is waiting for this response.</p>")
            elif path == f"{sign_in.base}/refused":
                sign_in.refuse(fields.get("code", ""))
            else:
                return self._answer(HTTPStatus.NOT_FOUND)
            return self._redirect(f"{sign_in.base}/next")

        def _is_local(self) -> bool:
            """A page of another site that resolves its name to this machine names another host."""
            return self.headers.get("Host") in (f"localhost:{sign_in.port}", f"127.0.0.1:{sign_in.port}")

        def _read_form(self) -> dict[str, str]:
            length = self.headers.get("Content-Length", "")
            if not length.isdecimal() or int(length) > _LARGEST_FORM:
                self.close_connection = True
                return {}
            body = self.rfile.read(int(length)).decode("utf-8", "replace")
            return {name: values[0] for name, values in parse_qs(body, max_num_fields=20).items()}

        def _redirect(self, url: str) -> None:
            self.send_response(HTTPStatus.SEE_OTHER)
            self.send_header("Location", url)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _answer(self, status: HTTPStatus, body: str = "") -> None:
            page = f'<!doctype html><meta charset="utf-8"><title>Live suite</title>{body or status.phrase}'.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header(
                "Content-Security-Policy", "default-src 'none'; form-action 'self'; frame-ancestors 'none'"
            )
            self.send_header("Referrer-Policy", "no-referrer")
            self.send_header("Cache-Control", "no-store")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_arguments: Any) -> None:
            """Nothing: addresses have the key."""

    return Handler
