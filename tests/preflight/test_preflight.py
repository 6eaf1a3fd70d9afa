"""If this goes red, a wrong name is found only when half of the stack is made, or the wrong object is taken for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from components import FlexSamlClaimsArgs
from flexsaml.declaration import parse_declaration
from flexsaml.graph import Directory
from flexsaml.preflight.inspect import InspectionEnded, look
from providers import Connection
from tests.emulator.process import SEED, Emulator
from tests.engine.stack import Tenant

NOBODY = "00000000-0000-4000-8000-000000000000"
ABSENT_OWNER = "extension_0000000000004000800000000000000f_team"
ARGS: dict[str, Any] = {
    "service_principal": "Twilio Flex",
    "claims": {"email": "user.mail", "team": "extension.team"},
    "extensions": {"team": "String"},
    "users": {"ada@contoso.example": {"team": "blue"}},
}


@pytest.fixture
def tenant(emulator: Emulator) -> Tenant:
    emulator.reset()
    return Tenant(emulator)


@pytest.fixture
def directory(tenant: Tenant) -> Directory:
    where = tenant.emulator.http
    return Connection("loopback", graph_endpoint=where, login_endpoint=where).directory()


def wanted(**changes: Any) -> Any:
    args = FlexSamlClaimsArgs(**{**ARGS, "policy_name": "a policy", **changes})
    return parse_declaration(args.to_keys(), read_file=lambda name: Path(name).read_bytes())


def said(directory: Directory, **changes: Any) -> list[str]:
    """Errors only, as lines."""
    try:
        return [str(one) for one in look(directory, wanted(**changes)).findings if one.level == "error"]
    except InspectionEnded as end:
        return [str(end.finding)]


WRONG: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({"service_principal": "Twilio"}, ("servicePrincipal: no enterprise", "Twilio Flex, Twilio Flex Staging")),
    (
        {"service_principal": NOBODY},
        (f"servicePrincipal: no enterprise application has the appId or object id '{NOBODY}'",),
    ),
    ({"application": NOBODY}, (f"application: there is no application '{NOBODY}'",)),
    ({"claims": {"t": f"extension.{ABSENT_OWNER}"}}, (f"extension '{ABSENT_OWNER}': does not exist",)),
]


@pytest.mark.parametrize(("changes", "parts"), WRONG)
def test_what_is_not_there_is_named(directory: Directory, changes: dict[str, Any], parts: tuple[str, ...]) -> None:
    (line,) = said(directory, **changes)
    for part in parts:
        assert part in line
    assert "\n" not in line


def test_an_ambiguous_name_lists_the_candidates(tenant: Tenant) -> None:
    seed = tenant.emulator.export()
    flexes = [one for one in seed["servicePrincipals"] if one["displayName"].startswith("Twilio Flex")]
    for one in flexes:
        one["displayName"] = "Twilio Flex"
    tenant.emulator.seed({**seed, "clients": json.loads(SEED.read_text())["clients"]})
    where = tenant.emulator.http
    (line,) = said(Connection("loopback", graph_endpoint=where, login_endpoint=where).directory())
    assert "servicePrincipal: 2 enterprise applications are called 'Twilio Flex'; give the object id of one" in line
    assert all(one["id"] in line for one in flexes)
    tenant.emulator.seed(json.loads(SEED.read_text()))


def test_unknown_users_are_handed_on_all_at_once(directory: Directory, tenant: Tenant) -> None:
    users = {f"nobody{number}@contoso.example": {"team": "x"} for number in range(30)}
    seen = look(directory, wanted(users={**users, **ARGS["users"]}))
    assert seen.missing == frozenset(users)
    assert seen.users["ada@contoso.example"] == tenant.user("ada")["id"]


def test_one_person_under_two_names_is_an_error(directory: Directory, tenant: Tenant) -> None:
    (line,) = said(directory, users={**ARGS["users"], tenant.user("ada")["id"]: {"team": "red"}})
    assert "users.ada@contoso.example: is the same user as '" in line
    assert "'; keep one of them" in line


def test_an_existing_extension_is_referred_to_by_its_full_name(directory: Directory, tenant: Tenant) -> None:
    property_id, whole = tenant.make_property("shared", "Integer"), tenant.full("shared")
    tenant.do("PATCH", f"/users/{tenant.user('ada')['id']}", {whole: 7})
    seen = look(directory, wanted(users={"ada@contoso.example": {whole: 8}}))
    assert [one for one in seen.findings if one.level == "error"] == []
    assert (seen.properties[whole].id, seen.owners[whole]) == (property_id, tenant.application["id"])
    assert seen.live[whole] == {tenant.user("ada")["id"]: "7"}
    (line,) = said(directory, users={"ada@contoso.example": {whole: "many"}})
    assert f"users.ada@contoso.example.{whole}" in line
    assert "whole number" in line
    (line,) = said(directory, claims={"x": f"extension.{tenant.full('Shared')}"})
    assert f"it is spelt '{whole}'" in line


def test_a_property_of_the_stack_is_not_also_referred_to_by_its_full_name(directory: Directory, tenant: Tenant) -> None:
    """Two baselines over one property would each record the other's value as what was there before."""
    tenant.make_property("team")
    whole = tenant.full("team")
    (line,) = said(directory, users={"ada@contoso.example": {whole: "blue"}})
    assert f"extension '{whole}': is this stack's own; write 'team'" in line
    assert said(directory, claims={"t": f"extension.{whole}"}) == [line]


def test_without_preflight_people_and_policies_are_not_looked_at(directory: Directory, tenant: Tenant) -> None:
    tenant.emulator.clear()
    seen = look(directory, wanted(preflight=False, users={"nobody@contoso.example": {"team": "x"}}))
    assert seen.users == {"nobody@contoso.example": "nobody@contoso.example"}
    assert (seen.missing, seen.assigned, dict(seen.policies)) == (frozenset(), None, {})
    assert not any("/users" in one["path"] for one in tenant.emulator.requests())
