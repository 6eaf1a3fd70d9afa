"""If this goes red, a pipeline that signs in with a certificate or by federation cannot be tried on the emulator, or the
emulator gives a token to whoever makes an assertion up."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.emulator.process import AZURE_CLI, TENANT, Answer, Emulator
from tests.emulator.tenant import Tenant
from tests.setup.certificates import RSA_KEY, make_pem

NOW = datetime.now(timezone.utc)
ISSUER = "https://token.actions.githubusercontent.com"
SUBJECT = "repo:contoso/infra:ref:refs/heads/main"
AUDIENCE = "api://AzureADTokenExchange"
OTHER_KEY = rsa.generate_private_key(65537, 2048)
PEM = make_pem(NOW - timedelta(days=1), NOW + timedelta(days=1))[0]
DER = x509.load_pem_x509_certificate(PEM).public_bytes(Encoding.DER)

Claims = dict[str, Any]


def encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def sign(claims: Claims, header: Mapping[str, str], key: rsa.RSAPrivateKey = RSA_KEY) -> str:
    header = {"typ": "JWT", "alg": "RS256", **header}
    signed = ".".join(encode(json.dumps(segment).encode()) for segment in (header, claims))
    return f"{signed}.{encode(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


@pytest.fixture
def app_id(tenant: Tenant) -> str:
    """An application with a certificate and a federated credential, whose issuer's key the emulator has."""
    graph = tenant.emulator.graph
    application = graph("POST", "/applications", {"displayName": "runs the stack"}, client=AZURE_CLI).json
    graph("POST", "/servicePrincipals", {"appId": application["appId"]}, client=AZURE_CLI)
    path = f"/applications/{application['id']}"
    key = {"type": "AsymmetricX509Cert", "usage": "Verify", "key": base64.b64encode(DER).decode()}
    assert graph("PATCH", path, {"keyCredentials": [key]}, client=AZURE_CLI).status == 204
    federated = {"name": "main", "issuer": ISSUER, "subject": SUBJECT, "audiences": [AUDIENCE]}
    assert graph("POST", f"{path}/federatedIdentityCredentials", federated, client=AZURE_CLI).status == 201
    public = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    tenant.emulator.admin("POST", "issuers", {"issuer": ISSUER, "publicKey": public})
    return str(application["appId"])


def ask_token(emulator: Emulator, app_id: str, assertion: str) -> Answer:
    form = {
        "grant_type": "client_credentials",
        "client_id": app_id,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion,
        "scope": f"{emulator.http}/.default",
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return emulator.request("POST", f"/{TENANT}/oauth2/v2.0/token", urlencode(form).encode(), headers)


EXPIRY = int((NOW + timedelta(minutes=10)).timestamp())
NAMED = {"x5t": encode(hashlib.sha1(DER).digest())}  # noqa: S324 - as the header names it


def by_certificate(app_id: str, **changes: object) -> Claims:
    return {"iss": app_id, "sub": app_id, "aud": f"https://x/{TENANT}/oauth2/v2.0/token", "exp": EXPIRY, **changes}


def by_federation(_app_id: str, **changes: object) -> Claims:
    return {"iss": ISSUER, "sub": SUBJECT, "aud": AUDIENCE, "exp": EXPIRY, **changes}


CASES: dict[str, tuple[Callable[[str], str], int]] = {
    # the assertion of an application, and the number of the refusal, 0 for a token
    "certificate": (lambda app: sign(by_certificate(app), NAMED), 0),
    "certificate, by SHA-256": (
        lambda app: sign(by_certificate(app), {"x5t#S256": encode(hashlib.sha256(DER).digest())}),
        0,
    ),
    "another key than the certificate's": (lambda app: sign(by_certificate(app), NAMED, OTHER_KEY), 50027),
    "a certificate that it does not have": (lambda app: sign(by_certificate(app), {"x5t": "AAAA"}), 700027),
    "for another service": (lambda app: sign(by_certificate(app, aud="https://x/token"), NAMED), 50027),
    "over": (lambda app: sign(by_certificate(app, exp=EXPIRY - 3600), NAMED), 700024),
    "not yet": (lambda app: sign(by_certificate(app, nbf=EXPIRY - 1), NAMED), 700024),
    "not yet, in words": (lambda app: sign(by_certificate(app, nbf="tomorrow"), NAMED), 700024),
    "without an end": (lambda app: sign(by_certificate(app, exp=None), NAMED), 700024),
    "unsigned": (lambda app: sign(by_certificate(app), {**NAMED, "alg": "none"}), 50027),
    "no token at all": (lambda _: "a.b", 50027),
    "deep": (lambda _: f"{encode(b'[' * 100_000)}.{encode(b'{}')}.AAAA", 50027),
    "federated": (lambda app: sign(by_federation(app), {}), 0),
    "federated, several audiences": (lambda app: sign(by_federation(app, aud=["x", AUDIENCE]), {}), 0),
    "federated, another issuer": (lambda app: sign(by_federation(app, iss=f"{ISSUER}/"), {}), 700211),
    "federated, another case": (lambda app: sign(by_federation(app, sub=SUBJECT.upper()), {}), 700213),
    "federated, another audience": (lambda app: sign(by_federation(app, aud="x"), {}), 700212),
    "federated, made up": (lambda app: sign(by_federation(app), {}, OTHER_KEY), 50027),
    "federated, over": (lambda app: sign(by_federation(app, exp=EXPIRY - 3600), {}), 700024),
}


@pytest.mark.parametrize(("make", "number"), CASES.values(), ids=CASES)
def test_an_application_signs_in_with_an_assertion(
    tenant: Tenant, app_id: str, make: Callable[[str], str], number: int
) -> None:
    answer = ask_token(tenant.emulator, app_id, make(app_id))
    if number:
        assert (answer.status, answer.json["error_codes"]) == (401, [number]), answer.json
    else:
        assert answer.status == 200, answer.json


def test_an_issuer_whose_key_nobody_gave_signs_nothing(tenant: Tenant, app_id: str) -> None:
    exported = tenant.emulator.export()
    tenant.emulator.seed(exported)  # which forgets the issuers
    assert ask_token(tenant.emulator, app_id, sign(by_federation(app_id), {})).json["error_codes"] == [50027]
