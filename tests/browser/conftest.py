"""Fixtures of the browser tests: the system's Chromium, driven by Playwright, and a tenant in which the guide was followed.

No browser is downloaded. Without a browser the tests are skipped; in CI (`CI=true`) they fail.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.emulator import signin
from tests.emulator.process import REPOSITORY, Emulator
from tests.emulator.tenant import Tenant
from tools.chromium import ARGUMENTS, NAMES, find_chromium

PICTURES = REPOSITORY / "test-output"
PATIENCE = 60_000  # milliseconds; guards against a hang only
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")  # it keeps an event loop running, in which no other module could start its own
def browser() -> Iterator[Browser]:
    chromium = find_chromium()
    if chromium is None:
        reason = f"there is no Chromium on PATH (looked for {', '.join(NAMES)})"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def tenant(process: Emulator) -> Tenant:
    """The guide followed: a property, Ada's value, a policy, assigned."""
    process.reset()
    tenant = Tenant(process)
    name = tenant.property()["name"]
    assert tenant.patch({name: "en,de"}).status == 204
    nameid = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"
    signin.assign(
        tenant,
        signin.claims(
            {"Source": "user", "ID": "userprincipalname", "SamlClaimType": nameid},
            {"Source": "user", "ID": "mail", "SamlClaimType": "email"},
            {"Source": "user", "ID": "displayname", "SamlClaimType": "full_name"},
            {"Source": "user", "ID": "assignedroles", "SamlClaimType": "roles"},
            {"Source": "user", "ExtensionID": name, "SamlClaimType": "languages.stringarray"},
        ),
    )
    return tenant


@pytest.fixture(params=["script", "no-script"])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """A window with JavaScript, then one without; any complaint of the browser fails the test."""
    context = browser.new_context(
        java_script_enabled=request.param == "script", viewport={"width": 1100, "height": 900}
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    complaints: list[str] = []
    # A refused sign-in answers 400, which the console repeats; that is not a complaint.
    page.on("console", lambda line: complaints.append(line.text) if "status of 4" not in line.text else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


@pytest.fixture
def scripted(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1100, "height": 900})
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    yield page
    context.close()
