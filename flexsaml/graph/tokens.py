"""Tokens for Graph: fetched once, kept in memory, refreshed before they end, never shown; and whom a token names. Real
clouds go through azure-identity (environment, workload identity, managed identity, Azure CLI, or a person who has
signed in before; never interactive), imported only when a token is needed: the import takes longer than all else in a
preview. The loopback cloud asks the given login endpoint itself with the client-credentials grant and an identity of
the emulator's own: anybody may listen on that port, so nothing of the environment's Azure identity goes there. Quirks:
a 401 may come before a token expires (A: F5), so `forget` drops it, and with it what azure-identity has in memory; what
`az` or a person's sign-in keep on disk stays, and a second 401 says to sign in again. A managed identity has tokens of
its own tenant only, whichever is asked for. Graph alone reads its tokens, so what a token says of itself is a hint (A:
F5) and may be unreadable. `wids` names tenant-wide directory roles, if it is there (A); seen in a token of an
application, too (C: msgraph-sdk-powershell#1782). `idtyp` is `app` for an application, absent or `user` for a person.
The `Date` header has whole seconds."""

from __future__ import annotations

import base64
import logging
import os
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import requests

from flexsaml.http_session import read_body
from flexsaml.json_values import load_json

from .aadsts import read_refusal
from .clock import Clock
from .clouds import Cloud
from .errors import NoCredential, NotSent, Unanswered
from .person import SignedInPerson, wants_device_code
from .transport import CONNECT_TIMEOUT, READ_TIMEOUT, failure, open_session
from .urls import is_guid, segment

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

    Chain = Callable[[Cloud, str], TokenCredential]

REFRESH_MARGIN = 300.0
_LARGEST_TOKEN = 2**20  # bytes of an answer with a token, which has some thousands
# The emulator's seeded client; its secret is public and opens nothing else.
SANDBOX_CLIENT = "11111111-1111-4111-8111-111111111111"
SANDBOX_SECRET = "sandbox"  # noqa: S105
SANDBOX_TENANT = "contoso.example"
# Another client of the emulator, for instance with fewer permissions. These variables are read for nothing else.
SANDBOX_CLIENT_VARIABLE, SANDBOX_SECRET_VARIABLE = "FLEXSAML_SANDBOX_CLIENT", "FLEXSAML_SANDBOX_SECRET"

# Every user has the first, every application the second (C, as above); the third, Directory Readers, only reads (A).
_HARMLESS_ROLES = frozenset(
    {
        "b79fbf4d-3ef9-4689-8143-76b194e85509",
        "0997a1d0-0d1d-4acb-b408-d5ca73121e90",
        "88d8e3e3-8f55-4a1e-953a-9b9898b8876b",
    }
)
_SIGN_IN = "sign in to Microsoft Entra"
_WAYS = (
    "set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET (or AZURE_CLIENT_CERTIFICATE_PATH, or a workload or "
    "managed identity) of an identity that `python -m flexsaml setup` made, or sign in as a person, see `python -m "
    "flexsaml login --help`"
)
_WRONG_TENANT = "check the tenant id that is configured, and AZURE_TENANT_ID"
_AADSTS_HINTS = {
    **dict.fromkeys(("90002", "900021", "900023", "900971", "90013", "50020"), _WRONG_TENANT),
    "700016": f"check AZURE_CLIENT_ID; {_WRONG_TENANT}",
    "7000215": "check AZURE_CLIENT_SECRET: it wants the secret's value, not its id",
    "7000222": "the client secret has expired: make a new one and set AZURE_CLIENT_SECRET",
    **dict.fromkeys(
        ("700211", "700212", "700213"),
        "compare issuer, audience and subject of the pipeline's token with those of the federated credential that "
        "`python -m flexsaml setup` made; Entra distinguishes upper and lower case in them",
    ),
    "700027": "check the certificate behind AZURE_CLIENT_CERTIFICATE_PATH",
    "500011": "check the cloud that is configured: Graph is not known under that address in this tenant",
}
_SANDBOX_HINT = (
    f"check {SANDBOX_CLIENT_VARIABLE} and {SANDBOX_SECRET_VARIABLE}, or remove both for the sandbox's own identity"
)
_SIGN_IN_AGAIN = (
    "sign in again (`python -m flexsaml login`, or `az login`, with `--tenant` for another tenant), or use an identity "
    "that `python -m flexsaml setup` made"
)
_NOT_APPLICABLE = re.compile(
    r"unavailable|not installed|not found on path|no response|not fully configured|az login|no managed identity",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Token:
    """A token and its life in seconds of UTC since the epoch. Its text is never shown."""

    text: str = field(repr=False)
    fetched: float
    expires: float

    def needs_refresh(self, now: float) -> bool:
        """True from `REFRESH_MARGIN` before expiry on; from half of its life for one that lives only briefly."""
        return now >= self.expires - min(REFRESH_MARGIN, (self.expires - self.fetched) / 2)


class CachedTokens:
    """One token for any number of threads. `fetch` gets the current time (UTC seconds)."""

    def __init__(self, fetch: Callable[[float], Token], clock: Clock) -> None:
        self._fetch, self._clock, self._lock = fetch, clock, threading.Lock()
        self._token: Token | None = None

    def token(self) -> str:
        """A token good for at least some minutes. Raises NoCredential or another NotSent."""
        with self._lock:
            now = self._clock.utc().timestamp()
            if self._token is None or self._token.needs_refresh(now):
                self._token = self._fetch(now)
            return self._token.text

    def forget(self, token: str) -> None:
        """Drop that token: Graph would not take it. One that another thread has fetched since stays."""
        with self._lock:
            if self._token is not None and self._token.text == token:
                self._token = None


def credentials(
    cloud: Cloud, tenant_id: str = "", *, clock: Clock | None = None, session: requests.Session | None = None
) -> CachedTokens:
    """The identity of the environment in that cloud; of the loopback cloud, the emulator's own. Nothing is asked before
    the first token is needed. `tenant_id` "" means the identity's own tenant (loopback: the emulator's); a token of
    another tenant than this id is refused (NoCredential). `session` is for the loopback grant."""
    if cloud.name != "loopback":
        return CachedTokens(lambda now: _of_tenant(tenant_id, _azure_token(cloud, tenant_id, now)), clock or Clock())
    line = session or open_session(cloud)
    return CachedTokens(
        lambda now: _of_tenant(tenant_id, _granted_token(line, cloud, tenant_id, now)), clock or Clock()
    )


def _of_tenant(tenant_id: str, token: Token) -> Token:
    """The token. Raises NoCredential if it says that it is of another tenant: everything would be written there."""
    holder = identity(token.text)
    # A domain name cannot be compared: the token has the id only.
    if holder and holder.tenant_id and is_guid(tenant_id) and holder.tenant_id.lower() != tenant_id.lower():
        words = f"the token is of tenant {holder.tenant_id}, but flexsaml:tenantId is {tenant_id}"
        hint = "use an identity of the configured tenant (`az login --tenant`, AZURE_TENANT_ID), or correct the key"
        raise NoCredential(_SIGN_IN, words, hint)
    return token


def _granted_token(session: requests.Session, cloud: Cloud, tenant_id: str, now: float) -> Token:
    tenant = tenant_id or SANDBOX_TENANT
    url = f"{cloud.login}/{segment(tenant)}/oauth2/v2.0/token"
    form = {
        "grant_type": "client_credentials",
        "client_id": os.environ.get(SANDBOX_CLIENT_VARIABLE) or SANDBOX_CLIENT,
        "client_secret": os.environ.get(SANDBOX_SECRET_VARIABLE) or SANDBOX_SECRET,
        "scope": f"{cloud.graph}/.default",
    }
    try:
        timeouts = (CONNECT_TIMEOUT, READ_TIMEOUT)
        with session.post(url, data=form, timeout=timeouts, stream=True, allow_redirects=False) as answer:
            content = read_body(answer, _LARGEST_TOKEN)
    except OSError as error:
        lost = failure(_SIGN_IN, url, error, "")
        # Whatever became of the grant: nothing was sent to Graph, so the call itself may be tried again.
        raise lost if isinstance(lost, NotSent) else NotSent(_SIGN_IN, lost.words) from error
    try:
        body = dict(load_json(content))
    except (ValueError, TypeError):
        body = {}
    text = body.get("access_token")
    if answer.status_code == 200 and isinstance(text, str) and text:
        lifetime = str(body.get("expires_in"))
        return Token(text, now, now + (float(lifetime) if lifetime.isdecimal() else 3600.0))
    reason = str(body.get("error_description") or f"{cloud.login} gave no token (HTTP {answer.status_code})")
    if answer.status_code == 429 or answer.status_code >= 500:
        raise NotSent(_SIGN_IN, reason)
    refused = no_credential(reason, tenant)
    is_about_client = "AZURE_CLIENT" in refused.hint  # the hints are for the environment's Azure identity
    raise NoCredential(refused.operation, refused.words, _SANDBOX_HINT) if is_about_client else refused


def _azure_token(cloud: Cloud, tenant_id: str, now: float, chain: Chain | None = None) -> Token:
    """A token from the environment's identity. A new chain each time: its cache may hold the token just refused."""
    logging.getLogger("azure").addHandler(logging.NullHandler())  # else each failed attempt lands on stderr
    from azure.core.exceptions import AzureError, ClientAuthenticationError

    try:
        credential = (chain or _choose_credential)(cloud, tenant_id)
        answer = credential.get_token(f"{cloud.graph}/.default", tenant_id=tenant_id or None)
    except ClientAuthenticationError as error:
        raise no_credential(str(error), tenant_id) from error
    except (ValueError, OSError) as error:  # an ill-formed tenant id, a certificate file that cannot be used
        words = _first_line(str(error))
        hint = _WRONG_TENANT if "tenant" in words.lower() else "check AZURE_CLIENT_CERTIFICATE_PATH"
        raise NoCredential(_SIGN_IN, words, f"{hint}; else {_WAYS}") from error
    except AzureError as error:
        raise NotSent(_SIGN_IN, _first_line(str(error)), f"check that {cloud.login} can be reached") from error
    return Token(answer.token, now, float(answer.expires_on))


def _choose_credential(cloud: Cloud, tenant_id: str) -> TokenCredential:
    """The person who has signed in, where the environment says so, else what it offers by itself."""
    if wants_device_code(os.environ):
        return SignedInPerson(cloud, tenant_id)
    return _azure_chain(cloud, tenant_id)


def _azure_chain(cloud: Cloud, tenant_id: str) -> TokenCredential:
    """Environment, workload identity, managed identity, Azure CLI. DefaultAzureCredential does not pass the tenant to
    the CLI nor the authority to workload identity, and AZURE_TOKEN_CREDENTIALS may make it interactive."""
    import azure.identity as azure

    tenants = [tenant_id] if tenant_id else []
    chain: list[TokenCredential] = [
        azure.EnvironmentCredential(authority=cloud.login, additionally_allowed_tenants=tenants)
    ]
    if os.environ.get("AZURE_FEDERATED_TOKEN_FILE"):
        chain.append(azure.WorkloadIdentityCredential(authority=cloud.login, additionally_allowed_tenants=tenants))
    chain.append(azure.ManagedIdentityCredential(client_id=os.environ.get("AZURE_CLIENT_ID") or None))
    chain.append(azure.AzureCliCredential(tenant_id=tenant_id, process_timeout=30))
    return azure.ChainedTokenCredential(*chain)


def no_credential(reason: str, tenant: str = "") -> NoCredential:
    """The error for what a token service or azure-identity said, in one readable line."""
    number, words = read_refusal(reason)
    if not number:
        # azure-identity lists each attempt on a line of its own; most only say that they do not apply here.
        attempts = [line for line in reason.splitlines() if line.startswith("\t")] or [_first_line(reason)]
        applicable = [line for line in attempts if line and not _NOT_APPLICABLE.search(line)]
        words = _first_line(applicable[0]) if applicable else "no credential was found"
        return NoCredential(_SIGN_IN, words, _WAYS)
    hint = _AADSTS_HINTS.get(number, _SIGN_IN_AGAIN)
    return NoCredential(f"{_SIGN_IN} (tenant {tenant})" if tenant else _SIGN_IN, words, hint)


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


@dataclass(frozen=True)
class Identity:
    """What a token says of whoever holds it; empty where it says nothing. The token itself is not kept. `kind` is
    application, person or what else the token says; `permissions` are those it names (`roles`, `scp`);
    `directory_roles` are the template ids of its directory roles (`wids`) that allow to write anything."""

    kind: str
    app_id: str
    object_id: str
    tenant_id: str
    permissions: frozenset[str]
    directory_roles: frozenset[str] = frozenset()

    @property
    def is_person(self) -> bool:
        return self.kind == "person"


def identity(token: str) -> Identity | None:
    """None when the token cannot be read."""
    try:
        payload = token.split(".")[1]
        claims = load_json(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        scopes = str(claims.get("scp") or "").split()
        kind = str(claims.get("idtyp") or ("user" if scopes else "app"))
        app_id, object_id, tenant_id = (str(claims.get(key) or "") for key in ("appid", "oid", "tid"))
        permissions = frozenset(claims.get("roles") or ()) | frozenset(scopes)
        directory_roles = frozenset(claims.get("wids") or ()) - _HARMLESS_ROLES
    except (IndexError, ValueError, AttributeError, TypeError):
        return None
    kind = {"app": "application", "user": "person"}.get(kind, kind)
    return Identity(kind, app_id, object_id, tenant_id, permissions, directory_roles)


def skew(cloud: Cloud, *, clock: Clock | None = None, session: requests.Session | None = None) -> float | None:
    """Seconds this machine is ahead of Graph, None when Graph states no time. Raises NotSent or Unanswered. Any answer
    will do, a refusal too: no token is sent."""
    ticking, url = clock or Clock(), f"{cloud.graph}/v1.0/"
    before = ticking.utc()
    try:
        with (
            session or open_session(cloud) as opened,
            opened.get(url, timeout=(CONNECT_TIMEOUT, READ_TIMEOUT), stream=True, allow_redirects=False) as answer,
        ):
            text = answer.headers.get("Date")  # the body is not read
    except OSError as error:
        raise failure(
            "ask Graph for the time", url, error, "check the network and the cloud that is configured"
        ) from error
    middle = before + (ticking.utc() - before) / 2
    if text is None:
        return None
    try:
        return (middle - parsedate_to_datetime(text)).total_seconds()
    except (ValueError, TypeError):
        raise Unanswered(
            "ask Graph for the time", f"the Date header of its answer is not a date: {text[:40]!r}"
        ) from None
