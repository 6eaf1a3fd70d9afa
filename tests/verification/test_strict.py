"""If this goes red, `verify` accepts a response that a strict library of service providers refuses."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import time
from datetime import datetime, timezone
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from onelogin.saml2.auth import OneLogin_Saml2_Auth

from flexsaml.verification.shape import check_shape

from . import good_response as made
from .shapes import GOOD, SHAPES, XSI, Shape, shift_times
from .test_verify import fault_names, judge

SHIFT = datetime.now(timezone.utc).replace(microsecond=0) - made.AT
"""The strangers know no time but now; verify judges the same response, unshifted, at its own time."""


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_a_shape_that_strict_libraries_refuse_is_refused(shape: Shape) -> None:
    messages = [check.message for check in judge(shape.make()).checks if check.name == shape.check]
    assert any(message.startswith(shape.message) for message in messages), messages
    assert all("\n" not in message for message in messages)


def test_the_table_is_as_large_as_promised_and_its_rows_differ() -> None:
    assert len({shape.make() for shape in SHAPES}) == len({shape.name for shape in SHAPES}) == len(SHAPES) >= 75


@pytest.mark.parametrize(
    "shape", [shape for shape in SHAPES if "{urn:x}" in shape.message], ids=lambda shape: shape.name
)
def test_the_shape_around_a_signed_assertion_counts_as_well(shape: Shape) -> None:
    root = etree.fromstring(shape.make())
    root.remove(root.findall(f"{made.D}Signature")[0])
    assert fault_names(judge(made.bytes_of(root))) == ["shape"]


def test_no_message_contains_a_value_and_no_file_is_read_for_a_response(tmp_path: Path) -> None:
    """Its schemaLocation names a schema by which it would not be valid."""
    schema = tmp_path / "x.xsd"
    schema.write_text(
        '<schema xmlns="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:x"><element name="x" type="integer"/></schema>'
    )
    extension = '<samlp:Extensions><x xmlns="urn:x">no integer</x></samlp:Extensions>'
    instance = f'xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:schemaLocation="urn:x {schema.as_uri()}"'
    text = GOOD.text().replace("<samlp:Response ", f"<samlp:Response {instance} ", 1)
    assert list(check_shape(etree.fromstring(text.replace("<samlp:Status>", f"{extension}<samlp:Status>")))) == []
    secret = "Zz9-secret\" is not a valid value of the type 'Zz9-type'."
    marked = text.replace(GOOD.issued, f"IssueInstant='{secret}'".replace("'Zz9-type'", "&apos;Zz9-type&apos;"), 1)
    [check] = check_shape(etree.fromstring(marked))
    assert "Zz9" not in str(check)


def test_a_response_with_a_thousand_faults_is_judged_at_once_and_shows_five() -> None:
    marks = " ".join(f'a{number}="y"' for number in range(19))
    attributes = f"<Attribute {marks} Name='a'/>" * 4_000
    root = etree.fromstring(GOOD.text().replace("</AttributeStatement>", f"{attributes}</AttributeStatement>"))
    started = time.process_time()
    assert len(list(check_shape(root))) == 5
    assert time.process_time() - started < 5


UNUSUAL = {
    "a consent": (GOOD.destination, f'{GOOD.destination} Consent="urn:oasis:names:tc:SAML:2.0:consent:unspecified"'),
    "a message of the status": ("</samlp:Status>", "<samlp:StatusMessage>ok</samlp:StatusMessage></samlp:Status>"),
    "a sign-in before the attributes": (f"{GOOD.statement}{GOOD.session}", f"{GOOD.session}{GOOD.statement}"),
    "a name format": ('Name="email"', 'Name="email" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:uri"'),
    "a type": ("<AttributeValue>agent", f"<AttributeValue {XSI} xsi:type='xs:string'>agent"),
    "a place of the sign-in": (made.CONTEXT, f'<SubjectLocality Address="192.0.2.1"/>{made.CONTEXT}'),
    "an authority of the sign-in": ("</AuthnContext>", "<AuthenticatingAuthority>urn:x</AuthenticatingAuthority></AuthnContext>"),
    "a qualified name for this receiver": ("<NameID ", f'<NameID SPNameQualifier="{made.AUDIENCE}" '),
}  # fmt: skip


@pytest.mark.parametrize("name", UNUSUAL)
def test_what_the_schema_allows_is_accepted(name: str) -> None:
    shape = Shape(name, "", "", *UNUSUAL[name])
    assert fault_names(judge(shape.make())) == []
    assert refuse_as_python3_saml(shape.make(SHIFT)) == ""


# -- strangers ---------------------------------------------------------------------------------------------------------


def refuse_as_python3_saml(raw: bytes) -> str:
    """Why python3-saml refuses it in strict mode, "" if it does not."""
    encoded = base64.b64encode(certificate_der()).decode()
    settings = {
        "strict": True,
        "idp": {"entityId": made.ISSUER, "singleSignOnService": {"url": made.ISSUER}, "x509cert": encoded},
        "sp": {"entityId": made.AUDIENCE, "assertionConsumerService": {"url": made.ACS}},
        "security": {"rejectDeprecatedAlgorithm": True, "wantNameId": True},
    }
    address = made.ACS.removeprefix("https://").partition("?")[0]
    host, _, path = address.partition("/")
    posted = {"SAMLResponse": base64.b64encode(raw).decode()}
    request = {"https": "on", "http_host": host, "script_name": f"/{path}", "get_data": {}, "post_data": posted}
    auth = OneLogin_Saml2_Auth(request, settings)
    try:
        auth.process_response(request_id=made.REQUEST)
    except Exception as problem:  # noqa: BLE001 - whatever it raises, it does not accept
        return f"{type(problem).__name__}: {problem}"
    return str(auth.get_last_error_reason()) if auth.get_errors() else ""


def certificate_der() -> bytes:
    return made.certificate().public_bytes(Encoding.DER)


def good_now() -> bytes:
    root = etree.fromstring(shift_times(GOOD.text(), SHIFT))
    made.sign(root[-1])
    made.sign(root)
    return made.bytes_of(root)


def test_python3_saml_refuses_nothing_that_verify_accepts() -> None:
    """The good response shows that it refuses for the reason of the mutation."""
    assert refuse_as_python3_saml(good_now()) == ""
    refused = {shape.name: refuse_as_python3_saml(shape.make(SHIFT)) for shape in SHAPES}
    accepted = [shape.name for shape in SHAPES if refused[shape.name] and not fault_names(judge(shape.make()))]
    assert accepted == []
    assert sum(map(bool, refused.values())) >= 75


def test_ruby_saml_refuses_nothing_that_verify_accepts(tmp_path: Path) -> None:
    """It needs Ruby with ruby-saml (Debian: ruby-saml): without them the test is skipped."""
    ruby = shutil.which("ruby")
    if (
        not ruby
        or subprocess.run([ruby, "-e", 'require "onelogin/ruby-saml"'], capture_output=True, check=False).returncode
    ):
        pytest.skip("Ruby with ruby-saml is not installed")
    (tmp_path / "entra.pem").write_bytes(made.pem(made.certificate()))
    (tmp_path / "good.xml").write_bytes(good_now())
    for number, shape in enumerate(SHAPES):
        (tmp_path / f"{number}.xml").write_bytes(shape.make(SHIFT))
    script = Path(__file__).with_name("ruby_saml.rb")
    arguments = [str(tmp_path), made.ISSUER, made.AUDIENCE, made.ACS, made.REQUEST]
    ended = subprocess.run([ruby, str(script), *arguments], capture_output=True, check=True, timeout=120)
    refused: dict[str, list[str]] = json.loads(ended.stdout)
    assert refused.pop("good.xml") == []
    by_name = {shape.name: refused[f"{number}.xml"] for number, shape in enumerate(SHAPES)}
    accepted = [shape.name for shape in SHAPES if by_name[shape.name] and not fault_names(judge(shape.make()))]
    assert accepted == []
    assert sum(map(bool, by_name.values())) >= 75
