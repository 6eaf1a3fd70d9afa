"""`certificate`: the SAML signing certificates of the stack's service principal; creates one, and activates one. The
two are different runs, because Flex must have the new certificate before Entra signs with it. Exit status: 0 fine or
done, 1 the certificate is missing, ended or ends soon, or nobody confirmed, 2 wrong usage, refused, or the tenant could
not be asked."""

from __future__ import annotations

import argparse
import ssl
import sys
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from flexsaml.errors import UserError
from flexsaml.preflight import EXPIRES_SOON, judge_signing
from flexsaml.private_files import check_writable, write_private_file
from flexsaml.terminal_text import print_json, print_lines

from . import declared as stacks
from .confirm import NOT_CONFIRMED, check_unchanged, confirm_steps
from .terminal import align_columns

if TYPE_CHECKING:
    from flexsaml.graph import Directory, PrincipalSnapshot, SigningCertificate, SigningKey

NAME = "CN=Twilio Flex SAML"
_LONGEST_YEARS = 3
_IN_FLEX = "as X.509 certificate on the single sign-on page of Flex in Twilio Console"
_COMMAND = "python -m flexsaml certificate"


def arguments(parser: argparse.ArgumentParser) -> None:
    stacks.arguments(parser)
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--create", action="store_true", help="make a new certificate, without activating it")
    action.add_argument("--activate", default="", metavar="THUMBPRINT", help="let Entra sign with it from now on")
    action.add_argument("--export", default="", metavar="THUMBPRINT", help="write it to the file of --out")
    out = "where --create and --export write the certificate, in PEM, which is what Flex takes"
    parser.add_argument("--out", type=Path, metavar="FILE", help=out)
    parser.add_argument("--name", default=NAME, help=f"of the new certificate; begins with CN=; default: {NAME}")
    until = f"last day of the new certificate, as 2027-12-31; default: {_LONGEST_YEARS} years from now, the longest"
    parser.add_argument("--until", default="", metavar="DATE", help=until)
    parser.add_argument("--yes", action="store_true", help="do it without asking; for scripts")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")


def run(given: argparse.Namespace) -> int:
    now = datetime.now(timezone.utc)
    needs_file = given.create or bool(given.export)
    if needs_file is not bool(given.out):
        words = "--create and --export write the certificate to a file: give --out FILE"
        raise UserError(words if needs_file else "--out belongs to --create or --export")
    if not given.create and (given.until or given.name != NAME):
        raise UserError("--name and --until belong to --create")
    ends = _read_end(given.until, now)
    if not given.name.startswith("CN="):
        raise UserError(f"--name '{given.name}' does not begin with CN=, which Microsoft Graph requires")
    stack = stacks.declared(given)
    directory = stack.directory()

    def read() -> PrincipalSnapshot:
        return directory.read_principal_snapshot(stack.service_principal, roles=False)

    snapshot = read()
    check_answer = partial(check_unchanged, snapshot, read, f"'{snapshot.principal.display_name}'", yes=given.yes)
    if given.create:
        return _create(directory, snapshot, given, now, ends, stack.cloud.name, check_answer)
    if given.activate:
        return _activate(directory, snapshot, given, now, check_answer)
    if given.export:
        key = find_key(snapshot, given.export)
        _check_file(given.out)
        _write(_read_certificate(directory, snapshot, key), given.out)
        _report(
            given.json, {"thumbprint": key.thumbprint, "file": str(given.out)}, f"{key.thumbprint} is in {given.out}"
        )
        return 0
    return _show(snapshot, stack, given.json, now)


def _show(snapshot: PrincipalSnapshot, stack: stacks.Declared, as_json: bool, now: datetime) -> int:
    findings = judge_signing(stack.declaration, snapshot, now)  # whatever level the stack gives to them
    rows = [
        {
            "thumbprint": key.thumbprint,
            "active": key.thumbprint == snapshot.active_key,
            "from": _day(key.starts),
            "until": _day(key.ends),
            "verdict": judge_key(key, now),
        }
        for key in snapshot.keys
    ]
    if as_json:
        listed = [vars(finding) for finding in findings]
        print_json({"principal": snapshot.principal.id, "certificates": rows, "findings": listed})
    else:
        header = ("thumbprint", "active", "from", "until", "verdict")
        cells = [tuple("yes" if cell is True else cell or "-" for cell in row.values()) for row in rows]
        print_lines([f"SAML signing certificates of '{snapshot.principal.display_name}' ({snapshot.principal.id})"])
        print_lines(align_columns([header, *cells]) if cells else ["  none"])
        print_lines([str(finding) for finding in findings] or ["fine: Entra has a certificate to sign with"])
    return 1 if findings else 0


def _create(
    directory: Directory,
    snapshot: PrincipalSnapshot,
    given: argparse.Namespace,
    now: datetime,
    ends: datetime | None,
    cloud: str,
    check_answer: Callable[[], None],
) -> int:
    principal, name = snapshot.principal, given.name
    _check_file(given.out)
    command = _COMMAND + stacks.repeat_arguments(given)
    next_steps = f"give the file to Flex, {_IN_FLEX}; then run `{command} --activate {{}}`"
    if waiting := find_waiting(snapshot, now):
        if given.until or name != NAME:
            words = "--name and --until are for a new certificate: activate that one first, or leave them out"
            raise UserError(f"{waiting.thumbprint} waits for its activation, and {words}")
        _write(_read_certificate(directory, snapshot, waiting), given.out)
        words = f"nothing was created: {waiting.thumbprint}, valid until {_day(waiting.ends)}, waits for its activation"
        words = f"{words} and is in {given.out}; {next_steps.format(waiting.thumbprint)}"
        _report(given.json, _as_made(waiting, given.out, is_new=False), words)
        return 0
    until = f"valid until {_day(ends)}" if ends else f"valid for {_LONGEST_YEARS} years"
    step = f"make a self-signed certificate '{name}', {until}, for '{principal.display_name}' ({principal.id})"
    unlisted = "" if cloud in ("public", "loopback") else _describe_unlisted(cloud)
    steps = [f"{step}; Entra does not sign with it yet{unlisted}", f"write it in PEM to {given.out}"]
    if not confirm_steps(steps, yes=given.yes, output=_output_of_steps(given.json)):
        return NOT_CONFIRMED
    check_answer()
    known = {key.thumbprint for key in snapshot.keys}
    certificate = directory.create_signing_certificate(principal.id, name, ends, known)
    key = certificate.key
    try:
        _write(certificate, given.out)
    except UserError as problem:
        words = f"{key.thumbprint} was created, but {problem}; `{command} --export {key.thumbprint} --out FILE`"
        raise UserError(words) from None
    words = f"{key.thumbprint}, valid until {_day(key.ends)}, was created and is in {given.out}"
    _report(given.json, _as_made(key, given.out, is_new=True), f"{words}; {next_steps.format(key.thumbprint)}")
    return 0


def _activate(
    directory: Directory,
    snapshot: PrincipalSnapshot,
    given: argparse.Namespace,
    now: datetime,
    check_answer: Callable[[], None],
) -> int:
    principal, key, before = snapshot.principal, find_key(snapshot, given.activate), snapshot.active_key
    body = {"active": key.thumbprint, "before": before}
    command = _COMMAND + stacks.repeat_arguments(given)
    if key.thumbprint == before:
        _report(given.json, body, f"nothing to do: {key.thumbprint} is active")
        return 0
    if not (key.can_sign and key.is_valid(now)):
        words = f"{key.thumbprint} is not activated: it is {judge_key(key, now)}, and Entra does not sign with it"
        raise UserError(f"{words}; `{command}` lists the certificates, --create makes one")
    warning = f"Flex must have it before, {_IN_FLEX}, or every sign-in fails"
    step = f"let Entra sign for '{principal.display_name}' ({principal.id}) with {key.thumbprint}"
    instead = f" instead of {before}" if before else ""
    if not confirm_steps([f"{step}{instead}: {warning}"], yes=given.yes, output=_output_of_steps(given.json)):
        return NOT_CONFIRMED
    check_answer()
    directory.activate_signing_certificate(principal.id, key.thumbprint)
    undo = (
        f"; to go back, `{command} --activate {before}`" if before in {key.thumbprint for key in snapshot.keys} else ""
    )
    check = "sign in, and check the response with `python -m flexsaml verify`"
    _report(given.json, body, f"Entra signs with {key.thumbprint} now: {check}{undo}")
    return 0


def judge_key(key: SigningKey, now: datetime) -> str:
    """What one certificate is good for; it completes "it is …"."""
    if not key.can_sign:
        return "without its private key, so Entra probably cannot sign with it (D)"
    if key.starts and key.starts > now:
        return f"not valid before {_day(key.starts)}"
    if key.ends and key.ends <= now:
        return f"expired since {_day(key.ends)}"
    if key.ends and key.ends <= now + EXPIRES_SOON:
        return f"valid, and ends in {(key.ends - now).days} days"
    if not (key.starts and key.ends):
        return "without dates, and it is not documented whether Entra signs with it"
    return "valid"


def find_waiting(snapshot: PrincipalSnapshot, now: datetime) -> SigningKey | None:
    """The certificate that was made to follow the active one: valid, for more than a month, and for longer than the
    active one. The latest, if there are several."""
    active = snapshot.find_active_key()
    least = max((active and active.ends) or now, now + EXPIRES_SOON)
    others = [
        (key.ends, key)
        for key in snapshot.keys
        if key != active and key.can_sign and key.is_valid(now) and key.starts and key.ends
    ]
    _, latest = max(((ends, key) for ends, key in others if ends > least), key=itemgetter(0), default=(now, None))
    return latest


def find_key(snapshot: PrincipalSnapshot, text: str) -> SigningKey:
    """The certificate with that thumbprint, however it is grouped. Raises `UserError` if the principal has none."""
    thumbprint = "".join(letter for letter in text if letter.isalnum()).upper()
    for key in snapshot.keys:
        if key.thumbprint == thumbprint:
            return key
    there = ", ".join(key.thumbprint for key in snapshot.keys) or "none"
    raise UserError(f"'{snapshot.principal.display_name}' has no certificate '{text}'; it has: {there}")


def _read_certificate(directory: Directory, snapshot: PrincipalSnapshot, key: SigningKey) -> SigningCertificate:
    certificate = directory.signing_certificate(snapshot.principal.id, key.thumbprint)
    if certificate is None:
        raise UserError(f"certificate {key.thumbprint} was taken away a moment ago; run the same command again")
    return certificate


def _read_end(text: str, now: datetime) -> datetime | None:
    """The end of that day in UTC; None for "". Raises `UserError`."""
    if not text:
        return None
    try:
        ends = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=timezone.utc) + timedelta(days=1, seconds=-1)
    except (ValueError, OverflowError):
        raise UserError(f"--until '{text}' is not a day such as {now + timedelta(365):%Y-%m-%d}") from None
    if not now < ends <= now + timedelta(days=365 * _LONGEST_YEARS):
        raise UserError(f"--until {text}: a certificate ends after today, and at most {_LONGEST_YEARS} years from now")
    return ends


def _describe_unlisted(cloud: str) -> str:
    return f" (Microsoft documents this call for the public cloud only; where {cloud} refuses it, use the portal)"


def _check_file(file: Path) -> None:
    """Raises `UserError` where the certificate cannot be written, or would take the place of something else."""
    check_writable(file)
    if file.exists() and not file.read_bytes().startswith(b"-----BEGIN CERTIFICATE-----"):
        raise UserError(f"{file} exists, is no certificate, and is not overwritten; name a new file with --out")


def _write(certificate: SigningCertificate, file: Path) -> None:
    write_private_file(file, ssl.DER_cert_to_PEM_cert(certificate.der))


def _as_made(key: SigningKey, file: Path, *, is_new: bool) -> dict[str, object]:
    return {"thumbprint": key.thumbprint, "until": _day(key.ends), "file": str(file), "created": is_new}


def _report(as_json: bool, body: Mapping[str, object], words: str) -> None:
    if as_json:
        print_json(dict(body))
    else:
        print_lines([words])


def _output_of_steps(as_json: bool) -> TextIO | None:
    return sys.stderr if as_json else None


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d}" if moment else ""
