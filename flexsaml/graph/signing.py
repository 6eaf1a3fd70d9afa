"""Signing certificates of a service principal, and whether its application accepts mapped claims, v1.0. Quirks (A but
where another grade stands): POST addTokenSigningCertificate answers 200 with the public half, and does not activate it
(C); the name must begin with `CN=`; the end is at most three years away, which is the default; its reference page lists
the public cloud only. PATCH of preferredTokenSigningKeyThumbprint activates (204). The certificate itself is in `key`,
which is null unless $select names keyCredentials of one object; that is limited to 150 requests a minute. `api` of an
application is patched member by member (B). No call takes a signing certificate away (C: removeKey and removePassword
fail)."""

import base64
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .directory_calls import DirectoryCalls
from .errors import RUN_AGAIN, Unanswered
from .models import SigningKey
from .principals import read_signing_key
from .urls import segment


@dataclass(frozen=True)
class SigningCertificate:
    """A certificate of a service principal: its key, and the certificate itself (DER)."""

    key: SigningKey
    der: bytes


class Signing(DirectoryCalls):
    """What decides whether Entra signs for a service principal with a claims mapping policy."""

    def create_signing_certificate(
        self, principal_id: str, name: str, ends: datetime | None, known: Collection[str]
    ) -> SigningCertificate:
        """POST, then wait until the principal shows it. It is not active. `name` begins with `CN=`; `ends` None: three
        years from now. `known`: the thumbprints of the certificates that were there before."""
        path, body = f"{_path(principal_id)}/addTokenSigningCertificate", {"displayName": name}
        if ends is not None:
            body["endDateTime"] = f"{ends:%Y-%m-%dT%H:%M:%SZ}"

        def created() -> dict[str, Any] | None:
            rows = self._credentials(principal_id)
            new = [row for row in rows if row.get("displayName") == name and _thumbprint(row) not in known]
            return new[0] if len(new) == 1 else None

        answer = self._client.write("POST", path, body, landed=created)
        certificate = _read(path, answer)
        thumbprint = certificate.key.thumbprint
        self.wait_for(
            lambda: any(_thumbprint(row) == thumbprint for row in self._credentials(principal_id)),
            f"GET {_path(principal_id)} after the creation of certificate {thumbprint}",
        )
        return certificate

    def signing_certificate(self, principal_id: str, thumbprint: str) -> SigningCertificate | None:
        """The certificate with that thumbprint (hex, upper case); None if the principal does not have it."""
        rows = [row for row in self._credentials(principal_id) if _thumbprint(row) == thumbprint]
        return _read(_path(principal_id), rows[0]) if rows else None

    def activate_signing_certificate(self, principal_id: str, thumbprint: str) -> None:
        """PATCH, then wait until the principal shows it: from then on Entra signs with it."""
        path, name = _path(principal_id), "preferredTokenSigningKeyThumbprint"

        def shows() -> bool:
            live = self._client.entity(path, params={"$select": f"id,{name}"})
            return str(live.get(name) or "").upper() == thumbprint

        self._client.write("PATCH", path, {name: thumbprint})
        self.wait_for(shows, f"GET {path} after the activation of certificate {thumbprint}")

    def set_accept_mapped_claims(self, application_id: str, accepted: bool) -> None:
        """PATCH, then wait until the application (object id) shows it."""
        path, name = f"/applications/{segment(application_id)}", "acceptMappedClaims"

        def shows() -> bool:
            live = self._client.entity(path, params={"$select": "id,api"})
            return bool((live.get("api") or {}).get(name)) is accepted

        self._client.write("PATCH", path, {"api": {name: accepted}})
        self.wait_for(shows, f"GET {path} after {name} was set to {str(accepted).lower()}")

    def _credentials(self, principal_id: str) -> list[dict[str, Any]]:
        """The public key credentials, with the certificates."""
        live = self._client.entity(_path(principal_id), params={"$select": "id,keyCredentials"})
        return [row for row in live.get("keyCredentials") or () if row.get("usage") == "Verify"]


def _path(principal_id: str) -> str:
    return f"/servicePrincipals/{segment(principal_id)}"


def _thumbprint(row: dict[str, Any]) -> str:
    return read_signing_key(row).thumbprint


def _read(path: str, row: dict[str, Any]) -> SigningCertificate:
    """A key credential, or what the creation answers. Raises Unanswered for one without a certificate in it."""
    try:
        if row["usage"] != "Verify":
            raise ValueError(row["usage"])
        key, der = read_signing_key(row), base64.b64decode(row["key"], validate=True)
    except (KeyError, TypeError, ValueError):
        words = "the answer does not have a certificate, as Graph's answers have"
        raise Unanswered(f"reading the certificate of {path}", words, RUN_AGAIN) from None
    return SigningCertificate(key, der)
