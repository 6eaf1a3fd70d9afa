"""A posted SAML response, judged as a service provider must: signature first, and nothing but what it covers is read.

Both response and assertion must be signed (Twilio's guide asks for both), by a certificate of the application's
metadata. No document type, one assertion, each ID once, RSA-SHA256 and SHA-256 only.
"""

from __future__ import annotations

import base64
import binascii
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timezone

import xmlsec
from lxml import etree

from emulator.entra.saml.requests import ASSERTION, PROTOCOL, parsed

_DS = "http://www.w3.org/2000/09/xmldsig#"
_EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
_SIGNED_WITH = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
_DIGEST = "http://www.w3.org/2001/04/xmlenc#sha256"
_TRANSFORMS = [f"{_DS}enveloped-signature", _EXCLUSIVE]
_SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"


class InvalidResponse(ValueError):
    """Why it is not taken, in one line."""


@dataclass(frozen=True)
class Expected:
    """What this service provider knows beforehand; `certificates` in base64."""

    certificates: tuple[str, ...]
    issuer: str
    audience: str
    acs: str
    now: float


@dataclass(frozen=True)
class Received:
    """What a good response says."""

    assertion_id: str
    ends: float
    name_id: str
    attributes: tuple[tuple[str, tuple[str, ...]], ...]
    shown: str  # the assertion, indented


def received(encoded: str, expected: Expected) -> Received:
    try:
        root = parsed(base64.b64decode("".join(encoded.split()), validate=True)) if encoded else None
    except (binascii.Error, ValueError) as error:
        raise InvalidResponse("it is not base64") from error
    if root is None or root.tag != f"{{{PROTOCOL}}}Response":
        raise InvalidResponse("it is not a Response in XML without a document type")
    ids = [element.get("ID") for element in root.iter() if element.get("ID")]
    assertions = root.findall(f"{{{ASSERTION}}}Assertion")
    if len(assertions) != 1 or len(list(root.iter(f"{{{ASSERTION}}}Assertion"))) != 1 or len(set(ids)) != len(ids):
        raise InvalidResponse("it does not carry exactly one assertion")
    for element, name in ((root, "response"), (assertions[0], "assertion")):
        _check_signature(element, name, expected.certificates)
    _check_envelope(root, assertions[0], expected)
    return _read(assertions[0])


def _check_signature(element: etree._Element, name: str, certificates: tuple[str, ...]) -> None:
    signatures = element.findall(f"{{{_DS}}}Signature")
    if len(signatures) != 1:
        raise InvalidResponse(f"the {name} is not signed")
    info = signatures[0].find(f"{{{_DS}}}SignedInfo")
    references = [] if info is None else info.findall(f"{{{_DS}}}Reference")
    if len(references) != 1 or references[0].get("URI") != f"#{element.get('ID')}":
        raise InvalidResponse(f"the signature of the {name} covers something else")
    algorithms = [one.get("Algorithm") for one in signatures[0].iter(f"{{{_DS}}}Transform")]
    methods = [
        one.get("Algorithm") for one in signatures[0].iter(f"{{{_DS}}}SignatureMethod", f"{{{_DS}}}DigestMethod")
    ]
    if algorithms != _TRANSFORMS or methods != [_SIGNED_WITH, _DIGEST]:
        raise InvalidResponse(f"the {name} is signed in a way that is not accepted (RSA-SHA256 with SHA-256 is)")
    if not any(_verifies(element, signatures[0], one) for one in certificates):
        raise InvalidResponse(f"the signature of the {name} is not by a certificate of the application's metadata")


def _verifies(element: etree._Element, signature: etree._Element, certificate: str) -> bool:
    context = xmlsec.SignatureContext()
    try:
        context.key = xmlsec.Key.from_memory(base64.b64decode(certificate), xmlsec.constants.KeyDataFormatCertDer)
        context.register_id(element, "ID")
        context.verify(signature)
    except (xmlsec.Error, ValueError):
        return False
    return True


def _check_envelope(root: etree._Element, assertion: etree._Element, expected: Expected) -> None:
    status = root.find(f"{{{PROTOCOL}}}Status/{{{PROTOCOL}}}StatusCode")
    confirmation = assertion.find(_path("Subject/SubjectConfirmation/SubjectConfirmationData"))
    conditions = assertion.find(_path("Conditions"))
    if status is None or status.get("Value") != _SUCCESS or confirmation is None or conditions is None:
        raise InvalidResponse("it does not tell of a sign-in")
    told = {
        ("issuer of the response", root.findtext(_path("Issuer"), "")): expected.issuer,
        ("issuer of the assertion", assertion.findtext(_path("Issuer"), "")): expected.issuer,
        ("destination", root.get("Destination", "")): expected.acs,
        ("recipient", confirmation.get("Recipient", "")): expected.acs,
        ("audience", assertion.findtext(_path("Conditions/AudienceRestriction/Audience"), "")): expected.audience,
    }
    for (name, found), wanted in told.items():
        if found != wanted:
            raise InvalidResponse(f"its {name} is '{found}', not '{wanted}'")
    begins = _moment(conditions.get("NotBefore"))
    ends = min(_moment(conditions.get("NotOnOrAfter")), _moment(confirmation.get("NotOnOrAfter")))
    if not begins <= expected.now < ends:
        raise InvalidResponse("it is not valid now: its time has passed, or has not come")


def _read(assertion: etree._Element) -> Received:
    confirmation = assertion.find(_path("Subject/SubjectConfirmation/SubjectConfirmationData"))
    attributes = [
        (one.get("Name", ""), tuple(_text(value) for value in one.findall(_path("AttributeValue"))))
        for one in assertion.findall(_path("AttributeStatement/Attribute"))
    ]
    name_id = assertion.find(_path("Subject/NameID"))
    if name_id is None or not _text(name_id):
        raise InvalidResponse("it names nobody")
    return Received(
        assertion.get("ID", ""),
        _moment(None if confirmation is None else confirmation.get("NotOnOrAfter")),
        _text(name_id),
        tuple(attributes),
        _shown(assertion),
    )


def _shown(assertion: etree._Element) -> str:
    """The assertion for human eyes, without its signature; nothing verifies after this."""
    copy = deepcopy(assertion)
    for signature in copy.findall(f"{{{_DS}}}Signature"):
        copy.remove(signature)
    etree.indent(copy)
    return etree.tostring(copy, encoding="unicode")


def _text(element: etree._Element) -> str:
    """All of it: a comment inside must not cut a name short."""
    return "".join(str(part) for part in element.xpath(".//text()"))


def _path(steps: str) -> str:
    return "/".join(f"{{{ASSERTION}}}{step}" for step in steps.split("/"))


def _moment(text: str | None) -> float:
    try:
        moment = datetime.fromisoformat((text or "").replace("Z", "+00:00"))
    except ValueError as error:
        raise InvalidResponse("it lacks a time, or has one that is none") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
