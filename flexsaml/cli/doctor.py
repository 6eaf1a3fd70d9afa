"""`doctor`: whether this machine, its identity and the tenant are ready for the stack.

The preflight look of `pulumi preview`, outside of it, and what lies before it: versions, credential, clock, and the
permission each call needs. Changes nothing and never shows a token. Exit status: 0 fine, 1 problems, 2 usage, or the
tenant could not be looked at.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from typing import TYPE_CHECKING

from . import declared as stacks
from .terminal import CannotLook, end, lenient

if TYPE_CHECKING:
    from .checkup import Row


def arguments(parser: argparse.ArgumentParser) -> None:
    stacks.arguments(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")


def run(given: argparse.Namespace) -> int:
    lenient()
    from .checkup import PROBLEM

    try:
        rows, seen = _looked(stacks.declared(given))
    except CannotLook as problem:
        return end("doctor", problem)
    if given.json:
        print(json.dumps({"rows": [vars(one) for one in rows], "counts": _counts(rows)}, ensure_ascii=False, indent=1))
    else:
        from .table import aligned

        told = [(one.state, one.area, one.what + (f"; {one.remedy}" if one.remedy else "")) for one in rows]
        print("\n".join(aligned(told, "")))
        print(", ".join(f"{count} {state}" for state, count in _counts(rows).items() if count))
    if not seen:
        return 2
    return 1 if any(one.state == PROBLEM for one in rows) else 0


def _looked(wanted: stacks.Declared) -> tuple[list[Row], bool]:
    """Everything in the order in which one thing hangs on the other; whether the tenant was looked at."""
    from . import checkup

    where = wanted.cloud
    rows = [*checkup.machine()]
    rows.append(checkup.Row("stack file", checkup.OK, wanted.file))
    rows.append(checkup.Row("cloud", checkup.OK, f"{where.name}: {where.graph}, {where.login}"))
    rows.append(checkup.clock(where))
    directory = wanted.directory()
    told, who = checkup.credential(directory)
    rows += told
    if any(one.state == checkup.PROBLEM for one in told):
        rows.append(checkup.Row("tenant", checkup.NOT_SEEN, "without a credential nothing of it can be seen"))
        return rows, False
    rows += checkup.permissions(who, wanted)
    told, seen = checkup.tenant(directory, wanted)
    return [*rows, *told], seen


def _counts(rows: list[Row]) -> dict[str, int]:
    from .checkup import STATES

    counts = Counter(one.state for one in rows)
    return {state: counts[state] for state in STATES}
