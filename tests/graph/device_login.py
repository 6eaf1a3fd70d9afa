"""A token service over TLS that knows the device code flow, as MSAL asks for it. A helper, not a test.

Shapes: OpenID Connect discovery, RFC 8628 and Microsoft's page on the device authorization grant.
"""

from __future__ import annotations

import base64
import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import trustme

from flexsaml.graph.clouds import Cloud

TENANT, CLIENT = "c0ffee00-5eed-4a11-8c01-7e2a27c0d05e", "99999999-9999-4999-8999-999999999999"
PERSON = "admin@contoso.example"
ACCESS, REFRESH = "access-token-not-to-be-shown", "refresh-token-not-to-be-shown"


class DeviceLogin(ThreadingHTTPServer):
    """`lifetime`: seconds that an access token lasts. `refused`: grant type, or `devicecode`, to the error it answers."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[str] = []
        self.lifetime = 3600
        self.person = PERSON
        self.refused: dict[str, tuple[str, str]] = {}

    def handle_error(self, *_: Any) -> None:
        """Quiet: a client that does not trust the certificate hangs up."""

    @property
    def cloud(self) -> Cloud:
        return Cloud("public", "https://graph.microsoft.com", f"https://localhost:{self.server_port}")

    def answer(self, path: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        base = f"{self.cloud.login}/{path.split('/')[1]}"
        if path.endswith("/.well-known/openid-configuration"):
            if TENANT not in path:
                return 400, {"error": "invalid_tenant", "error_description": "AADSTS90002: Tenant not found."}
            endpoints = {"authorization": "authorize", "token": "token", "device_authorization": "devicecode"}
            urls = {f"{name}_endpoint": f"{base}/oauth2/v2.0/{end}" for name, end in endpoints.items()}
            return 200, {"issuer": f"{base}/v2.0", **urls}
        grant = form["grant_type"].rpartition(":")[2] if "grant_type" in form else "devicecode"
        self.asked.append(grant)
        if grant in self.refused:
            code, words = self.refused[grant]
            return 400, {"error": code, "error_description": f"{words} Trace ID: 0f0f Correlation ID: 1e1e"}
        if grant == "devicecode":
            page = "https://microsoft.com/devicelogin"
            flow = {"device_code": "D", "user_code": "ABCD1234", "verification_uri": page}
            return 200, {**flow, "expires_in": 900, "interval": 1, "message": "To sign in, …"}
        return 200, self._tokens(f"{base}/v2.0")

    def _tokens(self, issuer: str) -> dict[str, Any]:
        now = int(time.time())
        claims = {
            "iss": issuer,
            "aud": CLIENT,
            "tid": TENANT,
            "sub": "s",
            "preferred_username": self.person,
            "iat": now,
        }
        token = f"{ACCESS}-{len(self.asked)}"
        info = _encode({"uid": "u", "utid": TENANT})
        return {
            "token_type": "Bearer",
            "scope": "https://graph.microsoft.com/.default",
            "expires_in": self.lifetime,
            "access_token": token,
            "refresh_token": REFRESH,
            "id_token": f"{_encode({'alg': 'none'})}.{_encode({**claims, 'exp': now + 3600})}.x",
            "client_info": info,
        }


class _Handler(BaseHTTPRequestHandler):
    server: DeviceLogin

    def _answer(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"] or 0)).decode())
        path = urlsplit(self.path).path
        status, body = self.server.answer(path, {name: values[0] for name, values in form.items()})
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = _answer

    def log_message(self, format: str, *_args: Any) -> None:
        """Quiet."""


def _encode(claims: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")


@contextmanager
def serve(folder: Path) -> Iterator[tuple[DeviceLogin, Path]]:
    """The service, and the certificate of its authority."""
    authority = trustme.CA()
    bundle = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with DeviceLogin() as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server, bundle
        server.shutdown()
        thread.join()
