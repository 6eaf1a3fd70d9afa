"""If this goes red, an odd file ends lint in a traceback, or keeps it busy for long.

Whatever the text, there is a finding with a place, in one line, after a bounded number of function calls.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flexsaml.claims import Context, find_nearest, lint
from flexsaml.findings import LEVELS, Finding

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


MAX_CALLS = 2_500_000
"""Calls of Python and C functions: about a second. They are counted, as a clock would count other processes."""


def count_calls(function: Callable[[], list[Finding]]) -> tuple[list[Finding], int]:
    """What the function returns, and how many functions it called in doing so."""
    calls = 0

    def profile(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    find_nearest.cache_clear()
    previous = sys.getprofile()
    sys.setprofile(profile)
    try:
        return function(), calls
    finally:
        sys.setprofile(previous)


@pytest.mark.parametrize("name", BAD)
def test_odd_text_is_a_finding_after_a_bounded_number_of_calls(name: str) -> None:
    findings, calls = count_calls(lambda: lint(BAD[name], profile="flex"))
    assert 0 < calls < MAX_CALLS
    assert findings
    assert all(finding.where and finding.message and finding.level in LEVELS for finding in findings)
    assert all(len(str(finding).splitlines()) == 1 and len(str(finding)) < 1000 for finding in findings)
    assert any(finding.level == "error" for finding in findings)


def test_many_extensions_are_searched_with_a_bounded_number_of_calls() -> None:
    head = f"extension_{'1' * 32}_abcdefghijk"
    text = policy(ClaimsSchema=[{**CLAIM, "ExtensionID": f"{head}{n}"} for n in range(5000)])
    context = Context({f"{head}{n + 9000}": "String" for n in range(500)})
    findings, calls = count_calls(lambda: lint(text, context=context))
    assert 0 < calls < MAX_CALLS
    assert any(finding.rule == "extension-unknown" for finding in findings)


WORDS = st.sampled_from(
    ["Version", "ClaimsSchema", "ClaimsTransformations", "ClaimsMappingPolicy", "Source", "ID", "Id", "Value", "user",
     "ExtensionID", "SamlClaimType", "SAMLNameForm", "GroupFilter", "InputClaims", "OutputClaims", "definition", "value",
     "TransformationID", "transformation", "extension_x_y", "email", "skill.int", "channel.a.b", "", " "]
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3) | st.floats() | WORDS | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=3), inner, max_size=5),
    max_leaves=25,
)


@settings(max_examples=300, deadline=None)
@given(JSON, JSON, st.booleans())
def test_no_json_raises(entries: Any, more: Any, sent: bool) -> None:
    text = json.dumps({"ClaimsMappingPolicy": {"ClaimsSchema": [entries], "ClaimsTransformation": [more], "x": more}})
    for source in (text, json.dumps(entries), json.dumps({"definition": [text] if sent else entries})):
        known = Context({"extension_x_y": "Integer[]"}, {"extension_x_y": ["[", "<null>", '["a"]', "-"]})
        assert all("\n" not in str(finding) for finding in lint(source, profile="flex", context=known))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=40) | st.text(max_size=40))
def test_no_text_raises(text: str | bytes) -> None:
    assert lint(text, profile="flex")
