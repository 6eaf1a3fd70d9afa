"""If this goes red, a person who signed in is not believed or is asked again in the middle of an update, a job in CI waits
for a person, or a token lies where others can read it.

azure-identity and MSAL are the real ones; the token service is `device_login`, over TLS.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError

from flexsaml.errors import UserError
from flexsaml.graph.clouds import Cloud, cloud
from flexsaml.graph.errors import NoCredential, NotSent
from flexsaml.graph.person import PublicClient, SignedInPerson, record_file, sign_in, wants_device_code
from flexsaml.graph.tokens import credentials

from .device_login import ACCESS, CLIENT, PERSON, REFRESH, TENANT, DeviceLogin, serve

OURS = PublicClient(CLIENT, TENANT, unencrypted=True)
LOGIN = f"run `python -m flexsaml login --client-id {CLIENT} --tenant {TENANT}`"


@pytest.fixture
def login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DeviceLogin]:
    """A token service, and a home of one's own for what is kept."""
    with serve(tmp_path) as (server, bundle):
        for name, value in {
            "HOME": str(tmp_path),
            "REQUESTS_CA_BUNDLE": str(bundle),
            "AZURE_CLIENT_ID": CLIENT,
            "AZURE_TENANT_ID": TENANT,
            "FLEXSAML_SIGN_IN": "device-code",
        }.items():
            monkeypatch.setenv(name, value)
        for name in ("XDG_CONFIG_HOME", "CI", "TF_BUILD", "NO_PROXY", "HTTPS_PROXY"):
            monkeypatch.delenv(name, raising=False)
        yield server


def ignore(_address: str, _code: str, _until: datetime) -> None:
    """For tests in which nobody reads the code."""


def test_a_person_signs_in_once_and_is_not_asked_again(login: DeviceLogin, tmp_path: Path) -> None:
    shown: list[tuple[str, str]] = []
    name = sign_in(login.cloud, OURS, lambda address, code, _until: shown.append((address, code)))
    assert (name, shown) == (PERSON, [("https://microsoft.com/devicelogin", "ABCD1234")])
    assert login.asked == ["devicecode", "device_code"]
    assert credentials(login.cloud).token() == f"{ACCESS}-2"
    assert credentials(login.cloud, TENANT).token() == f"{ACCESS}-2"
    assert login.asked == ["devicecode", "device_code"], "the token came from what is kept"

    kept = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "ca.pem"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept if path.stat().st_size} == {0o600}
    record = record_file(OURS, {"HOME": str(tmp_path)})
    assert record in kept
    assert ACCESS not in record.read_text()
    assert REFRESH not in record.read_text()


def test_a_token_that_ends_is_renewed_without_anybody(login: DeviceLogin) -> None:
    login.lifetime = 1
    sign_in(login.cloud, OURS, ignore)
    assert SignedInPerson(login.cloud, "").get_token("https://graph.microsoft.com/.default").token == f"{ACCESS}-3"
    assert login.asked == ["devicecode", "device_code", "refresh_token"]


def test_an_ended_sign_in_is_one_line_and_asks_nobody(login: DeviceLogin) -> None:
    login.lifetime = 1
    sign_in(login.cloud, OURS, ignore)
    login.refused["refresh_token"] = ("invalid_grant", "AADSTS50173: The provided grant has expired.")
    with pytest.raises(NoCredential) as raised:
        credentials(login.cloud).token()
    assert str(raised.value) == f"sign in to Microsoft Entra by device code: the sign-in has ended; {LOGIN}"
    assert login.asked.count("devicecode") == 1


@pytest.mark.parametrize(
    ("refused", "words"),
    [
        ({"devicecode": ("unauthorized_client", "AADSTS700016: Application not found.")}, "check --client-id and --tenant"),
        ({"device_code": ("invalid_client", "AADSTS7000218: The request body must contain …")}, "Allow public client flows"),
        ({"device_code": ("invalid_grant", "AADSTS65001: The user has not consented.")}, "administrator has to consent"),
        ({"device_code": ("invalid_grant", "AADSTS53003: Access has been blocked.")}, "Conditional Access"),
        ({"device_code": ("expired_token", "AADSTS70020: The code has expired.")}, LOGIN),
        ({"device_code": ("access_denied", "declined")}, LOGIN),
    ],
)  # fmt: skip
def test_a_refused_sign_in_is_one_line_and_keeps_nothing(
    login: DeviceLogin, tmp_path: Path, refused: dict[str, tuple[str, str]], words: str
) -> None:
    login.refused = refused
    with pytest.raises(NoCredential) as raised:
        sign_in(login.cloud, OURS, ignore)
    line = str(raised.value)
    assert words in line
    assert "Trace ID" not in line
    assert not record_file(OURS, {"HOME": str(tmp_path)}).exists()


@pytest.mark.parametrize(
    ("registration", "words"),
    [
        (PublicClient(CLIENT, "other.example", unencrypted=True), "there is no tenant 'other.example'"),
        (PublicClient(CLIENT, "not a tenant!", unencrypted=True), "there is no tenant 'not a tenant!'"),
        (PublicClient("flex", TENANT), "'flex' is not an appId; set AZURE_CLIENT_ID"),
        (PublicClient("", TENANT), "no application is named"),
        (PublicClient(CLIENT, ""), "no tenant is named; set AZURE_TENANT_ID"),
    ],
)
def test_a_wrong_registration_is_one_line(login: DeviceLogin, registration: PublicClient, words: str) -> None:
    with pytest.raises(NoCredential) as raised:
        sign_in(login.cloud, registration, ignore)
    assert words in str(raised.value)


def test_a_service_out_of_reach_is_no_reason_to_sign_in_again(login: DeviceLogin) -> None:
    """Transient: the caller of a token tries again."""
    login.lifetime = 1
    sign_in(login.cloud, OURS, ignore)
    where = login.cloud
    login.shutdown()
    login.server_close()
    for attempt in (lambda: credentials(where).token(), lambda: sign_in(where, OURS, ignore)):
        with pytest.raises(NotSent, match="check that https://localhost:") as raised:
            attempt()
        assert not isinstance(raised.value, NoCredential)
        assert raised.value.transient


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, f"nobody has signed in to tenant {TENANT} with it on this machine; {LOGIN}"),
        ("{", "cannot be read"),
        ("{}", "cannot be read"),
        ('{"record": {"version": "9"}, "unencrypted": false}', "cannot be read"),
    ],
)
def test_without_a_record_nobody_is_signed_in(
    login: DeviceLogin, tmp_path: Path, content: str | None, words: str
) -> None:
    file = record_file(OURS, {"HOME": str(tmp_path)})
    if content is not None:
        file.parent.mkdir(parents=True)
        file.write_text(content)
    with pytest.raises(NoCredential) as raised:
        credentials(login.cloud).token()
    assert words in str(raised.value)


def test_a_sign_in_counts_for_its_cloud_and_its_tenant(login: DeviceLogin) -> None:
    sign_in(login.cloud, OURS, ignore)
    with pytest.raises(NoCredential, match=r"has signed in at localhost.* with --cloud usgov"):
        SignedInPerson(cloud("usgov"), "")
    with pytest.raises(NoCredential, match=r"nobody has signed in to tenant other\.example"):
        SignedInPerson(login.cloud, "other.example")


def test_tokens_are_not_kept_in_the_clear_unless_somebody_said_so(tmp_path: Path) -> None:
    asked: list[dict[str, Any]] = []

    class Unable:
        """As azure-identity is on a machine without libsecret."""

        def __init__(self, **options: Any) -> None:
            asked.append(options)

        def authenticate(self, **_: Any) -> None:
            raise ClientAuthenticationError("Authentication failed: Cache encryption is impossible because libsecret …")

    home = {"XDG_CONFIG_HOME": str(tmp_path)}
    with pytest.raises(NoCredential, match="with --unencrypted"):
        sign_in(PUBLIC, PublicClient(CLIENT, TENANT), ignore, environment=home, open_credential=Unable)  # type: ignore[arg-type]
    assert asked[0]["cache_persistence_options"].allow_unencrypted_storage is False
    assert list(tmp_path.iterdir()) == []


PUBLIC = Cloud("public", "https://graph.microsoft.com", "https://login.microsoftonline.com")


@pytest.mark.parametrize(
    ("environment", "outcome"),
    [
        ({}, False),
        ({"FLEXSAML_SIGN_IN": ""}, False),
        ({"CI": "true"}, False),
        ({"FLEXSAML_SIGN_IN": "device-code"}, True),
        ({"FLEXSAML_SIGN_IN": "device-code", "CI": "false", "TF_BUILD": "0"}, True),
        ({"FLEXSAML_SIGN_IN": "device-code", "AZURE_CLIENT_SECRET": "x"}, True),
        ({"FLEXSAML_SIGN_IN": "device-code", "CI": "true"}, "this is CI (CI is set), where no person can sign in"),
        ({"FLEXSAML_SIGN_IN": "device-code", "TF_BUILD": "True"}, "this is CI (TF_BUILD is set)"),
        ({"FLEXSAML_SIGN_IN": "Device-Code"}, "'Device-Code' is not a way to sign in; set it to device-code"),
        ({"FLEXSAML_SIGN_IN": "browser", "CI": "true"}, "'browser' is not a way to sign in"),
    ],
)
def test_a_person_is_chosen_by_the_environment_and_never_in_ci(
    environment: dict[str, str], outcome: bool | str
) -> None:
    if isinstance(outcome, bool):
        assert wants_device_code(environment) is outcome
        return
    with pytest.raises(UserError) as raised:
        wants_device_code(environment)
    assert outcome in str(raised.value)


def test_the_command_is_refused_in_ci_before_anything_is_asked() -> None:
    def never(**_: Any) -> Any:
        raise AssertionError("a credential was opened")

    with pytest.raises(NoCredential, match="this is CI"):
        sign_in(PUBLIC, OURS, ignore, environment={"CI": "1"}, open_credential=never)


@pytest.mark.parametrize(
    ("tenant", "name"), [("Contoso.Example", "contoso.example"), ("../../x", ".._.._x"), (TENANT.upper(), TENANT)]
)
def test_the_record_lies_in_one_folder_whatever_the_tenant_is_called(tenant: str, name: str) -> None:
    file = record_file(PublicClient(CLIENT, tenant), {"XDG_CONFIG_HOME": "/c"})
    assert file == Path(f"/c/flexsaml/sign-in-{CLIENT}-{name}.json")


def test_the_record_says_how_the_tokens_are_kept(login: DeviceLogin, tmp_path: Path) -> None:
    sign_in(login.cloud, OURS, ignore)
    kept = json.loads(record_file(OURS, {"HOME": str(tmp_path)}).read_text())
    assert kept["unencrypted"] is True
    assert kept["record"]["username"] == PERSON
