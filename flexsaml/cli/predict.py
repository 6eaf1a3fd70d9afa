"""`predict`: what a sign-in will deliver, before anyone signs in.

Reads the stack file and the tenant; changes nothing. Every line shows its confidence (exact, predicted or unknown) and
the rules of docs/sign-in.md it follows from. Exit status: 0 fine, 1 a sign-in fails, 2 could not predict.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from flexsaml.claims import MAX_TEXT_BYTES
from flexsaml.errors import UserError
from flexsaml.graph import Directory, Policy, PrincipalSnapshot
from flexsaml.prediction import (
    FAILS,
    UNKNOWN,
    WORKS,
    DeclaredValues,
    Prediction,
    Scenario,
    SignInPredictions,
    compare_policies,
    find_assigned_policy,
    parse_policy,
    predict_sign_ins,
)
from flexsaml.values import NULL

from . import declared as stacks
from . import predicted
from .lint import is_stack_file
from .terminal import align_columns, one_line, read_file


def arguments(parser: argparse.ArgumentParser) -> None:
    users = parser.add_mutually_exclusive_group(required=True)
    users.add_argument("--user", metavar="UPN", help="user principal name or object id")
    users.add_argument("--all", action="store_true", help="everybody assigned to the application, one line each")
    parser.add_argument(
        "--policy", default="", metavar="FILE", help="a definition or a stack file, instead of the assigned policy"
    )
    parser.add_argument("--against", choices=["assigned"], help="with --policy: what it would change, user by user")
    stacks.arguments(parser)
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print one JSON object with every line")
    output.add_argument("--xml", action="store_true", help="print the statement of the assertion; for one user")


def run(given: argparse.Namespace) -> int:
    if given.against and not given.policy:
        raise UserError("--against compares a file with the assigned policy; give the file with --policy")
    if given.xml and (given.all or given.against):
        raise UserError("--xml prints the statement of one user; give --user, and no --against")
    stack = stacks.declared(given)
    reference, directory = stack.service_principal, stack.directory()
    snapshot = directory.read_principal_snapshot(reference)
    assigned, scenarios = None, []
    if given.against or not given.policy:
        assigned = find_assigned_policy(directory, snapshot)
        policy = parse_policy(assigned.definition, f"the assigned policy '{assigned.display_name}'")
        scenarios.append(Scenario(policy))
    if given.policy:
        scenarios.append(_read_scenario(given.policy, stack, directory, snapshot))
    result = predict_sign_ins(directory, snapshot, scenarios, datetime.now(timezone.utc), given.user)
    if given.json:
        body = _to_json(given, snapshot, assigned, result)
        print(json.dumps(body, ensure_ascii=False, indent=None if given.all else 1))
    else:
        print("\n".join(_lines(given, snapshot, assigned, result)))
    return 1 if any(prediction.outcome == FAILS for prediction in result.by_scenario[-1]) else 0


def _read_scenario(file: str, stack: stacks.Declared, directory: Directory, snapshot: PrincipalSnapshot) -> Scenario:
    """From a definition, or from the claims and values of a stack file and the application that it names."""
    raw = read_file(file, MAX_TEXT_BYTES)
    if not is_stack_file(file, raw):
        return Scenario(parse_policy(raw, file))
    other = stack if Path(file) == Path(stack.file) else stacks.from_text(raw, file)
    owner = snapshot.principal.app_id
    if other.application:
        application = directory.application(other.application)
        if application is None:
            raise UserError(f"{file}: there is no application '{other.application}' (appId or object id)")
        owner = application.app_id
    return Scenario(parse_policy(other.definition(owner), file), _plan_values(other, owner))


def _plan_values(stack: stacks.Declared, app_id: str) -> DeclaredValues:
    """What a stack file would make of users' extension values, its roster's among them. Extensions that are not made
    yet count as made; encrypted values cannot be read without the engine and are named. Raises `UserError` if users,
    extensions or the roster have a finding.
    """
    declaration = stack.declaration
    stack.require_valid("users", "usersFile", "extensions")
    full_names = declaration.full_names(app_id)
    types = {full_names[name]: str(kind) for name, kind in declaration.extensions.items()}
    values: dict[str, dict[str, object]] = {}
    for user, cells in declaration.all_users.items():
        row = values.setdefault(user.lower(), {})
        for name, value in cells.items():
            if name in full_names:
                row[full_names[name]] = declaration.extensions[name].to_wire(str(value))
            else:
                row[name] = None if value == NULL else value
    paths = tuple(path for path in declaration.encrypted if path.startswith("users"))
    encrypted: dict[str, frozenset[str]] = {}
    for path in paths:
        # Everybody, all of one user, or one of a user's extensions; a user may have dots.
        place = re.sub(r"\[\d+\]$", "", path).partition(".")[2]
        user, _, name = (place, "", "") if place in ("", *declaration.users) else place.rpartition(".")
        names = {full_names.get(name, name)} if name else set(full_names.values())
        encrypted[user.lower()] = encrypted.get(user.lower(), frozenset()) | names
    return DeclaredValues(types, values, encrypted, paths)


def _lines(
    given: argparse.Namespace, snapshot: PrincipalSnapshot, assigned: Policy | None, result: SignInPredictions
) -> Iterator[str]:
    predictions = result.by_scenario[-1]
    if given.xml:
        yield predicted.to_xml(predictions[0])
        return
    policy = given.policy or (f"'{assigned.display_name}' ({assigned.id})" if assigned else "")
    yield one_line(f"{snapshot.principal.display_name} ({snapshot.principal.id}), policy {policy}")
    if given.against:
        yield from predicted.change_lines(*result.by_scenario)
    elif given.all:
        reasons = ["; ".join((*prediction.problems, *prediction.doubts)) for prediction in predictions]
        rows = [(item.agent.upn, item.outcome, reason) for item, reason in zip(predictions, reasons, strict=True)]
        yield from align_columns(rows, "")
    else:
        yield from predicted.lines(predictions[0])
    yield from (one_line(f"not read: {reason}") for reason in result.unread)
    if given.all:
        counts = _count_outcomes(predictions)
        yield "{users} users: {works} can sign in, {fails} cannot, {unknown} unknown".format(**counts)


def _count_outcomes(predictions: Sequence[Prediction]) -> dict[str, int]:
    outcomes = [prediction.outcome for prediction in predictions]
    return {"users": len(outcomes), **{outcome: outcomes.count(outcome) for outcome in (WORKS, FAILS, UNKNOWN)}}


def _to_json(
    given: argparse.Namespace, snapshot: PrincipalSnapshot, assigned: Policy | None, result: SignInPredictions
) -> dict[str, Any]:
    predictions, principal = result.by_scenario[-1], snapshot.principal
    users = [predicted.to_json(prediction) for prediction in predictions]
    if given.against:
        for user, before, after in zip(users, *result.by_scenario, strict=True):
            user["changes"] = [vars(change) for change in compare_policies(before, after)]
    return {
        "principal": {"id": principal.id, "appId": principal.app_id, "displayName": principal.display_name},
        "policy": given.policy or None,
        "assigned": {"id": assigned.id, "displayName": assigned.display_name} if assigned else None,
        "users": users,
        "counts": _count_outcomes(predictions),
        "notRead": result.unread,
    }
