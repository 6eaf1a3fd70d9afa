"""If this goes red, the engine no longer keeps in state that Graph refused to create an extension property, and destroy
deletes one that somebody else made since. The sequences are in `tests/providers/test_refused_creations.py`."""

from __future__ import annotations

import json

import pytest

from tests.engine.request_log import requests_of, writes_in
from tests.engine.stack import UP, Stack

pytestmark = pytest.mark.long


def refuse_creation(stack: Stack) -> str:
    stack.emulator.fault("refuse", "POST", "/extensionProperties", status=403, times=-1)
    output = stack.refused(*UP)
    stack.emulator.clear_faults()
    return output


def test_the_record_of_a_refused_creation_is_replaced_by_the_property(stack: Stack) -> None:
    output = refuse_creation(stack)
    assert output.count("403") <= 3, "one line for each place in which the engine shows an error"
    assert "grant the identity in use Application.ReadWrite.OwnedBy" in output
    assert "extension_" in output
    record = stack.resources()["flex-languages"]
    assert record["id"].endswith("/not-created")

    steps = json.loads(stack.preview("--json").output)["steps"]
    assert "replace" in {step["op"] for step in steps if step["urn"].endswith("::flex-languages")}
    stack.refresh()
    refuse_creation(stack)
    assert stack.resources()["flex-languages"]["id"].endswith("/not-created")

    stack.up()
    assert stack.tenant().full("languages") in stack.tenant().properties()
    stack.assert_unchanged()
    stack.assert_destroy_restores_the_tenant()


def test_what_somebody_else_made_after_the_refusal_is_left_alone(stack: Stack) -> None:
    refuse_creation(stack)
    tenant = stack.tenant()
    made = tenant.make_property("languages")
    stack.emulator.fault("refuse", "POST", "/extensionProperties", status=403, times=-1)
    assert f"it exists already (id {made}) and this stack did not create it" in stack.refused(*UP)

    stack.emulator.clear_faults()
    assert stack.resources()["flex-languages"]["id"].endswith("/not-created")
    stack.emulator.clear()
    output = stack.destroy().output
    assert f"{tenant.full('languages')} is kept: Graph refused to create it for this stack" in output
    assert writes_in(requests_of(stack.emulator)) == []
    assert list(tenant.properties()) == [tenant.full("languages")]
