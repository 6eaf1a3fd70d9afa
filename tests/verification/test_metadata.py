"""If this goes red, `verify` trusts a certificate from nowhere, or ends in a traceback for odd metadata."""

from __future__ import annotations

import pytest

from flexsaml.verification.checks import CannotVerify
from flexsaml.verification.metadata import parse_metadata

from . import good_response as made


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (made.metadata(), "lists no certificate"),
        (made.metadata("entra", use=' use="encryption"'), "lists no certificate"),
        (made.metadata("entra", root="EntitiesDescriptor"), "no metadata of one application"),
        (made.metadata("entra").replace(b"MII", b"AAA", 1), "unreadable certificate"),
        (made.metadata("entra").replace(b"MII", b"~~~", 1), "unreadable certificate"),
        (b"<!DOCTYPE x>" + made.metadata("entra")[3:], "document type"),
        (b"x" * 1_000_001, "is not XML"),
        (b"", "is not XML"),
    ],
)
def test_a_document_without_usable_certificates_is_refused(raw: bytes, problem: str) -> None:
    with pytest.raises(CannotVerify, match=problem):
        parse_metadata(raw, "metadata.xml")


def test_each_certificate_counts_once_and_the_entity_is_the_issuer() -> None:
    trusted = parse_metadata(made.metadata("entra", "other", "entra", use=""), "metadata.xml")
    assert list(trusted.certificates) == [made.certificate("entra"), made.certificate("other")]
    assert trusted.issuer == made.ISSUER
