"""If this goes red, editing the list of users loses somebody's value, or leaves one behind."""

from __future__ import annotations

import pytest

from tests.engine.request_log import requests_of, writes_in
from tests.engine.stack import ADA, UP, Stack

pytestmark = pytest.mark.long


def values(stack: Stack) -> dict[str, object]:
    """Live values of `languages` by object id, those that are set."""
    full = stack.tenant().full("languages")
    return {user["id"]: user["values"][full] for user in stack.emulator.export()["users"] if full in user["values"]}


def test_another_spelling_of_the_same_user_writes_nothing(base_stack: Stack) -> None:
    stack = base_stack
    ada = stack.tenant().user("ada")["id"]
    for spelling in ("Ada@Contoso.example", ada.upper(), "ada@contoso.example"):
        stack.config["users"] = {spelling: {"languages": "en,de"}}
        stack.emulator.clear()
        stack.up()
        assert writes_in(requests_of(stack.emulator)) == [], spelling
        assert values(stack) == {ada: "en,de"}
    stack.assert_unchanged()
    stack.assert_destroy_restores_the_tenant()


def test_users_come_go_and_change(stack: Stack) -> None:
    tenant = stack.tenant()
    tenant.make_property("team")
    tenant.write("grace", "old", "team")
    tenant.write("linus", "old", "team")
    team = tenant.full("team")
    stack.config["users"] = {"ada@contoso.example": {"languages": "en,de"}, "grace@contoso.example": {team: "blue"}}
    before = stack.emulator.export()
    stack.up()
    assert tenant.value("grace", "team") == "blue"

    stack.config["users"] = {
        "ada@contoso.example": {"languages": "en", team: "red"},
        "linus@contoso.example": {team: "green"},
    }
    stack.up()
    assert (tenant.value("ada"), tenant.value("ada", "team")) == ("en", "red")
    assert tenant.value("linus", "team") == "green"
    assert tenant.value("grace", "team") == "old", "who leaves gets back what was there before"
    stack.assert_unchanged()

    stack.config["users"] = {"grace@contoso.example": {team: None, "languages": ""}}
    stack.up()
    assert tenant.value("ada") is None
    assert tenant.value("ada", "team") is None
    assert tenant.value("linus", "team") == "old"
    assert tenant.value("grace", "team") is None, "null is written"
    assert tenant.value("grace") == ""
    stack.assert_unchanged()

    stack.config["users"] = {}
    stack.up()
    assert tenant.value("grace", "team") == "old", "the last one who leaves, too"
    stack.destroy()
    assert stack.emulator.export() == before


def test_a_user_renamed_in_the_tenant(base_stack: Stack) -> None:
    stack, tenant = base_stack, base_stack.tenant()
    ada = tenant.user("ada")["id"]
    tenant.do("PATCH", f"/users/{ada}", {"userPrincipalName": "lovelace@contoso.example"})
    stack.emulator.clear()
    assert "users.ada@contoso.example: is no longer in the tenant under that name" in stack.up().output
    assert writes_in(requests_of(stack.emulator)) == []
    assert values(stack) == {ada: "en,de"}, "who left or was renamed stops nobody and loses nothing"
    stack.config["users"] = {"lovelace@contoso.example": {"languages": "en,de"}}
    stack.up()
    assert values(stack) == {ada: "en,de"}
    stack.assert_unchanged()
    tenant.do("PATCH", f"/users/{ada}", {"userPrincipalName": "ada@contoso.example"})
    stack.destroy()
    assert values(stack) == {}


def test_a_user_who_left_the_tenant_stops_nobody_from_destroying(stack: Stack) -> None:
    stack.config["users"]["grace@contoso.example"] = {"languages": "cs"}
    stack.up()
    tenant = stack.tenant()
    tenant.do("DELETE", f"/users/{tenant.user('grace')['id']}")
    assert "deleted" in stack.refresh().output
    stack.destroy()
    assert values(stack) == {}
    assert tenant.properties() == {}


def test_a_person_made_anew_under_the_same_name_is_another_user(base_stack: Stack) -> None:
    stack, tenant = base_stack, base_stack.tenant()
    tenant.do("DELETE", f"/users/{tenant.user('ada')['id']}")
    new = tenant.make_user("ada", "Another Ada")
    tenant.write("ada", "fr")
    stack.up()
    assert values(stack) == {new: "en,de"}
    stack.destroy()
    assert values(stack) == {new: "fr"}, "the new person's own value came back"


def test_without_preflight_users_are_looked_up_when_they_are_written(stack: Stack) -> None:
    stack.config["preflight"] = False
    stack.up()
    stack.config["users"] = {"ADA@contoso.example": {"languages": "en"}, "nobody@contoso.example": {"languages": "en"}}
    assert "no such user: nobody@contoso.example" in stack.refused(*UP)
    del stack.config["users"]["nobody@contoso.example"]
    stack.up()
    assert stack.tenant().value("ada") == "en"
    stack.assert_unchanged()
    stack.assert_destroy_restores_the_tenant()


def test_without_preflight_a_name_that_passed_to_another_person_is_refused(base_stack: Stack) -> None:
    """The baselines know Ada by her object id, the writer that she moves to only by her name."""
    stack, tenant = base_stack, base_stack.tenant()
    grace = tenant.user("grace")["id"]
    tenant.swap_names("ada", "grace")
    stack.config |= {"preflight": False, "users": {}, "usersFile": "agents.csv"}
    stack.checkout.write_roster(f"user,languages\n{ADA},en\n")
    plan = str(stack.directory / "plan.json")
    stack.preview("--save-plan", plan)
    refusal = stack.refused("up", "--yes", "--skip-preview", "--plan", plan)
    assert f"{ADA} (another person has this name now than the baseline recorded: run the same command again" in refusal
    stack.config["preflight"] = True
    stack.up()
    assert values(stack) == {grace: "en"}
    stack.destroy()
    assert not values(stack)


def test_a_truncated_list_stops_in_preview(stack: Stack) -> None:
    users = [user["userPrincipalName"] for user in stack.emulator.export()["users"]]
    for number in range(12 - len(users)):
        stack.tenant().make_user(f"agent{number}", f"Agent {number}")
        users.append(f"agent{number}@contoso.example")
    stack.config["users"] = {user: {"languages": "en"} for user in users}
    stack.up()
    stack.config["users"] = {users[0]: {"languages": "en"}}
    refused = stack.refused("preview")
    assert "11 of 12 users would lose their value" in refused
    assert "set flexsaml:allowRemoval to 11" in refused
    assert len(values(stack)) == 12
    stack.config["users"] = {}
    stack.refused("preview")  # an empty list is the worst of truncations
    stack.config["allowRemoval"] = 12
    stack.up()
    assert values(stack) == {}
