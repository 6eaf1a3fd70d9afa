"""How the registration proves who it is: a certificate's public part, or whose tokens are accepted in place of a
secret. Everything is judged here, before anything is made."""

import base64
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime

from flexsaml.errors import UserError

AUDIENCES = {
    "public": "api://AzureADTokenExchange", "usgov": "api://AzureADTokenExchangeUSGov",
    "usgov-dod": "api://AzureADTokenExchangeUSGov", "china": "api://AzureADTokenExchangeChina",
    "loopback": "api://AzureADTokenExchange",
}  # fmt: skip
"""The audience of exchanged tokens in each cloud: A for the public one, B for the others (several vendors' code)."""
GITHUB_ISSUER = "https://token.actions.githubusercontent.com"
MAX_CERTIFICATE_BYTES = 100_000
_REPOSITORY = re.compile(r"[A-Za-z0-9@-]+/[A-Za-z0-9._@-]+")
_FORMS = "OWNER/REPO (its pull requests), OWNER/REPO:environment:NAME or OWNER/REPO:branch:NAME"


@dataclass(frozen=True)
class Federation:
    """Tokens of `issuer` for `subject` are accepted. `name` says where it comes from."""

    name: str
    issuer: str
    subject: str


@dataclass(frozen=True)
class Certificate:
    """The public part. `thumbprint`: SHA-1 in upper-case hex, as Entra shows it."""

    thumbprint: str
    subject: str
    starts: datetime
    ends: datetime
    der: bytes

    @property
    def key(self) -> str:
        return base64.b64encode(self.der).decode()


def parse_github(text: str) -> Federation:
    """Raises `UserError` for anything but the three forms."""
    repository, colon, rest = text.partition(":")
    kind, _, name = rest.partition(":")
    if not _REPOSITORY.fullmatch(repository) or (colon and (kind not in ("environment", "branch") or not name)):
        raise UserError(f"--github {text}: write {_FORMS}")
    suffix = {"": "pull_request", "environment": f"environment:{name}", "branch": f"ref:refs/heads/{name}"}[kind]
    return federation("github", GITHUB_ISSUER, f"repo:{repository}:{suffix}")


def parse_azure_pipelines(issuer: str, subject: str) -> Federation:
    """Issuer and subject as the service connection shows them."""
    if not re.fullmatch(r"https://\S+", issuer) or not subject.strip() or subject.startswith("https://"):
        words = "write issuer and subject as the service connection shows them, the issuer first"
        raise UserError(f"--azure-pipelines {issuer} {subject}: {words}")
    return federation("azure-pipelines", issuer, subject)


def federation(source: str, issuer: str, subject: str) -> Federation:
    """Its name is unique for issuer and subject, within the letters and the length that Graph takes (A)."""
    digest = hashlib.sha256(f"{issuer}\n{subject}".encode()).hexdigest()[:8]
    words = re.sub(r"[^A-Za-z0-9]+", "-", subject.removeprefix("repo:")).strip("-")[:80]
    return Federation(f"{source}-{words}-{digest}", issuer, subject)


def read_certificate(raw: bytes, name: str, now: datetime) -> Certificate:
    """The first certificate of a PEM file. Raises `UserError` for one that has ended, for one without an RSA key, with
    which nobody could sign in (A: assertions are signed PS256 or RS256), and for what is none."""
    from cryptography import x509  # only now: it takes longer than the command
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.hashes import SHA1
    from cryptography.hazmat.primitives.serialization import Encoding

    block = re.search(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", raw, re.DOTALL)
    hint = "give a PEM file with the public part of a certificate (BEGIN CERTIFICATE)"
    if block is None:
        raise UserError(f"--certificate {name}: there is no certificate in it; {hint}")
    try:
        certificate = x509.load_pem_x509_certificate(block[0])
    except ValueError:
        raise UserError(f"--certificate {name}: it is no certificate that can be read; {hint}") from None
    if certificate.not_valid_after_utc <= now:
        ended = f"{certificate.not_valid_after_utc:%Y-%m-%d}"
        raise UserError(f"--certificate {name}: the certificate ended on {ended}; make a new one")
    if not isinstance(certificate.public_key(), RSAPublicKey):
        raise UserError(f"--certificate {name}: its key is not RSA, which Entra requires; make one with an RSA key")
    return Certificate(
        certificate.fingerprint(SHA1()).hex().upper(),  # noqa: S303 - a name, not a proof
        certificate.subject.rfc4514_string(),
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
        certificate.public_bytes(Encoding.DER),
    )
