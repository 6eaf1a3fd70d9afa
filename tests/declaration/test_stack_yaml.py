"""If this goes red, a stack file that is read without the engine means something else than the engine makes of it."""

from __future__ import annotations

import pytest

from flexsaml.declaration import Secret, read_declaration, read_stack_yaml
from flexsaml.findings import Finding


@pytest.mark.parametrize(
    ("written", "value"),
    [  # as engine 3.259 handed them to a program
        ("off", "off"),
        ("yes", "yes"),
        ("y", "y"),
        ("1:30", "1:30"),
        ("2026-11-24", "2026-11-24 00:00:00 +0000 UTC"),
        ("2026-11-24T08:00:00Z", "2026-11-24 08:00:00 +0000 UTC"),
        ("2026-13-45", "2026-13-45"),
        ("0777", 511),
        ("0o17", 15),
        ("0o", "0o"),
        ("2\u066024-01-02", "2\u066024-01-02"),  # a digit, but not of ASCII
        ("0x1F", 31),
        ("0b11", 3),
        ("1_000", 1000),
        ("1e3", 1000.0),
        ("1.5", 1.5),
        ("-1", -1),
        ("+1", 1),
        ("0", 0),
        ("9007199254740993", 9007199254740993),
        ("18446744073709551615", 18446744073709551615),
        ("18446744073709551616", 18446744073709551616.0),  # beyond 64 bits: a decimal, or text
        ("-9223372036854775809", -9223372036854775809.0),
        ("0x1FFFFFFFFFFFFFFFF", "0x1FFFFFFFFFFFFFFFF"),
        ("1e999", "1e999"),
        ("9" * 5000, "9" * 5000),
        ("True", True),
        ("FALSE", False),
        ("~", None),
        ("null", None),
        ("", None),
        ('"1"', "1"),
        ("'null'", "null"),
        ("|-\n    null", "null"),
        ("[off, 1, ~]", ["off", 1, None]),
        ("{secure: v1:x}", Secret.unknown()),
        ("{secure: v1:x, more: y}", {"secure": "v1:x", "more": "y"}),
    ],
)
def test_scalars_are_those_of_the_engine(written: str, value: object) -> None:
    keys = read_stack_yaml(f"config:\n  flexsaml:users: {written}\n  other:users: x\n".encode())
    assert keys == {"users": value}
    assert isinstance(keys, dict)
    assert type(keys["users"]) is type(value)


@pytest.mark.parametrize(
    ("text", "rule", "where"),
    [
        (b"", "stack-file", "file"),
        (b"\xff", "encoding", "byte 0"),
        (b"name: x\nconfig: {}\nruntime: python", "stack-file", "runtime"),
        (b"config: []", "stack-file", "config"),
        (b"a: 1\na: 2", "stack-file", "line 2, column 1"),
        (b"a: [", "stack-file", "line 2, column 1"),
        (b"a: &a [1]\nb: *a", "stack-file", "line 2"),
        (b"[" * 100, "nesting", "line 1"),
        (b"a: " + b"x" * 1_000_001, "size", "file"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_finding(text: bytes, rule: str, where: str) -> None:
    finding = read_stack_yaml(text)
    assert isinstance(finding, Finding)
    assert (finding.rule, finding.level, finding.where) == (rule, "error", where)


@pytest.mark.parametrize(
    ("written", "project", "names"),
    [
        ("servicePrincipal: Flex", "flexsaml", ["servicePrincipal"]),  # as the engine reads it
        ("servicePrincipal: Flex\n  flexsaml:claims: {}", "team", ["claims", "team:servicePrincipal"]),
        ("team:servicePrincipal: Flex\n  claims: {}", "team", ["team:claims", "team:servicePrincipal"]),
        ("team:servicePrincipal: Flex\n  team:size: 3\n  flexsaml:cloud: x", "team", ["cloud"]),  # a program's own keys
        ("team:users: 3\n  flexsaml:users: {}", "team", ["users"]),
        ("azuread:tenantId: x\n  flexsaml:claims: {}", "team", ["claims"]),
    ],
)
def test_a_key_that_was_meant_for_this_program(written: str, project: str, names: list[str]) -> None:
    keys = read_stack_yaml(f"config:\n  {written}\n".encode(), project)
    assert isinstance(keys, dict)
    assert sorted(keys) == names
    if misplaced := [name for name in names if ":" in name]:
        _, findings = read_declaration(keys, read_file=lambda _: b"")
        assert sorted(str(finding) for finding in findings if ":" in finding.where) == [
            f"{name}: belongs to flexsaml; write flexsaml:{name.partition(':')[2]} [stack-file]" for name in misplaced
        ]
        assert not [finding for finding in findings if finding.where in {name[5:] for name in misplaced}]
