"""If this goes red, commands misread what a program declares that gives the arguments itself, or show what is secret."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from flexsaml.cli.declared import Declared
from flexsaml.cli.deployed import select_component
from flexsaml.declaration import Declaration, Secret, read_declaration
from flexsaml.errors import UserError
from flexsaml.findings import Finding
from tests.providers.process import packed

APP = "8f665974-86ab-5399-83f9-7492e2e5acec"
FULL = "extension_8f66597486ab539983f97492e2e5acec_areas"
ENCRYPTED = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x"}
CELLS = packed({"ada@contoso.example": '["a","b"]', "grace@contoso.example": "<null>"}, {})


def component(name: str, **changes: dict[str, Any]) -> list[dict[str, Any]]:
    """The resources of a component; `changes`: by kind."""
    kinds: dict[str, dict[str, Any]] = {
        "TenantBaseline": {"service_principal_id": f"id-of-{name}", "app_id": APP, "policy_name": "Claims"},
        "ExtensionProperty": {"name": "areas", "data_type": "String", "multi_valued": True, "full_name": FULL},
        "ClaimsMappingPolicy": {"claims": {"email": "user.mail", "areas": "extension.areas"}, "definition": ""},
        "UserValueBaseline": {"full_name": FULL, "data_type": "String", "multi_valued": True, "__cells": CELLS},
        "PolicyAssignment": {},
    }
    return [
        {
            "type": f"pulumi-python:dynamic/flexsaml:{kind}",
            "parent": f"urn:pulumi:dev::p::flexsaml:index:FlexSamlClaims::{name}",
            "inputs": {**inputs, **changes.get(kind, {})},
        }
        for kind, inputs in kinds.items()
    ]


OTHERS: list[dict[str, Any]] = [
    {"type": "pulumi:pulumi:Stack"},
    {"type": "aws:s3:Bucket", "parent": "urn::bucket", "inputs": {"claims": {}}},
]


def test_the_declaration_of_the_only_component() -> None:
    name, keys = select_component([*OTHERS, *component("flex")], "")
    declaration, findings = read_declaration(keys, read_file=lambda _: b"")
    assert (name, findings) == ("flex", [])
    assert declaration.service_principal == "id-of-flex"
    assert {key: str(data_type) for key, data_type in declaration.extensions.items()} == {"areas": "String[]"}
    assert declaration.users == {
        "ada@contoso.example": {"areas": '["a", "b"]'},
        "grace@contoso.example": {"areas": "<null>"},
    }
    assert sorted(declaration.claims) == ["areas", "email"]


@pytest.mark.parametrize("principal", ["other", "id-of-other"])
def test_one_of_several_components(principal: str) -> None:
    assert select_component([*component("flex"), *component("other")], principal)[0] == "other"


@pytest.mark.parametrize(
    ("resources", "principal", "words"),
    [
        (OTHERS, "", "the state has no component of flexsaml: run `pulumi up` first, or give --principal"),
        ([*component("flex"), *component("other")], "", "which component is meant?"),
        (component("flex"), "other", r"of one: flex \(id-of-flex\)$"),
    ],
)
def test_what_cannot_be_told_is_one_line(resources: list[dict[str, Any]], principal: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        select_component(resources, principal)


def test_before_the_first_up_the_principal_is_known_and_the_rest_is_not_called_wrong() -> None:
    name, keys = select_component(OTHERS, "Twilio Flex")
    declaration, findings = read_declaration(keys, read_file=lambda _: b"")
    assert (name, declaration.service_principal, findings) == ("", "Twilio Flex", [])
    assert declaration.encrypted == ("claims", "users")


@pytest.mark.parametrize(
    ("origin", "words"),
    [
        ("file", "claims is encrypted, and only the engine can read it; set it without --secret"),
        ("state", "claims is secret in the state, and only the engine can read it"),
        ("principal", "claims is given by the program, and the state has it from the first `pulumi up` on"),
    ],
)
def test_why_claims_are_not_known(origin: Literal["file", "state", "principal"], words: str) -> None:
    declared = Declared("place", "dev", Declaration(encrypted=("claims",)), (), origin)
    with pytest.raises(UserError, match=f"^place: {words}$"):
        _ = declared.claims


@pytest.mark.parametrize(
    ("origin", "place", "words"),
    [("file", "Pulumi.dev.yaml", "; see `python -m flexsaml lint Pulumi.dev.yaml`"), ("state", "the program", "")],
)
def test_what_a_program_gives_is_corrected_in_the_program(
    origin: Literal["file", "state"], place: str, words: str
) -> None:
    findings = (Finding("stack-file", "error", "cloud", "is none"),) * 2
    declared = Declared("Pulumi.dev.yaml", "dev", Declaration(), findings, origin)
    with pytest.raises(UserError, match=f"^Pulumi.dev.yaml: cloud: is none{words}$"):
        _ = declared.cloud
    assert declared.place == place


def test_what_is_secret_stays_unknown() -> None:
    resources = component("flex", UserValueBaseline={"__cells": ENCRYPTED}, ClaimsMappingPolicy={"claims": ENCRYPTED})
    _, keys = select_component(resources, "")
    assert keys["users"] == keys["claims"] == Secret.unknown()
    assert "v1:x" not in repr(keys)
