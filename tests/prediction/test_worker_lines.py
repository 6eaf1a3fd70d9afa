"""If this goes red, `predict` shows what Flex stores with more confidence than its weakest rule allows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flexsaml.claims import NAME_ID
from flexsaml.prediction.evidence import EXACT, PREDICTED, UNKNOWN
from tests.prediction.seeded import ADA, MANDATORY, agent, predict_entries, rate_without_request

UPN_ENTRY = {"Source": "user", "ID": "userprincipalname", "SamlClaimType": NAME_ID}


@pytest.mark.parametrize(
    ("constants", "name", "value", "confidence"),
    [
        ({"team": "blue"}, "team", "blue", EXACT),
        ({"team": "blue "}, "team", "blue ", PREDICTED),
        ({"team_member": "blue"}, "team_member", "blue", PREDICTED),  # Twilio says only which team it assigns
        ({"team_owner": "blue, red"}, "team_owner", "blue, red", PREDICTED),
        ({"team_member": ""}, "team_member", None, UNKNOWN),  # the default team
        ({"Team_Member": "blue"}, "Team_Member", "blue", PREDICTED),
        ({"routing": "x"}, "routing", "x", PREDICTED),
        ({"team": "blue", "note": "ä" * 700}, "team", "blue", PREDICTED),  # 4,096 characters only without escapes
        ({"team": "blue", "note": "x" * 3900}, "team", "blue", EXACT),
        ({"team_member.stringarray": "blue,red"}, "team_member", None, UNKNOWN),
        ({"team": "blue", "note": "x" * 4100}, "team", None, UNKNOWN),  # longer than TaskRouter keeps
        ({"full_name.string": "Ada"}, "full_name", None, UNKNOWN),
        ({"languages.stringarray": "de,en"}, "languages", ["de", "en"], EXACT),
        ({"languages.stringarray": "de, en"}, "languages", ["de", "en"], PREDICTED),
        ({"languages.stringarray": "de,,en"}, "languages", ["de", "", "en"], PREDICTED),
        ({"languages.stringarray": '"de,en"'}, "languages", ['"de', 'en"'], PREDICTED),
        ({"languages.stringarray": '["de"]'}, "languages", ['["de"]'], PREDICTED),
        ({"//x/team": "blue"}, "//x/team", "blue", PREDICTED),  # a URI by some readings
        ({"routing.skills.stringarray": "de"}, "routing.skills", ["de"], PREDICTED),  # Flex keeps its own nested
        ({"team.name": "blue"}, "team.name", "blue", PREDICTED),
        ({"level.Int": "5"}, "level.Int", "5", PREDICTED),
        ({"Email": "a@x"}, "Email", "a@x", PREDICTED),  # Flex may take it for email
        ({"Team": "blue"}, "Team", "blue", EXACT),
        ({"team": " blue"}, "team", " blue", PREDICTED),
        ({"level.int": "5"}, "level", 5, EXACT),
        ({"level.int": "-5"}, "level", -5, PREDICTED),
        ({"channel.voice.foo": "x"}, "channel.voice.foo", "x", PREDICTED),
        ({"channel.voice.capacity": "2"}, "channel.voice.capacity", 2, PREDICTED),
        ({"team": "blue", "team.string": "red"}, "team", None, UNKNOWN),
        ({"team": "blue", "team.int": "5"}, "team", None, UNKNOWN),
        ({"team": "blue", "team.int": "1.0"}, "team", None, UNKNOWN),  # that Flex refuses 1.0 is an inference
        ({"roles.stringarray": "admin"}, "roles", None, UNKNOWN),
        ({"team": "blue", "team.string": "a\nb"}, "team", None, UNKNOWN),  # it is not known whether the other arrives
    ],
)
def test_the_worker_is_as_sure_as_its_weakest_rule(
    constants: dict[str, str], name: str, value: object, confidence: str
) -> None:
    entries = [{"Value": text, "SamlClaimType": type_} for type_, text in constants.items()]
    line = next(line for line in predict_entries(*MANDATORY, *entries).worker if line.name == name)
    assert (line.value, line.confidence) == (value, confidence)


@pytest.mark.parametrize(
    ("type_", "roles", "confidence"),
    [
        ("roles", ("admin",), EXACT),
        ("roles", ("boss",), PREDICTED),
        ("x.stringarray", ("a", "b"), PREDICTED),
        ("x.int", ("1", "2"), UNKNOWN),
    ],
)
def test_what_flex_makes_of_several_values(type_: str, roles: tuple[str, ...], confidence: str) -> None:
    entries = [{"Source": "user", "ID": "assignedroles", "SamlClaimType": type_}]
    worker = predict_entries(*entries, user=agent(ADA, roles=roles)).worker
    assert worker[0].confidence == confidence


@pytest.mark.parametrize(
    ("upn", "confidence"),
    [("ada@contoso.example", EXACT), ("ada_l@contoso.example", PREDICTED), ("äda@contoso.example", PREDICTED)],
)
def test_the_address_of_a_worker_is_exact_where_its_form_is_documented(upn: str, confidence: str) -> None:
    worker = predict_entries(UPN_ENTRY, user=replace(agent(ADA), upn=upn)).worker
    assert {line.name: rate_without_request(line) for line in worker}["contact_uri"] == confidence
