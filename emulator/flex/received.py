"""Judging a posted SAML response as a service provider must: signature first, then only what the signature covers. Both
response and assertion must be signed (Twilio's guide asks for both), by a certificate of the application's metadata. No
document type, a single assertion, each ID once, RSA-SHA256 and SHA-256 only."""

import base64
from copy import deepcopy
from dataclasses import dataclass

import xmlsec
from lxml import etree

from emulator.clock import parse_timestamp
from emulator.entra.saml.requests import ASSERTION, PROTOCOL, parse_xml

_DS = "http://www.w3.org/2000/09/xmldsig#"
_EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
_SIGNED_WITH = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
_DIGEST = "http://www.w3.org/2001/04/xmlenc#sha256"
_ALGORITHMS = ([f"{_DS}enveloped-signature", _EXCLUSIVE], [_SIGNED_WITH, _DIGEST])
_NAMES = {"a": ASSERTION, "p": PROTOCOL, "ds": _DS}
_SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"


class InvalidResponse(ValueError):
    """Why a response is not accepted, in one line whose subject is "it"."""


@dataclass(frozen=True)
class ReceivedAssertion:
    """What a valid response says."""

    assertion_id: str
    ends: float  # epoch seconds
    name_id: str
    attributes: tuple[tuple[str, tuple[str, ...]], ...]
    shown: str  # the assertion for people to read: indented and without its signature


def read_response(
    encoded: str, certificates: list[str], *, issuer: str, audience: str, acs: str, now: float
) -> ReceivedAssertion:
    """The assertion of a base64 response. Raises InvalidResponse unless the response passes every check. The rest is
    what this service provider knows beforehand: `certificates` in base64, `now` in epoch seconds."""
    try:
        root = parse_xml(base64.b64decode("".join(encoded.split()), validate=True)) if encoded else None
    except ValueError as error:
        raise InvalidResponse("it is not base64") from error
    if root is None or root.tag != f"{{{PROTOCOL}}}Response":
        raise InvalidResponse("it is not a Response in XML without a document type")
    ids = [element.get("ID") for element in root.iter() if element.get("ID")]
    assertions = root.findall(f"{{{ASSERTION}}}Assertion")
    if len(assertions) != 1 or len(list(root.iter(f"{{{ASSERTION}}}Assertion"))) != 1 or len(set(ids)) != len(ids):
        raise InvalidResponse("it does not carry exactly one assertion")
    for element, name in ((root, "response"), (assertions[0], "assertion")):
        _check_signature(element, name, certificates)
    assertion = assertions[0]
    status = root.find("p:Status/p:StatusCode", _NAMES)
    confirmation = assertion.find("a:Subject/a:SubjectConfirmation/a:SubjectConfirmationData", _NAMES)
    conditions = assertion.find("a:Conditions", _NAMES)
    if status is None or status.get("Value") != _SUCCESS or confirmation is None or conditions is None:
        raise InvalidResponse("it does not report a successful sign-in")
    for name, value, expected_value in (
        ("issuer of the response", root.findtext("a:Issuer", "", _NAMES), issuer),
        ("issuer of the assertion", assertion.findtext("a:Issuer", "", _NAMES), issuer),
        ("destination", root.get("Destination", ""), acs),
        ("recipient", confirmation.get("Recipient", ""), acs),
        ("audience", conditions.findtext("a:AudienceRestriction/a:Audience", "", _NAMES), audience),
    ):
        if value != expected_value:
            raise InvalidResponse(f"its {name} is '{value}', not '{expected_value}'")
    try:
        begins = parse_timestamp(conditions.get("NotBefore", ""))
        ends = parse_timestamp(conditions.get("NotOnOrAfter", ""))
        confirmation_ends = parse_timestamp(confirmation.get("NotOnOrAfter", ""))
    except ValueError as error:
        raise InvalidResponse("a time in it is missing or unreadable") from error
    if not begins <= now < min(ends, confirmation_ends):
        raise InvalidResponse("it is not valid now: it has expired, or is not valid yet")
    return _read_assertion(assertion, confirmation_ends)


def _read_assertion(assertion: etree._Element, ends: float) -> ReceivedAssertion:
    attributes = [
        (attribute.get("Name", ""), tuple(_text(value) for value in attribute.findall("a:AttributeValue", _NAMES)))
        for attribute in assertion.findall("a:AttributeStatement/a:Attribute", _NAMES)
    ]
    name_id = assertion.find("a:Subject/a:NameID", _NAMES)
    if name_id is None or not _text(name_id):
        raise InvalidResponse("it has no NameID")
    shown = deepcopy(assertion)
    for signature in shown.findall("ds:Signature", _NAMES):
        shown.remove(signature)
    etree.indent(shown)
    as_text = etree.tostring(shown, encoding="unicode")
    return ReceivedAssertion(assertion.get("ID", ""), ends, _text(name_id), tuple(attributes), as_text)


def _check_signature(element: etree._Element, name: str, certificates: list[str]) -> None:
    signatures = element.findall("ds:Signature", _NAMES)
    if len(signatures) != 1:
        raise InvalidResponse(f"the {name} is not signed")
    references = element.findall("ds:Signature/ds:SignedInfo/ds:Reference", _NAMES)
    if len(references) != 1 or references[0].get("URI") != f"#{element.get('ID')}":
        raise InvalidResponse(f"the signature of the {name} covers something else")
    transforms = [transform.get("Algorithm") for transform in signatures[0].iter(f"{{{_DS}}}Transform")]
    method_tags = (f"{{{_DS}}}SignatureMethod", f"{{{_DS}}}DigestMethod")
    if (transforms, [method.get("Algorithm") for method in signatures[0].iter(*method_tags)]) != _ALGORITHMS:
        raise InvalidResponse(f"the {name} is signed in a way that is not accepted (RSA-SHA256 with SHA-256 is)")
    if not any(_verifies(element, signatures[0], certificate) for certificate in certificates):
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


def _text(element: etree._Element) -> str:
    """The complete text: a comment inside must not cut a name short."""
    return "".join(str(text) for text in element.xpath(".//text()"))
