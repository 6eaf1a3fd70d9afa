"""If this goes red, a user is asked twice for a token, cannot tell why none was given, or sees one in a message."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError

from flexsaml.graph.clouds import Cloud, cloud
from flexsaml.graph.errors import NoCredential, NotSent
from flexsaml.graph.tokens import CachedTokens, Token, _azure_chain, _azure_token, credentials, no_credential
from tests.live.tenant import Skipped, explain

from .fakes import SECRET, FakeClock

ROOT = Path(__file__).parents[2]
AADSTS = (
    "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent is the client secret value. "
    "Trace ID: 0f0f Correlation ID: 1e1e Timestamp: 2026-01-01 00:00:00Z"
)


class FakeLogin(ThreadingHTTPServer):
    """A token endpoint on loopback that answers from a script and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.answer: tuple[int, bytes] = (
            200,
            b'{"access_token":"%s","expires_in":3600,"token_type":"Bearer"}' % SECRET.encode(),
        )

    @property
    def cloud(self) -> Cloud:
        url = f"http://127.0.0.1:{self.server_port}"
        return cloud("loopback", graph_endpoint=url, login_endpoint=url)


class _Handler(BaseHTTPRequestHandler):
    server: FakeLogin

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.server.asked.append((self.path, {key: values[0] for key, values in form.items()}))
        status, body = self.server.answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *_args: Any) -> None:
        """Quiet."""


@pytest.fixture
def login(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeLogin]:
    for name in ("FLEXSAML_SANDBOX_CLIENT", "FLEXSAML_SANDBOX_SECRET"):
        monkeypatch.delenv(name, raising=False)
    with FakeLogin() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


REFRESHES = [
    (0.0, 3600.0, 0.0, False),
    (0.0, 3600.0, 3299.9, False),
    (0.0, 3600.0, 3300.0, True),
    (0.0, 3600.0, 9999.0, True),
    (0.0, 100.0, 49.0, False),
    (0.0, 100.0, 50.0, True),
    (0.0, 0.0, 0.0, True),
]


@pytest.mark.parametrize(("fetched", "expires", "now", "due"), REFRESHES)
def test_needs_refresh(fetched: float, expires: float, now: float, due: bool) -> None:
    assert Token("t", fetched, expires).needs_refresh(now) is due


def test_eight_threads_fetch_one_token(login: FakeLogin) -> None:
    source, start, got = credentials(login.cloud), threading.Barrier(8), list[str]()

    def ask() -> None:
        start.wait(timeout=5)
        got.append(source.token())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [SECRET] * 8
    assert len(login.asked) == 1


def test_loopback_grant(login: FakeLogin, monkeypatch: pytest.MonkeyPatch) -> None:
    credentials(login.cloud).token()
    monkeypatch.setenv("FLEXSAML_SANDBOX_CLIENT", "me")
    monkeypatch.setenv("FLEXSAML_SANDBOX_SECRET", "mine")
    credentials(login.cloud, "fabrikam.example").token()
    sandbox, own = login.asked
    assert sandbox == (
        "/contoso.example/oauth2/v2.0/token",
        {
            "grant_type": "client_credentials",
            "client_id": "11111111-1111-4111-8111-111111111111",
            "client_secret": "sandbox",
            "scope": f"{login.cloud.graph}/.default",
        },
    )
    assert own[0].startswith("/fabrikam.example/")
    assert (own[1]["client_id"], own[1]["client_secret"]) == ("me", "mine")


def test_token_is_kept_until_shortly_before_its_end(login: FakeLogin) -> None:
    clock = FakeClock()
    source = credentials(login.cloud, clock=clock)
    source.token()
    clock.passed = 3299.0
    source.token()
    assert len(login.asked) == 1
    clock.passed = 3301.0
    source.token()
    assert len(login.asked) == 2


def test_forgetting_drops_that_token_only() -> None:
    fetched = iter("abc")
    source = CachedTokens(lambda now: Token(next(fetched), now, now + 3600), FakeClock())
    assert source.token() == "a"
    source.forget("an older one")
    assert source.token() == "a"
    source.forget("a")
    assert source.token() == "b"
    source.forget("a")
    assert source.token() == "b"


ANSWERS: list[tuple[int, bytes, type[NotSent], str]] = [
    (
        400,
        b'{"error":"invalid_request","error_description":"AADSTS90002: Tenant x not found."}',
        NoCredential,
        "tenant id",
    ),
    (
        400,
        b'{"error":"unauthorized_client","error_description":"AADSTS700016: no app"}',
        NoCredential,
        "FLEXSAML_SANDBOX_CLIENT",
    ),
    (
        401,
        b'{"error":"invalid_client","error_description":"%s"}' % AADSTS.encode(),
        NoCredential,
        "FLEXSAML_SANDBOX_SECRET",
    ),
    (404, b"not here", NoCredential, "HTTP 404"),
    (200, b"{}", NoCredential, "gave no token"),
    (200, b"[]", NoCredential, "gave no token"),
    (503, b"", NotSent, "HTTP 503"),
]


@pytest.mark.parametrize(("status", "body", "kind", "words"), ANSWERS)
def test_no_token(login: FakeLogin, status: int, body: bytes, kind: type[NotSent], words: str) -> None:
    login.answer = (status, body)
    with pytest.raises(NotSent, match=words) as raised:
        credentials(login.cloud).token()
    assert type(raised.value) is kind
    assert "\n" not in str(raised.value)
    assert "Trace ID" not in str(raised.value)


def test_login_endpoint_that_is_not_there() -> None:
    where = cloud("loopback", login_endpoint="http://127.0.0.1:1")
    with pytest.raises(NotSent, match="sign in to Microsoft Entra: no connection to 127"):
        credentials(where).token()


CHAIN = "ChainedTokenCredential failed to retrieve a token from the included credentials.\nAttempted credentials:\n"
NOTHING = (
    CHAIN
    + "\tEnvironmentCredential: EnvironmentCredential authentication unavailable. Environment variables are not fully "
    + "configured.\nVisit https://aka.ms/x to troubleshoot.\n"
    + "\tManagedIdentityCredential: ManagedIdentityCredential authentication unavailable, no response from the IMDS "
    + "endpoint.\n\tAzureCliCredential: Azure CLI not found on path"
)
REASONS = [
    (NOTHING, "no credential was found; set AZURE_TENANT_ID"),
    ("", "no credential was found; set AZURE_TENANT_ID"),
    (CHAIN + "\tEnvironmentCredential: Authentication failed: " + AADSTS, "AADSTS7000215: Invalid client secret"),
    (CHAIN + "\tAzureCliCredential: Please run 'az login' to set up an account", "no credential was found"),
    (CHAIN + "\tAzureCliCredential: unavailable\n\tX: Failed to read token file", "X: Failed to read token file"),
    ("AADSTS50020: wrong", "check the tenant id"),
    ("AADSTS99999999: new", "sign in again (`python -m flexsaml login`"),
    ("AADSTS700213: No matching", "compare issuer, audience and subject"),
]


@pytest.mark.parametrize(("reason", "line"), REASONS)
def test_reasons_become_one_line(reason: str, line: str) -> None:
    text = str(no_credential(reason, "contoso.example"))
    assert line in text
    assert "\n" not in text
    assert "Trace ID" not in text


class FakeChain:
    """azure-identity's part: gives a token or raises."""

    def __init__(self, outcome: AccessToken | Exception) -> None:
        self._outcome = outcome
        self.asked: list[tuple[str, str | None]] = []

    def __call__(self, _cloud: Cloud, _tenant: str) -> FakeChain:
        return self

    def get_token(self, scope: str, *, tenant_id: str | None) -> AccessToken:
        self.asked.append((scope, tenant_id))
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome


def test_azure_token() -> None:
    chain = FakeChain(AccessToken(SECRET, 5000))
    token = _azure_token(cloud("usgov"), "t", 1000.0, chain)  # type: ignore[arg-type]
    assert (token.text, token.fetched, token.expires) == (SECRET, 1000.0, 5000.0)
    assert chain.asked == [("https://graph.microsoft.us/.default", "t")]


TENANT, OTHER = "c0ffee00-5eed-4a11-8c01-7e2a27c0d05e", "0ddba11a-5eed-4a11-8c01-7e2a27c0d05e"


@pytest.mark.parametrize(
    ("tenant_id", "claims", "is_refused"),
    [
        (TENANT, {"tid": OTHER}, True),
        (TENANT, {"tid": TENANT.upper()}, False),
        (TENANT, {}, False),
        (TENANT, None, False),  # a token that cannot be read
        ("contoso.example", {"tid": OTHER}, False),  # which id this domain has is not known here
        ("", {"tid": OTHER}, False),
    ],
)
def test_a_token_of_another_tenant_is_refused(
    login: FakeLogin, tenant_id: str, claims: dict[str, str] | None, is_refused: bool
) -> None:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    text = "opaque" if claims is None else f"e30.{payload}.x"
    login.answer = (200, json.dumps({"access_token": text, "expires_in": 3600}).encode())
    if not is_refused:
        assert credentials(login.cloud, tenant_id).token() == text
        return
    with pytest.raises(NoCredential) as refused:
        credentials(login.cloud, tenant_id).token()
    line = str(refused.value)
    assert f"the token is of tenant {OTHER}, but flexsaml:tenantId is {TENANT}; use an identity of the" in line
    assert "\n" not in line
    assert payload not in line


AZURE_FAILURES = [
    (ClientAuthenticationError(NOTHING), NoCredential, "python -m flexsaml setup"),
    (ValueError("Invalid tenant ID provided."), NoCredential, "check the tenant id"),
    (FileNotFoundError(2, "No such file or directory", "app.pem"), NoCredential, "app.pem"),
    (ServiceRequestError("no route\nto host"), NotSent, "login.microsoftonline.com can be reached"),
]


@pytest.mark.parametrize(("raised", "kind", "words"), AZURE_FAILURES)
def test_azure_failures(raised: Exception, kind: type[NotSent], words: str) -> None:
    with pytest.raises(NotSent, match=words) as failure:
        _azure_token(cloud("public"), "t", 0.0, FakeChain(raised))  # type: ignore[arg-type]
    assert type(failure.value) is kind
    assert "\n" not in str(failure.value)


def test_chain_is_never_interactive(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AZURE_CLIENT_SECRET", "AZURE_USERNAME", "AZURE_CLIENT_CERTIFICATE_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "InteractiveBrowserCredential")
    monkeypatch.setenv("AZURE_CLIENT_ID", "11111111-1111-4111-8111-111111111111")
    monkeypatch.setenv("AZURE_TENANT_ID", "t")
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", "token")
    chain: Any = _azure_chain(cloud("usgov"), "t")
    assert [type(credential).__name__ for credential in chain.credentials] == [
        "EnvironmentCredential",
        "WorkloadIdentityCredential",
        "ManagedIdentityCredential",
        "AzureCliCredential",
    ]


def test_nothing_shows_a_token(login: FakeLogin) -> None:
    source = credentials(login.cloud)
    source.token()
    shown = [repr(source), str(source), repr(Token(SECRET, 0.0, 1.0)), str(Token(SECRET, 0.0, 1.0))]
    assert not any(SECRET in text for text in shown)


def test_azure_is_not_imported_before_a_token_is_needed() -> None:
    code = (
        "import sys; from flexsaml.graph import cloud, credentials; credentials(cloud('public'));"
        "print([name for name in sys.modules if name.partition('.')[0] in ('azure', 'msal')])"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("reason", "skips"),
    [("\tAzureCliCredential: Please run 'az login'", True), ("AADSTS7000215: Invalid secret", False)],
)
def test_the_live_suite_is_skipped_without_a_credential_and_fails_with_a_wrong_one(reason: str, skips: bool) -> None:
    assert isinstance(explain(no_credential(reason)), Skipped) is skips
