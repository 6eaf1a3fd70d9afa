"""If this goes red, `setup` gives rights to a registration, or a credential, that somebody else has planted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.command import assert_refused
from tests.cli.setup_command import KEY, UP, Setup, granted, setup
from tests.emulator.process import Emulator

__all__ = ["setup"]  # a fixture


def test_a_strangers_registration_stays(setup: Setup, emulator: Emulator) -> None:
    made = emulator.graph("POST", "/applications", {"displayName": "flexsaml flexsaml dev"}).json
    before = emulator.export()
    assert_refused(
        setup("--github", "contoso/infra", "--yes"),
        "setup",
        "setup did not make",
        made["id"],
        "choose another name with --name",
    )
    assert setup("--remove", "--yes").status == 2
    assert emulator.export() == before


PASSWORD = {"passwordCredential": {"displayName": "flexsaml setup"}}
FEDERATED = {"name": "github-contoso", "issuer": "https://evil.example", "subject": "x", "audiences": ["api://x"]}


@pytest.mark.parametrize(
    ("application", "path", "body", "words"),
    [
        ({}, "/addPassword", PASSWORD, "client secret 'flexsaml setup'"),
        ({}, "/federatedIdentityCredentials", FEDERATED, "federated credential 'github-contoso' (x of https://evil"),
        ({"keyCredentials": [KEY]}, "", {}, "certificate 'flexsaml AB'"),
        ({"web": {"redirectUris": ["https://evil.example/"]}}, "", {}, "redirect URI https://evil.example/"),
        ({}, "", {}, "owner "),
    ],
    ids=["secret", "federation", "certificate", "redirect URI", "owner alone"],
)
def test_a_planted_registration_gets_no_rights(
    setup: Setup, emulator: Emulator, application: dict[str, Any], path: str, body: dict[str, Any], words: str
) -> None:
    """Anybody who may register applications can give one the name and the tag of `setup`."""
    planted = {"displayName": "flexsaml flexsaml dev", "tags": ["flexsaml-setup"], **application}
    made = emulator.graph("POST", "/applications", planted).json
    if path:
        assert emulator.graph("POST", f"/applications/{made['id']}{path}", body).status in (200, 201)
    before, arguments = emulator.export(), ("--github", "contoso/infra")
    for more in ("--yes", "--print"):
        assert_refused(setup(*arguments, more), "setup", made["id"], words, "--accept-existing")
    assert emulator.export() == before

    shown = setup(*arguments, "--accept-existing")
    assert f". keep {words}" in shown.out
    assert f"# it holds, and keeps: {words}" in setup(*arguments, "--accept-existing", "--print").out
    assert emulator.export() == before
    assert setup(*arguments, "--accept-existing", "--yes").status == 0
    assert granted(emulator) == UP


def test_a_planted_registration_is_not_taken_for_the_one_whose_answer_was_lost(
    setup: Setup, emulator: Emulator
) -> None:
    emulator.dials(index_lag=2)  # it is listed after the registration is planned, and the answer to it was lost
    planted = {"displayName": "flexsaml flexsaml dev", "tags": ["flexsaml-setup"], "keyCredentials": [KEY]}
    emulator.graph("POST", "/applications", planted)
    emulator.fault("drop", "POST", "^/applications$")
    before = emulator.export()
    ended = setup("--github", "contoso/infra", "--yes")
    assert (ended.status, emulator.export()) == (2, before)
    assert "with what this command would not make: certificate 'flexsaml AB'" in ended.err


def test_a_registration_that_other_tenants_can_use_is_always_refused(setup: Setup, emulator: Emulator) -> None:
    planted = {
        "displayName": "flexsaml flexsaml dev",
        "tags": ["flexsaml-setup"],
        "signInAudience": "AzureADMultipleOrgs",
    }
    emulator.graph("POST", "/applications", planted)
    before = emulator.export()
    ended = setup("--github", "contoso/infra", "--accept-existing", "--yes")
    assert_refused(ended, "setup", "the audience AzureADMultipleOrgs", "--name")
    assert emulator.export() == before


def test_a_second_credential_for_a_complete_registration_needs_no_option(setup: Setup, emulator: Emulator) -> None:
    assert setup("--github", "contoso/infra", "--yes").status == 0
    again = setup("--github", "contoso/infra:branch:main", "--yes")
    assert (again.status, len(emulator.export()["federatedIdentityCredentials"])) == (0, 2), again.err
    assert "  holds: federated credential 'github-contoso-infra-pull-request-" in again.out
