"""If this goes red, whoever listens on the sandbox's port gets a real secret."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from flexsaml.errors import UserError
from flexsaml.flex import read_access, read_worker
from tests.cli.command import CLAIMS, run
from tests.graph.fakes import SECRET as ISSUED

MARK = "real-value-of-the-environment"
CREDENTIAL_VARIABLES = (
    "AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH",
    "AZURE_CLIENT_CERTIFICATE_PASSWORD", "AZURE_USERNAME", "AZURE_PASSWORD", "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_AUTHORITY_HOST", "AZURE_TOKEN_CREDENTIALS", "ARM_CLIENT_ID", "ARM_CLIENT_SECRET", "ARM_TENANT_ID",
    "ARM_SUBSCRIPTION_ID", "ARM_OIDC_TOKEN", "ARM_ACCESS_KEY", "ARM_CLIENT_CERTIFICATE_PASSWORD", "IDENTITY_HEADER",
    "MSI_SECRET", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "SYSTEM_ACCESSTOKEN", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN",
    "TWILIO_API_KEY", "TWILIO_API_KEY_SECRET", "TWILIO_WORKSPACE_SID", "PULUMI_ACCESS_TOKEN",
    "PULUMI_CONFIG_PASSPHRASE",
)  # fmt: skip
ENDPOINT_VARIABLES = (
    "IDENTITY_ENDPOINT", "MSI_ENDPOINT", "ACTIONS_ID_TOKEN_REQUEST_URL", "AZURE_POD_IDENTITY_AUTHORITY_HOST",
    "IMDS_ENDPOINT", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy",
)  # fmt: skip


class Recorder(ThreadingHTTPServer):
    """Records each request as text, and answers as a token endpoint, Graph or TaskRouter would, with nothing in it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Recorder

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
        self.server.received.append(f"{self.requestline}\n{self.headers}\n{body}")
        answer = b'{"access_token":"%s","expires_in":3600,"value":[],"workers":[]}' % ISSUED.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PATCH = do_DELETE = do_CONNECT = _answer

    def log_message(self, format: str, *_args: Any) -> None:
        """Quiet."""


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with Recorder() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


COMMANDS = [
    ("doctor",),
    ("predict", "--user", "ada@contoso.example"),
    ("predict", "--all"),
    ("worker", "ada@contoso.example"),
    ("certificate",),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_credential_reaches_a_loopback_endpoint(
    recorder: Recorder, tmp_path: Path, command: tuple[str, ...]
) -> None:
    (tmp_path / "token").write_text(MARK)
    (tmp_path / ".netrc").write_text(f"machine 127.0.0.1 login {MARK} password {MARK}\n")
    (tmp_path / "Pulumi.dev.yaml").write_text(
        "config:\n  flexsaml:cloud: loopback\n  flexsaml:servicePrincipal: Twilio Flex\n"
        f"  flexsaml:graphEndpoint: {recorder.url}\n  flexsaml:loginEndpoint: {recorder.url}\n{CLAIMS}"
    )
    environment = {
        **dict.fromkeys(CREDENTIAL_VARIABLES, MARK),
        **dict.fromkeys(ENDPOINT_VARIABLES, recorder.url),
        "AZURE_FEDERATED_TOKEN_FILE": str(tmp_path / "token"),
        "FLEXSAML_TASKROUTER_URL": recorder.url,
        "FLEXSAML_SIGN_IN": "device-code",
        "HOME": str(tmp_path),
        "NETRC": str(tmp_path / ".netrc"),
    }
    for name in ("FLEXSAML_SANDBOX_CLIENT", "FLEXSAML_SANDBOX_SECRET"):
        environment[name] = ""
    ended = run(*command, "--file", str(tmp_path / "Pulumi.dev.yaml"), cwd=tmp_path, environment=environment)
    assert any("/oauth2/v2.0/token" in request for request in recorder.received), ended
    assert any(f"Bearer {ISSUED}" in request for request in recorder.received), "Graph was not asked"
    assert not any(MARK in request or "CONNECT" in request for request in recorder.received)


@pytest.mark.parametrize("tenant_is_emulated", [False, True])
def test_no_key_of_twilio_reaches_a_loopback_endpoint(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tenant_is_emulated: bool
) -> None:
    (tmp_path / ".netrc").write_text(f"machine 127.0.0.1 login {MARK} password {MARK}\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    environment = {**dict.fromkeys(CREDENTIAL_VARIABLES, MARK), "FLEXSAML_TASKROUTER_URL": recorder.url}
    with pytest.raises(UserError, match="no worker is called"):
        read_worker(read_access(environment, recorder.url if tenant_is_emulated else ""), "ada@contoso.example")
    assert len(recorder.received) == 1
    assert MARK not in recorder.received[0]
