"""What a roster costs: 1,000 to 100,000 users in one stack, beside what people use instead, in the same run; and what
`predict --all` costs. `make bench` runs it after commands.py; `python -m bench.rosters` alone takes about fifteen
minutes. 50 ms are added to each request, the tenant holds three times as many users as the roster, commands run with
--skip-preview. Baselines: "empty" is a program of `import pulumi`; the "loop" sends the same batches with `requests` at
the same concurrency and checks the statuses; a "paged read" lists the tenant with `requests`; the "script" is one
awaited PATCH per user with msgraph-sdk. Exits 1 when a limit is missed; writes its section of docs/benchmarks.md."""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from bench.commands import DESTROY, EMPTY, UP, Figures, describe_run, time_command
from flexsaml.graph import BULK_WORKERS
from tests.cli.command import stack_file
from tests.emulator import signin
from tests.emulator.big import big_seed, upn, user_id
from tests.emulator.process import Emulator
from tests.emulator.tenant import Tenant
from tests.engine.stack import PROJECT, Checkout, Stack, new_stack

LATENCY = 50
PREDICTIONS, GROUPS = 5, (9_700, 100, 100, 100)
QUOTA = 1.2  # times Graph's own: the floor for 10,000 writes is then 267 s
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
    """One command: seconds, megabytes of each process, and its requests."""

    seconds: float
    peaks: dict[str, float]
    log: list[dict[str, Any]]

    @property
    def requests(self) -> int:
        return sum(not request["in_batch"] for request in self.log)

    @property
    def writes(self) -> Counter[str]:
        done = (request for request in self.log if request["method"] == "PATCH" and request["status"] == 204)
        return Counter(request["path"].rpartition("/")[2] for request in done)


@contextmanager
def emulate(users: int, *arguments: str, groups: tuple[int, ...] = ()) -> Iterator[tuple[Emulator, Path]]:
    """A tenant of this many more users, roles through groups of these sizes, and the directory of its data."""
    with tempfile.TemporaryDirectory() as name:
        seed = Path(name, "seed.json")
        seed.write_text(json.dumps(big_seed(users, groups=groups)))
        with Emulator(seed.parent, "--seed", str(seed), "--latency", str(LATENCY), *arguments) as emulator:
            yield emulator, seed.parent


@contextmanager
def open_tenant(agents: int, *arguments: str) -> Iterator[Stack]:
    """A tenant three times the roster, and a stack with the roster file."""
    with emulate(3 * agents, *arguments) as (emulator, room):
        stack = Stack(Checkout(room / "checkout"), emulator, room)
        stack.init()
        stack.config |= {"users": {}, "usersFile": "agents.csv"}
        write_roster(stack, agents)
        yield stack


def write_roster(stack: Stack, agents: int, changed: int = 0) -> None:
    rows = "".join(f'{upn(n)},"{"fr" if n <= changed else "en,de"}"\n' for n in range(1, agents + 1))
    stack.checkout.write_roster(f"user,languages\n{rows}")


def run(stack: Stack, arguments: tuple[str, ...], *, memory: bool = False) -> Run:
    stack.emulator.clear()
    seconds, peaks = time_command(stack, arguments, memory=memory)
    return Run(seconds, peaks, stack.emulator.requests())


def time_median(stack: Stack, arguments: tuple[str, ...], rounds: int) -> float:
    return statistics.median(time_command(stack, arguments, memory=False)[0] for _ in range(rounds))


def read_pages(emulator: Emulator) -> float:
    """Seconds to list the tenant's users, one page after the other."""
    session, url = open_session(emulator), f"{emulator.http}/v1.0/users?$top=999&$select=id,userPrincipalName"
    started = time.perf_counter()
    while url:
        url = session.get(url).json().get("@odata.nextLink")
    return time.perf_counter() - started


def run_loop(emulator: Emulator, full: str, agents: int) -> float:
    """Seconds for the same batches at the same concurrency, statuses checked."""
    session = open_session(emulator)
    item = {"method": "PATCH", "headers": {"Content-Type": "application/json"}, "body": {full: "en,de"}}

    def send(start: int) -> None:
        numbers = range(start, min(start + 20, agents + 1))
        items = [{"id": str(n), "url": f"/users/{user_id(n)}", **item} for n in numbers]
        answer = session.post(f"{emulator.http}/v1.0/$batch", json={"requests": items})
        assert all(item["status"] == 204 for item in answer.json()["responses"]), answer.text[:400]

    started = time.perf_counter()
    with ThreadPoolExecutor(BULK_WORKERS) as pool:
        list(pool.map(send, range(1, agents + 1, 20)))
    return time.perf_counter() - started


def open_session(emulator: Emulator) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=BULK_WORKERS))
    session.headers["Authorization"] = f"Bearer {emulator.token()}"
    return session


def run_script(emulator: Emulator, full: str, at_once: int, first: int, last: int) -> float:
    """Users a second of a msgraph-sdk script."""
    arguments = [f"{emulator.http}/v1.0", emulator.token(), full, str(at_once), str(first), str(last)]
    command = [sys.executable, "-m", "bench.strangers", *arguments]
    process = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    return (last - first) / float(process.stdout)


def measure_new_users(figures: Figures) -> None:
    """10,000 new users with the quota off, and what the same costs otherwise."""
    agents = 10_000
    with emulate(0) as (emulator, room), new_stack(emulator, room / "empty", EMPTY) as empty_stack:
        empty = time_median(empty_stack, UP, 5)
    with open_tenant(agents) as stack:
        first = run(stack, UP)
        full = stack.tenant().full("languages")
        stack.ok(*DESTROY)
        seconds = statistics.median([first.seconds, run(stack, UP).seconds])
        reads = statistics.median(read_pages(stack.emulator) for _ in range(3))
        batches = run_loop(stack.emulator, full, agents)
        sequential = run_script(stack.emulator, full, 1, 1, 1000)
        together = run_script(stack.emulator, full, 16, 1, 2000)
    floor = 3 * empty + 3 * reads + batches
    figures.limit("`up`, 10,000 new users, over 3 empty `up` + 3 paged reads + loop", seconds / floor, 1)
    figures.limit("the same, over the script's time", seconds / (agents / sequential), 1 / 40)
    figures.limit("writes sent twice", max(first.writes.values()) - 1, 0)
    figures.note(
        f"in the same run: `up` {seconds:.1f} s, empty `up` {empty:.2f} s, paged read {reads:.2f} s, "
        f"loop {batches:.1f} s ({BULK_WORKERS} at once), script {agents / sequential:.0f} s (from 1,000 users), "
        f"the same with asyncio, 16 at once, {agents / together:.0f} s (from 2,000)"
    )
    with open_tenant(1000) as stack:
        stack.ok(*UP)
        full = stack.tenant().full("languages")
        checkout = Checkout(stack.directory / "single", PROGRAM_PER_USER)
        per_user = Stack(checkout, stack.emulator, stack.directory, "single")
        write_roster(per_user, 1000)
        write_roster(stack, 1000, changed=1000)
        bulk = run(stack, UP).seconds
        per_user.init()
        per_user.config = {"servicePrincipal": "Twilio Flex", "policyName": full}
        single = run(per_user, UP).seconds
    figures.note(f"1,000 users: one resource each {single:.1f} s, one roster {bulk:.1f} s")


def measure_under_quota(figures: Figures) -> None:
    """An `up` of 10,000 new users while the emulator refuses writes beyond a quota, as Graph does."""
    agents = 10_000
    with open_tenant(agents, "--quota", str(QUOTA)) as stack:
        up = run(stack, UP)
    floor = (agents - 3000 * QUOTA) / (20 * QUOTA)
    what = f"`up`, 10,000 new users at {QUOTA} times Graph's quota, over the quota's floor of {floor:.0f} s"
    figures.limit(what, up.seconds / floor, 1.05)
    refused = sum(request["status"] == 429 for request in up.log)
    figures.limit("the same: share of requests answered 429", refused / len(up.log), 0.01)
    figures.limit("the same: writes carried out twice", max(up.writes.values()) - 1, 0)


MOST = {10_000: (2.0, 1.3, 2.5), 100_000: (5.0, 2.2, 8.5)}
"""Users to the most that memory, and a no-op preview without and with preflight, may cost over 10 users."""


def measure_without_change(figures: Figures) -> None:
    """No-op previews, refresh, one changed user, memory, and how it grows."""
    few: tuple[float, float, float] | None = None
    for agents in (10, 1000, 10_000, 100_000):
        with open_tenant(agents) as stack:
            up = run(stack, UP, memory=True)
            rounds, previews = 3 if agents < 100_000 else 2, {}
            for preflight in (True, False):
                stack.config["preflight"] = preflight
                stack.ok(*UP)  # so that the preview has nothing to change
                previews[preflight] = time_median(stack, ("preview", "--expect-no-changes"), rounds)
            stack.config["preflight"] = True
            refresh = run(stack, ("refresh", "--yes", "--skip-preview"))
            write_roster(stack, agents, changed=1)
            change = run(stack, UP)
        peaks = ", ".join(f"{process} {megabytes:.0f}" for process, megabytes in sorted(up.peaks.items()))
        figures.note(
            f"{agents:,} users: `up` {up.seconds:.1f} s, no-op preview {previews[True]:.1f} s "
            f"({previews[False]:.1f} s without preflight), refresh {refresh.seconds:.1f} s in "
            f"{refresh.requests} requests, one changed {change.seconds:.1f} s; peak MB: {peaks}"
        )
        figures.limit(f"writes for one changed user of {agents:,}", change.writes.total(), 1)
        if agents == 10_000:
            figures.limit("requests of a refresh of 10,000 in a tenant of 30,000", refresh.requests, 40)
        many = max(up.peaks.values()), previews[False], previews[True]
        few = few or many
        names = "largest process", "no-op preview without preflight", "no-op preview with preflight"
        for name, figure, base, at_most in zip(names, many, few, MOST.get(agents, ()), strict=False):
            figures.limit(f"{name}, {agents:,} users, over 10 users", figure / base, at_most)


def run_predict(emulator: Emulator, file: str) -> tuple[float, int, int]:
    """Seconds, requests and users of one `predict --all`; a $batch is one request."""
    emulator.clear()
    started = time.perf_counter()
    command = [sys.executable, "-m", "flexsaml", "predict", "--all", "--json", "--file", file]
    process = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    if process.returncode == 2:
        raise SystemExit(process.stderr)
    sent = sum(not request["in_batch"] for request in emulator.requests())
    return seconds, sent, int(json.loads(process.stdout)["counts"]["users"])


def measure_predictions(figures: Figures) -> None:
    """`predict --all` for 10,000 users in a tenant of 30,000, roles through one large and three small groups."""
    with emulate(30_000, groups=GROUPS) as (emulator, room):
        signin.assign(Tenant(emulator), json.loads((signin.CORPUS / "03-twilio-flex-doc.json").read_text("utf-8")))
        file = stack_file(room, emulator, claims="")
        runs = [run_predict(emulator, file) for _ in range(PREDICTIONS)]
        page_seconds = statistics.median(read_pages(emulator) for _ in range(3))
    seconds, sent = (statistics.median(figures) for figures in list(zip(*runs, strict=True))[:2])
    what = f"`predict --all`, {runs[0][2]:,} users"
    figures.note(f"{what}: {seconds:.2f} s; a paged read of the tenant {page_seconds:.2f} s")
    figures.limit(f"{what}, over a paged read of the tenant", seconds / page_seconds, 8.0)
    figures.limit("its requests, tokens among them", sent, 90)


SECTIONS = {
    "# What a roster costs": (
        f"{LATENCY} ms added to each request,\nthe tenant three times the roster, `--skip-preview`. Baselines "
        "are defined in `bench/rosters.py`.\nMachines are noisy: compare within one run.",
        (measure_new_users, measure_without_change, measure_under_quota),
    ),
    "# What a prediction for everybody costs": (
        f"medians of {PREDICTIONS} runs of the command. 30,000 users in the tenant, roles through groups of "
        f"{', '.join(f'{size:,}' for size in GROUPS)}; {LATENCY} ms added to each request.",
        (measure_predictions,),
    ),
}
"""Heading in docs/benchmarks.md to how its figures are measured, and the measurements."""


def main() -> int:
    missed = 0
    for heading, (about, measurements) in SECTIONS.items():
        figures = Figures()
        for measure in measurements:
            measure(figures)
        missed |= figures.finish(heading, [f"{describe_run('make bench')}; {about}"])
    return missed


if __name__ == "__main__":
    sys.exit(main())
