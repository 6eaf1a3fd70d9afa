"""If this goes red, `python -m flexsaml verify` gives a pipeline the wrong exit status, a person a traceback or a
stranger a person's name.
"""

from __future__ import annotations

import base64
import json
import resource
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from tests.cli.command import ROOT, Ended, assert_refused, run
from tests.emulator import signin
from tests.emulator.process import TENANT, Emulator
from tests.emulator.tenant import ADA, FLEX, Tenant
from tests.verification import good_response as made
from tests.verification import mutations

CORPUS = ROOT / "tests" / "corpus" / "saml" / "identitymodel"
AT = ("--at", "2026-05-04T09:30:00Z")
RECEIVER = (
    "--audience", made.AUDIENCE, "--recipient", made.ACS, "--in-response-to", made.REQUEST, "--issuer", made.ISSUER,
)  # fmt: skip
STACK = """config:
  flexsaml:servicePrincipal: Twilio Flex
  flexsaml:claims:
    nameid: user.userprincipalname
    email: user.mail
    full_name: user.displayname
    roles: user.assignedroles
    languages.stringarray: extension.languages
  flexsaml:extensions: {languages: String}
"""


def verify(*arguments: str | Path, stdin: bytes = b"") -> Ended:
    return run("verify", *map(str, arguments), stdin=stdin, environment={"PULUMI_STACK": "absent"})


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A response, certificates, a stack file and metadata."""
    folder = tmp_path_factory.mktemp("verify")
    (folder / "response").write_bytes(base64.encodebytes(made.good_bytes()))
    (folder / "entra.pem").write_bytes(made.pem(made.certificate()))
    (folder / "other.pem").write_bytes(made.pem(made.certificate("other")))
    (folder / "both.pem").write_bytes(made.pem(made.certificate("other")) + made.pem(made.certificate()))
    (folder / "entra.cer").write_bytes(made.certificate().public_bytes(Encoding.DER))
    (folder / "Pulumi.test.yaml").write_text(STACK)
    (folder / "metadata.xml").write_bytes(made.metadata("other", "entra"))
    return folder


# -- exit status -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("--certificate", "entra.pem", *RECEIVER), 0),
        (("--certificate", "entra.cer", *RECEIVER), 0),
        (("--certificate", "both.pem", *RECEIVER), 0),
        (("--certificate", "other.pem", "--certificate", "entra.pem", *RECEIVER), 0),
        (("--metadata", "metadata.xml", *RECEIVER), 0),
        (("--metadata", "metadata.xml"), 0),
        (("--certificate", "other.pem"), 1),
        (("--metadata", "metadata.xml", "--audience", "urn:flex:JQ99"), 1),
        (("--metadata", "metadata.xml", "--recipient", "https://evil.example"), 1),
        (("--metadata", "metadata.xml", "--issuer", "https://evil.example"), 1),
        (("--metadata", "metadata.xml", "--in-response-to", "_other"), 1),
        (("--metadata", "metadata.xml", "--at", "0001-01-01T00:00:00Z"), 1),
        (("--metadata", "metadata.xml", "--at", "9999-12-31T23:59:59.9999999Z"), 1),
        (("--metadata", "metadata.xml", "--certificate", "entra.pem"), 2),
        (("--colour",), 2),
    ],
)
def test_exit_status(files: Path, arguments: tuple[str, ...], status: int) -> None:
    paths = [files / name if (files / name).exists() else name for name in arguments]
    ended = verify(files / "response", *AT, "--file", files / "Pulumi.test.yaml", *paths)
    assert ended.status == status, ended


def test_a_response_on_stdin(files: Path) -> None:
    raw = (files / "response").read_bytes()
    arguments = ("-", *AT, "--certificate", files / "entra.pem", "--file", files / "Pulumi.test.yaml")
    assert verify(*arguments, stdin=raw).status == 0
    assert_refused(verify(*arguments, stdin=raw.replace(b"A", b"B", 1)), "verify", "the standard input has the root")


def test_without_a_time_the_response_of_one_morning_is_refused(files: Path) -> None:
    ended = verify(files / "response", "--certificate", files / "entra.pem", "--json")
    faults = {check["check"] for check in json.loads(ended.out)["checks"] if check["status"] == "fault"}
    assert ended.status == 1
    assert faults & {"not-on-or-after", "not-before"}


def test_a_token_of_microsoft_is_accepted_at_its_time_only(tmp_path: Path) -> None:
    file = CORPUS / "Saml2Token_Valid.xml"
    encoded = file.read_text("utf-8").partition("<X509Certificate>")[2].partition("<")[0]
    certificate = tmp_path / "entra.pem"
    lines = "\n".join(textwrap.wrap(encoded, 64))
    certificate.write_text(f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n")
    assert verify(file, "--certificate", certificate, "--at", "2017-03-20T16:00:00Z").status == 0
    assert verify(file, "--certificate", certificate).status == 1


# -- what cannot be judged ---------------------------------------------------------------------------------------------

ENCRYPTED = (
    b'<p:Response xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r">'
    b'<a:EncryptedAssertion xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion"/></p:Response>'
)


@pytest.mark.parametrize(
    ("raw", "arguments", "words"),
    [
        (b"", (), "is empty"),
        (b"what is this", (), "neither base64 nor XML"),
        (b"<x><p></x>", (), "is not XML"),
        (b"<x/>", (), "no Response or Assertion of SAML 2.0"),
        (ENCRYPTED, (), "private key of the service provider"),
        (None, ("--at", "yesterday"), "is not a time; write it in UTC"),
        (None, (), "no certificate to check the signature with"),
        (None, ("--file", "absent.yaml"), "cannot read absent.yaml"),
        (None, ("--certificate", "absent.pem"), "cannot read absent.pem"),
        (None, ("--certificate", "README.md"), "contains no certificate"),
        (None, ("--metadata", "absent.xml"), "cannot read absent.xml"),
        (None, ("--metadata", "README.md"), "is not XML"),
        (None, ("--metadata", str(CORPUS / "Saml2Token_Valid.xml")), "is no metadata of one application"),
        (None, ("--metadata", "http://login.example/metadata"), "is not an https address"),
        (None, ("--metadata", "ftp://127.0.0.1/metadata"), "is not an https address"),
        (None, ("--metadata", "http://127.0.0.1:9/metadata"), "cannot be reached"),
        (None, ("--metadata", "https://[::1/metadata"), "is not an https address"),
    ],
)
def test_what_cannot_be_judged_is_one_line(
    files: Path, raw: bytes | None, arguments: tuple[str, ...], words: str
) -> None:
    ended = verify(files / "response" if raw is None else "-", *arguments, stdin=raw or b"")
    assert_refused(ended, "verify", words)
    assert ended.out == ""


@pytest.mark.parametrize("path", [Path("/absent/response"), ROOT, Path("/proc/self/mem")])
def test_a_file_that_cannot_be_read_is_json_too(path: Path) -> None:
    ended = verify(path, "--json")
    assert_refused(ended, "verify", f"cannot read {path}: ")
    assert json.loads(ended.out)["verdict"] == "not judged"


def test_the_metadata_of_the_stack_is_the_default(files: Path, tmp_path: Path) -> None:
    stack = tmp_path / "Pulumi.own.yaml"
    app_id = "11111111-2222-4333-8444-555555555555"
    where = "  flexsaml:cloud: loopback\n  flexsaml:loginEndpoint: http://127.0.0.1:9\n"
    for key, words in (("", "has no tenantId or no appId"), (f"  flexsaml:tenantId: {TENANT}\n", "cannot be reached")):
        stack.write_text(STACK.replace("Twilio Flex", app_id) + where + key)
        assert_refused(verify(files / "response", *AT, "--file", stack), "verify", words)


# -- output ------------------------------------------------------------------------------------------------------------


def test_personal_values_are_masked_unless_they_are_asked_for(files: Path) -> None:
    arguments = (files / "response", *AT, "--certificate", files / "entra.pem")
    for more in ((), ("--json",)):
        masked, shown = verify(*arguments, *more), verify(*arguments, *more, "--show-values")
        assert made.NAME in shown.out
        assert "full_name" in masked.out
        assert not [secret for secret in (made.NAME, "Lovelace", "supervisor", "en,de") if secret in masked.out]


@pytest.mark.parametrize(("key", "verdict"), [("entra.pem", "fine"), ("other.pem", "refused")])
def test_json_has_a_fixed_shape(files: Path, key: str, verdict: str) -> None:
    stack = ("--file", files / "Pulumi.test.yaml")
    body = json.loads(verify(files / "response", *AT, "--certificate", files / key, *stack, "--json").out)
    assert (body["verdict"], body["at"], body["skew_seconds"]) == (verdict, AT[1], 60)
    assert {*body["checks"][0]} == {"check", "status", "message", "fix"}
    assert {check["status"] for check in body["checks"]} <= {"ok", "fault", "warning", "not judged"}
    assert ({"attributes", "name_id", "masked"} <= {*body}) == (verdict == "fine")


def test_the_claims_of_the_stack_are_expected(files: Path, tmp_path: Path) -> None:
    stack = tmp_path / "Pulumi.more.yaml"
    stack.write_text(STACK.replace("    email:", "    team: user.department\n    email:"))
    ended = verify(files / "response", *AT, "--certificate", files / "entra.pem", "--file", stack, "--json")
    faults = [check for check in json.loads(ended.out)["checks"] if check["status"] == "fault"]
    assert [(check["check"], check["attribute"]) for check in faults] == [("attribute-missing", "team")]


def test_a_bare_assertion_is_compared_only_with_a_stack_that_is_named(files: Path, tmp_path: Path) -> None:
    bare = tmp_path / "assertion.xml"
    recipe = replace(made.Recipe(), attributes=mutations.with_instead("roles"))
    bare.write_bytes(etree.tostring(made.good(recipe, response=None)[-1]))
    arguments = (bare, *AT, "--certificate", files / "entra.pem")
    assert verify(*arguments).status == 0
    assert verify(*arguments, "--file", files / "Pulumi.test.yaml").status == 1


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: made.good_bytes() + b" " * 10_000_000, id="ten megabytes"),
        pytest.param(lambda: base64.b64encode(b"<a>" * 2_500_000), id="ten megabytes of levels"),
        pytest.param(lambda: b"<a>" * 300_000, id="levels"),
        pytest.param(lambda: b"<a x='" + b"y" * 150 + b"'>" + b"<a>" * 4000, id="levels within the limits"),
        *(
            pytest.param(mutation.make, id=mutation.name)
            for mutation in mutations.MUTATIONS
            if mutation.check in ("size", "nesting") or mutation.name == "a billion laughs"
        ),
    ],
)
def test_a_flood_needs_no_more_than_200_megabytes(files: Path, make: Callable[[], bytes]) -> None:
    process = subprocess.run(
        [sys.executable, "-m", "flexsaml", "verify", "-", "--certificate", str(files / "entra.pem"), *AT],
        input=make(),
        capture_output=True,
        cwd=ROOT,
        preexec_fn=partial(resource.setrlimit, resource.RLIMIT_DATA, (200_000_000, 200_000_000)),
        check=False,
    )
    assert process.returncode in (1, 2)
    assert b"Traceback" not in process.stderr


# -- the sandbox -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("emulator")) as emulator:
        nameid = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"
        sources = {nameid: "userprincipalname", "email": "mail", "full_name": "displayname", "roles": "assignedroles"}
        entries = [{"Source": "user", "ID": source, "SamlClaimType": name} for name, source in sources.items()]
        languages = {"Value": "en,de", "SamlClaimType": "languages.stringarray"}
        signin.assign(Tenant(emulator), signin.claims(*entries, languages))
        yield emulator


def test_the_sandbox_is_trusted_by_its_metadata_and_an_altered_response_refused(sandbox: Emulator, files: Path) -> None:
    """Independent code on both sides: xmlsec signed, signxml verifies; one of two certificates is inactive."""
    answer = signin.ask(sandbox, ADA).json
    encoded = answer["SAMLResponse"].encode()
    address = f"{sandbox.http}/{TENANT}/federationmetadata/2007-06/federationmetadata.xml?appid={FLEX['appId']}"
    arguments = (
        "-", "--metadata", address, "--audience", FLEX["servicePrincipalNames"][0], "--recipient", answer["acs"],
        "--file", files / "Pulumi.test.yaml", "--json",
    )  # fmt: skip
    genuine = verify(*arguments, stdin=encoded)
    assert genuine.status == 0, genuine.out
    statuses = {check["check"]: check["status"] for check in json.loads(genuine.out)["checks"]}
    assert {statuses[name] for name in ("issuer", "audience", "recipient", "destination", "declared")} == {"ok"}
    altered = base64.b64encode(base64.b64decode(encoded).replace(b"Ada Lovelace", b"Eve Lovelace"))
    ended = verify(*arguments, stdin=altered)
    assert ended.status == 1
    assert [check["check"] for check in json.loads(ended.out)["checks"]] == ["digest"]


def test_metadata_of_no_application_is_one_line(sandbox: Emulator, files: Path) -> None:
    address = f"{sandbox.http}/{TENANT}/federationmetadata/2007-06/federationmetadata.xml?appid=nobody"
    assert_refused(verify(files / "response", "--metadata", address), "verify", "answered with status")
