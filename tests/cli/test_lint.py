"""If this goes red, `python -m flexsaml lint` gives a pipeline the wrong exit status or a person a traceback.

The command runs as users run it, in a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from flexsaml.findings import LEVELS

ROOT = Path(__file__).parents[2]
GOOD = (ROOT / "tests/corpus/policies/03-twilio-flex-doc.json").read_bytes()
BROKEN = (ROOT / "tests/corpus/policies/70-bad-lowercase-version.json").read_bytes()
STACK = b"""config:
  flexsaml:servicePrincipal: Twilio Flex
  flexsaml:claims:
    nameid: user.userprincipalname
    email: user.mail
    full_name: user.displayname
    roles: user.assignedroles
    level.int: extension.level
  flexsaml:extensions: {level: String}
  flexsaml:users:
    ada@contoso.example: {level: "3"}
"""


def lint(*arguments: str, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "flexsaml", "lint", *arguments]
    process = subprocess.run(
        command, input=stdin, capture_output=True, cwd=ROOT, env={**os.environ, **environment}, timeout=60, check=False
    )
    assert b"Traceback" not in process.stderr + process.stdout
    return process


def rules(process: subprocess.CompletedProcess[bytes]) -> dict[str, str]:
    """Rule to where, from the output of `lint --json`."""
    return {finding["rule"]: finding["where"] for finding in json.loads(process.stdout)["findings"]}


@pytest.mark.parametrize(
    ("text", "arguments", "status"),
    [
        (GOOD, (), 0),  # warnings do not fail
        (GOOD, ("--profile", "flex"), 0),
        (BROKEN, (), 1),
        (b"\xef\xbb\xbf" + GOOD, (), 0),
        (b"\xff", (), 1),
        (b"[" * 2_000_000, (), 1),
        (b"", (), 1),
        (GOOD, ("--profile", "felx"), 2),
        (GOOD, ("--colour",), 2),
        (STACK, (), 0),
    ],
)
def test_exit_status_of_text_on_stdin(text: bytes, arguments: tuple[str, ...], status: int) -> None:
    assert lint("-", *arguments, stdin=text).returncode == status


def test_an_unreadable_file_is_one_line_and_status_2(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent.json", Path("/proc/self/mem")):
        process = lint(str(path))
        assert process.returncode == 2
        assert process.stdout == b""
        assert process.stderr.decode().startswith(f"lint: cannot read {path}: ")
        assert len(process.stderr.splitlines()) == 1


def test_a_named_pipe_is_one_line_and_is_not_waited_for(tmp_path: Path) -> None:
    pipe, stack = tmp_path / "pipe", tmp_path / "Pulumi.dev.yaml"
    os.mkfifo(pipe)
    process = lint(str(pipe))
    problem = "it is a named pipe, not a regular file"
    line = f"lint: cannot read {pipe}: {problem}; give a file with a definition, or - for stdin\n"
    assert (process.returncode, process.stderr.decode()) == (2, line)
    stack.write_bytes(STACK + b"  flexsaml:usersFile: pipe\n")
    process = lint(str(stack))
    assert process.returncode == 1
    assert f"usersFile: cannot read pipe: {problem}" in process.stdout.decode()


def test_json_has_one_shape(tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    file.write_bytes(BROKEN)
    findings = json.loads(lint(str(file), "--json").stdout)["findings"]
    assert findings
    for finding in findings:
        assert list(finding) == ["rule", "level", "where", "message", "fix"]
        assert finding["level"] in LEVELS
    assert json.loads(lint("-", "--json", stdin=STACK).stdout) == {"findings": []}


def test_lines_have_errors_first_and_the_counts_last() -> None:
    text = json.loads(GOOD)
    text["ClaimsMappingPolicy"]["ClaimsSchema"].append({"SamlClaimType": "nothing"})
    lines = lint("-", stdin=json.dumps(text).encode()).stdout.decode().splitlines()
    assert lines[0].startswith("error   ClaimsSchema[5] 'nothing': claim 'nothing' has no source; ")
    assert lines[0].endswith(" [no-source]")
    assert lines[1].startswith("warning ")
    assert lines[-1] == "1 error, 1 warning"


def test_a_terminal_without_the_letters_is_no_failure() -> None:
    text = '{"ClaimsMappingPolicy": {"Version": 1, "ClaimsSchema": [{"SamlClaimType": "größe\\ud800"}]}}'
    process = lint("-", stdin=text.encode(), PYTHONIOENCODING="ascii")
    assert process.returncode == 1
    assert b"gr\\xf6\\xdfe" in process.stdout


def stack(tmp_path: Path, old: str = "", new: str = "") -> dict[str, str]:
    file = tmp_path / "Pulumi.test.yaml"
    assert old.encode() in STACK
    file.write_bytes(STACK.replace(old.encode(), new.encode()))
    return rules(lint(str(file), "--json"))


STACK_CASES = [
    # what is replaced, by what, rule, where
    ("email: user.mail", "Email: user.mail", "flex-required", "claims"),
    ('level: "3"', 'level: "x"', "typed-value", "claims.level.int"),
    ("{level: String}", "{level: Boolean}", "stack-file", "users.ada@contoso.example.level"),
    ("{level: String}", "{level: Boolen}", "stack-file", "extensions.level"),
    ("user.mail", "user.mial", "id-unknown", "claims.email"),
    ("user.mail", "usr.mail", "stack-file", "claims.email"),
    ("extension.level", "extension.lvl", "stack-file", "claims.level.int"),
    ("user.userprincipalname", "user.displayname", "nameid-source", "claims.nameid"),
    ("flexsaml:users", "flexsaml:usrs", "stack-file", "usrs"),
    ("flexsaml:claims", "flexsaml:definition", "stack-file", "definition"),
    ("flexsaml:users:", "flexsaml:rules: {hyphen-value: loud}\n  flexsaml:users:", "stack-file", "rules.hyphen-value"),
    ("flexsaml:users:", "flexsaml:rules: {hyphen-valu: off}\n  flexsaml:users:", "stack-file", "rules.hyphen-valu"),
    ("    email: user.mail", "    email: user.mail\n    email: user.mail", "stack-file", "line 6, column 5"),
    ("    email: user.mail", "    email: [", "stack-file", "line 7, column 10"),
    ("config:", "config: []\nother:", "stack-file", "config"),
    ("config:", "runtime: python\nconfig:", "stack-file", "runtime"),
    ("{level: String}", "[" * 5000, "nesting", "line 9"),
    ("{level: String}", "&a {level: String}\n  x: *a", "stack-file", "line 10"),
]


@pytest.mark.parametrize(("old", "new", "rule", "where"), STACK_CASES)
def test_findings_about_a_stack_file_use_its_words(tmp_path: Path, old: str, new: str, rule: str, where: str) -> None:
    assert stack(tmp_path, old, new).get(rule) == where


def test_a_good_stack_file_has_no_finding(tmp_path: Path) -> None:
    assert stack(tmp_path) == {}
    assert rules(lint("Pulumi.sandbox.yaml", "--json")) == {}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('level: "3"', "level: {secure: AAAB}"),
        ('{level: "3"}', "{secure: AAAB}"),
        ("extension.level", "{value: {secure: AAAB}}"),
        ("extension.level", f"extension.extension_{'1' * 32}_level"),
        ("flexsaml:extensions: {level: String}", 'flexsaml:extensions: \'{"level": "String"}\''),
    ],
)
def test_an_unknown_value_has_no_finding(tmp_path: Path, old: str, new: str) -> None:
    findings = stack(tmp_path, old, new)
    assert not findings or set(findings) == {"extension-unknown"}


def test_encrypted_claims_are_reported_as_not_read(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.test.yaml"
    file.write_bytes(b"config:\n  flexsaml:servicePrincipal: x\n  flexsaml:claims: {secure: AAAB}\n")
    process = lint(str(file))
    assert process.returncode == 0
    assert b"claims: is encrypted, and so it is not judged [stack-secret]" in process.stdout


def test_a_raw_definition_in_a_stack_is_linted_with_what_the_stack_knows(tmp_path: Path) -> None:
    name = f"extension_{'1' * 32}_LEVEL"
    entry = {"Source": "user", "ExtensionID": name, "SamlClaimType": "level"}
    text = json.dumps({"ClaimsMappingPolicy": {"Version": 1, "ClaimsSchema": [entry]}})
    file = tmp_path / "Pulumi.test.yaml"
    file.write_text(
        f"config:\n  flexsaml:servicePrincipal: x\n  flexsaml:extensions: {{level: String}}\n  flexsaml:definition: '{text}'\n"
    )
    assert rules(lint(str(file), "--json"))["extension-case"] == "ClaimsSchema[0] 'level'"


def test_the_stack_chooses_levels(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.test.yaml"
    worse = STACK.replace(b"email: user.mail", b"contact_uri: user.mail\n    email: user.mail")
    file.write_bytes(worse)
    assert lint(str(file)).returncode == 0
    file.write_bytes(worse + b"  flexsaml:rules: {contact-uri: error}\n")
    assert lint(str(file)).returncode == 1
    file.write_bytes(worse + b"  flexsaml:rules: {contact-uri: off}\n")
    assert rules(lint(str(file), "--json")) == {}


def test_a_profile_may_be_chosen_for_a_stack_file(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.test.yaml"
    file.write_bytes(STACK.replace(b"    email: user.mail\n", b""))
    assert lint(str(file)).returncode == 1
    assert lint(str(file), "--profile", "entra").returncode == 0
