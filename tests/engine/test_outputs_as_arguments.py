"""If this goes red, the component no longer takes what another resource of the same program produces: it fails, hides
resources in a preview, writes before it has looked at the tenant, or is destroyed in the wrong order."""

from __future__ import annotations

import json

import pytest

from tests.engine.request_log import requests_of, writes_in
from tests.engine.stack import UP, Checkout, Stack

PROJECT_FILE = """
name: flexsaml
runtime: {name: python, options: {toolchain: pip, virtualenv: .venv}}
"""
PROGRAM = """
import os
import pulumi
from pulumi import dynamic
from components import FlexSamlClaims, FlexSamlClaimsArgs
from providers import Connection

def client():
    config = pulumi.Config("flexsaml")
    return Connection("loopback", graph_endpoint=os.environ["EMULATOR"], login_endpoint=os.environ["EMULATOR"]).directory()._client

class Provider(dynamic.ResourceProvider):
    serialize_as_secret_always = False
    def create(self, props):
        application = client().write("POST", "/applications", {"displayName": props["name"]})
        principal = client().write("POST", "/servicePrincipals", {"appId": application["appId"]})
        ids = {"object_id": application["id"], "client_id": application["appId"], "principal_id": principal["id"]}
        return dynamic.CreateResult(principal["id"], {**props, **ids})
    def diff(self, id_, olds, news):
        replaces = ["name"] if olds["name"] != news["name"] else []
        return dynamic.DiffResult(changes=bool(replaces), replaces=replaces, delete_before_replace=True)
    def delete(self, id_, props):
        client().write("DELETE", f"/servicePrincipals/{props['principal_id']}")
        client().write("DELETE", f"/applications/{props['object_id']}")

class EnterpriseApplication(dynamic.Resource, module="test", name="EnterpriseApplication"):
    def __init__(self, resource_name, name):
        super().__init__(Provider(), resource_name, {"name": name, "object_id": None, "client_id": None, "principal_id": None})

made = EnterpriseApplication("flex-application", os.environ.get("FLEX_NAME", "Flex of this run"))
flex = FlexSamlClaims("flex", {
    "service_principal": ARGUMENT,
    "policy_name": made.name.apply(lambda name: f"{name} claims"),
    "claims": {"nameid": "user.userprincipalname", "email": "user.mail", "full_name": "user.displayname",
               "roles": {"value": "agent"}, "team": "extension.team",
               "application_id": {"value": made.client_id}},
    "extensions": {"team": "String"},
    "users": {"ada@contoso.example": {"team": made.client_id.apply(lambda _: "red")}},
})
pulumi.export("policyId", flex.policy_id)
"""


@pytest.fixture
def host(stack: Stack) -> Stack:
    stack.config = {}
    stack.identity = {"EMULATOR": stack.emulator.http}
    project = stack.checkout.directory / "Pulumi.yaml"
    project.unlink()
    project.write_text(PROJECT_FILE, encoding="utf-8")
    write_program(stack.checkout, 'made.principal_id.apply(lambda id_: f"/servicePrincipals/{id_}")')
    return stack


def write_program(checkout: Checkout, argument: str) -> None:
    main = checkout.directory / "__main__.py"
    main.unlink(missing_ok=True)
    main.write_text(PROGRAM.replace("ARGUMENT", argument), encoding="utf-8")


def planned(output: str) -> dict[str, str]:
    """Resource name to what a preview announces."""
    return {step["urn"].rsplit("::", 1)[-1]: step["op"] for step in json.loads(output)["steps"]}


def test_a_principal_of_the_same_program(host: Stack) -> None:
    steps = planned(host.preview("--json").output)
    children = {
        "flex-tenant", "flex-team", "flex-team-before", "flex-ada@contoso.example", "flex-policy", "flex-assignment"
    }  # fmt: skip
    assert {name for name, op in steps.items() if op == "create"} >= {"flex-application", "flex", *children}
    assert "not known before this run made it" in host.preview().output
    assert writes_in(requests_of(host.emulator)) == []

    host.up()
    tenant = host.emulator.export()
    (policy,) = tenant["claimsMappingPolicies"]
    assert policy["displayName"] == "Flex of this run claims"
    assert [link["policyId"] for link in tenant["assignments"]] == [policy["id"]]
    assert list(host.tenant().user("ada")["values"].values()) == ["red"]
    dependencies = host.resources()["flex-tenant"]["propertyDependencies"]["service_principal_id"]
    assert any(urn.endswith("::flex-application") for urn in dependencies)
    assert "[secret]" not in json.dumps(host.resources()["flex-tenant"]["inputs"])

    host.assert_unchanged()
    host.refresh()
    host.assert_unchanged()
    host.assert_destroy_restores_the_tenant()


def test_a_principal_that_is_replaced(host: Stack) -> None:
    host.up()
    host.identity["FLEX_NAME"] = "Another Flex"
    host.up()
    (policy,) = host.emulator.export()["claimsMappingPolicies"]
    assert policy["displayName"] == "Another Flex claims"
    assert list(host.tenant().user("ada")["values"].values()) == ["red"]
    host.assert_unchanged()
    host.assert_destroy_restores_the_tenant()


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("made.object_id", "is the object id of application 'Flex of this run'"),
        ('made.name.apply(lambda _: "")', "servicePrincipal: is missing"),
    ],
)
def test_an_output_that_names_no_principal_is_refused_before_the_first_write(
    host: Stack, argument: str, words: str
) -> None:
    write_program(host.checkout, argument)
    result = host.run(*UP)
    assert result.code != 0
    assert words in result.output
    assert "Traceback" not in result.output
    assert len(result.errors()) == 1
    assert host.emulator.export()["claimsMappingPolicies"] == []
    assert set(host.resources()) <= {"flex", "flex-application", f"flexsaml-{host.name}", "default", "default_1"}
    host.destroy()
