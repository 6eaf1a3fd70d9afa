"""If this goes red, a stack works only where, when and under the name it was made."""

from __future__ import annotations

from tests.engine.stack import DESTROY, PROJECT, Checkout, Stack

TWO_COMPONENTS = """
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


def test_made_by_one_checkout_destroyed_by_another(base_stack: Stack) -> None:
    """The emulator is stopped and started between, so it also forgets every token."""
    stack = base_stack
    stack.emulator.stop()
    stack.emulator.start()
    first_checkout = stack.checkout
    stack.checkout = Checkout(stack.directory / "elsewhere")
    stack.config_file.write_text((first_checkout.directory / stack.config_file.name).read_text())
    stack.assert_unchanged()
    stack.assert_destroy_restores_the_tenant()


def test_a_folder_of_a_repository_whose_projects_share_a_virtual_environment(base_stack: Stack) -> None:
    stack, folder = base_stack, base_stack.checkout.directory
    (folder / ".venv").unlink()
    (folder.parent / ".venv").symlink_to(PROJECT / ".venv")
    project_file = (folder / "Pulumi.yaml").read_text(encoding="utf-8")
    (folder / "Pulumi.yaml").unlink()
    changed = project_file.replace("virtualenv: .venv", "virtualenv: ../.venv")
    assert changed != project_file
    (folder / "Pulumi.yaml").write_text(changed, encoding="utf-8")
    stack.identity["PULUMI_RUNTIME_VIRTUALENV"] = "../.venv"  # for a host older than that option (tools/engine.py)
    stack.quick = False
    stack.assert_unchanged()
    stack.assert_destroy_restores_the_tenant()
    assert not (folder / ".venv").exists()


def test_destroyed_after_the_emulator_was_killed(base_stack: Stack) -> None:
    stack = base_stack
    stack.emulator.kill()
    assert "127.0.0.1" in stack.refused(*DESTROY)
    stack.emulator.start()
    stack.assert_destroy_restores_the_tenant()


def test_two_components_in_one_program_share_nothing(stack: Stack) -> None:
    stack.checkout.write_program(TWO_COMPONENTS)
    stack.up()
    export = stack.emulator.export()
    assert len(export["assignments"]) == len(export["extensionProperties"]) == 2
    assert sorted(policy["displayName"] for policy in export["claimsMappingPolicies"]) == [
        "flexsaml-dev production SAML claims",
        "flexsaml-dev staging SAML claims",
    ]
    assert sorted(stack.tenant().user("ada")["values"].values()) == ["blue", "red"]
    stack.assert_unchanged()
    stack.assert_destroy_restores_the_tenant()


def test_a_stack_renamed(base_stack: Stack) -> None:
    stack = base_stack
    policy = stack.tenant().assigned()
    stack.ok("stack", "rename", "renamed")
    stack.name = "renamed"
    stack.up()
    assert stack.tenant().assigned() == policy
    assert stack.tenant().policies()[0]["displayName"] == "flexsaml-renamed Flex SAML claims"
    stack.assert_unchanged()
    stack.assert_destroy_restores_the_tenant()
