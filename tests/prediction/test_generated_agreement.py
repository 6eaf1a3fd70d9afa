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
from tests.prediction.seeded import MANDATORY
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
EARLY = {"startDateTime": "2090-01-01T00:00:00Z", "endDateTime": "2091-01-01T00:00:00Z"}
LATE = {"startDateTime": "2020-01-01T00:00:00Z", "endDateTime": "2021-01-01T00:00:00Z"}
METHODS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("Join", "string1", {"string2": "contoso.example", "separator": "@"}), ("ExtractMailPrefix", "mail", {}),
    ("ToLowercase", "x", {}), ("ToUppercase()", "x", {}), ("CreateStringClaim", "x", {}), ("Reverse", "x", {}),
    ("RegexReplace", "sourceClaim", {"regex": "@.*$", "replacement": "-"}),
    ("RegexReplace", "sourceClaim", {"regex": "(?:a|b)+", "replacement": ""}),
    ("RegexReplace", "sourceClaim", {"regex": r"^(?<name>[^@]+)@(?<domain>.+)$", "replacement": "{domain}/{name}"}),
)  # fmt: skip
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


def make_transformation(dice: random.Random, number: int, extensions: list[str]) -> tuple[list[dict[str, Any]], Any]:
    """The entries that a transformation needs, and itself; it may take what the one before gives."""
    method, kind, constants = dice.choice(METHODS)
    reference = dice.choice(["mail", "assignedroles", "department", extensions[0], f"made{number - 1}"])
    key = "ExtensionID" if reference in extensions else "ID"
    feed = [] if reference.startswith("made") else [{"Source": "user", key: reference}]
    made = {"Source": "transformation", "ID": f"made{number}", "TransformationID": f"T{number}"}
    claim: dict[str, Any] = {"ClaimTypeReferenceId": reference, "TransformationClaimType": kind}
    if dice.random() < 0.3:
        claim["TreatAsMultiValue"] = "true"
    transformation = {
        "ID": f"T{number}",
        "TransformationMethod": method,
        "InputClaims": [claim],
        "InputParameters": [{"ID": name, "Value": value} for name, value in constants.items()],
    }
    return [*feed, {**made, "SamlClaimType": dice.choice([*TYPES, "made"])}], transformation


def make_certificates(dice: random.Random) -> list[dict[str, Any]]:
    """Each of the principal's certificates at a time of its own, with its private key, without it, or only that."""
    rows: list[dict[str, Any]] = []
    for halves in (FLEX["keyCredentials"][:2], FLEX["keyCredentials"][2:]):
        life: dict[str, Any] = dice.choice([{}, {}, EARLY, LATE, {"startDateTime": None}, {"endDateTime": None}])
        rows += [{**row, **life} for row in dice.choice([halves, halves, halves[:1], halves[1:], []])]
    return rows


def make_state(dice: random.Random, prepared: Tenant, round_: int) -> None:
    """Change the principal, its application, its roles and a guest. Every third time its certificates differ."""
    changes: dict[str, Any] = {
        "appRoleAssignmentRequired": dice.random() < 0.2,
        "accountEnabled": dice.random() < 0.95,
        "preferredSingleSignOnMode": dice.choice(["saml", "saml", None, "oidc"]),
        "tokenEncryptionKeyId": dice.choice([None, None, FLEX["id"]]),
        "servicePrincipalNames": dice.choice([FLEX["servicePrincipalNames"]] * 4 + [[FLEX["appId"]]]),
        ACTIVE_KEY: FLEX[ACTIVE_KEY]
        if round_ % 3
        else dice.choice([FLEX[ACTIVE_KEY], FLEX[ACTIVE_KEY], None, "0" * 40]),
        "keyCredentials": FLEX["keyCredentials"] if round_ % 3 else make_certificates(dice),
        "appRoles": [
            {**role, "isEnabled": dice.random() < 0.8, "value": role["value"] if dice.random() < 0.8 else None}
            for role in FLEX["appRoles"]
        ],
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
    for rule, words in (
        ("sign-on-mode", "single sign-on mode"),
        ("token-encryption", "Entra encrypts"),
        ("entity-id", "entity ID of Flex"),
    ):
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
        if dice.random() < 0.5:  # most sign-ins of these reach Flex with what it requires
            entries = [*MANDATORY, *entries]
        transformations: list[dict[str, Any]] = []
        for number in range(dice.randint(0, 2)):
            made, transformation = make_transformation(dice, number, properties)
            entries, transformations = [*entries, *made], [*transformations, transformation]
        more = {"ClaimsTransformation": transformations} if transformations else {}
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
        signin.assign(tenant, signin.claims(*entries, basic=dice.random() < 0.3, **more))
        predictions = predict(directory, *USERS)
        assert_doctor_agrees(directory, predictions)
        for prediction in predictions:
            try:
                unknown_lines += len(assert_agreement(prediction, tenant))
            except AssertionError as problem:
                raise AssertionError(
                    f"seed {seed}, round {round_}, {prediction.agent.upn}: {entries} {more}"
                ) from problem
            sign_ins, refused = sign_ins + 1, refused + bool(prediction.refusals)
    assert sign_ins == POLICIES * len(USERS)
    assert refused < sign_ins / 2, "most of them compare assertions"
    add_figures(
        "sign-ins", sign_ins=sign_ins, of_these_refused=refused, lines_that_are_unknown=unknown_lines, disagreements=0
    )
