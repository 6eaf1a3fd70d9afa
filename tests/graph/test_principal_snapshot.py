"""If this goes red, preflight asks more of Graph than it must, or takes "may not read" for "is empty"."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from flexsaml.graph import Directory, cloud, credentials
from flexsaml.graph.client import Client
from flexsaml.graph.tokens import granted
from tests.emulator.process import ADMIN, LEAST, PREVIEW, SECRET, TENANT, Emulator


def directory(emulator: Emulator, client: str, patch: pytest.MonkeyPatch) -> Directory:
    patch.setenv("AZURE_CLIENT_ID", client)
    patch.setenv("AZURE_CLIENT_SECRET", SECRET)
    where = cloud("loopback", graph_endpoint=emulator.http, login_endpoint=emulator.http)
    return Directory(Client(where, credentials(where)))


def flex_of(emulator: Emulator) -> dict[str, Any]:
    return next(one for one in emulator.export()["servicePrincipals"] if one["displayName"] == "Twilio Flex")


def trips(emulator: Emulator) -> int:
    return sum(not one["in_batch"] and "oauth2" not in one["path"] for one in emulator.requests())


@pytest.mark.parametrize(("by", "most"), [("appId", 1), ("id", 2)])
def test_one_round_trip_by_app_id(emulator: Emulator, monkeypatch: pytest.MonkeyPatch, by: str, most: int) -> None:
    flex = flex_of(emulator)
    asked = directory(emulator, ADMIN, monkeypatch)
    emulator.clear()
    seen = asked.read_principal_snapshot(flex[by], policy_name="x")
    assert trips(emulator) == most
    assert seen is not None
    assert seen.principal.id == flex["id"]
    assert seen.active_key == flex["preferredTokenSigningKeyThumbprint"]
    told = [base64.b64decode(key["customKeyIdentifier"]).hex().upper() for key in flex["keyCredentials"]]
    assert [key.thumbprint for key in seen.keys] == list(dict.fromkeys(told)), "an inactive one is told too"
    assert seen.active_key in told
    assert {one.value for one in seen.roles or ()} == {"agent", "supervisor", "admin"}
    assert seen.domains == ("contoso.example",)
    assert seen.owner_has_principal
    assert (seen.tenant_id, seen.country, seen.assignment_required) == (TENANT, "AT", True)
    assert asked.read_principal_snapshot("00000000-0000-4000-8000-000000000000", policy_name="x") is None


def test_what_may_not_be_read_is_unknown_not_empty(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    flex = flex_of(emulator)["appId"]
    seen = directory(emulator, PREVIEW, monkeypatch).read_principal_snapshot(flex, policy_name="x")
    assert seen is not None
    assert (seen.assigned, seen.domains, seen.country, seen.tenant_id) == (None, None, None, "")
    assert seen.policies == ()
    group = next(one.principal_id for one in seen.roles or () if one.kind == "Group")
    least, admin = directory(emulator, LEAST, monkeypatch), directory(emulator, ADMIN, monkeypatch)
    monkeypatch.setenv("AZURE_CLIENT_ID", LEAST)
    assert least.direct_members([group]) == {group: None}
    monkeypatch.setenv("AZURE_CLIENT_ID", ADMIN)
    assert len(admin.direct_members([group])[group] or ()) == 1  # the guest; the group inside it gives nobody a role
    assert admin.custom_claims(seen.principal.id) is False


def test_an_assignment_can_be_seen_from_the_policies_side(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    flex = flex_of(emulator)
    admin, preview = directory(emulator, ADMIN, monkeypatch), directory(emulator, PREVIEW, monkeypatch)
    assert preview.policies_applied_to(flex["id"]) == []
    monkeypatch.setenv("AZURE_CLIENT_ID", ADMIN)
    definition = '{"ClaimsMappingPolicy":{"Version":1}}'
    made = [admin.create_policy(display_name=name, definition=definition) for name in ("one", "two")]
    admin.assign(flex["id"], made[1].id)
    monkeypatch.setenv("AZURE_CLIENT_ID", PREVIEW)
    assert [one.display_name for one in preview.policies_applied_to(flex["id"])] == ["two"]


@pytest.mark.parametrize(
    ("token", "names"),
    [
        ("e30.eyJyb2xlcyI6WyJBIl0sInNjcCI6IkIgQyJ9.x", frozenset("ABC")),
        ("e30.e30.x", frozenset()),
        ("opaque", None),
        ("a.b!.c", None),
        ("e30.WzFd.x", None),
    ],
)
def test_permissions_of_a_token_are_a_hint(token: str, names: frozenset[str] | None) -> None:
    assert granted(token) == names
