"""What a roster costs: 1,000 to 100,000 users in one stack, beside what people use instead, in the same run.

`make bench` runs it after commands.py; `python bench/rosters.py` alone takes about fifteen minutes. 50 ms are added to
each request, the tenant holds three times as many users as the roster, commands run with --skip-preview. Baselines:
"empty" is a program of `import pulumi`; the "loop" sends the same batches with `requests` at the same concurrency and
checks the statuses; a "paged read" lists the tenant with `requests`; the "script" is one awaited PATCH per user with
msgraph-sdk. Exits 1 when a figure is missed; writes its part of docs/benchmarks.md.
"""

from __future__ import annotations

import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a script

import requests

from bench.commands import EMPTY, REPORT, timed, write_part
from flexsaml.graph import BULK_WORKERS
from tests.emulator.big import big_seed, upn, user_id
from tests.emulator.process import Emulator
from tests.engine.stack import Checkout, Stack

HEADING = "# What a roster costs"
LATENCY = 50
QUOTA = 1.2  # times Graph's own: the floor for 10,000 writes is then 267 s
UP, DESTROY = ("up", "--yes", "--skip-preview"), ("destroy", "--yes", "--skip-preview")
PROGRAM_PER_USER = """\
import pulumi
from providers import UserExtensionValue
full = pulumi.Config("flexsaml").require("policyName")  # any key will do
for line in open("agents.csv"):
    user, _, value = line.strip().partition(",")
    if user != "user":
        values, types, extensions = {full: value.strip('"')}, {full: "String"}, {full: "x/y"}
        UserExtensionValue(user, user=user, values=values, types=types, extensions=extensions)
"""


@dataclass
class Run:
    """One command: seconds, megabytes of each process, what it asked."""

    seconds: float
    peaks: dict[str, float]
    log: list[dict[str, Any]]

    @property
    def requests(self) -> int:
        return sum(not one["in_batch"] for one in self.log)

    @property
    def writes(self) -> Counter[str]:
        done = (one for one in self.log if one["method"] == "PATCH" and one["status"] == 204)
        return Counter(one["path"].rpartition("/")[2] for one in done)

    @property
    def refused(self) -> int:
        return sum(one["status"] == 429 for one in self.log)


@dataclass
class Figures:
    """Lines of the report, and the figures that were missed."""

    lines: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    def hold(self, what: str, found: float, limit: float, unit: str = "s") -> None:
        kept = found <= limit
        self.lines.append(
            f"| {what} | {_shown(found, unit)} | {_shown(limit, unit)} | {'kept' if kept else '**missed**'} |"
        )
        print(self.lines[-1], flush=True)
        if not kept:
            self.missed.append(f"{what}: {found:.2f} {unit}, at most {limit:.2f} are allowed")


def _shown(value: float, unit: str) -> str:
    return f"{value:,.2f} {unit}" if unit else f"{value:.4g}"


@contextmanager
def tenant(agents: int, *arguments: str, latency: int = LATENCY) -> Iterator[tuple[Emulator, Stack]]:
    """A tenant three times the roster, and a stack with the roster file."""
    with tempfile.TemporaryDirectory() as name:
        room = Path(name)
        (room / "seed.json").write_text(json.dumps(big_seed(3 * agents)))
        with Emulator(room, "--seed", str(room / "seed.json"), "--latency", str(latency), *arguments) as emulator:
            stack = Stack(Checkout(room / "checkout"), emulator, room)
            stack.init()
            stack.config |= {"users": {}, "usersFile": "agents.csv"}
            roster(stack, agents)
            yield emulator, stack


def roster(stack: Stack, agents: int, changed: int = 0) -> None:
    rows = "".join(f'{upn(n)},"{"fr" if n <= changed else "en,de"}"\n' for n in range(1, agents + 1))
    (stack.checkout.directory / "agents.csv").write_text(f"user,languages\n{rows}")


def run(emulator: Emulator, stack: Stack, arguments: tuple[str, ...], *, memory: bool = False) -> Run:
    emulator.clear()
    seconds, peaks = timed(stack, arguments, memory=memory)
    return Run(seconds, peaks, emulator.requests())


def median(emulator: Emulator, stack: Stack, arguments: tuple[str, ...], rounds: int = 3) -> float:
    return statistics.median(run(emulator, stack, arguments).seconds for _ in range(rounds))


def empty_up() -> float:
    with tempfile.TemporaryDirectory() as name, Emulator(Path(name)) as emulator:
        stack = Stack(Checkout(Path(name) / "checkout", EMPTY), emulator, Path(name))
        stack.init()
        return median(emulator, stack, UP, 5)


def paged_read(emulator: Emulator) -> float:
    """Seconds to list the tenant's users, one page after the other."""
    session, url = _session(emulator), f"{emulator.http}/v1.0/users?$top=999&$select=id,userPrincipalName"
    started = time.perf_counter()
    while url:
        page = session.get(url).json()
        url = page.get("@odata.nextLink")
    return time.perf_counter() - started


def loop(emulator: Emulator, full: str, agents: int) -> float:
    """Seconds for the same batches at the same concurrency, statuses checked."""
    session = _session(emulator)

    def send(start: int) -> None:
        items = [
            {
                "id": str(n),
                "method": "PATCH",
                "url": f"/users/{user_id(n)}",
                "headers": {"Content-Type": "application/json"},
                "body": {full: "en,de"},
            }
            for n in range(start, min(start + 20, agents + 1))
        ]
        answer = session.post(f"{emulator.http}/v1.0/$batch", json={"requests": items})
        assert all(one["status"] == 204 for one in answer.json()["responses"]), answer.text[:400]

    started = time.perf_counter()
    with ThreadPoolExecutor(BULK_WORKERS) as pool:
        list(pool.map(send, range(1, agents + 1, 20)))
    return time.perf_counter() - started


def _session(emulator: Emulator) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=BULK_WORKERS))
    session.headers["Authorization"] = f"Bearer {emulator.token()}"
    return session


def script(emulator: Emulator, full: str, at_once: int, first: int, last: int) -> float:
    """Users a second of a msgraph-sdk script."""
    command = [sys.executable, str(Path(__file__).with_name("strangers.py")), f"{emulator.http}/v1.0", emulator.token()]
    found = subprocess.run(
        [*command, full, str(at_once), str(first), str(last)], capture_output=True, text=True, check=True
    )
    return (last - first) / float(found.stdout)


def new_users(figures: Figures) -> None:
    """10,000 new users with the quota off, and what the same costs otherwise."""
    agents = 10_000
    empty = empty_up()
    with tenant(agents) as (emulator, stack):
        first = run(emulator, stack, UP)
        full = stack.tenant().full("languages")
        stack.ok(*DESTROY)
        second = run(emulator, stack, UP)
        found = statistics.median([first.seconds, second.seconds])
        reads = statistics.median(paged_read(emulator) for _ in range(3))
        batches = loop(emulator, full, agents)
        sequential = script(emulator, full, 1, 1, 1000)
        together = script(emulator, full, 16, 1, 2000)
        figures.hold(
            "`up`, 10,000 new users (limit: empty + 3 paged reads + loop + 2 s)", found, empty + 3 * reads + batches + 2
        )
        figures.hold(
            "the same, as a share of the script's time (limit 1/40)", found / (agents / sequential), 1 / 40, ""
        )
        figures.hold("writes sent twice", float(max(first.writes.values()) - 1), 0, "")
        figures.lines.append(
            f"| in the same run: empty `up` {empty:.2f} s, paged read {reads:.2f} s, "
            f"loop {batches:.1f} s ({BULK_WORKERS} at once), script {agents / sequential:.0f} s (from 1,000 users), "
            f"the same with asyncio, 16 at once, {agents / together:.0f} s (from 2,000) | | | |"
        )
    with tenant(1000) as (emulator, stack):
        stack.ok(*UP)
        full = stack.tenant().full("languages")
        one = Stack(Checkout(stack.room / "single", PROGRAM_PER_USER), emulator, stack.room, "single")
        (one.checkout.directory / "agents.csv").write_text((stack.checkout.directory / "agents.csv").read_text())
        roster(stack, 1000, changed=1000)
        bulk = run(emulator, stack, UP).seconds
        one.init()
        one.config = {"servicePrincipal": "Twilio Flex", "policyName": full}
        single = run(emulator, one, UP).seconds
        figures.lines.append(f"| 1,000 users: one resource each {single:.1f} s, one roster {bulk:.1f} s | | | |")


def under_quota(figures: Figures) -> None:
    agents = 10_000
    with tenant(agents, "--quota", str(QUOTA)) as (emulator, stack):
        found = run(emulator, stack, UP)
        floor = (agents - 3000 * QUOTA) / (20 * QUOTA)
        what = f"`up`, 10,000 new users at {QUOTA} times Graph's quota (limit: 1.05 times its floor of {floor:.0f} s)"
        figures.hold(what, found.seconds, 1.05 * floor)
        figures.hold("the same: share of requests answered 429", found.refused / len(found.log), 0.01, "")
        figures.hold("the same: writes carried out twice", float(max(found.writes.values()) - 1), 0, "")


def no_change(figures: Figures) -> None:
    """No-op previews, refresh, one changed user, memory, and how it grows."""
    previews: dict[tuple[int, bool], float] = {}
    for agents in (10, 1000, 10_000, 100_000):
        with tenant(agents) as (emulator, stack):
            up = run(emulator, stack, UP, memory=True)
            rounds = 3 if agents < 100_000 else 2
            for preflight in (True, False):
                stack.config["preflight"] = preflight
                stack.ok(*UP)  # as a stack is that has always been so
                previews[agents, preflight] = median(emulator, stack, ("preview", "--expect-no-changes"), rounds)
            stack.config["preflight"] = True
            refresh = run(emulator, stack, ("refresh", "--yes", "--skip-preview"))
            roster(stack, agents, changed=1)
            one = run(emulator, stack, UP)
            peaks = ", ".join(f"{part} {up.peaks.get(part, 0):.0f}" for part in ("cli", "program", "provider"))
            figures.lines.append(
                f"| {agents:,} users: `up` {up.seconds:.1f} s, no-op preview {previews[agents, True]:.1f} s "
                f"({previews[agents, False]:.1f} s without preflight), refresh {refresh.seconds:.1f} s in "
                f"{refresh.requests} requests, one changed {one.seconds:.1f} s; peak MB: {peaks} | | | |"
            )
            print(figures.lines[-1], flush=True)
            figures.hold(f"writes for one changed user of {agents:,}", float(one.writes.total()), 1, "")
            if agents == 10_000:
                figures.hold("requests of a refresh of 10,000 in a tenant of 30,000", refresh.requests, 40, "")
            if agents >= 10_000:
                limit = 200 if agents == 10_000 else 500
                figures.hold(f"largest process at {agents:,} users", max(up.peaks.values()), limit, "MB")
                few = previews[10, False], previews[10, True]
                more = (0.5, 3.0) if agents == 10_000 else (2.0, 15.0)
                for index, preflight in enumerate((False, True)):
                    mode = "with" if preflight else "without"
                    what = f"no-op preview, {agents:,} users, {mode} preflight, over 10 users"
                    figures.hold(what, previews[agents, preflight] - few[index], more[index])


def main() -> int:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored, it would cost 5 s a command
    parts: dict[str, Callable[[Figures], None]] = {"new": new_users, "none": no_change, "quota": under_quota}
    figures = Figures()
    for name in sys.argv[1:] or parts:
        parts[name](figures)
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    text = "\n".join(
        [
            HEADING,
            "",
            f"`make bench` on {date.today()}: {machine}; {LATENCY} ms added to each request,",
            "the tenant three times the roster, `--skip-preview`. Baselines are defined in `bench/rosters.py`.",
            "Machines are noisy: compare within one run.",
            "",
            "| what | found | at most | |",
            "|---|--:|--:|---|",
            *figures.lines,
            "",
        ]
    )
    if not sys.argv[1:]:
        write_part(REPORT, HEADING, text)
    print(text)
    print("\n".join(f"missed: {one}" for one in figures.missed) or "every figure was kept")
    return 1 if figures.missed else 0


if __name__ == "__main__":
    sys.exit(main())
