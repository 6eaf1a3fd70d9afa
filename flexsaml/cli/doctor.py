"""`doctor`: whether this machine, its identity and the tenant are ready for the stack.

It runs the preflight of `pulumi preview`, outside of it, and before that inspects versions, credential, clock, and the
permission each call needs. Changes nothing and never shows a token. Exit status: 0 fine, 1 problems, 2 wrong usage, or
the tenant could not be inspected.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from typing import TYPE_CHECKING

from . import declared as stacks
from .terminal import align_columns

if TYPE_CHECKING:
    from .checkup import Row


def arguments(parser: argparse.ArgumentParser) -> None:
    stacks.arguments(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")


def run(given: argparse.Namespace) -> int:
    from .checkup import PROBLEM

    rows, is_inspected = _inspect(stacks.declared(given))
    if given.json:
        body = {"rows": [vars(row) for row in rows], "counts": _counts(rows)}
        print(json.dumps(body, ensure_ascii=False, indent=1))
    else:
        cells = [(row.state, row.area, row.what + (f"; {row.remedy}" if row.remedy else "")) for row in rows]
        print("\n".join(align_columns(cells, "")))
        print(", ".join(f"{count} {state}" for state, count in _counts(rows).items() if count))
    if not is_inspected:
        return 2
    return 1 if any(row.state == PROBLEM for row in rows) else 0


def _inspect(stack: stacks.Declared) -> tuple[list[Row], bool]:
    """Everything in the order in which one thing depends on the other; whether the tenant could be inspected."""
    from . import checkup

    where = stack.cloud
    rows = [*checkup.machine()]
    rows.append(checkup.Row("stack file", checkup.OK, stack.file))
    rows.append(checkup.Row("cloud", checkup.OK, f"{where.name}: {where.graph}, {where.login}"))
    rows.append(checkup.clock(where))
    directory = stack.directory()
    identity_rows, identity = checkup.credential(directory)
    rows += identity_rows
    if any(row.state == checkup.PROBLEM for row in identity_rows):
        rows.append(checkup.Row("tenant", checkup.NOT_SEEN, "it cannot be inspected without a credential"))
        return rows, False
    rows += checkup.permissions(identity, stack)
    tenant_rows, is_inspected = checkup.tenant(directory, stack)
    return [*rows, *tenant_rows], is_inspected


def _counts(rows: list[Row]) -> dict[str, int]:
    from .checkup import STATES

    counts = Counter(row.state for row in rows)
    return {state: counts[state] for state in STATES}
