"""If this goes red, a workflow's token is refused because its subject is another, or an unusable certificate is sent."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

import pytest

from flexsaml.errors import UserError
from flexsaml.setup.credentials import parse_azure_pipelines, parse_github, read_certificate
from tests.setup.certificates import ELLIPTIC_KEY, make_pem

NOW = datetime(2026, 6, 1, tzinfo=timezone.utc)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("contoso/infra", "repo:contoso/infra:pull_request"),
        ("contoso/infra:environment:production", "repo:contoso/infra:environment:production"),
        ("contoso/infra:environment:eu west", "repo:contoso/infra:environment:eu west"),
        ("contoso/infra:branch:main", "repo:contoso/infra:ref:refs/heads/main"),
        ("contoso/infra:branch:release/1.x", "repo:contoso/infra:ref:refs/heads/release/1.x"),
        ("contoso@12/infra@34:branch:main", "repo:contoso@12/infra@34:ref:refs/heads/main"),
    ],
)
def test_a_repository_is_a_subject(text: str, subject: str) -> None:
    federation = parse_github(text)
    assert (federation.issuer, federation.subject) == ("https://token.actions.githubusercontent.com", subject)
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{2,119}", federation.name)


@pytest.mark.parametrize(
    "text",
    ["", "infra", "contoso/", "contoso/infra:", "contoso/infra:production", "contoso/infra:branch:", "a/b/c", "a b/c"],
)
def test_what_is_no_repository_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="--github"):
        parse_github(text)


def test_names_differ_with_the_subject() -> None:
    """Long subjects that begin alike too: Graph wants a unique name."""
    texts = [f"contoso/infra:environment:{'x' * 200}{number}" for number in range(2)]
    assert len({parse_github(text).name for text in texts}) == 2


@pytest.mark.parametrize(
    ("issuer", "subject", "is_taken"),
    [
        ("https://login.microsoftonline.com/t/v2.0", "/eid1/c/pub/t/x/a/y/sc/o/p/s", True),
        ("https://vstoken.dev.azure.com/1", "sc://contoso/infra/flexsaml", True),
        ("sc://contoso/infra/flexsaml", "https://vstoken.dev.azure.com/1", False),
        ("https://vstoken.dev.azure.com/1", " ", False),
        ("http://vstoken.dev.azure.com/1", "sc://contoso/infra/flexsaml", False),
    ],
)
def test_issuer_and_subject_of_a_service_connection(issuer: str, subject: str, is_taken: bool) -> None:
    if is_taken:
        assert parse_azure_pipelines(issuer, subject).subject == subject
    else:
        with pytest.raises(UserError, match="--azure-pipelines"):
            parse_azure_pipelines(issuer, subject)


def test_the_public_part_of_a_certificate_is_read_beside_its_key() -> None:
    pem, key = make_pem(NOW - DAY, NOW + DAY)
    certificate = read_certificate(key + pem, "client.pem", NOW)
    assert re.fullmatch("[0-9A-F]{40}", certificate.thumbprint)
    assert (certificate.starts, certificate.ends) == (NOW - DAY, NOW + DAY)
    assert key not in certificate.der


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (make_pem(NOW - 2 * DAY, NOW - DAY)[0], "the certificate ended on 2026-05-31"),
        (make_pem(NOW - DAY, NOW)[0], "the certificate ended on 2026-06-01"),
        (make_pem(NOW, NOW + DAY)[1], "there is no certificate in it"),
        (b"", "there is no certificate in it"),
        (make_pem(NOW - DAY, NOW + DAY, ELLIPTIC_KEY)[0], "its key is not RSA"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "no certificate that can be read"),
    ],
    ids=["ended", "ends now", "key alone", "empty", "elliptic curve", "not a certificate"],
)
def test_an_unusable_certificate_is_refused(raw: bytes, words: str) -> None:
    with pytest.raises(UserError, match=words) as refusal:
        read_certificate(raw, "client.pem", NOW)
    assert "\n" not in str(refusal.value)
