"""If this goes red, `verify` gives a verdict about input that is no response of Entra, or does not say what is wrong with it."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import datetime, timezone

import pytest

from flexsaml.verification.checks import CannotVerify, ResponseRefused, parse_time
from flexsaml.verification.response import parse_response

from . import good_response as made
from . import mutations

SAML_1_ASSERTION = b'<Assertion xmlns="urn:oasis:names:tc:SAML:1.0:assertion"/>'


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"", "input"),
        (b" \n", "input"),
        (b"hello there", "base64"),
        (b"PHNhbWw", "base64"),  # cut off
        (b"\x89PNG\r\n", "base64"),
        (base64.b64encode(b"no xml"), "xml"),
        (b"RelayState=x&SAMLResponse=", "input"),
        (b"SAMLResponse=PGEvPg==&SAMLResponse=PGIvPg==", "input"),
        (b"<html><body>", "input"),
        (b"<!-- saved --><html><input name='SAMLRequest' value='PGEvPg=='></html>", "input"),
        (b"curl 'https://login.flex.us1.twilio.com/'", "input"),
        (b'{"log": {"entries": []}}', "input"),
        (b'{"log": {"entries": [', "input"),  # cut off
        (b"[" * 900_000, "input"),
        (b"{" * 900_000, "input"),
        (b'[["SAMLResponse", "PGEvPg=="], ["SAMLResponse", "PGIvPg=="]]', "input"),  # two sign-ins
        (b"<html>" + b"<input name=" * 70_000, "input"),
        (b"<a>&undefined;</a>", "xml"),
        (b'<Response xmlns="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r"/>', "assertion"),
        (b"<Assertion/>", "assertion"),
        (SAML_1_ASSERTION, "assertion"),
        (made.good_bytes().replace(b'ID="_a1"', b'ID="_a1" ID="_a2"'), "xml"),
    ],
)
def test_input_that_is_no_response_is_not_judged(raw: bytes, name: str) -> None:
    with pytest.raises(CannotVerify) as error:
        parse_response(raw)
    assert error.value.check.name == name
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["EncryptedAssertion", "EncryptedID", "EncryptedAttribute"])
def test_an_encrypted_response_asks_to_switch_encryption_off(name: str) -> None:
    raw = made.good_bytes()
    hidden = f'<x:{name} xmlns:x="urn:oasis:names:tc:SAML:2.0:assertion"/>'.encode()
    if name == "EncryptedAssertion":
        raw = raw[: raw.index(b"<Assertion")] + hidden + b"</samlp:Response>"
    else:
        raw = raw.replace(b"<NameID", hidden + b"<NameID")
    with pytest.raises(CannotVerify, match="private key of the service provider, Twilio"):
        parse_response(raw)


def test_a_sign_in_that_failed_says_so() -> None:
    text = made.bytes_of(replace(made.Recipe(), status=mutations.FAILED_STATUS.format("Requester")).xml())
    raw = text[: text.index(b"<Assertion")] + b"</samlp:Response>"
    with pytest.raises(ResponseRefused, match="Requester") as error:
        parse_response(raw)
    assert error.value.faults[0].name == "status"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-05-04T09:30:00Z", datetime(2026, 5, 4, 9, 30, tzinfo=timezone.utc)),
        ("2026-05-04T09:30:00.1234567Z", datetime(2026, 5, 4, 9, 30, 0, 123456, tzinfo=timezone.utc)),
        ("2026-05-04T09:30:00", None),
        ("2026-05-04T09:30:00+00:00", None),
        ("2026-02-30T09:30:00Z", None),
        ("2026-05-04T24:00:00Z", None),
        ("9999-12-31T23:59:59.9999999Z", datetime.max.replace(tzinfo=timezone.utc)),  # the last moment of .NET
        ("0001-01-01T00:00:00Z", datetime.min.replace(tzinfo=timezone.utc)),
        ("0000-01-01T00:00:00Z", None),
        ("٢٠٢٦-05-04T09:30:00Z", None),
        ("2026-05-04T09:30:00Z\n", None),
        ("", None),
    ],
)
def test_times_are_read_as_saml_writes_them(text: str, expected: datetime | None) -> None:
    assert parse_time(text) == expected
