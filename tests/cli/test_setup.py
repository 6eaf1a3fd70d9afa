"""If this goes red, `setup` makes what it did not show, makes it twice, leaves the reader without the rest of the steps,
or shows a secret where others read.

Everything against the emulator, as a person with what a token of `az login` was measured to have.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import CLAIMS, Ended, assert_refused, run, stack_file
from tests.emulator.process import AZURE_CLI, SECRET, SEED, Emulator
from tests.emulator.tenant import FLEX, FLEX_APP

PERSON = {"FLEXSAML_SANDBOX_CLIENT": AZURE_CLI, "FLEXSAML_SANDBOX_SECRET": SECRET}
STACK = CLAIMS + (
    "    languages.stringarray: extension.languages\n  flexsaml:extensions: {languages: String}\n"
    "  flexsaml:users:\n    ada@contoso.example: {languages: en}\n"
)
UP = {
    "Application.ReadWrite.OwnedBy", "Policy.Read.All", "Policy.ReadWrite.ApplicationConfiguration",
    "User.ReadWrite.All",
}  # fmt: skip

Setup = Callable[..., Ended]


@pytest.fixture
def setup(emulator: Emulator, tmp_path: Path) -> Setup:
    """Runs `setup` with these arguments, beside a stack file."""
    emulator.seed(json.loads(SEED.read_text("utf-8")))  # a test may have left another one in force
    file = stack_file(tmp_path, emulator, STACK)

    def run_setup(*arguments: str, environment: dict[str, str] = PERSON) -> Ended:
        return run("setup", "--file", file, *arguments, environment=environment)

    return run_setup


def grant(emulator: Emulator, *permissions: str) -> None:
    """Give the person exactly these; the tenant stays as it is."""
    person = {"id": AZURE_CLI, "displayName": "a person", "secret": SECRET, "isPerson": True, "roles": permissions}
    clients = [client for client in json.loads(SEED.read_text("utf-8"))["clients"] if client["id"] != AZURE_CLI]
    emulator.seed({**emulator.export(), "clients": [*clients, person]})


def registrations(emulator: Emulator, name: str = "flexsaml dev") -> list[dict[str, Any]]:
    return [row for row in emulator.export()["applications"] if row["displayName"] == name]


def granted(emulator: Emulator) -> set[str]:
    """The application permissions that were consented to."""
    export = emulator.export()
    graph = next(row for row in export["servicePrincipals"] if row["displayName"] == "Microsoft Graph")
    names = {role["id"]: role["value"] for role in graph["appRoles"]}
    return {names[row["appRoleId"]] for row in export["appRoleAssignments"] if row["resourceId"] == graph["id"]}


def test_it_shows_makes_finds_and_removes(setup: Setup, emulator: Emulator, tmp_path: Path) -> None:
    before, file = emulator.export(), tmp_path / "secret"
    arguments = ("--secret", "--secret-file", str(file))
    shown = setup(*arguments)
    assert (shown.status, emulator.export()) == (1, before), shown.err
    assert "nothing was changed" in shown.err
    assert all(f"consent to {name}: to " in shown.out for name in UP)

    made = setup(*arguments, "--yes")
    assert made.status == 0, made.err
    (registration,) = registrations(emulator)
    assert registration["tags"] == ["flexsaml-setup"]
    assert granted(emulator) == UP
    owned = [row for kind in ("applications", "servicePrincipals") for row in emulator.export()[kind]]
    assert {row["id"] for row in owned if registration["appId"] in row["owners"]} >= {FLEX_APP["id"], FLEX["id"]}
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    text = file.read_text("utf-8")
    assert registration["appId"] in text
    assert not any(word in made.out for word in text.split("=")[-1:])

    after = emulator.export()
    again = setup(*arguments, "--yes")
    assert (again.status, emulator.export()) == (0, after)
    assert "nothing to do" in again.out

    assert setup("--remove").status == 1
    assert emulator.export() == after
    assert setup("--remove", "--yes").status == 0
    assert setup("--remove", "--yes").status == 0, "nothing is left to remove"
    assert {**emulator.export(), "workers": []} == {**before, "workers": []}


def test_a_secret_is_not_shown_where_a_log_may_be(setup: Setup, emulator: Emulator) -> None:
    before = emulator.export()
    assert_refused(setup("--secret", "--yes"), "setup", "give --secret-file")
    assert emulator.export() == before


def test_a_refused_consent_leaves_the_steps_for_an_administrator(
    setup: Setup, emulator: Emulator, tmp_path: Path
) -> None:
    rights = ("Application.ReadWrite.All", "Directory.AccessAsUser.All")
    grant(emulator, *rights)
    ended = setup("--secret", "--secret-file", str(tmp_path / "secret"), "--yes")
    assert ended.status == 2
    (line,) = ended.err.splitlines()
    assert line.startswith("setup: consent to Application.ReadWrite.OwnedBy: refused (403 ")
    assert "Privileged Role Administrator" in line
    steps = [line for line in ended.out.splitlines() if line.startswith("az rest ")]
    assert len(steps) == len(UP)
    assert all("/appRoleAssignedTo " in step and "${" not in step for step in steps)
    (registration,) = registrations(emulator)
    assert registration["passwordCredentials"]
    assert granted(emulator) == set()

    grant(emulator, *rights, "AppRoleAssignment.ReadWrite.All")
    completed = setup("--secret", "--secret-file", str(tmp_path / "other"), "--yes")
    assert completed.status == 0, completed.err
    assert granted(emulator) == UP
    assert registrations(emulator) == [registration], "completed, and no second one made"


def test_a_strangers_registration_stays(setup: Setup, emulator: Emulator) -> None:
    made = emulator.graph("POST", "/applications", {"displayName": "flexsaml dev"}).json
    before = emulator.export()
    assert_refused(setup("--yes"), "setup", "setup did not make", made["id"], "choose another name with --name")
    assert setup("--remove", "--yes").status == 2
    assert emulator.export() == before
