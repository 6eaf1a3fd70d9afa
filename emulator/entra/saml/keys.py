"""The certificates of a service principal, and the one that signs.

Quirk tamed: when the active certificate has ended and another valid one exists, Entra signs with that one (A). The
private keys are the sandbox's own (seed part `signingKeys`, by thumbprint); no answer and no export shows them.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime, timezone

from emulator.tenant.records import ServicePrincipal
from emulator.tenant.store import Store
from emulator.types import Attributes, Json


@dataclass(frozen=True)
class Certificate:
    """`der` is base64, as metadata and signatures carry it; empty where the principal does not tell it."""

    thumbprint: str
    der: str
    starts: float
    ends: float
    is_active: bool

    def is_valid(self, now: float) -> bool:
        return self.starts <= now < self.ends


def certificates(principal: ServicePrincipal) -> list[Certificate]:
    """All of them, inactive ones too, the active one first."""
    active = str(principal.attributes.get("preferredTokenSigningKeyThumbprint") or "").upper()
    rows = [row for row in principal.attributes.get("keyCredentials") or () if _is_certificate(row)]
    found = [_certificate(row, active) for row in rows]
    return sorted(found, key=lambda one: not one.is_active)


def signing(principal: ServicePrincipal, now: float) -> Certificate | None:
    """The application-specific signing key in force, if there is one."""
    found = certificates(principal)
    active = next((one for one in found if one.is_active), None)
    if active is None or active.is_valid(now):
        return active
    return _latest(found, now)


def any_valid(principal: ServicePrincipal, now: float) -> Certificate | None:
    return _latest(certificates(principal), now)


def private_key(store: Store, certificate: Certificate) -> str | None:
    """PEM; None for a certificate that the sandbox has no key of."""
    found = store.signing_keys.get(certificate.thumbprint)
    return None if found is None else str(found.attributes["pem"])


def _latest(found: list[Certificate], now: float) -> Certificate | None:
    return max((one for one in found if one.is_valid(now)), key=lambda one: one.ends, default=None)


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
        moment = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return 0.0
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
