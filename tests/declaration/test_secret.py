"""If this goes red, what somebody marked secret is shown in a message, or is not known to be secret when it is stored."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flexsaml.declaration import InvalidDeclaration, Secret, lint_declaration, parse_declaration
from tests.declaration.written import RIGHT, from_engine, lines, no_file, read

CLAIMS = RIGHT["claims"]
GUID = "00000000-0000-4000-8000-000000000000"


def test_a_secret_never_shows_its_content() -> None:
    secret = Secret("hush")
    assert "hush" not in f"{secret} {secret!r} {[secret]}"
    assert secret.reveal() == "hush"
    assert secret == Secret("hush") != Secret("hushed")
    with pytest.raises(ValueError, match="unknown"):
        Secret.unknown().reveal()


@pytest.mark.parametrize("key", ["claims", "users", "policyName", "replaceExisting", "rules", "servicePrincipal"])
def test_a_key_of_the_engine_is_secret_as_a_whole(key: str) -> None:
    written = {**RIGHT, "policyName": "hush", "replaceExisting": True, "rules": {"user-disabled": "off"}}
    declaration, findings = read(from_engine(written, secret=(key,)))
    assert findings == []
    assert declaration.secret_keys == {key}
    assert declaration.encrypted == ()
    plain, _ = read(from_engine(written))
    assert declaration.claims == plain.claims
    assert declaration.users == plain.users


def test_an_entry_of_a_python_program_makes_its_key_secret() -> None:
    written = {**RIGHT, "claims": {**CLAIMS, "site": {"value": Secret("vienna")}}}
    declaration = parse_declaration(written, read_file=no_file)
    assert declaration.secret_keys == {"claims"}
    assert declaration.claims["site"].to_short() == {"value": "vienna"}


def test_an_encrypted_entry_of_a_stack_file_is_unknown_and_the_rest_is_read() -> None:
    written = {
        **RIGHT,
        "claims": {**CLAIMS, "site": {"value": Secret.unknown()}},
        "users": {"ada@x": {"team": Secret.unknown()}, "bob@x": Secret.unknown(), "eve@x": {"team": "a"}},
        "policyName": Secret.unknown(),
    }
    declaration, findings = read(written)
    assert findings == []
    assert declaration.encrypted == ("claims.site.value", "policyName", "users.ada@x.team", "users.bob@x")
    assert declaration.users == {"ada@x": {}, "bob@x": {}, "eve@x": {"team": "a"}}
    assert "site" in declaration.claims
    assert lint_declaration(declaration) == []
    with pytest.raises(InvalidDeclaration, match="policyName: is encrypted, and only the engine can read it"):
        parse_declaration(written, read_file=no_file)


HIDDEN: list[tuple[dict[str, Any], str]] = [
    # what is secret, the finding
    ({"claims": {"email": "hushhush"}}, "claims.email: is not a claim; its content is secret and not shown"),
    ({"claims": {"email": "extension.hushhush"}}, "claims.email: extension [secret] is not declared"),
    ({"replaceExisting": "hushhush"}, "replaceExisting: must be true or false, not [secret]"),
    ({"allowRemoval": "hushhush"}, "allowRemoval: must be a whole number, not [secret]"),
    ({"rules": {"user-disabled": "hushhush"}}, "rules.user-disabled: [secret] is not a level"),
    ({"cloud": "hushhush"}, "cloud: '[secret]' is not one of"),
    ({"usersFile": "hushhush"}, "usersFile: cannot read the roster: No such file"),
    ({"users": {"ada@x": {"team": ["hushhush"]}}}, "users.ada@x.team: is a String"),
]


@pytest.mark.parametrize(("wrong", "line"), HIDDEN)
def test_a_finding_does_not_show_a_secret(wrong: dict[str, Any], line: str) -> None:
    _, findings = read(from_engine({**RIGHT, **wrong}, secret=tuple(wrong)))
    assert lines(findings)[0].startswith(line), findings
    assert "hush" not in str(findings)


def test_a_finding_of_lint_does_not_show_a_secret_of_a_python_program() -> None:
    declaration, _ = read({**RIGHT, "claims": {**CLAIMS, "level.int": {"value": Secret("hushhush")}}})
    (finding,) = lint_declaration(declaration)
    assert finding.rule == "typed-value"
    assert "hush" not in str(finding)


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("application", GUID, "application: cannot be secret: its content becomes part of names and ids in the state"),
        ("extensions", {"team": "String"}, "extensions: cannot be secret"),
        ("servicePrincipal", GUID, "servicePrincipal: cannot be a secret id"),
    ],
)
def test_what_cannot_be_encrypted_is_refused_instead_of_stored_in_clear(key: str, value: object, line: str) -> None:
    _, findings = read(from_engine({**RIGHT, key: value}, secret=(key,)))
    (finding,) = lines(findings)
    assert finding.startswith(line)
    assert GUID not in finding


def test_json_text_that_is_secret_is_read_like_a_map() -> None:
    """`pulumi config set --secret flexsaml:users '{…}'`."""
    declaration, findings = read({**RIGHT, "users": Secret(json.dumps({"ada@x": {"team": "hush"}}))})
    assert findings == []
    assert declaration.users == {"ada@x": {"team": "hush"}}
    assert "hush" not in repr(declaration)
