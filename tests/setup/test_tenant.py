"""If this goes red, a lost answer or a slow replica makes a second registration or stops `setup` half-way.

Against the emulator, with a clock that only moves when somebody sleeps.
"""

from __future__ import annotations

from typing import Any

import pytest

from flexsaml.errors import UserError
from flexsaml.graph import Client, Directory, cloud, credentials
from flexsaml.setup import (
    MARK,
    Wanted,
    carry_out,
    choose_permissions,
    find_owned_objects,
    find_registration,
    list_needs,
    parse_github,
    plan_steps,
    read_existing,
    references_of,
)
from tests.emulator.process import AZURE_CLI, Emulator
from tests.graph.fakes import FakeClock

NAME = "flexsaml dev"
DELETED = "99999999-9999-4999-8999-999999999999"


@pytest.fixture
def directory(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Directory:
    """Of a person who ran `az login`."""
    monkeypatch.setenv("FLEXSAML_SANDBOX_CLIENT", AZURE_CLI)
    where, clock = cloud("loopback", graph_endpoint=emulator.http, login_endpoint=emulator.http), FakeClock()
    return Directory(Client(where, credentials(where, clock=clock), clock=clock, chance=lambda: 0.5))


def make(directory: Directory, emulator: Emulator) -> list[str]:
    """Titles of the steps that were made."""
    needs = list_needs("up", extensions=True, users=True, as_person=False)
    owned = find_owned_objects(directory, "Twilio Flex", "")
    federations = (parse_github("contoso/infra"),)
    wanted = Wanted(NAME, choose_permissions(needs), owned=owned, federations=federations, audience="api://x")
    made: list[str] = []

    def replan(application_id: str) -> tuple[Any, Any]:
        existing = read_existing(directory, wanted, application_id)
        steps = plan_steps(wanted, existing, graph_url=emulator.http, now=FakeClock().utc())
        return steps, references_of(existing.registration)

    steps, references = replan("")
    carry_out(directory, steps, dict(references), replan, on_step=lambda step, _: made.append(step.title), name=NAME)
    return made


def count_rows(emulator: Emulator) -> dict[str, int]:
    return {kind: len(rows) for kind, rows in emulator.export().items()}


LATE = {
    "status": 404,
    "code": "Request_ResourceNotFound",
    "message": "Resource 'x' does not exist or one of its queried",
}
NO_APPLICATION = {
    "status": 400,
    "code": "Request_BadRequest",
    "message": "The appId 'x' of the service principal does not reference a valid application object.",
}


@pytest.mark.parametrize(
    ("action", "path", "more"),
    [
        ("lose", "^/applications$", {}),
        ("lose", "^/servicePrincipals$", {}),
        ("lose", "/owners/.ref$", {}),
        ("lose", "/appRoleAssignedTo$", {}),
        ("lose", "/federatedIdentityCredentials$", {}),
        ("refuse", "^/applications$", {"status": 429}),
        ("refuse", "^/servicePrincipals$", NO_APPLICATION),
        ("refuse", "/federatedIdentityCredentials$", LATE),
        ("refuse", "/owners/.ref$", LATE),
        ("refuse", "/appRoleAssignedTo$", LATE),
    ],
)
@pytest.mark.parametrize("times", [1, 2])
def test_a_lost_or_late_answer_makes_nothing_twice(
    directory: Directory, emulator: Emulator, action: str, path: str, more: dict[str, Any], times: int
) -> None:
    emulator.fault(action, "POST", path, times=times, **more)
    before = count_rows(emulator)
    assert len(make(directory, emulator)) == 9
    after = count_rows(emulator)
    grown = {kind: after[kind] - before[kind] for kind in after if after[kind] != before[kind]}
    assert grown == {
        "applications": 1, "servicePrincipals": 1, "federatedIdentityCredentials": 1, "appRoleAssignments": 4
    }  # fmt: skip
    assert make(directory, emulator) == []


@pytest.mark.parametrize(("index_lag", "is_found"), [(3, True), (1000, False)])
def test_a_registration_of_unknown_outcome_is_not_made_again(
    directory: Directory, emulator: Emulator, index_lag: int, is_found: bool
) -> None:
    emulator.dials(index_lag=index_lag)
    emulator.fault("lose", "POST", "^/applications$")
    before = count_rows(emulator)["applications"]
    if is_found:
        assert len(make(directory, emulator)) == 9
    else:
        with pytest.raises(
            UserError, match="may have been made, and is not sent again; run the same command"
        ) as raised:
            make(directory, emulator)
        assert "\n" not in str(raised.value)
    assert count_rows(emulator)["applications"] == before + 1


def test_a_refusal_is_no_unknown_outcome(directory: Directory, emulator: Emulator) -> None:
    emulator.fault("refuse", "POST", "^/applications$", status=400, code="Request_BadRequest", message="no such name")
    with pytest.raises(UserError, match="no such name"):
        make(directory, emulator)


def test_a_new_registration_is_found_by_the_next_run(directory: Directory, emulator: Emulator) -> None:
    """The list by name, which the next run looks at, does not know it at once."""
    emulator.dials(index_lag=3)
    make(directory, emulator)
    assert make(directory, emulator) == []
    assert find_registration(directory, NAME)


def test_two_registrations_with_the_mark_are_left_to_a_person(directory: Directory, emulator: Emulator) -> None:
    for _ in range(2):
        emulator.graph("POST", "/applications", {"displayName": NAME, "tags": ["flexsaml-setup"]})
    before = emulator.export()
    with pytest.raises(UserError, match="2 app registrations called 'flexsaml dev' have the tag"):
        make(directory, emulator)
    assert emulator.export() == before


def test_a_list_that_shows_a_deleted_registration_is_no_second_one(directory: Directory, emulator: Emulator) -> None:
    make(directory, emulator)
    listed = [(DELETED, (MARK,)), *directory.find_applications(NAME)]
    assert find_registration(StaleList(directory, listed), NAME) == listed[1][0]


class StaleList(Directory):
    """Lists what it is told; everything else is the directory's."""

    def __init__(self, directory: Directory, listed: list[tuple[str, tuple[str, ...]]]) -> None:
        super().__init__(directory._client)
        self.listed = listed

    def find_applications(self, display_name: str) -> list[tuple[str, tuple[str, ...]]]:  # noqa: ARG002
        return self.listed


def test_a_role_of_another_application_is_no_consent(directory: Directory, emulator: Emulator) -> None:
    """Whoever makes an application chooses the ids of its roles."""
    make(directory, emulator)
    export = emulator.export()
    principal = next(row for row in export["servicePrincipals"] if row["displayName"] == NAME)
    consent = next(row for row in export["appRoleAssignments"] if row["principalId"] == principal["id"])
    role = {
        "allowedMemberTypes": ["Application"],
        "id": consent["appRoleId"],
        "isEnabled": True,
        "displayName": "x",
        "description": "x",
        "value": "x",
    }
    other = emulator.graph("POST", "/applications", {"displayName": "other", "appRoles": [role]}).json
    resource = emulator.graph("POST", "/servicePrincipals", {"appId": other["appId"]}).json
    path = f"/servicePrincipals/{principal['id']}/appRoleAssignments"
    body = {"principalId": principal["id"], "resourceId": resource["id"], "appRoleId": consent["appRoleId"]}
    assert emulator.graph("POST", path, body).status == 201
    assert emulator.graph("DELETE", f"{path}/{consent['id']}").status == 204
    (title,) = make(directory, emulator)
    assert title.startswith("consent to ")


def test_a_list_is_written_as_it_is_when_it_is_written(directory: Directory, emulator: Emulator) -> None:
    """Not as it was when it was planned: what somebody adds until then stays."""
    make(directory, emulator)
    registration = find_registration(directory, NAME)
    wanted = Wanted(NAME, {"User.Read.All": ["read"], "Group.Read.All": ["read"]})

    def replan(application_id: str) -> tuple[Any, Any]:
        existing = read_existing(directory, wanted, application_id)
        steps = plan_steps(wanted, existing, graph_url=emulator.http, now=FakeClock().utc())
        return steps, references_of(existing.registration)

    steps, references = replan("")
    access = [{"resourceAppId": DELETED, "resourceAccess": [{"id": DELETED, "type": "Role"}]}]
    assert emulator.graph("PATCH", f"/applications/{registration}", {"requiredResourceAccess": access}).status == 204
    carry_out(directory, steps, dict(references), replan, on_step=lambda *_: None, name=NAME)
    (row,) = [row for row in emulator.export()["applications"] if row["id"] == registration]
    assert access[0] in row["requiredResourceAccess"]
