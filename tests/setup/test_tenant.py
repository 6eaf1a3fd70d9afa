"""If this goes red, a lost answer or a slow replica makes a second registration or stops `setup` half-way, or the stack of
one tenant is set up in another.

Against the emulator, with a clock that only moves when somebody sleeps.
"""

from __future__ import annotations

from typing import Any

import pytest

from flexsaml.errors import UserError
from flexsaml.graph import Client, Directory, cloud, credentials
from flexsaml.setup import (
    Wanted,
    carry_out,
    check_tenant,
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
        ("refuse", "^/applications$", {"status": 503, "code": "x", "message": "x"}),
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


ID, OTHER = "c0ffee00-5eed-4a11-8c01-7e2a27c0d05e", "99999999-9999-4999-8999-999999999999"


@pytest.mark.parametrize(
    ("actual", "stated", "is_refused"),
    [
        (ID, ID, False),
        (ID, ID.upper(), False),
        (ID, "", False),
        (ID, "contoso.example", False),
        ("", ID, False),
        (ID, OTHER, True),
    ],
)
def test_the_tenant_of_the_stack_is_that_of_the_token(actual: str, stated: str, is_refused: bool) -> None:
    if not is_refused:
        check_tenant(actual, stated)
        return
    with pytest.raises(UserError, match=f"az login --tenant {OTHER}"):
        check_tenant(actual, stated)
