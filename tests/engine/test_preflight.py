"""If this goes red, what preflight finds does not reach `pulumi preview`, or a preview promises what `up` does not do.

The rules themselves are tested in tests/preflight; here stands what only the engine can show.
"""

from __future__ import annotations

import json

from tests.emulator.process import LEAST, SEED
from tests.engine.stack import Stack


def clients() -> object:
    return json.loads(SEED.read_text())["clients"]


def test_a_finding_is_a_warning_whose_level_a_stack_changes(stack: Stack) -> None:
    tenant = stack.tenant()
    says = "users: 1 user is disabled and cannot sign in (ada@contoso.example) [user-disabled]"
    assert "[user-disabled]" not in stack.preview().output
    tenant.do("PATCH", f"/users/{tenant.user('ada')['id']}", {"accountEnabled": False})
    assert says in stack.preview().output
    stack.config["rules"] = {"user-disabled": "error"}
    refused = stack.run("preview")
    assert refused.code != 0
    assert says in refused.output
    stack.config["rules"] = {"user-disabled": "off"}
    assert "[user-disabled]" not in stack.preview().output


def test_all_findings_come_in_one_report_errors_first(stack: Stack) -> None:
    tenant = stack.tenant()
    tenant.do("PATCH", f"/users/{tenant.user('ada')['id']}", {"accountEnabled": False})
    stack.config["claims"]["site"] = "extension.extension_8f66597486ab539983f97492e2e5acec_absent"
    refused = stack.run("preview")
    assert refused.code != 0
    lines = [line.strip() for line in refused.output.splitlines() if line.strip().startswith("- ")]
    assert "does not exist in this tenant" in lines[0]
    assert any(line.startswith("- warning: users: 1 user is disabled") for line in lines[1:])


def test_the_least_privileged_identity_can_do_all_of_it(stack: Stack) -> None:
    before = stack.emulator.export()
    stack.identity = {"AZURE_CLIENT_ID": LEAST, "AZURE_CLIENT_SECRET": "sandbox"}
    assert "[permission-missing]" not in stack.preview().output
    stack.up()
    stack.unchanged()
    stack.destroy()
    assert stack.emulator.export() == before


def test_extensions_of_a_gallery_application_live_in_another(stack: Stack) -> None:
    seed = stack.emulator.export()
    gone = next(each for each in seed["applications"] if each["displayName"] == "Twilio Flex")
    seed["applications"].remove(gone)
    stack.emulator.seed({**seed, "clients": clients()})
    assert "is not in this tenant (a gallery application has none here)" in stack.run("preview").output
    other = next(each for each in seed["applications"] if each["displayName"] == "Twilio Flex Staging")
    stack.config["application"] = other["appId"]
    stack.up()
    stack.unchanged()
    stack.destroy()


def test_values_that_will_be_overwritten_are_counted_not_shown(stack: Stack) -> None:
    tenant = stack.tenant()
    tenant.make_property("team")
    full = tenant.full("team")
    tenant.write("ada", "private", "team")
    stack.config["users"] = {"ada@contoso.example": {full: "blue"}}
    output = stack.preview().output
    assert "1 user holds another value, which will be overwritten (ada@contoso.example)" in output
    assert "private" not in output
    stack.up()
    assert "will be overwritten" not in stack.preview().output
    stack.config["users"] = {"ada@contoso.example": {full: "red"}}
    assert "will be overwritten" not in stack.preview().output, "our own value of the last run is no surprise"
    tenant.write("ada", "private again", "team")
    assert "1 user holds another value" in stack.preview().output
    stack.destroy()


def test_an_assignment_displaced_by_somebody_else(stack: Stack) -> None:
    before = stack.emulator.export()
    stack.up()
    tenant = stack.tenant()
    other = tenant.make_policy("by hand")
    tenant.unassign(tenant.assigned()[0])
    tenant.assign(other)
    output = stack.preview().output
    assert "this stack's policy is no longer assigned (now: 'by hand'" in output
    stack.refresh()
    refused = stack.run("preview")
    assert refused.code != 0
    assert "already has the claims mapping policy 'by hand'" in refused.output
    stack.destroy()
    assert tenant.assigned() == [other], "what somebody else assigned stays"
    tenant.unassign(other)
    tenant.do("DELETE", f"/policies/claimsMappingPolicies/{other}")
    assert stack.emulator.export() == before


def test_an_assignment_displaced_by_somebody_else_and_never_refreshed(stack: Stack) -> None:
    before = stack.emulator.export()
    stack.up()
    tenant = stack.tenant()
    other = tenant.make_policy("by hand")
    tenant.unassign(tenant.assigned()[0])
    tenant.assign(other)
    stack.config["claims"] = {**stack.config["claims"], "email": "user.othermail"}
    assert "is no longer assigned (now: 'by hand'" in stack.up().output
    assert tenant.assigned() == [other], "reported, and left to a person"
    stack.destroy()
    assert tenant.assigned() == [other], "what somebody else assigned stays"
    tenant.unassign(other)
    tenant.do("DELETE", f"/policies/claimsMappingPolicies/{other}")
    assert stack.emulator.export() == before


def test_a_policy_of_somebody_else_survives_beside_ours(stack: Stack) -> None:
    """Already on the principal: without `replaceExisting` nothing is done at all, with it other comes back."""
    tenant = stack.tenant()
    other = tenant.make_policy("by hand")
    tenant.assign(other)
    before = stack.emulator.export()
    assert stack.run("up", "--yes").code != 0
    stack.destroy()
    assert stack.emulator.export() == before
    stack.config["replaceExisting"] = True
    stack.up()
    stack.destroy()
    assert stack.emulator.export() == before
