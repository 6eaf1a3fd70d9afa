"""`predict`: what a sign-in will deliver, before anyone signs in.

Reads the stack file for the principal's name, then the tenant; changes nothing. Every line says how far it may be
believed: exact, predicted, or cannot be known, with the rules of docs/sign-in.md it hangs on. Exit status: 0 fine,
1 somebody's sign-in fails, 2 could not look.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import declared as stacks
from .lint import is_stack_file, read_file
from .terminal import CannotLook, end, lenient, one_line

if TYPE_CHECKING:
    from flexsaml.graph import Directory, Policy, PrincipalSnapshot
    from flexsaml.prediction.inspect import Agents
    from flexsaml.prediction.policy import SignInPolicy
    from flexsaml.prediction.predict import Prediction

    from .planned import PlannedValues

_ASSIGNED = "assigned"


def arguments(parser: argparse.ArgumentParser) -> None:
    whom = parser.add_mutually_exclusive_group(required=True)
    whom.add_argument("--user", metavar="UPN", help="user principal name or object id")
    whom.add_argument("--all", action="store_true", help="everybody assigned to the application, one line each")
    parser.add_argument(
        "--policy", default="", metavar="FILE", help="a definition, or a stack file, instead of the assigned policy"
    )
    parser.add_argument("--against", choices=[_ASSIGNED], help="with --policy: what it would change, user by user")
    stacks.arguments(parser)
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="print one JSON object, with every line")
    shape.add_argument("--xml", action="store_true", help="print the assertion's statement; for one user")


def run(given: argparse.Namespace) -> int:
    lenient()
    from flexsaml.graph import GraphError
    from flexsaml.prediction.inspect import PrincipalNotFound
    from flexsaml.prediction.policy import UnusablePolicy

    if given.against and not given.policy:
        return end("predict", "--against compares a file with what is assigned: give the file with --policy")
    if given.xml and (given.all or given.against):
        return end("predict", "--xml shows one statement: give --user, and no --against")
    try:
        return _run(given)
    except (CannotLook, GraphError, PrincipalNotFound, UnusablePolicy) as problem:
        return end("predict", problem)


def _run(given: argparse.Namespace) -> int:
    from flexsaml.prediction import inspect as look
    from flexsaml.prediction.predict import predict

    wanted = stacks.declared(given)
    reference = wanted.service_principal
    directory = wanted.directory()
    seen = look.survey(directory, reference)
    assigned = look.assigned_policy(directory, seen) if given.against or not given.policy else None
    policies = [_named(f"the assigned policy '{assigned.display_name}'", assigned.definition)] if assigned else []
    later: PlannedValues | None = None
    if given.policy:
        policy, later = _from_file(given.policy, wanted, directory, seen)
        policies.append(policy)
    where = look.place(directory, seen, policies, datetime.now(timezone.utc))
    if given.all:
        agents = look.all_agents(directory, seen, where, policies)
    else:
        agents = look.one_agent(directory, seen, where, policies, given.user)
    told = [[predict(policy, where, one) for one in agents.people] for policy in policies]
    if later is not None:  # a stack's claims come with its extensions and its users' values
        told[-1] = [
            predict(policies[-1], later.apply_to_place(where), later.apply_to_agent(one)) for one in agents.people
        ]
        hidden = tuple(f"{one}: encrypted, and only the engine can read it" for one in later.encrypted_paths)
        agents = replace(agents, unseen=(*agents.unseen, *hidden))
    _tell(given, seen, assigned, agents, told)
    return 1 if any(one.findings for one in told[-1]) else 0


def _named(name: str, text: str | bytes) -> SignInPolicy:
    from flexsaml.prediction.policy import UnusablePolicy, sign_in_policy

    try:
        return sign_in_policy(text)
    except UnusablePolicy as problem:
        raise CannotLook(f"{name}: {problem}") from None


def _from_file(
    name: str, wanted: stacks.Declared, directory: Directory, seen: PrincipalSnapshot
) -> tuple[SignInPolicy, PlannedValues | None]:
    """A definition; of a stack file the claims, whose short extension names belong to the application it names."""
    from .planned import plan_values

    try:
        raw = read_file(name)
    except (OSError, ValueError) as problem:
        raise CannotLook(f"cannot read {name}: {getattr(problem, 'strerror', None) or problem}") from None
    if not is_stack_file(name, raw):
        return _named(name, raw), None
    other = stacks.from_text(raw, name) if Path(name) != Path(wanted.file) else wanted
    owner = seen.principal.app_id
    if other.application:
        found = directory.application(other.application)
        if found is None:
            raise CannotLook(f"{name}: there is no application '{other.application}' (appId or object id)")
        owner = found.app_id
    return _named(name, other.definition(owner)), plan_values(other, owner)


def _tell(
    given: argparse.Namespace,
    seen: PrincipalSnapshot,
    assigned: Policy | None,
    agents: Agents,
    told: list[list[Prediction]],
) -> None:
    from . import predicted

    if given.json:
        print(
            json.dumps(_json(given, seen, assigned, agents, told), ensure_ascii=False, indent=None if given.all else 1)
        )
        return
    if given.xml:
        print(predicted.to_xml(told[0][0]))
        return
    source = given.policy or f"'{assigned.display_name if assigned else ''}' ({assigned.id if assigned else ''})"
    print(one_line(f"{seen.principal.display_name} ({seen.principal.id}), policy {source}"))
    if given.against:
        _tell_changes(told)
    elif given.all:
        from .table import aligned

        print("\n".join(aligned([predicted.row(one) for one in told[0]], "")))
    else:
        print("\n".join(predicted.lines(told[0][0])))
    for one in agents.unseen:
        print(one_line(f"not looked at: {one}"))
    if given.all:
        counts = Counter(predicted.outcome(one) for one in told[-1])
        works, fails, unsure = (counts[each] for each in (predicted.FINE, predicted.FAILS, predicted.UNSURE))
        print(f"of {len(told[-1])} users, {works} can sign in, {fails} cannot, {unsure} cannot be known")


def _tell_changes(told: list[list[Prediction]]) -> None:
    from flexsaml.prediction.changes import changes

    from .predicted import change_lines

    pairs = [(one.agent.upn, changes(one, other)) for one, other in zip(*told, strict=True)]
    for upn, found in pairs:
        if found or len(pairs) == 1:
            print("\n".join(change_lines(upn, found)))
    if len(pairs) > 1:
        print(f"{sum(bool(found) for _, found in pairs)} of {len(pairs)} users change")


def _json(
    given: argparse.Namespace,
    seen: PrincipalSnapshot,
    assigned: Policy | None,
    agents: Agents,
    told: list[list[Prediction]],
) -> dict[str, Any]:
    from flexsaml.prediction.changes import changes

    from . import predicted

    users = [predicted.to_json(one) for one in told[-1]]
    if given.against:
        for user, before, after in zip(users, *told, strict=True):
            user["changes"] = [vars(one) for one in changes(before, after)]
    counts = Counter(predicted.outcome(one) for one in told[-1])
    return {
        "principal": {
            "id": seen.principal.id,
            "appId": seen.principal.app_id,
            "displayName": seen.principal.display_name,
        },
        "policy": given.policy or None,
        "assigned": {"id": assigned.id, "displayName": assigned.display_name} if assigned else None,
        "users": users,
        "counts": {"users": len(users), **{each: counts[each] for each in ("works", "fails", "cannot be known")}},
        "notLookedAt": list(agents.unseen),
    }
