"""If this goes red, a slip in the stack file is taken silently, is told without its key, or is told one at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pulumi
import pytest
from pulumi.runtime import config as stack
from pulumi.runtime import mocks

from components import FlexSamlClaimsArgs, InvalidDeclaration, from_config
from components.settings import declare

RIGHT: dict[str, Any] = {
    "servicePrincipal": "Twilio Flex",
    "claims": {"email": "user.mail", "team": "extension.team"},
    "extensions": {"team": "String"},
    "users": {"ada@contoso.example": {"team": "blue"}},
}


class NoEngine(mocks.Mocks):
    """Only the names of project and stack are asked for."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        raise AssertionError(args.name)

    def call(self, args: mocks.MockCallArgs) -> Any:
        raise AssertionError(args.token)


@pytest.fixture(autouse=True)
def _no_configuration_left() -> Iterator[None]:
    mocks.set_mocks(NoEngine(), project="flexsaml", stack="dev", preview=True)
    yield
    stack.set_all_config({}, [])


def args(written: dict[str, Any]) -> FlexSamlClaimsArgs:
    """As the engine hands the stack file over: every value as text, maps as JSON."""
    texts = {
        f"flexsaml:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in written.items()
    }
    stack.set_all_config(texts, [])
    return from_config(pulumi.Config("flexsaml"))


CONFIG_MISTAKES: list[tuple[dict[str, Any], str]] = [
    # what is written, the one line
    ({"extensons": {}}, "extensons: unknown key, did you mean 'extensions'?"),
    ({"serviceprincipal": "x"}, "serviceprincipal: unknown key, did you mean 'servicePrincipal'?"),
    ({"zzz": "x"}, "zzz: unknown key (there are: servicePrincipal, application"),
    ({"claims": "user.mail"}, "claims: write a map, not str"),
    ({"claims": ["user.mail"]}, "claims: write a map, not list"),
    ({"extensions": "team"}, "extensions: write a map, not str"),
    ({"users": "123"}, "users: write a map, not int"),
    ({"rules": "off"}, "rules: write a map, not str"),
    ({"includeBasicClaimSet": "yes"}, "includeBasicClaimSet: write true or false, not 'yes'"),
    ({"replaceExisting": "1"}, "replaceExisting: write true or false, not '1'"),
    ({"preflight": "off"}, "preflight: write true or false, not 'off'"),
    ({"allowRemoval": "-1"}, "allowRemoval: '-1' is no whole number"),
    ({"allowRemoval": "many"}, "allowRemoval: 'many' is no whole number"),
    ({"cloud": "moon"}, "cloud: 'moon' is none of public, usgov"),
]


@pytest.mark.parametrize(("wrong", "line"), CONFIG_MISTAKES)
def test_a_mistake_in_configuration_names_its_key(wrong: dict[str, Any], line: str) -> None:
    with pytest.raises(InvalidDeclaration) as found:
        args({**RIGHT, **wrong})
    (problem,) = found.value.problems
    assert problem.startswith(line)
    assert "\n" not in problem


def test_all_of_them_come_at_once() -> None:
    every = {key: value for wrong, _ in CONFIG_MISTAKES for key, value in wrong.items()}
    with pytest.raises(InvalidDeclaration) as found:
        args({**RIGHT, **every})
    assert sorted({problem.partition(":")[0] for problem in found.value.problems}) == sorted(every)


DECLARED_MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"extensions": {"team": {"dataType": "String", "multiValued": "yes"}}}, "extensions.team: multiValued is true or"),
    ({"extensions": {"team": {"dataType": "String", "multiValued": 1}}}, "extensions.team: multiValued is true or"),
    ({"extensions": {"team": None}}, "extensions.team: write a data type"),
    ({"extensions": {"team": "text"}}, "extensions.team: data type 'text' is not one of"),
    ({"extensions": {"team": "String", "te am": "String"}}, "extensions.te am: an extension name has letters"),
    ({"users": {"ada@x": {"team": True}}}, "users.ada@x.team: is a String: write text in quotes"),
    ({"users": {"ada@x": {"team": {"a": 1}}}}, "users.ada@x.team: is a String"),
    ({"users": {"ada@x": {"team": "x" * 257}}}, "users.ada@x.team: has 257 characters"),
    ({"users": {"ada@x": None}}, "users.ada@x: write a map of extension to value"),
    ({"claims": {"team": "extension.team", "x": None}}, "claims: claim 'x'"),
    ({"claims": {"team": "extension.team", "x": {"sorce": "user"}}}, "claims: claim 'x': unknown key 'sorce'"),
    ({"claims": {"team": "extension.tema"}}, "claims: extension 'tema' is not declared, did you mean 'team'?"),
]


@pytest.mark.parametrize(("wrong", "line"), DECLARED_MISTAKES)
def test_a_mistake_in_the_declaration_names_its_key(wrong: dict[str, Any], line: str) -> None:
    with pytest.raises(InvalidDeclaration) as found:
        declare(args({**RIGHT, **wrong}), "default")
    (problem,) = found.value.problems
    assert problem.startswith(line), problem
    assert "blue" not in problem


def test_what_is_right_arrives_whole() -> None:
    written = {
        **RIGHT,
        "extensions": {"team": {"dataType": "String", "multiValued": True}},
        "users": {"ada@contoso.example": {"team": ["a", "b"]}, "grace@contoso.example": {"team": None}},
        "allowRemoval": 12,
        "preflight": False,
        "rules": {"user-disabled": "error"},
    }
    made = args(written)
    assert (made.allow_removal, made.preflight, made.users_secret) == (12, False, False)
    assert made.policy_name == "flexsaml-dev Flex SAML claims"
    wanted = declare(made, "default")
    assert str(wanted.extensions["team"]) == "String[]"
    assert wanted.users == written["users"]


def test_a_secret_among_the_users_makes_all_values_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_SECRET_KEYS", json.dumps(["flexsaml:users"]))  # as the language host does
    assert args(RIGHT).users_secret is True
