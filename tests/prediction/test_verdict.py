"""If this goes red, `predict` states for certain that a sign-in fails or works, though no document says so.

Every rule by which a sign-in can fail is met by generated policies, principals and users, and each answer is compared
with the table of evidence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from flexsaml.claims import NAME_ID
from flexsaml.prediction.evidence import EXACT, PREDICTED, UNKNOWN, load_rules, rate_evidence
from flexsaml.prediction.outcome import EntraRefusal, FlexRefusal
from flexsaml.prediction.predict import Prediction
from tests.prediction.seeded import ADA, MANDATORY, OWN, USERS, Json, ada, agent, predict_entries, target

FOREIGN_AUDIENCE = {"accept_mapped_claims": True, "audiences": ("urn:flex:JQ",)}
FOREIGN = f"extension_{'0' * 32}_text"
TYPES = {
    f"{OWN}text": "String", f"{OWN}empty": "String", f"{OWN}number": "Integer", f"{OWN}list": "String[]",
    f"{OWN}single": "String[]", f"{OWN}synced": "String[]", f"{OWN}null": "String", FOREIGN: "String",
}  # fmt: skip
VALUES = {
    f"{OWN}text": "a", f"{OWN}empty": "", f"{OWN}number": 1, f"{OWN}list": ["a", "b"], f"{OWN}single": ["a"],
    f"{OWN}synced": ["a", "b"], FOREIGN: "a",
}  # fmt: skip
ATTRIBUTES = (
    "mail", "displayname", "othermail", "proxyaddresses", "assignedroles", "accountenabled", "createddatetime", "objectid",
    "telephonenumber", "netbiosname", "onpremisesuserprincipalname", "extensionattribute1", "userprincipalname",
    "localuserprincipalname", "groups", "nonsense", "900",
)  # fmt: skip
SOURCES: tuple[Json, ...] = (
    *({"Source": "user", "ID": id_} for id_ in ATTRIBUTES),
    *({"Source": "user", "ExtensionID": name} for name in (*TYPES, f"{OWN}TEXT", f"{OWN}other", f"{OWN.upper()}text")),
    *({"Value": text} for text in ("", " ", "a", "1", "+7", "1.23", "yes", "a\nb", "a\x00", 5)),
    {"Source": "application", "ExtensionID": f"{OWN}text"}, {"Source": "application", "ID": "displayname"},
    {"Source": "application", "ID": "tags"}, {"Source": "company", "ID": "tenantcountry"}, {},
    {"Source": "user", "ID": f"{OWN}text"}, {"Source": "user", "ID": "MAIL"}, {"Source": "user", "ID": "mail", "Value": "a"},
    {"Source": "user", "ID": "mail", "Condition": "x"},
    {"Source": "user", "ID": "mail", "SAMLNameForm": "basic"}, {"Source": "user", "ID": "mail", "SAMLNameForm": "odd"},
    *({"Source": "transformation", "TransformationID": name} for name in (
        "join", "prefix", "lower", "regex", "every", "unmatched", "create", "unknown", "absent", "null", "each", "nulljoin",
        "first",
    )),
)  # fmt: skip


def transform(name: str, method: str, *claims: tuple[str, str], each: bool = False, **constants: str) -> Json:
    inputs = [
        {"ClaimTypeReferenceId": reference, "TransformationClaimType": kind, **({"TreatAsMultiValue": "true"} if each else {})}
        for reference, kind in claims
    ]  # fmt: skip
    parameters = [{"ID": key, "Value": value} for key, value in constants.items()]
    return {"ID": name, "TransformationMethod": method, "InputClaims": inputs, "InputParameters": parameters}


INPUTS = tuple({"Source": "user", "ID": id_} for id_ in ("mail", "assignedroles", "city", "othermail"))
TRANSFORMATIONS = [
    transform("join", "Join", ("mail", "string1"), string2="x", separator="@"),
    transform("nulljoin", "Join", ("city", "string1"), string2="x", separator="@"),
    transform("prefix", "ExtractMailPrefix", ("mail", "mail")),
    transform("lower", "ToLowercase", ("mail", "x")),
    transform("regex", "RegexReplace", ("mail", "sourceClaim"), regex="^ada", replacement="x"),
    transform("every", "RegexReplace", ("mail", "sourceClaim"), regex="a", replacement="x"),
    transform("unmatched", "RegexReplace", ("mail", "sourceClaim"), regex="^zzz", replacement="x"),
    transform("create", "CreateStringClaim", value="x"),
    transform("unknown", "Reverse", ("mail", "x")),
    transform("null", "ToLowercase", ("city", "x")),
    transform("each", "ToLowercase", ("assignedroles", "x"), each=True),
    transform("first", "ToLowercase", ("othermail", "x"), each=True),
]
NAMES = (
    "email",
    "Email",
    "email.string",
    "roles",
    "level.int",
    "on.boolean",
    "levels.intarray",
    "channel.voice.capacity",
)
USER = {
    "values": VALUES, "roles": ("agent", "supervisor"), "has_textless_role": True, "has_disabled_role": True,
    "has_role_twice": True,
}  # fmt: skip


def generate_predictions() -> Iterator[Prediction]:
    """Each source under each name, by itself, beside a second entry of that name, and after fifty others; and each
    state of the principal and the user in which Entra may refuse a sign-in."""
    at = replace(target(extensions=TYPES), synced=frozenset({f"{OWN}synced"}))
    users = (
        agent(ADA, **USER, properties={**USERS[ADA], "otherMails": ["a@x", "b@x"], "onPremisesUserPrincipalName": "a@x"}),
        agent(ADA, values={}, roles=(), has_textless_role=True, properties={**USERS[ADA], "mail": None, "userType": "Guest"}),
    )  # fmt: skip
    filler = [{"Value": "x", "SamlClaimType": f"urn:{number}"} for number in range(50)]
    for user in users:
        for name in NAMES:
            others = [entry for entry in MANDATORY if entry["SamlClaimType"] != name.lower().partition(".")[0]]
            for source in SOURCES:
                entries = [*others, *INPUTS, {**source, "SamlClaimType": name}]
                yield predict_entries(*entries, user=user, at=at, ClaimsTransformation=TRANSFORMATIONS)
            again = [{"Value": "a", "SamlClaimType": name}, {"Value": "b", "SamlClaimType": name}]
            yield predict_entries(*others, *again, user=user, at=at)
            yield predict_entries(*others, {**again[0], "ExtensionID": f"{OWN}null"}, again[1], user=user, at=at)
            yield predict_entries(*others, {"Source": "user", "ExtensionID": f"{OWN}null", "SamlClaimType": name},
                                  again[1], user=user, at=at)  # fmt: skip
            yield predict_entries(*others, again[0], {**again[1], "SamlClaimType": name.upper()}, user=user, at=at)
            yield predict_entries(*others, *filler, *again[:1], user=user, at=at)
            yield predict_entries(*others, again[0], user=user, at=at, Mystery=1)
    for changes in ({"enabled": False}, {"has_key": False}, {"has_key": False, **FOREIGN_AUDIENCE}):
        yield predict_entries(*MANDATORY, at=target(**changes))
    yield predict_entries(*MANDATORY, at=replace(target(), has_key=False, is_key_unusable=True))
    yield predict_entries(*MANDATORY, at=replace(target(), is_key_undated=True))
    yield predict_entries(*MANDATORY, at=replace(target(accept_mapped_claims=True), has_key=False))
    for user in (ada(accountEnabled=False), agent(ADA, assigned=False), ada(accountEnabled=None)):
        yield predict_entries(*MANDATORY, user=user)
    synced = agent(
        ADA, values=VALUES, declared=frozenset(VALUES), properties={**USERS[ADA], "onPremisesSyncEnabled": True}
    )
    level = {"Source": "user", "ExtensionID": f"{OWN}text", "SamlClaimType": "level.int"}
    yield predict_entries(*MANDATORY, level, user=synced, at=target(extensions=TYPES))
    yield predict_entries(*MANDATORY)
    yield predict_entries(*MANDATORY[:2])
    yield predict_entries(*MANDATORY[:2], Mystery=1)


@cache
def all_predictions() -> tuple[Prediction, ...]:
    return tuple(generate_predictions())


def list_refusals(prediction: Prediction) -> list[EntraRefusal | FlexRefusal]:
    return [*prediction.refusals, *prediction.faults]


DECIDES_NOTHING = {
    "S2", "S7", "S7 left out", "S10 issued", "S17 issuance", "S19", "S20", "S22", "S27",
    "N1", "N1 none", "N2", "N2 observed", "N2 pairwise", "N3", "N3 default", "N3 request", "N3 stated", "N4", "N4 domain", "N5",
    "W10", "W5", "W6", "W7", "W8",
    "F1 form", "F1 suffix", "F2", "F2 form", "F3", "F3 dotted", "F3 items", "F5", "F6", "F7", "F9", "F9 uri", "F9 other", "F11",
    "F11 beyond", "F11 counted", "F12", "F12 other", "F12 insights", "F13", "F13 stored", "F13 several", "F13 absent", "F13 goes on", "F14",
}  # fmt: skip
"""Rules from which no refusal follows: of attributes that Flex ignores, of the NameID, and of what Flex makes of what it
takes. What they make unknown is a doubt."""


def test_every_rule_by_which_a_sign_in_can_fail_was_met() -> None:
    cited = {rule for prediction in all_predictions() for item in list_refusals(prediction) for rule in item.evidence}
    assert set(load_rules()) - cited == DECIDES_NOTHING


def test_a_refusal_is_as_certain_as_its_evidence_and_says_so() -> None:
    for prediction in all_predictions():
        described = prediction.describe_sign_in()
        listed = [*described["refusals"], *described["faults"]]
        for item, body in zip(list_refusals(prediction), listed, strict=True):
            grades = {load_rules()[rule].grade for rule in item.evidence}
            assert item.confidence == (UNKNOWN if item.unknown else rate_evidence(item.evidence))
            assert (body["confidence"], body["grade"], body["rules"]) == (item.confidence, max(grades), item.rules)
            sentences = [text for text in prediction.verdict.problems if text.startswith(item.text)]
            if item.confidence == UNKNOWN:
                assert any(item.unknown in doubt for doubt in prediction.verdict.doubts)
                continue
            [sentence] = sentences
            assert ("probably" in item.text) is (isinstance(item, FlexRefusal) and item.confidence == PREDICTED)
            assert sentence.endswith(f", grade {max(grades)})")
            assert ("not confirmed: rule" in sentence) is (item.confidence == PREDICTED) is ("D" in grades)


def test_a_verdict_is_certain_only_if_the_grades_permit() -> None:
    outcomes = set()
    for prediction in all_predictions():
        verdict, described = prediction.verdict, prediction.describe_sign_in()
        levels = {item.confidence for item in list_refusals(prediction)}
        assert verdict.confidence == (UNKNOWN if verdict.outcome == UNKNOWN else rate_evidence(verdict.evidence))
        assert (verdict.outcome == "fails") is bool(levels - {UNKNOWN})
        assert (verdict.text == "fails") is (EXACT in levels)
        assert (verdict.outcome == "works") is (not levels and not verdict.doubts)
        assert (described["outcome"], described["confidence"]) == (verdict.outcome, verdict.confidence)
        assert ("probably" in verdict.text) is (described["grade"] == "D" and verdict.outcome != UNKNOWN)
        outcomes.add(verdict.text)
    assert outcomes == {"works", "probably works", "fails", "probably fails", "unknown"}


def test_where_the_evidence_is_named_every_rule_is_in_the_document() -> None:
    numbers = {name.partition(" ")[0] for name in load_rules()}
    sentences = {text for prediction in all_predictions() for text in prediction.verdict.problems}
    for sentence in sentences:
        match = re.search(r"\((?:not confirmed: )?rules? ([A-Z0-9, ]+), grade [ABCD]\)$", sentence)
        assert match, sentence
        assert set(match[1].split(", ")) <= numbers


def constant(name: str, text: str) -> Json:
    return {"Value": text, "SamlClaimType": name}


@pytest.mark.parametrize(
    ("entry", "text", "confidence"),
    [
        (constant("level.int", "7"), "works", EXACT),
        (constant("level.int", "007"), "probably works", PREDICTED),
        (constant("level.int", "-7"), "probably works", PREDICTED),
        (constant("level.int", "7000000000"), "probably works", PREDICTED),
        (constant("level.int", "a"), "fails", EXACT),  # Twilio's own examples
        (constant("level.int", "1.23"), "fails", EXACT),
        (constant("level.int", "1.0"), "probably fails", PREDICTED),
        (constant("level.int", "+7"), "probably fails", PREDICTED),
        (constant("level.int", "9007199254740992"), "probably fails", PREDICTED),
        (constant("level.int", ""), "probably fails", PREDICTED),
        (constant("on.boolean", "true"), "works", EXACT),
        (constant("on.boolean", "True"), "probably works", PREDICTED),
        (constant("on.boolean", "yes"), "probably fails", PREDICTED),
        (constant("on.boolean", "maybe"), "fails", EXACT),
        (constant("on.boolean", "null"), "probably fails", PREDICTED),
        (constant("channel.voice.capacity", "a"), "probably fails", PREDICTED),  # Twilio's example is an attribute
        (constant("level.int", "-Infinity"), "probably fails", PREDICTED),
        (constant("n.intarray", "1,2"), "works", EXACT),
        (constant("n.intarray", "1,,2"), "probably fails", PREDICTED),
        (constant("n.intarray", "1,b"), "fails", EXACT),
        ({"Source": "user", "ID": "department", "SamlClaimType": "level.int"}, "fails", EXACT),
        ({"Source": "user", "ID": "city", "SamlClaimType": "level.int"}, "works", EXACT),  # null, so not sent
        ({"Source": "user", "ID": "nonsense", "SamlClaimType": "level.int"}, "probably works", PREDICTED),
        # A claim that decides nothing; that Entra issues an assertion at all is documented for no such entry.
        ({"Source": "user", "ID": "nonsense", "SamlClaimType": "note"}, "probably works", PREDICTED),
        ({"Source": "user", "ID": "mail", "Foo": 1, "SamlClaimType": "note"}, "probably works", PREDICTED),
        ({"Source": "user ", "ID": "mail", "SamlClaimType": "note"}, "probably works", PREDICTED),
        ({"Source": "USER", "ID": "mail", "SamlClaimType": "note"}, "probably works", PREDICTED),
        ({"Source": 5, "ID": "mail", "SamlClaimType": "note"}, "probably works", PREDICTED),
        ({"Source": "device", "ID": "displayname", "SamlClaimType": "note"}, "probably works", PREDICTED),
        ({"Source": "user", "ExtensionID": f"{OWN}none", "SamlClaimType": "note"}, "probably works", PREDICTED),
        (
            {"Source": "transformation", "TransformationID": "none", "SamlClaimType": "note"},
            "probably works",
            PREDICTED,
        ),
        ({"Value": 5, "SamlClaimType": "note"}, "probably works", PREDICTED),
        ({"SamlClaimType": "note"}, "probably works", PREDICTED),
        ({"Source": "user", "ID": "mail", "Foo": 1}, "probably works", PREDICTED),  # it may feed a transformation only
        ({"Source": "device", "ID": "displayname"}, "probably works", PREDICTED),
        ({"Source": "user", "ID": "mail"}, "works", EXACT),
        ({"Source": "user", "ID": "mail", "SamlClaimType": "note"}, "works", EXACT),
        (constant("note", ""), "works", EXACT),
        ({"Source": "user", "ID": "netbiosname", "SamlClaimType": "level.int"}, "unknown", UNKNOWN),
    ],
)
def test_what_decides_makes_the_verdict_certain_or_not(entry: Json, text: str, confidence: str) -> None:
    verdict = predict_entries(*MANDATORY, entry, user=ada(city=None)).verdict
    assert (verdict.text, verdict.confidence) == (text, confidence)


@pytest.mark.parametrize(
    ("email", "mail", "text"),
    [
        ({"SamlClaimType": "email"}, "a@x", "works"),
        ({"SamlClaimType": "email"}, None, "fails"),
        ({"SamlClaimType": "email"}, "Ada Lovelace", "probably works"),  # required attributes may be invalid
        ({"SamlClaimType": "email"}, "ada@", "probably works"),
        ({"SamlClaimType": "email"}, "ada\u200b@x", "probably works"),
        ({"SamlClaimType": "email"}, "ä@ü", "probably works"),
        ({"SamlClaimType": "email"}, "a@x.", "probably works"),
        ({"SamlClaimType": "email"}, "a" * 65 + "@x", "probably works"),
        ({"SamlClaimType": "email"}, "o'brien+flex@contoso.example", "works"),
        ({"SamlClaimType": "Email"}, "a@x", "probably fails"),  # nobody says that Flex distinguishes case
        ({"SamlClaimType": "Email"}, None, "fails"),
        ({"SamlClaimType": "email "}, "a@x", "unknown"),  # nobody knows whether Entra drops the blank
        ({"SamlClaimType": "EMAIL "}, "a@x", "unknown"),
        ({"SamlClaimType": "http://x/email"}, "a@x", "fails"),
        ({"SamlClaimType": "e-mail"}, "a@x", "fails"),
        ({"SamlClaimType": "email", "Condition": "x"}, None, "unknown"),
    ],
)
def test_a_required_attribute_under_another_name(email: Json, mail: str | None, text: str) -> None:
    entries: list[dict[str, Any]] = [{"Source": "user", "ID": "mail", **email}, *MANDATORY[1:]]
    assert predict_entries(*entries, user=ada(mail=mail)).verdict.text == text


@pytest.mark.parametrize(
    ("name", "text"),
    [("Łukasz", "works"), ("7", "works"), ("王", "works"), ("-", "probably works"), ("\u200b", "probably works")],
)
def test_a_name_without_letters_may_be_invalid(name: str, text: str) -> None:
    assert predict_entries(*MANDATORY, user=ada(displayName=name)).verdict.text == text


@pytest.mark.parametrize(
    ("entries", "mail", "text"),
    [
        ([{"ID": "userprincipalname"}], ADA, "works"),  # as in Twilio's guide
        ([{"ID": "mail"}], ADA, "works"),
        ([{"ID": "employeeid"}], ADA, "probably works"),
        ([{"ID": "nonsense"}], ADA, "probably works"),  # a pairwise identifier
        ([{"ID": "mail", "SamlNameIdFormat": "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"}], ADA, "probably works"),
        ([{"ID": "mail"}, {"ID": "employeeid"}], ADA, "probably works"),
        ([], ADA, "probably works"),
    ],
)  # fmt: skip
def test_another_name_id_than_that_of_the_guide_may_not_be_what_flex_asks_for(
    entries: list[Json], mail: str, text: str
) -> None:
    named = [{"Source": "user", **entry, "SamlClaimType": NAME_ID} for entry in entries]
    assert predict_entries(*MANDATORY[:3], *named, user=ada(mail=mail)).verdict.text == text


def test_a_policy_with_a_method_that_nobody_documents_and_roles_of_insights_alone_are_not_certain() -> None:
    unused = [transform("create", "CreateStringClaim", value="x")]
    assert predict_entries(*MANDATORY, ClaimsTransformation=unused).verdict.text == "probably works"
    assert predict_entries(*MANDATORY, ClaimsTransformation=[TRANSFORMATIONS[2]]).verdict.text == "works"
    for roles, text in ((("wfo.team_leader",), "probably works"), (("agent", "wfo.team_leader"), "works")):
        assert predict_entries(*MANDATORY, user=agent(ADA, roles=roles)).verdict.text == text


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ({"Value": "blue", "SamlClaimType": "team_member"}, "probably works"),
        ({"Value": "blue,red", "SamlClaimType": "team_member"}, "probably works"),  # an error is logged
        ({"Value": "blue,red", "SamlClaimType": "team_member.stringarray"}, "probably works"),
        ({"Source": "user", "ID": "city", "SamlClaimType": "team_owner"}, "probably works"),
        ({"Value": "blue", "SamlClaimType": "team_id"}, "works"),
        ({"Value": "ä" * 700, "SamlClaimType": "note"}, "probably works"),  # 4,096 characters only without escapes
        ({"Value": "x" * 3900, "SamlClaimType": "note"}, "works"),
    ],
)
def test_a_team_and_a_length_near_the_limit_are_not_certain(entry: Json, text: str) -> None:
    assert predict_entries(*MANDATORY, entry, user=ada(city=None)).verdict.text == text


def test_of_several_reasons_a_certain_one_decides() -> None:
    prediction = predict_entries(*MANDATORY, user=ada(mail=None), at=replace(target(), has_key=False))
    assert prediction.verdict.text == "fails"
    assert [text.partition(":")[0] for text in prediction.verdict.problems] == ["'email' is missing", "AADSTS50146"]
