"""What a prediction for everybody costs: `predict --all` beside its limits, for 10,000 users in a tenant of 30,000.
`make bench` runs it last; `python -m bench.signin` alone takes half a minute. 50 ms are added to each request; roles
come through one large and three small groups; each figure is the median of ROUNDS runs of the command. Exits 1 when a
limit is missed; writes its section of docs/benchmarks.md."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time

from bench.report import Figures, describe_run
from bench.rosters import LATENCY, emulate, paged_read
from tests.cli.command import stack_file
from tests.emulator import signin
from tests.emulator.process import REPOSITORY, Emulator
from tests.emulator.tenant import Tenant

HEADING = "# What a prediction for everybody costs"
ROUNDS, TENANT = 5, 30_000
GROUPS = (9_700, 100, 100, 100)
MOST_REQUESTS, MOST_PAGED_READS = 90, 8.0
POLICY = "03-twilio-flex-doc.json"


def run(emulator: Emulator, file: str) -> tuple[float, int, int]:
    """Seconds, requests and users of one command; a $batch is one request."""
    emulator.clear()
    started = time.perf_counter()
    command = [sys.executable, "-m", "flexsaml", "predict", "--all", "--json", "--file", file]
    process = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    if process.returncode == 2:
        raise SystemExit(process.stderr)
    requests = sum(not request["in_batch"] for request in emulator.requests())
    return seconds, requests, int(json.loads(process.stdout)["counts"]["users"])


def main() -> int:
    with emulate(TENANT, groups=GROUPS) as (emulator, room):
        signin.assign(Tenant(emulator), json.loads((signin.CORPUS / POLICY).read_text("utf-8")))
        file = stack_file(room, emulator, claims="")
        runs = [run(emulator, file) for _ in range(ROUNDS)]
        page_seconds = statistics.median(paged_read(emulator) for _ in range(3))
    seconds, requests = (statistics.median(figures) for figures in list(zip(*runs, strict=True))[:2])
    figures = Figures()
    what = f"`predict --all`, {runs[0][2]:,} users"
    figures.note(f"{what}: {seconds:.2f} s; a paged read of the tenant {page_seconds:.2f} s")
    figures.limit(f"{what}, over a paged read of the tenant", seconds / page_seconds, MOST_PAGED_READS)
    figures.limit("its requests, tokens among them", requests, MOST_REQUESTS)
    about = (
        f"{describe_run('bench/signin.py')}; medians of {ROUNDS} runs of the command. {TENANT:,} users in the tenant, "
        f"roles through groups of {', '.join(f'{size:,}' for size in GROUPS)}; {LATENCY} ms added to each request."
    )
    return figures.finish(HEADING, [about])


if __name__ == "__main__":
    sys.exit(main())
