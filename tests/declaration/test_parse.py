"""If this goes red, a mistake in a declaration is accepted silently, is reported without its key, is reported twice, or
hides the mistakes behind it."""

from __future__ import annotations

from typing import Any

import pytest

from flexsaml.declaration import InvalidDeclaration, parse_declaration
from tests.declaration.written import RIGHT, from_engine, lines, no_file, read

FULL = f"extension_{'1' * 32}_team"
CLAIMS = RIGHT["claims"]

MISTAKES: list[tuple[dict[str, Any], str]] = [
    # what is written, how the one finding begins
    ({"servicePrincipal": ""}, "servicePrincipal: is missing; name the enterprise application (display name, appId"),
    ({"extensons": {}}, "extensons: unknown key; did you mean 'extensions'?"),
    ({"zzz": "x"}, "zzz: unknown key; write one of servicePrincipal, application"),
    ({"claims": {}}, "claims: there are none; map at least one claim name to a source, for example email: user.mail"),
    ({"claims": "user.mail"}, "claims: must be a map, not text"),
    ({"claims": ["user.mail"]}, "claims: must be a map, not a list"),
    ({"extensions": "team"}, "extensions: must be a map, not text"),
    ({"users": "123"}, "users: must be a map, not a number"),
    ({"rules": "off"}, "rules: must be a map, not text"),
    ({"rules": True}, "rules: must be a map, not true or false"),
    ({"servicePrincipal": {"a": 1}}, "servicePrincipal: must be text, not a map"),
    ({"policyName": ["a"]}, "policyName: must be text, not a list"),
    ({"includeBasicClaimSet": "yes"}, "includeBasicClaimSet: must be true or false, not 'yes'"),
    ({"replaceExisting": "1"}, "replaceExisting: must be true or false, not '1'"),
    ({"preflight": "off"}, "preflight: must be true or false, not 'off'"),
    ({"allowRemoval": "-1"}, "allowRemoval: must be a whole number, not '-1'"),
    ({"allowRemoval": "many"}, "allowRemoval: must be a whole number, not 'many'"),
    ({"cloud": "moon"}, "cloud: 'moon' is not one of public, usgov"),
    ({"graphEndpoint": "http://127.0.0.1:1"}, "graphEndpoint: only the cloud loopback takes an endpoint, not public"),
    ({"cloud": "loopback", "loginEndpoint": "http://login.example"}, "loginEndpoint: 'http://login.example' is not"),
    ({"rules": {"user-disabld": "off"}}, "rules.user-disabld: there is no such rule; did you mean 'user-disabled'?"),
    ({"rules": {"user-disabled": "loud"}}, "rules.user-disabled: 'loud' is not a level; write one of error, warning, "),
    ({"rules": {"extension-absent": "off"}}, "rules.extension-absent: the level of this rule cannot be changed"),
    ({"extensions": {"team": None}}, "extensions.team: is not a data type; write a data type (Binary, "),
    ({"extensions": {"team": {"type": "String"}}}, "extensions.team: is not a data type"),
    ({"extensions": {"team": "text"}}, "extensions.team: data type 'text' is none of"),
    (
        {"extensions": {"team": "Sting"}},
        "extensions.team: data type 'Sting' is none of Binary, Boolean, DateTime, Inte",
    ),
    ({"extensions": {"team": "String", "TEAM": "String"}}, "extensions.team: is declared twice, also as TEAM: Graph"),
    ({"extensions": {"team": "String", "te am": "String"}}, "extensions.te am: an extension name has letters, digits"),
    ({"extensions": {"team": "String", "te-am": "String"}}, "extensions.te-am: an extension name has letters, digits"),
    ({"extensions": {"team": "String", FULL: "String"}}, f"extensions.{FULL}: this is a full name, whose extension"),
    ({"extensions": {"team": {"dataType": "String", "multiValued": "yes"}}}, "extensions.team: multiValued must be "),
    ({"extensions": {"team": {"dataType": "String", "multiValued": 1}}}, "extensions.team: multiValued must be true"),
    ({"users": {"adacontoso": {}}}, "users.adacontoso: is neither a user principal name nor an object id"),
    ({"users": {"Bob@x": {"team": "a"}, "bob@x": {}}}, "users.bob@x: is declared twice, also as Bob@x; keep one"),
    ({"users": {"ada@x": None}}, "users.ada@x: must be a map of extension to value"),
    ({"users": {"ada@x": "green"}}, "users.ada@x: must be a map of extension to value"),
    ({"users": {"ada@x": {"tea": "x"}}}, "users.ada@x.tea: extension 'tea' is not declared; did you mean 'team'?"),
    (
        {"users": {"ada@x": {"team": True}}},
        "users.ada@x.team: is a String, and this is what YAML makes of unquoted text: write it in quotes",
    ),
    ({"users": {"ada@x": {"team": {"a": 1}}}}, "users.ada@x.team: is a String"),
    ({"users": {"ada@x": {"team": ["a"]}}}, "users.ada@x.team: is a String"),
    ({"users": {"ada@x": {"team": "x" * 257}}}, "users.ada@x.team: has 257 characters"),
    ({"claims": {**CLAIMS, "x": None}}, "claims.x: write a source such as user.mail"),
    ({"claims": {**CLAIMS, "email": "mail"}}, "claims.email: 'mail' is not a source: write user.mail, extension.NAME"),
    ({"claims": {**CLAIMS, "x": {"sorce": "user"}}}, "claims.x: unknown key 'sorce'"),
    ({"claims": {**CLAIMS, "x": "extension.tema"}}, "claims.x: extension 'tema' is not declared; did you mean 'team'?"),
    ({"definition": "{}"}, "definition: there are claims and a definition; keep one of them"),
    ({"claims": {}, "definition": "{"}, "definition: the definition is not JSON"),
    ({"claims": {}, "definition": "[]"}, "definition: the definition is not a JSON object"),
    ({"usersFile": "absent.csv"}, "usersFile: cannot read absent.csv: No such file"),
]

MISNAMED = [
    # the key, how it was written, the one finding
    ("servicePrincipal", "servicePrincipl", "servicePrincipl: unknown key; did you mean 'servicePrincipal'?"),
    ("servicePrincipal", "serviceprincipal", "serviceprincipal: unknown key; did you mean 'servicePrincipal'?"),
    ("claims", "claim", "claim: unknown key; did you mean 'claims'?"),
    ("extensions", "extension", "extension: unknown key; did you mean 'extensions'?"),
    ("users", "user", "user: unknown key; did you mean 'users'?"),
    ("definition", "definitoin", "definitoin: unknown key; did you mean 'definition'?"),
    ("claims", "platform:claims", "platform:claims: belongs to flexsaml; write flexsaml:claims"),
    ("extensions", "platform:extensions", "platform:extensions: belongs to flexsaml; write flexsaml:extensions"),
    ("definition", "platform:definition", "platform:definition: belongs to flexsaml; write flexsaml:definition"),
]


@pytest.mark.parametrize(("key", "written", "line"), MISNAMED)
def test_a_misnamed_key_is_not_missing_too(key: str, written: str, line: str) -> None:
    """Nor is what it holds undeclared, or one of two where only one is allowed."""
    definition = '{"ClaimsMappingPolicy": {"Version": 1, "ClaimsSchema": [{"Value": "x", "SamlClaimType": "a"}]}}'
    right = {**RIGHT, "definition": definition}
    del right["claims" if key == "definition" else "definition"]
    right[written] = right.pop(key)
    assert lines(read(right)[1]) == [line]
    assert lines(read(from_engine(right))[1]) == [line]
    if key in ("claims", "definition"):
        both = {**right, "claims": CLAIMS} if key == "definition" else {**right, "definition": definition}
        assert lines(read(both)[1]) == [line]


def test_a_key_is_missing_beside_an_unknown_one_that_is_not_similar() -> None:
    written = {key: value for key, value in RIGHT.items() if key != "servicePrincipal"}
    assert [line.partition(";")[0] for line in lines(read({**written, "zzz": "x"})[1])] == [
        "zzz: unknown key",
        "servicePrincipal: is missing",
    ]


@pytest.mark.parametrize(("wrong", "line"), MISTAKES)
def test_one_mistake_is_one_finding_that_names_its_key(wrong: dict[str, Any], line: str) -> None:
    written = {**RIGHT, **wrong}
    _, findings = read(from_engine(written))
    (finding,) = lines(findings)
    assert finding.startswith(line), finding
    assert "\n" not in finding
    assert "blue" not in finding, "a value of a user is not repeated"
    assert lines(read(written)[1]) == [finding], "the same from a stack file"


def test_all_mistakes_are_reported_at_once() -> None:
    wrong: dict[str, Any] = {}
    for change, _ in MISTAKES:
        for key, value in change.items():
            if key not in ("claims", "servicePrincipal"):
                wrong.setdefault(key, value)
    _, findings = read(from_engine({**RIGHT, **wrong, "servicePrincipal": "", "cloud": "moon"}))
    keys = {finding.where.partition(".")[0] for finding in findings}
    assert keys >= set(wrong) - {"loginEndpoint", "graphEndpoint"} | {"servicePrincipal"}, (
        "endpoints wait for the cloud"
    )


def test_many_mistakes_of_one_kind_are_cut() -> None:
    _, findings = read({**RIGHT, "users": {f"user{number}": {} for number in range(250)}})
    assert len(findings) == 101
    assert lines(findings)[-1] == "declaration: has 150 more findings; correct these first"


def test_a_right_declaration() -> None:
    written = {
        **RIGHT,
        "extensions": {"team": {"dataType": "String", "multiValued": True}, "level": "Integer"},
        "users": {
            "ada@contoso.example": {"team": ["a", "b"], "level": 3.0, FULL: 7},
            "grace@contoso.example": {"team": None},
        },
        "allowRemoval": 12,
        "preflight": False,
        "rules": {"user-disabled": "error"},
    }
    declaration = parse_declaration(from_engine(written), read_file=no_file, rule_names=["user-disabled"])
    assert (declaration.allow_removal, declaration.preflight, declaration.secret_keys) == (12, False, frozenset())
    assert str(declaration.extensions["team"]) == "String[]"
    assert declaration.existing_extensions == (FULL,)
    assert declaration.users == {
        "ada@contoso.example": {"team": '["a", "b"]', "level": "3", FULL: 7},
        "grace@contoso.example": {"team": "<null>"},
    }, "canonical where the type is known, as written where only the tenant knows it"
    assert declaration == read(written)[0], "the same from a stack file"


ROSTER = b"user,team\nADA@contoso.example,red\ngrace@contoso.example,green\n"


def test_a_roster_is_merged_with_the_users_of_the_declaration() -> None:
    users = {"ada@contoso.example": {"level": "1"}}
    extensions = {"team": "String", "level": "Integer"}
    declaration, findings = read(
        {**RIGHT, "extensions": extensions, "users": users, "usersFile": "a.csv"}, {"a.csv": ROSTER}
    )
    assert findings == []
    assert declaration.roster == {"ada@contoso.example": {"team": "red"}, "grace@contoso.example": {"team": "green"}}
    assert declaration.all_users["ada@contoso.example"] == {"level": "1", "team": "red"}


@pytest.mark.parametrize(
    ("roster", "line"),
    [
        (ROSTER, "a.csv, line 2: team of ADA@contoso.example is declared in users.ada@contoso.example too; keep one"),
        (b"user,tema\n", "a.csv, line 1: column 'tema' is not an extension that is declared; did you mean 'team'?"),
        (b"user,team\nnobody,x\n", "a.csv, line 2: 'nobody' is neither"),
        (b"team\n", "a.csv, line 1: the first column is 'team'"),
    ],
)
def test_a_mistake_in_the_roster_names_its_line(roster: bytes, line: str) -> None:
    _, findings = read({**RIGHT, "usersFile": "a.csv"}, {"a.csv": roster})
    (finding,) = lines(findings)
    assert finding.startswith(line)


def test_what_is_incomplete_is_refused() -> None:
    with pytest.raises(InvalidDeclaration) as refused:
        parse_declaration({**RIGHT, "claims": {**CLAIMS, "x": "mail"}, "cloud": "moon"}, read_file=no_file)
    assert [problem.partition(":")[0] for problem in refused.value.problems] == ["claims.x", "cloud"]
    assert refused.value.declaration.claims["email"], "what could be read is there for lint"
