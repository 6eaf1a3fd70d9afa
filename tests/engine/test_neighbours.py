"""If this goes red, two stacks, or a stack and an administrator, undo each other's work on the same application."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.engine.kills import Moment, kill_at
from tests.engine.stack import ADA, BASE, UP, Stack

pytestmark = pytest.mark.long


def second(stack: Stack) -> Stack:
    """Another stack of the same project in the same tenant."""
    other = stack.second_stack("second")
    other.config |= {
        "extensions": {"team": "String"},
        "claims": {**BASE["claims"], "team": "extension.team", "languages.stringarray": "user.city"},
        "users": {ADA: {"team": "blue"}},
    }
    other.init()
    return other


def test_two_stacks_on_one_principal(base_stack: Stack) -> None:
    stack = base_stack
    first = stack.tenant().assigned()
    other = second(stack)
    for replaces in (False, True):
        other.config["replaceExisting"] = replaces
        refusal = other.refused("preview")
        assert "'flexsaml-dev Flex SAML claims'" in refusal, "the other stack's policy is named"
        assert "if another stack did, destroy that one first" in refusal
    other.refused(*UP)
    other.destroy()
    assert stack.tenant().assigned() == first
    stack.assert_unchanged()
    stack.assert_destroy_restores_the_tenant()


def test_two_stacks_on_one_application(base_stack: Stack) -> None:
    """The second is for another principal and keeps its extensions on the first one's application."""
    stack = base_stack
    other = second(stack)
    other.config |= {"servicePrincipal": "Twilio Flex Staging", "application": stack.tenant().application["appId"]}
    other.up()
    assert set(stack.tenant().properties()) == {stack.tenant().full("languages"), stack.tenant().full("team")}
    stack.assert_unchanged()
    stack.destroy()
    other.assert_unchanged()
    assert stack.tenant().value("ada", "team") == "blue"
    other.destroy()
    assert stack.emulator.export() == stack.tenant_before


def test_a_principal_that_was_recreated(base_stack: Stack) -> None:
    """Deleted and made anew it has another id and no assignment; the stack follows it."""
    stack, tenant = base_stack, base_stack.tenant()
    tenant.do("DELETE", f"/servicePrincipals/{tenant.principal['id']}")
    tenant.do("POST", "/servicePrincipals", {"appId": tenant.principal["appId"]})
    stack.refresh()
    stack.up()
    assert len(stack.tenant().assigned()) == 1
    assert stack.tenant().value("ada") == "en,de"
    stack.assert_unchanged()
    stack.destroy()
    assert stack.tenant().policies() == []
    assert stack.tenant().properties() == {}
    assert stack.tenant().value("ada") is None


def test_killed_between_removing_the_displaced_assignment_and_its_own(stack: Stack) -> None:
    tenant = stack.tenant()
    displaced = tenant.make_policy("by hand")
    tenant.assign(displaced)
    before = stack.emulator.export()
    stack.config["replaceExisting"] = True
    kill_at(stack, UP, Moment("DELETE", r"/\$ref$"))
    assert tenant.assigned() == []
    stack.destroy()
    assert stack.emulator.export() == before, "the displaced policy is assigned again"


def test_a_displaced_policy_that_is_gone_by_then(stack: Stack) -> None:
    tenant = stack.tenant()
    displaced = tenant.make_policy("by hand")
    tenant.assign(displaced)
    stack.config["replaceExisting"] = True
    stack.up()
    tenant.do("DELETE", f"/policies/claimsMappingPolicies/{displaced}")
    output = stack.destroy().output
    assert f"the displaced policy {displaced} is not assigned again: it is gone from the tenant" in output
    assert (tenant.assigned(), tenant.policies(), tenant.properties()) == ([], [], {})


def test_a_changed_claim_is_one_line(stack: Stack) -> None:
    stack.config["claims"]["site"] = "user.officelocation"
    stack.up()
    stack.config["claims"]["email"] = "user.othermail"
    stack.config["claims"]["a_first"] = "user.city"
    del stack.config["claims"]["site"]
    lines = [" ".join(line.split()) for line in stack.preview("--diff").output.splitlines()]
    assert [line for line in lines if "user.othermail" in line] == ['~ email : "user.mail" => "user.othermail"']
    assert [line for line in lines if "user.city" in line] == ['+ a_first : "user.city"']
    assert [line for line in lines if "user.officelocation" in line] == ['- site : "user.officelocation"']
    assert not [line for line in lines if "SamlClaimType" in line], "never as JSON"


def test_the_ledger_of_two_stacks_that_write_one_cell(base_stack: Stack, tmp_path: Path) -> None:
    """The second records the first one's value as the prior one, and says so. Destroyed in the order of their creation
    they leave it, and the first stack's ledger is what knows better."""
    stack = base_stack
    other = stack.second_stack("second")
    tenant = stack.tenant()
    full = tenant.full("languages")
    claims = {**BASE["claims"], "languages.stringarray": f"extension.{full}"}
    other.config |= {"servicePrincipal": "Twilio Flex Staging", "extensions": {}, "claims": claims}
    other.config["users"] = {ADA: {full: "en,de"}}
    other.init()
    assert "1 user held the declared value before this stack wrote it" in other.up().output
    file = tmp_path / "ledger.json"
    for owner, prior in ((stack, None), (other, "en,de")):
        owner.write_config()
        ended = subprocess.run(
            [sys.executable, "-m", "flexsaml", "ledger", "--out", str(file)],
            cwd=owner.checkout.directory,
            env=owner.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (ended.returncode, ended.stderr) == (0, "")
        cell = {"user": ADA, "id": tenant.user("ada")["id"], "extension": full, "prior": prior, "written": ["en,de"]}
        assert json.loads(file.read_text(encoding="utf-8")) == {"cells": [cell]}
    other.destroy()
    assert tenant.value("ada") == "en,de", "the first stack still wants it"
    stack.assert_destroy_restores_the_tenant()


def test_destroy_ends_when_the_principal_was_deleted(base_stack: Stack) -> None:
    stack, tenant = base_stack, base_stack.tenant()
    tenant.do("DELETE", f"/servicePrincipals/{tenant.principal['id']}")
    began = time.monotonic()
    output = " ".join(stack.destroy().output.split())
    assert time.monotonic() - began < 60, "it waited five minutes for what can never be"
    assert f"the values of 1 user ({ADA}) cannot be reached any more and are left as this stack wrote them" in output
    assert "is kept: its application has no service principal in this tenant any more" in output
    assert stack.resources() == {}
