"""The certificates of a service principal, and the one that signs. Quirk: when the active certificate has expired and
another valid one exists, Entra signs with that one (A). The private keys are the sandbox's own (`signingKeys` of the
seed, by thumbprint); no answer and no export shows them."""

import base64
from dataclasses import dataclass

from emulator.clock import parse_timestamp
from emulator.tenant.records import PrincipalRecord
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
    rows = principal.attributes.get("keyCredentials") or ()
    certificates = [_certificate(row, active) for row in rows if isinstance(row, dict) and row.get("usage") == "Verify"]
    return sorted(certificates, key=lambda certificate: not certificate.is_active)


def _certificate(row: Attributes, active: str) -> Certificate:
    try:
        thumbprint = base64.b64decode(row.get("customKeyIdentifier") or "").hex().upper()
    except ValueError:
        thumbprint = ""
    starts, ends = _moment(row.get("startDateTime")), _moment(row.get("endDateTime"))
    return Certificate(thumbprint, str(row.get("key") or ""), starts, ends, bool(active) and thumbprint == active)


def _moment(text: Json) -> float:
    try:
        return parse_timestamp(str(text))
    except ValueError:
        return 0.0


def find_signing_certificate(principal: PrincipalRecord, now: float) -> Certificate | None:
    """The certificate of the application-specific signing key in force, if there is one."""
    active = next((certificate for certificate in read_certificates(principal) if certificate.is_active), None)
    return active if active is None or active.is_valid(now) else find_latest_valid(principal, now)


def find_latest_valid(principal: PrincipalRecord, now: float) -> Certificate | None:
    """The valid certificate that expires last."""
    valid = (certificate for certificate in read_certificates(principal) if certificate.is_valid(now))
    return max(valid, key=lambda certificate: certificate.ends, default=None)
