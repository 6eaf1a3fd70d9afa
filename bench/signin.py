"""What a prediction for everybody costs: `predict --all` beside its limits, for 10,000 users in a tenant of 30,000.

`make bench` runs it last; alone it takes half a minute. 50 ms are added to each request; roles come through one large
and three small groups; each figure is the median of ROUNDS runs of the command. Exits 1 when a limit is missed; writes
its section of docs/benchmarks.md.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a script

from bench.report import Figures, describe_run, write_section
from bench.rosters import paged_read
from tests.emulator import signin
from tests.emulator.big import big_seed
from tests.emulator.process import Emulator
from tests.emulator.tenant import Tenant

PROJECT = Path(__file__).resolve().parent.parent
HEADING = "# What a prediction for everybody costs"
ROUNDS, LATENCY, TENANT = 5, 50, 30_000
GROUPS = (9_700, 100, 100, 100)
MOST_REQUESTS, MOST_PAGED_READS = 90, 8.0
POLICY = "03-twilio-flex-doc.json"


@contextmanager
def emulated() -> Iterator[tuple[Emulator, Path]]:
    """The tenant with the guide's policy assigned, and a stack file that names its principal."""
    with tempfile.TemporaryDirectory() as name:
        room = Path(name)
        (room / "seed.json").write_text(json.dumps(big_seed(TENANT, groups=GROUPS)))
        with Emulator(room, "--seed", str(room / "seed.json"), "--latency", str(LATENCY)) as emulator:
            signin.assign(Tenant(emulator), json.loads((signin.CORPUS / POLICY).read_text("utf-8")))
            keys = {"cloud": "loopback", "graphEndpoint": emulator.http, "loginEndpoint": emulator.http}
            lines = (f"  flexsaml:{key}: {value}" for key, value in {**keys, "servicePrincipal": "Twilio Flex"}.items())
            file = room / "Pulumi.dev.yaml"
            file.write_text("\n".join(["config:", *lines, ""]))
            yield emulator, file


def run(emulator: Emulator, file: Path) -> tuple[float, int, int]:
    """Seconds, requests and users of one command; a $batch is one request."""
    emulator.clear()
    started = time.perf_counter()
    command = [sys.executable, "-m", "flexsaml", "predict", "--all", "--json", "--file", str(file)]
    process = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    if process.returncode == 2:
        raise SystemExit(process.stderr)
    requests = sum(not request["in_batch"] for request in emulator.requests())
    return seconds, requests, int(json.loads(process.stdout)["counts"]["users"])


def main() -> int:
    with emulated() as (emulator, file):
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
    write_section(HEADING, [about, "", *figures.table()])
    return figures.finish()


if __name__ == "__main__":
    sys.exit(main())
