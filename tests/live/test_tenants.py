"""If this goes red, the live suite touches a tenant that nobody named for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.emulator.process import ADMIN, TENANT, Emulator
from tests.live.__main__ import main
from tests.live.conftest import DOMAIN
from tests.live.tenant import MOST_USERS
from tests.live.test_run import arguments
from tests.providers.quick_connection import QuickClock


@pytest.mark.parametrize(
    ("tenants", "status", "words"),
    [
        ((), 0, "live suite skipped: no tenant is named"),
        ((" ",), 0, "live suite skipped: no tenant is named"),
        ((ADMIN,), 2, "the credential belongs to"),
        (("contoso.example",), 2, "the credential belongs to"),
        ((TENANT, ADMIN), 2, "one run has one tenant"),
        ((TENANT.upper(), TENANT), 0, "the report is in"),
    ],
)
def test_only_the_named_tenant_of_the_credential_is_touched(
    emulator: Emulator,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    tenants: tuple[str, ...],
    status: int,
    words: str,
) -> None:
    more = ("--no-sign-in", "--only", "property-body", "--report", str(tmp_path / "report.json"))
    given = arguments(emulator, *more, tenants=tenants)
    before = emulator.export()
    emulator.clear()
    assert main(given, QuickClock()) == status
    printed = capsys.readouterr()
    assert words in printed.out + printed.err
    wrote = [
        request for request in emulator.requests() if request["method"] != "GET" and "oauth2" not in request["path"]
    ]
    assert bool(wrote) is words.startswith("the report")
    assert (printed.out + printed.err).count("\n") == 1 or wrote
    assert emulator.export() == before


@pytest.mark.parametrize(("too_many", "times", "status"), [(0, 1, 0), (1, 1, 2), (1, 2, 0)])
def test_a_tenant_that_people_work_in_is_named_twice(
    emulator: Emulator, tmp_path: Path, capsys: pytest.CaptureFixture[str], too_many: int, times: int, status: int
) -> None:
    for number in range(MOST_USERS - len(emulator.export()["users"]) + too_many):
        name = f"user{number}"
        body = {"accountEnabled": True, "displayName": name, "mailNickname": name, "passwordProfile": {"password": "x"}}
        assert emulator.graph("POST", "/users", {**body, "userPrincipalName": f"{name}@{DOMAIN}"}).status == 201
    more = ("--no-sign-in", "--only", "property-body", "--report", str(tmp_path / "report.json"))
    assert main(arguments(emulator, *more, tenants=(TENANT,) * times), QuickClock()) == status
    assert ("more than 25 users" in capsys.readouterr().err) is (status == 2)
