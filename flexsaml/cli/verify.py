"""`verify`: what one SAML response proves, and whether its attributes are those this stack declares. The tenant is
asked only if the stack file does not say whose metadata is needed. Changes nothing. Personal values are masked unless
--show-values is given. Exit status: 0 fine, 1 faults, 2 could not judge."""

import argparse
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from typing import Any

from flexsaml import verification
from flexsaml.errors import UserError
from flexsaml.graph import is_guid
from flexsaml.terminal_text import print_json, print_lines
from flexsaml.verification import CannotVerify, Expected, ResponseRefused, TrustedCertificates, Verdict, format_time

from . import declared as stacks
from .terminal import read_file

_GIVE_RESPONSE = "save the value of the form field SAMLResponse to a file, or give - for stdin"


def arguments(parser: argparse.ArgumentParser) -> None:
    def add_text(option: str, metavar: str, help_: str) -> None:
        parser.add_argument(option, default="", metavar=metavar, help=help_)

    parser.add_argument("response", metavar="FILE", help="SAMLResponse as posted, as XML, or in a HAR file; - is stdin")
    keys = parser.add_mutually_exclusive_group()
    keys.add_argument("--certificate", action="append", default=[], metavar="PEM", help="may be given several times")
    keys.add_argument("--metadata", default="", metavar="FILE|URL", help="federation metadata of the application")
    add_text("--issuer", "ID", "default: that of the metadata")
    add_text("--audience", "ID", "entity ID on Twilio's SSO page")
    add_text("--recipient", "URL", "ACS address on Twilio's SSO page")
    add_text("--in-response-to", "ID", "ID of the request that was answered")
    add_text("--at", "TIME", "time of judgement, like 2026-05-04T09:30:00Z; default: now")
    stacks.arguments(parser)
    parser.add_argument("--show-values", action="store_true", help="show NameID and values of attributes")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")


def run(given: argparse.Namespace) -> int:
    try:
        at = _read_time(given.at)
        verdict = _judge(given, at)
    except ResponseRefused as refused:
        verdict = Verdict(refused.faults)
    except UserError as error:
        if given.json:
            usage = {"check": "usage", "message": str(error)}
            check = error.check.to_json() if isinstance(error, CannotVerify) else usage
            print_json({"verdict": "not judged", "checks": [check]})
        raise
    show = str if given.show_values else mask
    if given.json:
        print_json(_to_json(verdict, at, show))
    else:
        print_lines(_lines(verdict, at, show))
    return 1 if verdict.is_refused else 0


def _read_time(text: str) -> datetime:
    time = verification.parse_time(text) if text else datetime.now(timezone.utc)
    if time is None:
        raise UserError(f"--at: '{text}' is not a time; write it in UTC, like 2026-05-04T09:30:00Z")
    return time


def _judge(given: argparse.Namespace, at: datetime) -> Verdict:
    """Cheap steps first: what is no response needs neither a network nor a stack."""
    source = "the standard input" if given.response == "-" else given.response
    root = verification.parse_response(read_file(given.response, verification.MAX_BYTES, _GIVE_RESPONSE), source)
    posted = verification.is_response(root)
    stack, reason = _find_stack(given, posted)
    trusted = _read_certificates(given, stack)
    expected = Expected(at, given.issuer or trusted.issuer, given.audience, given.recipient, given.in_response_to)
    declared = verification.DeclaredClaims(stack.claims, f"stack {stack.stack or stack.file}") if stack else reason
    return verification.judge_response(root, trusted, expected, flex=posted or stack is not None, declared=declared)


def _find_stack(given: argparse.Namespace, posted: bool) -> tuple[stacks.Declared | None, str]:
    """The stack whose claims are expected, or why there is none. A stack that was named must exist."""
    is_named = bool(given.stack or given.file)
    if not posted and not is_named:
        return None, "Flex receives no bare assertion; give --stack to compare its attributes with a stack"
    try:
        return stacks.declared(given), ""
    except UserError as error:
        if is_named:
            raise
        return None, str(error)


def _read_certificates(given: argparse.Namespace, stack: stacks.Declared | None) -> TrustedCertificates:
    if given.certificate:
        files = [
            (read_file(name, verification.MAX_BYTES, verification.GIVE_METADATA), name) for name in given.certificate
        ]
        parsed = [verification.parse_certificates(raw, name) for raw, name in files]
        source = parsed[0].source if len(parsed) == 1 else "--certificate"
        certificates = dict.fromkeys(certificate for trusted in parsed for certificate in trusted.certificates)
        return TrustedCertificates(tuple(certificates), source)
    source = given.metadata or _find_metadata_url(stack)
    is_url = "://" in source
    raw = (
        verification.fetch_metadata(source)
        if is_url
        else read_file(source, verification.MAX_BYTES, verification.GIVE_METADATA)
    )
    return verification.parse_metadata(raw, source)


def _find_metadata_url(stack: stacks.Declared | None) -> str:
    """The address of the stack's own metadata; a tenant or appId that its file lacks comes from token and tenant."""
    problem, fix = "there is no certificate to check the signature with", verification.GIVE_METADATA
    if stack is None:
        raise UserError(f"{problem}; {fix}")
    tenant, app_id, reason = stack.tenant_id, stack.service_principal, ""
    if not tenant or not is_guid(app_id):
        try:
            directory = stack.directory()
            identity, snapshot = directory.identity(), directory.read_principal_snapshot(app_id)
            tenant = tenant or (identity.tenant_id if identity else "") or (snapshot.domains or [""])[0]
            app_id = snapshot.principal.app_id
            reason = "" if tenant else "neither the token nor the tenant says which one it is; set flexsaml:tenantId"
        except UserError as error:
            reason = str(error)
    if reason:
        raise UserError(
            f"{problem}: {stack.file} has no tenantId or no appId as servicePrincipal, and the tenant could not be "
            f"asked ({reason}); {fix}"
        )
    return verification.build_metadata_url(stack.cloud.login, tenant, app_id)


def _lines(verdict: Verdict, at: datetime, show: Callable[[str], str]) -> Iterator[str]:
    for check in verdict.checks:
        yield f"{check.status:<12}{check.name:<24}{check}"
    statement = verdict.statement
    if statement:
        yield ""
        yield f"NameID      {show(statement.name_id)}  {statement.name_id_format}"
        for attribute in statement.attributes:
            yield f"attribute   {attribute.name} = {' | '.join(map(show, attribute.values))}"
        if show is mask:
            yield "            (values are masked; --show-values shows them)"
        yield ""
    statuses = [check.status for check in verdict.checks]
    counts = {status: statuses.count(status) for status in ("fault", "warning")}
    totals = [f"{count} {status}{'s' * (count != 1)}" for status, count in counts.items()]
    unjudged = statuses.count("not judged")
    skew = f"clocks may differ by {verification.MAX_CLOCK_SKEW.seconds} s"
    yield f"{verdict.name}: {', '.join(totals)}, {unjudged} not judged, at {format_time(at)} ({skew})"


def _to_json(verdict: Verdict, at: datetime, show: Callable[[str], str]) -> dict[str, Any]:
    body: dict[str, Any] = {
        "verdict": verdict.name,
        "at": format_time(at),
        "skew_seconds": verification.MAX_CLOCK_SKEW.seconds,
        "checks": [check.to_json() for check in verdict.checks],
    }
    statement = verdict.statement
    if statement:
        body["masked"] = show is mask
        body["name_id"] = {"value": show(statement.name_id), "format": statement.name_id_format}
        body["attributes"] = [
            {"name": item.name, "values": list(map(show, item.values))} for item in statement.attributes
        ]
    return body


def mask(value: str) -> str:
    """First letter and length: enough to tell values apart, too little to identify a person."""
    return f"{value[0] if len(value) > 3 else ''}… ({len(value)})" if value else "(empty)"
