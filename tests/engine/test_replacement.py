"""If this goes red, renaming or retyping an extension loses values, or the policy is unassigned meanwhile."""

from __future__ import annotations

import pytest

from tests.engine.request_log import requests_of, writes_in
from tests.engine.stack import UP, Stack

pytestmark = pytest.mark.long


def test_renaming_an_extension(base_stack: Stack) -> None:
    stack = base_stack
    tenant = stack.tenant()
    policy = tenant.assigned()
    stack.config["extensions"] = {"tongues": "String"}
    stack.config["claims"]["languages.stringarray"] = "extension.tongues"
    stack.config["users"] = {"ada@contoso.example": {"tongues": "en,de"}}
    stack.up()
    assert tenant.assigned() == policy
    assert not [call for call in writes_in(requests_of(stack.emulator)) if "$ref" in call], (
        "the assignment is never touched"
    )
    assert list(tenant.properties()) == [tenant.full("tongues")]
    assert tenant.value("ada", "tongues") == "en,de"
    assert tenant.full("tongues") in tenant.policies()[0]["definition"][0]
    assert stack.emulator.export()["orphanedValues"] == [], "the old value was taken back before its property went"
    stack.assert_unchanged()
    stack.assert_destroy_restores_the_tenant()


def test_changing_the_data_type_of_an_extension(stack: Stack) -> None:
    stack.config["extensions"]["level"] = "String"
    stack.config["claims"]["level.int"] = "extension.level"
    stack.config["users"]["ada@contoso.example"]["level"] = "3"
    stack.up()
    tenant = stack.tenant()
    policies, assigned = tenant.policies(), tenant.assigned()
    stack.config["extensions"]["level"] = "Integer"
    shown = stack.preview("--diff").output
    assert "extension 'level' will be deleted and created again: sign-ins may miss its claims for minutes" in shown
    assert (
        "flexsaml:ExtensionProperty: (delete-replaced)" in shown
        or "+-pulumi-python:dynamic/flexsaml:ExtensionProperty" in shown
    )
    stack.emulator.clear()
    stack.up()
    assert tenant.value("ada", "level") == 3
    assert tenant.value("ada") == "en,de", "the other extension of the same user is left alone"
    assert (tenant.policies(), tenant.assigned()) == (policies, assigned)
    assert stack.emulator.export()["orphanedValues"] == []
    policy_writes = [call for call in writes_in(requests_of(stack.emulator)) if "olicies" in call]
    assert policy_writes == [], "neither policy nor assignment is written: the full name is the same"
    stack.assert_unchanged()
    stack.assert_destroy_restores_the_tenant()


def test_a_replacement_that_stops_half_way_goes_on(base_stack: Stack) -> None:
    stack = base_stack
    stack.config["extensions"] = {"languages": {"dataType": "String", "multiValued": True}}
    stack.config["users"] = {"ada@contoso.example": {"languages": ["en", "de"]}}
    stack.emulator.fault("refuse", "POST", "extensionProperties$", status=403, times=1)
    stack.refused(*UP)
    assert stack.tenant().properties() == {}
    stack.up()
    assert stack.tenant().value("ada") == ["en", "de"]
    stack.assert_unchanged()
    stack.assert_destroy_restores_the_tenant()


def test_moving_to_another_principal_takes_everything_along(base_stack: Stack) -> None:
    stack = base_stack
    stack.config["servicePrincipal"] = "Twilio Flex Staging"
    stack.up()
    after = stack.emulator.export()
    assert [user["values"] for user in after["users"] if user["values"]] == [
        {after["extensionProperties"][0]["name"]: "en,de"}
    ]
    assert len(after["extensionProperties"]) == len(after["claimsMappingPolicies"]) == len(after["assignments"]) == 1
    assert stack.tenant().assigned() == []
    stack.assert_unchanged()
    stack.assert_destroy_restores_the_tenant()


def test_renaming_the_policy_keeps_it(base_stack: Stack) -> None:
    stack = base_stack
    policy = stack.tenant().assigned()
    stack.config["policyName"] = "Another name"
    stack.up()
    assert stack.tenant().assigned() == policy
    assert stack.tenant().policies()[0]["displayName"] == "Another name"
    stack.assert_unchanged()
    stack.assert_destroy_restores_the_tenant()
