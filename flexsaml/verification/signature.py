"""Who signed a response, and exactly what: nothing else is ever read.

Touches nothing. The work is signxml's; the policy is ours and narrower than the standard, since Entra needs little of
it: RSA with SHA-2, one reference to the element the signature stands in, enveloped and exclusively canonicalized. The
element that comes back is parsed anew from the bytes that were digested.

Quirks tamed: signxml strips every `#` of a reference, takes any of several ID attributes, reads a document with an
empty URI, and compares keys of KeyInfo with the certificate. The first three are settled before it is asked (here, and
by the shape of the document); KeyInfo is passed over, because it names whatever key the sender likes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.exceptions import InvalidDigest, SignXMLException
from signxml.verifier import SignatureConfiguration, XMLVerifier

from .checks import OK, WARNING, Check, Refused, fault, shown
from .metadata import Trust
from .response import ASSERTION, NAMESPACES, assertion_of, parser

EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
METHODS = frozenset((SignatureMethod.RSA_SHA256, SignatureMethod.RSA_SHA384, SignatureMethod.RSA_SHA512))
DIGESTS = frozenset((DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512))

_ALTERED = "somebody altered it after Entra signed it: do not trust it, and look where it came from"
_STRONGER = "set the signing algorithm of the application in Entra to SHA-256"
_NEVER = "Entra signs in no such way: do not trust it, and look where it came from"
_UNREADABLE = (
    SignXMLException, etree.LxmlError, UnsupportedAlgorithm, ValueError, TypeError, KeyError, NotImplementedError,
    AssertionError,
)  # fmt: skip
"""What signxml raises for signatures that make no sense, as found by feeding it some."""


@dataclass(frozen=True)
class Proven:
    """What a trusted key signed. `response` is None when only the assertion is signed."""

    response: etree._Element | None
    assertion: etree._Element
    checks: tuple[Check, ...]


def proven(root: etree._Element, trust: Trust, at: datetime) -> Proven:
    """Every signature that is there holds, and at least one is. Raises Refused otherwise."""
    inner = assertion_of(root)
    places = [one for one in dict.fromkeys((root, inner)) if one.find("ds:Signature", NAMESPACES) is not None]
    if not places:
        raise Refused(fault("signature", "is not signed", "do not trust it; Entra signs every response"))
    faults = [one for place in places for one in _outside_policy(place)]
    if faults:
        raise Refused(*faults)
    signed: dict[etree._Element, etree._Element] = {}
    checks: list[Check] = []
    for place in places:
        signed[place], signer = _signed(root, place, trust)
        checks += _told(etree.QName(place).localname.lower(), signer, trust, at)
    if root is not inner and len(places) == 1:
        what, other = ("response", "assertion") if places[0] is root else ("assertion", "response")
        fix = "set the signing option of the application in Entra to 'Sign SAML response and assertion'"
        checks.append(
            Check("both-signed", WARNING, f"only the {what} is signed, not the {other}; Twilio asks for both", fix)
        )
    response = signed.get(root) if root is not inner else None
    assertion = signed[inner] if response is None else assertion_of(response)
    return Proven(response, assertion, tuple(checks))


def _outside_policy(place: etree._Element) -> Iterator[Check]:
    """Everything of SignedInfo is looked at here, before any key."""
    signature = place.findall("ds:Signature", NAMESPACES)[0]
    info = signature.findall("ds:SignedInfo", NAMESPACES)
    if len(info) != 1:
        yield fault("signature", "has a signature that says not what it signs", _NEVER)
        return
    canonical = [one.get("Algorithm") for one in info[0].findall("ds:CanonicalizationMethod", NAMESPACES)]
    if canonical != [EXCLUSIVE]:
        yield fault("canonicalization", f"is canonicalized by {_names(canonical)}", _NEVER)
    methods = [one.get("Algorithm") for one in info[0].findall("ds:SignatureMethod", NAMESPACES)]
    if [one for one in methods if one in _values(METHODS)] != methods or len(methods) != 1:
        yield fault("signature-algorithm", f"is signed with {_names(methods)}, which proves nothing", _STRONGER)
    references = info[0].findall("ds:Reference", NAMESPACES)
    if len(references) != 1:
        yield fault("signature-reference", f"has a signature over {len(references)} things", _NEVER)
        return
    if references[0].get("URI") != f"#{place.get('ID')}":
        yield fault("signature-reference", "has a signature over something else than the element it stands in", _NEVER)
    transforms = [one.get("Algorithm") for one in references[0].findall("ds:Transforms/ds:Transform", NAMESPACES)]
    if transforms != [ENVELOPED, EXCLUSIVE]:
        yield fault("signature-transforms", f"is transformed by {_names(transforms)} before it is signed", _NEVER)
    digests = [one.get("Algorithm") for one in references[0].findall("ds:DigestMethod", NAMESPACES)]
    if [one for one in digests if one in _values(DIGESTS)] != digests or len(digests) != 1:
        yield fault("digest-algorithm", f"is digested with {_names(digests)}, which proves nothing", _STRONGER)


def _signed(root: etree._Element, place: etree._Element, trust: Trust) -> tuple[etree._Element, x509.Certificate]:
    """What the first fitting key signed in this place. Whether the certificate holds at the time is looked at later."""
    what = etree.QName(place).localname.lower()
    for one in trust.certificates:
        config = SignatureConfiguration(
            location="./" if place is root else f"./{{{ASSERTION}}}Assertion/",
            signature_methods=METHODS,
            digest_algorithms=DIGESTS,
            ignore_ambiguous_key_info=True,
            verification_time=one.not_valid_before_utc,
        )
        try:
            found = XMLVerifier().verify(root, x509_cert=one, parser=parser(), expect_config=config, id_attribute="ID")
        except InvalidDigest:
            raise Refused(fault("digest", f"its {what} is not what was signed", _ALTERED)) from None
        except _UNREADABLE:
            continue
        element = None if isinstance(found, list) else found.signed_xml
        if element is None or element.tag != place.tag or element.get("ID") != place.get("ID"):
            raise Refused(fault("signature-reference", f"has a signature over something else than the {what}", _NEVER))
        return element, one
    named = place.findtext("ds:Signature/ds:KeyInfo/ds:X509Data/ds:X509Certificate", "", NAMESPACES)
    raise Refused(fault("signature", *_by_whom(what, named, trust)))


def _by_whom(what: str, named: str, trust: Trust) -> tuple[str, str]:
    """The certificate a response brings along proves nothing, but tells which one was meant."""
    count = len(trust.certificates)
    of = f"the certificate of {trust.source}" if count == 1 else f"any of the {count} certificates of {trust.source}"
    try:
        claimed = x509.load_pem_x509_certificate(
            f"-----BEGIN CERTIFICATE-----\n{''.join(named.split())}\n-----END CERTIFICATE-----\n".encode()
        )
    except ValueError:
        return f"its {what} is not signed with {of}", "check that the metadata is this application's"
    if claimed in trust.certificates:
        return f"has a signature of the {what} that {of} did not make", _ALTERED
    return (
        f"its {what} is not signed with {of}; it names the certificate {thumbprint(claimed)}",
        "compare that with the certificates of the application in Entra; metadata of another application has others",
    )


def _told(what: str, signer: x509.Certificate, trust: Trust, at: datetime) -> Iterator[Check]:
    count = len(trust.certificates)
    among = "" if count == 1 else f", one of {count}"
    yield Check("signature", OK, f"{what} signed with the certificate {thumbprint(signer)} of {trust.source}{among}")
    begins, ends = signer.not_valid_before_utc, signer.not_valid_after_utc
    if begins <= at <= ends:
        yield Check("certificate", OK, f"valid until {ends:%Y-%m-%d}")
    else:
        told = f"ended on {ends:%Y-%m-%d}" if at > ends else f"begins on {begins:%Y-%m-%d} only"
        fix = "renew the certificate of the application in Entra, and give Twilio the new one"
        yield fault("certificate", f"{thumbprint(signer)} {told}, and {at:%Y-%m-%d} is judged", fix)


def thumbprint(certificate: x509.Certificate) -> str:
    """As the portal shows it; it names a certificate and proves nothing, so SHA-1 will do."""
    from cryptography.hazmat.primitives.serialization import Encoding

    return hashlib.sha1(certificate.public_bytes(Encoding.DER), usedforsecurity=False).hexdigest().upper()


def _values(allowed: frozenset[SignatureMethod] | frozenset[DigestAlgorithm]) -> set[str]:
    return {one.value for one in allowed}


def _names(algorithms: list[str | None]) -> str:
    return ", ".join(shown((one or "").rpartition("/")[2] or "nothing", 60) for one in algorithms) or "nothing"
