"""If this goes red, the emulator makes signing certificates otherwise than Microsoft's reference says, or signs with
one that it was never told to use.

Raw standard-library HTTP; the shape of the answer is the example of the reference page of addTokenSigningCertificate
(its type is not in the contract's subset).
"""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.emulator import signin
from tests.emulator.process import LEAST, PREVIEW, Answer
from tests.emulator.tenant import ADA, FLEX, STAGING, Tenant, bad

PATH = f"/servicePrincipals/{FLEX['id']}"
DAY = 86_400.0
SHAPE = {
    "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#microsoft.graph.selfSignedCertificate",
    "customKeyIdentifier": "2iD8ppbE+D6Kmu1ZvjM2jtQh88E=",
    "displayName": "CN=customDisplayName",
    "endDateTime": "2024-01-25T00:00:00Z",
    "key": "MIICuDCCAaCgAwIBAgIIYXJsNtL4oUMwDQYJKoZIhvcNAQEL...StP8s/w==",
    "keyId": "93bc223f-7235-4b9c-beea-d66847531c49",
    "startDateTime": "2021-05-05T18:38:51.8100763Z",
    "thumbprint": "DA20FCA696C4F83E8A9AED59BE33368ED421F3C1",
    "type": "AsymmetricX509Cert",
    "usage": "Verify",
}


def add(tenant: Tenant, name: Any = "CN=customDisplayName", **more: Any) -> Answer:
    path = f"{PATH}/addTokenSigningCertificate"
    return tenant.emulator.graph("POST", path, {"displayName": name, **more})


def moment(text: str) -> datetime:
    return datetime.fromisoformat(f"{text[:19]}+00:00")


def test_a_certificate_is_made_in_three_credentials_and_is_not_active(tenant: Tenant) -> None:
    before = tenant.emulator.graph("GET", f"{PATH}?$select=keyCredentials,passwordCredentials").json
    answer = add(tenant)
    made = answer.json
    assert answer.status == 200
    assert made.keys() == SHAPE.keys()
    assert made["@odata.context"].endswith("/v1.0/$metadata#microsoft.graph.selfSignedCertificate")
    assert {name: made[name] for name in ("type", "usage", "displayName")} == {
        name: SHAPE[name] for name in ("type", "usage", "displayName")
    }
    digest = hashlib.sha1(base64.b64decode(made["key"])).digest()  # noqa: S324 - a thumbprint is one
    assert made["thumbprint"] == digest.hex().upper()
    assert made["customKeyIdentifier"] == base64.b64encode(digest).decode()
    assert len(made["startDateTime"]) == len(SHAPE["startDateTime"])
    assert moment(made["endDateTime"]) - moment(made["startDateTime"]) in (timedelta(1095), timedelta(1096))
    after = tenant.emulator.graph("GET", PATH).json
    assert after["preferredTokenSigningKeyThumbprint"] == FLEX["preferredTokenSigningKeyThumbprint"]
    new = after["keyCredentials"][len(before["keyCredentials"]) :]
    passwords = after["passwordCredentials"]
    assert [(row["type"], row["usage"], row["key"]) for row in new] == [
        ("X509CertAndPassword", "Sign", None),
        ("AsymmetricX509Cert", "Verify", None),
    ]
    assert {row["customKeyIdentifier"] for row in (*new, *passwords)} == {made["customKeyIdentifier"]}
    assert [row["keyId"] for row in passwords] == [new[0]["keyId"]]
    assert new[1]["keyId"] == made["keyId"]


def test_a_new_certificate_signs_once_it_is_active(tenant: Tenant) -> None:
    made = add(tenant).json
    old = signin.issued(tenant.emulator, ADA).root.find(".//{*}X509Certificate")
    signin.patch_principal(tenant, preferredTokenSigningKeyThumbprint=made["thumbprint"])
    new = signin.issued(tenant.emulator, ADA).root.find(".//{*}X509Certificate")
    assert old is not None
    assert new is not None
    assert "".join((new.text or "").split()) == made["key"] != "".join((old.text or "").split())


@pytest.mark.parametrize(
    ("name", "more", "words"),
    [
        ("customDisplayName", {}, "Invalid value specified for property 'displayName' of resource 'ServicePrincipal'."),
        (None, {}, "Invalid value specified for property 'displayName' of resource 'ServicePrincipal'."),
        ("CN=", {}, "Invalid value specified for property 'displayName' of resource 'ServicePrincipal'."),
        ("CN=x", {"type": ""}, "Invalid property 'type'."),
        *(
            ("CN=x", {"endDateTime": end}, "Invalid value specified for property 'endDateTime' of resource 'ServicePrincipal'.")
            for end in ("tomorrow", "2020-01-01T00:00:00Z", "2126-01-01T00:00:00Z", 5)
        ),
    ],
)  # fmt: skip
def test_an_invalid_certificate_is_refused_and_makes_nothing(
    tenant: Tenant, name: Any, more: dict[str, Any], words: str
) -> None:
    before = tenant.emulator.export()
    assert add(tenant, name, **more).error == bad(words)
    assert tenant.emulator.export() == before


def test_its_end_may_be_chosen(tenant: Tenant) -> None:
    begins = moment(add(tenant).json["startDateTime"])
    ends = f"{begins + timedelta(90):%Y-%m-%dT%H:%M:%S}Z"
    assert moment(add(tenant, endDateTime=ends).json["endDateTime"]) == begins + timedelta(90)


@pytest.mark.parametrize(
    ("client", "principal", "allowed"), [(PREVIEW, FLEX, False), (LEAST, FLEX, True), (LEAST, STAGING, False)]
)
def test_who_may_make_one(tenant: Tenant, client: str, principal: dict[str, Any], allowed: bool) -> None:
    path = f"/servicePrincipals/{principal['id']}/addTokenSigningCertificate"
    answer = tenant.emulator.graph("POST", path, {"displayName": "CN=x"}, client=client)
    assert answer.status == (200 if allowed else 403)
