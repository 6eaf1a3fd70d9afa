"""`setup`: makes the app registration that runs a stack, with the least privileges it takes, or prints the steps for
somebody who may. Shows first what it will do, and asks. A second run does nothing; a half-made registration is
completed; `--remove` deletes it. Exit status: 0 done or nothing to do, 1 only shown, 2 could not do all of it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

from flexsaml import setup
from flexsaml.errors import UserError
from flexsaml.graph import OWNED, Forbidden
from flexsaml.terminal_text import print_lines

from . import declared as stacks
from .confirm import NOT_CONFIRMED, confirm_steps
from .new_secret import EXISTS_ALREADY, assign_variables, choose_secret_file, hand_over_secret
from .terminal import read_file

if TYPE_CHECKING:
    from flexsaml.graph import Directory

_DAYS = 180
_MOST_DAYS = 730  # what the portal offers


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", default="", help="display name of the registration; default: flexsaml PROJECT STACK")
    modes = {"up": "all that `pulumi up` does", "preview": "reading only"}
    help_ = "; ".join(f"{mode}: {words}" for mode, words in modes.items())
    parser.add_argument("--for", dest="mode", choices=setup.MODES, default="up", help=help_)
    github = "workflows of OWNER/REPO (pull requests), OWNER/REPO:environment:NAME or :branch:NAME; may be repeated"
    parser.add_argument("--github", action="append", default=[], metavar="REPO", help=github)
    pipelines = "as the service connection shows them; may be repeated"
    parser.add_argument(
        "--azure-pipelines", action="append", default=[], nargs=2, metavar=("ISSUER", "SUBJECT"), help=pipelines
    )
    parser.add_argument("--certificate", default="", metavar="FILE", help="PEM with the public part of a certificate")
    parser.add_argument("--person", action="store_true", help="a person signs in, by device code")
    parser.add_argument("--secret", action="store_true", help="a client secret, shown once")
    parser.add_argument("--secret-file", default="", metavar="FILE", help="where the secret is written instead")
    days = f"how long the secret is valid, at most {_MOST_DAYS}; default: {_DAYS}"
    parser.add_argument("--valid-days", type=int, default=_DAYS, metavar="DAYS", help=days)
    parser.add_argument("--renew", action="store_true", help="a new secret although there is one, which stays valid")
    accept = "keep the credentials and owners of a registration that exists, which get the same rights"
    parser.add_argument("--accept-existing", action="store_true", help=accept)
    doing = parser.add_mutually_exclusive_group()
    doing.add_argument("--yes", action="store_true", help="do it without asking")
    doing.add_argument("--print", action="store_true", help="only print the steps, as `az` commands")
    parser.add_argument("--remove", action="store_true", help="delete the registration that setup made")
    stacks.arguments(parser)


def run(given: argparse.Namespace) -> int:
    stack = stacks.declared(given)
    directory = stack.directory()
    name = given.name or _name_registration(given, stack)
    identity = directory.identity()
    tenant_id = identity.tenant_id if identity else ""
    if given.remove:
        return _remove(directory, name, identity.app_id if identity else "", given)
    graph_url, now = stack.cloud.graph, datetime.now(timezone.utc)
    wanted = _read_wanted(given, stack, directory, name, now)

    def read(application_id: str = "") -> _Plan:
        existing = setup.read_existing(directory, wanted, application_id)
        steps = setup.plan_steps(wanted, existing, graph_url=graph_url, now=now)
        own_id = identity.object_id if identity else ""
        unexpected = setup.list_unexpected(wanted, existing.registration, own_id)
        return _Plan(existing, steps, setup.references_of(existing.registration), unexpected)

    def replan(application_id: str) -> tuple[list[setup.Step], Mapping[str, str]]:
        plan = read(application_id)
        if not application_id:  # found by its name, after an answer that was lost: somebody else's may have the name
            plan.check_adoption(accepts=False)
        return plan.steps, plan.references

    if given.print:
        plan = read()
        plan.check_adoption(accepts=given.accept_existing)
        kept = [f"# it holds, and keeps: {words}" for words in plan.unexpected]
        print_lines([*kept, *setup.render_steps(plan.steps, plan.references, graph_url)])
        return 0
    heading = f"registration '{name}' for `pulumi {given.mode}` in tenant {tenant_id or '(not named by the token)'}"

    ask = partial(_show_and_ask, wanted=wanted, heading=heading, given=given)
    confirmed = _confirm_plan(read, ask, yes=given.yes)
    if confirmed is None:
        return NOT_CONFIRMED
    known = dict(confirmed.references)
    if not confirmed.waiting:
        print_lines(["nothing to do", _describe_use(known, tenant_id, given, stack.cloud.name)])
        return 0
    secret_file = choose_secret_file(given.secret_file, confirmed.waiting, yes=given.yes)

    def on_step(step: setup.Step, answer: Mapping[str, Any]) -> None:
        if step.is_secret:  # first: printing fails where nobody reads any more, and the secret is answered only once
            hand_over_secret(answer, known[setup.CLIENT], tenant_id, stack.cloud.name, secret_file)
        print_lines([f"made: {step.title}"])

    try:
        setup.carry_out(directory, confirmed.steps, known, replan, on_step=on_step, name=name)
    except setup.StepRefused as refusal:
        print_lines(setup.render_steps(refusal.remaining, known, graph_url))
        raise
    print_lines([_describe_use(known, tenant_id, given, stack.cloud.name)])
    return 0


@dataclass(frozen=True)
class _Plan:
    """What exists, what is to be made beside it, and what it holds that these options would not make."""

    existing: setup.Existing
    steps: list[setup.Step]
    references: Mapping[str, str]
    unexpected: list[str]

    @property
    def waiting(self) -> list[setup.Step]:
        return [step for step in self.steps if not step.is_there]

    def check_adoption(self, *, accepts: bool) -> None:
        setup.check_adoption(self.existing.registration, self.steps, self.unexpected, accepts)


def _confirm_plan(read: Callable[[], _Plan], ask: Callable[[_Plan], bool], *, yes: bool) -> _Plan | None:
    """The plan that `ask` was answered yes to, read again after the answer: time passes until it is given, and a write
    of a whole list takes away what was added meanwhile. Without a change it is carried out, else asked again; with
    `yes`, which nobody reads, only once: then raises `UserError`. None: not to be carried out."""
    plan = read()
    for attempt in count(1):
        if not ask(plan):
            return None
        asked, plan = plan, read()
        if plan == asked:
            break
        words = "the registration was changed by somebody else in the meantime"
        if yes and attempt > 1:
            raise UserError(f"{words}, twice; nothing was made: run it again when nobody else changes it")
        print_lines([f"{words}: planned again"])
    return plan


def _show_and_ask(plan: _Plan, *, wanted: setup.Wanted, heading: str, given: argparse.Namespace) -> bool:
    """Whether the plan is to be carried out, which needs no question if nothing has to be made. Raises `UserError` for
    a registration that may not be taken over, and for a secret that could be neither written nor shown."""
    plan.check_adoption(accepts=given.accept_existing)
    there = [f"  exists: {step.title}" for step in plan.steps if step.is_there]
    there += [f"  holds: {words}" for words in plan.unexpected]
    print_lines([heading, *there, *_describe_surplus(setup.list_surplus(wanted, plan.existing))])
    choose_secret_file(given.secret_file, plan.waiting, yes=given.yes)
    if given.secret_file and not any(step.is_secret for step in plan.waiting):
        words = f"{given.secret_file} stays as it is: {EXISTS_ALREADY}"
        print_lines([f"{words}; --renew with another file makes a new one"])
    if not plan.waiting:
        return True
    questions = [f"keep {words}, which gets the rights below" for words in plan.unexpected]
    questions += [f"make {step.title}: {step.purpose}" for step in plan.waiting]
    return confirm_steps(questions, yes=given.yes)


def _read_wanted(
    given: argparse.Namespace, stack: stacks.Declared, directory: Directory, name: str, now: datetime
) -> setup.Wanted:
    """Raises `UserError` for options that do not fit each other, and for what the tenant does not have."""
    federations = [setup.parse_github(text) for text in given.github]
    federations += [setup.parse_azure_pipelines(*pair) for pair in given.azure_pipelines]
    _check_options(given)
    certificate = None
    if given.certificate:
        raw = read_file(given.certificate, setup.MAX_CERTIFICATE_BYTES, "give a PEM file with --certificate")
        certificate = setup.read_certificate(raw, given.certificate, now)
    declaration = stack.declaration
    is_declared = bool(declaration.claims or declaration.definition)  # else only the principal is known
    needs = setup.list_needs(
        given.mode,
        extensions=bool(declaration.extensions) or not is_declared,
        users=declaration.may_have_users or not is_declared,
        as_person=given.person,
    )
    permissions = setup.choose_permissions(needs)
    needs_owner = OWNED in permissions
    objects = (stack.service_principal, declaration.application)
    return setup.Wanted(
        name, permissions, as_person=given.person,
        owned=setup.find_owned_objects(directory, *objects) if needs_owner else (),
        federations=tuple(federations), audience=setup.AUDIENCES[stack.cloud.name], certificate=certificate,
        secret_ends=now + timedelta(days=given.valid_days) if given.secret else None, renews_secret=given.renew,
    )  # fmt: skip


def _check_options(given: argparse.Namespace) -> None:
    ways = [given.secret, bool(given.certificate), bool(given.github or given.azure_pipelines)]
    if given.person and any(ways):
        raise UserError("--person needs no credential: leave the others out, or make two registrations")
    if not given.person and not any(ways):
        words = "say how the registration signs in"
        raise UserError(f"{words}: --github, --azure-pipelines, --certificate, --secret, or --person")
    if not given.secret and (given.secret_file or given.renew):
        raise UserError("--secret-file and --renew are for --secret")
    if not 1 <= given.valid_days <= _MOST_DAYS:
        raise UserError(f"--valid-days {given.valid_days}: give a number from 1 to {_MOST_DAYS}")


def _name_registration(given: argparse.Namespace, stack: stacks.Declared) -> str:
    """One for each kind of identity of a stack, so that a second one takes nothing from the first. Two projects may
    have stacks of the same name."""
    kinds = (["preview"] if given.mode == "preview" else []) + (["person"] if given.person else [])
    return " ".join(filter(None, ["flexsaml", stack.project, stack.stack, *kinds]))


def _describe_surplus(names: Sequence[str]) -> Iterator[str]:
    for name in names:
        yield f"  not needed: consent to {name}, which stays; take it back in the portal if nothing else uses it"


def _describe_use(known: Mapping[str, str], tenant_id: str, given: argparse.Namespace, cloud: str) -> str:
    """How the registration is used."""
    client = known[setup.CLIENT]
    if given.person:
        return f"sign in with `python -m flexsaml login --client-id {client} --tenant {tenant_id}`"
    variables = assign_variables(cloud, client, tenant_id)
    return f"the identity is {' and '.join(f'{name}={value}' for name, value in variables.items())}"


def _remove(directory: Directory, name: str, own_app_id: str, given: argparse.Namespace) -> int:
    """`own_app_id`: appId of the identity that runs the command, "" if it is not known."""
    application_id = setup.find_registration(directory, name)
    if not application_id:
        words = f"there is no registration '{name}' with the tag {setup.MARK}: nothing to do"
        advice = "one that was made with --person, --for or --name has another name: give them here, too"
        print_lines([f"{words}; {advice}"])
        return 0
    if given.print:
        print_lines([f"az ad app delete --id {application_id}"])
        return 0
    step = (
        f"delete the app registration '{name}' ({application_id}) with its service principal, credentials and consents"
    )
    kept = "Entra keeps it for 30 days, in which it can be restored"
    order = "What its stack has made stays: `pulumi destroy` first"
    if not confirm_steps([f"{step}; {kept}. {order}"], yes=given.yes):
        return NOT_CONFIRMED
    try:
        directory.delete_application(application_id)
    except Forbidden as refusal:
        registration = directory.application(application_id)
        if registration is None or registration.app_id != own_app_id:
            raise
        words = "this shell signs in as that registration, which may not delete itself"
        advice = "run it as an administrator, in a shell without the variables of this identity"
        raise UserError(f"{refusal.operation}: {refusal.words}; {words}: {advice}") from refusal
    print_lines(["deleted"])
    return 0
