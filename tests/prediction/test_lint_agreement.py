"""If this goes red, lint says of a policy that Flex refuses its sign-ins where `predict` says that they work, or the other
way round: a person reads both about one policy.

Policies are generated from a seed, which a failure prints. Each claim type stands in a policy once and each value is plain
text, because lint judges entry by entry; what makes an entry doubtful has rules of its own.
"""

from __future__ import annotations

import json
import random
import secrets
from typing import Any

from flexsaml.claims import lint
from flexsaml.prediction.evidence import EXACT
from tests.prediction.seeded import MANDATORY, OWN, Json, ada, define, predict_definition, target

POLICIES = 400
NAMES = (
    "team", "level.int", "levels.intarray", "on.boolean", "flags.booleanarray", "languages.stringarray", "channel.voice.capacity",
    "channel.chat.availability", "a.b", "contact_uri", "http://x.example/site",
)  # fmt: skip
CONSTANTS = (
    "7", "007", "+7", "1.23", "a", "true", "TRUE", "yes", "a,b", "1,2", "1,x", "", "null", "9007199254740992", "agent", "boss",
)  # fmt: skip
IDS = ("mail", "displayname", "assignedroles", "department", "nonsense", "900", "accountEnabled", "userprincipalname")
REQUIRED = {str(entry["SamlClaimType"]): entry for entry in MANDATORY}


def make_policy(dice: random.Random) -> list[Json]:
    """Most of what Flex requires, and a few claims more; a required one may have another source."""
    names = [name for name in REQUIRED if dice.random() < 0.85]
    entries: list[Json] = [REQUIRED[name] if dice.random() < 0.8 else make_entry(dice, name) for name in names]
    return [*entries, *(make_entry(dice, name) for name in dice.sample(NAMES, dice.randint(0, 4)))]


def make_entry(dice: random.Random, name: str) -> Json:
    sources: tuple[dict[str, Any], ...] = (
        {"Value": dice.choice(CONSTANTS)},
        {"Source": "user", "ID": dice.choice(IDS)},
        {"Source": "user", "ExtensionID": f"{OWN}text"},
    )
    return {**dice.choice(sources), "SamlClaimType": name}


def test_lint_and_predict_say_the_same_of_generated_policies() -> None:
    seed = secrets.randbelow(2**32)
    dice, refused = random.Random(seed), 0  # noqa: S311 - a seed repeats it
    at = target(extensions={f"{OWN}text": "String"})
    for _ in range(POLICIES):
        entries = make_policy(dice)
        definition = define(*entries, IncludeBasicClaimSet="false")
        findings = [finding for finding in lint(definition, profile="flex") if finding.level == "error"]
        prediction = predict_definition(definition, ada(department="7"), at)
        said = f"seed {seed}: {json.dumps(entries)}: {[str(finding) for finding in findings]}, {prediction.verdict}"
        judged = [each for each in findings if "a value that does not fit" not in each.message]  # whatever the value is
        certain = [each for each in judged if " Flex refuses " in each.message]
        probable = [each for each in judged if " Flex probably refuses " in each.message]
        if probable or certain:
            assert prediction.verdict.outcome == "fails", said
            assert (prediction.verdict.confidence == EXACT) or not certain, said
            refused += 1
        missing = {fault.fault.name for fault in prediction.faults if fault.fault.kind == "missing"}
        absent = missing - {entry["SamlClaimType"] for entry in entries}
        named = {name for name in absent if any(f"claim '{name}' is missing" in each.message for each in findings)}
        assert absent == named, said
    assert POLICIES / 4 < refused < POLICIES, "both kinds of policies were met"
