"""If this goes red, `login` begins what cannot end well, or the terminal shows what a tenant wrote as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from flexsaml.cli import main
from flexsaml.cli.login import announce
from flexsaml.graph import PublicClient
from tests.cli.command import assert_refused, run
from tests.graph.device_login import CLIENT, TENANT, serve

GIVEN = ("--client-id", CLIENT, "--tenant", TENANT)


@pytest.mark.parametrize(
    ("arguments", "environment", "words"),
    [
        ((), {}, "give --client-id"),
        (("--client-id", CLIENT), {}, "give --tenant"),
        ((), {"AZURE_CLIENT_ID": CLIENT}, "give --tenant"),
        (("--client-id", "flex", "--tenant", TENANT), {}, "'flex' is not an appId"),
        (GIVEN, {"CI": "true"}, "this is CI (CI is set), where no person can sign in"),
        (
            (),
            {"AZURE_CLIENT_ID": CLIENT, "AZURE_TENANT_ID": TENANT, "TF_BUILD": "True"},
            "this is CI (TF_BUILD is set)",
        ),
    ],
)
def test_what_cannot_be_signed_in_is_one_line(
    tmp_path: Path, arguments: tuple[str, ...], environment: dict[str, str], words: str
) -> None:
    kept = {"HOME": str(tmp_path), "CI": "", "TF_BUILD": "", **environment}
    assert_refused(run("login", *arguments, environment=kept), "login", words)
    assert list(tmp_path.iterdir()) == []


def test_the_sandbox_is_not_offered(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["login", *GIVEN, "--cloud", "loopback"])
    assert "invalid choice: 'loopback'" in capsys.readouterr().err


def test_the_code_and_what_to_do_next_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with serve(tmp_path) as (server, bundle):
        server.person = "admin\x1b[2J@contoso.example"
        for name, value in {"HOME": str(tmp_path), "REQUESTS_CA_BUNDLE": str(bundle), "CI": "", "TF_BUILD": ""}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
        assert announce(server.cloud, PublicClient(CLIENT, TENANT, unencrypted=True)) == 0
    first, second, third = capsys.readouterr().out.splitlines()
    assert first.startswith("Open https://microsoft.com/devicelogin in a browser and enter the code ABCD1234, until ")
    assert second.startswith("admin\\x1b[2J@contoso.example is signed in.")
    assert third == f"export FLEXSAML_SIGN_IN=device-code AZURE_CLIENT_ID={CLIENT} AZURE_TENANT_ID={TENANT}"
