"""If this goes red, the sandbox answers a request of a service provider, or a person at its sign-in page, otherwise than
Entra does."""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import pytest

from tests.emulator import browsing, signin
from tests.emulator.process import TENANT, Emulator
from tests.emulator.tenant import ABSENT, ADA, FLEX, GUEST, STAGING, USERS, Tenant
from tests.emulator.test_signin import ACS, CONNECTION, NORA, constant, encoded, refusal, request


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"request": "%%%"}, (400, "AADSTS75005")),
        ({"request": encoded("no xml")}, (400, "AADSTS75005")),
        ({"request": encoded("<a/>")}, (400, "AADSTS75005")),
        ({"request": encoded('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')}, (400, "AADSTS75005")),
        ({"request": request(Version="1.1")}, (400, "AADSTS75005")),
        ({"request": request(issuer=" ")}, (400, "AADSTS75005")),
        ({"request": "A" * 200_000}, (400, "AADSTS75005")),
        ({"request": request(issuer="urn:flex:other")}, (400, "AADSTS700016")),
        ({"request": request(issuer=STAGING["servicePrincipalNames"][0])}, (400, "AADSTS75005")),
        ({"request": request(acs="https://evil.example/acs")}, (400, "AADSTS50011")),
        ({"acs": "https://localhost.evil.example/acs"}, (400, "AADSTS50011")),
        ({"acs": "javascript://127.0.0.1/%0aalert(1)"}, (400, "AADSTS50011")),
        ({"acs": "http://evil.example\\@127.0.0.1/acs"}, (400, "AADSTS50011")),
        ({"acs": "http://evil.example@127.0.0.1/acs"}, (400, "AADSTS50011")),
        ({"acs": "http://127.0.0.1:9;script-src */acs"}, (400, "AADSTS50011")),
        ({"acs": "http://127.0.0.1#@evil.example/"}, (400, "AADSTS50011")),
        ({"principal": ABSENT}, (400, "AADSTS700016")),
        ({"user": ""}, (400, "AADSTS50034")),
        ({"user": 5}, (400, "BadRequest")),
    ],
)  # fmt: skip
def test_an_invalid_request_is_refused_in_one_line(
    emulator: Emulator, sent: dict[str, Any], expected: tuple[int, str]
) -> None:
    body = {"user": ADA, "principal": FLEX["appId"], **sent}
    assert refusal(emulator.request("POST", "/admin/sign-in", json.dumps(body).encode())) == expected


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null"])
def test_a_sign_in_without_a_page_wants_an_object(emulator: Emulator, body: bytes) -> None:
    assert refusal(emulator.request("POST", "/admin/sign-in", body)) == (400, "BadRequest")


def test_where_a_response_is_sent(tenant: Tenant) -> None:
    emulator, reply = tenant.emulator, FLEX["replyUrls"][0]
    flex = f"{emulator.http}/flex/login/callback?connection={CONNECTION}"
    for sent, expected in [
        ({}, flex),
        ({"acs": reply}, flex),
        ({"request": request(acs=reply)}, flex),
        ({"request": request(acs=ACS)}, ACS),
        ({"acs": "https://localhost:1/x?y=1"}, "https://localhost:1/x?y=1"),
    ]:
        answer = signin.ask(emulator, ADA, FLEX["id"], **sent)
        assert answer.json["acs"] == expected
        root = signin.read(answer.json["SAMLResponse"]).root
        data = root.find(".//saml:SubjectConfirmationData", signin.SAML)
        assert data is not None
        assert (root.get("Destination"), data.get("Recipient")) == (expected, expected)
        assert data.get("InResponseTo") == root.get("InResponseTo") == ("_1" if "request" in sent else None)


def test_a_response_is_valid_for_an_hour_and_no_two_share_an_id(tmp_path: Path) -> None:
    with Emulator(tmp_path) as emulator:
        first = signin.issued(emulator, ADA).root
        emulator.kill()
        emulator.start()
        second = signin.issued(emulator, ADA).root
    ids = [element.attrib["ID"] for root in (first, second) for element in root.iter() if "ID" in element.attrib]
    assert len(set(ids)) == 4
    conditions = first.find(".//saml:Conditions", signin.SAML)
    assert conditions is not None
    assert conditions.attrib["NotBefore"] < first.attrib["IssueInstant"] < conditions.attrib["NotOnOrAfter"]


def test_what_xml_cannot_carry_is_replaced(tenant: Tenant) -> None:
    signin.assign(tenant, signin.claims(constant("a\u0001b\ud800c\n<&>\u00e9", "x")))
    assert signin.issued(tenant.emulator, ADA).values["x"] == ["a\ufffdb\ufffdc\n<&>\u00e9"]


def test_metadata_has_a_mark_and_all_certificates_twice(emulator: Emulator) -> None:
    path = f"/{TENANT}/federationmetadata/2007-06/federationmetadata.xml"
    content = emulator.request("GET", f"{path}?appid={FLEX['appId']}").content
    assert content.startswith(b"\xef\xbb\xbf")
    root = ElementTree.fromstring(content)  # noqa: S314 - the emulator's own
    md, ds = "{urn:oasis:names:tc:SAML:2.0:metadata}", "{http://www.w3.org/2000/09/xmldsig#}"
    verify = [key["key"] for key in FLEX["keyCredentials"] if key["usage"] == "Verify"]
    for name in ("RoleDescriptor", "IDPSSODescriptor"):
        descriptor = root.find(f"{md}{name}")
        assert descriptor is not None
        assert [element.text for element in descriptor.iter(f"{ds}X509Certificate")] == verify
    places = {service.get("Location") for service in root.iter(f"{md}SingleSignOnService")}
    assert (root.get("entityID"), places) == (f"https://sts.windows.net/{TENANT}/", {f"{emulator.http}/{TENANT}/saml2"})
    assert refusal(emulator.request("GET", path)) == (404, "AADSTS700016")
    assert refusal(emulator.request("GET", f"/other{path[37:]}?appid={FLEX['appId']}")) == (404, "AADSTS90002")


# -- pages -------------------------------------------------------------------------------------------------------------


def test_the_page_asks_who_signs_in_and_carries_the_request_on(tenant: Tenant) -> None:
    packer = zlib.compressobj(wbits=-15)
    packed = packer.compress(base64.b64decode(request(acs=ACS))) + packer.flush()
    state = '"><script>alert(1)</script>'
    query = f"SAMLRequest={quote(base64.b64encode(packed).decode(), safe='')}&RelayState={quote(state)}"
    page = browsing.visit(tenant.emulator, f"/contoso.example/saml2?{query}")
    assert page.status == 200
    assert "script" not in page.tags
    assert {upn for _, upn in page.forms[0].buttons} == set(USERS)
    assert page.text.count("not assigned") == 1
    issued = browsing.send(tenant.emulator, page.forms[1], user=f" {ADA.upper()} ")
    assert issued.forms[0].action == ACS
    assert issued.forms[0].fields["RelayState"] == state
    assert "form-action 'self' http://127.0.0.1:9;" in issued.answer.headers["content-security-policy"]
    refused = browsing.send(tenant.emulator, page.forms[0], user="<b>nobody</b>")
    assert (refused.status, "b" in refused.tags) == (400, False)
    assert "AADSTS50034" in refused.text


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"/{TENANT}/saml2", 400, "AADSTS750054"),
        (f"/{TENANT}/saml2?SAMLRequest=%25", 400, "AADSTS75005"),
        (f"/{TENANT}/saml2?SAMLRequest={quote(request(), safe='')}", 400, "AADSTS75005"),
        (f"/{TENANT}/launch/{ABSENT}", 404, "AADSTS700016"),
        (f"/other.example/launch/{FLEX['appId']}", 404, "AADSTS90002"),
    ],
)
def test_a_page_for_a_mistaken_address_says_why_in_one_line(
    emulator: Emulator, path: str, status: int, code: str
) -> None:
    page = browsing.visit(emulator, path)
    assert page.status == status
    assert sum(code in line for line in page.text.splitlines()) == 1


def test_a_request_that_inflates_without_end_is_refused(emulator: Emulator) -> None:
    packer = zlib.compressobj(9, wbits=-15)
    packed = packer.compress(b"<a>" + b" " * 20_000_000) + packer.flush()
    query = quote(base64.b64encode(packed).decode(), safe="")
    page = browsing.visit(emulator, f"/{TENANT}/saml2?SAMLRequest={query}")
    assert (page.status, "AADSTS75005" in page.text) == (400, True)


@pytest.mark.parametrize("user", [GUEST, NORA])
def test_the_page_tells_a_refused_user_why(emulator: Emulator, user: str) -> None:
    page = browsing.sign_in(emulator, f"/{TENANT}/launch/{FLEX['appId']}", user)
    assert page.status == 403
    assert "AADSTS50" in page.text
