"""If this goes red, a registration that `setup` made for a certificate or for a pipeline cannot sign in, or may not do
what the stack takes. Microsoft's credential library signs in over TLS, as `pulumi up` does on a tenant."""

from __future__ import annotations

from pathlib import Path

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CertificateCredential, ClientAssertionCredential
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.cli.setup_command import UP, Setup, granted, registrations, setup
from tests.emulator.process import TENANT, Emulator
from tests.emulator.tenant import FLEX_APP
from tests.emulator.test_wire_assertions import AUDIENCE, EXPIRY, ISSUER, sign
from tests.setup.certificates import RSA_KEY, write_client_certificate

__all__ = ["setup"]  # a fixture


def assert_works(emulator: Emulator, credential: CertificateCredential | ClientAssertionCredential) -> None:
    """The identity reads the policies, and makes an extension property of the application that it owns."""
    assert granted(emulator) == UP
    headers = {"Authorization": f"Bearer {credential.get_token(f'{emulator.http}/.default').token}"}
    assert emulator.request("GET", "/v1.0/policies/claimsMappingPolicies", None, headers).status == 200
    path = f"/v1.0/applications/{FLEX_APP['id']}/extensionProperties"
    body = emulator.encoded({"name": "site", "dataType": "String", "targetObjects": ["User"]})
    headers["Content-Type"] = "application/json"
    assert emulator.request("POST", path, body, headers).status == 201


def test_with_its_certificate(setup: Setup, emulator: Emulator, tmp_path: Path) -> None:
    file = write_client_certificate(tmp_path)
    assert setup("--certificate", str(file), "--yes").status == 0
    (registration,) = registrations(emulator)
    credential = CertificateCredential(
        TENANT, registration["appId"], str(file),
        authority=emulator.https, disable_instance_discovery=True, connection_verify=emulator.ca,
    )  # fmt: skip
    assert_works(emulator, credential)


def sign_in_as_pipeline(emulator: Emulator, app_id: str, subject: str) -> ClientAssertionCredential:
    """By a token of the pipeline's service with this subject."""
    assertion = sign({"iss": ISSUER, "sub": subject, "aud": AUDIENCE, "exp": EXPIRY}, {})
    return ClientAssertionCredential(
        TENANT, app_id, lambda: assertion,
        authority=emulator.https, disable_instance_discovery=True, connection_verify=emulator.ca,
    )  # fmt: skip


def test_by_the_token_of_a_pipeline(setup: Setup, emulator: Emulator) -> None:
    assert setup("--github", "contoso/infra:branch:main", "--yes").status == 0
    (registration,) = registrations(emulator)
    public = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    emulator.admin("POST", "issuers", {"issuer": ISSUER, "publicKey": public})
    assert_works(
        emulator, sign_in_as_pipeline(emulator, registration["appId"], "repo:contoso/infra:ref:refs/heads/main")
    )
    fork = sign_in_as_pipeline(emulator, registration["appId"], "repo:contoso/infra:pull_request")
    with pytest.raises(ClientAuthenticationError, match="AADSTS700213"):
        fork.get_token(f"{emulator.http}/.default")
