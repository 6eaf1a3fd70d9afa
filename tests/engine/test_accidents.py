"""If this goes red, a lost answer or a refused write leaves something in the tenant for ever."""

from __future__ import annotations

import pytest

from tests.engine.stack import ADA, UP, Stack

pytestmark = pytest.mark.long

PROPERTY = ("POST", "/extensionProperties$")
VALUE = ("PATCH", "/users/")
POLICY = ("POST", "/policies/claimsMappingPolicies$")
LINK = ("POST", r"/claimsMappingPolicies/\$ref$")
WRITES = {"property": PROPERTY, "value": VALUE, "policy": POLICY, "link": LINK}


@pytest.mark.parametrize("write", WRITES)
def test_a_create_that_failed_after_its_write_leaves_nothing_after_destroy(stack: Stack, write: str) -> None:
    """The answer of the write is lost and the reads after it are refused, so the state has no object to be deleted."""
    method, path = WRITES[write]
    stack.emulator.fault("lose", method, path)
    refuse_to_show(stack, method, path)
    stack.refused(*UP)
    assert stack.emulator.export() != stack.tenant_before, "the write was carried out"
    stack.emulator.clear_faults()
    stack.assert_destroy_restores_the_tenant()


def refuse_to_show(stack: Stack, method: str, path: str) -> None:
    """Refuse the reads that would tell a client that its write was carried out."""
    read = {
        PROPERTY: ("GET", "/extensionProperties$"),
        VALUE: ("GET", "/users/"),
        POLICY: ("GET", "/policies/claimsMappingPolicies$"),
        LINK: ("GET", "/servicePrincipals/.*/claimsMappingPolicies$"),
    }[(method, path)]
    # Reads before the write must succeed: two through $batch (preflight, baseline), and those of the resource itself.
    reads_in_batches = 2
    reads_of_the_resource = {PROPERTY: 0, VALUE: 1, POLICY: 1, LINK: 1}[(method, path)]
    stack.emulator.fault("refuse", *read, skip=reads_in_batches + reads_of_the_resource, times=-1, status=403)


def test_lost_answers_alone_are_no_failure(stack: Stack) -> None:
    """The answer of every write of one `up` is lost; each time the client finds out that its write was carried out."""
    for method, path in WRITES.values():
        stack.emulator.fault("lose", method, path)
    stack.up()
    assert [fault["fired"] for fault in stack.emulator.faults()] == [1] * len(WRITES)
    export = stack.emulator.export()
    objects = [len(export[kind]) for kind in ("extensionProperties", "claimsMappingPolicies", "assignments")]
    assert objects == [1, 1, 1]
    stack.assert_unchanged()
    stack.assert_destroy_restores_the_tenant()


def test_two_updates_that_fail_in_a_row_leave_no_value_behind(base_stack: Stack) -> None:
    stack = base_stack
    stack.emulator.fault("refuse", "PATCH", "/users/", status=403, times=-1)
    for value in ("fr", "it"):
        stack.config["users"][ADA]["languages"] = value
        assert "User.ReadWrite.All" in stack.refused(*UP), "the missing permission is named"
    stack.emulator.clear_faults()
    stack.assert_destroy_restores_the_tenant()
