"""If this goes red, a command that only looks takes another stack than `pulumi` would, or misreads what it declares."""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import pytest

from flexsaml.cli.declared import arguments, declared, from_text, selected
from flexsaml.errors import UserError
from tests.cli.command import ROOT, assert_refused, run

STACK = b"""config:
  flexsaml:servicePrincipal: Twilio Flex
  flexsaml:claims: {nameid: user.userprincipalname, email: user.mail, languages.stringarray: extension.languages}
  flexsaml:extensions: {languages: String}
"""
APP = "8f665974-86ab-5399-83f9-7492e2e5acec"


def given(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    arguments(parser)
    return parser.parse_args(words)


def test_what_a_stack_declares() -> None:
    stack = from_text(STACK, "Pulumi.dev.yaml")
    assert stack.service_principal == "Twilio Flex"
    assert stack.claims == (
        "email",
        "languages.stringarray",
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier",
    )
    assert f"extension_{APP.replace('-', '')}_languages" in stack.definition(APP)
    assert (stack.cloud.name, stack.tenant_id) == ("public", "")


def test_a_raw_definition_declares_too() -> None:
    definition = json.dumps(
        {"ClaimsMappingPolicy": {"Version": 1, "ClaimsSchema": [{"Value": "x", "SamlClaimType": "a"}]}}
    )
    stack = from_text(f"config:\n  flexsaml:definition: '{definition}'\n".encode(), "f")
    assert stack.claims == ("a",)
    assert json.loads(stack.definition(APP)) == json.loads(definition)


@pytest.mark.parametrize(
    ("text", "asked", "words"),
    [
        (b"config: {}", "service_principal", "servicePrincipal: is missing"),
        (b"config: {}", "claims", "claims: there are none"),
        (b"config: {flexsaml:claims: {a: mail}}", "claims", "lint"),
        (b"config: {flexsaml:claims: {a: extension.b}}", "claims", "extension 'b' is not declared"),
        (b"config: {flexsaml:claims: {secure: x}}", "claims", "is encrypted"),
        (b"config: {flexsaml:definition: '{}'}", "claims", "ClaimsMappingPolicy"),
        (b"config: {flexsaml:definition: {secure: x}}", "claims", "is encrypted"),
        (b"config: {flexsaml:tenantId: {secure: x}}", "tenant_id", "is encrypted"),
        (b"config: {flexsaml:cloud: moon}", "cloud", "cloud: 'moon'"),
        (b"config: {flexsaml:servicePrincipl: x}", "service_principal", "did you mean 'servicePrincipal'"),
        (b"config: {flexsaml:claim: {a: user.mail}}", "claims", "did you mean 'claims'"),
        (b"config: {flexsaml:clowd: usgov}", "cloud", "did you mean 'cloud'"),
    ],
)
def test_what_cannot_be_read_is_reported_when_it_is_needed(text: bytes, asked: str, words: str) -> None:
    stack = from_text(text, "Pulumi.dev.yaml")
    with pytest.raises(UserError, match=words) as refused:
        getattr(stack, asked)
    assert str(refused.value).startswith("Pulumi.dev.yaml: ")


@pytest.mark.parametrize(
    "text", [b"", b"name: x\nruntime: python", b"[" * 100, b"a: &a [1]\nb: *a", b"\xff", b"config: []"]
)
def test_another_file_is_refused_at_once(text: bytes) -> None:
    with pytest.raises(UserError):
        from_text(text, "f")


def test_which_stack_is_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PULUMI_STACK", raising=False)
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Pulumi.yaml").write_text("name: flexsaml\n")
    with pytest.raises(UserError, match="there is no stack file"):
        declared(given())
    (tmp_path / "Pulumi.dev.yaml").write_bytes(STACK)
    assert declared(given()).stack == "dev"  # the only one
    (tmp_path / "Pulumi.live.yaml").write_bytes(STACK)
    with pytest.raises(UserError, match="which of dev, live is meant"):
        declared(given())
    assert declared(given("--stack", "org/flexsaml/live")).stack == "live"
    assert declared(given("--file", "Pulumi.live.yaml")).stack == "live"
    with pytest.raises(UserError, match="cannot read"):
        declared(given("--stack", "absent"))
    kept = tmp_path / "home" / "workspaces"
    kept.mkdir(parents=True)
    digest = hashlib.sha1(str(tmp_path / "Pulumi.yaml").encode(), usedforsecurity=False).hexdigest()
    (kept / f"flexsaml-{digest}-workspace.json").write_text('{"stacks": {"file:///s": "organization/flexsaml/live"}}')
    assert declared(given()).stack == "live"  # selected
    monkeypatch.setenv("PULUMI_STACK", "dev")
    assert declared(given()).stack == "dev"


@pytest.mark.parametrize("project", ["flexsaml", "platform"])
@pytest.mark.parametrize(
    ("kept", "backend", "stack"),
    [
        ('{"stack": "dev"}', "", "dev"),
        ('{"stacks": {"file:///a": "one", "file:///b": "two"}}', "file:///b", "two"),
        ('{"stacks": {"file:///a": "one", "file:///b": "two"}}', "", ""),
        ('{"stacks": {}}', "", ""),
        ("[]", "", ""),
        ("{", "", ""),
        (None, "", ""),
    ],
)
def test_what_the_engine_remembers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: str | None, backend: str, stack: str, project: str
) -> None:
    (tmp_path / "Pulumi.yaml").write_text(f"runtime: python\nname: {project}\ndescription: 'name: other'\n")
    monkeypatch.delenv("PULUMI_STACK", raising=False)
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path))
    monkeypatch.setenv("PULUMI_BACKEND_URL", backend)
    digest = hashlib.sha1(str(tmp_path / "Pulumi.yaml").encode(), usedforsecurity=False).hexdigest()
    (tmp_path / "workspaces").mkdir()
    if kept is not None:
        (tmp_path / "workspaces" / f"{project}-{digest}-workspace.json").write_text(kept)
    assert selected(tmp_path) == stack


@pytest.mark.parametrize("command", ["predict", "worker", "doctor"])
def test_every_command_that_looks_asks_for_the_stack_in_one_line(command: str, tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: flexsaml\n")
    more = {"predict": ["--all"], "worker": ["ada@contoso.example"], "doctor": []}[command]
    assert_refused(
        run(command, *more, cwd=tmp_path, environment={"PULUMI_HOME": str(tmp_path)}),
        command,
        "no stack file",
        "--stack",
    )
    help_ = run(command, "--help", cwd=ROOT)
    assert (help_.status, "--stack" in help_.out) == (0, True)


def test_keys_in_the_namespace_of_the_project_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not read as absent, which would send the reader to the state of the stack."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Pulumi.yaml").write_text("name: team\n")
    (tmp_path / "Pulumi.dev.yaml").write_bytes(STACK.replace(b"flexsaml:", b"team:"))
    stack = declared(given("--stack", "dev"))
    with pytest.raises(UserError, match="team:servicePrincipal: belongs to flexsaml; write flexsaml:servicePrincipal"):
        _ = stack.service_principal
