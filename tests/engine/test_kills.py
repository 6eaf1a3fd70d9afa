"""If this goes red, a process that is killed at the wrong moment leaves something in the tenant for ever.

A stack with a roster and a displaced policy is made, changed and destroyed. At each of its writes, just before it is
carried out and just after, each process is killed; then the same command runs again, then destroy. `make torture` runs
all of these cells, `make full` some of each process.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.emulator.process import Emulator
from tests.engine.kills import VICTIMS, Moment, interrupt_wait, kill_at
from tests.engine.request_log import requests_of, writes_in
from tests.engine.stack import ADA, DESTROY, UP, SavedStack, Stack
from tests.torture import add_figures, is_whole_run

PROPERTY, VALUE = ("POST", "/extensionProperties$"), ("PATCH", "^/users/")
POLICY, UNDO_PROPERTY = ("POST", "^/policies/claimsMappingPolicies$"), ("DELETE", "/extensionProperties/")
LINK, UNLINK = ("POST", r"/claimsMappingPolicies/\$ref$"), ("DELETE", r"/claimsMappingPolicies/[^/]+/\$ref$")
EDIT_POLICY, UNDO_POLICY = ("PATCH", "^/policies/"), ("DELETE", "^/policies/")
WRITES = {
    "up": {PROPERTY: 3, VALUE: 3, POLICY: 1, UNLINK: 1, LINK: 1},
    "change": {PROPERTY: 1, VALUE: 5, EDIT_POLICY: 1, UNDO_PROPERTY: 1},
    "destroy": {UNLINK: 1, UNDO_POLICY: 1, VALUE: 4, UNDO_PROPERTY: 3, LINK: 1},
}
"""How often each operation makes each write when nothing goes wrong."""


OTHERS_IN_SHARE = {("up", "program"), ("change", "provider"), ("change", "emulator"), ("destroy", "interrupt")}
"""Operations and victims other than the CLI that `make full` covers."""


class Cell(NamedTuple):
    operation: str
    moment: Moment
    victim: str
    is_destroyed_at_once: bool = False
    """Whether the next command is a destroy instead of the same one again."""

    def __str__(self) -> str:
        when = "after" if self.moment.is_carried_out else "before"
        words = (self.victim, self.operation, when, self.moment.method, self.moment.path, str(self.moment.skip))
        return re.sub(r"[^\w]+", "-", " ".join([*words, "destroyed" if self.is_destroyed_at_once else ""]))


def list_cells() -> list[Cell]:
    cells = []
    for operation, writes in WRITES.items():
        moments = [Moment(*write, skip) for write, count in writes.items() for skip in range(count)]
        moments += [replace(moment, is_carried_out=False) for moment in moments]
        for victim in VICTIMS:
            if (operation, victim) != ("destroy", "program"):  # a destroy runs no program
                cells += [Cell(operation, moment, victim) for moment in moments if is_of_use(moment, victim)]
        if operation != "destroy":
            cells += [Cell(operation, moment, "CLI", True) for moment in moments if moment.is_carried_out]
    return cells


def is_of_use(moment: Moment, victim: str) -> bool:
    """An interrupted command waits for the answers of its writes, so it does not matter when it is interrupted."""
    return moment.is_carried_out or victim != "interrupt"


def choose_cells(cells: list[Cell]) -> list[Cell]:
    """All of them in a whole run; else some of each process, at writes that differ."""
    if is_whole_run():
        return cells
    kinds: dict[tuple[str, str, bool], list[Cell]] = {}
    for cell in cells:
        if cell.victim == "CLI" or (cell.operation, cell.victim) in OTHERS_IN_SHARE:
            kinds.setdefault((cell.operation, cell.victim, cell.is_destroyed_at_once), []).append(cell)
    return [group[number * 5 % len(group)] for number, group in enumerate(kinds.values())]


def change(stack: Stack) -> None:
    """A user gains and loses values, one leaves the roster and one joins it, an extension comes and one goes."""
    stack.config["extensions"] = {"languages": "String", "team": "String", "site": "String"}
    stack.config["users"] = {ADA: {"languages": "fr", "site": "vienna"}}
    stack.config["claims"]["email"] = "user.othermail"
    stack.checkout.write_roster("user,team\nlinus@contoso.example,red\nnora@contoso.example,red\n")


@pytest.fixture(scope="session")
def saved_before(
    saved_empty_stack: SavedStack, emulator: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> SavedStack:
    """Before the first `up` of a stack that takes over from a policy."""
    stack = saved_empty_stack.open(emulator, tmp_path_factory.mktemp("before"))
    tenant = stack.tenant()
    tenant.assign(tenant.make_policy("by hand"))
    stack.tenant_before = emulator.export()
    stack.config |= {"replaceExisting": True, "usersFile": "agents.csv"}
    stack.config["extensions"] = {"languages": "String", "team": "String", "old": "Integer"}
    stack.config["users"][ADA]["old"] = 7
    stack.checkout.write_roster("user,team\nlinus@contoso.example,blue\ngrace@contoso.example,blue\n")
    return SavedStack.save(stack, tmp_path_factory.mktemp("saved-before"))


@pytest.fixture(scope="session")
def saved_after(saved_before: SavedStack, emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> SavedStack:
    """After that `up`."""
    stack = saved_before.open(emulator, tmp_path_factory.mktemp("after"))
    stack.up()
    return SavedStack.save(stack, tmp_path_factory.mktemp("saved-after"))


def test_the_moments_are_all_writes_of_the_three_commands(
    saved_before: SavedStack, emulator: Emulator, tmp_path: Path
) -> None:
    stack = saved_before.open(emulator, tmp_path)
    for operation, expected in WRITES.items():
        if operation == "change":
            change(stack)
        emulator.clear()
        stack.ok(*(DESTROY if operation == "destroy" else UP))
        calls = [call.partition(" ") for call in writes_in(requests_of(emulator))]
        counts = Counter(
            next(write for write in expected if write[0] == method and re.search(write[1], path))
            for method, _, path in calls
        )
        assert counts == expected, operation
    assert emulator.export() == stack.tenant_before


@pytest.mark.long
@pytest.mark.torture
@pytest.mark.parametrize("cell", choose_cells(list_cells()), ids=str)
def test_killed_at_each_write(
    saved_before: SavedStack, saved_after: SavedStack, emulator: Emulator, tmp_path: Path, cell: Cell
) -> None:
    operation, moment, victim, is_destroyed_at_once = cell
    add_figures("kills", **{f"kills_of_the_{victim}_at_a_write_of_{operation}": 1})
    stack = (saved_before if operation == "up" else saved_after).open(emulator, tmp_path)
    if operation == "change":
        change(stack)
    killed = kill_at(stack, DESTROY if operation == "destroy" else UP, moment, victim)
    assert "Traceback" not in killed.output, killed.output
    if victim in ("CLI", "provider", "program"):
        assert killed.code != 0
    elif victim == "emulator":
        lines = [line for line in killed.errors() if line != "error: update failed"]
        assert all("again" in line or "start the emulator" in line for line in lines), killed.output
    if operation != "destroy" and not is_destroyed_at_once:
        stack.up()
        stack.assert_unchanged()
    stack.assert_destroy_restores_the_tenant()
    add_figures("kills", **{"of_all_these_end_as_before": 1})


LONG_WAITS = {
    "batch-100-s": (1, "100", 2),  # the user who is written first is not throttled, the batch is
    "user-100-s": (0, "100", 2),
    "batch-600-s": (1, "600", 1),
    "user-600-s": (0, "600", 1),
}
"""Writes of users that succeed, the Retry-After of the others, interrupts. A wait of more than two minutes is refused at
once; the engine waits for a shorter one after the first interrupt, and ends it after the second."""


@pytest.mark.torture
@pytest.mark.parametrize("wait", list(LONG_WAITS) if is_whole_run() else ["batch-100-s"])
def test_interrupted_while_graph_makes_it_wait(
    saved_before: SavedStack, emulator: Emulator, tmp_path: Path, wait: str
) -> None:
    """The engine takes 10 s to end its plugins, on an idle machine."""
    skip, seconds, interrupts = LONG_WAITS[wait]
    stack = saved_before.open(emulator, tmp_path)
    if wait.startswith("batch"):
        stack.config["users"] = {}
    else:
        del stack.config["usersFile"]
    throttled: Any = {"status": 429, "code": "TooManyRequests", "headers": {"Retry-After": seconds}}
    emulator.fault("refuse", *VALUE, times=-1, skip=skip, **throttled)
    interrupted = interrupt_wait(stack, UP, interrupts, seconds=40)
    assert interrupted.code != 0
    assert "Traceback" not in interrupted.output
    emulator.clear_faults()
    stack.up()  # no lock is left behind
    stack.assert_unchanged()
    stack.assert_destroy_restores_the_tenant()


@pytest.mark.torture
@pytest.mark.skipif(not is_whole_run(), reason="takes five minutes")
def test_the_language_host_of_a_killed_command_ends_by_itself(
    saved_before: SavedStack, emulator: Emulator, tmp_path: Path
) -> None:
    """It looks for its engine every five minutes, and ends once the program has ended."""
    stack = saved_before.open(emulator, tmp_path)
    kill_at(stack, UP, Moment(*POLICY), seconds_for_host=330)
    stack.assert_destroy_restores_the_tenant()
