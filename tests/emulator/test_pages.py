"""If this goes red, a page of the sandbox misleads, is unusable without a mouse or a script, or can be made to run one.

What a real browser makes of them is in tests/browser.
"""

from __future__ import annotations

import re

import pytest

from tests.emulator import browsing, signin
from tests.emulator.process import TENANT, Emulator
from tests.emulator.tenant import ADA, FLEX, STAGING, Tenant

OVERWRITTEN = "This configuration was overwritten by a claim mapping policy created via Graph/PowerShell."
HOSTILE = "<script>alert(1)</script>"


@pytest.mark.parametrize(
    "path",
    [
        "/portal",
        f"/portal/{FLEX['id']}",
        f"/portal/{STAGING['id']}",
        "/portal/none",
        "/flex",
        "/flex/workers/none",
        f"/{TENANT}/launch/{FLEX['appId']}",
        f"/{TENANT}/saml2",
    ],
)
def test_every_page_is_well_made_and_harmless(emulator: Emulator, path: str) -> None:
    page = browsing.visit(emulator, path)
    text = page.answer.content.decode()
    assert (page.lang, page.tags.count("h1"), page.tags.count("title"), page.tags.count("main")) == ("en", 1, 1, 1)
    assert re.search(r"<title>[^<]+ · flexsaml sandbox</title>", text)
    assert not re.search(r"\son\w+=|\sstyle=|<style|javascript:", text)
    policy = page.answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    fields = re.findall(r'<(?:input|textarea)(?![^>]*type="hidden")[^>]*\bid="(\w+)"', text)
    assert all(f'<label for="{name}">' in text for name in fields)


def test_the_root_redirects_to_the_portal_and_assets_are_served(emulator: Emulator) -> None:
    assert emulator.request("GET", "/").headers["location"] == "/portal"
    for asset, kind in (("style.css", "text/css"), ("submit.js", "javascript"), ("icon.svg", "image/svg")):
        answer = emulator.request("GET", f"/assets/{asset}")
        assert (answer.status, kind in answer.headers["content-type"]) == (200, True)
    assert emulator.request("GET", "/assets/../__init__.py").status == 404


def test_the_claims_blade_says_that_it_was_overwritten(tenant: Tenant) -> None:
    blade = f"/portal/{FLEX['id']}"
    assert OVERWRITTEN not in browsing.visit(tenant.emulator, blade).text
    claim = {"Source": "user", "ID": "displayname", "SamlClaimType": "full_name"}
    signin.assign(tenant, signin.claims(claim, {"Value": HOSTILE, "JwtClaimType": HOSTILE}, {"ID": "mail"}))
    page = browsing.visit(tenant.emulator, blade)
    assert OVERWRITTEN in page.text
    assert "user.displayname" in page.text
    assert "script" not in page.tags
    assert OVERWRITTEN not in browsing.visit(tenant.emulator, f"/portal/{STAGING['id']}").text
    assert "a claims mapping policy" in browsing.visit(tenant.emulator, "/portal").text


def test_the_claims_blade_lists_who_is_assigned_with_values(tenant: Tenant) -> None:
    name = tenant.property()["name"]
    assert tenant.patch({name: HOSTILE}).status == 204
    page = browsing.visit(tenant.emulator, f"/portal/{FLEX['id']}")
    assert f"languages = {HOSTILE}" in page.text
    assert "script" not in page.tags
    assert "nora@contoso.example" not in page.text, "not a direct member"
    assert f"/{TENANT}/launch/{FLEX['appId']}" in page.links


def test_an_identity_for_programs_offers_no_sign_in(tenant: Tenant) -> None:
    graph = tenant.emulator.graph
    app_id = graph("POST", "/applications", {"displayName": "Made by setup"}).json["appId"]
    principal = graph("POST", "/servicePrincipals", {"appId": app_id}).json
    for path in ("/portal", f"/portal/{principal['id']}"):
        page = browsing.visit(tenant.emulator, path)
        assert "Made by setup" in page.text
        assert f"/{TENANT}/launch/{app_id}" not in page.links
    assert f"/{TENANT}/launch/{FLEX['appId']}" in browsing.visit(tenant.emulator, "/portal").links


def test_what_entra_sends_is_escaped_on_the_page_of_flex(tenant: Tenant) -> None:
    claims = [
        {"Source": "user", "ID": "mail", "SamlClaimType": "email"},
        {"Source": "user", "ID": "displayname", "SamlClaimType": "full_name"},
        {"Source": "user", "ID": "assignedroles", "SamlClaimType": "roles"},
        {"Value": HOSTILE, "SamlClaimType": HOSTILE},
    ]
    assert tenant.patch({"displayName": HOSTILE}).status == 204
    signin.assign(tenant, signin.claims(*claims))
    page = browsing.sign_in(tenant.emulator, f"/{TENANT}/launch/{FLEX['appId']}", ADA)
    assert page.status == 200
    assert page.text.count(HOSTILE) > 2
    assert "script" not in page.tags


def test_a_form_too_large_is_not_read(emulator: Emulator) -> None:
    body = b"SAMLResponse=" + b"A" * 3_000_000
    connection = FLEX["servicePrincipalNames"][0].removeprefix("urn:flex:")
    answer = emulator.request("POST", f"/flex/login/callback?connection={connection}", body, browsing.FORM)
    assert answer.status == 400
