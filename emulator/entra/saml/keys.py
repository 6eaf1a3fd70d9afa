"""The certificates of a service principal, and the one that signs.

Quirk: when the active certificate has expired and another valid one exists, Entra signs with that one (A). The private
keys are the sandbox's own (`signingKeys` of the seed, by thumbprint); no answer and no export shows them.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from emulator.clock import parse_timestamp
from emulator.tenant.records import PrincipalRecord
from emulator.tenant.store import Store
from emulator.types import Attributes, Json


@dataclass(frozen=True)
class Certificate:
    """`der` is base64, as metadata and signatures carry it; empty if the principal does not have it."""

    thumbprint: str
    der: str
    starts: float
    ends: float
    is_active: bool

    def is_valid(self, now: float) -> bool:
        return self.starts <= now < self.ends


def read_certificates(principal: PrincipalRecord) -> list[Certificate]:
    """All certificates, inactive ones too, the active one first."""
    active = str(principal.attributes.get("preferredTokenSigningKeyThumbprint") or "").upper()
    rows = [row for row in principal.attributes.get("keyCredentials") or () if _is_certificate(row)]
    return sorted((_certificate(row, active) for row in rows), key=lambda certificate: not certificate.is_active)


def find_signing_certificate(principal: PrincipalRecord, now: float) -> Certificate | None:
    """The certificate of the application-specific signing key in force, if there is one."""
    active = next((certificate for certificate in read_certificates(principal) if certificate.is_active), None)
    return active if active is None or active.is_valid(now) else find_latest_valid(principal, now)


def find_latest_valid(principal: PrincipalRecord, now: float) -> Certificate | None:
    """The valid certificate that expires last."""
    valid = (certificate for certificate in read_certificates(principal) if certificate.is_valid(now))
    return max(valid, key=lambda certificate: certificate.ends, default=None)


def find_private_key(store: Store, certificate: Certificate) -> str | None:
    """PEM; None for a certificate whose key the sandbox does not have."""
    key = store.signing_keys.get(certificate.thumbprint)
    return None if key is None else str(key.attributes["pem"])


def _is_certificate(row: Json) -> bool:
    return isinstance(row, dict) and row.get("usage") == "Verify"


def _certificate(row: Attributes, active: str) -> Certificate:
    try:
        thumbprint = base64.b64decode(row.get("customKeyIdentifier") or "").hex().upper()
    except (binascii.Error, ValueError):
        thumbprint = ""
    return Certificate(
        thumbprint,
        str(row.get("key") or ""),
        _moment(row.get("startDateTime")),
        _moment(row.get("endDateTime")),
        bool(active) and thumbprint == active,
    )


def _moment(text: Json) -> float:
    try:
        return parse_timestamp(str(text))
    except ValueError:
        return 0.0
