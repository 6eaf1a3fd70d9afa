"""Certificates for tests. A helper."""

from __future__ import annotations

from datetime import datetime

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
