"""Whose signature counts: the certificates of a file, or of the application's federation metadata.

Reads one file, or sends one GET with a deadline; nothing is sent along. The metadata's own signature says nothing (its
key stands beside it): what is fetched is trusted for its https address, what is a file for the person who gave it.

Quirks tamed: Entra's metadata starts with a byte-order mark, names each certificate in RoleDescriptor and
IDPSSODescriptor alike, and lists inactive ones too, so any of them may have signed (A; C for the inactive ones).
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from flexsaml.graph import SystemClock
from flexsaml.loopback import is_loopback_host

from .checks import CannotLook, Refused, shown
from .response import LARGEST, SIGNATURE, parsed

if TYPE_CHECKING:
    from requests import PreparedRequest

    from flexsaml.graph import Clock

METADATA = "urn:oasis:names:tc:SAML:2.0:metadata"
SHORTEST_KEY = 2048
SECONDS = 10.0
_GIVE = "give --metadata FILE|URL (Entra: Single sign-on, App Federation Metadata Url) or --certificate PEM"


@dataclass(frozen=True)
class Trust:
    """Certificates any of which may have signed; `issuer` is the metadata's entityID, "" if there is none."""

    certificates: tuple[x509.Certificate, ...]
    source: str
    issuer: str = ""


def address(login: str, tenant: str, app_id: str) -> str:
    """Where Entra publishes the metadata of one application."""
    path = "federationmetadata/2007-06/federationmetadata.xml"
    return f"{login}/{quote(tenant, safe='')}/{path}?appid={quote(app_id, safe='')}"


def from_certificates(raw: bytes, source: str) -> Trust:
    """PEM, one or several, or DER, as the portal offers both."""
    try:
        found = x509.load_pem_x509_certificates(raw) if b"-----BEGIN" in raw else [x509.load_der_x509_certificate(raw)]
    except ValueError:
        raise CannotLook(
            "certificate",
            f"{source} holds no certificate",
            "download 'Certificate (Base64)' from the application in Entra",
        ) from None
    return Trust(_usable(found, source), source)


def from_metadata(raw: bytes, source: str) -> Trust:
    """One EntityDescriptor with certificates for signing."""
    try:
        root = parsed(raw.removeprefix(b"\xef\xbb\xbf").strip())
    except Refused as refused:
        raise CannotLook("metadata", f"{source} {refused.faults[0].message}", _GIVE) from None
    except CannotLook as problem:
        raise CannotLook("metadata", f"{source} {problem.check.message}", _GIVE) from None
    if root.tag != f"{{{METADATA}}}EntityDescriptor":
        name = shown(etree.QName(root).localname, 40)
        raise CannotLook("metadata", f"{source} is no metadata of one application: its root is {name}", _GIVE)
    try:
        found = [x509.load_der_x509_certificate(one) for one in dict.fromkeys(_listed(root))]
    except ValueError:
        raise CannotLook("metadata", f"{source} lists a certificate that cannot be read", _GIVE) from None
    if not found:
        raise CannotLook("metadata", f"{source} lists no certificate for signing", _GIVE)
    return Trust(_usable(found, source), "the metadata", root.get("entityID", ""))


def fetched(url: str, clock: Clock | None = None) -> bytes:
    """The document at `url`: https, or http on loopback, without redirects, within a deadline."""
    import requests  # only those who fetch pay for it

    clock = clock or SystemClock()
    try:
        parts = urlsplit(url)
        safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback_host(parts.hostname or ""))
    except ValueError:
        safe = False
    if not safe:
        raise CannotLook("metadata", f"{shown(url)} is no https address", "certificates from elsewhere prove nothing")
    until = clock.now() + SECONDS
    try:
        with requests.get(url, timeout=SECONDS / 2, stream=True, allow_redirects=False, auth=_nobody) as answer:
            if answer.status_code != 200:
                raise CannotLook("metadata", f"{url} answered {answer.status_code}", f"check tenant and appid; {_GIVE}")
            return _within(answer.iter_content(65536), lambda: clock.now() > until, url)
    except (requests.RequestException, UnicodeError, ValueError) as problem:
        raise CannotLook("metadata", f"{url} cannot be reached ({type(problem).__name__})", _GIVE) from None


def _nobody(request: PreparedRequest) -> PreparedRequest:
    """Keeps requests from sending along what a .netrc has for that host."""
    return request


def _within(chunks: Iterator[bytes], late: Callable[[], bool], url: str) -> bytes:
    body = b""
    for chunk in chunks:
        body += chunk
        if len(body) > LARGEST:
            raise CannotLook("metadata", f"{url} answered more than {LARGEST:,} bytes", _GIVE)
        if late():
            raise CannotLook("metadata", f"{url} did not answer within {SECONDS:.0f} seconds", _GIVE)
    return body


def _listed(root: etree._Element) -> Iterator[bytes]:
    for descriptor in root.iterfind(f"{{{METADATA}}}IDPSSODescriptor/{{{METADATA}}}KeyDescriptor"):
        if descriptor.get("use", "signing") == "signing":
            for one in descriptor.iter(f"{{{SIGNATURE}}}X509Certificate"):
                yield base64.b64decode("".join((one.text or "").split()), validate=True)


def _usable(found: list[x509.Certificate], source: str) -> tuple[x509.Certificate, ...]:
    """Entra signs SAML with RSA; a short key is one that somebody could have computed."""
    usable = []
    for one in found:
        try:
            key = one.public_key()
        except ValueError:
            continue
        if isinstance(key, rsa.RSAPublicKey) and key.key_size >= SHORTEST_KEY:
            usable.append(one)
    if not usable:
        raise CannotLook("certificate", f"{source} has no RSA key of {SHORTEST_KEY} bits or more", _GIVE)
    return tuple(usable)
