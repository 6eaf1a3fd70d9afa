"""If this goes red, a newcomer who opens the sandbox's pages cannot sign in, cannot see the result, or cannot read it.

A real browser, with and without JavaScript, with the keyboard alone, on a narrow screen. Pictures are kept in test-output/.
"""

from __future__ import annotations

import json
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PICTURES
from tests.emulator.process import TENANT
from tests.emulator.tenant import ADA, FLEX, Tenant, full_name

pytestmark = pytest.mark.browser

# Text whose colour is too near its background (WCAG AA: 4.5, large text 3), as "ratio: text".
LOW_CONTRAST = """() => {
  const channel = c => { c /= 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const read = text => text.match(/[\\d.]+/g).map(Number);
  const ground = e => {
    for (; e; e = e.parentElement) {
      const c = read(getComputedStyle(e).backgroundColor);
      if (c.length < 4 || c[3] > 0) return c;
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const e of document.body.querySelectorAll("*")) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || !e.getClientRects().length) continue;
    const style = getComputedStyle(e);
    const [a, b] = [light(read(style.color)), light(ground(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5)) faint.push(ratio.toFixed(2) + ": " + e.textContent.trim().slice(0, 40));
  }
  return faint;
}"""


def picture(page: Page, name: str) -> None:
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


def kept(page: Page) -> dict[str, object]:
    """The worker attributes on Flex's page."""
    attributes: dict[str, object] = json.loads(page.locator("#attributes").inner_text())
    return attributes


def test_a_newcomer_signs_in_sees_and_signs_in_again(
    tenant: Tenant, page: Page, request: pytest.FixtureRequest
) -> None:
    """From the page `make up` names to the worker's attributes; a value changed, and once more."""
    how = request.node.callspec.params["page"]
    page.goto(f"{tenant.emulator.http}/portal")
    picture(page, f"1-portal-{how}")
    page.get_by_role("link", name="Twilio Flex", exact=True).click()
    expect(page.get_by_text("This configuration was overwritten by a claim mapping policy")).to_be_visible()
    picture(page, f"2-claims-{how}")
    for number, value in enumerate(("en,de", "fr")):
        assert tenant.patch({full_name("languages"): value}).status == 204
        page.goto(f"{tenant.emulator.http}/portal/{FLEX['id']}")
        page.get_by_role("link", name="Sign in to Twilio Flex").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Pick an account")
        picture(page, f"3-accounts-{how}")
        page.get_by_role("button", name="Ada Lovelace").click()
        if how == "no-script":
            picture(page, f"4-issued-{how}")
            page.get_by_role("button", name="Continue to Twilio Flex").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(f"Signed in to Flex as {ADA}")
        row = page.get_by_role("row", name="languages.stringarray")
        expect(row).to_contain_text(value)
        assert kept(page)["languages"] == value.split(",")
        picture(page, f"5-signed-in-{number + 1}-{how}")
    page.get_by_role("link", name="All workers").click()
    expect(page.get_by_role("link", name=ADA)).to_be_visible()
    picture(page, f"6-flex-{how}")


def test_from_flex_and_with_an_account_that_is_typed(
    tenant: Tenant, page: Page, request: pytest.FixtureRequest
) -> None:
    page.goto(f"{tenant.emulator.http}/flex")
    page.get_by_role("link", name="Sign in with SSO (Twilio Flex)").click()
    page.get_by_label("Another account").fill("alan@contoso.example")
    page.get_by_role("button", name="Sign in", exact=True).click()
    if request.node.callspec.params["page"] == "no-script":
        page.get_by_role("button", name="Continue to Twilio Flex").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Signed in to Flex as alan@contoso.example")
    assert kept(page)["roles"] == ["admin"]


def test_a_refused_user_reads_why(tenant: Tenant, page: Page, request: pytest.FixtureRequest) -> None:
    how = request.node.callspec.params["page"]
    page.goto(f"{tenant.emulator.http}/{TENANT}/launch/{FLEX['appId']}")
    page.get_by_role("button", name="Nora Night").click()
    expect(page.get_by_role("alert")).to_contain_text("AADSTS50105")
    picture(page, f"7-refused-{how}")
    for policy in tenant.assigned():
        assert tenant.unassign(policy).status == 204
    page.goto(f"{tenant.emulator.http}/{TENANT}/launch/{FLEX['appId']}")
    page.get_by_role("button", name="Ada Lovelace").click()
    if how == "no-script":
        page.get_by_role("button", name="Continue to Twilio Flex").click()
    expect(page.get_by_role("alert")).to_contain_text("45050")
    picture(page, f"8-missing-{how}")


def test_the_keyboard_alone_is_enough(tenant: Tenant, scripted: Page) -> None:
    page = scripted

    def tab_to(name: str) -> None:
        """Press Tab until the focus is on the element of this name; the focus must be visible there."""
        for _ in range(60):
            page.keyboard.press("Tab")
            label = page.evaluate("document.activeElement.innerText.trim().split('\\n')[0]")
            if label.startswith(name):
                assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
                return
        pytest.fail(f"the Tab key never reaches '{name}'")

    page.goto(f"{tenant.emulator.http}/portal")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main"
    tab_to("Twilio Flex")
    page.keyboard.press("Enter")
    page.wait_for_url("**/portal/*")
    tab_to("Sign in to Twilio Flex")
    page.keyboard.press("Enter")
    page.wait_for_url("**/launch/*")
    tab_to("Ada Lovelace")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Signed in to Flex as {ADA}")
    tab_to("The SAML response")
    page.keyboard.press("Enter")
    expect(page.get_by_label("As it was posted")).to_be_visible()


@pytest.mark.parametrize(("width", "colors"), [(1100, "light"), (1100, "dark"), (360, "light")])
def test_every_page_is_readable_and_fits_its_width(
    tenant: Tenant, scripted: Page, width: int, colors: Literal["light", "dark"]
) -> None:
    page = scripted
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=colors)
    base = tenant.emulator.http
    launch = f"{base}/{TENANT}/launch/{FLEX['appId']}"

    def check_page(name: str) -> None:
        assert page.evaluate(LOW_CONTRAST) == [], name
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        if width == 360:
            picture(page, f"narrow-{name}")

    for name, address in [
        ("portal", "/portal"),
        ("claims", f"/portal/{FLEX['id']}"),
        ("flex", "/flex"),
        ("none", "/portal/0"),
    ]:
        page.goto(base + address)
        check_page(name)
    page.goto(launch)
    check_page("accounts")
    page.get_by_role("button", name="Ada Lovelace").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Signed in")
    check_page("signed-in")
