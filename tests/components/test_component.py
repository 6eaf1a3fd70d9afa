"""If this goes red, Python programs build another stack than configuration would, names in state move, or a mistake
registers half of the children before it is reported."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pulumi
import pytest
from pulumi.runtime import mocks, set_all_config

from components import FlexSamlClaims, FlexSamlClaimsArgs, read_config
from flexsaml.graph import Directory
from flexsaml.values import unpack
from providers import Connection
from tests.emulator.process import Emulator
from tests.engine.stack import Tenant

ARGS: dict[str, Any] = {
    "service_principal": "Twilio Flex",
    "claims": {
        "nameid": "user.mail",
        "email": "user.mail",
        "full_name": "user.displayname",
        "roles": "user.assignedroles",
        "team": "extension.team",
    },
    "extensions": {"team": "String"},
    "users": {"Ada@contoso.example": {"team": "blue"}, "grace@contoso.example": {}},
}


class FakeEngine(mocks.Mocks):
    """Registers every resource."""

    def __init__(self) -> None:
        self.resources: dict[str, mocks.MockResourceArgs] = {}

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        self.resources[args.name] = args
        return f"{args.name}-id", args.inputs

    def call(self, args: mocks.MockCallArgs) -> Any:
        raise AssertionError(f"no function is called: {args.token}")


def directory(emulator: Emulator) -> Callable[[], Directory]:
    return Connection("loopback", graph_endpoint=emulator.http, login_endpoint=emulator.http).directory


def build(emulator: Emulator, **changes: Any) -> dict[str, mocks.MockResourceArgs]:
    engine = FakeEngine()
    mocks.set_mocks(engine, project="p", stack="s", preview=False)
    args = FlexSamlClaimsArgs(**{**ARGS, **changes})
    pulumi.runtime.test(lambda: FlexSamlClaims("flex", args, directory=directory(emulator)).policy_id)()
    return engine.resources


def test_children_are_named_by_what_a_person_wrote(emulator: Emulator) -> None:
    assert {name: resource.typ.rpartition(":")[2] for name, resource in build(emulator).items()} == {
        "flex": "FlexSamlClaims",
        "flex-tenant": "TenantBaseline",
        "flex-team": "ExtensionProperty",
        "flex-team-before": "UserValueBaseline",
        "flex-ada@contoso.example": "UserExtensionValue",
        "flex-policy": "ClaimsMappingPolicy",
        "flex-assignment": "PolicyAssignment",
    }


def test_order_is_wired_through_outputs(emulator: Emulator) -> None:
    made = build(emulator)
    assert made["flex-team"].inputs["baseline"] == "flex-tenant-id"
    assert made["flex-team-before"].inputs["extension"] == "flex-team-id"
    assert list(made["flex-ada@contoso.example"].inputs["extensions"].values()) == ["flex-team-id"]
    assert made["flex-assignment"].inputs["policy_id"] == "flex-policy-id"
    assert made["flex-policy"].inputs["display_name"] == "p-s flex SAML claims"
    assert made["flex-policy"].inputs["claims"] == dict(sorted(ARGS["claims"].items()))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"service_principal": "Nobody"}, "no enterprise application is called 'Nobody'"),
        ({"claims": {}}, "claims: there are none"),
        ({"users": {"ada@contoso.example": {"tea": "x"}}}, "did you mean 'team'?"),
        ({"rules": {"user-disabld": "off"}}, "did you mean 'user-disabled'?"),
        ({"rules": {"user-disabled": "loud"}}, "write one of error, warning, info, off"),
        ({"claims": {**ARGS["claims"], "a": "user.mial"}, "rules": {"id-unknown": "error"}}, "did you mean 'mail'?"),
        ({"rules": {"extension-absent": "off"}}, "cannot be changed"),
    ],
)
def test_a_mistake_is_reported_before_the_first_child(emulator: Emulator, changes: dict[str, Any], says: str) -> None:
    engine = FakeEngine()
    mocks.set_mocks(engine, project="p", stack="s", preview=False)
    args = FlexSamlClaimsArgs(**{**ARGS, **changes})
    with pytest.raises(pulumi.RunError, match="nothing of this component was changed") as refused:
        pulumi.runtime.test(lambda: FlexSamlClaims("flex", args, directory=directory(emulator)).policy_id)()
    assert says in str(refused.value)
    assert set(engine.resources) <= {"flex"}


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"flexsaml:tenantid": "x"}, "tenantid: unknown key; did you mean 'tenantId'?"),
        ({"p:servicePrincipal": "Flex", "p:other": "x"}, "p:servicePrincipal: belongs to flexsaml"),
    ],
)
def test_a_misplaced_key_of_the_configuration_is_reported(
    emulator: Emulator, config: dict[str, str], says: str
) -> None:
    mocks.set_mocks(FakeEngine(), project="p", stack="s", preview=False)
    set_all_config(config, [])

    def program() -> object:
        return FlexSamlClaims("flex", {**read_config(), **ARGS}, directory=directory(emulator)).policy_id

    with pytest.raises(pulumi.RunError) as refused:
        pulumi.runtime.test(program)()
    assert says in str(refused.value)


def test_two_components_of_one_principal_are_refused(emulator: Emulator) -> None:
    mocks.set_mocks(FakeEngine(), project="p", stack="s", preview=False)

    def program() -> object:
        FlexSamlClaims("flex", ARGS, directory=directory(emulator))
        return FlexSamlClaims("other", ARGS, directory=directory(emulator)).policy_id

    says = "components 'flex' and 'other' are both of 'Twilio Flex', which has one policy: declare it in one"
    with pytest.raises(pulumi.RunError, match=says):
        pulumi.runtime.test(program)()
    build(emulator)


@pytest.mark.parametrize("preflight", [True, False])
@pytest.mark.parametrize(("user", "is_refused"), [("ADA@contoso.example", True), ("linus@contoso.example", False)])
def test_two_components_with_a_value_of_the_same_user_are_refused(
    emulator: Emulator, user: str, preflight: bool, is_refused: bool
) -> None:
    """Of one application's extension, for two principals."""
    mocks.set_mocks(FakeEngine(), project="p", stack="s", preview=False)
    first = {**ARGS, "preflight": preflight}
    other = {
        **first,
        "service_principal": "Twilio Flex Staging",
        "application": Tenant(emulator).application["appId"],
        "users": {user: {"team": "red"}},
    }

    def program() -> object:
        FlexSamlClaims("flex", first, directory=directory(emulator))
        return FlexSamlClaims("other", other, directory=directory(emulator)).policy_id

    refused = pytest.raises(
        pulumi.RunError, match=rf"'flex' and 'other' both give {user} a value of extension_\w+_team"
    )
    with refused if is_refused else nullcontext():
        pulumi.runtime.test(program)()


def test_every_child_stands_below_the_component(emulator: Emulator) -> None:
    registered: dict[str, str] = {}

    engine = FakeEngine()
    mocks.set_mocks(engine, project="p", stack="s", preview=False)

    def program() -> object:
        flex = FlexSamlClaims("flex", FlexSamlClaimsArgs(**ARGS), directory=directory(emulator))
        for child in flex._childResources:
            child.urn.apply(lambda urn: registered.setdefault(urn.rpartition("::")[2], urn.split("::")[2]))
        return flex.policy_id

    pulumi.runtime.test(program)()
    assert set(registered) == set(engine.resources) - {"flex"}
    assert all("FlexSamlClaims$pulumi-python:dynamic/flexsaml:" in kind for kind in registered.values()), registered


def test_each_writer_gets_what_its_baselines_record(emulator: Emulator) -> None:
    """`FakeEngine` hands out the inputs of a baseline as its outputs: all is recorded."""
    resources = build(emulator)
    writer, extension, policy = (resources[f"flex-{name}"].inputs for name in ("ada@contoso.example", "team", "policy"))
    (full_name,) = writer["values"]
    record = writer["recorded"][full_name]
    assert (record["baseline"], record["unrecorded"]) == ("flex-team-before", [])
    assert unpack(record["ids"]) == {"ada@contoso.example": writer["user"][:8]}
    assert extension["recorded"] == {"baseline": "flex-tenant", "names": [full_name]}
    assert policy["recorded"] == {"baseline": "flex-tenant", "names": [policy["display_name"]]}
