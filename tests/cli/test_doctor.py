"""If this goes red, `doctor` calls fine what it did not look at, or names no remedy for what it ended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from flexsaml.cli.doctor import inspect_clock, inspect_machine, inspect_permissions
from flexsaml.declaration import Declaration
from flexsaml.graph import Cloud, Identity, NotSent
from flexsaml.values import DataType
from tests.cli.command import CLAIMS, Ended, assert_refused, run, stack_file
from tests.emulator.process import ADMIN, AZURE_CLI, LEAST, PREVIEW, TENANT, Emulator
from tests.emulator.tenant import Tenant

HERE = Cloud("loopback", "http://127.0.0.1:1", "http://127.0.0.1:1")
STACK = f"{CLAIMS}  flexsaml:extensions: {{languages: String}}\n  flexsaml:users:\n    ada@contoso.example: {{languages: en}}\n"


@pytest.fixture(scope="module")
def tenant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    with Emulator(tmp_path_factory.mktemp("emulator")) as emulator:
        yield Tenant(emulator)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with a `pulumi` that only tells its version."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "pulumi").write_text("#!/bin/sh\necho v3.300.0\n")
    (folder / "pulumi").chmod(0o755)
    return f"{folder}:/usr/bin:/bin"


def doctor(tenant: Tenant, folder: Path, engine: str, *arguments: str, claims: str = STACK, **keys: str) -> Ended:
    environment: dict[str, str] = {
        name: keys.pop(name) for name in ("FLEXSAML_SANDBOX_CLIENT", "FLEXSAML_SANDBOX_SECRET") if name in keys
    }
    file = stack_file(folder, tenant.emulator, claims, **keys)
    return run("doctor", "--file", file, *arguments, environment={"PATH": engine, **environment})


def rows(ended: Ended, area: str) -> list[dict[str, Any]]:
    return [row for row in json.loads(ended.out)["rows"] if row["area"] == area]


def test_what_is_ready_is_said_to_be(tenant: Tenant, tmp_path: Path, engine: str) -> None:
    ended = doctor(tenant, tmp_path, engine, "--json")
    assert (ended.status, ended.err) == (0, "")
    states = {
        area: {row["state"] for row in rows(ended, area)} for area in ("python", "engine", "SDK", "clock", "cloud")
    }
    assert all(row == {"ok"} for row in states.values()), states
    [who] = rows(ended, "credential")
    assert ADMIN in who["what"]
    assert TENANT in who["what"]
    assert {row["state"] for row in rows(ended, "permission")} == {"ok"}
    assert any("policy assigned now: none" in row["what"] for row in rows(ended, "tenant"))
    assert "sandbox" not in ended.out.replace("SANDBOX", "")


@pytest.mark.parametrize(
    ("client", "status", "states", "verdict"),
    [
        (LEAST, 0, {"ok", "note"}, []),
        (PREVIEW, 1, {"ok", "warning", "note"}, ["can make nothing"]),
        (AZURE_CLI, 1, {"ok", "warning", "note"}, ["of a person who used `az login`"]),
    ],
)
def test_what_a_token_does_not_name_is_told_per_call_and_what_preflight_makes_of_it(
    tenant: Tenant, tmp_path: Path, engine: str, client: str, status: int, states: set[str], verdict: list[str]
) -> None:
    ended = doctor(tenant, tmp_path, engine, "--json", FLEXSAML_SANDBOX_CLIENT=client)
    assert ended.status == status
    permissions = rows(ended, "permission")
    assert {row["state"] for row in permissions} == states
    assert all(row["remedy"].startswith("grant ") for row in permissions if row["state"] != "ok")
    problems = [row["what"] for row in rows(ended, "preflight") if row["state"] == "problem"]
    assert [words in problem for words, problem in zip(verdict, problems, strict=True)] == [True] * len(verdict)
    not_read = [row["what"] for row in rows(ended, "preflight") if row["state"] == "not looked at"]
    assert not_read or client == LEAST
    if client == LEAST:
        assert any("if it owns the object" in row["what"] for row in permissions)


def test_conditions_of_the_tenant_are_those_of_preflight(tenant: Tenant, tmp_path: Path, engine: str) -> None:
    users = "  flexsaml:users:\n    nobody@contoso.example: {languages: en}\n"
    ended = doctor(
        tenant, tmp_path, engine, "--json", claims=CLAIMS + "  flexsaml:extensions: {languages: String}\n" + users
    )
    assert ended.status == 1
    assert [row["what"] for row in rows(ended, "users")] == ["'nobody@contoso.example' is not in this tenant"]
    lines = doctor(tenant, tmp_path, engine, claims=STACK.replace("ada@", "nora@")).out
    assert "[user-without-role]" in lines


def test_what_exists_under_the_names_of_the_stack_is_named(tenant: Tenant, tmp_path: Path, engine: str) -> None:
    """Preview refuses it, unless state has it, which doctor does not read."""
    claims = CLAIMS + "  flexsaml:extensions: {languages: String}\n"

    def notes() -> list[tuple[str, str]]:
        shown = rows(doctor(tenant, tmp_path, engine, "--json", claims=claims), "tenant")
        return [(row["state"], row["what"].partition(" (")[0]) for row in shown if row["state"] != "ok"]

    assert notes() == []
    tenant.property("languages")
    tenant.assign(tenant.policy())
    assert notes() == [
        ("note", "extension property 'languages' exists"),
        ("warning", "another policy than this stack's is assigned: 'Flex claims'"),
    ]


def test_findings_of_lint_have_rows(tenant: Tenant, tmp_path: Path, engine: str) -> None:
    ended = doctor(tenant, tmp_path, engine, "--json", claims=STACK.replace("user.mail", "user.email"))
    assert ended.status == 1
    states = {(row["state"], row["rule"]) for row in rows(ended, "lint")}
    assert states == {("problem", "flex-required-empty"), ("warning", "id-unknown")}
    silenced = (
        STACK.replace("user.mail", "user.email")
        + '  flexsaml:rules: {flex-required-empty: warning, id-unknown: "off"}\n'
    )
    ended = doctor(tenant, tmp_path, engine, "--json", claims=silenced)
    assert (ended.status, [row["state"] for row in rows(ended, "lint")]) == (0, ["warning"])


@pytest.mark.parametrize(
    ("claims", "keys", "status", "words"),
    [
        (STACK, {"servicePrincipal": "Twilio Flux"}, 1, "no enterprise application is called 'Twilio Flux'"),
        (STACK.replace("String", "Strong"), {}, 1, "did you mean 'String'"),
        (STACK, {"graphEndpoint": "http://127.0.0.1:9"}, 2, "no connection to 127.0.0.1:9"),
        (STACK, {"loginEndpoint": "http://127.0.0.1:9"}, 2, "it cannot be inspected without a credential"),
        (STACK, {"FLEXSAML_SANDBOX_SECRET": "wrong"}, 2, "and FLEXSAML_SANDBOX_SECRET"),
        (STACK, {"preflight": "false"}, 0, "flexsaml:preflight is false"),
        (STACK.replace("{languages: en}", "{languages: {secure: v1:x}}"), {}, 0, "users.ada@contoso.example.languages is encrypted"),
    ],
)  # fmt: skip
def test_a_problem_has_a_row_and_a_status(
    tenant: Tenant, tmp_path: Path, engine: str, claims: str, keys: dict[str, str], status: int, words: str
) -> None:
    ended = doctor(tenant, tmp_path, engine, claims=claims, **keys)
    assert ended.status == status, ended.out + ended.err
    assert words in ended.out
    assert ended.err == ""
    assert "wrong" not in ended.out


def test_no_stack_file_is_one_line(tmp_path: Path) -> None:
    assert_refused(run("doctor", "--file", str(tmp_path / "absent.yaml")), "doctor", "cannot read", "--stack")


@pytest.mark.parametrize(
    ("answer", "state", "words"),
    [
        ("v3.300.0", "ok", "pulumi 3.300.0"),
        ("v3.100.0", "problem", "this project needs 3.160.0 or newer"),
        (FileNotFoundError(), "problem", "make up"),
        (OSError("no answer in 30 s"), "problem", "no answer in 30 s"),
    ],
)
def test_the_engine(answer: str | OSError, state: str, words: str) -> None:
    def program(_command: list[str]) -> str:
        if isinstance(answer, OSError):
            raise answer
        return answer

    [row] = [row for row in inspect_machine(program) if row.area == "engine"]
    assert row.state == state
    assert words in f"{row.what} {row.remedy}"


@pytest.mark.parametrize(
    ("ahead", "state", "words"),
    [
        (0.4, "ok", "0 s ahead of Graph"),
        (-45.0, "warning", "45 s behind Graph"),
        (301.0, "problem", "301 s ahead of Graph"),
        (None, "not looked at", "no time"),
    ],
)
def test_the_clock(ahead: float | None, state: str, words: str) -> None:
    row = inspect_clock(HERE, lambda _: ahead)
    assert row.state == state
    assert words in row.what


def test_a_clock_that_cannot_be_asked_is_not_looked_at() -> None:
    def down(_: Cloud) -> float:
        raise NotSent("ask Graph for the time", "no connection")

    assert inspect_clock(HERE, down).state == "not looked at"


def test_doctor_and_preflight_agree_about_permissions() -> None:
    """With a right to write the directory properties may be made, but no policy may be assigned."""
    declaration = Declaration(extensions={"languages": DataType("String")}, users={"ada@x": {"languages": "en"}})
    identity = Identity("application", "", "", "", frozenset({"Directory.ReadWrite.All"}))
    rows = list(inspect_permissions(identity, SimpleNamespace(declaration=declaration, origin="file")))  # type: ignore[arg-type]
    fine = [row.what for row in rows if row.state == "ok"]
    assert any(what.startswith("to make and delete extension properties") for what in fine)
    lacking = {row.remedy for row in rows if row.state == "warning"}
    assert lacking == {
        "grant Application.ReadWrite.OwnedBy with Policy.Read.All",
        "grant Policy.Read.All",
        "grant Policy.ReadWrite.ApplicationConfiguration",
    }
    assert not any("users" in what for what in (row.what for row in inspect_permissions(identity, EMPTY)))  # type: ignore[arg-type]


EMPTY = SimpleNamespace(declaration=Declaration(), origin="file")


def test_a_program_that_was_not_deployed_counts_as_if_it_had_extensions_and_users() -> None:
    unknown = SimpleNamespace(declaration=Declaration(), origin="principal")
    purposes = " ".join(row.what for row in inspect_permissions(None, unknown))  # type: ignore[arg-type]
    assert "make and delete extension properties" in purposes
    assert "write users' values" in purposes
