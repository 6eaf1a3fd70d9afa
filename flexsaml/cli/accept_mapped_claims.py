"""`accept-mapped-claims`: sets `api.acceptMappedClaims` of the application whose service principal the stack
configures, or takes it back. Without a signing certificate and without it, a sign-in with a claims mapping policy fails
with AADSTS50146; with it, an audience that it does not cover fails with AADSTS501461 (both A for OpenID Connect, D for
SAML). Whether it takes the certificate's place for SAML is written nowhere, so a certificate is the better remedy. Exit
status: 0 done, or nothing to do, 1 nobody confirmed, 2 wrong usage, refused, or the tenant could not be asked."""

from __future__ import annotations

import argparse
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from flexsaml.errors import UserError
from flexsaml.signing_keys import keep_usable_keys
from flexsaml.terminal_text import print_lines

from . import declared as stacks
from .confirm import NOT_CONFIRMED, check_unchanged, confirm_steps

if TYPE_CHECKING:
    from flexsaml.graph import PrincipalSnapshot

_CERTIFICATE = "use a signing certificate instead: `python -m flexsaml certificate --stack STACK --create --out FILE`"


def arguments(parser: argparse.ArgumentParser) -> None:
    stacks.arguments(parser)
    parser.add_argument("--undo", action="store_true", help="set it to false")
    parser.add_argument("--yes", action="store_true", help="do it without asking; for scripts")


def run(given: argparse.Namespace) -> int:
    now = datetime.now(timezone.utc)
    stack = stacks.declared(given)
    directory = stack.directory()

    # Without `owner`: it belongs to the application that is signed in to, wherever the extensions are.
    def read() -> PrincipalSnapshot:
        return keep_usable_keys(directory.read_principal_snapshot(stack.service_principal, roles=False))

    snapshot = read()
    application, wanted = snapshot.application, not given.undo
    if application is None:
        name = snapshot.principal.display_name
        raise UserError(f"the application of '{name}' is not in this tenant, and only its owner can change it")
    value = str(wanted).lower()
    target = f"acceptMappedClaims of application '{application.display_name}' ({application.id})"
    if snapshot.accept_mapped_claims is wanted:
        print_lines([f"nothing to do: {target} is {value}"])
        return 0
    if wanted and (problem := find_obstacle(snapshot, now)):
        raise UserError(f"{target} is not set: {problem}")
    if not confirm_steps([f"set {target} to {value}; {describe_effect(snapshot, wanted, now)}"], yes=given.yes):
        return NOT_CONFIRMED
    check_unchanged(snapshot, read, f"application '{application.display_name}'", yes=given.yes)
    directory.set_accept_mapped_claims(application.id, wanted)
    undo = "; `--undo` takes it back" if wanted else ""
    print_lines([f"{target} is {value} now{undo}"])
    return 0


def find_obstacle(snapshot: PrincipalSnapshot, now: datetime) -> str:
    """Why it must not be set, or need not; "" if it may."""
    if snapshot.has_signing_key(now):
        return "it is not needed, because the service principal has a certificate to sign with"
    if snapshot.multi_tenant:
        return f"it must not be used on a multi-tenant application; {_CERTIFICATE}"
    if snapshot.domains is None:
        words = "whether it covers the audience cannot be known without reading the tenant's verified domains"
        return f"{words}; grant Organization.Read.All to this identity, or {_CERTIFICATE}"
    if uncovered := snapshot.find_uncovered_audience():
        words = f"Entra probably refuses sign-ins with AADSTS501461 for the audience {uncovered}"
        neither = "neither the application's id nor within a verified domain of the tenant"
        return f"{words}, which is {neither}; {_CERTIFICATE}"
    return ""


def describe_effect(snapshot: PrincipalSnapshot, wanted: bool, now: datetime) -> str:
    """What the change does to sign-ins."""
    if wanted:
        return (
            "it is not documented whether this takes the place of a signing certificate for SAML, "
            "so try a sign-in afterwards"
        )
    if snapshot.has_signing_key(now):
        return "sign-ins do not need it, because there is a certificate to sign with"
    return "sign-ins with a claims mapping policy then probably fail with AADSTS50146 (D for SAML)"
