"""If this goes red, a value that will not arrive as it was meant passes unnoticed, or nobody finds where it stands."""

from __future__ import annotations

import json

import pytest

from flexsaml.declaration import Declaration, lint_declaration, read_declaration
from flexsaml.findings import Finding
from flexsaml.fragile_text import describe_fragile_character, is_null_word

KEYS = {
    "servicePrincipal": "Twilio Flex",
    "claims": {"email": "user.mail", "full_name": "user.displayname", "roles": "user.assignedroles"},
    "extensions": {"team": "String", "skills": {"dataType": "String", "multiValued": True}, "level": "Integer"},
}
EXISTING = "extension_22220000000040008000000000000002_uid"


def find(users: dict[str, object] | None = None, roster: str = "", **keys: object) -> list[Finding]:
    given = {**KEYS, **keys, **({"users": users} if users else {}), **({"usersFile": "agents.csv"} if roster else {})}
    declaration, problems = read_declaration(given, read_file=lambda _: roster.encode())
    assert not problems
    assert isinstance(declaration, Declaration)
    return [finding for finding in lint_declaration(declaration) if finding.rule in ("fragile-value", "null-word")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("blue\r\nnight", "a carriage return (U+000D) at character 5"),
        ("blue\nnight", "a line feed (U+000A) at character 5"),
        ("\tblue", "a tab (U+0009) at its beginning"),
        (" blue", "a blank (U+0020) at its beginning"),
        ("blue ", "a blank (U+0020) at its end"),
        ("blue\xa0night", "no-break space (U+00A0) at character 5"),
        ("ad\u200bmin", "zero width space (U+200B) at character 3"),
        ("admin\ufeff", "zero width no-break space (U+FEFF) at its end"),
        ("a\u2028b", "line separator (U+2028) at character 2"),
        ("a\x85b", "a next line (U+0085) at character 2"),
        ("\u202eadmin", "right-to-left override (U+202E) at its beginning"),
        ("admin\u200d", "zero width joiner (U+200D) at its end"),
        ("ad\u200cmin", "zero width non-joiner (U+200C) at character 3"),
        ("\u06cc\u200cm", "zero width non-joiner (U+200C) at character 2"),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", ""),  # Persian: "I want"
        ("\U0001f469\u200d\U0001f4bb dev", ""),  # an emoji of two
        ("a\x01b", "a character (U+0001) at character 2"),
        ("a\ud800", "a character (U+D800) at its end"),
        ("ad\x7fmin", "a character (U+007F) at character 3"),
        ("ad\x9fmin", "a character (U+009F) at character 3"),
        ("\u3164", "hangul filler (U+3164) at its beginning"),
        ("ad\u034fmin", "combining grapheme joiner (U+034F) at character 3"),
        ("admin\u061c", "arabic letter mark (U+061C) at its end"),
        ("M\ufffdnchen", "replacement character (U+FFFD) at character 2"),
        ("\u2764\ufe0f", ""),  # an emoji in colour
        ("blue night", ""),
        ("größe 東京", ""),
        ("", ""),
    ],
)
def test_a_character_that_is_easily_lost_is_named_with_its_place(text: str, words: str) -> None:
    assert describe_fragile_character(text) == words


@pytest.mark.parametrize(
    ("text", "is_near"),
    [
        *[(word, True) for word in ("NULL", "null", "$null", "<NULL>", "< null >", "<Null>", "None", "nil", "#N/A", "n/a", "(null)", "[null]", "<<null>>", "'null'", "\\N", "#NULL!", "#REF!", "N.A.")],
        *[(word, False) for word in ("<null>", "", "nullable", "None of these", "nilson", "N", "a/n", "annul", "null-island", "NA", "-", "#refs")],
    ],
)  # fmt: skip
def test_words_of_other_tools_for_no_value(text: str, is_near: bool) -> None:
    assert is_null_word(text) == is_near


@pytest.mark.parametrize(
    ("users", "roster", "places"),
    [
        ({"ada@x.example": {"team": "blue\n"}}, "", ["users.ada@x.example: team has a line feed"]),
        ({"ada@x.example": {"skills": ["a", "b "]}}, "", ["users.ada@x.example: skills has a blank"]),
        ({"ada@x.example": {EXISTING: "NULL"}}, "", [f"users.ada@x.example: {EXISTING} is a word"]),
        ({}, "user,team\nada@x.example,blue\nbob@x.example,$null\n", ["agents.csv, line 3: team is a word"]),
        ({}, 'user,team\nada@x.example,"a\r\nb"\n', ["agents.csv, line 2: team has a carriage return"]),
        ({}, 'user,skills\nada@x.example,"[""a\\u200b""]"\n', ["agents.csv, line 2: skills has zero width space"]),
        ({}, "user,team\nada@x.example,<null>\nbob@x.example,\n", []),
        ({"ada@x.example": {"team": "<null>", "level": 5, EXISTING: None}}, "", []),
        ({"ada@x.example": {EXISTING: ["a", "NULL"]}}, "", [f"users.ada@x.example: {EXISTING} is a word"]),
    ],
)
def test_a_value_is_named_with_its_place(users: dict[str, object], roster: str, places: list[str]) -> None:
    findings = find(users, roster)
    assert all(finding.level == "warning" for finding in findings)
    assert len(findings) == len(places)
    for finding, place in zip(findings, places, strict=True):
        assert str(finding).startswith(place)
        assert "blue" not in str(finding)


def test_many_are_counted() -> None:
    rows = "".join(f"user{number}@x.example,NULL\n" for number in range(30))
    findings = find(roster=f"user,team\n{rows}")
    assert len(findings) == 21
    assert findings[-1].message == "10 more values have this finding"


def test_a_constant_is_judged_too() -> None:
    claims = {**KEYS["claims"], "site": {"value": "a\tb"}, "shift": {"value": "#N/A"}}  # type: ignore[dict-item]
    places = {finding.rule: finding.where for finding in find(claims=claims)}
    assert places == {"fragile-value": "claims.site", "null-word": "claims.shift"}


def test_lists_that_are_no_json_are_text() -> None:
    assert [finding.rule for finding in find({"ada@x.example": {"team": "[a\n"}})] == ["fragile-value"]
    assert find({"ada@x.example": {"team": json.dumps(["a"])}}) == []
