"""If this goes red, `predict --against` or `worker` shows a difference that does not exist, or hides one."""

from __future__ import annotations

import pytest

from flexsaml.claims import NAME_ID
from flexsaml.prediction.comparison import compare_policies, compare_worker
from flexsaml.prediction.sources import EMAIL, PERSISTENT
from tests.prediction.seeded import CASES, MANDATORY, predict_case, predict_entries, user_entry

TYPED = (
    {"Value": "1", "SamlClaimType": "skill.int"},
    {"Value": "true", "SamlClaimType": "on.boolean"},
    {"Value": "2", "SamlClaimType": "channel.voice.capacity"},
)


@pytest.mark.parametrize(
    ("attributes", "outcomes"),
    [
        ({"skill": 1, "on": True}, {"skill": "same", "on": "same", "contact_uri": "missing"}),
        ({"skill": True, "on": 1}, {"skill": "differs", "on": "differs", "contact_uri": "missing"}),
        ({"skill": 1.0, "on": "true"}, {"skill": "differs", "on": "differs", "contact_uri": "missing"}),
    ],
)
def test_attributes_are_compared_as_json(attributes: dict[str, object], outcomes: dict[str, str]) -> None:
    comparisons = compare_worker(predict_entries(*TYPED), attributes)
    assert {comparison.name: comparison.outcome for comparison in comparisons} == outcomes


def test_every_attribute_of_either_side_has_an_outcome() -> None:
    attributes = {"email": "susan@contoso.example", "full_name": "S. Calvin", "exampleclaimattribute": "old", "wing": 1}
    comparisons = compare_worker(predict_case(CASES["03-guide-extension-of-nobody"]), attributes)
    assert {comparison.name: comparison.outcome for comparison in comparisons} == {
        "full_name": "differs",
        "roles": "missing",
        "email": "same",
        "contact_uri": "missing",
        "exampleclaimattribute": "kept",
        "wing": "not from sign-in",
    }


def test_another_policy_changes_the_sign_in_the_statement_and_the_worker() -> None:
    mail = {"Source": "user", "ID": "mail", "SamlClaimType": NAME_ID}
    before = predict_entries(*MANDATORY[:3], user_entry("department"))
    after = predict_entries(*MANDATORY[:2], user_entry("jobtitle"), mail)
    changes = {(change.where, change.name): (change.before, change.after) for change in compare_policies(before, after)}
    failure = "'roles' is missing: Flex answers with error 45050 (rule F1, grade A)"
    assert changes["sign-in", ""] == ("probably works (not confirmed: rule N3, grade D)", failure)
    assert changes["NameID format", ""] == (PERSISTENT, EMAIL)
    assert changes["attribute", "x"] == (["Support"], ["Agent"])
    assert changes["attribute", "roles"] == (["agent"], "(not sent)")
    assert changes["worker", "roles"] == (["agent"], "(keeps its value)")
    assert ("NameID", "") not in changes
    assert compare_policies(before, before) == []
