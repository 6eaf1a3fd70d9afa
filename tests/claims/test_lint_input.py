"""If this goes red, somebody's odd file ends lint in a traceback, or keeps it busy for long.

Whatever the text, there is a finding with a place, in one line, within a second.
"""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from flexsaml.claims import Context, lint
from flexsaml.findings import LEVELS

LONG = [
    {"Source": f"usr{n}", "ID": f"mial{n}", "SamlClaimTyp": f"x{n}", "ExtensionID": "extension_"} for n in range(9000)
]
CLAIM = {"Source": "user", "SamlClaimType": "x"}
TRANSFORMATION = {
    "ID": "x",
    "InputClaims": [{"ClaimTypeReferenceId": f"r{n}"} for n in range(50)],
    "TransformationMethod": "Jion",
}


def policy(**body: Any) -> str:
    return json.dumps({"ClaimsMappingPolicy": {"Version": 1, **body}})


BAD: dict[str, bytes | str] = {
    "nothing": b"",
    "white space": b" \n ",
    "null": "null",
    "number": "3",
    "text": '"x"',
    "array": "[]",
    "array of numbers": "[1, 2]",
    "invalid UTF-8": b'{"ClaimsMappingPolicy": "\xff"}',
    "half of UTF-16": b"\xff\xfe{",
    "lone surrogate": b'{"ClaimsMappingPolicy": {"Version": "\\ud800"}}',
    "10 MB": b"[" * 10_000_000,
    "10 MB of text": '{"' + "a" * 10_000_000,
    "deep arrays": b"[" * 900_000,
    "deep objects": b'{"a":' * 190_000,
    "deep and closed": b"[" * 400 + b"]" * 400,
    "wide": b"[" + b"[]," * 300_000 + b"[]]",
    "number of 5,000 digits": b'{"ClaimsMappingPolicy": {"Version": ' + b"9" * 5000 + b"}}",
    "infinite number": b'{"ClaimsMappingPolicy": {"Version": 1e999}}',
    "duplicate keys": "{" + ",".join(f'"k{n}":1,"k{n}":2' for n in range(30_000)) + "}",
    "many keys": policy(**{f"ClaimsSchem{n}": 1 for n in range(40_000)}),
    "many entries": policy(ClaimsSchema=LONG),
    "many references": policy(ClaimsTransformations=[{**TRANSFORMATION, "ID": f"t{n}"} for n in range(400)]),
    "long words": policy(ClaimsSchema=[{"Source": "u" * 200_000, "ID": "i" * 200_000, "SamlClaimType": "c" * 200_000}]),
    "many policies": json.dumps({"value": [{"definition": ["{"]}] * 30_000}),
    "strings in strings": json.dumps(json.dumps(json.dumps(json.dumps(json.dumps("{}"))))),
}


@pytest.mark.parametrize("name", BAD)
def test_odd_text_is_a_finding_within_a_second(name: str) -> None:
    before = time.process_time()
    findings = lint(BAD[name], profile="flex")
    assert time.process_time() - before < 1
    assert findings
    assert all(one.where and one.message and one.level in LEVELS for one in findings)
    assert all(len(str(one).splitlines()) == 1 and len(str(one)) < 1000 for one in findings)
    assert any(one.level == "error" for one in findings)


def test_many_extensions_are_searched_within_a_second() -> None:
    head = f"extension_{'1' * 32}_abcdefghijk"
    text = policy(ClaimsSchema=[{**CLAIM, "ExtensionID": f"{head}{n}"} for n in range(5000)])
    before = time.process_time()
    findings = lint(text, context=Context({f"{head}{n + 9000}": "String" for n in range(500)}))
    assert time.process_time() - before < 1
    assert any(one.rule == "extension-unknown" for one in findings)


WORDS = some.sampled_from(
    ["Version", "ClaimsSchema", "ClaimsTransformations", "ClaimsMappingPolicy", "Source", "ID", "Id", "Value", "user",
     "ExtensionID", "SamlClaimType", "SAMLNameForm", "GroupFilter", "InputClaims", "OutputClaims", "definition", "value",
     "TransformationID", "transformation", "extension_x_y", "email", "skill.int", "channel.a.b", "", " "]
)  # fmt: skip
JSON = some.recursive(
    some.none() | some.booleans() | some.integers(-2, 3) | some.floats() | WORDS | some.text(max_size=4),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(WORDS | some.text(max_size=3), inner, max_size=5),
    max_leaves=25,
)


@settings(max_examples=300, deadline=None)
@given(JSON, JSON, some.booleans())
def test_no_json_raises(entries: Any, more: Any, sent: bool) -> None:
    text = json.dumps({"ClaimsMappingPolicy": {"ClaimsSchema": [entries], "ClaimsTransformation": [more], "x": more}})
    for one in (text, json.dumps(entries), json.dumps({"definition": [text] if sent else entries})):
        known = Context({"extension_x_y": "Integer[]"}, {"extension_x_y": ["[", "<null>", '["a"]', "-"]})
        assert all("\n" not in str(finding) for finding in lint(one, profile="flex", context=known))


@settings(max_examples=200, deadline=None)
@given(some.binary(max_size=40) | some.text(max_size=40))
def test_no_text_raises(text: str | bytes) -> None:
    assert lint(text, profile="flex")
