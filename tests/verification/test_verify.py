"""If this goes red, `verify` believes a response that nobody at Entra signed, or refuses one that Entra did."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import quote

import pytest

from flexsaml.verification.checks import CannotLook, Refused
from flexsaml.verification.expected import Expected, moment
from flexsaml.verification.metadata import Trust, from_certificates
from flexsaml.verification.response import document, is_response
from flexsaml.verification.verdict import Declared, Verdict, judge

from . import mutations as made

CORPUS = Path(__file__).parents[1] / "corpus" / "saml" / "identitymodel"
EXPECTED = Expected(made.AT, made.ISSUER, made.AUDIENCE, made.ACS, made.REQUEST)
DECLARED = Declared(made.DECLARED, "stack test")


def trust(*names: str) -> Trust:
    return Trust(tuple(made.certificate(name) for name in names or ("entra",)), "test")


def verdict(raw: bytes, expected: Expected = EXPECTED, by: Trust | None = None) -> Verdict:
    try:
        root = document(raw)
        return judge(root, by or trust(), expected, flex=is_response(root), declared=DECLARED)
    except Refused as refused:
        return Verdict(refused.faults)


def faults(found: Verdict) -> list[str]:
    return [one.name for one in found.checks if one.status == "fault"]


@pytest.mark.parametrize("mutation", made.MUTATIONS, ids=lambda one: one.name)
def test_a_mutation_is_refused_by_its_check(mutation: made.Mutation) -> None:
    found = verdict(mutation.make())
    assert mutation.check in faults(found)
    assert all("\n" not in str(one) for one in found.checks)


def test_each_check_refuses_by_itself() -> None:
    """A table in which one coarse check refuses everything would prove nothing of the others."""
    found = [set(faults(verdict(one.make()))) for one in made.MUTATIONS]
    assert {one.check for one in made.MUTATIONS} - {name for one in found if len(one) == 1 for name in one} == set()


def test_names_are_told_once() -> None:
    names = [one.name for one in made.MUTATIONS]
    assert len(names) == len(set(names)) >= 20


# -- what is good ------------------------------------------------------------------------------------------------------

PLAIN = made.Recipe()
SHORT = replace(PLAIN, answers="", data=PLAIN.data.replace(f'InResponseTo="{made.REQUEST}" ', ""))


@pytest.mark.parametrize(
    ("raw", "warnings"),
    [
        pytest.param(lambda: made.bytes_of(made.good()), [], id="both signed"),
        pytest.param(lambda: made.bytes_of(made.good(assertion=None)), ["both-signed"], id="response signed"),
        pytest.param(lambda: made.bytes_of(made.good(response=None)), ["both-signed"], id="assertion signed"),
        pytest.param(
            lambda: made.bytes_of(made.good(replace(PLAIN, destination=""), response=None)),
            ["both-signed"],
            id="assertion signed, no destination",
        ),
        pytest.param(
            lambda: made.bytes_of(made.good(assertion=made.Signing(certificate=False))), [], id="without a certificate"
        ),
        pytest.param(lambda: b"\xef\xbb\xbf" + made.bytes_of(made.good()) + b"\n", [], id="byte-order mark"),
        pytest.param(
            lambda: b'<?xml version="1.0" encoding="utf-8"?>\n' + made.bytes_of(made.good()), [], id="declaration"
        ),
        pytest.param(lambda: base64.b64encode(made.bytes_of(made.good())), [], id="base64"),
        pytest.param(lambda: base64.encodebytes(made.bytes_of(made.good())), [], id="base64 in lines"),
        pytest.param(
            lambda: quote(base64.b64encode(made.bytes_of(made.good())), safe="").encode(), [], id="percent-encoded"
        ),
        pytest.param(
            lambda: b"SAMLResponse=" + quote(base64.b64encode(made.bytes_of(made.good())), safe="").encode() + b"&RelayState=x",
            [],
            id="form",
        ),
        pytest.param(
            lambda: base64.b64encode(made.bytes_of(made.good())).decode().encode("utf-16"), [], id="saved as UTF-16"
        ),
        pytest.param(lambda: b'"' + base64.b64encode(made.bytes_of(made.good())) + b'"\r\n', [], id="in quotes"),
        pytest.param(
            lambda: made.bytes_of(made.good(replace(PLAIN, audience=f"<AudienceRestriction><Audience>urn:x</Audience><Audience>{made.AUDIENCE}</Audience></AudienceRestriction><OneTimeUse/>"))),
            [],
            id="two audiences, one time",
        ),
        pytest.param(
            lambda: made.bytes_of(made.good(replace(PLAIN, attributes=made._more(made.attribute("team", "blue"))))),
            ["attribute-unexpected"],
            id="an attribute that was not declared",
        ),
        pytest.param(
            lambda: made.bytes_of(made.good(replace(PLAIN, attributes=made._instead("languages.stringarray", "")))),
            ["attribute-empty"],
            id="an empty attribute clears",
        ),
        pytest.param(
            lambda: made.bytes_of(made.good(replace(PLAIN, attributes=made._instead("full_name", "Ada", "Lovelace")))),
            ["attribute-several"],
            id="several values of a string",
        ),
        pytest.param(
            lambda: made.bytes_of(made.good(replace(PLAIN, attributes=made._more(made.attribute("languages", "en"))))),
            ["attribute-collision", "attribute-unexpected"],
            id="two names, one worker attribute",
        ),
        pytest.param(
            lambda: made.bytes_of(made.good(replace(PLAIN, session='<AuthnStatement AuthnInstant="2026-05-04T09:29:00Z" SessionNotOnOrAfter="2026-05-04T11:00:00Z"/>'))),
            [],
            id="a session of more than an hour",
        ),
    ],
)  # fmt: skip
def test_what_is_good_is_accepted(raw: object, warnings: list[str]) -> None:
    assert callable(raw)
    found = verdict(raw())
    assert faults(found) == []
    assert [one.name for one in found.checks if one.status == "warning"] == warnings
    assert found.statement is not None
    assert found.statement.name_id.value == made.NAME


@pytest.mark.parametrize(("method", "digest"), list(made.RAW_ALGORITHMS.items()))
def test_sha_2_is_accepted(method: str, digest: str) -> None:
    how = made.Signing(method=method, digest=digest)
    assert faults(verdict(made.bytes_of(made.good(assertion=how, response=how)))) == []


def test_a_sign_in_that_began_at_entra_is_accepted_unless_a_request_is_named() -> None:
    raw = made.bytes_of(made.good(SHORT))
    assert faults(verdict(raw, replace(EXPECTED, in_response_to=""))) == []
    assert set(faults(verdict(raw))) == {"in-response-to"}


def test_any_certificate_may_have_signed_while_they_roll_over() -> None:
    for name in ("entra", "next"):
        how = made.Signing(key=name)
        raw = made.bytes_of(made.good(assertion=how, response=how))
        assert faults(verdict(raw, by=trust("entra", "next"))) == []
        assert faults(verdict(raw, by=trust("third"))) == ["signature"]


def test_two_keys_may_not_share_one_certificate_by_name() -> None:
    """The certificate a response brings along is the trusted one's text, the signature another's."""
    root = made.good(assertion=made.Signing(key="other"), response=None)
    brought = root.find(f".//{made.D}X509Certificate")
    assert brought is not None
    brought.text = base64.b64encode(made.certificate().public_bytes(made.Encoding.DER)).decode()
    assert faults(verdict(made.bytes_of(root))) == ["signature"]


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (made.AT, []),
        (made.AT - timedelta(days=40), ["certificate"]),
        (made.AT + timedelta(days=1000), ["certificate"]),
    ],
)
def test_a_certificate_holds_for_its_time(at: datetime, expected: list[str]) -> None:
    found = verdict(made.bytes_of(made.good(assertion=None)), replace(EXPECTED, at=at))
    assert [name for name in faults(found) if name == "certificate"] == expected


@pytest.mark.parametrize(
    ("shift", "expected"),
    [
        (timedelta(minutes=-6, seconds=1), []),
        (timedelta(minutes=-7), ["not-before", "issued"]),
        (timedelta(hours=1, seconds=57), []),
        (timedelta(hours=1, seconds=59), ["not-on-or-after", "subject-confirmation"]),
    ],
)
def test_clocks_may_differ_by_a_minute(shift: timedelta, expected: list[str]) -> None:
    quiet = replace(
        PLAIN, issued='IssueInstant="2026-05-04T09:24:58Z"', session=PLAIN.session.replace("09:20", "09:10")
    )
    found = verdict(made.bytes_of(made.good(quiet)), replace(EXPECTED, at=made.AT + shift))
    assert set(faults(found)) == set(expected)


def test_what_was_not_said_is_not_judged_and_not_hidden() -> None:
    found = verdict(made.bytes_of(made.good()), Expected(made.AT))
    assert faults(found) == []
    told = {one.name for one in found.checks if one.status == "not judged"}
    assert told == {"destination", "recipient", "audience", "issuer", "in-response-to"}


def test_an_unsigned_response_is_neither_believed_nor_told() -> None:
    found = verdict(made.bytes_of(made.good(response=None)))
    told = {one.name for one in found.checks if one.status == "ok"}
    assert told.isdisjoint({"status", "destination"})
    assert "recipient" in told


def test_values_never_stand_in_a_message() -> None:
    secret = "Zz9-secret"
    parts = tuple(made.attribute(name, secret) for name in ("email", "level.int", "on.boolean", "n.intarray", "other"))
    recipe = replace(PLAIN, attributes=parts, name_id=f"<NameID>{secret}</NameID>")
    found = verdict(made.bytes_of(made.good(recipe)))
    assert {"attribute-missing", "attribute-ill-typed"} <= set(faults(found))
    assert not [str(one) for one in found.checks if secret in str(one)]


# -- what can be looked at at all --------------------------------------------------------------------------------------

CLAIM = b'<Assertion xmlns="urn:oasis:names:tc:SAML:1.0:assertion"/>'


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
        (b"SAMLResponse=PGEvPg==&SAMLResponse=PGEvPg==", "input"),
        (b"<html><body>", "xml"),
        (b"<html><body/></html>", "assertion"),
        (b"<a>&undefined;</a>", "xml"),
        (b'<Response xmlns="urn:oasis:names:tc:SAML:2.0:protocol"/>', "assertion"),
        (b"<Assertion/>", "assertion"),
        (CLAIM, "assertion"),
        (made.bytes_of(made.good()).replace(b'ID="_a1"', b'ID="_a1" ID="_a2"'), "xml"),
    ],
)
def test_what_is_no_response_cannot_be_looked_at(raw: bytes, name: str) -> None:
    if b"<Response" in raw:
        raw = raw.replace(b"/>", b' ID="_r"/>')
    with pytest.raises(CannotLook) as told:
        document(raw)
    assert told.value.check.name == name
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("name", ["EncryptedAssertion", "EncryptedID", "EncryptedAttribute"])
def test_what_is_encrypted_says_what_it_takes(name: str) -> None:
    raw = made.bytes_of(made.good())
    hidden = f'<x:{name} xmlns:x="urn:oasis:names:tc:SAML:2.0:assertion"/>'.encode()
    if name == "EncryptedAssertion":
        raw = raw[: raw.index(b"<Assertion")] + hidden + b"</samlp:Response>"
    else:
        raw = raw.replace(b"<NameID", hidden + b"<NameID")
    with pytest.raises(CannotLook, match="private key of the service provider"):
        document(raw)


def test_a_sign_in_that_failed_says_so() -> None:
    text = made.bytes_of(replace(PLAIN, status=made._FAILED.format("Requester")).xml())
    raw = text[: text.index(b"<Assertion")] + b"</samlp:Response>"
    with pytest.raises(Refused, match="Requester") as told:
        document(raw)
    assert told.value.faults[0].name == "status"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-05-04T09:30:00Z", datetime(2026, 5, 4, 9, 30, tzinfo=timezone.utc)),
        ("2026-05-04T09:30:00.1234567Z", datetime(2026, 5, 4, 9, 30, 0, 123457, tzinfo=timezone.utc)),
        ("2026-05-04T09:30:00", None),
        ("2026-05-04T09:30:00+00:00", None),
        ("2026-02-30T09:30:00Z", None),
        ("2026-05-04T24:00:00Z", None),
        ("٢٠٢٦-05-04T09:30:00Z", None),
        ("2026-05-04T09:30:00Z\n", None),
        ("", None),
    ],
)
def test_times_are_read_as_saml_writes_them(text: str, expected: datetime | None) -> None:
    assert moment(text) == expected


# -- signed by Microsoft -----------------------------------------------------------------------------------------------

ISSUED = datetime(2017, 3, 20, 16, tzinfo=timezone.utc)
GENUINE = {"Valid", "Valid_Spaces_Added", "Valid_WithNoKeyInfo", "Valid_WithRsaKeyValue"}
ALTERED = sorted(one.stem.removeprefix("Saml2Token_") for one in CORPUS.glob("*.xml"))
MICROSOFT = Expected(
    ISSUED, "https://sts.windows.net/add29489-7269-41f4-8841-b63c95564420/", "spn:fe78e0b4-6fe7-47e6-812c-fb75cee266a4"
)


def microsoft(name: str = "Valid") -> Trust:
    """The certificate that the fixture brings along, given by hand as a person would."""
    text = (CORPUS / f"Saml2Token_{name}.xml").read_text("utf-8")
    found = text.partition("<X509Certificate>")[2].partition("<")[0]
    return from_certificates(base64.b64decode(found), "test")


@pytest.mark.parametrize("name", ALTERED)
def test_tokens_of_microsoft_are_told_from_altered_ones(name: str) -> None:
    raw = (CORPUS / f"Saml2Token_{name}.xml").read_bytes()
    root = document(raw) if name != "IdMissing" else None
    found = (
        judge(root, microsoft(), MICROSOFT, flex=False, declared="") if root is not None else verdict(raw, MICROSOFT)
    )
    assert (faults(found) == []) == (name in GENUINE)
    if name in GENUINE:
        assert {one.name: one.status for one in found.checks}["audience"] == "ok"


def test_their_certificate_has_expired_since() -> None:
    root = document((CORPUS / "Saml2Token_Valid.xml").read_bytes())
    found = judge(root, microsoft(), replace(MICROSOFT, at=made.AT), flex=False, declared="")
    assert faults(found) == ["certificate", "not-on-or-after"]


@pytest.mark.parametrize("said", [{"recipient": made.ACS}, {"in_response_to": made.REQUEST}])
def test_a_token_that_names_no_receiver_is_not_for_the_one_expected(said: dict[str, str]) -> None:
    root = document((CORPUS / "Saml2Token_Valid.xml").read_bytes())
    found = judge(root, microsoft(), replace(MICROSOFT, **said), flex=False, declared="")
    assert faults(found) == ["subject-confirmation"]


def test_one_fixture_called_valid_is_not() -> None:
    """`Valid2` brings its own certificate; even by that one its digest is not that of its content."""
    root = document((CORPUS / "Saml2Token_Valid2.xml").read_bytes())
    found = judge(root, microsoft("Valid2"), MICROSOFT, flex=False, declared="")
    assert faults(found) == ["digest"]


def test_every_check_is_in_the_documents() -> None:
    text = (Path(__file__).parents[2] / "docs" / "commands.md").read_text("utf-8").partition("## verify")[2]
    told = {one for row in text.splitlines() if row.startswith("| `") for one in row.split("|")[1].split("`")[1::2]}
    assert {one.check for one in made.MUTATIONS} - told == set()
