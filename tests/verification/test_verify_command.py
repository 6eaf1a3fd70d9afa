"""If this goes red, `python -m flexsaml verify` gives a pipeline the wrong exit status, a person a traceback or a
stranger a person's name.

The command runs as users run it, in a process of its own.
"""

from __future__ import annotations

import base64
import json
import os
import resource
import statistics
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from flexsaml.verification.checks import CannotLook
from flexsaml.verification.metadata import SECONDS, from_metadata
from flexsaml.verification.metadata import _within as within
from tests.emulator import signin
from tests.emulator.process import TENANT, Emulator
from tests.emulator.tenant import ADA, FLEX, Tenant

from . import mutations as made

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "tests" / "corpus" / "saml" / "identitymodel"
AT = "2026-05-04T09:30:00Z"
FOR = ("--audience", made.AUDIENCE, "--recipient", made.ACS, "--in-response-to", made.REQUEST, "--issuer", made.ISSUER)
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


def verify(*arguments: str | Path, stdin: bytes = b"", limits: bool = False) -> subprocess.CompletedProcess[bytes]:
    found = subprocess.run(
        [sys.executable, "-m", "flexsaml", "verify", *map(str, arguments)],
        input=stdin,
        capture_output=True,
        cwd=ROOT,
        env={**os.environ, "PULUMI_STACK": "sandbox"},
        timeout=60,
        check=False,
        preexec_fn=_limited if limits else None,
    )
    assert b"Traceback" not in found.stderr + found.stdout
    return found


def _limited() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (1, 1))
    resource.setrlimit(resource.RLIMIT_DATA, (200_000_000, 200_000_000))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A response, the certificates, a stack file and metadata."""
    folder = tmp_path_factory.mktemp("verify")
    (folder / "response").write_bytes(base64.encodebytes(made.bytes_of(made.good())))
    (folder / "entra.pem").write_bytes(made.pem(made.certificate()))
    (folder / "other.pem").write_bytes(made.pem(made.certificate("other")))
    (folder / "both.pem").write_bytes(made.pem(made.certificate("other")) + made.pem(made.certificate()))
    (folder / "entra.cer").write_bytes(made.certificate().public_bytes(made.Encoding.DER))
    (folder / "Pulumi.test.yaml").write_text(STACK)
    (folder / "metadata.xml").write_bytes(metadata("other", "entra"))
    return folder


def metadata(
    *keys: str, entity: str = made.ISSUER, use: str = ' use="signing"', root: str = "EntityDescriptor"
) -> bytes:
    told = "".join(
        f'<KeyDescriptor{use}><KeyInfo xmlns="{made.XMLDSIG}"><X509Data><X509Certificate>'
        f"{base64.encodebytes(made.certificate(one).public_bytes(made.Encoding.DER)).decode()}"
        "</X509Certificate></X509Data></KeyInfo></KeyDescriptor>"
        for one in keys
    )
    text = (
        f'<{root} xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{entity}"><IDPSSODescriptor '
        f'protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">{told}</IDPSSODescriptor></{root}>'
    )
    return b"\xef\xbb\xbf" + text.encode()


# -- exit status -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("--certificate", "entra.pem", *FOR), 0),
        (("--certificate", "entra.cer", *FOR), 0),
        (("--certificate", "both.pem", *FOR), 0),
        (("--certificate", "other.pem", "--certificate", "entra.pem", *FOR), 0),
        (("--metadata", "metadata.xml", *FOR), 0),
        (("--metadata", "metadata.xml"), 0),
        (("--certificate", "other.pem"), 1),
        (("--metadata", "metadata.xml", "--audience", "urn:flex:JQ99"), 1),
        (("--metadata", "metadata.xml", "--recipient", "https://evil.example"), 1),
        (("--metadata", "metadata.xml", "--issuer", "https://evil.example"), 1),
        (("--metadata", "metadata.xml", "--in-response-to", "_other"), 1),
        (("--metadata", "metadata.xml", "--certificate", "entra.pem"), 2),
        (("--colour",), 2),
    ],
)
def test_exit_status(files: Path, arguments: tuple[str, ...], status: int) -> None:
    names = [str(files / one) if (files / one).exists() else one for one in arguments]
    found = verify(files / "response", "--at", AT, "--file", files / "Pulumi.test.yaml", *names)
    assert found.returncode == status, found.stdout + found.stderr


def test_response_on_stdin(files: Path) -> None:
    raw = (files / "response").read_bytes()
    arguments = ("-", "--at", AT, "--certificate", files / "entra.pem", "--file", files / "Pulumi.test.yaml")
    assert verify(*arguments, stdin=raw).returncode == 0
    assert verify(*arguments, stdin=raw.replace(b"A", b"B", 1)).returncode == 2


def test_without_a_time_it_is_now(files: Path) -> None:
    """The response of this test is of one morning only."""
    found = verify(files / "response", "--certificate", files / "entra.pem", "--json")
    told = {one["check"] for one in json.loads(found.stdout)["checks"] if one["status"] == "fault"}
    assert found.returncode == 1
    assert told & {"not-on-or-after", "not-before"}


@pytest.mark.parametrize("name", ["Valid", "Valid_Spaces_Added", "Valid_WithNoKeyInfo", "Valid_WithRsaKeyValue"])
def test_tokens_of_microsoft(tmp_path: Path, name: str) -> None:
    text = (CORPUS / "Saml2Token_Valid.xml").read_text("utf-8").partition("<X509Certificate>")[2].partition("<")[0]
    certificate = tmp_path / "entra.pem"
    lines = "\n".join(textwrap.wrap(text, 64))
    certificate.write_text(f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n")
    file = CORPUS / f"Saml2Token_{name}.xml"
    assert verify(file, "--certificate", certificate, "--at", "2017-03-20T16:00:00Z").returncode == 0
    assert verify(file, "--certificate", certificate).returncode == 1


# -- what keeps it from looking ----------------------------------------------------------------------------------------

ENCRYPTED = (
    b'<p:Response xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r">'
    b'<a:EncryptedAssertion xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion"/></p:Response>'
)


@pytest.mark.parametrize(
    ("raw", "arguments", "said"),
    [
        (b"", (), "is empty"),
        (b"what is this", (), "neither base64 nor XML"),
        (b"<html><p></html>", (), "is no XML"),
        (b"<html/>", (), "neither Response nor Assertion"),
        (ENCRYPTED, (), "private key of the service provider"),
        (None, ("--at", "yesterday"), "is no time; write it in UTC"),
        (None, (), "no certificate to check the signature with"),
        (None, ("--file", "absent.yaml"), "cannot read absent.yaml"),
        (None, ("--certificate", "absent.pem"), "cannot read absent.pem"),
        (None, ("--certificate", "README.md"), "holds no certificate"),
        (None, ("--metadata", "absent.xml"), "cannot read absent.xml"),
        (None, ("--metadata", "README.md"), "is no XML"),
        (None, ("--metadata", str(CORPUS / "Saml2Token_Valid.xml")), "is no metadata of one application"),
        (None, ("--metadata", "http://login.example/metadata"), "is no https address"),
        (None, ("--metadata", "ftp://127.0.0.1/metadata"), "is no https address"),
        (None, ("--metadata", "http://127.0.0.1:9/metadata"), "cannot be reached"),
        (None, ("--metadata", "https://[::1/metadata"), "is no https address"),
    ],
)
def test_what_keeps_it_from_looking_is_one_line(
    files: Path, raw: bytes | None, arguments: tuple[str, ...], said: str
) -> None:
    response = files / "response" if raw is None else Path("-")
    found = verify(response, *arguments, stdin=raw or b"")
    assert found.returncode == 2
    assert found.stdout == b""
    assert said in found.stderr.decode()
    assert found.stderr.decode().startswith("verify: ")
    assert len(found.stderr.splitlines()) == 1


@pytest.mark.parametrize("path", [Path("/absent/response"), ROOT, Path("/proc/self/mem")])
def test_a_file_that_cannot_be_read(path: Path) -> None:
    found = verify(path, "--json")
    assert found.returncode == 2
    assert json.loads(found.stdout)["verdict"] == "not looked at"
    assert found.stderr.decode().startswith(f"verify: cannot read {path}: ")


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (metadata(), "lists no certificate"),
        (metadata("entra", use=' use="encryption"'), "lists no certificate"),
        (metadata("entra", root="EntitiesDescriptor"), "no metadata of one application"),
        (metadata("entra").replace(b"MII", b"AAA", 1), "cannot be read"),
        (metadata("entra").replace(b"MII", b"~~~", 1), "cannot be read"),
        (b"<!DOCTYPE x>" + metadata("entra")[3:], "document type"),
        (b"x" * 1_000_001, "is no XML"),
        (b"", "is no XML"),
    ],
)
def test_metadata_that_is_none(raw: bytes, said: str) -> None:
    with pytest.raises(CannotLook, match=said):
        from_metadata(raw, "metadata.xml")


def test_metadata_names_each_certificate_once_and_its_issuer() -> None:
    found = from_metadata(metadata("entra", "other", "entra", use=""), "metadata.xml")
    assert list(found.certificates) == [made.certificate("entra"), made.certificate("other")]
    assert found.issuer == made.ISSUER


def test_metadata_that_drips_or_floods_ends() -> None:
    for chunks, late, said in (
        ([b"<a>"] * 3, [False, True], f"within {SECONDS:.0f} seconds"),
        ([b"x" * 600_000] * 2, [False, False], "more than"),
    ):
        answers = iter(late)
        with pytest.raises(CannotLook, match=said):
            within(iter(chunks), lambda: next(answers), "https://x")  # noqa: B023 - used at once


# -- what it says ------------------------------------------------------------------------------------------------------


def test_people_are_masked_unless_asked_for(files: Path) -> None:
    arguments = (files / "response", "--at", AT, "--certificate", files / "entra.pem")
    for more in ((), ("--json",)):
        masked, shown = verify(*arguments, *more), verify(*arguments, *more, "--show-values")
        assert made.NAME.encode() in shown.stdout
        for secret in (made.NAME, "Lovelace", "supervisor", "en,de"):
            assert secret.encode() not in masked.stdout + masked.stderr
        assert b"full_name" in masked.stdout


def test_json_has_one_shape(files: Path) -> None:
    for key, verdict in (("entra.pem", "fine"), ("other.pem", "refused")):
        found = verify(
            files / "response", "--at", AT, "--certificate", files / key, "--file", files / "Pulumi.test.yaml", "--json"
        )
        told = json.loads(found.stdout)
        assert told["verdict"] == verdict
        assert told["at"] == AT
        assert told["skew_seconds"] == 60
        assert {*told["checks"][0]} == {"check", "status", "message", "fix"}
        assert {one["status"] for one in told["checks"]} <= {"ok", "fault", "warning", "not judged"}
        assert ("attributes" in told) == (verdict == "fine")


def test_the_declaration_is_that_of_the_stack(files: Path, tmp_path: Path) -> None:
    stack = tmp_path / "Pulumi.more.yaml"
    stack.write_text(STACK.replace("    email:", "    team: user.department\n    email:"))
    found = verify(files / "response", "--at", AT, "--certificate", files / "entra.pem", "--file", stack, "--json")
    faults = [one for one in json.loads(found.stdout)["checks"] if one["status"] == "fault"]
    assert [(one["check"], one["attribute"]) for one in faults] == [("attribute-missing", "team")]


def test_a_bare_assertion_is_held_against_a_stack_that_is_named(files: Path, tmp_path: Path) -> None:
    bare = tmp_path / "assertion.xml"
    recipe = made.replace(made.Recipe(), attributes=made._instead("roles"))
    bare.write_bytes(made.etree.tostring(made.good(recipe, response=None)[-1]))
    arguments = (bare, "--at", AT, "--certificate", files / "entra.pem")
    assert verify(*arguments).returncode == 0
    assert verify(*arguments, "--file", files / "Pulumi.test.yaml").returncode == 1


def test_the_default_metadata_is_asked_for_where_the_stack_does_not_tell(files: Path, tmp_path: Path) -> None:
    app = "11111111-2222-4333-8444-555555555555"
    for key, said in (("", "has no tenantId and appId"), (f"  flexsaml:tenantId: {TENANT}\n", "cannot be reached")):
        stack = tmp_path / "Pulumi.own.yaml"
        where = "  flexsaml:cloud: loopback\n  flexsaml:loginEndpoint: http://127.0.0.1:9\n"
        stack.write_text(STACK.replace("Twilio Flex", app) + where + key)
        found = verify(files / "response", "--at", AT, "--file", stack)
        assert found.returncode == 2
        assert said in found.stderr.decode()


# -- cost --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(lambda: made.bytes_of(made.good()) + b" " * 10_000_000, id="ten megabytes"),
        pytest.param(lambda: base64.b64encode(b"<a>" * 2_500_000), id="ten megabytes of levels"),
        pytest.param(lambda: b"<a>" * 300_000, id="levels"),
        pytest.param(lambda: b"<a x='" + b"y" * 150 + b"'>" + b"<a>" * 4000, id="levels within the limits"),
        *(pytest.param(one.make, id=one.name) for one in made.MUTATIONS if one.check in ("size", "nesting", "doctype")),
    ],
)
def test_a_flood_ends_within_a_second_and_200_megabytes(files: Path, raw: object) -> None:
    assert callable(raw)
    found = verify("-", "--certificate", files / "entra.pem", "--at", AT, stdin=raw(), limits=True)
    assert found.returncode in (1, 2), found


def test_verification_takes_less_than_half_a_second(files: Path) -> None:
    """Of this process's own time, which others on the machine cannot take away."""
    arguments = (files / "response", "--metadata", files / "metadata.xml", "--at", AT)
    assert verify(*arguments, "--file", files / "Pulumi.test.yaml").returncode == 0
    taken = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        verify(*arguments, "--file", files / "Pulumi.test.yaml")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert statistics.median(taken) < 0.5


def test_neither_pays_for_the_other() -> None:
    """`verify` imports no pulumi, and what runs under `pulumi` imports no XML library."""
    for code in (
        "import flexsaml.cli.verify, flexsaml.verification.verdict, sys; assert 'pulumi' not in sys.modules",
        "import components, providers, flexsaml.prediction, flexsaml.flex, sys; assert not {'lxml', 'signxml'} & set(sys.modules)",
    ):
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


# -- the sandbox -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("emulator")) as emulator:
        nameid = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"
        sources = {nameid: "userprincipalname", "email": "mail", "full_name": "displayname"}
        entries = [{"Source": "user", "ID": one, "SamlClaimType": name} for name, one in sources.items()]
        roles = {"Source": "user", "ID": "assignedroles", "SamlClaimType": "roles"}
        languages = {"Value": "en,de", "SamlClaimType": "languages.stringarray"}
        signin.assign(Tenant(emulator), signin.claims(*entries, roles, languages))
        yield emulator


def test_the_sandbox_is_believed_by_its_metadata_and_a_liar_is_not(emulator: Emulator, files: Path) -> None:
    """Both sides were written apart: xmlsec signed, signxml verifies; one of two certificates is inactive."""
    answer = signin.ask(emulator, ADA).json
    encoded = answer["SAMLResponse"]
    address = f"{emulator.http}/{TENANT}/federationmetadata/2007-06/federationmetadata.xml?appid={FLEX['appId']}"
    arguments = (
        "-", "--metadata", address, "--audience", FLEX["servicePrincipalNames"][0], "--recipient", answer["acs"],
        "--file", files / "Pulumi.test.yaml", "--json",
    )  # fmt: skip
    good = verify(*arguments, stdin=encoded.encode())
    assert good.returncode == 0, good.stdout
    told = {one["check"]: one["status"] for one in json.loads(good.stdout)["checks"]}
    assert told["issuer"] == told["audience"] == told["recipient"] == told["destination"] == told["declared"] == "ok"
    lie = base64.b64encode(base64.b64decode(encoded).replace(b"Ada Lovelace", b"Eve Lovelace"))
    bad = verify(*arguments, stdin=lie)
    assert bad.returncode == 1
    assert [one["check"] for one in json.loads(bad.stdout)["checks"]] == ["digest"]


def test_metadata_of_nobody_is_said_so(emulator: Emulator, files: Path) -> None:
    address = f"{emulator.http}/{TENANT}/federationmetadata/2007-06/federationmetadata.xml?appid=nobody"
    found = verify(files / "response", "--metadata", address)
    assert found.returncode == 2
    assert len(found.stderr.splitlines()) == 1
