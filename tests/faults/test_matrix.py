"""If this goes red, there is a call and a fault after which a value is lost, an object doubled or left, a write sent
twice, a wait unbounded, or a person told nothing to do.

Every operation of every kind runs once through a proxy; then each of its calls meets each fault that can apply to it
(`catalogue.py`), once, and two, three or four times in a row. After the command come one more `up` without
fault, and `destroy` (`matrix.py`). The real component, kinds and Graph client run, under the engine in miniature.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flexsaml.graph import Client, Directory, NotFound
from providers import TENANT, Connection, provider_class
from tests.emulator.process import Emulator
from tests.faults.connection import ProxiedConnection
from tests.faults.matrix import OPERATIONS, Matrix
from tests.faults.proxy import FaultProxy
from tests.providers.miniature import make_provider
from tests.torture import add_figures, is_whole_run

SHARE = 8
"""Cells of each operation in a run that is not a whole one."""


@pytest.fixture
def make_matrix(emulator: Emulator, tmp_path: Path) -> Iterator[Callable[..., Matrix]]:
    with FaultProxy(emulator.http) as proxy:
        yield lambda operation, **broken: Matrix(OPERATIONS[operation], emulator, proxy, tmp_path, **broken)
        TENANT.configure(Connection())


@pytest.mark.torture
@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_fault_at_every_call(operation: str, make_matrix: Callable[..., Matrix]) -> None:
    matrix = make_matrix(operation)
    assert matrix.problem == ""
    cells = list(matrix.cells())
    if not is_whole_run():
        cells = random.Random(operation).sample(cells, SHARE)  # noqa: S311
    outcomes, problems = Counter[str](), {}
    for cell in cells:
        outcome, problem = matrix.run_cell(cell)
        if problem:
            problems[f"{matrix.steps[cell.call]}: {cell}"] = problem
        outcomes["did_not_converge" if problem else outcome] += bool(outcome)
    add_figures(
        "fault-matrix",
        **{f"cells_of_{operation.replace(' ', '_').replace('-', '_')}": outcomes.total()},
        cells=outcomes.total(),
        succeeded_at_once=outcomes["succeeded"],
        stopped_with_a_line_and_then_converged=outcomes["stopped"],
        did_not_converge=outcomes["did_not_converge"],
    )
    assert problems == {}


# -- tests of the test above: four laws, each broken on purpose ---------------------------------------------------------


class RepeatingClient(Client):
    """Sends a POST again after a lost answer, as a read is."""

    def write(self, method: str, path: str, json: object = None, *, landed: Any = None) -> Any:
        return self.action(path, json) if method == "POST" else super().write(method, path, json, landed=landed)


class CredulousDirectory(Directory):
    """Takes the first 404 for an object that is gone."""

    def _unless_absent(self, read: Callable[[], Any]) -> Any:
        try:
            return read()
        except NotFound:
            return None

    def _read_confirmed(self, paths: Any) -> Any:
        return self._client.read_batch(paths)


class ForgetfulBaseline(provider_class("UserValueBaseline")):  # type: ignore[misc]
    """Records on creation only: a later change leaves the ledger as it was."""

    def update(self, _id: str, _olds: Any, _news: Any) -> Any:
        updated = super().update(_id, _olds, _news)
        updated.outs["__memory"] = _olds["__memory"]
        return updated


def connect_by(**classes: Any) -> Callable[[str], ProxiedConnection]:
    return lambda url: ProxiedConnection.to(url, **classes)


TRIALS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "a POST is repeated after a lost answer": (
        "create",
        "answer lost at",
        {"connect": connect_by(client_class=RepeatingClient)},
    ),
    "a stale 404 is taken for gone": ("destroy", "404 at", {"connect": connect_by(directory_class=CredulousDirectory)}),
    "the baseline's second record is skipped": (
        "change",
        "403 at",
        {"make_provider": lambda kind: ForgetfulBaseline() if kind == "UserValueBaseline" else make_provider(kind)},
    ),
}


@pytest.mark.parametrize(("operation", "fault", "broken"), TRIALS.values(), ids=TRIALS)
def test_a_broken_law_turns_cells_red(
    operation: str, fault: str, broken: dict[str, Any], make_matrix: Callable[..., Matrix]
) -> None:
    """The fourth, a flag in place of the proof, is in `tests/providers/test_partial_runs.py`."""
    matrix = make_matrix(operation, **broken)
    cells = [cell for cell in matrix.cells() if fault in str(cell)]
    red = next((cell for cell in cells if matrix.run_cell(cell)[1]), None)
    assert red is not None
    assert make_matrix(operation).run_cell(red)[1] == "", "it is the law that makes this cell green"
