"""If this goes red, `pulumi up --target` or `--exclude` loses what a person held before, or does not say what to add to
the command. All subsets of a stack run in `tests/providers/test_partial_runs.py`; this shows that the engine is as
that test models it."""

from __future__ import annotations

import re

import pytest

from tests.engine.request_log import requests_of, writes_in
from tests.engine.stack import ADA, UP, Stack

pytestmark = pytest.mark.long

GRACE = "grace@contoso.example"
WRITER, ROSTER = f"**::flex-{ADA}", "**::flex-roster"


@pytest.fixture
def team(base_stack: Stack) -> str:
    """An administrator's extension, in which Ada and Grace hold values; the stack has written none yet."""
    tenant = base_stack.tenant()
    tenant.make_property("team")
    tenant.write("ada", "old", "team")
    tenant.write("grace", "older", "team")
    base_stack.tenant_before = without_stack(base_stack)
    return tenant.full("team")


def without_stack(stack: Stack) -> dict[str, object]:
    """The tenant as destroy must leave it."""
    tenant, before = stack.tenant(), dict(stack.tenant_before)
    row = tenant.properties()[tenant.full("team")]
    before["extensionProperties"] = [*before["extensionProperties"], row]
    values = {"ada": {tenant.full("team"): "old"}, "grace": {tenant.full("team"): "older"}}
    before["users"] = [
        {**user, "values": {**user["values"], **values.get(user["userPrincipalName"].partition("@")[0], {})}}
        for user in before["users"]
    ]
    return before


def refusal(output: str) -> str:
    """The one line of the writer."""
    lines = [line.strip() for line in output.splitlines() if "the baseline in state does not record this" in line]
    assert lines, output
    return lines[0]


def live(stack: Stack) -> list[object]:
    return [stack.tenant().value(user, "team") for user in ("ada", "grace")]


def finish(stack: Stack, ada: str, grace: str) -> None:
    """A full `up`, then destroy: the tenant is as before."""
    stack.up()
    assert live(stack) == [ada, grace]
    stack.assert_unchanged()
    stack.assert_destroy_restores_the_tenant()


def test_a_user_as_the_only_target(base_stack: Stack, team: str) -> None:
    stack = base_stack
    stack.config["users"] = {ADA: {"languages": "en,de", team: "red"}}
    baseline = f"**::flex-{team}-before"
    stack.ok(*UP, "--target", baseline)
    stack.config["users"][ADA][team] = "blue"
    stack.emulator.clear()
    for command in (("preview",), UP):
        line = refusal(stack.refused(*command, "--target", WRITER))
        assert f"add --target '{baseline}' to the command, or drop --exclude" in line
    assert writes_in(requests_of(stack.emulator)) == []
    stack.ok(*UP, "--target", WRITER, "--target", *re.findall(r"--target '([^']+)'", line))
    assert live(stack) == ["blue", "older"]
    finish(stack, "blue", "older")


def test_a_baseline_that_is_excluded(base_stack: Stack, team: str) -> None:
    stack, baseline = base_stack, f"**::flex-{team}-before"
    stack.config["users"] = {ADA: {team: "red"}}
    stack.up()
    stack.config["users"] = {ADA: {team: "blue"}}
    assert f"'{baseline}'" in refusal(stack.refused(*UP, "--exclude", baseline))
    assert live(stack) == ["red", "older"]
    finish(stack, "blue", "older")


def test_a_user_who_is_new(base_stack: Stack, team: str) -> None:
    stack, baseline = base_stack, f"**::flex-{team}-before"
    stack.config["users"] = {ADA: {team: "red"}}
    stack.up()
    stack.config["users"] = {ADA: {team: "red"}, GRACE: {team: "green"}}
    assert f"'{baseline}'" in refusal(stack.refused(*UP, "--target", f"**::flex-{GRACE}"))
    assert live(stack) == ["red", "older"]
    finish(stack, "red", "green")


def test_a_roster_as_the_only_target(base_stack: Stack, team: str) -> None:
    stack, baseline = base_stack, f"**::flex-{team}-before"
    stack.config["users"] = {}
    stack.config["usersFile"] = "agents.csv"
    stack.checkout.write_roster(f"user,{team}\n{ADA},red\n")
    stack.up()
    stack.checkout.write_roster(f"user,{team}\n{ADA},red\n{GRACE},green\n")
    line = refusal(stack.refused(*UP, "--target", ROSTER))
    assert f"agents.csv, 1 user ({GRACE}): " in line
    assert f"add --target '{baseline}' to the command" in line
    stack.ok(*UP, "--target", ROSTER, "--target", baseline)
    assert live(stack) == ["red", "green"]
    finish(stack, "red", "green")


def test_users_who_leave_as_the_only_targets(base_stack: Stack, team: str) -> None:
    """Writers restore nothing: their values stay until the baseline runs."""
    stack = base_stack
    stack.config["users"] = {ADA: {team: "red"}, GRACE: {team: "green"}}
    stack.up()
    stack.config["users"] = {GRACE: {team: "green"}}
    stack.ok(*UP, "--target", WRITER)
    assert live(stack) == ["red", "green"]
    finish(stack, "old", "green")


def test_an_extension_and_a_policy_that_the_tenant_baseline_does_not_list(base_stack: Stack) -> None:
    """The next full `up` would take them for somebody else's."""
    stack = base_stack
    stack.config["extensions"] = {"languages": "String", "skills": "String"}
    stack.config["policyName"] = "another name"
    for target in ("**::flex-skills", "**::flex-policy"):
        assert "add --target '**::flex-tenant' to the command" in refusal(stack.refused(*UP, "--target", target))
    stack.ok(*UP, "--target", "**::flex-skills", "--target", "**::flex-tenant")
    stack.up()
    stack.assert_unchanged()
    stack.assert_destroy_restores_the_tenant()


def test_the_first_run_needs_what_a_target_depends_on(stack: Stack) -> None:
    """Nothing of it was made, so the engine itself refuses."""
    assert "was not specified in --target" in stack.refused(*UP, "--target", WRITER)
    assert stack.emulator.export() == stack.tenant_before
