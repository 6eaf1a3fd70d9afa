"""If this goes red, a lost answer, a refused write or a killed run leaves something in the tenant for ever."""

from __future__ import annotations

import pytest

from tests.engine.stack import Stack

PROPERTY = ("POST", "/extensionProperties$")
VALUE = ("PATCH", "/users/")
POLICY = ("POST", "/policies/claimsMappingPolicies$")
LINK = ("POST", r"/claimsMappingPolicies/\$ref$")
WRITES = {"property": PROPERTY, "value": VALUE, "policy": POLICY, "link": LINK}


@pytest.mark.parametrize("write", WRITES)
def test_a_create_that_failed_after_its_write_leaves_nothing_after_destroy(stack: Stack, write: str) -> None:
    """The answer is lost, then nothing can be read any more; the engine knows of no object, so nobody deletes it."""
    before = stack.emulator.export()
    method, path = WRITES[write]
    stack.emulator.fault("lose", method, path)
    everything_after(stack, method, path)
    assert stack.run("up", "--yes", "--skip-preview").code != 0
    assert stack.emulator.export() != before, "the write was carried out"
    stack.emulator.clear_faults()
    stack.destroy()
    assert stack.emulator.export() == before


def everything_after(stack: Stack, method: str, path: str) -> None:
    """Refuse the looks that would tell a client that its write was carried out."""
    look = {
        PROPERTY: ("GET", "/extensionProperties$"),
        VALUE: ("GET", "/users/"),
        POLICY: ("GET", "/policies/claimsMappingPolicies$"),
        LINK: ("GET", "/servicePrincipals/.*/claimsMappingPolicies$"),
    }[(method, path)]
    # The looks before the write pass: those of preflight and baseline go through $batch, the resource's own do not.
    own = {PROPERTY: 0, VALUE: 1, POLICY: 1, LINK: 1}[(method, path)]
    in_batches = {PROPERTY: 2, VALUE: 2, POLICY: 2, LINK: 2}[(method, path)]
    stack.emulator.fault("refuse", *look, skip=own + in_batches, times=-1, status=403)


@pytest.mark.parametrize("write", WRITES)
def test_a_lost_answer_alone_is_no_failure(stack: Stack, write: str) -> None:
    before = stack.emulator.export()
    stack.emulator.fault("lose", *WRITES[write])
    stack.up()
    made = stack.emulator.export()
    assert (len(made["extensionProperties"]), len(made["claimsMappingPolicies"]), len(made["assignments"])) == (1, 1, 1)
    stack.unchanged()
    stack.destroy()
    assert stack.emulator.export() == before


UP = ("up", "--yes", "--skip-preview")
DESTROY = ("destroy", "--yes", "--skip-preview")


@pytest.mark.parametrize("write", WRITES)
def test_killed_at_each_write_of_up(stack: Stack, write: str) -> None:
    before = stack.emulator.export()
    method, path = WRITES[write]
    stack.kill_at(UP, method=method, path=path)
    stack.ok("cancel", "--yes")
    stack.up()
    stack.unchanged()
    stack.destroy()
    assert stack.emulator.export() == before


@pytest.mark.parametrize("write", WRITES)
def test_killed_at_each_write_of_up_then_destroyed_at_once(stack: Stack, write: str) -> None:
    before = stack.emulator.export()
    method, path = WRITES[write]
    stack.kill_at(UP, method=method, path=path)
    stack.ok("cancel", "--yes")
    stack.destroy()
    assert stack.emulator.export() == before


@pytest.mark.parametrize(
    ("method", "path", "skip"),
    [
        ("DELETE", r"/\$ref$", 0),
        ("DELETE", "/policies/claimsMappingPolicies/", 0),
        ("POST", r"^/\$batch$", 1),  # the first reads, the second writes the priors
        ("DELETE", "/extensionProperties/", 0),
    ],
)
def test_killed_at_each_write_of_destroy(stack: Stack, method: str, path: str, skip: int) -> None:
    before = stack.emulator.export()
    stack.up()
    stack.kill_at(DESTROY, method=method, path=path, skip=skip)
    stack.ok("cancel", "--yes")
    stack.destroy()
    assert stack.emulator.export() == before


@pytest.mark.parametrize("write", [("PATCH", "/users/"), ("PATCH", "/policies/")], ids=["value", "policy"])
def test_killed_at_each_write_of_an_update(stack: Stack, write: tuple[str, str]) -> None:
    before = stack.emulator.export()
    stack.up()
    stack.config["users"]["ada@contoso.example"]["languages"] = "fr"
    stack.config["claims"]["email"] = "user.othermail"
    stack.kill_at(UP, method=write[0], path=write[1])
    stack.ok("cancel", "--yes")
    stack.config["users"]["ada@contoso.example"]["languages"] = "it"
    stack.up()
    assert stack.tenant().value("ada") == "it"
    stack.unchanged()
    stack.destroy()
    assert stack.emulator.export() == before


def test_two_updates_that_fail_in_a_row_leave_no_value_behind(stack: Stack) -> None:
    before = stack.emulator.export()
    stack.up()
    stack.emulator.fault("refuse", "PATCH", "/users/", status=403, times=-1)
    for value in ("fr", "it"):
        stack.config["users"]["ada@contoso.example"]["languages"] = value
        refused = stack.run(*UP)
        assert refused.code != 0
        assert "User.ReadWrite.All" in refused.output, "the missing permission is named"
    stack.emulator.clear_faults()
    stack.destroy()
    assert stack.emulator.export() == before
