"""If this goes red, `python -m flexsaml worker` compares the wrong things or ends in no usable line."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from tests.cli.command import Ended, assert_refused, run, stack_file
from tests.emulator import signin
from tests.emulator.process import Emulator
from tests.emulator.tenant import Tenant
from tests.prediction.seeded import MANDATORY

NAME_ID = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"
ADA = "ada@contoso.example"
KEYS = {"TWILIO_ACCOUNT_SID": f"AC{'0' * 32}", "TWILIO_AUTH_TOKEN": "sandbox", "TWILIO_WORKSPACE_SID": f"WS{'0' * 32}"}
POLICY = json.loads((signin.CORPUS / "03-twilio-flex-doc.json").read_text("utf-8"))


@pytest.fixture
def tenant(emulator: Emulator) -> Tenant:
    assigned = Tenant(emulator)
    signin.assign(assigned, POLICY)
    return assigned


def sign_in(tenant: Tenant, user: str = ADA) -> None:
    issued = signin.ask(tenant.emulator, user).json
    acs = urlsplit(issued["acs"])
    body = urlencode({"SAMLResponse": issued["SAMLResponse"]}).encode()
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert tenant.emulator.request("POST", f"{acs.path}?{acs.query}", body, kind).status < 400


def worker(tenant: Tenant, folder: Path, *arguments: str, **environment: str) -> Ended:
    return run("worker", *arguments, "--file", stack_file(folder, tenant.emulator), environment=environment)


def test_after_a_sign_in_the_worker_has_what_is_predicted(tenant: Tenant, tmp_path: Path) -> None:
    sign_in(tenant)
    ended = worker(tenant, tmp_path, ADA)
    assert (ended.status, ended.err) == (0, "")
    assert "the worker has what the next sign-in is predicted to store" in ended.out
    keyed = {**KEYS, "TWILIO_AUTH_TOKEN": "a real one", "FLEXSAML_TASKROUTER_URL": tenant.emulator.http}
    assert worker(tenant, tmp_path, ADA, **keyed).status == 0


def test_what_is_unknown_is_not_said_to_be_the_same(tenant: Tenant, tmp_path: Path) -> None:
    tenant.unassign(tenant.assigned()[0])
    teams = [{"Value": team, "SamlClaimType": "team"} for team in ("blue", "red")]
    roles = {"Value": "Agent", "SamlClaimType": "roles"}
    required = [entry for entry in MANDATORY if entry["SamlClaimType"] != "roles"]
    signin.assign(tenant, signin.claims(*required, roles, *teams))
    sign_in(tenant)
    ended = worker(tenant, tmp_path, ADA)
    assert ended.status == 0
    assert "it is not known whether the next sign-in works: what Flex does with the worker is unknown" in ended.out
    assert "is predicted to store, as far as that is known; unknown: team\n" in ended.out


def test_a_change_since_the_sign_in_is_a_difference(tenant: Tenant, tmp_path: Path) -> None:
    sign_in(tenant)
    tenant.patch({"displayName": "Augusta Ada King"})
    ended = worker(tenant, tmp_path, ADA, "--json")
    assert ended.status == 1
    body = json.loads(ended.out)
    assert body["differences"] == 1
    [row] = [row for row in body["attributes"] if row["difference"]]
    assert (row["name"], row["predicted"], row["actual"]) == ("full_name", "Augusta Ada King", "Ada Lovelace")
    assert "sign in again" in worker(tenant, tmp_path, ADA).out


def test_a_sign_in_that_fails_leaves_the_worker_as_it_is(tenant: Tenant, tmp_path: Path) -> None:
    sign_in(tenant)
    tenant.patch({"accountEnabled": False})
    ended = worker(tenant, tmp_path, ADA)
    assert ended.status == 1
    assert "leaves the worker unchanged: AADSTS50057" in ended.out


def test_an_unknown_name_id_asks_for_the_friendly_name(tenant: Tenant, tmp_path: Path) -> None:
    tenant.unassign(tenant.assigned()[0])
    signin.assign(tenant, signin.claims({"Value": "somebody", "SamlClaimType": NAME_ID}))
    assert_refused(worker(tenant, tmp_path, ADA), "worker", "--friendly-name")


@pytest.mark.parametrize(
    ("arguments", "environment", "words"),
    [
        ((ADA,), {}, ("no worker is called 'ada@contoso.example'", "sign in to Flex once")),
        (("nobody@contoso.example",), {}, ("no user 'nobody@contoso.example'",)),
        ((ADA,), {**KEYS, "TWILIO_WORKSPACE_SID": "", "FLEXSAML_TASKROUTER_URL": ""}, ("TWILIO_WORKSPACE_SID",)),
        ((ADA,), {"FLEXSAML_TASKROUTER_URL": "http://127.0.0.1:9"}, ("127.0.0.1:9 cannot be reached",)),
        ((ADA,), {"FLEXSAML_TASKROUTER_URL": "https://example.com"}, ("FLEXSAML_TASKROUTER_URL",)),
    ],
)
def test_what_cannot_be_compared_is_one_line(
    tenant: Tenant, tmp_path: Path, arguments: tuple[str, ...], environment: dict[str, str], words: tuple[str, ...]
) -> None:
    local = {"FLEXSAML_TASKROUTER_URL": tenant.emulator.http, **environment} if environment else {}
    ended = worker(tenant, tmp_path, *arguments, **local)
    assert_refused(ended, "worker", *words)


def test_nothing_assigned_is_one_line(tenant: Tenant, tmp_path: Path) -> None:
    tenant.unassign(tenant.assigned()[0])
    assert_refused(worker(tenant, tmp_path, ADA), "worker", "no claims mapping policy is assigned")
