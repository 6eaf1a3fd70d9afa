"""If this goes red, a web page that somebody visits can read the sandbox's tenant, reset it or make it fail."""

from __future__ import annotations

import socket
import sys
from urllib.parse import quote, urlsplit

import pytest

from tests.emulator import signin
from tests.emulator.browsing import FORM, Page, visit
from tests.emulator.process import TENANT, Emulator
from tests.emulator.tenant import FLEX_APP, Tenant

LAUNCH = f"/{TENANT}/launch/{FLEX_APP['appId']}"
CLAIMS = {"email": "mail", "full_name": "displayname", "roles": "assignedroles"}
ADA = b"user=ada@contoso.example"


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:8765", "localhost.evil.example", "[::1]", "0.0.0.0:8765", ""]
)
def test_only_names_of_the_emulator_are_answered(emulator: Emulator, host: str) -> None:
    for path in ("/admin/export", "/portal", "/v1.0/users", "/health"):
        assert emulator.request("GET", path, None, {"Host": host}).status in (400, 421)


@pytest.mark.skipif(sys.platform != "linux", reason="macOS has one loopback address only")
def test_it_listens_at_one_loopback_address(emulator: Emulator) -> None:
    for url in (emulator.http, emulator.https):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", urlsplit(url).port or 0), timeout=10)


@pytest.mark.parametrize(
    ("headers", "is_other"),
    [
        ({}, False),  # a program
        ({"Sec-Fetch-Site": "none"}, False),  # a typed address
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, True),
        ({"Sec-Fetch-Site": "same-site"}, True),  # another port of this machine
        ({"Origin": "https://evil.example"}, True),
        ({"Origin": "null"}, True),  # a page in a sandboxed frame
        ({"Origin": "http://127.0.0.1:1"}, True),
        ({"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, True),
    ],
    ids=str,
)
def test_another_sites_page_changes_nothing(emulator: Emulator, headers: dict[str, str], is_other: bool) -> None:
    emulator.fault("refuse", "GET", "^/never$")
    emulator.graph("POST", "/applications", {"displayName": "made after the seed"})
    before = emulator.export(), emulator.faults(), emulator.admin("GET", "dials")
    for method, path, body in (
        ("POST", "/admin/sign-in", b"{}"),
        ("GET", "/admin/export", None),
        ("GET", "/%61dmin/export", None),
        ("POST", LAUNCH, ADA),
        ("POST", "/admin/faults", b'{"action": "drop"}'),
        ("PATCH", "/admin/dials", b'{"read_lag": 3}'),
        ("DELETE", "/admin/faults", None),
        ("POST", "/admin/reset", None),
    ):
        answer = emulator.request(method, path, body, {**FORM, **headers})
        assert (answer.status == 403) is is_other, (method, path, answer.content)
        if is_other:
            assert answer.json["error"]["code"] == "CrossSiteRequest"
    assert ((emulator.export(), emulator.faults(), emulator.admin("GET", "dials")) == before) is is_other


def test_its_own_origin_is_no_other_site(emulator: Emulator) -> None:
    for host in (emulator.http, emulator.http.replace("127.0.0.1", "localhost")):
        headers = {"Origin": host, "Host": host.removeprefix("http://")}
        assert emulator.request("POST", "/admin/reset", None, headers).status == 204


def test_saml_crosses_sites_but_another_site_chooses_no_user(tenant: Tenant) -> None:
    """A service provider's request may come from its own page, a signed response from anywhere."""
    there = {**FORM, "Sec-Fetch-Site": "cross-site", "Origin": "https://sp.example"}
    emulator = tenant.emulator
    entries = [{"Source": "user", "ID": source, "SamlClaimType": name} for name, source in CLAIMS.items()]
    signin.assign(tenant, signin.claims(*entries))
    start = next(link for link in visit(emulator, "/flex").links if "/flex/login?" in link)
    fields = visit(emulator, start).forms[0].fields
    sent = "&".join(f"{name}={quote(value, safe='')}" for name, value in fields.items()).encode()
    path = f"/{TENANT}/saml2"
    asked = Page(emulator.request("POST", path, sent, there))
    assert (asked.status, asked.forms[0].action) == (200, path)
    assert emulator.request("POST", path, sent + b"&" + ADA, there).status == 403
    issued = Page(emulator.request("POST", path, sent + b"&" + ADA, FORM)).forms[0]
    response = f"SAMLResponse={quote(issued.fields['SAMLResponse'], safe='')}".encode()
    accepted = emulator.request("POST", issued.action.removeprefix(emulator.http), response, there)
    assert accepted.status == 200
