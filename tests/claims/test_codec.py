"""If this goes red, Entra gets another policy than the one reviewed, or a preview shows a change that is none."""

import json
from pathlib import Path

import pytest

from flexsaml.claims import (
    ClaimsPolicy,
    InvalidClaim,
    InvalidDefinition,
    decode,
    encode,
    has_same_meaning,
    is_signed,
    normalise_definition,
    sign_definition,
)

FULL = "extension_0123456789abcdef0123456789abcdef_languages"
OTHER = "extension_ffffffffffffffffffffffffffffffff_uid"
NAMES = {"languages": FULL}
NAME_ID = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"

CASES = [
    # name, as written, its entry on the wire, shortest form
    ("nameid", "user.userprincipalname", {"Source": "user", "ID": "userprincipalname", "SamlClaimType": NAME_ID}, None),
    ("email", "User.Mail", {"Source": "user", "ID": "mail", "SamlClaimType": "email"}, "user.mail"),
    (
        "on",
        "user.accountenabled",
        {"Source": "user", "ID": "accountEnabled", "SamlClaimType": "on"},
        "user.accountEnabled",
    ),
    (
        "languages.stringarray",
        "extension.languages",
        {"Source": "user", "ExtensionID": FULL, "SamlClaimType": "languages.stringarray"},
        None,
    ),
    ("uid", OTHER, {"Source": "user", "ExtensionID": OTHER, "SamlClaimType": "uid"}, f"extension.{OTHER}"),
    ("site", {"value": "vienna"}, {"Value": "vienna", "SamlClaimType": "site"}, None),
    (
        "cost",
        {"source": "user", "id": "employeeid", "samlNameForm": "basic"},
        {
            "Source": "user",
            "ID": "employeeid",
            "SamlClaimType": "cost",
            "SAMLNameForm": "urn:oasis:names:tc:SAML:2.0:attrname-format:basic",
        },
        None,
    ),
    (
        "plain",
        {"source": "user", "id": "mail"},
        {"Source": "user", "ID": "mail", "SamlClaimType": "plain"},
        "user.mail",
    ),
]

UNCLEAR = [
    ("email", "mail", "is not a source"),
    ("email", "users.mail", "not one of user"),
    ("email", "user.", "is not a source"),
    ("email", 3, "write a source"),
    (" email", "user.mail", "spaces"),
    ("email", {"source": "user"}, "exactly one source"),
    ("email", {"value": "a", "extension": "b"}, "exactly one source"),
    ("email", {"ID": "mail"}, "unknown key"),
    ("email", {"value": True}, "in quotes"),
    ("email", {"value": "x", "samlNameForm": "simple"}, "samlNameForm"),
]


@pytest.mark.parametrize(("name", "written", "entry", "short"), CASES)
def test_a_claim_goes_to_the_wire_and_comes_back(name: str, written: object, entry: object, short: object) -> None:
    policy = ClaimsPolicy.parse({name: written})
    text = encode(policy, NAMES)
    assert json.loads(text)["ClaimsMappingPolicy"]["ClaimsSchema"] == [entry]
    assert decode(text, NAMES) == policy
    assert policy.to_short()[name] == (short or written)
    assert ClaimsPolicy.parse(policy.to_short()) == policy, "checking twice must change nothing"


@pytest.mark.parametrize(("name", "written", "why"), UNCLEAR)
def test_an_invalid_claim_is_refused_with_its_name(name: str, written: object, why: str) -> None:
    with pytest.raises(InvalidClaim, match=why) as refusal:
        ClaimsPolicy.parse({name: written})
    assert name in str(refusal.value)


def test_the_definition_is_stable_to_the_byte() -> None:
    written = {name: form for name, form, _, _ in CASES}
    definition = encode(ClaimsPolicy.parse(written), NAMES)
    assert definition == encode(ClaimsPolicy.parse(dict(reversed(written.items()))), NAMES)
    assert definition.startswith('{"ClaimsMappingPolicy":{"Version":1,"IncludeBasicClaimSet":"false","ClaimsSchema":[{')
    assert "\n" not in definition, "Graph refuses raw newlines in the definition"


CORPUS = sorted((Path(__file__).parents[1] / "corpus" / "policies").glob("*.json"))


def test_real_policies_are_read_or_refused_never_misread() -> None:
    """What has a typed form keeps its meaning through decode and encode; the rest says why it has none."""
    typed = {}
    for path in CORPUS:
        if path.name == "index.json":
            continue
        text = path.read_text()
        try:
            policy = decode(text, {})
        except InvalidDefinition as why:
            typed[path.name] = str(why)
            continue
        assert decode(encode(policy, {}), {}) == policy, path.name
        assert has_same_meaning(text, encode(policy, {})), path.name
        typed[path.name] = "typed"
    assert sum(answer == "typed" for answer in typed.values()) >= 10, typed
    assert typed["03-twilio-flex-doc.json"] == "typed"
    assert "Version" in typed["70-bad-lowercase-version.json"]


@pytest.mark.parametrize(
    ("definition", "other", "same"),
    [
        ('{"ClaimsMappingPolicy":{"Version":1}}', '{ "ClaimsMappingPolicy": {"Version": 1} }', True),
        (
            '{"ClaimsMappingPolicy":{"Version":1,"IncludeBasicClaimSet":"true"}}',
            '{"ClaimsMappingPolicy":{"includeBasicClaimSet":true,"Version":1,"ClaimsSchema":[]}}',
            True,
        ),
        ('{"ClaimsMappingPolicy":{"Version":1}}', '{"ClaimsMappingPolicy":{"Version":2}}', False),
        (
            '{"ClaimsMappingPolicy":{"Version":1,"ClaimsTransformation":[{"ID":"a"}]}}',
            '{"ClaimsMappingPolicy":{"Version":1}}',
            False,
        ),
        ("no json", "other", False),
    ],
)
def test_meaning_decides_not_spelling(definition: str, other: str, same: bool) -> None:
    assert has_same_meaning(definition, other) is same


PLAIN = encode(ClaimsPolicy.parse({"email": "user.mail", "site": {"value": "Zürich"}}), {})
RAW = normalise_definition({"ClaimsMappingPolicy": {"Version": 1.0, "ClaimsTransformation": []}, "A": 1})


@pytest.mark.parametrize("definition", [PLAIN, RAW])
def test_a_definition_that_this_project_sends_is_recognised_and_means_the_same(definition: str) -> None:
    signed = sign_definition(definition)
    assert is_signed(signed)
    assert json.loads(signed) == json.loads(definition)
    assert has_same_meaning(signed, definition)


@pytest.mark.parametrize(
    ("tool", "definition"),
    [
        ("flexsaml before it signed", PLAIN),
        (
            "Terraform's jsonencode: compact, keys sorted",
            json.dumps(json.loads(PLAIN), separators=(",", ":"), sort_keys=True),
        ),
        ("json.dumps", json.dumps(json.loads(PLAIN))),
        ("jq and az, indented", json.dumps(json.loads(PLAIN), indent=2)),
        ("indented, with the line breaks taken away", json.dumps(json.loads(PLAIN), indent=3).replace("\n", "")),
        ("ConvertTo-Json of Windows PowerShell", json.dumps(json.loads(PLAIN), indent=4, separators=(",", ":  "))),
        ("a signed one that somebody edited", sign_definition(PLAIN).replace(",", ", ")),
        ("a signed one that lost its tail", sign_definition(PLAIN).rstrip(" }") + "}}"),
        ("a tenant that keeps the meaning only", json.dumps(json.loads(sign_definition(PLAIN)), separators=(",", ":"))),
        ("an entry-less policy", '{"ClaimsMappingPolicy":{"Version":1,"ClaimsSchema":[]}}'),
        ("no JSON", "nonsense"),
        ("no JSON between the spaces", sign_definition("{x}")),
        ("nothing", ""),
    ],
)
def test_what_another_tool_wrote_is_not_taken_for_this_project_s(tool: str, definition: str) -> None:
    assert not is_signed(definition), tool
