"""If this goes red, `predict` says of some policy, user and state of the principal what the sandbox does not do, or what
`doctor` does not find.

Policies, users' properties and states of the principal are generated from a seed, which a failure prints. What is
unknown is not compared, so that a rule nobody is sure of cannot disagree.
"""

from __future__ import annotations

import random
import re
import secrets
from collections.abc import Sequence
from typing import Any

import pytest

from flexsaml.claims import NAME_ID, ClaimsPolicy
from flexsaml.declaration import Declaration
from flexsaml.graph import Directory
from flexsaml.prediction import Prediction
from flexsaml.preflight import inspect_tenant
from tests.emulator import signin
from tests.emulator.tenant import FLEX, FLEX_APP, GUEST, USERS, Tenant
from tests.prediction.test_agreement import assert_agreement, directory, predict, tenant
from tests.torture import add_figures, is_whole_run

__all__ = ["directory", "tenant"]  # fixtures
POLICIES = 150 if is_whole_run() else 12
IDS = (
    "mail", "displayname", "assignedroles", "userprincipalname", "localuserprincipalname", "department", "jobtitle", "state",
    "othermail", "proxyaddresses", "employeeid", "mailnickname", "accountenabled", "createddatetime", "usertype",
    "telephonenumber", "extensionattribute3", "objectid", "nonsense", "Mail",
)  # fmt: skip
TYPES = (
    "email", "full_name", "roles", "team", "site", "level.int", "on.boolean", "languages.stringarray", "team.string",
    NAME_ID, "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn",
)  # fmt: skip
DECLARATION = Declaration(
    service_principal="Twilio Flex",
    claims=ClaimsPolicy.parse(
        {"email": "user.mail", "full_name": "user.displayname", "roles": "user.assignedroles"}
    ).claims,
    users={user: {} for user in USERS},
)
ACTIVE_KEY = "preferredTokenSigningKeyThumbprint"
VALUES = ("blue", "", " blank ", "a,b", "7", "true", "Grüße", "a\nb", None)


def make_entry(dice: random.Random, extensions: list[str]) -> dict[str, Any]:
    entry: dict[str, Any] = {"SamlClaimType": dice.choice(TYPES)}
    kind = dice.randrange(10)
    if kind < 6:
        entry |= {"Source": "user", "ID": dice.choice(IDS)}
    elif kind < 8:
        entry |= {"Source": "user", "ExtensionID": dice.choice(extensions)}
    elif kind == 8:
        entry |= {"Value": dice.choice(["vienna", "", "x y", 5])}
    else:
        entry |= {
            "Source": dice.choice(["application", "company"]),
            "ID": dice.choice(["displayname", "tenantcountry", "tags"]),
        }
    if dice.random() < 0.1:
        entry |= dice.choice(
            [
                {"SAMLNameForm": "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"},
                {"Condition": "x"},
                {"JwtClaimType": "y"},
            ]
        )
    return entry


def _move_validity(*years: str) -> list[dict[str, Any]]:
    """The principal's certificates, valid at other times."""
    names = ("startDateTime", "endDateTime")
    moved = {name: f"{year}-01-01T00:00:00Z" for name, year in zip(names, years, strict=True)}
    return [{**row, **moved} for row in FLEX["keyCredentials"]]


def make_state(dice: random.Random, prepared: Tenant, round_: int) -> None:
    """Change the principal, its application and some users. Every sixth time there is no certificate in force, or one
    without dates or without its private key."""
    early, late = _move_validity("2090", "2091"), _move_validity("2020", "2021")
    without_key: list[dict[str, Any]] = [
        {ACTIVE_KEY: None},
        {ACTIVE_KEY: "0" * 40},
        {"keyCredentials": early},
        {"keyCredentials": late},
        {"keyCredentials": [row for row in FLEX["keyCredentials"] if row["usage"] == "Verify"]},
        {"keyCredentials": FLEX["keyCredentials"][1:]},  # the active one has no private key, the other one has
        {
            "keyCredentials": [*late[:2], FLEX["keyCredentials"][3]]
        },  # no private key for the one that could take its place
        {
            "keyCredentials": [
                {**row, dice.choice(["startDateTime", "endDateTime"]): None} for row in FLEX["keyCredentials"]
            ]
        },
    ]
    changes: dict[str, Any] = {
        "appRoleAssignmentRequired": dice.random() < 0.2,
        "accountEnabled": dice.random() < 0.95,
        "preferredSingleSignOnMode": dice.choice(["saml", "saml", None, "oidc"]),
        "tokenEncryptionKeyId": dice.choice([None, None, FLEX["id"]]),
        ACTIVE_KEY: FLEX[ACTIVE_KEY],
        "keyCredentials": FLEX["keyCredentials"],
        **(dice.choice(without_key) if round_ % 6 == 5 else {}),
    }
    signin.patch_principal(prepared, **changes)
    accepts = {"api": {"acceptMappedClaims": dice.random() < 0.3}}
    assert prepared.emulator.graph("PATCH", f"/applications/{FLEX_APP['id']}", accepts).status == 204
    assert prepared.patch({"accountEnabled": True}, GUEST).status == 204


def assert_doctor_agrees(directory: Directory, predictions: Sequence[Prediction]) -> None:
    """What `doctor` and preview find about the principal and its users is what their sign-ins meet."""
    findings = {finding.rule: finding.message for finding in inspect_tenant(directory, DECLARATION).findings}
    refusals = {item.code: item for prediction in predictions for item in prediction.refusals}
    key = findings.get("signing-key-missing", findings.get("signing-key-expired", ""))
    audience = findings.get("accept-mapped-claims", "")
    undated = "signing-key-undated" in findings
    for code, is_known, is_unknown in (
        ("AADSTS7000112", "principal-disabled" in findings, False),
        ("AADSTS50146", "fail with AADSTS50146" in key, ("not documented" in key and not audience) or undated),
        ("AADSTS501461", "AADSTS501461" in audience, False),
    ):
        predicted = refusals.get(code)
        assert (predicted is not None and not predicted.unknown) == is_known, (code, findings)
        assert (predicted is not None and bool(predicted.unknown)) == is_unknown, (code, findings)
    for rule, words in (("sign-on-mode", "single sign-on mode"), ("token-encryption", "Entra encrypts")):
        assert (rule in findings) == any(words in doubt for item in predictions for doubt in item.verdict.doubts), rule
    for rule, is_concerned in (
        ("user-disabled", lambda item: any(refusal.code == "AADSTS50057" for refusal in item.refusals)),
        ("user-without-role", lambda item: not item.agent.roles),
        ("user-without-mail", lambda item: not item.agent.properties["mail"]),
    ):
        count = re.match(r"[\d,]+", findings.get(rule, "0"))
        assert count, findings
        assert int(count[0]) == sum(map(is_concerned, predictions)), (rule, findings)


@pytest.mark.torture
def test_generated_sign_ins(tenant: Tenant, directory: Directory) -> None:
    seed = secrets.randbelow(2**32)
    dice, sign_ins, refused, unknown_lines = random.Random(seed), 0, 0, 0  # noqa: S311 - a seed repeats it
    properties = [
        tenant.property(f"x{number}", dataType=kind)["name"] for number, kind in enumerate(["String", "Integer"])
    ]
    for round_ in range(POLICIES):
        make_state(dice, tenant, round_)
        entries = [make_entry(dice, [*properties, properties[0].upper()]) for _ in range(dice.randint(1, 9))]
        for user in USERS:
            if dice.random() < 0.5:
                assert (
                    tenant.patch(
                        {properties[0]: dice.choice(VALUES), properties[1]: dice.choice([None, 7])}, user
                    ).status
                    == 204
                )
        for policy in tenant.assigned():
            tenant.unassign(policy)
        signin.assign(tenant, signin.claims(*entries, basic=dice.random() < 0.3))
        predictions = predict(directory, *USERS)
        assert_doctor_agrees(directory, predictions)
        for prediction in predictions:
            try:
                unknown_lines += len(assert_agreement(prediction, tenant))
            except AssertionError as problem:
                raise AssertionError(f"seed {seed}, round {round_}, {prediction.agent.upn}: {entries}") from problem
            sign_ins, refused = sign_ins + 1, refused + bool(prediction.refusals)
    assert sign_ins == POLICIES * len(USERS)
    assert refused < sign_ins / 2, "most of them compare assertions"
    add_figures(
        "sign-ins", sign_ins=sign_ins, of_these_refused=refused, lines_that_are_unknown=unknown_lines, disagreements=0
    )
