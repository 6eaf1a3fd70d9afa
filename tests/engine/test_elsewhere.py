"""If this goes red, a stack works only where, when and under the name it was made."""

from __future__ import annotations

from pathlib import Path

from tests.emulator.process import Emulator
from tests.engine.stack import Checkout, Stack, new_stack

TWO = """
import pulumi
from components import FlexSamlClaims, FlexSamlClaimsArgs

def claims(principal, value):
    return FlexSamlClaimsArgs(
        service_principal=principal,
        claims={"nameid": "user.mail", "email": "user.mail", "full_name": "user.displayname", "roles": "user.assignedroles",
                "team": "extension.team"},
        extensions={"team": "String"},
        users={"ada@contoso.example": {"team": value}},
    )

FlexSamlClaims("production", claims("Twilio Flex", "blue"))
FlexSamlClaims("staging", claims("Twilio Flex Staging", "red"))
"""


def test_made_by_one_checkout_destroyed_by_another(emulator: Emulator, tmp_path: Path) -> None:
    with new_stack(emulator, tmp_path) as stack:
        before = emulator.export()
        stack.up()
        emulator.stop()
        emulator.start()
        other = Stack(Checkout(tmp_path / "elsewhere"), emulator, tmp_path, stack.name)
        other.config_file.write_text(stack.config_file.read_text())
        other.config = stack.config
        other.ok("stack", "select", stack.name)
        other.unchanged()
        other.destroy()
        assert emulator.export() == before


def test_destroyed_after_the_emulator_was_killed(emulator: Emulator, tmp_path: Path) -> None:
    with new_stack(emulator, tmp_path) as stack:
        before = emulator.export()
        stack.up()
        emulator.kill()
        refused = stack.run("destroy", "--yes", "--skip-preview")
        assert refused.code != 0
        assert "127.0.0.1" in refused.output
        emulator.start()
        stack.destroy()
        assert emulator.export() == before


def test_two_components_in_one_program_share_nothing(emulator: Emulator, tmp_path: Path) -> None:
    with new_stack(emulator, tmp_path, program=TWO) as stack:
        before = emulator.export()
        stack.up()
        after = emulator.export()
        assert len(after["assignments"]) == len(after["extensionProperties"]) == 2
        assert sorted(one["displayName"] for one in after["claimsMappingPolicies"]) == [
            "flexsaml-dev production SAML claims",
            "flexsaml-dev staging SAML claims",
        ]
        ada = next(one for one in after["users"] if one["userPrincipalName"].startswith("ada@"))
        assert sorted(ada["values"].values()) == ["blue", "red"]
        stack.unchanged()
        stack.destroy()
        assert emulator.export() == before


def test_a_stack_renamed(stack: Stack) -> None:
    before = stack.emulator.export()
    stack.up()
    policy = stack.tenant().assigned()
    stack.ok("stack", "rename", "renamed")
    stack.name = "renamed"
    stack.up()
    assert stack.tenant().assigned() == policy
    assert stack.tenant().policies()[0]["displayName"] == "flexsaml-renamed Flex SAML claims"
    stack.unchanged()
    stack.destroy()
    assert stack.emulator.export() == before
