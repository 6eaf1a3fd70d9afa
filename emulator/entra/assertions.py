"""Client assertions: JSON Web Tokens with which an application signs in instead of a secret (RFC 7523). One that the
application issued about itself is signed with a key whose certificate it holds; any other is of an issuer that one of
its federated credentials names. Quirks: issuer, subject and audience of a federated credential are compared with their
case (A, reference-breaking-changes, August 2024), and the refusal has a number of its own for the subject (B); the
issuer's keys are those that a test gave, since no issuer can be reached from here."""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from emulator.tenant.identities import list_federated
from emulator.tenant.records import ApplicationRecord
from emulator.tenant.store import Store

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_PADDINGS: Mapping[str, padding.PKCS1v15 | padding.PSS] = {
    "RS256": padding.PKCS1v15(),
    "PS256": padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH),
}


class RefusedAssertion(Exception):
    """`number`: of AADSTS; `names`: what its words name."""

    def __init__(self, number: int, *names: str) -> None:
        super().__init__(number)
        self.number, self.names = number, names


def check_assertion(
    store: Store, application: ApplicationRecord, assertion: str, issuer_keys: Mapping[str, str], time: float
) -> None:
    """Raises `RefusedAssertion`. `issuer_keys`: issuer to its public key in PEM; `time`: in seconds since the epoch."""
    app_id = str(application.attributes["appId"])
    header, claims, signed, signature = _read(assertion)
    if (claims.get("iss"), claims.get("sub")) == (app_id, app_id):
        keys = list(_certificate_keys(application, header))
        if not keys:
            raise RefusedAssertion(700027, app_id)
        has_audience = str(claims.get("aud")).endswith("/oauth2/v2.0/token")
    else:
        _match_federated(store, application, claims)
        keys = [issuer_keys[claims["iss"]]] if claims["iss"] in issuer_keys else []
        has_audience = True
    algorithm = _PADDINGS.get(str(header.get("alg")))
    if not algorithm or not has_audience or not any(_verifies(key, signature, signed, algorithm) for key in keys):
        raise RefusedAssertion(50027)
    starts, ends = claims.get("nbf", 0), claims.get("exp")
    if not isinstance(starts, (int, float)) or not isinstance(ends, (int, float)) or not starts <= time < ends:
        raise RefusedAssertion(700024)


def _read(assertion: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    """Header, claims, what is signed, and the signature."""
    signed, _, signature = assertion.rpartition(".")
    try:
        header, claims = (json.loads(_decode(segment)) for segment in signed.split("."))
        decoded = _decode(signature)
    except (ValueError, RecursionError):
        raise RefusedAssertion(50027) from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise RefusedAssertion(50027)
    return header, claims, signed.encode(), decoded


def _decode(segment: str) -> bytes:
    return base64.b64decode(segment + "=" * (-len(segment) % 4), altchars=b"-_", validate=True)


def _encode(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _certificate_keys(application: ApplicationRecord, header: Mapping[str, object]) -> Iterator[str | x509.Certificate]:
    """The certificates of the application that the header names by their digest."""
    for credential in application.attributes.get("keyCredentials", ()):
        try:
            der = base64.b64decode(credential.get("key") or "", validate=True)
            certificate = x509.load_der_x509_certificate(der)
        except ValueError:
            continue
        digests = {"x5t": hashlib.sha1(der), "x5t#S256": hashlib.sha256(der)}  # noqa: S324 - a name, no protection
        # Microsoft's library leaves the padding at the end.
        if any(str(header.get(name)).rstrip("=") == _encode(digest.digest()) for name, digest in digests.items()):
            yield certificate


def _match_federated(store: Store, application: ApplicationRecord, claims: Mapping[str, Any]) -> None:
    rows = [row.attributes for row in list_federated(store, application)]
    issuer, subject, audience = claims.get("iss"), claims.get("sub"), claims.get("aud")
    rows = [row for row in rows if row["issuer"] == issuer]
    if not rows:
        raise RefusedAssertion(700211, str(issuer))
    rows = [row for row in rows if row["subject"] == subject]
    if not rows:
        raise RefusedAssertion(700213, str(subject))
    given = audience if isinstance(audience, list) else [audience]
    if not any(set(row["audiences"]) & set(map(str, given)) for row in rows):
        raise RefusedAssertion(700212, str(audience))


def _verifies(
    key: str | x509.Certificate, signature: bytes, signed: bytes, algorithm: padding.PKCS1v15 | padding.PSS
) -> bool:
    public = load_pem_public_key(key.encode()) if isinstance(key, str) else key.public_key()
    if not isinstance(public, rsa.RSAPublicKey):
        return False
    try:
        public.verify(signature, signed, algorithm, hashes.SHA256())
    except InvalidSignature:
        return False
    return True
