"""`verify`: what one SAML response proves, and whether its attributes are those this stack declares.

Reads a file or stdin, certificates from a file or one GET to the metadata, and the stack file; the tenant is asked
only where the stack file does not tell whose metadata that is. Changes nothing. Values of people are masked unless
they are asked for. Exit status: 0 fine, 1 looked and found faults, 2 could not look.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flexsaml.graph import GraphError, SystemClock, is_guid

from . import declared as stacks
from . import terminal

if TYPE_CHECKING:
    from flexsaml.graph import Directory
    from flexsaml.verification.metadata import Trust
    from flexsaml.verification.verdict import Declared, Verdict


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("response", metavar="FILE", help="SAMLResponse, in base64 as posted or as XML; - is stdin")
    keys = parser.add_mutually_exclusive_group()
    keys.add_argument("--certificate", action="append", default=[], metavar="PEM", help="may be given several times")
    keys.add_argument("--metadata", default="", metavar="FILE|URL", help="federation metadata of the application")
    parser.add_argument("--issuer", default="", metavar="ID", help="default: the one of the metadata")
    parser.add_argument("--audience", default="", metavar="ID", help="entity ID that Twilio's SSO page shows")
    parser.add_argument("--recipient", default="", metavar="URL", help="ACS address that Twilio's SSO page shows")
    parser.add_argument("--in-response-to", default="", metavar="ID", help="ID of the request that was answered")
    parser.add_argument("--at", default="", metavar="TIME", help="as of when, like 2026-05-04T09:30:00Z; default: now")
    stacks.arguments(parser)
    parser.add_argument("--show-values", action="store_true", help="show NameID and values of attributes")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")


def run(given: argparse.Namespace) -> int:
    terminal.lenient()
    try:
        from flexsaml.verification.checks import CannotLook, Refused
        from flexsaml.verification.verdict import Verdict
    except ImportError as problem:
        return terminal.end("verify", f"needs {problem.name}; run `pip install -r requirements.txt`")
    try:
        at = _time(given.at)
        verdict = _verdict(given, at)
    except Refused as refused:
        verdict = Verdict(refused.faults)
    except (CannotLook, terminal.CannotLook) as problem:
        if given.json:
            check = (
                problem.check.to_json()
                if isinstance(problem, CannotLook)
                else {"check": "usage", "message": str(problem)}
            )
            print(json.dumps({"verdict": "not looked at", "checks": [check]}, indent=2))
        return terminal.end("verify", f"{given.response}: {problem}" if isinstance(problem, CannotLook) else problem)
    if given.json:
        print(json.dumps(_json(verdict, at, given.show_values), indent=2))
    else:
        print("\n".join(map(terminal.one_line, _lines(verdict, at, given))))
    return 1 if verdict.refused else 0


def _verdict(given: argparse.Namespace, at: datetime) -> Verdict:
    """In the order in which things cost: what is no response at all needs neither a network nor a stack."""
    from flexsaml.verification.expected import Expected
    from flexsaml.verification.response import document, is_response
    from flexsaml.verification.verdict import judge

    root = document(_read(given.response))
    posted = is_response(root)
    stack, why = _stack(given, posted)
    trust = _trust(given, stack)
    expected = Expected(at, given.issuer or trust.issuer, given.audience, given.recipient, given.in_response_to)
    return judge(root, trust, expected, flex=posted or stack is not None, declared=_claims(stack) or why)


def _stack(given: argparse.Namespace, posted: bool) -> tuple[stacks.Declared | None, str]:
    """The stack that is meant, or why there is none. One that was named must be there."""
    if given.stack or given.file:
        return stacks.declared(given), ""
    if not posted:
        return None, "Flex receives no bare assertion; name a stack with --stack to hold its attributes against it"
    try:
        return stacks.declared(given), ""
    except terminal.CannotLook as problem:
        return None, str(problem)


def _claims(stack: stacks.Declared | None) -> Declared | None:
    from flexsaml.verification.verdict import Declared

    return None if stack is None else Declared(stack.claims, f"stack {stack.stack or stack.file}")


def _trust(given: argparse.Namespace, stack: stacks.Declared | None) -> Trust:
    from flexsaml.verification import metadata

    if given.certificate:
        found = [metadata.from_certificates(_read(name), name) for name in given.certificate]
        source = found[0].source if len(found) == 1 else "--certificate"
        return metadata.Trust(tuple(dict.fromkeys(one for trust in found for one in trust.certificates)), source)
    where = given.metadata or _address(stack)
    raw = metadata.fetched(where) if "://" in where else _read(where)
    return metadata.from_metadata(raw, where)


def _address(stack: stacks.Declared | None) -> str:
    """Where the stack's own metadata is: by its file alone where that tells, else by asking the tenant who is meant."""
    from flexsaml.verification.metadata import address

    ask = "give --metadata FILE|URL (Entra: Single sign-on, App Federation Metadata Url) or --certificate PEM"
    if stack is None:
        raise terminal.CannotLook(f"no certificate to check the signature with; {ask}")
    tenant, principal = stack.connection["tenantId"], stack.service_principal
    if not tenant or not is_guid(principal):
        try:
            tenant, principal = _asked(stack.directory(), tenant, principal)
        except (GraphError, LookupError) as problem:
            raise terminal.CannotLook(
                f"no certificate to check the signature with: {stack.file} has no tenantId and appId (as "
                f"servicePrincipal) to find the metadata by, and the tenant does not tell ({problem}); {ask}"
            ) from None
    return address(stack.cloud.login, tenant, principal)


def _asked(directory: Directory, tenant: str, reference: str) -> tuple[str, str]:
    """Tenant (its id, or a verified domain) and appId. Raises GraphError, and LookupError when nobody is meant."""
    from flexsaml.prediction.inspect import PrincipalNotFound, survey

    try:
        seen = survey(directory, reference)
    except PrincipalNotFound as problem:
        raise LookupError(str(problem)) from None
    if not tenant and not seen.domains:
        raise LookupError("verified domains may not be read; set flexsaml:tenantId")
    return tenant or (seen.domains or ())[0], seen.principal.app_id


def _read(name: str) -> bytes:
    """The file, or as much of it as tells that it is too large."""
    from flexsaml.verification.response import LARGEST

    try:
        if name == "-":
            return sys.stdin.buffer.read(LARGEST + 1)
        with open(name, "rb") as file:
            return file.read(LARGEST + 1)
    except (OSError, ValueError) as problem:
        why = getattr(problem, "strerror", None) or str(problem)
        raise terminal.CannotLook(f"cannot read {name}: {why}") from None


def _time(text: str) -> datetime:
    from flexsaml.verification.expected import moment

    if not text:
        return SystemClock().utc()
    found = moment(text)
    if found is None:
        raise terminal.CannotLook(f"--at: '{text}' is no time; write it in UTC, like 2026-05-04T09:30:00Z")
    return found


# -- telling -----------------------------------------------------------------------------------------------------------


def _lines(verdict: Verdict, at: datetime, given: argparse.Namespace) -> Iterator[str]:
    from flexsaml.verification.checks import FAULT, NOTE, WARNING
    from flexsaml.verification.expected import SKEW, stamp

    for one in verdict.checks:
        yield f"{one.status:<12}{one.name:<22}{one}"
    statement = verdict.statement
    if statement:
        show = (lambda value: value) if given.show_values else masked
        yield ""
        yield f"NameID      {show(statement.name_id.value)}  {statement.name_id.format}"
        for attribute in statement.attributes:
            yield f"attribute   {attribute.name} = {' | '.join(map(show, attribute.values))}"
        if not given.show_values:
            yield "            (values are masked; --show-values shows them)"
        yield ""
    faults, warnings, open_ = (sum(one.status == status for one in verdict.checks) for status in (FAULT, WARNING, NOTE))
    told = f"{faults} fault{'s' * (faults != 1)}, {warnings} warning{'s' * (warnings != 1)}, {open_} not judged"
    word = "refused" if verdict.refused else "fine"
    yield f"{word}: {told}, as of {stamp(at)}; clocks may differ by {SKEW.seconds} s"


def _json(verdict: Verdict, at: datetime, show: bool) -> dict[str, Any]:
    from flexsaml.verification.expected import SKEW, stamp

    told: dict[str, Any] = {
        "verdict": "refused" if verdict.refused else "fine",
        "at": stamp(at),
        "skew_seconds": SKEW.seconds,
        "checks": [one.to_json() for one in verdict.checks],
    }
    if verdict.statement:
        name_id = verdict.statement.name_id
        told["masked"] = not show
        told["name_id"] = {"value": name_id.value if show else masked(name_id.value), "format": name_id.format}
        told["attributes"] = [
            {"name": one.name, "values": [value if show else masked(value) for value in one.values]}
            for one in verdict.statement.attributes
        ]
    return told


def masked(value: str) -> str:
    """Enough to tell one value from another, too little to know a person by."""
    if not value:
        return "(empty)"
    return f"{value[0] if len(value) > 3 else ''}… ({len(value)})"
