"""If this goes red, a large stack on a bad day loses values: something fails often, and nothing lasts.

A roster is made, changed, refreshed and destroyed again and again while one call in five meets a fault of the
catalogue, chosen by a seed. A command that stops is given again, as its line says, until it succeeds. In a whole run
the roster has 2,000 users and the soak lasts ten minutes.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from flexsaml.errors import UserError
from providers import TENANT, Connection
from tests.emulator.process import Emulator
from tests.faults.catalogue import FAULTS
from tests.faults.connection import ProxiedConnection
from tests.faults.matrix import first_difference, judge_line
from tests.faults.proxy import Fault, FaultProxy, RecordedCall
from tests.faults.wishes import Rows, Wish, agent, prepare_tenant
from tests.providers.miniature import Miniature
from tests.torture import add_figures, is_whole_run

USERS, SECONDS, SEED = (2000, 600.0, 13) if is_whole_run() else (60, 0.0, 13)
OUT_OF = 5
"""One call in so many meets a fault."""
MOST_TRIES = 60


class Soak:
    """One stack, and what happened to it."""

    def __init__(self, emulator: Emulator, proxy: FaultProxy, directory: Path) -> None:
        self.emulator, self.proxy, self.directory = emulator, proxy, directory
        self.chance = random.Random(SEED)  # noqa: S311
        self.before, self.stack = prepare_tenant(emulator, USERS), Miniature()
        self.wish = Wish(roster={agent(number): {"languages": "first"} for number in range(1, USERS + 1)})
        self.counts: Counter[str] = Counter()

    def choose_fault(self, call: RecordedCall) -> Fault | None:
        if self.chance.randrange(OUT_OF):
            return None
        return self.chance.choice([fault for fault in FAULTS.values() if fault.applies(call)])

    def edit(self) -> None:
        """A tenth of the users get another value; some leave, some come back."""
        rows = {user: dict(row) for user, row in self.wish.roster.items()}
        for number in self.chance.sample(range(1, USERS + 1), USERS // 10):
            if self.chance.randrange(5) == 0 and len(rows) > 2:
                rows.pop(agent(number), None)
            else:
                rows[agent(number)] = {"languages": f"v{self.chance.randrange(1000)}"}
        self.wish = replace(self.wish, roster=rows)

    def command(self, name: str) -> None:
        """Give the command until it succeeds."""
        self.counts["commands"] += 1
        self.proxy.clear()
        self.proxy.arm_each(self.choose_fault)
        for _ in range(MOST_TRIES):
            line = self._run(name)
            assert judge_line(line) == ""
            if not line:
                break
            self.counts["stopped_with_a_line_and_repeated"] += 1
        self.proxy.disarm()
        assert line == "", f"{name} did not succeed in {MOST_TRIES} tries"
        self.counts += Counter(requests=len(self.proxy.calls), faults=self.proxy.strikes)

    def _run(self, name: str) -> str:
        TENANT.configure(ProxiedConnection.to(self.proxy.url))
        try:
            if name == "up":
                return self.stack.up(self.wish.program(self.emulator, self.directory)).refusal
            return (self.stack.refresh() if name == "refresh" else self.stack.destroy()).refusal
        except UserError as problem:
            return str(problem)

    def assert_as_declared(self) -> None:
        rows = Rows(self.emulator.export())
        self._count(rows, self.wish.values(self.before))
        assert self.wish.difference(rows, self.before) == ""

    def assert_as_before(self) -> None:
        rows = Rows(self.emulator.export())
        self._count(rows, self.before.values())
        assert first_difference(self.before, rows) == ""

    def _count(self, rows: Rows, wanted: dict[str, dict[str, str]]) -> None:
        live = rows.values()
        self.counts["values_compared"] += sum(map(len, wanted.values()))
        self.counts["users_with_another_value"] += sum(live[user] != wanted[user] for user in wanted)


@pytest.mark.torture
def test_a_large_stack_on_a_bad_day_loses_nothing(emulator: Emulator, tmp_path: Path) -> None:
    started = time.monotonic()
    with FaultProxy(emulator.http) as proxy:
        soak = Soak(emulator, proxy, tmp_path)
        while True:
            for name in ("up", "edit", "up", "refresh", "edit", "up"):
                if name == "edit":
                    soak.edit()
                    continue
                soak.command(name)
                soak.assert_as_declared()
            soak.command("destroy")
            soak.assert_as_before()
            soak.counts["rounds"] += 1
            if time.monotonic() - started >= SECONDS:
                break
        TENANT.configure(Connection())
    assert soak.counts["faults"] > soak.counts["requests"] / OUT_OF / 2
    add_figures("soak", users=USERS, minutes=round((time.monotonic() - started) / 60), **soak.counts)
