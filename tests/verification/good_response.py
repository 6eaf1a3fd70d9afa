"""A good SAML response, and how it is signed. A helper, not a test.

Signed by hand, because no library signs with SHA-1, with the public key as a shared secret, or over another element.
That the good one is signed correctly is shown by the sandbox's response, which xmlsec signs.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lxml import etree

AT = datetime(2026, 5, 4, 9, 30, tzinfo=timezone.utc)
ISSUER = "https://sts.windows.net/c0ffee00-5eed-4a11-8c01-7e2a27c0d05e/"
AUDIENCE = "urn:flex:JQ0123456789abcdef0123456789abcdef"
ACS = "https://login.flex.us1.twilio.com/login/callback?connection=JQ0123456789abcdef0123456789abcdef"
REQUEST = "_0d8d0e8c"
NAME = "ada@contoso.example"
BASIC = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
DECLARED = ("email", "full_name", "roles", "languages.stringarray")

P, A, D = (
    "{urn:oasis:names:tc:SAML:2.0:protocol}",
    "{urn:oasis:names:tc:SAML:2.0:assertion}",
    "{http://www.w3.org/2000/09/xmldsig#}",
)
XMLDSIG, MORE, ENC = (
    "http://www.w3.org/2000/09/xmldsig#",
    "http://www.w3.org/2001/04/xmldsig-more#",
    "http://www.w3.org/2001/04/xmlenc#",
)
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
ENVELOPED = f"{XMLDSIG}enveloped-signature"
_HASHES = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}  # noqa: S303 - what has to be refused


# -- keys --------------------------------------------------------------------------------------------------------------


@cache
def key(name: str = "entra", size: int = 2048) -> rsa.RSAPrivateKey:
    """One key for each name, made when it is first asked for."""
    del name
    return rsa.generate_private_key(public_exponent=65537, key_size=size)


@cache
def certificate(
    name: str = "entra", begins: datetime = AT - timedelta(days=30), ends: datetime = AT + timedelta(days=900)
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Microsoft Azure Federated SSO Certificate")])
    builder = x509.CertificateBuilder(subject, subject, key(name).public_key(), 1, begins, ends)
    return builder.sign(key(name), hashes.SHA256())


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


# -- a good response ---------------------------------------------------------------------------------------------------


def attribute(name: str, *values: str) -> str:
    children = "".join(f"<AttributeValue>{value}</AttributeValue>" for value in values)
    return f'<Attribute Name="{name}">{children}</Attribute>'


CONTEXT = (
    "<AuthnContext><AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</AuthnContextClassRef>"
    "</AuthnContext>"
)


def statement(attributes: str) -> str:
    return f"<AuthnStatement {attributes}>{CONTEXT}</AuthnStatement>"


ATTRIBUTES = (
    attribute("http://schemas.microsoft.com/identity/claims/tenantid", "c0ffee00-5eed-4a11-8c01-7e2a27c0d05e"),
    attribute("email", NAME),
    attribute("full_name", "Ada Lovelace"),
    attribute("roles", "agent", "supervisor"),
    attribute("languages.stringarray", "en,de"),
)


@dataclass(frozen=True)
class Recipe:
    """The contents of a response, as text, so that a mutation can put anything anywhere."""

    version: str = 'Version="2.0"'
    issued: str = 'IssueInstant="2026-05-04T09:29:58.123Z"'
    destination: str = f'Destination="{ACS}"'
    answers: str = f'InResponseTo="{REQUEST}"'
    outer_issuer: str = f'<Issuer xmlns="urn:oasis:names:tc:SAML:2.0:assertion">{ISSUER}</Issuer>'
    status: str = '<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>'
    issuer: str = f"<Issuer>{ISSUER}</Issuer>"
    name_id: str = f'<NameID Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress">{NAME}</NameID>'
    method: str = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
    data: str = (
        f'<SubjectConfirmationData InResponseTo="{REQUEST}" NotOnOrAfter="2026-05-04T10:29:58.123Z" Recipient="{ACS}"/>'
    )
    times: str = 'NotBefore="2026-05-04T09:24:58.123Z" NotOnOrAfter="2026-05-04T10:29:58.123Z"'
    audience: str = f"<AudienceRestriction><Audience>{AUDIENCE}</Audience></AudienceRestriction>"
    attributes: tuple[str, ...] = ATTRIBUTES
    session: str = statement('AuthnInstant="2026-05-04T09:20:00.5Z" SessionIndex="_a1"')

    @property
    def subject(self) -> str:
        confirmed = f'<SubjectConfirmation Method="{self.method}">{self.data}</SubjectConfirmation>'
        return f"<Subject>{self.name_id}{confirmed}</Subject>"

    @property
    def statement(self) -> str:
        return f"<AttributeStatement>{''.join(self.attributes)}</AttributeStatement>"

    @property
    def conditions(self) -> str:
        return f"<Conditions {self.times}>{self.audience}</Conditions>"

    def assertion(self) -> str:
        return (
            f'<Assertion ID="_a1" {self.issued} {self.version} xmlns="urn:oasis:names:tc:SAML:2.0:assertion">'
            f"{self.issuer}{self.subject}{self.conditions}"
            f"{self.statement}{self.session}</Assertion>"
        )

    def text(self) -> str:
        return (
            f'<samlp:Response ID="_r1" {self.version} {self.issued} {self.destination} {self.answers} '
            f'xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol">{self.outer_issuer}{self.status}{self.assertion()}'
            "</samlp:Response>"
        )

    def xml(self) -> etree._Element:
        return etree.fromstring(self.text())


@dataclass(frozen=True)
class Signing:
    """How a signature is made. `brings`: whose certificate is in it, the signer's for ""; `also`: URIs of more
    references; `inside`: XML at the end of the signature."""

    key: str = "entra"
    brings: str = ""
    method: str = f"{MORE}rsa-sha256"
    digest: str = f"{ENC}sha256"
    canonical: str = EXCLUSIVE
    transforms: tuple[str, ...] = (ENVELOPED, EXCLUSIVE)
    uri: str | None = "own"
    also: tuple[str, ...] = ()
    certificate: bool = True
    inside: str = ""
    target: Callable[[etree._Element], etree._Element] = field(default=lambda place: place)


def sign(place: etree._Element, how: Signing | None = None) -> None:
    """Puts a signature of `place` into it, after its Issuer."""
    how = how or Signing()
    uri = f"#{place.get('ID')}" if how.uri == "own" else how.uri
    digest = _digest(how.digest, _canonical(how.target(place), how.transforms[-1] if how.transforms else INCLUSIVE))
    references = "".join(_reference(target, how, digest) for target in (uri, *how.also))
    info = (
        f'<ds:SignedInfo xmlns:ds="{XMLDSIG}"><ds:CanonicalizationMethod Algorithm="{how.canonical}"/>'
        f'<ds:SignatureMethod Algorithm="{how.method}"/>{references}</ds:SignedInfo>'
    )
    brought = base64.b64encode(certificate(how.brings or how.key).public_bytes(Encoding.DER)).decode()
    key_info = f"<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{brought}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
    signature = etree.fromstring(
        f'<ds:Signature xmlns:ds="{XMLDSIG}">{info}<ds:SignatureValue/>{key_info * how.certificate}{how.inside}</ds:Signature>'
    )
    place.insert(1, signature)
    value = signature.find(f"{D}SignatureValue")
    signed_info = signature.find(f"{D}SignedInfo")
    assert value is not None
    assert signed_info is not None
    value.text = base64.b64encode(_value(how, _canonical(signed_info, how.canonical))).decode()


def _reference(uri: str | None, how: Signing, digest: bytes) -> str:
    steps = "".join(f'<ds:Transform Algorithm="{transform}"/>' for transform in how.transforms)
    named = "" if uri is None else f' URI="{uri}"'
    return (
        f"<ds:Reference{named}>{f'<ds:Transforms>{steps}</ds:Transforms>' if steps else ''}"
        f'<ds:DigestMethod Algorithm="{how.digest}"/><ds:DigestValue>{base64.b64encode(digest).decode()}</ds:DigestValue>'
        "</ds:Reference>"
    )


def _canonical(element: etree._Element, algorithm: str) -> bytes:
    return etree.tostring(  # type: ignore[call-overload, no-any-return]
        element,
        method="c14n",
        exclusive="exc-c14n" in algorithm,
        with_comments=algorithm.endswith("#WithComments"),
        with_tail=False,
    )


def _digest(algorithm: str, data: bytes) -> bytes:
    return hashlib.new(algorithm.rpartition("#")[2], data).digest()


def _value(how: Signing, data: bytes) -> bytes:
    name = how.method.rpartition("#")[2]
    if name.startswith("hmac-"):
        return hmac.digest(pem(certificate()), data, name.removeprefix("hmac-"))
    which = _HASHES[name.lower().removeprefix("rsa-").removesuffix("-rsa-mgf1")]
    if "MGF1" in name:
        return key(how.key).sign(data, padding.PSS(padding.MGF1(which), which.digest_size), which)
    return key(how.key).sign(data, padding.PKCS1v15(), which)


def bytes_of(root: etree._Element) -> bytes:
    return etree.tostring(root)


def good(
    recipe: Recipe | None = None, *, assertion: Signing | None = Signing(), response: Signing | None = Signing()
) -> etree._Element:
    """A response, its assertion and itself signed in these ways, or not for None."""
    root = (recipe or Recipe()).xml()
    if assertion:
        sign(root[-1], assertion)
    if response:
        sign(root, response)
    return root


def good_bytes(
    recipe: Recipe | None = None, *, assertion: Signing | None = Signing(), response: Signing | None = Signing()
) -> bytes:
    return bytes_of(good(recipe, assertion=assertion, response=response))


def public_key_pem() -> bytes:
    return key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def metadata(*keys: str, entity: str = ISSUER, use: str = ' use="signing"', root: str = "EntityDescriptor") -> bytes:
    """Federation metadata with the certificates of these keys, as Entra publishes it."""
    descriptors = "".join(
        f'<KeyDescriptor{use}><KeyInfo xmlns="{XMLDSIG}"><X509Data><X509Certificate>'
        f"{base64.encodebytes(certificate(name).public_bytes(Encoding.DER)).decode()}"
        "</X509Certificate></X509Data></KeyInfo></KeyDescriptor>"
        for name in keys
    )
    text = (
        f'<{root} xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{entity}"><IDPSSODescriptor '
        f'protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">{descriptors}</IDPSSODescriptor></{root}>'
    )
    return b"\xef\xbb\xbf" + text.encode()
