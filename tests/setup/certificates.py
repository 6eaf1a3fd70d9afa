"""Certificates for tests. A helper."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

RSA_KEY = rsa.generate_private_key(65537, 2048)  # once: it takes longer than all else
ELLIPTIC_KEY = ec.generate_private_key(ec.SECP256R1())


def make_pem(
    starts: datetime, ends: datetime, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey = RSA_KEY
) -> tuple[bytes, bytes]:
    """A self-signed certificate and its private key, both in PEM."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "flexsaml")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(starts).not_valid_after(ends)
    pem = builder.sign(key, SHA256()).public_bytes(Encoding.PEM)
    return pem, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def write_client_certificate(folder: Path) -> Path:
    """A file with the private key and a certificate that is valid for a month, as an application signs in with."""
    now = datetime.now(timezone.utc).replace(microsecond=0)
    pem, key = make_pem(now - timedelta(days=1), now + timedelta(days=30))
    file = folder / "client.pem"
    file.write_bytes(key + pem)
    return file
