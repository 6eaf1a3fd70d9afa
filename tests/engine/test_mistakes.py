"""If this goes red, a mistake is found late, or the person at the terminal is not told what to do about it.

Each mistake stops in preview, with one line that names the key or object, and leaves tenant and state alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.emulator.process import SEED, Emulator
from tests.engine.stack import Config, Stack, new_stack


def put(*path: str, value: Any) -> Callable[[Config], None]:
    """Set a key of the configuration, below other keys."""

    def change(config: Config) -> None:
        inner = config
        for key in path[:-1]:
            inner = inner.setdefault(key, {})
        inner[path[-1]] = value

    return change


def drop(key: str) -> Callable[[Config], None]:
    return lambda config: config.pop(key)


ADA = "ada@contoso.example"
NOBODY = "00000000-0000-4000-8000-000000000000"
ABSENT = "extension_8f66597486ab539983f97492e2e5acec_Nothing"

MISTAKES: list[tuple[str, Callable[[Config], None], tuple[str, ...]]] = [
    # name, what was written, what the one line says
    ("missing key", drop("servicePrincipal"), ("missing configuration value", "flexsaml:servicePrincipal")),
    ("missing claims", drop("claims"), ("claims: there are none", "email: user.mail")),
    ("misspelt key", put("extensons", value={}), ("flexsaml: extensons: unknown key, did you mean 'extensions'?",)),
    ("ill-typed key", put("claims", value="mail"), ("flexsaml:claims", "object")),
    ("ill-typed flag", put("replaceExisting", value="perhaps"), ("flexsaml:replaceExisting",)),
    ("ill-typed number", put("allowRemoval", value="some"), ("flexsaml:allowRemoval",)),
    ("unknown cloud", put("cloud", value="moon"), ("flexsaml: cloud: 'moon' is none of public",)),
    ("bad claim", put("claims", "email", value="mail"), ("claim 'email': 'mail' is not a source", "user.mail")),
    ("undeclared extension", put("claims", "x", value="extension.language"), ("did you mean 'languages'?",)),
    (
        "unknown user",
        put("users", "adda@contoso.example", value={"languages": "x"}),
        ("no such user: adda@contoso.example", "correct the name or remove it"),
    ),
    (
        "unknown application",
        put("servicePrincipal", value="Twilio"),
        ("'Twilio'", "similar names: Twilio Flex, Twilio Flex Staging"),
    ),
    (
        "unknown appId",
        put("servicePrincipal", value=NOBODY),
        ("servicePrincipal: no enterprise application has the appId or object id '0000",),
    ),
    ("unknown owner", put("application", value=NOBODY), ("application: there is no application",)),
    ("owner by name", put("application", value="Twilio Flex"), ("application: 'Twilio Flex'", "appId")),
    (
        "illegal name",
        put("extensions", "lang-uages", value="String"),
        ("extensions.lang-uages: an extension name has letters",),
    ),
    (
        "unknown type",
        put("extensions", "languages", value="Text"),
        ("flexsaml: extensions.languages: data type 'Text' is not one of",),
    ),
    ("too long", put("users", ADA, "languages", value="x" * 257), (f"users.{ADA}.languages: has 257 characters",)),
    ("existing by wrong case", put("claims", "x", value=f"extension.{ABSENT}"), ("does not exist in this tenant",)),
]

TYPED = [
    # data type, value, what the line says
    ("Integer", 2147483648, "32-bit range"),
    ("Integer", "many", "whole number"),
    ("Boolean", "yes", "write true or false"),
    ("DateTime", "tomorrow", "ISO 8601"),
    ("Binary", "%", "base64"),
]


@pytest.fixture(scope="module")
def settled(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that is up, in a tenant that must not change any more."""
    with new_stack(emulator, tmp_path_factory.mktemp("mistakes")) as stack:
        stack.up()
        yield stack


def refused(stack: Stack, *said: str) -> str:
    """Preview must stop with one finding and change nothing; returns what was seen."""
    tenant, state = stack.emulator.export(), stack.state()["deployment"].get("resources")
    result = stack.run("preview")
    assert result.code != 0, result.output
    assert "Traceback" not in result.output
    lines = [line for line in result.output.splitlines() if all(part in line for part in said)]
    assert lines, f"no line says {said}:\n{result.output}"
    assert stack.emulator.export() == tenant
    assert stack.state()["deployment"].get("resources") == state
    return result.output


@pytest.mark.parametrize(("_name", "mistake", "said"), MISTAKES, ids=[one[0] for one in MISTAKES])
def test_a_mistake_stops_in_preview_with_one_line(
    settled: Stack, _name: str, mistake: Callable[[Config], None], said: tuple[str, ...]
) -> None:
    right = settled.config
    settled.config = {key: dict(value) if isinstance(value, dict) else value for key, value in right.items()}
    settled.config["users"] = {user: dict(values) for user, values in right["users"].items()}
    try:
        mistake(settled.config)
        refused(settled, *said)
    finally:
        settled.config = right


@pytest.mark.parametrize(("data_type", "value", "said"), TYPED)
def test_a_value_that_does_not_fit_its_type(settled: Stack, data_type: str, value: object, said: str) -> None:
    right = settled.config
    settled.config = {
        **right,
        "extensions": {**right["extensions"], "other": data_type},
        "users": {ADA: {"languages": "en,de", "other": value}},
    }
    try:
        refused(settled, f"users.{ADA}.other", said)
    finally:
        settled.config = right


def test_all_mistakes_come_in_one_report(settled: Stack) -> None:
    right = settled.config
    settled.config = {
        **right,
        "users": {f"nobody{number}@contoso.example": {"languages": "x"} for number in range(3)},
    }
    try:
        refused(settled, "no such user: nobody0@contoso.example, nobody1@contoso.example, nobody2@contoso.example")
        settled.config |= {"extensions": {"a-b": "String", "languages": "Txt"}, "users": {ADA: {"tongue": 1}}}
        seen = refused(settled, "extensions.a-b")
        assert "findings, nothing was changed" in seen
        assert "extensions.languages: data type 'Txt'" in seen
        assert f"users.{ADA}.tongue: extension 'tongue' is not declared" in seen
    finally:
        settled.config = right


def test_an_ambiguous_name_lists_the_candidates(stack: Stack) -> None:
    seed = stack.emulator.export()
    twin = next(one for one in seed["servicePrincipals"] if one["displayName"] == "Twilio Flex Staging")
    original = next(one for one in seed["servicePrincipals"] if one["displayName"] == "Twilio Flex")
    twin["displayName"] = "Twilio Flex"
    stack.emulator.seed({**seed, "clients": json.loads(SEED.read_text())["clients"]})
    output = refused(stack, "servicePrincipal: 2 enterprise applications are called 'Twilio Flex'")
    assert original["id"] in output
    assert twin["id"] in output


def test_a_property_that_exists_is_not_taken_over(stack: Stack) -> None:
    tenant = stack.tenant()
    tenant.make_property("languages")
    refused(stack, "extension property 'languages' exists already", "use its full name in place of 'languages'")
    stack.config["preflight"] = False
    before = stack.emulator.export()
    assert "exists already" in stack.run("up", "--yes", "--skip-preview").output
    assert stack.emulator.export() == before, "refused before the first write, also without preflight"
    full = tenant.full("languages")
    stack.config |= {"preflight": True, "extensions": {}, "users": {ADA: {full: "en"}}}
    stack.config["claims"]["languages.stringarray"] = f"extension.{full}"
    stack.up()
    assert tenant.value("ada") == "en"
    stack.unchanged()
    stack.destroy()
    assert stack.emulator.export() == before, "the property it only refers to is not deleted"


def test_a_policy_of_our_name_is_not_taken_over(stack: Stack) -> None:
    stack.tenant().make_policy("flexsaml-dev Flex SAML claims")
    refused(
        stack, "a claims mapping policy named 'flexsaml-dev Flex SAML claims' exists already", "flexsaml:policyName"
    )


def test_no_credential(stack: Stack) -> None:
    stack.config |= {"cloud": "public", "graphEndpoint": "", "loginEndpoint": ""}
    stack.identity = {"HOME": str(stack.room), "AZURE_CONFIG_DIR": str(stack.room)}
    refused(stack, "az login")


def test_a_wrong_tenant(stack: Stack) -> None:
    stack.config["tenantId"] = "elsewhere.example"
    refused(stack, "elsewhere.example", "tenant")


def test_a_wrong_secret(stack: Stack) -> None:
    stack.identity = {"AZURE_CLIENT_ID": "11111111-1111-4111-8111-111111111111", "AZURE_CLIENT_SECRET": "wrong"}
    seen = refused(stack, "secret")
    assert "wrong" not in seen.replace("wrong tenant", "").replace("is wrong", "")


def test_an_endpoint_that_is_not_there(stack: Stack) -> None:
    stack.config |= {"graphEndpoint": "http://127.0.0.1:9", "loginEndpoint": "http://127.0.0.1:9"}
    refused(stack, "127.0.0.1:9")


def test_an_endpoint_that_is_not_on_this_machine(stack: Stack) -> None:
    stack.config |= {"graphEndpoint": "http://graph.example"}
    refused(stack, "graph.example", "loopback")


def test_an_identity_that_may_not_write_is_told_which_permission_is_missing(stack: Stack) -> None:
    stack.identity = {"AZURE_CLIENT_ID": "22222222-2222-4222-8222-222222222222", "AZURE_CLIENT_SECRET": "sandbox"}
    stack.preview()
    before = stack.emulator.export()
    result = stack.run("up", "--yes", "--skip-preview")
    assert result.code != 0
    assert "Application.ReadWrite" in result.output
    assert stack.emulator.export() == before
