"""If this goes red, lint passes a stack that preview refuses, or refuses one that preview takes: one of them lies.

Generated declarations, right ones and ones with every kind of mistake, are read in three ways: by preview from the
engine's configuration, by preview from Python arguments, by lint from the stack file. The findings must be the same.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from pulumi.runtime import config as engine_config
from pulumi.runtime import mocks

from components.args import FlexSamlClaimsArgs, read_config, read_connection
from components.inspection import inspect
from flexsaml.claims import RULE_NAMES
from flexsaml.declaration import KEYS, describe_problem, lint_stack
from flexsaml.findings import Finding
from flexsaml.preflight import FIXED_RULES, RULE_LEVELS
from tests.components.fake_directory import EXISTING, fake_directory
from tests.declaration.written import RIGHT, as_engine_text

CASES, SECRET_CASES = 400, 150
Written = dict[str, Any]
Change = Callable[[Written], None]
DEFINITION = {"ClaimsMappingPolicy": {"Version": 1, "IncludeBasicClaimSet": "true", "ClaimsSchema": []}}
ROSTER = b"user,team\nzoe@contoso.example,green\n"


def put(*path: str, value: Any) -> Change:
    """Sets a key below other keys; does nothing where those are no maps."""

    def change(written: Written) -> None:
        inner: Any = written
        for name in path[:-1]:
            inner = inner.setdefault(name, {}) if isinstance(inner, dict) else None
        if isinstance(inner, dict):
            inner[path[-1]] = deepcopy(value)

    return change


def raw(definition: object) -> Change:
    def change(written: Written) -> None:
        written.pop("claims", None)
        written["definition"] = definition

    return change


ADA = "ada@contoso.example"
CHANGES: list[Change] = [
    # right
    put("policyName", value="Flex claims"),
    put("application", value="8f665974-86ab-5399-83f9-7492e2e5acec"),
    put("includeBasicClaimSet", value=True),
    put("replaceExisting", value="TRUE"),
    put("allowRemoval", value=25),
    put("preflight", value=False),
    put("rules", "user-disabled", value="off"),
    put("rules", "hyphen-value", value="off"),
    put("rules", "flex-required", value="warning"),
    put("cloud", value="usgov"),
    put("usersFile", value="agents.csv"),
    put("users", "eve@contoso.example", value={}),
    put("users", "eve@contoso.example", "team", value=None),
    put("users", ADA, "team", value="well-known"),
    put("users", ADA, EXISTING, value="emea"),
    put("claims", "region", value=f"extension.{EXISTING}"),
    put("claims", "site", value={"value": "vienna"}),
    put("claims", "costcenter", value={"source": "user", "id": "employeeid", "samlNameForm": "basic"}),
    put("claims", "n.int", value={"value": 12}),
    put("claims", "level.int", value="extension.level"),
    put("extensions", "level", value="Integer"),
    put("extensions", "level", value={"dataType": "LargeInteger", "multiValued": "false"}),
    put("extensions", "skills", value={"dataType": "String", "multiValued": True}),
    put("users", ADA, "level", value=3),
    put("users", ADA, "level", value=3.0),
    put("users", ADA, "skills", value=["a", "b"]),
    put("claims", value=json.dumps(RIGHT["claims"])),
    raw(DEFINITION),
    raw(json.dumps(DEFINITION)),
    # wrong, or worth a finding
    put("servicePrincipal", value=""),
    put("servicePrincipal", value={"name": "x"}),
    put("claims", value={}),
    put("claims", value="user.mail"),
    put("claims", value=["user.mail"]),
    put("claims", "email", value="mail"),
    put("claims", "email", value="user.mial"),
    put("claims", "email", value=None),
    put("claims", "email", value={"sorce": "user"}),
    put("claims", "email", value={"value": True}),
    put("claims", "x", value="extension.tema"),
    put("claims", "x", value={"extension": "team", "samlNameForm": "odd"}),
    put("claims", "x.INT", value="user.mail"),
    put("claims", "level.int", value={"value": "many"}),
    put("claims", " x", value="user.mail"),
    put("claims", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier", value="user.mail"),
    put("claims", "contact_uri", value="user.mail"),
    put("claims", "nameid", value="user.displayname"),
    put("extensions", value=[]),
    put("extensions", value="team"),
    put("extensions", "team", value=None),
    put("extensions", "team", value="Sting"),
    put("extensions", "team", value={"type": "String"}),
    put("extensions", "team", value={"dataType": "String", "multiValued": "yes"}),
    put("extensions", "TEAM", value="String"),
    put("extensions", "te-am", value="String"),
    put("extensions", EXISTING, value="String"),
    put("users", value="ada"),
    put("users", value=12),
    put("users", "adacontoso", value={}),
    put("users", "Ada@contoso.example", value={}),
    put("users", ADA, value="blue"),
    put("users", ADA, "tea", value="x"),
    put("users", ADA, "team", value=True),
    put("users", ADA, "team", value="x" * 300),
    put("users", ADA, "team", value=["a"]),
    put("users", ADA, "level", value="many"),
    put("usersFile", value="absent.csv"),
    put("usersFile", value="broken.csv"),
    put("definition", value="{}"),
    raw("{}"),
    raw("no JSON"),
    raw([1]),
    raw({"ClaimsMappingPolicy": {"version": 1}}),
    raw('{"ClaimsMappingPolicy": {"Version": 1, "Version": 1}}'),
    put("includeBasicClaimSet", value="yes"),
    put("replaceExisting", value=1),
    put("allowRemoval", value=-1),
    put("allowRemoval", value="some"),
    put("preflight", value="off"),
    put("rules", value="off"),
    put("rules", "user-disabld", value="off"),
    put("rules", "hyphen-value", value="loud"),
    put("rules", "hyphen-value", value=False),
    put("rules", "extension-absent", value="off"),
    put("cloud", value="moon"),
    put("tenantId", value=["a"]),
    put("graphEndpoint", value="http://127.0.0.1:1"),
    put("extensons", value={}),
    put("Users", value={}),
]


def generate(seed: int) -> Written:
    """Case `seed`: each kind of change alone, then several together."""
    chance = random.Random(seed)  # noqa: S311 - not a secret
    written = deepcopy(RIGHT)
    count = 1 if seed < len(CHANGES) else chance.randint(0, 4)
    changes = [CHANGES[seed]] if seed < len(CHANGES) else chance.sample(CHANGES, count)
    for change in changes:
        change(written)
    return written


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where program and stack file lie, with the rosters they name."""
    (tmp_path / "agents.csv").write_bytes(ROSTER)
    (tmp_path / "broken.csv").write_bytes(b"user,tema\n")
    monkeypatch.chdir(tmp_path)
    mocks.set_mocks(NoEngine(), project="flexsaml", stack="dev", preview=True)
    yield tmp_path
    engine_config.set_all_config({}, [])


class NoEngine(mocks.Mocks):
    """Only the names of project and stack are asked for."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        raise AssertionError(args.name)

    def call(self, args: mocks.MockCallArgs) -> Any:  # noqa: ARG002 - the signature is Pulumi's
        return {}


Outcome = tuple[bool, list[str]]
"""Whether it is accepted, and the findings as preview shows them, sorted."""


def by_preview(keys: dict[str, object]) -> Outcome:
    try:
        _, findings = inspect(keys, "a policy", fake_directory)
    except pulumi.RunError as refused:
        text = str(refused).removeprefix("flexsaml: ")
        lines = (
            text.split("\n  - ")[1:] if "\n" in text else [text.removesuffix("; nothing of this component was changed")]
        )
        return False, sorted(line for line in lines if not is_of_preflight(line))
    return True, sorted(line for line in map(shown, findings) if not is_of_preflight(line))


def is_of_preflight(line: str) -> bool:
    return any(line.endswith(f"[{rule}]") for rule in RULE_LEVELS)


def shown(finding: Finding) -> str:
    if finding.rule == "stack-file":
        return describe_problem(finding)
    return str(finding) if finding.level == "error" else f"{finding.level}: {finding}"


def by_engine(written: Written, secret_keys: tuple[str, ...] = ()) -> Outcome:
    texts = {f"flexsaml:{key}": as_engine_text(value) for key, value in written.items()}
    engine_config.set_all_config(texts, [f"flexsaml:{key}" for key in secret_keys])
    return by_preview(read_config())


def by_python(written: Written) -> Outcome:
    names = {key.name: key.argument for key in KEYS.values() if key.argument}
    connection = {key: value for key, value in written.items() if key not in names}
    engine_config.set_all_config({f"flexsaml:{key}": as_engine_text(value) for key, value in connection.items()}, [])
    arguments = {names[key]: value for key, value in written.items() if key in names}
    args = FlexSamlClaimsArgs(**arguments)
    return by_preview({**read_connection(), **args.to_keys()})


def by_lint(written: Written, folder: Path) -> Outcome:
    text = yaml.safe_dump({"config": {f"flexsaml:{key}": value for key, value in written.items()}})
    findings = lint_stack(
        text.encode(),
        "flex",
        read_file=lambda name: (folder / name).read_bytes(),
        rule_names=(*RULE_LEVELS, *RULE_NAMES),
        fixed_rules=FIXED_RULES,
    )
    refused = any(finding.level == "error" for finding in findings)
    return not refused, sorted(shown(finding) for finding in findings if finding.rule != "stack-secret")


def test_preview_and_lint_accept_and_refuse_the_same_declarations(folder: Path) -> None:
    accepted = 0
    for seed in range(CASES):
        written = generate(seed)
        expected = by_lint(written, folder)
        assert by_engine(written) == expected, f"case {seed}: {written}"
        if set(written) <= set(KEYS):  # Python itself refuses an unknown argument
            assert by_python(written) == expected, f"case {seed}, as Python arguments: {written}"
        accepted += expected[0]
    assert CASES // 10 < accepted < CASES * 9 // 10, "the cases are of both kinds"


def encrypt(written: Written, chance: random.Random) -> tuple[Written, str]:
    """The same with one entry encrypted, and the key that it is in."""
    key = chance.choice([name for name in written if name in KEYS and name not in ("application", "extensions")])
    hidden = deepcopy(written)
    outer: Any = hidden
    name = key
    while isinstance(outer[name], dict) and outer[name] and chance.random() < 0.8:
        outer = outer[name]
        name = chance.choice(sorted(outer))
    outer[name] = {"secure": "v1:AAAA"}
    return hidden, key


def test_of_an_encrypted_stack_file_lint_reports_nothing_that_preview_does_not(folder: Path) -> None:
    """Preview knows the content, so it may report more. What it shows of a secret key is not compared."""
    for seed in range(SECRET_CASES):
        written = generate(seed * 7)
        hidden, key = encrypt(written, random.Random(seed))  # noqa: S311 - not a secret
        accepted, lines = by_engine(written, secret_keys=(key,))
        lint_accepted, lint_lines = by_lint(hidden, folder)
        assert lint_accepted or not accepted, f"case {seed}: {hidden}: {lint_lines}"
        for line in lint_lines:
            where = line.partition(" [")[0].partition(": ")
            assert key in line or line in lines or any(where[0] in other for other in lines), (
                f"case {seed}: {hidden}: {line}"
            )
