"""If this goes red, there is an order of changes, accidents and strangers after which destroy leaves a value or an
object of this stack behind, restores a wrong value, overwrites what somebody else wrote, or a run does something though
nothing differs.

Nobody would write these histories down, so Hypothesis does: new ones in every run. A failure prints the steps, and the
seed with which the run is repeated (FLEXSAML_SEED). The real component, kinds and Graph client run on the emulator,
under the engine in miniature.
"""

from __future__ import annotations

import os
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from providers import TENANT, Connection
from tests.emulator.process import Emulator
from tests.providers.histories import FAULTS, Histories
from tests.providers.history import History, Rows, Writer, make_rows
from tests.torture import add_figures, is_whole_run


@pytest.fixture
def connected(emulator: Emulator) -> Iterator[Emulator]:
    yield emulator
    TENANT.configure(Connection())


@pytest.fixture(scope="module")
def rows(process: Emulator) -> Rows:
    return make_rows(process)


HISTORIES = 200 if is_whole_run() else 50
"""In one run of the test. `make torture` has 50 runs, so that workers share them and an interrupted one counts."""
RUNS = range(50) if is_whole_run() else [0, *(pytest.param(run, marks=pytest.mark.long) for run in (1, 2, 3))]


@pytest.mark.torture
@pytest.mark.parametrize("run", RUNS)
def test_histories(connected: Emulator, tmp_path: Path, rows: Rows, run: int) -> None:  # noqa: ARG001 - see HISTORIES
    number = int(os.environ.get("FLEXSAML_SEED") or secrets.randbits(64))
    Histories.emulator, Histories.directory, Histories.rows = connected, tmp_path, rows
    Histories.counts = Counter()
    phases = (Phase.generate, Phase.shrink)
    length = settings(
        max_examples=int(os.environ.get("FLEXSAML_HISTORIES") or HISTORIES),
        stateful_step_count=5,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        phases=phases,
        suppress_health_check=[*HealthCheck],
    )
    try:
        run_state_machine_as_test(seed(number)(Histories), settings=length)
    except BaseException:
        add_figures("histories", violations=1)
        print(f"repeat these histories with FLEXSAML_SEED={number}")
        raise
    assert Histories.counts["histories"] >= length.max_examples, "some were not judged"
    add_figures("histories", **{kind.replace(" ", "_"): count for kind, count in Histories.counts.items()})


Step = Callable[[History, Writer], object]
"""What happens, given how Ada is written."""


def declare(value: int) -> Step:
    return lambda history, writer: history.declare("ada", "languages", value, writer)


def write(value: object) -> Step:
    return lambda history, _: history.write_as_stranger("ada", "languages", value)


def up(fault: str = "", at: int = 0) -> Step:
    def step(history: History, _: Writer) -> None:
        if fault:
            FAULTS[fault](history.emulator, at)
        history.up()

    return step


def kill_writer(history: History, writer: Writer) -> None:
    history.up(killed_at="flex-roster" if writer == "roster" else "flex-ada@contoso.example")


def drop(history: History, _: Writer) -> None:
    history.drop("ada")


def refresh(history: History, _: Writer) -> None:
    history.stack.refresh()


def leave(history: History, _: Writer) -> None:
    history.leave("ada")


def return_restored(history: History, _: Writer) -> None:
    history.return_restored("ada")


def return_anew(history: History, _: Writer) -> None:
    history.return_anew("ada")


def forget(fault: str) -> Step:
    """Of a replica, from now on."""
    return lambda history, _: FAULTS[fault](history.emulator, 0)


A, B, C = 0, 1, 2
SEQUENCES: dict[str, tuple[list[Step], object]] = {
    # the steps, and what Ada holds after destroy; she held x before
    "plain": ([declare(A), up()], "x"),
    "two failed updates": ([declare(A), up(), declare(B), up("refused"), declare(C), up("refused")], "x"),
    "killed after the write, then another value refused": (
        [declare(A), up(), declare(B), kill_writer, declare(C), up("refused")],
        "x",
    ),
    "dropped": ([declare(A), up(), drop, up()], "x"),
    "destroyed while a replica does not know her": ([declare(A), up(), forget("stale 404")], "x"),
    "dropped while a replica does not know her": ([declare(A), up(), drop, up("stale 404")], "x"),
    "recorded while a replica does not know her": ([declare(A), up("stale 404")], "x"),
    "a read that is behind, then a refused update": ([declare(A), up("stale reads"), declare(B), up("refused")], "x"),
    "destroyed while reads are behind": ([declare(A), up("stale reads")], "x"),
    "destroyed while more reads are behind": ([declare(A), up("stale reads", 1)], "x"),
    "repaired, and destroyed while reads are behind": ([declare(A), up(), write("y"), refresh, up("stale reads")], "x"),
    "create killed after the write": ([declare(A), kill_writer], "x"),
    "drift kept": ([declare(A), up(), write("y"), refresh], "y"),
    "drift repaired": ([declare(A), up(), write("y"), refresh, up()], "x"),
    "cleared by a stranger": ([declare(A), up(), write(None)], None),
    "dropped, then declared again after a stranger": (
        [declare(A), up(), drop, up(), write("z"), declare(B), up()],
        "z",
    ),
    "left, and came back before destroy": ([declare(A), up(), leave, up(), return_restored], "x"),
    "left, and came back before the next run": ([declare(A), up(), leave, return_restored, declare(B), up()], "x"),
    "another person under the name": ([declare(A), up(), leave, return_anew, up()], None),
}


@pytest.mark.parametrize("writer", ["single", "roster"])
@pytest.mark.parametrize(("steps", "end"), SEQUENCES.values(), ids=list(SEQUENCES))
def test_known_sequences(
    connected: Emulator, tmp_path: Path, rows: Rows, writer: Writer, steps: list[Step], end: object
) -> None:
    history = History(connected, tmp_path, rows, own=(), priors={("ada", "languages"): "x"})
    for step in steps:
        step(history, writer)
    assert history.destroy().refusal == ""
    assert history.tenant.value("ada") == end


def test_a_user_who_moves_between_the_writers_keeps_the_value(connected: Emulator, tmp_path: Path, rows: Rows) -> None:
    history = History(connected, tmp_path, rows, own=(), priors={("ada", "languages"): "x"})
    for writer in ("single", "roster", "single"):
        history.declare("ada", "languages", A, writer)
        assert history.up().refusal == ""
        assert history.tenant.value("ada") == "a"
    history.finish(repaired=True)
    assert history.tenant.value("ada") == "x"


@pytest.mark.parametrize("writer", ["single", "roster"])
def test_a_user_whom_the_baseline_did_not_find_is_not_written(
    connected: Emulator, tmp_path: Path, rows: Rows, writer: Writer
) -> None:
    """Three reads in a row do not know her, wherever in the run they are."""
    for at in range(8):
        history = History(connected, tmp_path, rows, own=(), priors={("ada", "languages"): "x"})
        history.declare("ada", "languages", A, writer)
        connected.fault("refuse", "GET", "/users/", status=404, skip=at, times=3)
        history.up()
        assert history.tenant.value("ada") == "x" or history.recorded, f"from read {at} on"
        history.finish(repaired=True)
        assert history.tenant.value("ada") == "x", f"from read {at} on"
