"""If this goes red, `worker` calls a difference what is none, or hides one."""

from __future__ import annotations

import json

from flexsaml.prediction.comparison import compared
from flexsaml.prediction.policy import sign_in_policy
from flexsaml.prediction.predict import predict
from tests.prediction.seeded import CASES, agent, definition, place


def test_attributes_are_compared_as_json() -> None:
    case = CASES["03-guide-extension-of-nobody"]
    one = predict(sign_in_policy(definition(case)), place(), agent(case["user"]))
    has = {"email": "susan@contoso.example", "full_name": "S. Calvin", "exampleclaimattribute": "old", "wing": 1}
    told = {each.name: each.outcome for each in compared(one, has)}
    assert told == {
        "full_name": "differs",
        "roles": "missing",
        "email": "same",
        "contact_uri": "missing",
        "exampleclaimattribute": "kept",
        "wing": "not from sign-in",
    }
    typed = predict(
        sign_in_policy(json.dumps({"ClaimsMappingPolicy": {"Version": 1, "ClaimsSchema": [
            {"Value": "1", "SamlClaimType": "skill.int"}, {"Value": "true", "SamlClaimType": "on.boolean"},
            {"Value": "2", "SamlClaimType": "channel.voice.capacity"}]}})),
        place(), agent(case["user"]),
    )  # fmt: skip
    told = {each.name: each.outcome for each in compared(typed, {"skill": True, "on": 1})}
    assert told == {"skill": "differs", "on": "differs", "contact_uri": "missing"}
