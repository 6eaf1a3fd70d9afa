"""If this goes red, a certificate is made twice or lost after an answer that never came, or its end is not understood."""

from __future__ import annotations

import base64
from datetime import datetime, timezone
from typing import Any

import pytest

from flexsaml.graph.errors import Forbidden, Unanswered
from tests.graph.fakes import Answer, Step, error, late, lost, ok, stage

DER = b"\x30\x82 a certificate"
ADD = "POST /v1.0/servicePrincipals/sp/addTokenSigningCertificate"
READ = "GET /v1.0/servicePrincipals/sp?$select=id,keyCredentials"


def row(thumbprint: str = "AA", **more: Any) -> dict[str, Any]:
    """A public key credential, as addTokenSigningCertificate answers it and as the principal then shows it."""
    return {
        "customKeyIdentifier": base64.b64encode(bytes.fromhex(thumbprint)).decode(),
        "displayName": "CN=x",
        "endDateTime": "2029-01-01T00:00:00.8100763Z",
        "startDateTime": "2026-01-01T00:00:00.8100763Z",
        "key": base64.b64encode(DER).decode(),
        "usage": "Verify",
        **more,
    }


def shown(*rows: dict[str, Any]) -> Answer:
    return ok({"id": "sp", "keyCredentials": list(rows)})


OLD = row("00", displayName="CN=old")


@pytest.mark.parametrize(
    ("steps", "lines"),
    [
        ([ok(row()), shown(OLD, row())], [ADD, READ]),
        ([ok(row()), shown(OLD), shown(OLD, row())], [ADD, READ, READ]),  # a replica that lags
        ([lost(), shown(OLD, row()), shown(OLD, row())], [ADD, READ, READ]),  # carried out
        ([late(), shown(OLD), shown(OLD), shown(OLD), ok(row()), shown(row())], [ADD, READ, READ, READ, ADD, READ]),
    ],
)
def test_a_certificate_is_made_once(steps: list[Step], lines: list[str]) -> None:
    scene = stage(*steps)
    made = scene.directory.create_signing_certificate("sp", "CN=x", datetime(2028, 5, 1, tzinfo=timezone.utc), {"00"})
    assert (made.key.thumbprint, made.key.can_sign, made.der) == ("AA", True, DER)
    assert scene.graph.lines == lines
    assert scene.graph.requests[0].body == {"displayName": "CN=x", "endDateTime": "2028-05-01T00:00:00Z"}


def test_without_an_end_none_is_sent() -> None:
    scene = stage(ok(row()), shown(row()))
    scene.directory.create_signing_certificate("sp", "CN=x", None, ())
    assert scene.graph.requests[0].body == {"displayName": "CN=x"}


def test_two_new_certificates_of_that_name_are_not_told_apart() -> None:
    """Somebody else made the other one: neither is reported as ours, and no third one is made."""
    both = shown(row(), row("BB"))
    scene = stage(lost(), *[both] * 3, error(403, "Authorization_RequestDenied"))
    with pytest.raises(Forbidden):
        scene.directory.create_signing_certificate("sp", "CN=x", None, ())


@pytest.mark.parametrize("body", [{}, row(key=None), row(key="?"), row(usage="Sign")])
def test_an_answer_without_a_certificate_is_an_error(body: dict[str, Any]) -> None:
    with pytest.raises(Unanswered, match="does not have a certificate"):
        stage(ok(body)).directory.create_signing_certificate("sp", "CN=x", None, ())


def test_the_private_twin_is_not_exported() -> None:
    scene = stage(shown(row(usage="Sign", key=None), row()), shown(OLD))
    certificate = scene.directory.signing_certificate("sp", "AA")
    assert certificate is not None
    assert certificate.der == DER
    assert scene.directory.signing_certificate("sp", "AA") is None


def test_activation_waits_until_it_shows() -> None:
    name = "preferredTokenSigningKeyThumbprint"
    scene = stage(ok(), ok({"id": "sp", name: None}), ok({"id": "sp", name: "aa"}))
    scene.directory.activate_signing_certificate("sp", "AA")
    path = f"/v1.0/servicePrincipals/sp?$select=id,{name}"
    assert scene.graph.lines == ["PATCH /v1.0/servicePrincipals/sp", f"GET {path}", f"GET {path}"]
    assert scene.graph.requests[0].body == {name: "AA"}


@pytest.mark.parametrize(("accepted", "stale"), [(True, None), (True, {}), (False, {"acceptMappedClaims": True})])
def test_mapped_claims_are_patched_alone(accepted: bool, stale: dict[str, Any] | None) -> None:
    after = {"acceptMappedClaims": True} if accepted else {"acceptMappedClaims": None}
    scene = stage(ok(), ok({"id": "app", "api": stale}), ok({"id": "app", "api": after}))
    scene.directory.set_accept_mapped_claims("app", accepted)
    assert scene.graph.requests[0].body == {"api": {"acceptMappedClaims": accepted}}
    assert len(scene.graph.requests) == 3
