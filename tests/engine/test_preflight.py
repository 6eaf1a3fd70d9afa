"""If this goes red, what preflight finds does not reach `pulumi preview`, or a preview promises what `up` does not do.

The rules themselves are tested in tests/preflight; here stands what only the engine can show.
"""

from __future__ import annotations

import json

import pytest

from tests.emulator.process import AZURE_CLI, LEAST, PREVIEW, SEED
from tests.engine.stack import ADA, UP, Stack, Tenant, seed


def disable_ada(tenant: Tenant) -> None:
    tenant.do("PATCH", f"/users/{tenant.user('ada')['id']}", {"accountEnabled": False})


def test_a_finding_is_a_warning_whose_level_a_stack_changes(stack: Stack) -> None:
    finding = f"users: 1 user is disabled and cannot sign in ({ADA}) [user-disabled]"
    disable_ada(stack.tenant())
    assert finding in stack.preview().output
    stack.config["rules"] = {"user-disabled": "error"}
    assert finding in stack.refused("preview")
    stack.config["rules"] = {"user-disabled": "off"}
    assert "[user-disabled]" not in stack.preview().output


def test_all_findings_come_in_one_report_errors_first(stack: Stack) -> None:
    disable_ada(stack.tenant())
    stack.config["claims"]["site"] = "extension.extension_8f66597486ab539983f97492e2e5acec_absent"
    output = stack.refused("preview")
    lines = [line.strip() for line in output.splitlines() if line.strip().startswith("- ")]
    assert "does not exist in this tenant" in lines[0]
    assert any(line.startswith("- warning: users: 1 user is disabled") for line in lines[1:])


def test_the_least_privileged_identity_can_do_all_of_it(stack: Stack) -> None:
    stack.identity = {"FLEXSAML_SANDBOX_CLIENT": LEAST, "FLEXSAML_SANDBOX_SECRET": "sandbox"}
    assert "[permission-missing]" not in stack.up().output
    stack.assert_unchanged()
    stack.assert_destroy_restores_the_tenant()


def writes(stack: Stack) -> list[str]:
    """Requests of the last command that change the tenant."""
    sent = [(row["method"], row["path"]) for row in stack.emulator.requests()]
    return [f"{method} {path}" for method, path in sent if method != "GET" and not path.endswith(("/token", "/$batch"))]


def sign_in_as_a_person(stack: Stack, *more_scopes: str) -> None:
    """Who ran `az login`, with the scopes that were measured and these."""
    clients = json.loads(SEED.read_text("utf-8"))["clients"]
    scopes = next(client["roles"] for client in clients if client["id"] == AZURE_CLI)
    scopes += more_scopes
    stack.emulator.seed({**stack.emulator.export(), "clients": clients})
    stack.identity = {"FLEXSAML_SANDBOX_CLIENT": AZURE_CLI}


@pytest.mark.parametrize(
    ("more_scopes", "lacking", "refused_later"),
    [
        ((), "Policy.Read.All (to assign the policy and read policies), Policy.ReadW", "which is recorded first"),
        (
            ("Policy.Read.All",),
            "Policy.ReadWrite.ApplicationConfiguration (to write the policy): with",
            "create ClaimsM",
        ),
    ],
    ids=["az login", "and a scope to read policies"],
)
def test_a_run_that_can_make_some_objects_and_not_others_makes_none(
    stack: Stack, more_scopes: tuple[str, ...], lacking: str, refused_later: str
) -> None:
    """A person's token names what makes the property and the values, and not what makes the policy."""
    sign_in_as_a_person(stack, *more_scopes)
    stack.emulator.clear()
    refused = stack.run(*UP)
    assert refused.code != 0
    (line,) = set(refused.errors())
    assert f"flexsaml: identity: the token (of a person who used `az login`) does not name {lacking}" in line
    assert "(`python -m flexsaml setup`, with --person for `login`)" in line
    assert writes(stack) == []
    assert stack.emulator.export() == stack.tenant_before
    assert "warning: identity: the token (of a person who used `az login`)" in stack.preview().output
    stack.config["rules"] = {"permission-missing": "warning"}
    assert refused_later in stack.refused(*UP), "the run went on, up to what Graph itself refuses"
    is_half_made = stack.tenant().properties() != {}
    assert is_half_made is bool(more_scopes), "without the first scope nothing can be recorded, so nothing is made"
    stack.identity = {}
    stack.assert_destroy_restores_the_tenant()


def test_a_preview_needs_no_permission_to_write(stack: Stack) -> None:
    stack.identity = {"FLEXSAML_SANDBOX_CLIENT": PREVIEW}
    assert "warning: identity: the token (of an application) does not name" in stack.preview().output
    stack.config["rules"] = {"not-looked-at": "error"}
    assert "there are no findings about them [not-looked-at]" in stack.refused("preview"), "it is named where it is why"


def test_extensions_of_a_gallery_application_live_in_another(stack: Stack) -> None:
    rows = stack.emulator.export()
    applications = {row["displayName"]: row for row in rows["applications"]}
    rows["applications"].remove(applications["Twilio Flex"])
    seed(stack.emulator, rows)
    before = stack.emulator.export()
    assert "is not in this tenant (a gallery application has none here)" in stack.refused("preview")
    stack.config["application"] = applications["Twilio Flex Staging"]["appId"]
    stack.up()
    stack.destroy()
    assert stack.emulator.export() == before


def test_values_that_will_be_overwritten_are_counted_not_shown(stack: Stack) -> None:
    tenant = stack.tenant()
    tenant.make_property("team")
    full_name = tenant.full("team")
    tenant.write("ada", "private", "team")
    stack.config["users"] = {ADA: {full_name: "blue"}}
    output = stack.up().output
    assert f"1 user holds another value, which will be overwritten ({ADA})" in output
    assert "private" not in output
    stack.config["users"] = {ADA: {full_name: "red"}}
    assert "will be overwritten" not in stack.preview().output, "the value of the last run is no surprise"
    tenant.write("ada", "private again", "team")
    assert "1 user holds another value, which will be overwritten" in stack.preview().output


@pytest.mark.long
def test_preview_announces_what_up_does_about_a_value_that_was_changed_by_hand(stack: Stack) -> None:
    """`up` leaves it unless a refresh has shown it, or it writes that user for another reason: of a user in the
    configuration it writes every value, of one in a roster those whose declaration changed."""
    tenant, roster = stack.tenant(), stack.checkout.directory / "agents.csv"
    languages, team = tenant.full("languages"), tenant.full("team")
    stack.config["extensions"]["team"] = "String"
    stack.config["usersFile"] = "agents.csv"

    def declare(value: str) -> None:
        stack.config["users"] = {ADA: {"languages": value, "team": "blue"}}
        roster.write_text(f"user,languages,team\nlinus@contoso.example,{value},red\n", "utf-8")

    def warnings() -> list[str]:
        lines = {line.strip() for line in stack.preview().output.splitlines()}
        return sorted(line for line in lines if line.startswith("warning: extension_"))

    def warning(user: str, name: str, consequence: str) -> str:
        held = f"1 user does not hold the value that this stack wrote ({user}@contoso.example)"
        return f"warning: {name}: {held}, and this run {consequence}"

    leaves = "leaves that: run `pulumi refresh` first, then `pulumi up` writes it again"
    declare("en")
    stack.up()
    assert warnings() == []
    tenant.write("ada", "by hand", "team")
    tenant.write("linus", None, "team")
    assert warnings() == [warning("ada", team, leaves), warning("linus", team, leaves)]
    stack.up()
    assert (tenant.value("ada", "team"), tenant.value("linus", "team")) == ("by hand", None)
    tenant.write("linus", "by hand", "languages")
    declare("fr")
    overwritten = "1 user holds another value, which will be overwritten (linus@contoso.example)"
    assert warnings() == [
        f"warning: {languages}: {overwritten}; destroy restores what was there before this stack",
        warning("ada", team, "writes it again"),
        warning("linus", team, leaves),
    ]
    stack.up()
    assert (tenant.value("ada", "team"), tenant.value("linus", "team")) == ("blue", None)
    assert tenant.value("linus", "languages") == "fr"
    tenant.write("ada", "by hand", "team")
    stack.refresh()
    assert warnings() == [], "the refresh has shown it, and the plan shows what is written"
    stack.up()
    assert (tenant.value("ada", "team"), tenant.value("linus", "team")) == ("blue", "red")


def displace_assignment(stack: Stack, name: str = "by hand") -> str:
    """Somebody else assigns another policy of that name; returns its id."""
    tenant = stack.tenant()
    policy = tenant.make_policy(name)
    tenant.unassign(tenant.assigned()[0])
    tenant.assign(policy)
    return policy


def destroy_leaves_only(stack: Stack, policy: str) -> None:
    stack.destroy()
    tenant = stack.tenant()
    assert tenant.assigned() == [policy], "what somebody else assigned stays"
    tenant.unassign(policy)
    tenant.do("DELETE", f"/policies/claimsMappingPolicies/{policy}")
    assert stack.emulator.export() == stack.tenant_before


@pytest.mark.long
def test_an_assignment_displaced_by_somebody_else(base_stack: Stack) -> None:
    stack = base_stack
    policy = displace_assignment(stack)
    assert "this stack's policy is no longer assigned (now: 'by hand'" in stack.preview().output
    stack.refresh()
    assert "already has the claims mapping policy 'by hand'" in stack.refused(*UP)
    destroy_leaves_only(stack, policy)


HOSTILE = "x\x1b[31m\u202e\u3164\nerror: forged\r##vso[task.y]\n::error::z"


def assert_escaped(output: str) -> None:
    """It has the hostile text, and none of what that would do to a terminal."""
    assert r"x\x1b[31m\u202e" in output
    assert not any(character in output for character in "\x1b\u202e\u3164\r")
    assert not any(line.strip().startswith(("error: forged", "::")) or "##vso[" in line for line in output.split("\n"))


def test_hostile_names_reach_the_terminal_escaped(base_stack: Stack) -> None:
    """From preflight, from `check` and from a refused create."""
    stack = base_stack
    policy = displace_assignment(stack, HOSTILE)
    outputs = [stack.preview().output]
    stack.refresh()
    outputs += [stack.refused("preview"), stack.refused(*UP)]
    for output in outputs:
        assert_escaped(output)
    destroy_leaves_only(stack, policy)


def test_a_hostile_roster_and_hostile_words_of_graph_reach_the_terminal_escaped(base_stack: Stack) -> None:
    """A user and the name of the file, in preview and in the progress of a write; what refused it."""
    stack = base_stack
    roster = f"agents {HOSTILE}.csv"
    stack.config["usersFile"] = roster
    (stack.checkout.directory / roster).write_text(f'user,languages\n"{HOSTILE}@contoso.example",en\n', "utf-8")
    assert_escaped(stack.refused("preview"))
    (stack.checkout.directory / roster).write_text("user,languages\nlinus@contoso.example,en\n", "utf-8")
    words = f"words of Graph: {HOSTILE}"
    stack.emulator.fault("refuse", "PATCH", "^/users/", times=-1, status=400, code="Request_BadRequest", message=words)
    output = stack.refused(*UP)
    assert_escaped(output)
    assert r"words of Graph: x\x1b[31m" in output
    assert r"agents x\x1b[31m" in output


@pytest.mark.long
def test_an_assignment_displaced_by_somebody_else_and_never_refreshed(base_stack: Stack) -> None:
    stack = base_stack
    policy = displace_assignment(stack)
    stack.config["claims"]["email"] = "user.othermail"
    assert "is no longer assigned (now: 'by hand'" in stack.up().output
    assert stack.tenant().assigned() == [policy], "reported, and left to a person"
    destroy_leaves_only(stack, policy)
