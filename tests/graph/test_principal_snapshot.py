"""If this goes red, preflight asks more of Graph than it must, or takes "may not read" for "is empty"."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from flexsaml.graph import Client, Directory, PrincipalNotFound, RoleAssignment, cloud, credentials
from flexsaml.graph.models import GroupMembers
from tests.emulator.process import ADMIN, LEAST, PREVIEW, SECRET, TENANT, Emulator


def directory(emulator: Emulator, client: str, patch: pytest.MonkeyPatch) -> Directory:
    patch.setenv("FLEXSAML_SANDBOX_CLIENT", client)
    patch.setenv("FLEXSAML_SANDBOX_SECRET", SECRET)
    where = cloud("loopback", graph_endpoint=emulator.http, login_endpoint=emulator.http)
    return Directory(Client(where, credentials(where)))


def flex_of(emulator: Emulator) -> dict[str, Any]:
    return next(
        principal for principal in emulator.export()["servicePrincipals"] if principal["displayName"] == "Twilio Flex"
    )


def trips(emulator: Emulator) -> int:
    return sum(not call["in_batch"] and "oauth2" not in call["path"] for call in emulator.requests())


@pytest.mark.parametrize(("key", "most"), [("appId", 1), ("id", 2), ("displayName", 2)])
def test_round_trips_by_reference(emulator: Emulator, monkeypatch: pytest.MonkeyPatch, key: str, most: int) -> None:
    flex = flex_of(emulator)
    admin = directory(emulator, ADMIN, monkeypatch)
    emulator.clear()
    snapshot = admin.read_principal_snapshot(flex[key], policy_name="x")
    assert trips(emulator) == most
    assert snapshot.principal.id == flex["id"]
    assert snapshot.active_key == flex["preferredTokenSigningKeyThumbprint"]
    thumbprints = [base64.b64decode(key["customKeyIdentifier"]).hex().upper() for key in flex["keyCredentials"]]
    assert [key.thumbprint for key in snapshot.keys] == list(dict.fromkeys(thumbprints)), "inactive ones too"
    assert snapshot.active_key in thumbprints
    assert {role.value for role in snapshot.roles or ()} == {"agent", "supervisor", "admin"}
    assert snapshot.domains == ("contoso.example",)
    assert snapshot.owner_has_principal
    assert (snapshot.tenant_id, snapshot.country, snapshot.assignment_required) == (TENANT, "AT", True)


def test_an_unknown_principal_is_an_error(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PrincipalNotFound):
        directory(emulator, ADMIN, monkeypatch).read_principal_snapshot("00000000-0000-4000-8000-000000000000")


def test_what_may_not_be_read_is_unknown_not_empty(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    flex = flex_of(emulator)["appId"]
    snapshot = directory(emulator, PREVIEW, monkeypatch).read_principal_snapshot(flex, policy_name="x")
    assert (snapshot.assigned, snapshot.domains, snapshot.country, snapshot.tenant_id) == (None, None, None, "")
    assert snapshot.policies == ()
    (group,) = snapshot.assigned_groups(with_value=True)
    least, admin = directory(emulator, LEAST, monkeypatch), directory(emulator, ADMIN, monkeypatch)
    monkeypatch.setenv("FLEXSAML_SANDBOX_CLIENT", LEAST)
    assert least.direct_members([group]) == {group: None}
    monkeypatch.setenv("FLEXSAML_SANDBOX_CLIENT", ADMIN)
    assert len(admin.direct_members([group])[group] or ()) == 1  # the guest; the group inside it gives nobody a role
    assert admin.custom_claims(snapshot.principal.id) is False


@pytest.mark.parametrize(
    ("kind", "members", "users"),
    [
        ("User", {}, {"p"}),
        ("Group", {"p": frozenset({"a", "b"})}, {"a", "b"}),
        ("Group", {"p": frozenset()}, set()),
        ("Group", {"p": None}, None),
        ("Group", {}, None),
        ("ServicePrincipal", {}, set()),
    ],
)
def test_a_role_is_given_to_a_user_or_to_direct_members(
    kind: str, members: GroupMembers, users: set[str] | None
) -> None:
    assert RoleAssignment("p", kind, "agent", "P").user_ids(members) == users


def test_an_assignment_can_be_seen_from_the_policies_side(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    flex = flex_of(emulator)
    admin, preview = directory(emulator, ADMIN, monkeypatch), directory(emulator, PREVIEW, monkeypatch)
    assert preview.policies_applied_to(flex["id"]) == []
    monkeypatch.setenv("FLEXSAML_SANDBOX_CLIENT", ADMIN)
    definition = '{"ClaimsMappingPolicy":{"Version":1}}'
    made = [admin.create_policy(display_name=name, definition=definition) for name in ("first", "second")]
    admin.assign(flex["id"], made[1].id)
    monkeypatch.setenv("FLEXSAML_SANDBOX_CLIENT", PREVIEW)
    assert [policy.display_name for policy in preview.policies_applied_to(flex["id"])] == ["second"]
