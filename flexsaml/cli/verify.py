"""`verify`: what one SAML response proves, and whether its attributes are those this stack declares.

Reads a file or stdin, certificates from a file or one GET to the metadata, and the stack file; the tenant is asked
only if the stack file does not say whose metadata that is. Changes nothing. Personal values are masked unless
--show-values is given. Exit status: 0 fine, 1 faults, 2 could not judge.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from flexsaml.errors import UserError

from . import declared as stacks
from .terminal import one_line, read_file

if TYPE_CHECKING:
    from flexsaml.verification import TrustedCertificates, Verdict


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("response", metavar="FILE", help="SAMLResponse, in base64 as posted or as XML; - is stdin")
    keys = parser.add_mutually_exclusive_group()
    keys.add_argument("--certificate", action="append", default=[], metavar="PEM", help="may be given several times")
    keys.add_argument("--metadata", default="", metavar="FILE|URL", help="federation metadata of the application")
    parser.add_argument("--issuer", default="", metavar="ID", help="default: that of the metadata")
    parser.add_argument("--audience", default="", metavar="ID", help="entity ID on Twilio's SSO page")
    parser.add_argument("--recipient", default="", metavar="URL", help="ACS address on Twilio's SSO page")
    parser.add_argument("--in-response-to", default="", metavar="ID", help="ID of the request that was answered")
    parser.add_argument(
        "--at", default="", metavar="TIME", help="time of judgement, like 2026-05-04T09:30:00Z; default: now"
    )
    stacks.arguments(parser)
    parser.add_argument("--show-values", action="store_true", help="show NameID and values of attributes")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")


def run(given: argparse.Namespace) -> int:
    from flexsaml.verification import CannotVerify, ResponseRefused, Verdict

    try:
        at = _parse_time(given.at)
        verdict = _judge(given, at)
    except ResponseRefused as refused:
        verdict = Verdict(refused.faults)
    except UserError as error:
        if given.json:
            usage = {"check": "usage", "message": str(error)}
            check = error.check.to_json() if isinstance(error, CannotVerify) else usage
            print(json.dumps({"verdict": "not judged", "checks": [check]}, indent=2))
        raise
    show = str if given.show_values else mask
    if given.json:
        print(json.dumps(_to_json(verdict, at, show), indent=2))
    else:
        print("\n".join(map(one_line, _lines(verdict, at, show))))
    return 1 if verdict.is_refused else 0


def _judge(given: argparse.Namespace, at: datetime) -> Verdict:
    """Cheap steps first: what is no response needs neither a network nor a stack."""
    from flexsaml import verification

    source = "the standard input" if given.response == "-" else given.response
    root = verification.parse_response(read_file(given.response, verification.MAX_BYTES), source)
    posted = verification.is_response(root)
    stack, reason = _find_stack(given, posted)
    trusted = _read_certificates(given, stack)
    expected = verification.Expected(
        at, given.issuer or trusted.issuer, given.audience, given.recipient, given.in_response_to
    )
    declared = verification.DeclaredClaims(stack.claims, f"stack {stack.stack or stack.file}") if stack else reason
    return verification.judge_response(root, trusted, expected, flex=posted or stack is not None, declared=declared)


def _find_stack(given: argparse.Namespace, posted: bool) -> tuple[stacks.Declared | None, str]:
    """The stack whose claims are expected, or why there is none. A stack that was named must exist."""
    if given.stack or given.file:
        return stacks.declared(given), ""
    if not posted:
        return None, "Flex receives no bare assertion; give --stack to compare its attributes with a stack"
    try:
        return stacks.declared(given), ""
    except UserError as error:
        return None, str(error)


def _read_certificates(given: argparse.Namespace, stack: stacks.Declared | None) -> TrustedCertificates:
    from flexsaml import verification

    if given.certificate:
        files = [(read_file(name, verification.MAX_BYTES), name) for name in given.certificate]
        parsed = [verification.parse_certificates(raw, name) for raw, name in files]
        source = parsed[0].source if len(parsed) == 1 else "--certificate"
        certificates = dict.fromkeys(certificate for trusted in parsed for certificate in trusted.certificates)
        return verification.TrustedCertificates(tuple(certificates), source)
    source = given.metadata or _find_metadata_url(stack)
    is_url = "://" in source
    raw = verification.fetch_metadata(source) if is_url else read_file(source, verification.MAX_BYTES)
    return verification.parse_metadata(raw, source)


def _find_metadata_url(stack: stacks.Declared | None) -> str:
    """The address of the stack's own metadata, from its file if that has tenant and appId, else from the tenant."""
    from flexsaml.graph import is_guid
    from flexsaml.verification import GIVE_METADATA, build_metadata_url

    if stack is None:
        raise UserError(f"there is no certificate to check the signature with; {GIVE_METADATA}")
    tenant, app_id = stack.connection["tenantId"], stack.service_principal
    if not tenant or not is_guid(app_id):
        try:
            snapshot = stack.directory().read_principal_snapshot(app_id)
            tenant, app_id = tenant or (snapshot.domains or [""])[0], snapshot.principal.app_id
            problem = "" if tenant else "its verified domains may not be read; set flexsaml:tenantId"
        except UserError as error:
            problem = str(error)
        if problem:
            raise UserError(
                f"there is no certificate to check the signature with: {stack.file} has no tenantId or no appId as "
                f"servicePrincipal, and the tenant could not be asked ({problem}); {GIVE_METADATA}"
            )
    return build_metadata_url(stack.cloud.login, tenant, app_id)


def _parse_time(text: str) -> datetime:
    from flexsaml.verification import parse_time

    time = parse_time(text) if text else datetime.now(timezone.utc)
    if time is None:
        raise UserError(f"--at: '{text}' is not a time; write it in UTC, like 2026-05-04T09:30:00Z")
    return time


def _lines(verdict: Verdict, at: datetime, show: Callable[[str], str]) -> Iterator[str]:
    from flexsaml.verification import FAULT, MAX_CLOCK_SKEW, NOT_JUDGED, WARNING, format_time

    for check in verdict.checks:
        yield f"{check.status:<12}{check.name:<22}{check}"
    statement = verdict.statement
    if statement:
        yield ""
        yield f"NameID      {show(statement.name_id.value)}  {statement.name_id.format}"
        for attribute in statement.attributes:
            yield f"attribute   {attribute.name} = {' | '.join(map(show, attribute.values))}"
        if show is mask:
            yield "            (values are masked; --show-values shows them)"
        yield ""
    counts = [sum(check.status == status for check in verdict.checks) for status in (FAULT, WARNING, NOT_JUDGED)]
    faults, warnings = (
        f"{count} {word}{'s' * (count != 1)}" for count, word in zip(counts, ("fault", "warning"), strict=False)
    )
    word = "refused" if verdict.is_refused else "fine"
    skew = f"clocks may differ by {MAX_CLOCK_SKEW.seconds} s"
    yield f"{word}: {faults}, {warnings}, {counts[2]} not judged, at {format_time(at)} ({skew})"


def _to_json(verdict: Verdict, at: datetime, show: Callable[[str], str]) -> dict[str, Any]:
    from flexsaml.verification import MAX_CLOCK_SKEW, format_time

    body: dict[str, Any] = {
        "verdict": "refused" if verdict.is_refused else "fine",
        "at": format_time(at),
        "skew_seconds": MAX_CLOCK_SKEW.seconds,
        "checks": [check.to_json() for check in verdict.checks],
    }
    if verdict.statement:
        name_id = verdict.statement.name_id
        body["masked"] = show is mask
        body["name_id"] = {"value": show(name_id.value), "format": name_id.format}
        body["attributes"] = [
            {"name": attribute.name, "values": list(map(show, attribute.values))}
            for attribute in verdict.statement.attributes
        ]
    return body


def mask(value: str) -> str:
    """First letter and length: enough to tell values apart, too little to identify a person."""
    if not value:
        return "(empty)"
    return f"{value[0] if len(value) > 3 else ''}… ({len(value)})"
