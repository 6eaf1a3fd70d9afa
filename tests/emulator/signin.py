"""Sign-ins at the emulated tenant: policies of the corpus put in force, responses asked for and read. A helper.

Reads responses with the standard library only and does not check their signatures; other tests do.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit
from xml.etree import ElementTree

from tests.emulator.browsing import FORM
from tests.emulator.process import Answer, Emulator
from tests.emulator.tenant import FLEX, FLEX_APP, USERS, Tenant

CORPUS = Path(__file__).parents[1] / "corpus" / "policies"
SAML = {"saml": "urn:oasis:names:tc:SAML:2.0:assertion", "samlp": "urn:oasis:names:tc:SAML:2.0:protocol"}


@dataclass(frozen=True)
class Assertion:
    """What a response says; attributes as (name, values, name form)."""

    name_id: str
    name_id_format: str
    attributes: list[tuple[str, list[str], str]]
    root: ElementTree.Element

    @property
    def values(self) -> dict[str, list[str]]:
        return {name: values for name, values, _ in self.attributes}


def ask(emulator: Emulator, user: str, principal: str = FLEX["appId"], **more: str) -> Answer:
    body = {"user": user, "principal": principal, **more}
    return emulator.request("POST", "/admin/sign-in", json.dumps(body).encode())


def issued(emulator: Emulator, user: str, **more: str) -> Assertion:
    answer = ask(emulator, user, **more)
    assert answer.status == 200, answer.content
    return read(answer.json["SAMLResponse"])


def deliver(emulator: Emulator, response: str, acs: str) -> Answer:
    """The answer of the sandbox's Flex."""
    url = urlsplit(acs)
    return emulator.request("POST", f"{url.path}?{url.query}", urlencode({"SAMLResponse": response}).encode(), FORM)


def read(encoded: str) -> Assertion:
    root = ElementTree.fromstring(base64.b64decode(encoded))  # noqa: S314 - the emulator's own
    name_id = root.find(".//saml:NameID", SAML)
    assert name_id is not None
    attributes = [
        (
            element.attrib["Name"],
            [value.text or "" for value in element.findall("saml:AttributeValue", SAML)],
            element.get("NameFormat", ""),
        )
        for element in root.findall(".//saml:Attribute", SAML)
    ]
    return Assertion(name_id.text or "", name_id.attrib["Format"], attributes, root)


def assign(tenant: Tenant, policy: Any) -> None:
    """Make a policy of this content and assign it to Twilio Flex."""
    answer = tenant.post_policy(json.dumps(policy))
    assert answer.status == 201, answer.content
    assert tenant.assign(answer.json["id"]).status == 204


def claims(*entries: dict[str, Any], basic: bool = False, **more: Any) -> dict[str, Any]:
    body = {"Version": 1, "IncludeBasicClaimSet": str(basic).lower(), "ClaimsSchema": list(entries), **more}
    return {"ClaimsMappingPolicy": body}


def prepare(tenant: Tenant, case: dict[str, Any]) -> None:
    """Put the tenant into the state that a file of tests/prediction/expected assumes."""
    setup = case.get("setup", {})
    text = (CORPUS / case["policy"]).read_text(encoding="utf-8")
    for old, new in setup.get("replace", {}).items():
        assert old in text, f"nothing to replace: {old}"
        text = text.replace(old, new)
    changes: dict[str, Any] = dict(setup.get("user", {}))
    for extension in setup.get("extensions", ()):
        made = tenant.property(extension["name"], dataType=extension["dataType"])
        changes[made["name"]] = extension["value"]
    if changes:
        answer = tenant.patch(changes, case["user"])
        assert answer.status == 204, answer.content
    roles = {role["value"]: role["id"] for role in FLEX_APP["appRoles"]}
    for role in setup.get("roles", ()):
        body = {"principalId": USERS[case["user"]]["id"], "resourceId": FLEX["id"], "appRoleId": roles[role]}
        answer = tenant.emulator.graph("POST", f"/servicePrincipals/{FLEX['id']}/appRoleAssignedTo", body)
        assert answer.status == 201, answer.content
    assign(tenant, json.loads(text))


def patch_principal(tenant: Tenant, **changes: Any) -> None:
    answer = tenant.emulator.graph("PATCH", f"/servicePrincipals/{quote(FLEX['id'])}", changes)
    assert answer.status == 204, answer.content
