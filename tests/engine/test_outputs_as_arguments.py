"""If this goes red, the component no longer takes what another resource of the same program produces: it fails, hides
resources in a preview, writes before it has looked at the tenant, or is destroyed in the wrong order."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.emulator.process import Emulator
from tests.engine.host import open_example
from tests.engine.request_log import requests_of, writes_in
from tests.engine.stack import UP, Stack, seed


@pytest.fixture
def host(emulator: Emulator, tmp_path: Path, wheel: Path) -> Stack:
    """`examples/application`."""
    seed(emulator)
    return open_example("application", emulator, tmp_path, wheel)


def replace_in_program(host: Stack, old: str, new: str) -> None:
    main = host.checkout.directory / "__main__.py"
    program = main.read_text(encoding="utf-8")
    assert old in program
    main.write_text(program.replace(old, new), encoding="utf-8")


def planned(output: str) -> dict[str, str]:
    """Resource name to what a preview announces."""
    return {step["urn"].rsplit("::", 1)[-1]: step["op"] for step in json.loads(output)["steps"]}


def test_a_principal_of_the_same_program(host: Stack) -> None:
    steps = planned(host.preview("--json").output)
    children = {
        "flex-tenant", "flex-team", "flex-team-before", "flex-ada@contoso.example", "flex-policy", "flex-assignment"
    }  # fmt: skip
    assert {name for name, op in steps.items() if op == "create"} >= {"application", "flex", *children}
    assert "not known before this run made it" in host.preview().output
    assert writes_in(requests_of(host.emulator)) == []

    host.up()
    tenant = host.emulator.export()
    (policy,) = tenant["claimsMappingPolicies"]
    assert policy["displayName"] == "Flex of this program claims"
    assert [link["policyId"] for link in tenant["assignments"]] == [policy["id"]]
    assert list(host.tenant().user("ada")["values"].values()) == ["red"]
    dependencies = host.resources()["flex-tenant"]["propertyDependencies"]["service_principal_id"]
    assert any(urn.endswith("::application") for urn in dependencies)
    assert "[secret]" not in json.dumps(host.resources()["flex-tenant"]["inputs"])

    host.assert_unchanged()
    host.refresh()
    host.assert_unchanged()
    host.assert_destroy_restores_the_tenant()


def test_a_principal_that_is_replaced(host: Stack) -> None:
    """The principal is given as a path, and a user's value as an Output."""
    path = 'application.principal_id.apply(lambda id_: f"/servicePrincipals/{id_}")'
    replace_in_program(host, "service_principal=application.principal_id", f"service_principal={path}")
    replace_in_program(host, '"red"', 'application.client_id.apply(lambda _: "red")')
    host.up()
    replace_in_program(host, "Flex of this program", "Another Flex")
    host.up()
    (policy,) = host.emulator.export()["claimsMappingPolicies"]
    assert policy["displayName"] == "Another Flex claims"
    assert list(host.tenant().user("ada")["values"].values()) == ["red"]
    host.assert_unchanged()
    host.assert_destroy_restores_the_tenant()


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("application.application_id", "is the object id of application 'Flex of this program'"),
        ('application.display_name.apply(lambda _: "")', "servicePrincipal: is missing"),
    ],
)
def test_an_output_that_names_no_principal_is_refused_before_the_first_write(
    host: Stack, argument: str, words: str
) -> None:
    replace_in_program(host, "service_principal=application.principal_id", f"service_principal={argument}")
    result = host.run(*UP)
    assert result.code != 0
    assert words in result.output
    assert "Traceback" not in result.output
    assert len(result.errors()) == 1
    assert host.emulator.export()["claimsMappingPolicies"] == []
    assert set(host.resources()) <= {"flex", "application", f"flex-application-{host.name}", "default", "default_1"}
    host.destroy()
