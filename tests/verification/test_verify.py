"""If this goes red, `verify` accepts a response that Entra did not sign, or refuses one that it did."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from flexsaml.verification.checks import Expected, ResponseRefused, parse_time
from flexsaml.verification.metadata import TrustedCertificates, parse_metadata
from flexsaml.verification.response import is_response, parse_response
from flexsaml.verification.verdict import DeclaredClaims, Verdict, judge_response

from . import good_response as made
from . import mutations

CORPUS = Path(__file__).parents[1] / "corpus" / "saml" / "identitymodel"
REPORTS = CORPUS.parent / "reports"
EXPECTED = Expected(made.AT, made.ISSUER, made.AUDIENCE, made.ACS, made.REQUEST)
DECLARED = DeclaredClaims(made.DECLARED, "stack test")


def trusted(*names: str) -> TrustedCertificates:
    return TrustedCertificates(tuple(made.certificate(name) for name in names or ("entra",)), "test")


def judge(raw: bytes, expected: Expected = EXPECTED, certificates: TrustedCertificates | None = None) -> Verdict:
    try:
        root = parse_response(raw)
        return judge_response(root, certificates or trusted(), expected, flex=is_response(root), declared=DECLARED)
    except ResponseRefused as refused:
        return Verdict(refused.faults)


def judge_report(name: str) -> Verdict:
    """A reported response, at the time of its sign-in."""
    certificates = parse_metadata((REPORTS / "metadata.xml").read_bytes(), "test")
    root = parse_response((REPORTS / name).read_bytes())
    issued = parse_time(root.get("IssueInstant", ""))
    assert issued is not None
    try:
        return judge_response(root, certificates, Expected(issued), flex=True, declared=DECLARED)
    except ResponseRefused as refused:
        return Verdict(refused.faults)


def fault_names(verdict: Verdict) -> list[str]:
    return [check.name for check in verdict.checks if check.status == "fault"]


@pytest.mark.parametrize("mutation", mutations.MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_mutation_is_refused_by_its_check(mutation: mutations.Mutation) -> None:
    verdict = judge(mutation.make())
    assert mutation.check in fault_names(verdict)
    assert all("\n" not in str(check) for check in verdict.checks)


def test_each_check_refuses_by_itself() -> None:
    """A single coarse check that refuses everything would hide that the others do not work."""
    fault_sets = [set(fault_names(judge(mutation.make()))) for mutation in mutations.MUTATIONS]
    sole_faults = {name for names in fault_sets if len(names) == 1 for name in names}
    assert {mutation.check for mutation in mutations.MUTATIONS} - sole_faults == set()


def test_every_mutation_has_its_own_name() -> None:
    names = [mutation.name for mutation in mutations.MUTATIONS]
    assert len(names) == len(set(names)) >= 20


# -- genuine ------------------------------------------------------------------------------------------------------

PLAIN = made.Recipe()
SHORT = replace(PLAIN, answers="", data=PLAIN.data.replace(f'InResponseTo="{made.REQUEST}" ', ""))


def posted() -> str:
    return base64.b64encode(made.good_bytes()).decode()


def har(*, value: str = "", text: str = "") -> bytes:
    """The field as a parameter, or in the posted text."""
    params = [{"name": "SAMLResponse", "value": value}] if value else []
    request = {"method": "POST", "postData": {"params": params, "text": text}}
    return json.dumps({"log": {"entries": [{"request": {"method": "GET"}}, {"request": request}]}}).encode()


@pytest.mark.parametrize(
    ("raw", "warnings"),
    [
        pytest.param(lambda: made.good_bytes(), [], id="both signed"),
        pytest.param(lambda: made.good_bytes(assertion=None), ["both-signed"], id="response signed"),
        pytest.param(lambda: made.good_bytes(response=None), ["both-signed"], id="assertion signed"),
        pytest.param(
            lambda: made.good_bytes(replace(PLAIN, destination=""), response=None),
            ["both-signed"],
            id="assertion signed, no destination",
        ),
        pytest.param(
            lambda: made.good_bytes(assertion=made.Signing(certificate=False)), [], id="without a certificate"
        ),
        pytest.param(lambda: b"\xef\xbb\xbf" + made.good_bytes() + b"\n", [], id="byte-order mark"),
        pytest.param(
            lambda: b'<?xml version="1.0" encoding="utf-8"?>\n' + made.good_bytes(), [], id="declaration"
        ),
        pytest.param(lambda: base64.b64encode(made.good_bytes()), [], id="base64"),
        pytest.param(lambda: base64.encodebytes(made.good_bytes()), [], id="base64 in lines"),
        pytest.param(
            lambda: quote(base64.b64encode(made.good_bytes()), safe="").encode(), [], id="percent-encoded"
        ),
        pytest.param(
            lambda: b"SAMLResponse=" + quote(base64.b64encode(made.good_bytes()), safe="").encode() + b"&RelayState=x",
            [],
            id="form",
        ),
        pytest.param(
            lambda: base64.b64encode(made.good_bytes()).decode().encode("utf-16"), [], id="saved as UTF-16"
        ),
        pytest.param(lambda: har(value=quote(posted(), safe=""), text=f"SAMLResponse={quote(posted())}&RelayState="), [], id="HAR of Chrome"),
        pytest.param(lambda: har(value=posted()), [], id="HAR of Firefox"),
        pytest.param(lambda: har(text=f"SAMLResponse={quote(posted())}&RelayState="), [], id="HAR with the text alone"),
        pytest.param(
            lambda: json.dumps({"requests": [{"post": [["RelayState", ""], ["SAMLResponse", posted()]]}]}).encode(),
            [],
            id="export of a SAML tracer",
        ),
        pytest.param(lambda: json.dumps({"SAMLResponse": posted()}).encode(), [], id="JSON object"),
        pytest.param(
            lambda: f"curl 'https://login.example/cb?connection=JQ' \\\n  -H 'origin: x' --data-raw 'SAMLResponse={quote(posted(), safe='')}&RelayState=x' \\\n  --compressed".encode(),
            [],
            id="cURL",
        ),
        pytest.param(
            lambda: f'curl "https://login.example/cb" --data-raw "SAMLResponse={quote(posted(), safe="").replace("%", "^%^")}^&RelayState=x"'.encode(),
            [],
            id="cURL of a Windows shell",
        ),
        pytest.param(
            lambda: f'<!DOCTYPE html>\n<html><form method="POST"><input type="hidden" name="SAMLResponse" value="{posted().replace("+", "&#x2b;")}" /></form></html>'.encode(),
            [],
            id="saved page",
        ),
        pytest.param(
            lambda: f"<html><input value='{posted()}' type='hidden' name=SAMLResponse></html>".encode(),
            [],
            id="saved page, other order and quotes",
        ),
        pytest.param(
            lambda: f"SAMLResponse={posted().replace('+', ' ')}".encode(), [], id="form, decoded carelessly"
        ),
        pytest.param(lambda: b'"' + base64.b64encode(made.good_bytes()) + b'"\r\n', [], id="in quotes"),
        pytest.param(
            lambda: made.good_bytes(replace(PLAIN, audience=f"<AudienceRestriction><Audience>urn:x</Audience><Audience>{made.AUDIENCE}</Audience></AudienceRestriction><OneTimeUse/>")),
            [],
            id="two audiences, one time",
        ),
        pytest.param(
            lambda: made.good_bytes(replace(PLAIN, attributes=mutations.with_more(made.attribute("team", "blue")))),
            ["attribute-unexpected"],
            id="an attribute that was not declared",
        ),
        pytest.param(
            lambda: made.good_bytes(replace(PLAIN, attributes=mutations.with_instead("languages.stringarray", ""))),
            ["attribute-empty"],
            id="an empty attribute clears",
        ),
        pytest.param(
            lambda: made.good_bytes(replace(PLAIN, attributes=mutations.with_instead("full_name", "Ada", "Lovelace"))),
            ["attribute-several"],
            id="several values of a string",
        ),
        pytest.param(
            lambda: made.good_bytes(replace(PLAIN, attributes=mutations.with_more(made.attribute("level.int", "1", "2")))),
            ["attribute-several", "attribute-unexpected"],
            id="several values of an integer",
        ),
        pytest.param(
            lambda: made.good_bytes(replace(PLAIN, attributes=mutations.with_instead("roles", "Agent"))),
            ["attribute-doubtful"],
            id="a role that Flex does not know",
        ),
        pytest.param(
            lambda: made.good_bytes(replace(PLAIN, attributes=mutations.with_instead("roles", "\xa0agent"))),
            ["attribute-fragile", "attribute-doubtful"],
            id="a role behind a no-break space",
        ),
        pytest.param(
            lambda: made.good_bytes(replace(PLAIN, attributes=mutations.with_instead("email", "Ada Lovelace"))),
            ["attribute-doubtful"],
            id="a name as email",
        ),
        pytest.param(
            lambda: made.good_bytes(replace(PLAIN, attributes=mutations.with_instead("full_name", "Ada&#13;&#10;Lovelace"))),
            ["attribute-fragile"],
            id="a line break",
        ),
        pytest.param(
            lambda: made.good_bytes(replace(PLAIN, attributes=mutations.with_instead("full_name", "&lt;NULL&gt;"))),
            ["attribute-fragile"],
            id="a word for no value",
        ),
        pytest.param(
            lambda: made.good_bytes(replace(PLAIN, attributes=mutations.with_more(made.attribute("languages", "en")))),
            ["attribute-collision", "attribute-unexpected"],
            id="two names, one worker attribute",
        ),
        pytest.param(
            lambda: made.good_bytes(replace(PLAIN, session=made.statement('AuthnInstant="2026-05-04T09:29:00Z" SessionNotOnOrAfter="2026-05-04T11:00:00Z"'))),
            [],
            id="a session of more than an hour",
        ),
    ],
)  # fmt: skip
def test_a_genuine_response_is_accepted(raw: Callable[[], bytes], warnings: list[str]) -> None:
    verdict = judge(raw())
    assert fault_names(verdict) == []
    assert [check.name for check in verdict.checks if check.status == "warning"] == warnings
    assert verdict.statement is not None
    assert verdict.statement.name_id == made.NAME


@pytest.mark.parametrize(("method", "digest"), list(mutations.RAW_ALGORITHMS.items()))
def test_sha_2_is_accepted(method: str, digest: str) -> None:
    how = made.Signing(method=method, digest=digest)
    assert fault_names(judge(made.good_bytes(assertion=how, response=how))) == []


def test_a_sign_in_that_began_at_entra_is_accepted_unless_a_request_is_named() -> None:
    raw = made.good_bytes(SHORT)
    assert fault_names(judge(raw, replace(EXPECTED, in_response_to=""))) == []
    assert set(fault_names(judge(raw))) == {"in-response-to"}


def test_any_certificate_may_have_signed_while_they_roll_over() -> None:
    for name in ("entra", "next"):
        how = made.Signing(key=name)
        raw = made.good_bytes(assertion=how, response=how)
        assert fault_names(judge(raw, certificates=trusted("entra", "next"))) == []
        assert fault_names(judge(raw, certificates=trusted("third"))) == ["signature"]


def test_naming_the_trusted_certificate_proves_nothing() -> None:
    """The response names the trusted certificate, but another key signed it."""
    root = made.good(assertion=made.Signing(key="other"), response=None)
    brought = root.find(f".//{made.D}X509Certificate")
    assert brought is not None
    brought.text = base64.b64encode(made.certificate().public_bytes(Encoding.DER)).decode()
    assert fault_names(judge(made.bytes_of(root))) == ["signature"]


@pytest.mark.parametrize(
    ("at", "expected"),
    [(made.AT, []), (made.AT - timedelta(days=40), ["certificate"]), (made.AT + timedelta(days=1000), ["certificate"])],
)
def test_a_certificate_holds_for_its_time(at: datetime, expected: list[str]) -> None:
    verdict = judge(made.good_bytes(assertion=None), replace(EXPECTED, at=at))
    assert [name for name in fault_names(verdict) if name == "certificate"] == expected


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
    verdict = judge(made.good_bytes(quiet), replace(EXPECTED, at=made.AT + shift))
    assert set(fault_names(verdict)) == set(expected)


@pytest.mark.parametrize("at", [datetime.min, datetime.max], ids=["first", "last"])
@pytest.mark.parametrize("time", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999Z"])
def test_the_first_and_the_last_moment_are_judged_like_any_other(at: datetime, time: str) -> None:
    recipe = replace(
        made.Recipe(),
        issued=f'IssueInstant="{time}"',
        times=f'NotBefore="{time}" NotOnOrAfter="{time}"',
        session=made.Recipe().session.replace(" SessionIndex", f' SessionNotOnOrAfter="{time}" SessionIndex'),
    )
    verdict = judge(made.good_bytes(recipe), replace(EXPECTED, at=at.replace(tzinfo=timezone.utc)))
    assert "issued" in fault_names(verdict) or (at, time[:4]) != (datetime.min, "9999")
    assert "certificate" in fault_names(verdict)


def test_what_the_user_did_not_state_is_shown_and_not_judged() -> None:
    verdict = judge(made.good_bytes(), Expected(made.AT))
    assert fault_names(verdict) == []
    not_judged = {check.name for check in verdict.checks if check.status == "not judged"}
    assert not_judged == {"destination", "recipient", "audience", "issuer", "in-response-to"}


def test_nothing_of_an_unsigned_response_is_trusted_or_shown() -> None:
    verdict = judge(made.good_bytes(response=None))
    passed = {check.name for check in verdict.checks if check.status == "ok"}
    assert passed.isdisjoint({"status", "destination"})
    assert "recipient" in passed


def test_addresses_that_differ_are_shown_in_full() -> None:
    verdict = judge(made.good_bytes(), replace(EXPECTED, recipient=f"{made.ACS}0"))
    [message] = [check.message for check in verdict.checks if check.name == "recipient"]
    assert f"'{made.ACS}'" in message
    assert f"'{made.ACS}0'" in message


def test_no_message_contains_a_value() -> None:
    secret = "Zz9-secret"
    attributes = tuple(
        made.attribute(name, secret) for name in ("email", "level.int", "on.boolean", "n.intarray", "other")
    )
    recipe = replace(PLAIN, attributes=attributes, name_id=f"<NameID>{secret}</NameID>")
    verdict = judge(made.good_bytes(recipe))
    assert {"attribute-missing", "attribute-ill-typed"} <= set(fault_names(verdict))
    assert not [str(check) for check in verdict.checks if secret in str(check)]


@pytest.mark.parametrize(
    ("name", "faults"), [("response.xml", []), ("indented.xml", ["digest"]), ("pretty.xml", ["signature"])]
)
def test_a_response_that_a_viewer_indented_is_refused_with_the_way_to_the_original(
    name: str, faults: list[str]
) -> None:
    verdict = judge_report(name)
    assert fault_names(verdict) == faults
    assert all(
        "copy the form field SAMLResponse itself" in check.fix for check in verdict.checks if check.status == "fault"
    )


def test_a_response_that_was_altered_is_not_said_to_be_indented() -> None:
    raw = made.good_bytes()
    for altered in (
        raw.replace(b"Ada Lovelace", b"Eve Lovelace"),
        raw.replace(b"</ds:SignatureValue>", b"A</ds:SignatureValue>", 1),
    ):
        [check] = [check for check in judge(altered).checks if check.status == "fault"]
        assert "re-indents" not in check.fix
        assert "somebody altered it" in check.fix


def test_every_check_is_in_the_documents() -> None:
    text = (Path(__file__).parents[2] / "docs" / "commands.md").read_text("utf-8").partition("## verify")[2]
    rows = [row.split("|")[1] for row in text.splitlines() if row.startswith("| `")]
    documented = {name for row in rows for name in row.split("`")[1::2]}
    assert {mutation.check for mutation in mutations.MUTATIONS} - documented == set()
