"""The certificates that are trusted: from a file, or from federation metadata by one GET without credentials. The
metadata's own signature proves nothing (its key is beside it): a fetched document is trusted for its https address.
Quirks: Entra's metadata starts with a byte-order mark, names each certificate in RoleDescriptor and IDPSSODescriptor
alike, and lists inactive certificates too, so any of them may have signed (A; C for the inactive ones)."""

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote as quote_url
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from flexsaml.claims import quote
from flexsaml.loopback import is_loopback_host

from .checks import GIVE_METADATA, CannotVerify, ResponseRefused
from .pasted import MAX_BYTES
from .response import SIGNATURE, local_name, parse_xml

METADATA = "urn:oasis:names:tc:SAML:2.0:metadata"
MIN_KEY_BITS = 2048
DEADLINE_SECONDS = 10.0


@dataclass(frozen=True)
class TrustedCertificates:
    """Any of them may have signed. `issuer` is the metadata's entityID, "" without metadata; `source` for messages."""

    certificates: tuple[x509.Certificate, ...]
    source: str
    issuer: str = ""


def build_metadata_url(login: str, tenant: str, app_id: str) -> str:
    """Where Entra publishes the metadata of one application."""
    path = "federationmetadata/2007-06/federationmetadata.xml"
    return f"{login}/{quote_url(tenant, safe='')}/{path}?appid={quote_url(app_id, safe='')}"


def parse_certificates(raw: bytes, source: str) -> TrustedCertificates:
    """PEM, with one or several certificates, or DER; the portal offers both. Raises `CannotVerify`."""
    is_pem = b"-----BEGIN" in raw
    try:
        certificates = x509.load_pem_x509_certificates(raw) if is_pem else [x509.load_der_x509_certificate(raw)]
    except ValueError:
        fix = "download 'Certificate (Base64)' from the application in Entra"
        raise CannotVerify("certificate", f"{source} contains no certificate", fix) from None
    return TrustedCertificates(_select_usable(certificates, source), source)


def parse_metadata(raw: bytes, source: str) -> TrustedCertificates:
    """One EntityDescriptor with certificates for signing. Raises `CannotVerify`."""
    try:
        root = parse_xml(raw.removeprefix(b"\xef\xbb\xbf").strip())
    except ResponseRefused as refused:
        raise _unusable(f"{source} is no metadata: {refused.faults[0].message}") from None
    except CannotVerify as error:
        raise _unusable(f"{source} {error.check.message}") from None
    if root.tag != f"{{{METADATA}}}EntityDescriptor":
        raise _unusable(f"{source} is no metadata of one application: its root is {quote(local_name(root), 40)}")
    texts: dict[str, None] = {}
    for descriptor in root.iterfind(f"{{{METADATA}}}IDPSSODescriptor/{{{METADATA}}}KeyDescriptor"):
        if descriptor.get("use", "signing") == "signing":
            elements = descriptor.iter(f"{{{SIGNATURE}}}X509Certificate")
            texts |= dict.fromkeys("".join((element.text or "").split()) for element in elements)
    try:
        certificates = [x509.load_der_x509_certificate(base64.b64decode(text, validate=True)) for text in texts]
    except ValueError:
        raise _unusable(f"{source} lists an unreadable certificate") from None
    if not certificates:
        raise _unusable(f"{source} lists no certificate for signing")
    return TrustedCertificates(_select_usable(certificates, source), "the metadata", root.get("entityID", ""))


def fetch_metadata(url: str, now: Callable[[], float] = time.monotonic) -> bytes:
    """The document at an address of https, or http on loopback. Raises `CannotVerify`, for a redirect too."""
    import requests  # not needed for files

    from flexsaml.http_session import AnswerTooLarge, open_session, read_body

    try:
        parts = urlsplit(url)
        is_local = is_loopback_host(parts.hostname or "")
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_local)
    except ValueError:
        is_safe = False
    if not is_safe:
        raise _unusable(f"{quote(url)} is not an https address", "certificates from other addresses prove nothing")
    timeouts = (DEADLINE_SECONDS / 2, DEADLINE_SECONDS)
    try:
        with (
            open_session(is_loopback=is_local, now=now) as session,
            session.get(url, timeout=timeouts, stream=True, allow_redirects=False) as answer,
        ):
            if answer.status_code != 200:
                problem = f"{url} answered with status {answer.status_code}"
                raise _unusable(problem, f"check tenant and appid; or {GIVE_METADATA}")
            return read_body(answer, MAX_BYTES)
    except AnswerTooLarge as problem:
        raise _unusable(f"the answer of {url} is {problem}") from None
    except (requests.RequestException, UnicodeError, ValueError) as problem:
        raise _unusable(f"{url} cannot be reached ({type(problem).__name__})") from None


def _unusable(message: str, fix: str = GIVE_METADATA) -> CannotVerify:
    return CannotVerify("metadata", message, fix)


def _select_usable(certificates: list[x509.Certificate], source: str) -> tuple[x509.Certificate, ...]:
    """Those with an RSA key, as Entra signs SAML, that is too long to be computed by somebody else."""
    usable = []
    for certificate in certificates:
        try:
            key = certificate.public_key()
        except ValueError:
            continue
        if isinstance(key, rsa.RSAPublicKey) and key.key_size >= MIN_KEY_BITS:
            usable.append(certificate)
    if not usable:
        raise CannotVerify("certificate", f"{source} has no RSA key of {MIN_KEY_BITS} bits or more", GIVE_METADATA)
    return tuple(usable)
