"""The seeded tenant as a prediction reads it, taken from the seed file, with the setup of a case. A helper."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from flexsaml.claims import NAME_ID
from flexsaml.graph import PrincipalSnapshot, ServicePrincipal
from flexsaml.prediction.evidence import UNKNOWN, Inference, rate_evidence
from flexsaml.prediction.pattern_process import PatternProcess
from flexsaml.prediction.policy import parse_policy
from flexsaml.prediction.predict import Prediction, predict_sign_in
from flexsaml.prediction.sources import Agent, SignInTarget
from flexsaml.prediction.statement import AttributeLine
from tests.emulator.process import SEED

Json = dict[str, Any]
EXPECTED = Path(__file__).parent / "expected"
CORPUS = Path(__file__).parents[1] / "corpus" / "policies"
CASES = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(EXPECTED.glob("*.json"))}
_SEED: Json = json.loads(SEED.read_text("utf-8"))
_FLEX: Json = _SEED["servicePrincipals"][0]
USERS = {user["userPrincipalName"]: user for user in _SEED["users"]}


def definition(case: Json) -> str:
    text: str = (CORPUS / case["policy"]).read_text("utf-8")
    for old, new in case.get("setup", {}).get("replace", {}).items():
        assert old in text
        text = text.replace(old, new)
    return text


def target(*, has_key: bool = True, extensions: Mapping[str, str] | None = None, **changes: Any) -> SignInTarget:
    """Twilio Flex of the seed, with changes of its snapshot."""
    tenant = _SEED["organization"][0]
    snapshot = PrincipalSnapshot(
        application=None,
        properties=(),
        assigned=(),
        policies=(),
        principal=ServicePrincipal(_FLEX["id"], _FLEX["appId"], _FLEX["displayName"]),
        enabled=True,
        audiences=(),
        active_key="",
        keys=(),
        accept_mapped_claims=False,
        multi_tenant=False,
        roles=(),
        domains=tuple(domain["name"] for domain in tenant["verifiedDomains"]),
        owner_has_principal=True,
        assignment_required=_FLEX["appRoleAssignmentRequired"],
        tags=tuple(_FLEX["tags"]),
        tenant_id=tenant["id"],
        country=tenant["countryLetterCode"],
    )
    return SignInTarget(replace(snapshot, **changes), has_key, extensions=extensions or {})


def agent(upn: str, **changes: Any) -> Agent:
    """A seeded user with the roles of the seed."""
    user = USERS[upn]
    ids = {user["id"], *(group["id"] for group in _SEED["groups"] if user["id"] in group["members"])}
    held = [
        row["appRoleId"]
        for row in _SEED["appRoleAssignments"]
        if row["principalId"] in ids and row["resourceId"] == _FLEX["id"]
    ]
    texts = {role["id"]: role["value"] for role in _FLEX["appRoles"]}
    roles = {str(texts[role]) for role in held if texts.get(role)}
    known: Json = {
        "id": user["id"],
        "upn": upn,
        "properties": user,
        "roles": tuple(sorted(roles)),
        "assigned": bool(held),
    }
    return Agent(**{**known, **changes})


def predict_case(case: Json) -> Prediction:
    """A case of tests/prediction/expected."""
    setup = case.get("setup", {})
    types, values = {}, {}
    for extension in setup.get("extensions", ()):
        name = f"extension_{_FLEX['appId'].replace('-', '')}_{extension['name']}"
        types[name], values[name] = extension["dataType"], extension["value"]
    seeded = agent(case["user"])
    roles = {*seeded.roles, *filter(None, setup.get("roles", ()))}
    properties = {**USERS[case["user"]], **setup.get("user", {})}
    user = agent(case["user"], properties=properties, values=values, roles=tuple(sorted(roles)), assigned=True)
    return predict_definition(definition(case), user, target(extensions=types))


# -- predictions of policies made of a few entries ---------------------------------------------------------------------

ADA = "ada@contoso.example"
OWN = f"extension_{_FLEX['appId'].replace('-', '')}_"
MANDATORY: tuple[Json, ...] = (
    {"Source": "user", "ID": "mail", "SamlClaimType": "email"},
    {"Source": "user", "ID": "displayname", "SamlClaimType": "full_name"},
    {"Source": "user", "ID": "assignedroles", "SamlClaimType": "roles"},
    {"Source": "user", "ID": "userprincipalname", "SamlClaimType": NAME_ID},
)
"""What Flex requires, with the NameID of Twilio's guide."""


def ada(**properties: Any) -> Agent:
    return agent(ADA, properties={**USERS[ADA], **properties})


def user_entry(id_: str, **more: Any) -> Json:
    return {"Source": "user", "ID": id_, "SamlClaimType": "x", **more}


def define(*entries: Json, **more: Any) -> str:
    return json.dumps({"ClaimsMappingPolicy": {"Version": 1, "ClaimsSchema": list(entries), **more}})


def predict_entries(
    *entries: Json, user: Agent | None = None, at: SignInTarget | None = None, **more: Any
) -> Prediction:
    return predict_definition(define(*entries, **more), user, at)


def predict_definition(
    definition: str | bytes, user: Agent | None = None, at: SignInTarget | None = None
) -> Prediction:
    with PatternProcess() as patterns:
        return predict_sign_in(parse_policy(definition), at or target(), user or agent(ADA), patterns)


def rate_without_request(line: Inference) -> str:
    """The confidence if it were known that Flex asks for no other kind of NameID."""
    return UNKNOWN if line.unknown else rate_evidence(rule for rule in line.evidence if rule != "N3 request")


def find_line(prediction: Prediction, name: str = "x") -> AttributeLine:
    return next(line for line in prediction.attributes if line.name == name)
