"""The certificates of a service principal, and the XML that Entra issues from the templates beside this module: signed
SAML responses and federation metadata. Assertion and response are both signed: RSA-SHA256 over SHA-256 digests and
exclusive canonicalization, by xmlsec. Quirks: when the active certificate has expired and another valid one exists,
Entra signs with that one (A). A certificate without a private key, a key credential of usage Sign, counts as none (D).
An attribute has a NameFormat only where the policy names one (A). The metadata starts
with a byte-order mark, RoleDescriptor and IDPSSODescriptor have the same certificates, and inactive ones are among them
(A, C for the last). The private keys are the sandbox's own (`signingKeys` of the seed, by thumbprint); no answer and no
export shows them."""

import base64
import math
import re
from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import xmlsec
from jinja2 import Environment, StrictUndefined
from lxml import etree
from markupsafe import Markup, escape

from emulator.clock import parse_timestamp
from emulator.entra.saml.requests import ASSERTION
from emulator.entra.saml.statement import Statement
from emulator.tenant.records import PrincipalRecord
from emulator.types import Attributes, Json

_LIFETIME = timedelta(hours=1)
_EARLY = timedelta(minutes=5)
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Certificate:
    """`der` is base64, as metadata and signatures carry it; empty if the principal does not have it. `can_sign`: the
    principal has its private key."""

    thumbprint: str
    der: str
    starts: float
    ends: float
    is_active: bool
    can_sign: bool

    def is_valid(self, now: float) -> bool:
        return self.starts <= now < self.ends


def read_certificates(principal: PrincipalRecord) -> list[Certificate]:
    """All certificates, inactive ones too, the active one first."""
    active = str(principal.attributes.get("preferredTokenSigningKeyThumbprint") or "").upper()
    rows = [row for row in principal.attributes.get("keyCredentials") or () if isinstance(row, dict)]
    private = {row.get("customKeyIdentifier") for row in rows if row.get("usage") == "Sign"}
    certificates = [_certificate(row, active, private) for row in rows if row.get("usage") == "Verify"]
    return sorted(certificates, key=lambda certificate: not certificate.is_active)


def _certificate(row: Attributes, active: str, private: Set[Json]) -> Certificate:
    """`private`: the identifiers of the private keys that are there."""
    identifier = row.get("customKeyIdentifier")
    try:
        thumbprint = base64.b64decode(identifier or "").hex().upper()
    except ValueError:
        thumbprint = ""
    starts, ends = _moment(row.get("startDateTime"), -math.inf), _moment(row.get("endDateTime"), math.inf)
    is_active = bool(active) and thumbprint == active
    return Certificate(thumbprint, str(row.get("key") or ""), starts, ends, is_active, identifier in private)


def _moment(text: Json, without: float) -> float:
    """`without`: what a date that is not there, or cannot be read, stands for: no limit (D)."""
    try:
        return parse_timestamp(str(text))
    except ValueError:
        return without


def find_signing_certificate(principal: PrincipalRecord, now: float) -> Certificate | None:
    """The certificate of the application-specific signing key in force, if there is one."""
    active = next((certificate for certificate in _read_signing_certificates(principal) if certificate.is_active), None)
    return active if active is None or active.is_valid(now) else find_latest_valid(principal, now)


def _read_signing_certificates(principal: PrincipalRecord) -> list[Certificate]:
    return [certificate for certificate in read_certificates(principal) if certificate.can_sign]


def find_latest_valid(principal: PrincipalRecord, now: float) -> Certificate | None:
    """The valid certificate that expires last."""
    valid = (certificate for certificate in _read_signing_certificates(principal) if certificate.is_valid(now))
    return max(valid, key=lambda certificate: certificate.ends, default=None)


def _to_xml(value: str) -> str:
    """Escaped, white space too, which a parser would change; without what JSON can carry and XML 1.0 cannot: control
    characters and lone surrogates."""
    if isinstance(value, Markup):
        return value
    escaped = str(escape(_UNWRITABLE.sub("\ufffd", value)))
    return Markup(re.sub("[\t\n\r]", lambda match: f"&#{ord(match[0])};", escaped))  # noqa: S704 - escaped above


_TEMPLATES = Environment(autoescape=True, undefined=StrictUndefined, finalize=_to_xml)


def _render(template: str, **values: object) -> etree._Element:
    # Line breaks and indentation of a template are for its reader only.
    text = re.sub(r"\n\s*", "", Path(__file__).with_name(template).read_text(encoding="utf-8"))
    return etree.fromstring(_TEMPLATES.from_string(text).render(values))


def build_metadata(issuer: str, principal: PrincipalRecord, sign_on: str) -> bytes:
    """The federation metadata of one application; `sign_on` is the address of both bindings."""
    certificates = [certificate.der for certificate in read_certificates(principal) if certificate.der]
    root = _render("metadata.xml", id=principal.id, issuer=issuer, certificates=certificates, sign_on=sign_on)
    return b"\xef\xbb\xbf" + bytes(etree.tostring(root, xml_declaration=True, encoding="utf-8"))


def sign_response(statement: Statement, now: datetime, key_pem: str, certificate: str, **envelope: str) -> bytes:
    """The response, signed with this key; `certificate` (base64) is part of the signature. `envelope` is the rest of
    what the template needs: response_id, assertion_id, in_response_to (may be empty), issuer, audience, acs."""
    times = {"now": _stamp(now), "early": _stamp(now - _EARLY), "late": _stamp(now + _LIFETIME)}
    root = _render("response.xml", statement=statement, **times, **envelope)
    for value in root.iter(f"{{{ASSERTION}}}AttributeValue"):
        value.text = value.text or ""  # an empty value keeps its end tag
    key = xmlsec.Key.from_memory(key_pem, xmlsec.constants.KeyDataFormatPem)
    pem = f"-----BEGIN CERTIFICATE-----\n{certificate}\n-----END CERTIFICATE-----\n"
    key.load_cert_from_memory(pem, xmlsec.constants.KeyDataFormatPem)
    for element in (root[-1], root):  # the assertion first: the response's signature covers it
        _sign(element, key)
    return bytes(etree.tostring(root))


def _sign(element: etree._Element, key: xmlsec.Key) -> None:
    exclusive = xmlsec.constants.TransformExclC14N
    signature = xmlsec.template.create(element, exclusive, xmlsec.constants.TransformRsaSha256, ns="ds")
    element.insert(1, signature)  # after the Issuer, as the schema has it
    uri = f"#{element.get('ID')}"
    reference = xmlsec.template.add_reference(signature, xmlsec.constants.TransformSha256, uri=uri)
    for transform in (xmlsec.constants.TransformEnveloped, exclusive):
        xmlsec.template.add_transform(reference, transform)
    xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(signature))
    context = xmlsec.SignatureContext()
    context.key = key
    context.register_id(element, "ID")
    context.sign(signature)


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"
