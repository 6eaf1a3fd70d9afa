"""`worker`: what Flex stored for an agent, beside what the next sign-in is predicted to store. Reads the tenant (as
`predict` does) and one TaskRouter worker; changes nothing. Keys come from the environment. Exit status: 0 the same, 1
differences or a sign-in that fails or probably fails, 2 could not compare."""

import argparse
import os
from collections.abc import Iterator
from datetime import datetime, timezone

from flexsaml import prediction as signin
from flexsaml.errors import UserError
from flexsaml.flex import Worker, read_access, read_worker
from flexsaml.terminal_text import print_json, print_lines

from . import declared as stacks
from .predict import show_json
from .terminal import align_columns


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("user", metavar="UPN", help="user principal name or object id")
    name_help = "the worker's name, if the NameID is unknown"
    parser.add_argument("--friendly-name", default="", metavar="NAME", help=name_help)
    stacks.arguments(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")


def run(given: argparse.Namespace) -> int:
    stack = stacks.declared(given)
    access = read_access(os.environ, sandbox=stack.cloud.graph if stack.cloud.name == "loopback" else "")
    reference, directory = stack.service_principal, stack.directory()
    snapshot = directory.read_principal_snapshot(reference)
    scenario = signin.Scenario(signin.parse_policy(signin.find_assigned_policy(directory, snapshot).definition))
    result = signin.predict_sign_ins(directory, snapshot, [scenario], datetime.now(timezone.utc), given.user)
    prediction = result.by_scenario[0][0]
    name_id = prediction.name_id
    name = given.friendly_name or name_id.value
    if not name:
        raise UserError(f"the NameID is unknown ({name_id.unknown}); give the worker's name with --friendly-name")
    worker = read_worker(access, name)
    comparisons = signin.compare_worker(prediction, worker.attributes)
    differences = [comparison.name for comparison in comparisons if comparison.is_difference]
    if given.json:
        body = {
            "user": prediction.agent.upn,
            "worker": {"sid": worker.sid, "friendlyName": worker.friendly_name},
            "signInFails": list(prediction.verdict.problems),
            "attributes": [{**vars(item), "difference": item.is_difference} for item in comparisons],
            "differences": len(differences),
        }
        print_json(body)
    else:
        print_lines(_lines(prediction, worker, comparisons, differences))
    return 1 if prediction.verdict.problems or differences else 0


def _lines(
    prediction: signin.Prediction, worker: Worker, comparisons: list[signin.WorkerComparison], differences: list[str]
) -> Iterator[str]:
    yield f"{prediction.agent.upn}: worker {worker.sid} '{worker.friendly_name}'"
    for problem in prediction.verdict.problems:
        yield f"the next sign-in {prediction.verdict.text}, and then leaves the worker unchanged: {problem}"
    for doubt in () if prediction.verdict.problems else prediction.verdict.doubts:
        yield f"it is not known whether the next sign-in works: {doubt}"
    rows: list[tuple[str, ...]] = [("attribute", "", "predicted", "worker has")]
    for item in comparisons:
        values = ("" if value is None else show_json(value) for value in (item.predicted, item.actual))
        rows.append((item.name, item.outcome, *values))
    yield from align_columns(rows)
    if differences:
        names = ", ".join(differences)
        yield f"different: {names}; sign in again, because Flex stores attributes only at sign-in"
    else:
        unknown = [item.name for item in comparisons if item.outcome == signin.UNKNOWN]
        rest = f", as far as that is known; unknown: {', '.join(unknown)}" if unknown else ""
        yield f"the worker has what the next sign-in is predicted to store{rest}"
