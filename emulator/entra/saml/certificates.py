"""The certificates of a service principal, the one that signs, and the federation metadata that publishes them. Quirks:
when the active certificate has expired and another valid one exists, Entra signs with that one (A). The metadata starts
with a byte-order mark, RoleDescriptor and IDPSSODescriptor have the same certificates, and inactive ones are among them
(A, C for the last). The private keys are the sandbox's own (`signingKeys` of the seed, by thumbprint); no answer and no
export shows them."""

import base64
from dataclasses import dataclass

from lxml import etree

from emulator.clock import parse_timestamp
from emulator.entra.saml.requests import PROTOCOL
from emulator.tenant.records import PrincipalRecord
from emulator.types import Attributes, Json

_MD = "urn:oasis:names:tc:SAML:2.0:metadata"
_DS = "http://www.w3.org/2000/09/xmldsig#"
_FED = "http://docs.oasis-open.org/wsfed/federation/200706"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"


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


def build_metadata(issuer: str, principal: PrincipalRecord, sign_on: str) -> bytes:
    """The federation metadata of one application; `sign_on` is the address of both bindings."""
    root = etree.Element(f"{{{_MD}}}EntityDescriptor", nsmap={None: _MD}, ID=f"_{principal.id}", entityID=issuer)
    fed = {"xsi": _XSI, "fed": _FED}
    role = etree.SubElement(root, f"{{{_MD}}}RoleDescriptor", nsmap=fed, protocolSupportEnumeration=_FED)
    role.set(f"{{{_XSI}}}type", "fed:SecurityTokenServiceType")
    saml = etree.SubElement(root, f"{{{_MD}}}IDPSSODescriptor", protocolSupportEnumeration=PROTOCOL)
    published = [certificate.der for certificate in read_certificates(principal) if certificate.der]
    for parent, der in ((parent, der) for parent in (role, saml) for der in published):
        descriptor = etree.SubElement(parent, f"{{{_MD}}}KeyDescriptor", use="signing")
        info = etree.SubElement(descriptor, f"{{{_DS}}}KeyInfo", nsmap={None: _DS})
        etree.SubElement(etree.SubElement(info, f"{{{_DS}}}X509Data"), f"{{{_DS}}}X509Certificate").text = der
    for binding in ("HTTP-Redirect", "HTTP-POST"):
        address = {"Binding": f"urn:oasis:names:tc:SAML:2.0:bindings:{binding}", "Location": sign_on}
        etree.SubElement(saml, f"{{{_MD}}}SingleSignOnService", address)
    return b"\xef\xbb\xbf" + bytes(etree.tostring(root, xml_declaration=True, encoding="utf-8"))
