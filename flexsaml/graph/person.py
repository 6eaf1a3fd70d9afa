"""Signing in as a person by device code, with an application registration of one's own (a public client). It is chosen
by an environment variable, never by itself, and never in CI. `sign_in` asks the person, once; from then on
`SignedInPerson` takes tokens from azure-identity's persistent cache and never asks anybody: a provider that waited for
a person would hang an update. Kept are azure-identity's AuthenticationRecord, which names the account and holds no
secret, in a file of its own, and the tokens where azure-identity keeps them: Keychain, libsecret or DPAPI, and as a
plain file only if the person has said so. Our clouds' login hosts are a fixed list, so MSAL need not ask Microsoft
which hosts exist. Everything of azure-identity is imported when it is used."""

from __future__ import annotations

import json
import logging
import os
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flexsaml.json_values import load_json
from flexsaml.private_files import read_regular_file, write_private_file

from .aadsts import read_refusal
from .clouds import Cloud
from .errors import NoCredential, NotSent
from .transport import CONNECT_TIMEOUT, READ_TIMEOUT
from .urls import is_guid

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken
    from azure.identity import AuthenticationRecord, DeviceCodeCredential

    OpenCredential = Callable[..., DeviceCodeCredential]

CHOICE_VARIABLE, DEVICE_CODE = "FLEXSAML_SIGN_IN", "device-code"
CLIENT_VARIABLE, TENANT_VARIABLE = "AZURE_CLIENT_ID", "AZURE_TENANT_ID"
CI_VARIABLES = ("CI", "TF_BUILD")  # GitHub Actions, GitLab and most others set CI, Azure Pipelines sets TF_BUILD
LOGIN = "python -m flexsaml login"
_TRIED = "sign in to Microsoft Entra by device code"
_CACHE = "flexsaml"  # the name of azure-identity's cache, apart from that of Microsoft's developer tools
_FOR_CI = "in CI use a federated credential, a certificate or a secret, and remove the variable"
_NO_ENCRYPTION = "Cache encryption is impossible"  # azure-identity's words
# Of azure-identity, which by itself tries for minutes; whoever needs a token tries again.
_PATIENCE: dict[str, Any] = {"retry_total": 1, "connection_timeout": CONNECT_TIMEOUT, "read_timeout": READ_TIMEOUT}
ShowCode = Callable[[str, str, datetime], None]
"""Tells a person the address, the code to enter there, and until when (UTC)."""


@dataclass(frozen=True)
class PublicClient:
    """The registration that signs the person in: `client_id` (appId) in `tenant` (id or domain). `unencrypted`: tokens
    may be kept in a plain file, where this machine cannot encrypt them."""

    client_id: str
    tenant: str
    unencrypted: bool = False

    def check(self) -> None:
        """Raises NoCredential for what cannot be one."""
        if not is_guid(self.client_id):
            words = f"'{self.client_id}' is not an appId" if self.client_id else "no application is named"
            raise NoCredential(_TRIED, words, f"set {CLIENT_VARIABLE} to the appId of a registration of your own")
        if not self.tenant:
            raise NoCredential(_TRIED, "no tenant is named", f"set {TENANT_VARIABLE}, or tenantId of the stack")

    @property
    def login(self) -> str:
        """The command that signs in with it."""
        return f"`{LOGIN} --client-id {shlex.quote(self.client_id)} --tenant {shlex.quote(self.tenant)}`"


def wants_device_code(environment: Mapping[str, str]) -> bool:
    """Whether the environment chooses a person's sign-in. Raises NoCredential for another choice, and in CI."""
    choice = environment.get(CHOICE_VARIABLE, "")
    if not choice:
        return False
    if choice != DEVICE_CODE:
        hint = f"set it to {DEVICE_CODE}, or remove it to use the environment's identity"
        raise NoCredential(f"read {CHOICE_VARIABLE}", f"'{choice}' is not a way to sign in", hint)
    refuse_in_ci(environment)
    return True


def refuse_in_ci(environment: Mapping[str, str]) -> None:
    """Raises NoCredential where nobody can enter a code."""
    for name in CI_VARIABLES:
        if environment.get(name, "").lower() not in ("", "0", "false"):
            raise NoCredential(_TRIED, f"this is CI ({name} is set), where no person can sign in", _FOR_CI)


def record_file(client: PublicClient, environment: Mapping[str, str]) -> Path:
    """Where the record of a sign-in with that registration is kept."""
    home = Path(environment.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    tenant = "".join(letter if letter.isalnum() or letter in ".-" else "_" for letter in client.tenant.lower())
    return home / "flexsaml" / f"sign-in-{client.client_id.lower()}-{tenant}.json"


def sign_in(
    cloud: Cloud,
    client: PublicClient,
    show: ShowCode,
    *,
    environment: Mapping[str, str] | None = None,
    open_credential: OpenCredential | None = None,
) -> str:
    """Has a person sign in, and keeps the record. Returns their user name. Raises NoCredential. `open_credential`: what
    makes azure-identity's credential."""
    from azure.core.exceptions import AzureError

    known = os.environ if environment is None else environment
    refuse_in_ci(known)
    client.check()
    file = record_file(client, known)
    options = {"client_id": client.client_id, "tenant_id": client.tenant, "authority": cloud.login}
    try:
        credential = _open(client, open_credential, prompt_callback=show, **options)
        record = credential.authenticate(scopes=[f"{cloud.graph}/.default"])
    except (AzureError, ValueError, OSError) as error:
        raise _describe(error, client, cloud) from error
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        raise NoCredential(_TRIED, f"{file.parent} cannot be made: {problem.strerror}") from None
    kept = {"record": load_json(record.serialize()), "unencrypted": client.unencrypted}
    write_private_file(file, json.dumps(kept) + "\n")
    return str(record.username)


class SignedInPerson:
    """Tokens of the person who signed in with the environment's client. Nobody is ever asked."""

    def __init__(
        self,
        cloud: Cloud,
        tenant_id: str,
        *,
        environment: Mapping[str, str] | None = None,
        open_credential: OpenCredential | None = None,
    ) -> None:
        """`tenant_id`: of the stack; "" for the environment's. Raises NoCredential if nobody has signed in there."""
        known = os.environ if environment is None else environment
        client = PublicClient(known.get(CLIENT_VARIABLE, ""), tenant_id or known.get(TENANT_VARIABLE, ""))
        client.check()
        record, unencrypted = _read_record(record_file(client, known), client, cloud)
        self._cloud = cloud
        self._client = PublicClient(client.client_id, client.tenant, unencrypted)
        self._credential = _open(
            self._client,
            open_credential,
            tenant_id=client.tenant,
            authentication_record=record,
            disable_automatic_authentication=True,
        )

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """Raises NoCredential when the sign-in has ended, or another NotSent."""
        from azure.core.exceptions import AzureError

        try:
            return self._credential.get_token(*scopes, **options)
        except (AzureError, ValueError, OSError) as error:
            raise _describe(error, self._client, self._cloud) from error


def _open(client: PublicClient, open_credential: OpenCredential | None, **options: Any) -> DeviceCodeCredential:
    import azure.identity as azure

    logging.getLogger("azure").addHandler(logging.NullHandler())  # else each failed attempt lands on stderr
    cache = azure.TokenCachePersistenceOptions(name=_CACHE, allow_unencrypted_storage=client.unencrypted)
    open_credential = open_credential or azure.DeviceCodeCredential
    return open_credential(cache_persistence_options=cache, disable_instance_discovery=True, **_PATIENCE, **options)


def _read_record(file: Path, client: PublicClient, cloud: Cloud) -> tuple[AuthenticationRecord, bool]:
    """The record, and whether its tokens may lie in a plain file. azure-identity names the authority by its host alone,
    and would take a port for a part of the name; the cloud's own address is put in its place."""
    from azure.identity import AuthenticationRecord

    try:
        kept = load_json(read_regular_file(file))
        record, unencrypted = AuthenticationRecord.deserialize(json.dumps(kept["record"])), bool(kept["unencrypted"])
    except FileNotFoundError:
        words = f"nobody has signed in to tenant {client.tenant} with it on this machine"
        raise NoCredential(_TRIED, words, f"run {client.login}") from None
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        raise NoCredential(_TRIED, f"{file} cannot be read", f"run {client.login}") from None
    if record.authority != urlsplit(cloud.login).netloc:
        words = f"{record.username} has signed in at {record.authority}, not at {cloud.login}"
        raise NoCredential(_TRIED, words, f"run {client.login} with --cloud {cloud.name}")
    ids = (record.tenant_id, record.client_id, cloud.login, record.home_account_id, record.username)
    return AuthenticationRecord(*ids), unencrypted


_HINTS = {
    "7000218": "set 'Allow public client flows' of the registration to Yes (Authentication)",
    "700016": "check --client-id and --tenant: the registration is not in that tenant",
    "65001": "an administrator has to consent to the permissions of the registration",
    "90094": "an administrator has to consent to the permissions of the registration",
    "53003": "Conditional Access refuses it, perhaps because it blocks device codes; use another identity",
}


def _describe(error: Exception, client: PublicClient, cloud: Cloud) -> NotSent:
    """What azure-identity raised, as one line. It wraps whatever goes wrong, lost connections too, in an error of
    authentication."""
    from azure.core.exceptions import AzureError, ClientAuthenticationError
    from azure.identity import AuthenticationRequiredError

    inner, text = error.__cause__ or error, " ".join(str(error).split())
    if isinstance(inner, AzureError) and not isinstance(inner, ClientAuthenticationError):
        return NotSent(_TRIED, text, f"check that {cloud.login} can be reached")
    if _NO_ENCRYPTION in text:
        words = "this machine cannot encrypt the tokens that it has to keep (no libsecret in this session)"
        hint = f"run {client.login} with --unencrypted to keep them in a file that only you can read"
        return NoCredential(_TRIED, words, hint)
    if isinstance(error, AuthenticationRequiredError):
        return NoCredential(_TRIED, "the sign-in has ended", f"run {client.login}")
    number, words = read_refusal(str(error))
    if not number and "tenant" in text.lower():
        return NoCredential(_TRIED, f"there is no tenant '{client.tenant}'", "check the tenant's id or domain")
    return NoCredential(_TRIED, words, _HINTS.get(number, f"run {client.login}"))
