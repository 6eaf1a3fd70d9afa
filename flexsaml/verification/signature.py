"""Who signed a response, and exactly what: nothing else is ever read. Pure. signxml verifies; only what Entra needs is
accepted: RSA with SHA-2, one reference to the element that contains the signature, enveloped and exclusively
canonicalized. The element that comes back is parsed again from the bytes that were digested. Quirks: signxml strips
every `#` of a reference, accepts any of several ID attributes, and reads a document with an empty URI; all three are
excluded before it is called. KeyInfo is ignored: it names whatever key the sender likes."""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.exceptions import InvalidDigest, SignXMLException
from signxml.verifier import SignatureConfiguration, XMLVerifier

from flexsaml.claims import quote

from .checks import TAMPERED, Check, ResponseRefused, fault
from .metadata import TrustedCertificates
from .response import ASSERTION, NAMESPACES, SIGNATURE, find_assertion, local_name, make_parser

EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
METHODS = frozenset((SignatureMethod.RSA_SHA256, SignatureMethod.RSA_SHA384, SignatureMethod.RSA_SHA512))
DIGESTS = frozenset((DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512))

_USE_SHA256 = "set the signing algorithm of the application in Entra to SHA-256"
_SIGN_BOTH = "set the signing option of the application in Entra to 'Sign SAML response and assertion'"
_RENEW = "renew the certificate of the application in Entra, and give the new one to Twilio"
_NOT_ENTRA = "Entra does not sign like this: do not trust it, and find out where it came from"
_REINDENTED = (
    "there is white space between its elements: a viewer that re-indents XML breaks the signature; copy the form field "
    "SAMLResponse itself (developer tools, Network, the request to login.flex…/callback, Payload, view source; or the "
    f"Parameters tab of a SAML tracer), and if that is refused too, {TAMPERED}"
)
_SIGNXML_ERRORS = (
    SignXMLException, etree.LxmlError, UnsupportedAlgorithm, ValueError, TypeError, KeyError, NotImplementedError,
    AssertionError,
)  # fmt: skip
"""What signxml raises for malformed signatures, as seen in trials."""


@dataclass(frozen=True)
class SignedParts:
    """What a trusted key signed. `response` is None when only the assertion is signed."""

    response: etree._Element | None
    assertion: etree._Element
    checks: tuple[Check, ...]


def verify_signatures(root: etree._Element, trusted: TrustedCertificates, at: datetime) -> SignedParts:
    """Every signature must be valid, and there must be one. Raises `ResponseRefused` otherwise."""
    inner = find_assertion(root)
    elements = [inner] if root is inner else [root, inner]
    signed = [element for element in elements if element.find("ds:Signature", NAMESPACES) is not None]
    if not signed:
        raise ResponseRefused(fault("signature", "it is not signed", "do not trust it: Entra signs every response"))
    faults = [problem for element in signed for problem in _check_algorithms(element)]
    if faults:
        raise ResponseRefused(*faults)
    verified: dict[etree._Element, etree._Element] = {}
    checks: list[Check] = []
    for element in signed:
        verified[element], signer = _verify_signature(root, element, trusted)
        checks += _describe_signer(local_name(element).lower(), signer, trusted, at)
    if root is not inner and len(signed) == 1:
        what, other = ("response", "assertion") if signed[0] is root else ("assertion", "response")
        message = f"only the {what} is signed, not the {other}; Twilio asks for both"
        checks.append(Check("both-signed", "warning", message, _SIGN_BOTH))
    response = verified.get(root) if root is not inner else None
    assertion = verified[inner] if response is None else find_assertion(response)
    return SignedParts(response, assertion, tuple(checks))


def _check_algorithms(element: etree._Element) -> Iterator[Check]:
    """Everything in SignedInfo is checked here, before any key is used."""
    infos = element.findall("ds:Signature", NAMESPACES)[0].findall("ds:SignedInfo", NAMESPACES)
    if len(infos) != 1:
        yield fault("signature", "a signature does not have exactly one SignedInfo", _NOT_ENTRA)
        return
    canonicalization = _algorithms(infos[0], "ds:CanonicalizationMethod")
    if canonicalization != [EXCLUSIVE]:
        yield fault("canonicalization", f"the canonicalization is {_show(canonicalization)}", _NOT_ENTRA)
    methods = _algorithms(infos[0], "ds:SignatureMethod")
    if len(methods) != 1 or methods[0] not in {method.value for method in METHODS}:
        yield fault("signature-algorithm", f"the signature uses {_show(methods)}, which proves nothing", _USE_SHA256)
    references = infos[0].findall("ds:Reference", NAMESPACES)
    if len(references) != 1:
        yield fault("signature-reference", f"a signature covers {len(references)} elements, not one", _NOT_ENTRA)
        return
    if references[0].get("URI") != f"#{element.get('ID')}":
        yield fault("signature-reference", "a signature does not cover the element that contains it", _NOT_ENTRA)
    transforms = _algorithms(references[0], "ds:Transforms/ds:Transform")
    if transforms != [ENVELOPED, EXCLUSIVE]:
        yield fault("signature-transforms", f"the transforms before signing are {_show(transforms)}", _NOT_ENTRA)
    digests = _algorithms(references[0], "ds:DigestMethod")
    if len(digests) != 1 or digests[0] not in {digest.value for digest in DIGESTS}:
        yield fault("digest-algorithm", f"the digest uses {_show(digests)}, which proves nothing", _USE_SHA256)


def _verify_signature(
    root: etree._Element, place: etree._Element, trusted: TrustedCertificates
) -> tuple[etree._Element, x509.Certificate]:
    """What the first matching key signed in `place`. Whether its certificate has ended is checked afterwards."""
    what = local_name(place).lower()
    for certificate in trusted.certificates:
        config = SignatureConfiguration(
            location="./" if place is root else f"./{{{ASSERTION}}}Assertion/", signature_methods=METHODS,
            digest_algorithms=DIGESTS, ignore_ambiguous_key_info=True,
            verification_time=certificate.not_valid_before_utc,
        )  # fmt: skip
        try:
            result = XMLVerifier().verify(
                root, x509_cert=certificate, parser=make_parser(), expect_config=config, id_attribute="ID"
            )
        except InvalidDigest:
            raise ResponseRefused(
                fault("digest", f"the {what} is not what was signed", _explain_change(root))
            ) from None
        except _SIGNXML_ERRORS:
            continue
        element = None if isinstance(result, list) else result.signed_xml
        if element is None or element.tag != place.tag or element.get("ID") != place.get("ID"):
            problem = f"a signature covers something other than the {what}"
            raise ResponseRefused(fault("signature-reference", problem, _NOT_ENTRA))
        _check_named_certificates(place, certificate)
        return element, certificate
    raise ResponseRefused(_explain_unknown_signer(place, trusted))


def _check_named_certificates(place: etree._Element, signer: x509.Certificate) -> None:
    """They prove nothing, but some receivers refuse a signature that names another certificate than its signer's."""
    own = base64.b64encode(signer.public_bytes(Encoding.DER)).decode()
    named = place.findall("ds:Signature/ds:KeyInfo/ds:X509Data/ds:X509Certificate", NAMESPACES)
    if any("".join((element.text or "").split()) != own for element in named):
        problem = f"the {local_name(place).lower()} names another certificate than the trusted one that signed it"
        raise ResponseRefused(fault("signature", problem, _NOT_ENTRA))


def _explain_unknown_signer(place: etree._Element, trusted: TrustedCertificates) -> Check:
    """The certificate that the response brings along proves nothing, but tells which one was meant."""
    named = place.findtext("ds:Signature/ds:KeyInfo/ds:X509Data/ds:X509Certificate", "", NAMESPACES)
    count = len(trusted.certificates)
    known = f"{'the certificate' if count == 1 else f'any of the {count} certificates'} of {trusted.source}"
    pem = f"-----BEGIN CERTIFICATE-----\n{''.join(named.split())}\n-----END CERTIFICATE-----\n"
    message = f"the {local_name(place).lower()} is not signed with {known}"
    try:
        claimed = x509.load_pem_x509_certificate(pem.encode())
    except ValueError:
        return fault("signature", message, "check that the metadata is this application's")
    if claimed in trusted.certificates:
        root = place.getroottree().getroot()
        return fault("signature", f"{message}, although it names one of them", _explain_change(root))
    fix = "compare that with the certificates of this application in Entra; another application has others"
    return fault("signature", f"{message}; it names the certificate {thumbprint(claimed)}", fix)


def _explain_change(root: etree._Element) -> str:
    """What to do about content that was changed since it was signed, perhaps only by a viewer."""
    inside = set(root.iter(f"{{{SIGNATURE}}}*"))
    parents = (element for element in root.iter(etree.Element) if len(element) and element not in inside)
    spaces = (text for parent in parents for text in (parent.text, *(child.tail for child in parent)))
    return _REINDENTED if any(text and text.isspace() for text in spaces) else TAMPERED


def _describe_signer(
    what: str, signer: x509.Certificate, trusted: TrustedCertificates, at: datetime
) -> Iterator[Check]:
    message = f"the {what} is signed with the certificate {thumbprint(signer)} of {trusted.source}"
    yield Check("signature", "ok", message)
    begins, ends = signer.not_valid_before_utc, signer.not_valid_after_utc
    if begins <= at <= ends:
        yield Check("certificate", "ok", f"valid until {ends:%Y-%m-%d}")
    else:
        validity = f"ended on {ends:%Y-%m-%d}" if at > ends else f"is valid only from {begins:%Y-%m-%d}"
        message = f"the certificate {thumbprint(signer)} {validity}; the time of judgement is {at:%Y-%m-%d}"
        yield fault("certificate", message, _RENEW)


def thumbprint(certificate: x509.Certificate) -> str:
    """As the portal shows it. SHA-1 is enough for a name that proves nothing."""
    return hashlib.sha1(certificate.public_bytes(Encoding.DER), usedforsecurity=False).hexdigest().upper()


def _algorithms(parent: etree._Element, path: str) -> list[str]:
    return [element.get("Algorithm", "") for element in parent.findall(path, NAMESPACES)]


def _show(algorithms: list[str]) -> str:
    return ", ".join(quote(algorithm.rpartition("/")[2] or "nothing", 60) for algorithm in algorithms) or "nothing"
