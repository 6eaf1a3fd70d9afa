"""If this goes red, `predict` lets in whom Entra or Flex refuses, or refuses whom they let in."""

from __future__ import annotations

from typing import Any

import pytest

from flexsaml.claims import lint
from flexsaml.prediction.evidence import EXACT
from tests.prediction.seeded import ADA, MANDATORY, USERS, ada, agent, define, predict_entries, target

DEPARTMENT = {"Source": "user", "ID": "department"}


@pytest.mark.parametrize(
    ("target_changes", "user_changes", "codes"),
    [
        ({}, {}, []),
        ({"enabled": False}, {}, ["AADSTS7000112"]),
        ({}, {"properties": {**USERS[ADA], "accountEnabled": False}}, ["AADSTS50057"]),
        ({}, {"assigned": False}, ["AADSTS50105"]),
        ({"assignment_required": False}, {"assigned": False}, []),
        ({"has_key": False}, {}, ["AADSTS50146"]),
        ({"has_key": False, "accept_mapped_claims": True, "audiences": ("urn:flex:JQ",)}, {}, ["AADSTS501461"]),
        ({"enabled": False, "has_key": False}, {"assigned": False}, ["AADSTS7000112", "AADSTS50105", "AADSTS50146"]),
    ],
)
def test_entra_refuses_by_rule(target_changes: dict[str, Any], user_changes: dict[str, Any], codes: list[str]) -> None:
    prediction = predict_entries(*MANDATORY, user=agent(ADA, **user_changes), at=target(**target_changes))
    assert [refusal.code for refusal in prediction.refusals] == codes
    assert len(prediction.verdict.problems) == len(codes)
    assert prediction.verdict.outcome == ("fails" if codes else "works")


def test_flex_refuses_missing_and_ill_typed_attributes() -> None:
    prediction = predict_entries(MANDATORY[0], {**DEPARTMENT, "SamlClaimType": "skill.int"}, user=ada(mail=None))
    assert [(item.fault.kind, item.fault.name) for item in prediction.faults] == [
        ("missing", "email"),
        ("missing", "full_name"),
        ("missing", "roles"),
        ("ill-typed", "skill.int"),
    ]


@pytest.mark.parametrize(
    ("role", "value", "outcome"),
    [
        ("agent", "x", "works"),
        ("Agent", "x", "unknown"),
        ("wfo.full_access", "x", "works"),
        ("wfo.nonsense", "x", "unknown"),
        ("agent", "x" * 4100, "unknown"),
    ],
)
def test_what_flex_may_refuse_is_unknown(role: str, value: str, outcome: str) -> None:
    entries = [*MANDATORY, {"Value": value, "SamlClaimType": "note"}]
    prediction = predict_entries(*entries, user=agent(ADA, roles=(role,)))
    assert prediction.verdict.outcome == outcome
    assert bool(prediction.verdict.doubts) == (outcome == "unknown")


@pytest.mark.parametrize(
    ("name", "source", "properties", "outcome", "level"),
    [
        ("email", {"ID": "mail"}, {}, "works", ""),
        ("email.string", {"ID": "mail"}, {}, "unknown", "warning"),  # no document says whether it counts as email
        ("email.stringarray", {"ID": "mail"}, {}, "unknown", "warning"),
        ("email.string", {"ID": "mail"}, {"mail": None}, "fails", "warning"),
        ("email.string", {"ID": "userprincipalname"}, {"userType": "Guest"}, "unknown", "warning"),
        ("Email", {"ID": "mail"}, {}, "fails", "error"),
        ("email.text", {"ID": "mail"}, {}, "fails", "error"),
    ],
)
def test_of_a_required_attribute_with_a_suffix_lint_and_the_outcome_say_that_it_is_unknown(
    name: str, source: dict[str, str], properties: dict[str, Any], outcome: str, level: str
) -> None:
    entry = {"Source": "user", **source, "SamlClaimType": name}
    prediction = predict_entries(entry, *MANDATORY[1:], user=ada(**properties))
    findings = lint(define(entry, *MANDATORY[1:]), profile="flex")
    assert [finding.level for finding in findings if finding.rule.startswith("flex-required")] == [level][: bool(level)]
    assert prediction.verdict.outcome == outcome
    assert bool(prediction.verdict.doubts) == (outcome == "unknown")


CONSTANTS = (
    "7", " 7", "7 ", "+7", "7.0", "1e3", "-0", "007", "9007199254740991", "9007199254740992", "9" * 20, "true", "True ",
    "yes", "", "  ", ",", "1,,2", "1, 2", "true,false,", "agent", "Agent", "agent,boss", "agent, admin", "\u0663", "a,b",
    "\u00a07", "x" * 4090,
)  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        *("level.int", "on.boolean", "l.intarray", "l.booleanarray", "l.stringarray", "channel.voice.capacity"),
        *(
            "roles",
            "roles.stringarray",
            "roles.int",
            "team_member",
            "email",
            "full_name",
            "email.int",
            ".int",
            "a.b.int",
        ),
        *("level.int ", "routing.skills.stringarray"),
    ],
)
def test_lint_finds_what_decides_about_a_sign_in(name: str) -> None:
    """A failure is an error, and what is unknown has a warning at least."""
    others = [entry for entry in MANDATORY if entry["SamlClaimType"] != name]
    for text in CONSTANTS:
        entries = [*others, {"Value": text, "SamlClaimType": name}]
        findings = lint(define(*entries), profile="flex")
        # Of several teams, which Twilio calls an error, the sign-in takes none, and probably goes on.
        levels = {finding.level for finding in findings if finding.rule != "team-member-several"}
        outcome = predict_entries(*entries).verdict.outcome
        assert ("error" in levels) or outcome != "fails", text
        assert ("error" not in levels) or outcome != "works", text
        assert levels & {"error", "warning"} or outcome != "unknown", text


@pytest.mark.parametrize(
    ("name", "outcome"),
    [("note", "works"), ("level.int", "unknown"), ("on.booleanarray", "unknown"), ("team_member", "works")],
)
def test_an_unknown_value_that_flex_may_refuse_makes_the_outcome_unknown(name: str, outcome: str) -> None:
    entry = {"Source": "user", "ID": "netbiosname", "SamlClaimType": name}
    assert predict_entries(*MANDATORY, entry).verdict.outcome == outcome


@pytest.mark.parametrize(
    ("keys", "outcome"),
    [
        ({}, "works"),
        ({"audienceOverride": "urn:contoso:other"}, "unknown"),
        ({"issuerWithApplicationId": True}, "unknown"),
        ({"issuerWithApplicationId": False, "audienceOverride": ""}, "works"),
    ],
)
def test_another_issuer_or_audience_makes_the_outcome_unknown(keys: dict[str, Any], outcome: str) -> None:
    prediction = predict_entries(*MANDATORY, **keys)
    assert prediction.verdict.outcome == outcome
    assert all("changes the issuer or the audience" in doubt for doubt in prediction.verdict.doubts)


@pytest.mark.parametrize(
    ("target_changes", "properties", "doubt"),
    [
        ({"sign_on_mode": "saml"}, {}, ""),
        ({"sign_on_mode": ""}, {}, ""),  # as older SAML applications have it
        ({"sign_on_mode": "oidc"}, {}, "single sign-on mode is 'oidc'"),
        ({"sign_on_mode": "notSupported"}, {}, "single sign-on mode is 'notSupported'"),
        ({"encrypts_tokens": True}, {}, "Entra encrypts the assertion"),
        ({"audiences": ("8f665974", "urn:flex:JQ0")}, {}, ""),
        ({"audiences": ("8f665974", "https://iam.twilio.com/v1/Accounts/AC0/saml2/metadata")}, {}, ""),
        ({"audiences": ("8f665974", "https://flex.twilio.com")}, {}, "looks like the entity ID of Flex"),
        ({}, {"externalUserState": "PendingAcceptance"}, "has not accepted the invitation"),
        ({}, {"externalUserState": "Accepted"}, ""),
    ],
)
def test_what_decides_outside_the_statement_makes_the_outcome_unknown(
    target_changes: dict[str, Any], properties: dict[str, Any], doubt: str
) -> None:
    prediction = predict_entries(*MANDATORY, user=ada(**properties), at=target(**target_changes))
    assert prediction.verdict.outcome == ("unknown" if doubt else "works")
    assert [doubt in reason for reason in prediction.verdict.doubts] == [True][: bool(doubt)]


def test_a_character_that_xml_has_not_makes_the_outcome_unknown() -> None:
    assert predict_entries(*MANDATORY, {"Value": "a\x00", "SamlClaimType": "note"}).verdict.outcome == "unknown"


def test_the_worker_keeps_what_is_not_sent() -> None:
    entry = {**DEPARTMENT, "SamlClaimType": "team.string"}
    lines = {line.name: line for line in predict_entries(*MANDATORY, entry, user=ada(department=None)).worker}
    assert (lines["team"].kept, lines["team"].confidence) == (True, EXACT)
    assert "keeps its old value" in lines["team"].reason
