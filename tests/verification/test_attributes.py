"""If this goes red, `verify` says of an attribute that is missing, misnamed or ignored what Flex does not do, or sends its
reader to the wrong place.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from flexsaml.verification.response import parse_response
from flexsaml.verification.verdict import DeclaredClaims, judge_response

from . import good_response as made
from . import mutations
from .test_verify import EXPECTED, PLAIN, fault_names, judge, judge_report, trusted


@pytest.mark.parametrize(
    ("missing", "received", "expected"),
    [
        ("email", "Email", "'Email' is there instead, and Flex probably distinguishes case (F1, D)"),
        ("email", "e-mail", "'e-mail' is there instead"),
        (
            "email",
            f"{made.BASIC}emailaddress",
            f"'{made.BASIC}emailaddress' is there instead, and Flex ignores Names that",
        ),
        ("full_name", "Full Name", "'Full Name' is there instead"),
        ("full_name", "displayName", "'displayName' is there instead"),
        ("roles", "http://schemas.microsoft.com/ws/2008/06/identity/claims/role", "/role' is there instead"),
        ("languages.stringarray", "Languages", "'Languages' is there instead, and Flex probably distinguishes case"),
        (
            "languages.stringarray",
            "languages",
            "'languages' is there instead, and only the type suffix of its name differs",
        ),
        ("email", "mailbox", "Entra omits attributes without a value"),
        ("full_name", f"{made.BASIC}name", "Entra omits attributes without a value"),  # the UPN (S20)
        ("roles", "email", "Entra omits attributes without a value"),
    ],
)
def test_a_missing_attribute_is_looked_for_under_other_names(missing: str, received: str, expected: str) -> None:
    kept = tuple(xml for xml in mutations.with_instead(missing) if f'"{received}"' not in xml)
    verdict = judge(made.good_bytes(replace(PLAIN, attributes=(*kept, made.attribute(received, "x")))))
    [check] = [check for check in verdict.checks if check.attribute == missing]
    assert check.name == "attribute-missing"
    assert expected in check.fix


@pytest.mark.parametrize(
    ("declared", "received", "expected"),
    [
        ("team", "site", "and missing; the worker keeps its old value (F7, A)"),
        ("team", "team.string", "and missing; 'team.string' sets its worker attribute (F3, A)"),
        ("contact_uri", "site", "and missing; Flex sets its own (F9, A)"),
        ("http://x.example/team", "site", "and missing; Flex ignores Names that are URIs (F2, A)"),
        ("x:team", "x:team", "but Flex probably ignores Names that are URIs (F2, D)"),
    ],
)
def test_a_declared_claim_is_told_with_what_flex_does(declared: str, received: str, expected: str) -> None:
    raw = made.good_bytes(replace(PLAIN, attributes=mutations.with_more(made.attribute(received, "x"))))
    claims = DeclaredClaims((*made.DECLARED, declared), "stack test")
    verdict = judge_response(parse_response(raw), trusted(), EXPECTED, flex=True, declared=claims)
    [message] = [check.message for check in verdict.checks if check.attribute == declared]
    assert expected in message


def test_the_portals_claims_are_told_from_a_missing_value() -> None:
    """The reported response; its verdict with claims of a policy beside the portal's."""
    verdict = judge_report("portal-default.b64")
    messages = {check.attribute: str(check) for check in verdict.checks if check.status == "fault"}
    assert list(messages) == ["", "email", "full_name", "roles", "languages.stringarray"]
    assert "policy is not in force" in messages[""]
    assert "claims/emailaddress' is there instead" in messages["email"]
    assert "put the stack's policy in force" in messages["roles"]
    both = mutations.with_more(made.attribute(f"{made.BASIC}emailaddress", "x"))
    assert fault_names(judge(made.good_bytes(replace(PLAIN, attributes=both)))) == []
