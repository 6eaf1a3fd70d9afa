"""If this goes red, `predict` shows for a transformation what docs/sign-in.md (T1 to T7) does not give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from flexsaml.prediction.evidence import PREDICTED, UNKNOWN
from flexsaml.prediction.sources import Agent
from flexsaml.prediction.statement import AttributeLine
from tests.prediction.seeded import ADA, ada, agent, find_line, predict_entries


def transform(
    method: str, inputs: Sequence[str], parameters: Mapping[str, str], user: Agent | None = None, each: bool = False
) -> AttributeLine:
    """The attribute that a method makes; inputs are `ID as name`, with a `?` before an ID that no entry has."""
    claims: list[dict[str, str]] = []
    feed: list[dict[str, Any]] = []
    for text in inputs:
        id_, _, name = text.partition(" as ")
        more = {"TreatAsMultiValue": "true"} if each else {}
        claims.append({"ClaimTypeReferenceId": id_, "TransformationClaimType": name, **more})
        feed += [] if id_.startswith("?") else [{"Source": "user", "ID": id_}]
    rows = [{"ID": name, "Value": value} for name, value in parameters.items()]
    transformation = {"ID": "T", "TransformationMethod": method, "InputClaims": claims, "InputParameters": rows}
    entry = {"Source": "transformation", "ID": "out", "TransformationID": "T", "SamlClaimType": "x"}
    return find_line(predict_entries(*feed, entry, user=user, ClaimsTransformation=[transformation]))


@pytest.mark.parametrize(
    ("rule", "method", "inputs", "parameters", "values", "confidence"),
    [
        (
            "T1",
            "Join",
            ["givenname as string1", "surname as string2"],
            {"separator": " "},
            ("Ada Lovelace",),
            PREDICTED,
        ),
        (
            "T1",
            "join()",
            ["givenname as string1", "surname as string2"],
            {"separator": ""},
            ("AdaLovelace",),
            PREDICTED,
        ),
        ("T1", "Join", ["givenname as string1", "state as string2"], {"separator": ""}, (), PREDICTED),
        ("T1", "Join", ["givenname as string1"], {"separator": ""}, (), PREDICTED),
        ("T2", "ExtractMailPrefix", ["mail as mail"], {}, ("ada",), PREDICTED),
        ("T2", "ExtractMailPrefix", ["department as mail"], {}, ("Support",), PREDICTED),
        ("T3", "ToUppercase", ["department as string"], {}, ("SUPPORT",), PREDICTED),
        ("T3", "ToLowercase()", ["department as string"], {}, ("support",), PREDICTED),
        ("T3", "ToLowercase()", [], {}, (), PREDICTED),
        ("T4", "RegexReplace", ["mail as sourceClaim"], {"regex": "@.*", "replacement": ""}, ("ada",), PREDICTED),
        ("T4", "RegexReplace", ["mail as sourceClaim"], {"regex": "a", "replacement": "o"}, None, PREDICTED),
        ("T4", "RegexReplace", ["mail as sourceClaim"], {"regex": "zzz", "replacement": "o"}, (), UNKNOWN),
        (
            "T4",
            "RegexReplace",
            ["mail as sourceClaim", "department as team"],
            {"regex": "@.*", "replacement": "-{team}"},
            ("ada-Support",),
            PREDICTED,
        ),
        ("T4", "RegexReplace", ["mail as sourceClaim"], {"regex": r"(?<a-b>x)", "replacement": ""}, (), UNKNOWN),
        ("T4", "RegexReplace", ["mail as sourceClaim"], {"regex": "a"}, (), PREDICTED),
        ("T5", "CreateStringClaim", [], {"value": "x"}, (), UNKNOWN),
        ("T6", "Substring", ["mail as string"], {}, (), PREDICTED),
        ("T6", "ExtractMailPrefix", ["?nowhere as mail"], {}, (), PREDICTED),
        ("S21", "ToLowercase", ["groups as string"], {}, (), UNKNOWN),
    ],
)
def test_a_transformation_gives_what_its_rule_says(
    rule: str,
    method: str,
    inputs: list[str],
    parameters: dict[str, str],
    values: tuple[str, ...] | None,
    confidence: str,
) -> None:
    line = transform(method, inputs, parameters)
    assert line.confidence == confidence, rule
    if values is not None:
        assert line.values == values, rule


@pytest.mark.parametrize(("each", "values"), [(False, ("admin-x",)), (True, ("admin-x", "agent-x"))])
def test_each_value_is_transformed_or_only_the_first(each: bool, values: tuple[str, ...]) -> None:
    user = agent(ADA, roles=("admin", "agent"))
    line = transform("Join", ["assignedroles as string1"], {"separator": "-", "string2": "x"}, user, each)
    assert (line.values, line.confidence) == (values, PREDICTED)


@pytest.mark.parametrize(
    ("id_", "property_", "values", "each", "confidence"),
    [
        ("proxyaddresses", "proxyAddresses", ["a@x"], True, PREDICTED),
        ("proxyaddresses", "proxyAddresses", ["a@x", "b@x"], False, PREDICTED),
        ("proxyaddresses", "proxyAddresses", ["a@x", "b@x"], True, UNKNOWN),  # Microsoft's example of several values
        ("othermail", "otherMails", ["a@x", "b@x"], True, UNKNOWN),
    ],
)
def test_each_value_of_an_attribute_of_which_one_is_sent_is_unknown(
    id_: str, property_: str, values: list[str], each: bool, confidence: str
) -> None:
    line = transform("ToUppercase", [f"{id_} as string"], {}, ada(**{property_: values}), each)
    assert (line.values, line.confidence) == (() if confidence == UNKNOWN else ("A@X",), confidence)


def test_upper_case_maps_one_letter_to_one() -> None:
    line = transform("ToUppercase", ["department as string"], {}, ada(department="Größe"))
    assert line.values == ("GRÖßE",)


def test_a_transformation_of_itself_ends() -> None:
    loop = {
        "ID": "T",
        "TransformationMethod": "ToLowercase",
        "InputClaims": [{"ClaimTypeReferenceId": "me", "TransformationClaimType": "string"}],
    }
    entry = {"Source": "transformation", "ID": "me", "TransformationID": "T", "SamlClaimType": "x"}
    assert not find_line(predict_entries(entry, ClaimsTransformation=[loop])).values


@pytest.mark.parametrize(
    ("method", "names", "parameters", "values", "unknown"),
    [
        ("RegexReplace", ("sourceClaim", "other"), {"regex": "^.*$", "replacement": "-"}, ("-",), ""),
        ("Join", ("string1", "string2"), {"separator": ""}, (), "more than 100,000 characters"),
    ],
)
def test_a_chain_of_transformations_that_refer_twice_to_the_one_before_ends(
    method: str, names: tuple[str, str], parameters: dict[str, str], values: tuple[str, ...], unknown: str
) -> None:
    """The last of 49 refers to the first along 2^48 ways."""
    entries = [{"Source": "user", "ID": "givenname"}]
    transformations = []
    for number in range(49):
        before = "givenname" if number == 0 else f"out{number - 1}"
        transformations.append(
            {
                "ID": f"T{number}",
                "TransformationMethod": method,
                "InputClaims": [
                    {"ClaimTypeReferenceId": before, "TransformationClaimType": name, "TreatAsMultiValue": "true"}
                    for name in names
                ],
                "InputParameters": [{"ID": name, "Value": value} for name, value in parameters.items()],
            }
        )
        entries.append({"Source": "transformation", "ID": f"out{number}", "TransformationID": f"T{number}"})
    entries[-1]["SamlClaimType"] = "x"
    line = find_line(predict_entries(*entries, ClaimsTransformation=transformations))
    assert line.values == values
    assert unknown in line.unknown


@pytest.mark.parametrize(("count", "is_known"), [(31, True), (32, False)])
def test_a_thousand_combinations_of_values_are_evaluated(count: int, is_known: bool) -> None:
    user = agent(ADA, roles=tuple(f"role{number}" for number in range(count)))
    inputs = ["assignedroles as string1", "assignedroles as string2"]
    line = transform("Join", inputs, {"separator": "-"}, user, each=True)
    assert len(line.values) == (count * count if is_known else 0)
    assert ("1,024 combinations" in line.unknown) == (not is_known)


def test_what_is_empty_is_sent_by_inference_only() -> None:
    line = transform("ExtractMailPrefix", ["mail as mail"], {}, ada(mail="@contoso.example"))
    assert (line.values, line.rules) == (("",), ("S3", "S6", "T", "T2"))


def test_transformations_under_both_keys_are_unknown() -> None:
    lower, upper = (
        {
            "ID": "T",
            "TransformationMethod": method,
            "InputClaims": [{"ClaimTypeReferenceId": "mail", "TransformationClaimType": "string"}],
        }
        for method in ("ToLowercase", "ToUppercase")
    )
    entry = {"Source": "transformation", "ID": "out", "TransformationID": "T", "SamlClaimType": "x"}
    feed = {"Source": "user", "ID": "mail"}
    line = find_line(predict_entries(feed, entry, ClaimsTransformation=[lower], ClaimsTransformations=[upper]))
    assert (line.values, line.confidence) == ((), UNKNOWN)
    assert "ClaimsTransformation and ClaimsTransformations" in line.unknown
