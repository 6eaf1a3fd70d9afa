"""One operation of a stack, run once without a fault and then with each fault at each of its calls. A helper.

A cell is: the command with the fault, one more `up` without, `destroy`. What must hold is in `judge_*`.
"""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

from flexsaml.errors import UserError
from providers import TENANT
from tests.emulator.process import Emulator
from tests.engine.stack import seed
from tests.faults.catalogue import FAULTS, read_from_before, stale_read
from tests.faults.connection import ProxiedConnection
from tests.faults.proxy import Fault, FaultProxy, RecordedCall, Reply
from tests.faults.wishes import (
    LANGUAGES,
    MOVED,
    ROSTER,
    SMALLER,
    WITH_NUMBERS,
    WITH_TEAM,
    Rows,
    Wish,
    make_person_anew,
    prepare_tenant,
)
from tests.providers.miniature import Miniature, make_provider

GO_ON = re.compile(
    r"run the same command again|run `|check |grant |sign in|choose |correct |report it|give |set flexsaml:|"
    r"start the emulator|unassign|delete that"
)
"""What a line that says how to go on contains."""
REPORT = re.compile(r"flexsaml: \d+ findings, nothing of this component was changed:\n")
"""How a report of several findings begins; each has a line."""
MOST_REQUESTS = 3
"""Times the requests of the run without a fault."""


@dataclass(frozen=True)
class Operation:
    """A command on a stack that was brought to `start`; `goal` is what it asks for."""

    start: Wish | None
    command: str
    goal: Wish
    person_made_anew: str = ""
    """short name of a user who is deleted, and made anew under the same name, in front of the command"""


OPERATIONS = {
    "create": Operation(None, "up", WITH_TEAM),
    "no-op": Operation(WITH_TEAM, "up", WITH_TEAM),
    "change": Operation(LANGUAGES, "up", WITH_TEAM),
    "change back": Operation(WITH_TEAM, "up", LANGUAGES),
    "replace the property": Operation(WITH_TEAM, "up", WITH_NUMBERS),
    "replace the principal": Operation(WITH_TEAM, "up", MOVED),
    "replace the person": Operation(WITH_TEAM, "up", WITH_TEAM, person_made_anew="ada"),
    "refresh": Operation(WITH_TEAM, "refresh", WITH_TEAM),
    "destroy": Operation(WITH_TEAM, "destroy", WITH_TEAM),
    "bulk write": Operation(None, "up", ROSTER),
    "bulk change": Operation(ROSTER, "up", SMALLER),
    "bulk restore": Operation(ROSTER, "destroy", ROSTER),
    "adopt": Operation(WITH_TEAM, "adopt", WITH_TEAM),
}


@dataclass(frozen=True)
class Labelled:
    """A provider that says which step it takes."""

    provider: Any
    label: str
    note: Callable[[str], None]

    def __getattr__(self, name: str) -> Any:
        if name in ("create", "read", "update", "delete"):
            self.note(f"{self.label} {name}")
        return getattr(self.provider, name)


@dataclass(frozen=True)
class Cell:
    """One fault at one call."""

    fault: Fault
    call: int
    times: int = 1

    def __str__(self) -> str:
        return f"{self.fault.name}{f' × {self.times}' if self.times > 1 else ''} at call {self.call}"


@dataclass
class Matrix:
    """An operation and its run without a fault."""

    operation: Operation
    emulator: Emulator
    proxy: FaultProxy
    directory: Path
    connect: Callable[[str], ProxiedConnection] = ProxiedConnection.to
    make_provider: Callable[[str], Any] = make_provider
    calls: list[RecordedCall] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    """kind and verb of the step that made each call; "program" for those of preflight"""
    old_reads: dict[int, Fault] = field(default_factory=dict)
    """by number of the call; of an operation on a stack that exists"""
    problem: str = ""
    """what went wrong without a fault"""

    def __post_init__(self) -> None:
        wish = self.operation.start
        self.before = prepare_tenant(self.emulator)
        stack = Miniature(make_provider=self.make_provider)
        if wish is not None:
            assert self._command(stack, "up", wish) == ""
            assert wish.difference(Rows(self.emulator.export()), self.before) == ""
        if name := self.operation.person_made_anew:
            self.before = make_person_anew(self.emulator, name, self.before)
        self._start, self._tenant = stack, self.emulator.export()
        self._record()
        if wish is not None and self.operation.command != "adopt":  # which knows nothing of a stack
            self._read_before()

    def _record(self) -> None:
        """The run without a fault."""
        step = "program"

        def note(label: str) -> None:
            nonlocal step
            self.steps += [step] * (len(self.proxy.calls) - len(self.steps))
            step = label

        stack = self._open()
        stack.make_provider = lambda kind: Labelled(self.make_provider(kind), kind, note)
        self.proxy.clear()
        line = self._command(stack, self.operation.command, self.operation.goal, self.proxy.url)
        assert line == ""
        note("")
        self.calls = list(self.proxy.calls)
        self.problem = self._judge_success() or self._judge_rest(stack, "", destroys_at_once=False)

    def _read_before(self) -> None:
        """Ask the tenant in front of the stack what the operation asks."""
        seed(self.emulator, self.before.export)
        headers = {"ConsistencyLevel": "eventual"}
        for call in self.calls:
            if not call.is_write:
                version, _, path = call.path[1:].partition("/")
                body = json.loads(self.proxy.to_tenant(json.dumps(call.body).encode()))
                answer = self.emulator.graph(call.method, f"/{path}", body, headers=headers, version=version)
                old = Reply(answer.status, {"Content-Type": "application/json"}, self.proxy.to_product(answer.content))
                self.old_reads[call.number] = read_from_before(call, old)

    def _open(self) -> Miniature:
        """The stack and its tenant in front of the operation."""
        seed(self.emulator, self._tenant)
        stack = copy.deepcopy(self._start)
        stack.make_provider = self.make_provider
        return stack

    def _command(self, stack: Miniature, command: str, wish: Wish, url: str = "") -> str:
        """Run it against the tenant, or the proxy at `url`; the line that ended it, "" if none did."""
        TENANT.configure(self.connect(url or self.emulator.http))
        if command == "up":
            return stack.up(wish.program(self.emulator, self.directory)).refusal
        if command == "adopt":
            return self._adopt(stack)
        return (stack.refresh() if command == "refresh" else stack.destroy()).refusal

    @staticmethod
    def _adopt(stack: Miniature) -> str:
        """Look for the object of each resource in state, as an empty stack does that would import it."""
        for name, held in stack.state.items():
            provider = stack.make_provider(held.kind)
            try:
                adopted = provider.kind.adopt(TENANT.directory(), held.inputs)
            except UserError as problem:
                return str(problem)
            assert adopted is not None, f"{name} exists and is not adopted"
            assert adopted[0] == held.id, f"{name} is adopted as {adopted[0]}"
        return ""

    def cells(self) -> Iterator[Cell]:
        """Every fault at every call to which it applies: once, and two, three or four times in a row."""
        repetitions = cycle((2, 3, 4))
        for call in self.calls:
            for fault in [*FAULTS.values(), stale_read(self.calls, call.number), self.old_reads.get(call.number)]:
                if fault is None or not fault.applies(call):
                    continue
                yield Cell(fault, call.number)
                yield Cell(fault, call.number, 2 if is_believed_when_repeated(fault) else next(repetitions))

    def run_cell(self, cell: Cell) -> tuple[str, str]:
        """Outcome and problem: "succeeded", "stopped", or "" when the fault met no call; "" for no problem."""
        stack = self._open()
        self.proxy.arm(cell.fault, cell.call, cell.times)
        try:
            line = self._command(stack, self.operation.command, self.operation.goal, self.proxy.url)
        except Exception as error:  # noqa: BLE001 - a bug: the user would see a traceback
            return "crashed", f"{type(error).__name__}: {error}"
        finally:
            self.proxy.disarm()
        calls = list(self.proxy.calls)
        if not self.proxy.strikes:
            return "", ""
        problem = judge_line(line) or self._judge_calls(calls) or ("" if line else self._judge_success())
        rest = self._judge_rest(stack, line, destroys_at_once=cell.call % 2 == 1)
        return "stopped" if line else "succeeded", problem or rest

    def _judge_calls(self, calls: list[RecordedCall]) -> str:
        if len(calls) > MOST_REQUESTS * len(self.calls):
            return f"{len(calls)} requests in place of {len(self.calls)}"
        for write, times in (carried_out(calls) - carried_out(self.calls)).items():
            return f"carried out {times} times too often: {write}"
        return ""

    def _judge_success(self) -> str:
        """A command that reports success did what it was to do."""
        rows = Rows(self.emulator.export())
        if self.operation.command == "destroy":
            left = first_difference(self.before, rows)
            return f"destroy succeeded and left another tenant: {left}" if left else ""
        difference = self.operation.goal.difference(rows, self.before)
        return f"the command succeeded, yet {difference}" if difference else ""

    def _judge_rest(self, stack: Miniature, line: str, *, destroys_at_once: bool) -> str:
        """One more `up` and `destroy`, or, after a command that stopped, `destroy` alone."""
        if not (destroys_at_once and line):
            if failure := self._command(stack, "up", self.operation.goal):
                return f"{line} | the next up fails: {failure}"
            if difference := self.operation.goal.difference(Rows(self.emulator.export()), self.before):
                return f"{line} | after the next up {difference}"
        if failure := self._command(stack, "destroy", self.operation.goal):
            return f"{line} | destroy fails: {failure}"
        if difference := first_difference(self.before, Rows(self.emulator.export())):
            return f"{line} | destroy leaves another tenant: {difference}"
        return ""


def is_believed_when_repeated(fault: Fault) -> bool:
    """Three answers in a row that something is not there are believed, by design: so these are repeated once."""
    return "404" in fault.name or "from before" in fault.name


def judge_line(line: str) -> str:
    """An error is one line, and says how to go on; so does each finding of a report."""
    if not line:
        return ""
    if REPORT.match(line):
        errors = [entry for entry in line.split("\n  - ")[1:] if not entry.startswith(("warning: ", "info: "))]
        return next(filter(None, map(judge_line, errors)), "")
    if "\n" in line or not line.isprintable():
        return f"not one line: {line!r}"
    return "" if GO_ON.search(line) else f"does not say how to go on: {line}"


def carried_out(calls: list[RecordedCall]) -> Counter[str]:
    """The writes that must not be repeated, and how often the tenant carried each out."""
    return Counter(
        f"{call.method} {call.path} {json.dumps(call.body, sort_keys=True)}"
        for call in calls
        if call.is_write and call.method == "POST" and not call.is_batch and 200 <= call.tenant_status < 300
    )


def first_difference(before: Rows, after: Rows) -> str:
    for table, rows in before.export.items():
        others = after.export[table]
        if rows != others:
            new, missing = [row for row in others if row not in rows], [row for row in rows if row not in others]
            return f"{table}: new {str(new)[:300]}, missing {str(missing)[:300]}"
    return ""
