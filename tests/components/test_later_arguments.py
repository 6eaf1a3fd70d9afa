"""If this goes red, an argument that another resource produces gives other children than the same value written down,
or a misplaced one ends in a traceback."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
import pytest
from pulumi.runtime import mocks

from components import FlexSamlClaims
from components.args import as_keys
from components.later_arguments import replace_outputs
from flexsaml.declaration import parse_declaration
from tests.components.test_component import ARGS, FakeEngine, build, directory
from tests.emulator.process import Emulator
from tests.engine.stack import Tenant


def build_from(emulator: Emulator, args: Mapping[str, Any]) -> dict[str, Any]:
    engine = FakeEngine()
    mocks.set_mocks(engine, project="p", stack="s", preview=False)
    pulumi.runtime.test(lambda: FlexSamlClaims("flex", dict(args), directory=directory(emulator)).policy_id)()
    return {name: resource.inputs for name, resource in engine.resources.items()}


def later(value: Any) -> pulumi.Output[Any]:
    return pulumi.Output.from_input(value)


CONSTANT = {**ARGS["claims"], "site": {"value": "vienna"}}


@pytest.mark.parametrize(
    ("plain", "made_later"),
    [
        ({"service_principal": "Twilio Flex"}, lambda args: {"service_principal": later(args["service_principal"])}),
        ({"policy_name": "Claims"}, lambda args: {"policy_name": later(args["policy_name"])}),
        ({"claims": CONSTANT}, lambda _: {"claims": {**CONSTANT, "site": {"value": later("vienna")}}}),
    ],
    ids=["principal", "policy name", "constant"],
)
def test_the_children_are_those_of_the_plain_value(emulator: Emulator, plain: Any, made_later: Any) -> None:
    expected = build_from(emulator, {**ARGS, **plain})
    assert build_from(emulator, {**ARGS, **plain, **made_later({**ARGS, **plain})}) == expected


def test_a_policy_name_that_comes_to_nothing_is_the_default(emulator: Emulator) -> None:
    assert build_from(emulator, {**ARGS, "policy_name": later(None)}) == build_from(emulator, ARGS)


def test_the_application_may_come_later(emulator: Emulator) -> None:
    application = Tenant(emulator).application["id"]
    expected = build_from(emulator, {**ARGS, "application": application})
    assert build_from(emulator, {**ARGS, "application": later(f"/applications/{application}")}) == expected


def test_a_value_that_comes_later_is_treated_as_secret(emulator: Emulator) -> None:
    plain = build_from(emulator, ARGS)
    made = build_from(emulator, {**ARGS, "users": {"Ada@contoso.example": {"team": later("blue")}}})
    assert made.keys() == plain.keys()
    assert made["flex-ada@contoso.example"]["values"] == plain["flex-ada@contoso.example"]["values"]
    assert (plain["flex-team-before"]["hidden"], made["flex-team-before"]["hidden"]) == (False, True)


def test_a_mapping_has_the_names_of_the_arguments_or_of_the_keys(emulator: Emulator) -> None:
    expected = {name: resource.inputs for name, resource in build(emulator).items()}
    keys = {"servicePrincipal": ARGS["service_principal"], **{name: ARGS[name] for name in ARGS if "_" not in name}}
    assert build_from(emulator, ARGS) == build_from(emulator, keys) == expected


@pytest.mark.parametrize(
    ("changes", "paths"),
    [
        ({"claims": {"team": later("extension.team")}}, ["claims.team"]),
        ({"claims": later({})}, ["claims"]),
        ({"extensions": {"team": later("String")}}, ["extensions"]),
        ({"users": later({})}, ["users"]),
        ({"users": {"ada@contoso.example": later({})}}, ["users.ada@contoso.example"]),
        ({"users_file": later("agents.csv")}, ["usersFile"]),
        ({"definition": later("{}"), "replace_existing": later(True)}, ["definition", "replaceExisting"]),
        ({"allow_removal": later(3), "rules": {"id-unknown": later("off")}}, ["allowRemoval", "rules"]),
    ],
)
def test_an_output_where_children_depend_on_it_is_refused(
    emulator: Emulator, changes: dict[str, Any], paths: list[str]
) -> None:
    assert replace_outputs(as_keys({**ARGS, **changes}))[1] == paths
    with pytest.raises(pulumi.RunError) as refused:
        build_from(emulator, {**ARGS, **changes})
    for path in paths:
        assert f"{path}: is an Output, and which resources there are depends on it" in str(refused.value)


@pytest.mark.parametrize(
    ("principal", "read"),
    [
        ("/servicePrincipals/11111111-1111-4111-8111-111111111111", "11111111-1111-4111-8111-111111111111"),
        ("Twilio Flex", "Twilio Flex"),
    ],
)
def test_ids_of_other_providers_are_read(principal: str, read: str) -> None:
    keys = {"servicePrincipal": principal, "claims": {"email": "user.mail"}}
    assert parse_declaration(keys, read_file=lambda _: b"").service_principal == read


def test_the_path_of_an_application_is_no_principal(emulator: Emulator) -> None:
    with pytest.raises(pulumi.RunError, match="'/applications/1' is another object's path; give the service principal"):
        build_from(emulator, {**ARGS, "service_principal": "/applications/1"})
