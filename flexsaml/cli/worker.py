"""`worker`: what Flex stored for an agent, beside what the next sign-in is predicted to store.

Reads the tenant (as `predict` does) and one TaskRouter worker; changes nothing. Keys come from the environment. Exit
status: 0 the same, 1 differences, or a sign-in that fails, 2 could not look.
"""

from __future__ import annotations

import argparse
import json
import os
from typing import TYPE_CHECKING

from . import declared as stacks
from .terminal import CannotLook, end, lenient, one_line

if TYPE_CHECKING:
    from flexsaml.flex import Worker
    from flexsaml.prediction.comparison import Compared
    from flexsaml.prediction.predict import Prediction


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("user", metavar="UPN", help="user principal name or object id")
    parser.add_argument(
        "--friendly-name", default="", metavar="NAME", help="the worker's name, where the NameID cannot be known"
    )
    stacks.arguments(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")


def run(given: argparse.Namespace) -> int:
    lenient()
    from flexsaml.flex import UnreadableWorker
    from flexsaml.graph import GraphError
    from flexsaml.prediction.inspect import PrincipalNotFound
    from flexsaml.prediction.policy import UnusablePolicy

    try:
        return _run(given)
    except (CannotLook, GraphError, PrincipalNotFound, UnreadableWorker, UnusablePolicy) as problem:
        return end("worker", problem)


def _run(given: argparse.Namespace) -> int:
    from flexsaml.flex import read_access, read_worker
    from flexsaml.prediction.comparison import compared

    wanted = stacks.declared(given)
    where = read_access(os.environ, sandbox=wanted.loopback)
    one = predicted(wanted, given.user)
    name = given.friendly_name or one.name_id.value
    if not name:
        raise CannotLook(f"the NameID cannot be known ({one.name_id.why}); give the worker's name with --friendly-name")
    found = read_worker(where, name)
    told = compared(one, found.attributes)
    _tell(given, one, found, told)
    return 1 if one.findings or any(each.is_difference for each in told) else 0


def predicted(wanted: stacks.Declared, user: str) -> Prediction:
    """One user under the assigned policy. Raises what `predict` reports."""
    from datetime import datetime, timezone

    from flexsaml.prediction import inspect as look
    from flexsaml.prediction.policy import sign_in_policy
    from flexsaml.prediction.predict import predict

    reference = wanted.service_principal
    directory = wanted.directory()
    seen = look.survey(directory, reference)
    policy = sign_in_policy(look.assigned_policy(directory, seen).definition)
    place = look.place(directory, seen, [policy], datetime.now(timezone.utc))
    return predict(policy, place, look.one_agent(directory, seen, place, [policy], user).people[0])


def _tell(given: argparse.Namespace, one: Prediction, found: Worker, told: list[Compared]) -> None:
    differences = [each for each in told if each.is_difference]
    if given.json:
        shown = [{**vars(each), "difference": each.is_difference} for each in told]
        body = {
            "user": one.agent.upn,
            "worker": {"sid": found.sid, "friendlyName": found.friendly_name},
            "signInFails": list(one.findings),
            "attributes": shown,
            "differences": len(differences),
        }
        print(json.dumps(body, ensure_ascii=False, indent=1))
        return
    from .table import aligned

    print(f"{one_line(one.agent.upn)}: worker {found.sid} '{one_line(found.friendly_name)}'")
    for text in one.findings:
        print(f"the next sign-in fails, and the worker stays as it is: {one_line(text)}")
    rows = [("attribute", "", "predicted", "worker has")]
    rows += [(each.name, each.outcome, _shown(each.predicted), _shown(each.has)) for each in told]
    print("\n".join(aligned(rows)))
    if differences:
        names = ", ".join(each.name for each in differences)
        print(
            f"{len(differences)} differ ({one_line(names)}): sign in again, for Flex stores attributes at sign-in only"
        )
    else:
        print("the worker has what the next sign-in is predicted to store")


def _shown(value: object) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)
