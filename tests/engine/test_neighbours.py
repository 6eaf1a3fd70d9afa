"""If this goes red, two stacks, or a stack and an administrator, undo each other's work on the same application."""

from __future__ import annotations

from pathlib import Path

from tests.engine.stack import BASE, Checkout, Stack


def second(stack: Stack, tmp_path: Path) -> Stack:
    """Another stack of the same project in the same tenant."""
    other = Stack(Checkout(tmp_path / "second"), stack.emulator, stack.room, "second")
    other.config |= {
        "extensions": {"team": "String"},
        "claims": {**BASE["claims"], "team": "extension.team", "languages.stringarray": "user.city"},
        "users": {"ada@contoso.example": {"team": "blue"}},
    }
    other.init()
    return other


def test_two_stacks_on_one_principal(stack: Stack, tmp_path: Path) -> None:
    before = stack.emulator.export()
    stack.up()
    first = stack.tenant().assigned()
    other = second(stack, tmp_path)
    refused = other.run("preview")
    assert refused.code != 0
    assert "'flexsaml-dev Flex SAML claims'" in refused.output, "the other stack's policy is named"
    other.config["replaceExisting"] = True
    other.up()
    assert stack.tenant().assigned() != first
    assert "no longer assigned" in stack.preview().output
    other.destroy()
    assert stack.tenant().assigned() == first, "the displaced assignment came back"
    stack.unchanged()
    stack.destroy()
    assert stack.emulator.export() == before


def test_two_stacks_on_one_application(stack: Stack, tmp_path: Path) -> None:
    """The second is for another principal and keeps its extensions on the first one's application."""
    before = stack.emulator.export()
    stack.up()
    other = second(stack, tmp_path)
    other.config |= {"servicePrincipal": "Twilio Flex Staging", "application": stack.tenant().application["appId"]}
    other.up()
    assert set(stack.tenant().properties()) == {stack.tenant().full("languages"), stack.tenant().full("team")}
    stack.unchanged()
    stack.destroy()
    other.unchanged()
    assert stack.tenant().value("ada", "team") == "blue"
    other.destroy()
    assert stack.emulator.export() == before


def test_a_principal_that_was_recreated(stack: Stack) -> None:
    """Deleted and made anew it has another id and no assignment; the stack follows it."""
    stack.up()
    tenant = stack.tenant()
    tenant.do("DELETE", f"/servicePrincipals/{tenant.principal['id']}")
    tenant.do("POST", "/servicePrincipals", {"appId": tenant.principal["appId"]})
    stack.refresh()
    stack.up()
    assert len(stack.tenant().assigned()) == 1
    assert stack.tenant().value("ada") == "en,de"
    stack.unchanged()
    stack.destroy()
    assert stack.tenant().policies() == []
    assert stack.tenant().properties() == {}
    assert stack.tenant().value("ada") is None


def test_killed_between_taking_theirs_away_and_assigning_ours(stack: Stack) -> None:
    tenant = stack.tenant()
    theirs = tenant.make_policy("by hand")
    tenant.assign(theirs)
    before = stack.emulator.export()
    stack.config["replaceExisting"] = True
    stack.kill_at(("up", "--yes", "--skip-preview"), method="DELETE", path=r"/\$ref$")
    assert tenant.assigned() == []
    stack.ok("cancel", "--yes")
    stack.destroy()
    assert stack.emulator.export() == before, "theirs is assigned again"


def test_a_displaced_policy_that_is_gone_by_then(stack: Stack) -> None:
    tenant = stack.tenant()
    theirs = tenant.make_policy("by hand")
    tenant.assign(theirs)
    stack.config["replaceExisting"] = True
    stack.up()
    tenant.do("DELETE", f"/policies/claimsMappingPolicies/{theirs}")
    output = stack.destroy().output
    assert f"the displaced policy {theirs} is not assigned again: it is gone from the tenant" in output
    assert (tenant.assigned(), tenant.policies(), tenant.properties()) == ([], [], {})


def test_a_changed_claim_is_one_line(stack: Stack) -> None:
    stack.config["claims"]["site"] = "user.officelocation"
    stack.up()
    stack.config["claims"]["email"] = "user.othermail"
    stack.config["claims"]["a_first"] = "user.city"
    del stack.config["claims"]["site"]
    lines = [line.strip() for line in stack.run("preview", "--diff").output.splitlines()]
    assert [" ".join(line.split()) for line in lines if "user.othermail" in line] == [
        '~ email : "user.mail" => "user.othermail"'
    ]
    assert [" ".join(line.split()) for line in lines if "user.city" in line] == ['+ a_first : "user.city"']
    assert [" ".join(line.split()) for line in lines if "user.officelocation" in line] == [
        '- site : "user.officelocation"'
    ]
    assert not [line for line in lines if "SamlClaimType" in line], "never as JSON"
