"""If this goes red, `setup` makes what it did not show, makes it twice, leaves the reader without the rest of the steps,
or shows a secret where others read.

Everything against the emulator, as a person with what a token of `az login` was measured to have.
"""

from __future__ import annotations

import base64
import os
import shlex
import stat
import subprocess
import sys
from contextlib import nullcontext
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from flexsaml import setup as setup_room
from flexsaml.cli.setup import _confirm_plan, _Plan
from flexsaml.errors import UserError
from flexsaml.graph import GraphPermissions
from tests.cli.command import ROOT, assert_refused, run, stack_file
from tests.cli.setup_command import (
    KEY,
    PERSON,
    STACK,
    UP,
    Setup,
    answer_at_a_terminal,
    grant,
    granted,
    registrations,
    setup,
)
from tests.emulator.process import Emulator
from tests.emulator.tenant import FLEX, FLEX_APP
from tests.setup.certificates import make_pem, write_client_certificate

__all__ = ["setup"]  # a fixture


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
    assert f"{file} stays as it is: a client secret exists already" in again.out

    asked = setup("--remove")
    assert asked.status == 1
    assert "What its stack has made stays: `pulumi destroy` first" in asked.out
    assert emulator.export() == after
    assert setup("--remove", "--yes").status == 0
    nothing = setup("--remove", "--yes")
    assert nothing.status == 0, "nothing is left to remove"
    assert "--person, --for or --name" in nothing.out, "it may not be the one that is meant"
    assert {**emulator.export(), "workers": []} == {**before, "workers": []}


def test_who_runs_as_the_registration_itself_is_told_so(setup: Setup, emulator: Emulator, tmp_path: Path) -> None:
    """A permission, which Graph's refusal asks for, would not be the remedy."""
    file = tmp_path / "secret"
    assert setup("--secret", "--secret-file", str(file), "--yes").status == 0
    itself = dict(word.split("=", 1) for word in shlex.split(file.read_text("utf-8")) if word != "export")
    words = "in a shell without the variables of this identity"
    ended = setup("--remove", "--yes", environment=itself)
    assert_refused(ended, "setup", words)
    assert "grant" not in ended.err

    grant(emulator, "Application.Read.All")
    ended = setup("--remove", "--yes")
    assert_refused(ended, "setup", "grant the identity in use Application.ReadWrite.All")
    assert words not in ended.err
    assert len(registrations(emulator)) == 1


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
    assert "run the same command again with --accept-existing, which keeps the secret, or let" in line
    steps = [line for line in ended.out.splitlines() if line.startswith("az rest ")]
    assert len(steps) == len(UP)
    assert all("/appRoleAssignedTo " in step and "${" not in step for step in steps)
    (registration,) = registrations(emulator)
    assert registration["passwordCredentials"]
    assert granted(emulator) == set()

    grant(emulator, *rights, "AppRoleAssignment.ReadWrite.All")
    completed = setup("--secret", "--yes", "--accept-existing")
    assert completed.status == 0, completed.err
    assert granted(emulator) == UP
    assert registrations(emulator) == [registration], "completed, and no second one made"


def test_stacks_of_the_same_name_have_a_registration_for_each_project(emulator: Emulator, tmp_path: Path) -> None:
    for project in ("sales", "support"):
        folder = tmp_path / project
        folder.mkdir()
        (folder / "Pulumi.yaml").write_text(f"name: {project}\nruntime: python\n")
        file = stack_file(folder, emulator, STACK)
        ended = run("setup", "--file", file, "--github", f"contoso/{project}", "--yes", environment=PERSON)
        assert ended.status == 0, ended.err
        assert len(registrations(emulator, f"flexsaml {project} dev")) == 1


WORKFLOWS = (
    ("--github", "contoso/infra:environment:production", "--github", "contoso/infra:branch:main"),
    ("--azure-pipelines", "https://login.microsoftonline.com/t/v2.0", "/eid1/c/pub/t/x"),
)


@pytest.mark.parametrize("arguments", WORKFLOWS, ids=["GitHub", "Azure Pipelines"])
def test_workflows_sign_in_without_a_secret(setup: Setup, emulator: Emulator, arguments: tuple[str, ...]) -> None:
    assert setup(*arguments, "--yes").status == 0
    (registration,) = registrations(emulator)
    credentials = emulator.export()["federatedIdentityCredentials"]
    assert {row["applicationId"] for row in credentials} == {registration["id"]}
    assert all(any(row["subject"].endswith(text.split(":")[-1]) for text in arguments) for row in credentials)
    assert len(credentials) == len(arguments) // 2 or arguments[0] == "--azure-pipelines"
    assert {audience for row in credentials for audience in row["audiences"]} == {"api://AzureADTokenExchange"}
    after = emulator.export()
    assert setup(*arguments, "--yes").status == 0
    assert emulator.export() == after


def test_preview_reads_only_and_is_another_registration(setup: Setup, emulator: Emulator) -> None:
    owners = [row["owners"] for row in emulator.export()["applications"]]
    assert setup("--for", "preview", "--github", "contoso/infra", "--yes").status == 0
    assert registrations(emulator, "flexsaml flexsaml dev preview")
    assert granted(emulator) == {"Application.Read.All", "Policy.Read.All", "User.Read.All"}
    kept = {row["displayName"]: row["owners"] for row in emulator.export()["applications"]}
    assert [kept["Twilio Flex"], kept["Twilio Flex Staging"]] == owners, "who only reads owns nothing"


def test_a_certificate_adds_its_public_part(setup: Setup, emulator: Emulator, tmp_path: Path) -> None:
    file = write_client_certificate(tmp_path)
    assert setup("--certificate", str(file), "--yes").status == 0
    (registration,) = registrations(emulator)
    (credential,) = registration["keyCredentials"]
    assert base64.b64decode(credential["key"]) == x509.load_pem_x509_certificate(file.read_bytes()).public_bytes(
        Encoding.DER
    )
    after = emulator.export()
    assert setup("--certificate", str(file), "--yes").status == 0
    assert emulator.export() == after


def test_a_person_gets_a_public_client_with_delegated_permissions(setup: Setup, emulator: Emulator) -> None:
    made = setup("--person", "--yes")
    assert made.status == 0, made.err
    (registration,) = registrations(emulator, "flexsaml flexsaml dev person")
    assert f"login --client-id {registration['appId']} --tenant " in made.out
    assert registration["isFallbackPublicClient"] is True
    (consent,) = emulator.export()["oauth2PermissionGrants"]
    assert set(consent["scope"].split()) == {"Application.ReadWrite.All", *UP - {"Application.ReadWrite.OwnedBy"}}
    assert consent["consentType"] == "AllPrincipals"
    after = emulator.export()
    assert setup("--person", "--yes").status == 0
    assert emulator.export() == after


def ended_certificate(folder: Path) -> str:
    file = folder / "ended.pem"
    file.write_bytes(make_pem(datetime(2020, 1, 1), datetime(2020, 2, 1))[0])
    return str(file)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "say how the registration signs in: --github, "),
        (("--person", "--secret"), "--person needs no credential"),
        (("--github", "contoso/infra", "--secret-file", "x"), "--secret-file and --renew are for --secret"),
        (("--secret", "--valid-days", "900"), "--valid-days 900: give a number from 1 to 730"),
        (("--github", "contoso"), "--github contoso: write OWNER/REPO"),
        (("--certificate", "{ended}"), "the certificate ended on 2020-02-01; make a new one"),
        (("--certificate", "{stack}"), "there is no certificate in it"),
        (("--certificate", "absent.pem"), "cannot read absent.pem"),
        (("--secret", "--secret-file", "{stack}"), "exists already and is not overwritten"),
        (("--secret", "--secret-file", "/absent/file"), "is no directory in which files can be made"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_makes_nothing(
    setup: Setup, emulator: Emulator, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    before = emulator.export()
    places = {"{ended}": ended_certificate(tmp_path), "{stack}": str(tmp_path / "Pulumi.dev.yaml")}
    assert_refused(setup(*(places.get(word, word) for word in arguments), "--yes"), "setup", words)
    assert emulator.export() == before


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"tenantId": "99999999-9999-4999-8999-999999999999"}, "AADSTS90002"),
        ({"servicePrincipal": "Nobody"}, "no enterprise application is called 'Nobody'"),
        ({"application": "99999999-9999-4999-8999-999999999999"}, "is not in this tenant"),
    ],
)
def test_a_stack_of_another_tenant_makes_nothing(
    emulator: Emulator, tmp_path: Path, keys: dict[str, str], words: str
) -> None:
    file, before = stack_file(tmp_path, emulator, STACK, **keys), emulator.export()
    ended = run("setup", "--file", file, "--github", "contoso/infra", "--yes", environment=PERSON)
    assert_refused(ended, "setup", words)
    assert emulator.export() == before


def test_a_lost_secret_is_said_and_renewed(setup: Setup, emulator: Emulator, tmp_path: Path) -> None:
    emulator.fault("lose", "POST", "/addPassword$")
    arguments = ("--secret", "--yes", "--secret-file")
    lost = setup(*arguments, str(tmp_path / "first"))
    assert lost.status == 2
    assert "addPassword" in lost.err
    renewed = setup(*arguments, str(tmp_path / "second"), "--renew", "--accept-existing")
    assert renewed.status == 0, renewed.err
    assert "SECRET" in (tmp_path / "second").read_text("utf-8")
    assert granted(emulator) == UP


def test_a_secret_file_that_would_not_be_written_is_refused(setup: Setup, emulator: Emulator, tmp_path: Path) -> None:
    assert setup("--secret", "--secret-file", str(tmp_path / "first"), "--yes").status == 0
    before = emulator.export()
    arguments = ("--secret", "--secret-file", str(tmp_path / "second"), "--yes")
    assert_refused(setup(*arguments), "setup", "second is not written: a client secret exists already", "--renew")
    assert emulator.export() == before
    assert setup(*arguments, "--renew").status == 0
    assert (tmp_path / "second").exists()


def test_a_secret_is_written_where_nobody_reads_the_output_any_more(emulator: Emulator, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    emulator.fault("delay", "POST", "/addPassword$", ms=500)  # the pipe is closed before the answer
    arguments = [
        "setup",
        "--file",
        stack_file(tmp_path, emulator, STACK),
        "--secret",
        "--secret-file",
        str(file),
        "--yes",
    ]
    environment = {**os.environ, **PERSON, "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "flexsaml", *arguments]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert any(line.startswith("made: owner of the service principal") for line in process.stdout)
        process.stdout.close()
        assert process.wait(timeout=60) == 1
    assert "SECRET" in file.read_text("utf-8")


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_at_a_terminal_it_asks_and_shows_the_secret_once(emulator: Emulator, tmp_path: Path, answer: str) -> None:
    arguments = ["setup", "--file", stack_file(tmp_path, emulator, STACK), "--secret"]
    environment = {**os.environ, **PERSON, "COLUMNS": "200"}
    status, shown = answer_at_a_terminal(arguments, environment, answer)
    assert status == (0 if answer == "yes" else 1), shown
    assert shown.count("emulated~") == (1 if answer == "yes" else 0)
    assert len(registrations(emulator)) == (1 if answer == "yes" else 0)
    if answer == "yes":
        status, shown = answer_at_a_terminal(arguments, environment, answer)
        assert (status, "emulated~" in shown) == (0, False)


def test_what_was_added_while_the_question_waited_is_asked_about(emulator: Emulator, tmp_path: Path) -> None:
    now = datetime.now(timezone.utc).replace(microsecond=0)
    certificate = tmp_path / "client.pem"
    certificate.write_bytes(make_pem(now - timedelta(days=1), now + timedelta(days=30))[0])
    file = stack_file(tmp_path, emulator, STACK)
    assert run("setup", "--file", file, "--github", "contoso/infra", "--yes", environment=PERSON).status == 0
    (registration,) = registrations(emulator)

    def add_a_key() -> None:
        path = f"/applications/{registration['id']}"
        assert emulator.graph("PATCH", path, {"keyCredentials": [KEY]}).status == 204

    arguments = ["setup", "--file", file, "--certificate", str(certificate)]
    environment = {**os.environ, **PERSON, "COLUMNS": "200"}
    status, shown = answer_at_a_terminal(arguments, environment, "yes", add_a_key)
    assert (status, shown.count("Type yes:")) == (0, 2), shown
    first, second = shown.split("changed by somebody else in the meantime: planned again")
    assert ("certificate 'flexsaml AB'" in first, "certificate 'flexsaml AB'" in second) == (False, True)
    (registration,) = registrations(emulator)
    assert len(registration["keyCredentials"]) == 2


@pytest.mark.parametrize(("changes", "asked"), [(0, 1), (1, 2), (2, 2)])
def test_without_a_reader_it_is_planned_again_once(changes: int, asked: int) -> None:
    graph = GraphPermissions("graph", {}, {})
    plans = [
        _Plan(setup_room.Existing(graph, owners={"x": frozenset({str(number)})}), [], {}, []) for number in range(3)
    ]
    reads = iter([*plans[: changes + 1], plans[changes]])
    questions: list[_Plan] = []

    def agree(plan: _Plan) -> bool:
        questions.append(plan)
        return True

    expected = pytest.raises(UserError, match="twice; nothing was made") if changes == 2 else nullcontext()
    with expected:
        confirmed = _confirm_plan(lambda: next(reads), agree, yes=True)
        assert confirmed == plans[changes]
    assert questions == plans[:asked]
