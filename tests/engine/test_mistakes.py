"""If this goes red, a mistake is found late, or the person at the terminal is not told what to do about it.

Each mistake stops in preview, with one line that names the key or object, and leaves tenant and state alone. What each
line of the declaration's parser says is in tests/declaration; here it reaches the terminal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.emulator.process import ADMIN, PREVIEW
from tests.engine.stack import ADA, BASE, UP, Stack

NO_SERVER = "http://127.0.0.1:9"


def refused_preview(stack: Stack) -> str:
    """A preview that must fail and change nothing; returns its output."""
    tenant, resources = stack.emulator.export(), stack.resources()
    output = stack.refused("preview")
    assert stack.emulator.export() == tenant
    assert stack.resources() == resources
    return output


def missing_lines(output: str, expected: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The entries for which no line of the output holds all words."""
    lines = output.splitlines()
    return [words for words in expected if not any(all(word in line for word in words) for line in lines)]


def test_all_mistakes_of_a_declaration_come_in_one_report(base_stack: Stack) -> None:
    """Also in a stack that is up: nothing of it is changed."""
    stack = base_stack
    stack.config["claims"] |= {"email": "mail", "x": "extension.language"}
    types = {"level": "Integer", "active": "Boolean", "since": "DateTime", "key": "Binary"}
    stack.config["extensions"] |= {"lang-uages": "String", "other": "Text", **types}
    values = {"level": 2147483648, "active": "yes", "since": "tomorrow", "key": "%", "tongue": 1}
    stack.config["users"] = {ADA: {"languages": "x" * 257, **values}}
    expected = [
        ("findings, nothing of this component was changed",),
        ("claims.email: 'mail' is not a source", "user.mail"),
        ("did you mean 'languages'?",),
        ("extensions.lang-uages: an extension name has letters",),
        ("extensions.other: data type 'Text' is none of",),
        (f"users.{ADA}.languages: has 257 characters",),
        (f"users.{ADA}.level", "32-bit range"),
        (f"users.{ADA}.active", "write true or false"),
        (f"users.{ADA}.since", "ISO 8601"),
        (f"users.{ADA}.key", "base64"),
        (f"users.{ADA}.tongue: extension 'tongue' is not declared",),
    ]
    output = refused_preview(stack)
    assert missing_lines(output, expected) == [], output


ALONE: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
    # name, what was written (None: the key is left out), what the line says
    ("missing key", {"servicePrincipal": None}, ("servicePrincipal: is missing",)),
    ("no claims", {"claims": None}, ("claims: there are none", "email: user.mail")),
    ("misspelt key", {"extensons": {}}, ("flexsaml: extensons: unknown key", "did you mean 'extensions'?")),
    ("ill-typed key", {"claims": "mail"}, ("flexsaml: claims: must be a map",)),
    ("ill-typed flag", {"replaceExisting": "perhaps"}, ("flexsaml: replaceExisting: must be true or false",)),
    ("ill-typed number", {"allowRemoval": "some"}, ("flexsaml: allowRemoval: must be a whole number",)),
    ("unknown cloud", {"cloud": "moon"}, ("flexsaml: cloud: ", "'moon'", "public")),
    ("owner by name", {"application": "Twilio Flex"}, ("application 'Twilio Flex'", "appId")),
    ("unknown principal", {"servicePrincipal": "Twilio"}, ("'Twilio'", "similar names: ", "Twilio Flex Staging")),
    ("wrong tenant", {"tenantId": "elsewhere.example"}, ("elsewhere.example", "tenant")),
    ("no server", {"graphEndpoint": NO_SERVER, "loginEndpoint": NO_SERVER}, ("127.0.0.1:9",)),
    ("not on this machine", {"graphEndpoint": "http://graph.example"}, ("graph.example", "loopback")),
]  # fmt: skip


@pytest.mark.parametrize(("_name", "change", "words"), ALONE, ids=[name for name, _, _ in ALONE])
def test_a_mistake_that_stops_everything_is_one_line(
    stack: Stack, _name: str, change: dict[str, Any], words: tuple[str, ...]
) -> None:
    stack.config |= change
    stack.config = {key: value for key, value in stack.config.items() if value is not None}
    output = refused_preview(stack)
    assert missing_lines(output, [words]) == [], output


def test_unknown_users_are_one_line(stack: Stack) -> None:
    stack.config["users"] = {f"nobody{number}@contoso.example": {"languages": "x"} for number in range(3)}
    names = "nobody0@contoso.example, nobody1@contoso.example, nobody2@contoso.example"
    output = refused_preview(stack)
    assert missing_lines(output, [(f"no such user: {names}", "correct the name or remove it")]) == [], output


def test_what_exists_already_is_not_taken_over(stack: Stack) -> None:
    tenant = stack.tenant()
    tenant.make_policy("flexsaml-dev Flex SAML claims")
    tenant.make_property("languages")
    expected = [
        ("a claims mapping policy named 'flexsaml-dev Flex SAML claims' exists already", "flexsaml:policyName"),
        ("extension property 'languages' exists already", "use its full name in place of 'languages'"),
    ]
    output = refused_preview(stack)
    assert missing_lines(output, expected) == [], output
    stack.config["preflight"] = False
    before = stack.emulator.export()
    assert "exists already" in stack.refused(*UP)
    assert stack.emulator.export() == before, "refused before the first write, also without preflight"
    full_name = tenant.full("languages")
    stack.config |= {"preflight": True, "extensions": {}, "users": {ADA: {full_name: "en"}}, "policyName": "Another"}
    stack.config["claims"] = {**BASE["claims"], "languages.stringarray": f"extension.{full_name}"}
    stack.up()
    assert tenant.value("ada") == "en"
    stack.assert_unchanged()
    stack.destroy()
    assert stack.emulator.export() == before, "the property it only refers to is not deleted"


def test_no_credential(stack: Stack) -> None:
    stack.config |= {"cloud": "public", "graphEndpoint": "", "loginEndpoint": ""}
    stack.identity = {"HOME": str(stack.directory), "AZURE_CONFIG_DIR": str(stack.directory)}
    assert "python -m flexsaml setup" in refused_preview(stack)


def test_a_wrong_secret_is_not_shown(stack: Stack) -> None:
    stack.identity = {"FLEXSAML_SANDBOX_CLIENT": ADMIN, "FLEXSAML_SANDBOX_SECRET": "mistyped"}
    output = refused_preview(stack)
    assert "secret" in output
    assert "mistyped" not in output


def test_an_identity_that_may_not_write_is_told_which_permission_is_missing(stack: Stack) -> None:
    stack.identity = {"FLEXSAML_SANDBOX_CLIENT": PREVIEW, "FLEXSAML_SANDBOX_SECRET": "sandbox"}
    assert "Application.ReadWrite" in stack.refused(*UP)
    assert stack.emulator.export() == stack.tenant_before
