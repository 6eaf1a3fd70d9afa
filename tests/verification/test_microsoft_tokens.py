"""If this goes red, `verify` refuses a token that Microsoft signed and published with a library, or accepts an altered one."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import datetime, timezone

import pytest

from flexsaml.verification.checks import Expected, ResponseRefused
from flexsaml.verification.metadata import TrustedCertificates, parse_certificates
from flexsaml.verification.response import parse_response
from flexsaml.verification.verdict import Verdict, judge_response
from tests.verification.test_verify import CORPUS, fault_names

from . import good_response as made

ISSUED = datetime(2017, 3, 20, 16, tzinfo=timezone.utc)
GENUINE = {"Valid", "Valid_Spaces_Added", "Valid_WithNoKeyInfo", "Valid_WithRsaKeyValue"}
ALTERED = sorted(path.stem.removeprefix("Saml2Token_") for path in CORPUS.glob("*.xml"))
MICROSOFT = Expected(
    ISSUED, "https://sts.windows.net/add29489-7269-41f4-8841-b63c95564420/", "spn:fe78e0b4-6fe7-47e6-812c-fb75cee266a4"
)


def microsoft(name: str = "Valid") -> TrustedCertificates:
    """The certificate inside the fixture, given separately as a user would."""
    text = (CORPUS / f"Saml2Token_{name}.xml").read_text("utf-8")
    encoded = text.partition("<X509Certificate>")[2].partition("<")[0]
    return parse_certificates(base64.b64decode(encoded), "test")


@pytest.mark.parametrize("name", ALTERED)
def test_tokens_of_microsoft_are_accepted_and_altered_ones_refused(name: str) -> None:
    raw = (CORPUS / f"Saml2Token_{name}.xml").read_bytes()
    try:
        verdict = judge_response(parse_response(raw), microsoft(), MICROSOFT, flex=False, declared="")
    except ResponseRefused as refused:
        verdict = Verdict(refused.faults)
    assert (fault_names(verdict) == []) == (name in GENUINE)
    if name in GENUINE:
        assert {check.name: check.status for check in verdict.checks}["audience"] == "ok"


def test_the_certificate_of_microsofts_tokens_has_ended() -> None:
    root = parse_response((CORPUS / "Saml2Token_Valid.xml").read_bytes())
    verdict = judge_response(root, microsoft(), replace(MICROSOFT, at=made.AT), flex=False, declared="")
    assert fault_names(verdict) == ["certificate", "not-on-or-after"]


@pytest.mark.parametrize(
    "expected", [replace(MICROSOFT, recipient=made.ACS), replace(MICROSOFT, in_response_to=made.REQUEST)]
)
def test_a_token_without_a_receiver_does_not_match_an_expected_one(expected: Expected) -> None:
    root = parse_response((CORPUS / "Saml2Token_Valid.xml").read_bytes())
    verdict = judge_response(root, microsoft(), expected, flex=False, declared="")
    assert fault_names(verdict) == ["subject-confirmation"]


def test_the_fixture_valid2_is_not_valid() -> None:
    """Its digest is not that of its content, even by the certificate it contains."""
    root = parse_response((CORPUS / "Saml2Token_Valid2.xml").read_bytes())
    verdict = judge_response(root, microsoft("Valid2"), MICROSOFT, flex=False, declared="")
    assert fault_names(verdict) == ["digest"]
