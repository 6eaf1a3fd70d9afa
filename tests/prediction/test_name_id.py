"""If this goes red, `predict` shows a NameID or Format that docs/sign-in.md (N1 to N5) does not give."""

from __future__ import annotations

from typing import Any

import pytest

from flexsaml.claims import NAME_ID
from flexsaml.prediction.evidence import EXACT, PREDICTED, UNKNOWN
from flexsaml.prediction.sources import EMAIL, PERSISTENT, UNSPECIFIED
from tests.prediction.seeded import ADA, OWN, predict_entries, rate_without_request, target


def name_id_entry(**entry: Any) -> dict[str, Any]:
    return {"SamlClaimType": NAME_ID, **entry}


JOIN = {
    "ID": "J",
    "TransformationMethod": "Join",
    "InputClaims": [{"ClaimTypeReferenceId": "mailnickname", "TransformationClaimType": "string1"}],
    "InputParameters": [{"ID": "string2", "Value": "contoso.example"}, {"ID": "separator", "Value": "@"}],
}
PREFIX = {
    "ID": "J",
    "TransformationMethod": "ExtractMailPrefix",
    "InputClaims": [{"ClaimTypeReferenceId": "mail", "TransformationClaimType": "mail"}],
}
LOWER = {
    "ID": "J",
    "TransformationMethod": "ToLowercase()",
    "InputClaims": [{"ClaimTypeReferenceId": "mail", "TransformationClaimType": "string"}],
}
FEED = [{"Source": "user", "ID": "mailnickname"}, {"Source": "user", "ID": "mail"}]
TRANSFORMED = name_id_entry(Source="transformation", ID="n", TransformationID="J")


@pytest.mark.parametrize(
    ("entries", "more", "value", "name_format", "confidence"),
    [
        ([], {}, ADA, PERSISTENT, PREDICTED),
        ([name_id_entry(Source="user", ID="userprincipalname")], {}, ADA, EMAIL, EXACT),
        ([name_id_entry(Source="user", ID="mail", SamlNameIdFormat=UNSPECIFIED)], {}, ADA, UNSPECIFIED, EXACT),
        ([name_id_entry(Source="user", ID="employeeid")], {}, "1001", UNSPECIFIED, EXACT),
        ([name_id_entry(Source="user", ID="telephonenumber")], {}, "", PERSISTENT, UNKNOWN),  # null
        ([name_id_entry(Source="user", ID="displayname")], {}, "", PERSISTENT, UNKNOWN),
        ([name_id_entry(Value="ada")], {}, "", PERSISTENT, UNKNOWN),
        ([name_id_entry(Source="user", ExtensionID=f"{OWN}team")], {}, "", PERSISTENT, UNKNOWN),
        ([*FEED, TRANSFORMED], {"ClaimsTransformation": [JOIN]}, ADA, UNSPECIFIED, PREDICTED),
        ([*FEED, TRANSFORMED], {"ClaimsTransformations": [PREFIX]}, "ada", UNSPECIFIED, PREDICTED),
        ([*FEED, TRANSFORMED], {"ClaimsTransformation": [LOWER]}, "", PERSISTENT, UNKNOWN),
        ([TRANSFORMED], {}, "", PERSISTENT, UNKNOWN),
    ],
)  # fmt: skip
def test_the_name_id_follows_its_entry(
    entries: list[dict[str, Any]], more: dict[str, Any], value: str, name_format: str, confidence: str
) -> None:
    prediction = predict_entries(*entries, **more)
    name_id = prediction.name_id
    assert (name_id.value, name_id.format, rate_without_request(name_id)) == (value, name_format, confidence)
    assert bool(name_id.unknown) == (confidence == UNKNOWN)
    assert name_id.confidence == (UNKNOWN if name_id.unknown else PREDICTED), "Flex may ask for another kind"
    assert all(line.name != NAME_ID for line in prediction.attributes)  # N5
    assert name_id.format_confidence == PREDICTED


@pytest.mark.parametrize(
    ("domains", "domain", "value"),
    [
        (("contoso.example",), "contoso.example", ADA),
        (("CONTOSO.example",), "contoso.example", ADA),
        (("contoso.example",), "Contoso.example", "ada@Contoso.example"),
        (("example",), "contoso.example", ""),
        (None, "contoso.example", ""),
    ],
)
def test_a_join_needs_a_verified_domain(domains: tuple[str, ...] | None, domain: str, value: str) -> None:
    parameters = [{"ID": "string2", "Value": domain}, {"ID": "separator", "Value": "@"}]
    join = {**JOIN, "InputParameters": parameters}
    prediction = predict_entries(*FEED, TRANSFORMED, at=target(domains=domains), ClaimsTransformation=[join])
    assert prediction.name_id.value == value


@pytest.mark.parametrize(
    ("id_", "confidence"),
    [
        ("employeeid", EXACT),
        ("EmployeeID", PREDICTED),  # no document has it in this case
        ("mailnickname", UNKNOWN),  # not on Microsoft's list, and in a published policy
        ("onpremisesuserprincipalname", UNKNOWN),
    ],
)
def test_a_name_id_is_exact_only_from_a_documented_source(id_: str, confidence: str) -> None:
    assert rate_without_request(predict_entries(name_id_entry(Source="user", ID=id_)).name_id) == confidence
