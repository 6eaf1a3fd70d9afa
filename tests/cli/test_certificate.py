"""If this goes red, a stack without a usable signing certificate cannot be mended by command, or the command breaks
sign-ins that worked: it activates what Entra does not sign with, or makes a second certificate where one waits.
"""

from __future__ import annotations

import base64
import json
import os
import stat
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from flexsaml.cli.certificate import find_waiting, judge_key
from flexsaml.graph import Application, PrincipalSnapshot, ServicePrincipal, SigningKey
from tests.cli.command import Ended, assert_refused, run, stack_file
from tests.cli.setup_command import answer_at_a_terminal
from tests.emulator import signin
from tests.emulator.process import LEAST, PREVIEW, Emulator
from tests.emulator.tenant import ADA, FLEX, FLEX_APP, STAGING, Tenant

NOW = datetime(2026, 5, 4, 12, tzinfo=timezone.utc)
ACTIVE = FLEX["preferredTokenSigningKeyThumbprint"]
[SPARE] = {base64.b64decode(key["customKeyIdentifier"]).hex().upper() for key in FLEX["keyCredentials"]} - {ACTIVE}


@pytest.fixture
def tenant(emulator: Emulator) -> Tenant:
    return Tenant(emulator)


def certificate(tenant: Tenant, folder: Path, *arguments: str, client: str = "", **keys: str) -> Ended:
    environment = {"FLEXSAML_SANDBOX_CLIENT": client} if client else {}
    file = stack_file(folder, tenant.emulator, **keys)
    return run("certificate", "--file", file, *arguments, cwd=folder, environment=environment)


def doctor(tenant: Tenant, folder: Path, area: str = "preflight") -> list[str]:
    """What doctor says about the tenant."""
    ended = run("doctor", "--json", "--file", stack_file(folder, tenant.emulator))
    return [
        f"{row['what']}; {row['remedy']} [{row['rule']}]"
        for row in json.loads(ended.out)["rows"]
        if row["area"] == area
    ]


def without_certificates(tenant: Tenant, **more: Any) -> None:
    signin.patch_principal(tenant, preferredTokenSigningKeyThumbprint=None, keyCredentials=[], **more)


def active(tenant: Tenant) -> str | None:
    """The thumbprint that the principal shows as active."""
    path = f"/servicePrincipals/{FLEX['id']}?$select=preferredTokenSigningKeyThumbprint"
    thumbprint: str | None = tenant.emulator.graph("GET", path).json["preferredTokenSigningKeyThumbprint"]
    return thumbprint


def credentials(tenant: Tenant) -> list[dict[str, Any]]:
    """The principal's public key credentials."""
    principal = tenant.emulator.graph("GET", f"/servicePrincipals/{FLEX['id']}?$select=keyCredentials").json
    return [key for key in principal["keyCredentials"] if key["usage"] == "Verify"]


def test_from_a_refused_sign_in_to_one_that_flex_can_check(tenant: Tenant, tmp_path: Path) -> None:
    """doctor warns and names the command; the command mends it; doctor is content; the sign-in works, and the file that
    Flex is given verifies its response."""
    policy = {"Source": "user", "ID": "mail", "SamlClaimType": "email"}
    signin.assign(tenant, signin.claims(policy))
    without_certificates(tenant)
    assert signin.ask(tenant.emulator, ADA).json["error"]["code"] == "AADSTS50146"
    [warning] = [line for line in doctor(tenant, tmp_path) if "signing-key" in line]
    assert warning.endswith(
        "; create one: `python -m flexsaml certificate --stack STACK --create --out FILE` [signing-key-missing]"
    )
    ended = certificate(tenant, tmp_path)
    assert (ended.status, "none" in ended.out.splitlines()[1]) == (1, True)

    ended = certificate(tenant, tmp_path, "--create", "--out", "flex.pem", "--yes", "--json")
    made = json.loads(ended.out)
    assert (ended.status, made["created"], made["file"]) == (0, True, "flex.pem")
    thumbprint = made["thumbprint"]
    [warning] = [line for line in doctor(tenant, tmp_path) if "signing-key" in line]
    assert f"certificate --stack STACK --activate {thumbprint}" in warning
    assert signin.ask(tenant.emulator, ADA).json["error"]["code"] == "AADSTS50146", "it is not active yet"

    ended = certificate(tenant, tmp_path, "--activate", thumbprint.lower(), "--yes")
    assert ended.status == 0
    assert "Flex must have it before" in ended.out
    assert not [line for line in doctor(tenant, tmp_path) if "signing-key" in line]
    assert certificate(tenant, tmp_path).status == 0
    response = signin.ask(tenant.emulator, ADA)
    assert response.status == 200
    (tmp_path / "response").write_text(response.json["SAMLResponse"])
    checked = run("verify", "response", "--certificate", "flex.pem", "--json", cwd=tmp_path)
    checks = {check["check"]: check["status"] for check in json.loads(checked.out)["checks"]}
    assert checks["signature"] == "ok"


def test_what_is_shown(tenant: Tenant, tmp_path: Path) -> None:
    ended = certificate(tenant, tmp_path, "--json")
    shown = json.loads(ended.out)
    assert (ended.status, ended.err, shown["principal"], shown["findings"]) == (0, "", FLEX["id"], [])
    assert shown["certificates"] == [
        {"thumbprint": ACTIVE, "active": True, "from": "2026-01-01", "until": "2028-06-30", "verdict": "valid"},
        {"thumbprint": SPARE, "active": False, "from": "2026-01-01", "until": "2028-12-31", "verdict": "valid"},
    ]
    lines = certificate(tenant, tmp_path).out.splitlines()
    assert [line.split() for line in lines[2:]] == [
        [ACTIVE, "yes", "2026-01-01", "2028-06-30", "valid"],
        [SPARE, "-", "2026-01-01", "2028-12-31", "valid"],
        ["fine:", "Entra", "has", "a", "certificate", "to", "sign", "with"],
    ]


def test_a_stack_that_silences_preflight_is_told_all_the_same(tenant: Tenant, tmp_path: Path) -> None:
    without_certificates(tenant)
    ended = certificate(tenant, tmp_path, rules='{signing-key-missing: "off"}')
    assert (ended.status, "[signing-key-missing]" in ended.out, "fine" in ended.out) == (1, True, False)


def test_roll_over_twice_in_the_same_way(tenant: Tenant, tmp_path: Path) -> None:
    """A certificate that waits for its activation is taken instead of a new one; the second run changes nothing."""
    before = credentials(tenant)
    ended = certificate(tenant, tmp_path, "--create", "--out", "flex.pem")
    assert (ended.status, credentials(tenant), active(tenant)) == (0, before, ACTIVE)
    assert f"nothing was created: {SPARE}" in ended.out
    pem = (tmp_path / "flex.pem").read_text()
    assert pem.startswith("-----BEGIN CERTIFICATE-----\n")
    assert "".join(pem.splitlines()[1:-1]) == before[1]["key"]
    assert stat.S_IMODE((tmp_path / "flex.pem").stat().st_mode) == 0o600
    assert certificate(tenant, tmp_path, "--activate", SPARE, "--yes").status == 0
    ended = certificate(tenant, tmp_path, "--activate", SPARE)
    assert (ended.status, "nothing to do" in ended.out) == (0, True)
    assert active(tenant) == SPARE

    ended = certificate(
        tenant, tmp_path, "--create", "--out", "next.pem", "--yes", "--name", "CN=next", "--until", "2029-01-31"
    )
    assert ended.status == 0, ended.err
    new = credentials(tenant)[-1]
    assert (new["displayName"], new["endDateTime"][:19]) == ("CN=next", "2029-01-31T23:59:59")
    assert active(tenant) == SPARE
    assert certificate(tenant, tmp_path, "--activate", ACTIVE, "--yes").status == 0, "back to the first one"


def test_without_a_yes_it_only_shows(tenant: Tenant, tmp_path: Path) -> None:
    without_certificates(tenant)
    ended = certificate(tenant, tmp_path, "--create", "--out", "flex.pem")
    assert (ended.status, credentials(tenant)) == (1, [])
    assert "1. make a self-signed certificate 'CN=Twilio Flex SAML', valid for 3 years, for 'Twilio Flex'" in ended.out
    assert "add --yes" in ended.err
    assert not (tmp_path / "flex.pem").exists()
    signin.patch_principal(tenant, keyCredentials=FLEX["keyCredentials"], preferredTokenSigningKeyThumbprint=ACTIVE)
    ended = certificate(tenant, tmp_path, "--activate", SPARE, "--json")
    assert (ended.status, ended.out, active(tenant)) == (1, "", ACTIVE)
    assert f"with {SPARE} instead of {ACTIVE}: Flex must have it before" in ended.err


@pytest.mark.parametrize(
    ("arguments", "left"), [(("--activate", SPARE), [ACTIVE]), (("--create", "--out", "flex.pem"), [])]
)
def test_what_was_changed_while_the_question_waited_is_not_acted_on(
    tenant: Tenant, tmp_path: Path, arguments: tuple[str, ...], left: list[str]
) -> None:
    """Whoever answers after an hour has read what was true an hour before."""
    if not left:
        without_certificates(tenant)

    def change() -> None:
        if left:
            signin.patch_principal(tenant, keyCredentials=moved(100, -1))
        else:
            signin.patch_principal(
                tenant, keyCredentials=FLEX["keyCredentials"], preferredTokenSigningKeyThumbprint=ACTIVE
            )

    given = ["certificate", "--file", stack_file(tmp_path, tenant.emulator), *arguments]
    given = [str(tmp_path / word) if word == "flex.pem" else word for word in given]
    status, shown = answer_at_a_terminal(given, {**os.environ, "COLUMNS": "200"}, "yes", change)
    assert status == 2, shown
    assert "'Twilio Flex' was changed while the question waited; nothing was changed" in shown
    assert (active(tenant), len(credentials(tenant))) == (ACTIVE, 2)
    assert not (tmp_path / "flex.pem").exists()


def moved(days_begun: int, days_left: int) -> list[dict[str, Any]]:
    """The seed's credentials; the active one with another life."""
    now = datetime.now(timezone.utc)
    life = {
        "startDateTime": f"{now - timedelta(days_begun):%Y-%m-%dT%H:%M:%SZ}",
        "endDateTime": f"{now + timedelta(days_left):%Y-%m-%dT%H:%M:%SZ}",
    }
    return [
        {**key, **life} if base64.b64decode(key["customKeyIdentifier"]).hex().upper() == SPARE else key
        for key in FLEX["keyCredentials"]
    ]


@pytest.mark.parametrize(
    ("keys", "thumbprint", "words"),
    [
        (moved(100, -1), SPARE, "is not activated: it is expired since"),
        (moved(-5, 100), SPARE, "is not activated: it is not valid before"),
        ([key for key in FLEX["keyCredentials"] if key["usage"] == "Verify"], SPARE, "without its private key"),
        (moved(100, 100), "AB" * 20, f"has no certificate '{'AB' * 20}'; it has: {ACTIVE}, {SPARE}"),
        ([], SPARE, "it has: none"),
    ],
)
def test_what_entra_does_not_sign_with_is_not_activated(
    tenant: Tenant, tmp_path: Path, keys: list[dict[str, Any]], thumbprint: str, words: str
) -> None:
    signin.patch_principal(tenant, keyCredentials=keys)
    assert_refused(certificate(tenant, tmp_path, "--activate", thumbprint, "--yes"), "certificate", words)
    assert active(tenant) == ACTIVE


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--create"], "give --out FILE"),
        (["--export", SPARE], "give --out FILE"),
        (["--out", "x.pem"], "--out belongs to"),
        (["--activate", SPARE, "--until", "2027-01-01"], "--name and --until belong to --create"),
        (["--create", "--out", "x.pem", "--name", "flex"], "does not begin with CN="),
        (["--create", "--out", "x.pem", "--until", "next year"], "is not a day such as"),
        (["--create", "--out", "x.pem", "--until", "2020-01-01"], "ends after today"),
        (["--create", "--out", "x.pem", "--until", "2126-01-01"], "at most 3 years from now"),
        (["--create", "--out", "absent/x.pem", "--yes"], "absent is no directory in which files can be made"),
        (["--create", "--out", ".", "--yes"], "it is a directory"),
        (["--export", "AA", "--out", "x.pem"], "has no certificate 'AA'"),
        (["--export", SPARE, "--out", "private.key"], "private.key exists, is no certificate, and is not overwritten"),
        (
            ["--create", "--out", "private.key", "--yes"],
            "private.key exists, is no certificate, and is not overwritten",
        ),
        (["--create", "--out", "x.pem", "--name", "CN=mine"], f"{SPARE} waits for its activation, and --name and"),
    ],
)
def test_wrong_usage_is_one_line_and_changes_nothing(
    tenant: Tenant, tmp_path: Path, arguments: list[str], words: str
) -> None:
    (tmp_path / "private.key").write_text("-----BEGIN PRIVATE KEY-----\n")
    before = tenant.emulator.export()
    assert_refused(certificate(tenant, tmp_path, *arguments), "certificate", words)
    assert tenant.emulator.export() == before


@pytest.mark.parametrize(
    "arguments",
    [("--create", "--out", "flex.pem", "--yes"), ("--activate", SPARE, "--yes")],
    ids=lambda given: given[0],
)
def test_a_missing_permission_is_named(tenant: Tenant, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    if "--create" in arguments:
        without_certificates(tenant)
    ended = certificate(tenant, tmp_path, *arguments, client=PREVIEW)
    assert (ended.status, ended.err.count("\n")) == (2, 1)
    assert "403" in ended.err
    assert "grant the identity in use Application.ReadWrite.OwnedBy and ownership of the object" in ended.err
    assert certificate(tenant, tmp_path, *arguments, client=LEAST).status == 0
    ended = certificate(tenant, tmp_path, client=PREVIEW)
    assert ended.status in (0, 1), ended.err


def test_export_writes_what_is_there(tenant: Tenant, tmp_path: Path) -> None:
    spaced = " ".join(ACTIVE[at : at + 2] for at in range(0, 40, 2)).lower()
    assert certificate(tenant, tmp_path, "--export", spaced, "--out", "active.pem", client=PREVIEW).status == 0
    pem = (tmp_path / "active.pem").read_text()
    assert "".join(pem.splitlines()[1:-1]) == credentials(tenant)[0]["key"]


def in_days(number: float) -> datetime:
    return NOW + timedelta(days=number)


@pytest.mark.parametrize(
    ("key", "verdict"),
    [
        (SigningKey("AA", in_days(31), in_days(-9)), "valid"),
        (SigningKey("AA", in_days(31)), "without dates, and it is not documented whether Entra signs with it"),
        (SigningKey("AA", None, in_days(-9)), "without dates, and it is not documented whether Entra signs with it"),
        (SigningKey("AA", in_days(10.5), in_days(-9)), "valid, and ends in 10 days"),
        (SigningKey("AA", in_days(0)), "expired since 2026-05-04"),
        (SigningKey("AA", in_days(400), in_days(1)), "not valid before 2026-05-05"),
    ],
)
def test_the_verdict_on_one_certificate(key: SigningKey, verdict: str) -> None:
    assert judge_key(key, NOW) == verdict


@pytest.mark.parametrize(
    ("active", "ends", "waiting"),
    [
        ("AA", {"AA": 20, "BB": 900}, "BB"),
        ("AA", {"AA": 20, "BB": 900, "CC": 1000}, "CC"),
        ("BB", {"AA": 20, "BB": 900}, ""),  # the old one after a roll-over
        ("BB", {"AA": 200, "BB": 900}, ""),  # also an old one that is good for long
        ("AA", {"AA": 20}, ""),
        ("AA", {"AA": -5, "BB": 20}, ""),  # too short a life to be worth it
        ("", {"AA": 400}, "AA"),
        ("AA", {"AA": 900, "BB": 400}, ""),
    ],
)
def test_which_certificate_waits_for_its_activation(active: str, ends: dict[str, int], waiting: str) -> None:
    keys = [SigningKey(name, in_days(days), in_days(-9)) for name, days in ends.items()]
    others = [SigningKey("EE", in_days(2000), in_days(5)), SigningKey("FF", None), SigningKey("FE", in_days(2000))]
    found_key = find_waiting(snapshot(active_key=active, keys=(*keys, *others)), NOW)
    assert (found_key.thumbprint if found_key else "") == waiting


def snapshot(**changes: Any) -> PrincipalSnapshot:
    given: dict[str, Any] = {
        "application": Application(FLEX_APP["id"], FLEX_APP["appId"], "Twilio Flex"),
        "principal": ServicePrincipal(STAGING["id"], FLEX_APP["appId"], "Twilio Flex"),
        "properties": (), "assigned": (), "policies": (), "enabled": True, "audiences": (), "active_key": "", "keys": (),
        "accept_mapped_claims": False, "multi_tenant": False, "roles": (), "domains": (), "owner_has_principal": True,
    }  # fmt: skip
    return PrincipalSnapshot(**{**given, **changes})
