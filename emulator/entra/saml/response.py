"""The signed SAML response: XML in Entra's layout, assertion and response both signed. RSA-SHA256 over SHA-256 digests
and exclusive canonicalization, by xmlsec. Quirk: an attribute has a NameFormat only where the policy names one (A)."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

import xmlsec
from lxml import etree

from emulator.entra.saml.requests import ASSERTION, PROTOCOL
from emulator.entra.saml.statement import Statement

_LIFETIME = timedelta(hours=1)
_EARLY = timedelta(minutes=5)
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
_PASSWORD = "urn:oasis:names:tc:SAML:2.0:ac:classes:Password"  # noqa: S105 - a class of authentication
_SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"


@dataclass(frozen=True)
class Envelope:
    """What a response says beside its statement."""

    issuer: str
    audience: str
    acs: str
    now: datetime
    response_id: str
    assertion_id: str
    in_response_to: str = ""


def sign_response(statement: Statement, envelope: Envelope, key_pem: str, certificate: str) -> bytes:
    """The response, signed with this key; `certificate` (base64) is part of the signature."""
    root = _build_response(statement, envelope)
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


def _build_response(statement: Statement, envelope: Envelope) -> etree._Element:
    now = _stamp(envelope.now)
    early, late = _stamp(envelope.now - _EARLY), _stamp(envelope.now + _LIFETIME)
    in_response_to = {"InResponseTo": envelope.in_response_to} if envelope.in_response_to else {}
    named = {"ID": envelope.response_id, "Version": "2.0", "IssueInstant": now, "Destination": envelope.acs}
    root = etree.Element(f"{{{PROTOCOL}}}Response", named | in_response_to, nsmap={"samlp": PROTOCOL})
    _add(root, "Issuer", envelope.issuer)
    status = etree.SubElement(root, f"{{{PROTOCOL}}}Status")
    etree.SubElement(status, f"{{{PROTOCOL}}}StatusCode", Value=_SUCCESS)
    assertion = _add(root, "Assertion", ID=envelope.assertion_id, IssueInstant=now, Version="2.0")
    _add(assertion, "Issuer", envelope.issuer)
    subject = _add(assertion, "Subject")
    _add(subject, "NameID", statement.name_id, Format=statement.name_id_format)
    confirmation = _add(subject, "SubjectConfirmation", Method=_BEARER)
    _add(confirmation, "SubjectConfirmationData", NotOnOrAfter=late, Recipient=envelope.acs, **in_response_to)
    conditions = _add(assertion, "Conditions", NotBefore=early, NotOnOrAfter=late)
    _add(_add(conditions, "AudienceRestriction"), "Audience", envelope.audience)
    attributes = _add(assertion, "AttributeStatement")
    for attribute in statement.attributes:
        form = {"NameFormat": attribute.name_form} if attribute.name_form else {}
        element = _add(attributes, "Attribute", Name=attribute.name, **form)
        for value in attribute.values:
            _add(element, "AttributeValue", value)
    authenticated = _add(assertion, "AuthnStatement", AuthnInstant=now, SessionIndex=envelope.assertion_id)
    _add(_add(authenticated, "AuthnContext"), "AuthnContextClassRef", _PASSWORD)
    return root


def _add(parent: etree._Element, name: str, text: str | None = None, **attributes: str) -> etree._Element:
    named = {key: _writable(value) for key, value in attributes.items()}
    element = etree.SubElement(parent, f"{{{ASSERTION}}}{name}", named, nsmap={None: ASSERTION})
    element.text = None if text is None else _writable(text)
    return element


def _writable(text: str) -> str:
    """The text without control characters and lone surrogates, which JSON can carry and XML 1.0 cannot."""
    return _UNWRITABLE.sub("\ufffd", text)


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"
