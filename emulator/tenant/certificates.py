"""A signing certificate that the tenant makes for a service principal itself. Quirks (A, reference page of
addTokenSigningCertificate): the answer is the public half with its thumbprint; the principal gets a private and a
public key credential and a password credential, all with the same customKeyIdentifier, the password and the private
one with the same keyId; the certificate begins now and ends after at most three years, which is the default. Making it
does not activate it (C). The name must begin with `CN=`; how Graph refuses another name or end is not recorded (D)."""

import base64
from dataclasses import replace
from datetime import datetime, timezone

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from emulator.clock import parse_timestamp
from emulator.errors import bad_request, invalid_value
from emulator.tenant.records import PlainRecord, PrincipalRecord
from emulator.tenant.store import Store
from emulator.types import Attributes

LONGEST = 3  # years
_RESOURCE = "ServicePrincipal"


def add_signing_certificate(store: Store, principal: PrincipalRecord, body: Attributes, now: datetime) -> Attributes:
    """Makes it, and returns the selfSignedCertificate that Graph answers."""
    unknown = sorted(name for name in body if name not in ("displayName", "endDateTime") and "@odata." not in name)
    if unknown:
        raise bad_request(f"Invalid property '{unknown[0]}'.")
    name, begins = body.get("displayName"), now
    subject, ends = _read_name(name), _read_end(body.get("endDateTime"), begins)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)  # which drops the fraction
        .not_valid_after(ends)
        .sign(key, hashes.SHA256())
    )
    thumbprint = certificate.fingerprint(hashes.SHA1())  # noqa: S303 - a name, as Entra forms it
    public_id, private_id = store.new_id("keyCredentials"), store.new_id("keyCredentials")
    shared = {
        "customKeyIdentifier": base64.b64encode(thumbprint).decode(), "displayName": name,
        "startDateTime": _stamp(begins), "endDateTime": _stamp(ends),
    }  # fmt: skip
    der = base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()
    public = {**shared, "keyId": public_id, "type": "AsymmetricX509Cert", "usage": "Verify", "key": der}
    private = {**shared, "keyId": private_id, "type": "X509CertAndPassword", "usage": "Sign", "key": None}
    password = {**shared, "keyId": private_id, "hint": None, "secretText": None}
    held = principal.attributes
    attributes = {
        **held,
        "keyCredentials": [*held.get("keyCredentials", ()), private, public],
        "passwordCredentials": [*held.get("passwordCredentials", ()), password],
    }
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    signing_key = PlainRecord(thumbprint.hex().upper(), {"id": thumbprint.hex().upper(), "pem": pem})
    put = [("servicePrincipals", replace(principal, attributes=attributes)), ("signingKeys", signing_key)]
    store.commit(put=put)
    return {**public, "thumbprint": signing_key.id}


def _read_name(name: object) -> x509.Name:
    if isinstance(name, str) and name.startswith("CN="):
        try:
            return x509.Name.from_rfc4514_string(name)
        except ValueError:  # no such name can be in a certificate
            pass
    raise invalid_value("displayName", _RESOURCE)


def _read_end(text: object, begins: datetime) -> datetime:
    latest = _add_years(begins, LONGEST)
    if text is None:
        return latest
    try:
        ends = datetime.fromtimestamp(parse_timestamp(str(text)), timezone.utc)
    except (ValueError, OverflowError, OSError):
        raise invalid_value("endDateTime", _RESOURCE) from None
    if not begins < ends <= latest:
        raise invalid_value("endDateTime", _RESOURCE)
    return ends


def _add_years(moment: datetime, years: int) -> datetime:
    is_leap_day = (moment.month, moment.day) == (2, 29)
    return moment.replace(year=moment.year + years, day=28 if is_leap_day else moment.day)


def _stamp(moment: datetime) -> str:
    """With seven digits of a second, as the service writes them (A)."""
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}0Z"
