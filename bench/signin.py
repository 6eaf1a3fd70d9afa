"""What a prediction for everybody costs: `predict --all` beside its limits, for 10,000 users in a tenant of 30,000.

`make bench` runs it last; alone it takes half a minute. 50 ms are added to each request; roles come through one large
and three small groups; each figure is the median of ROUNDS whole commands. Exits 1 when a figure is missed; writes its
part of docs/benchmarks.md.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a script

from bench.commands import REPORT, write_part
from tests.emulator import signin
from tests.emulator.big import big_seed
from tests.emulator.process import Emulator
from tests.emulator.tenant import Tenant

ROOT = Path(__file__).resolve().parent.parent
HEADING = "# What a prediction for everybody costs"
ROUNDS, LATENCY, TENANT = 5, 50, 30_000
GROUPS = (9_700, 100, 100, 100)
MOST_REQUESTS, MOST_SECONDS = 90, 15.0
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
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    if found.returncode == 2:
        raise SystemExit(found.stderr)
    requests = sum(not one["in_batch"] for one in emulator.requests())
    return seconds, requests, int(json.loads(found.stdout)["counts"]["users"])


def main() -> int:
    with emulated() as (emulator, file):
        runs = [run(emulator, file) for _ in range(ROUNDS)]
    seconds, requests = (statistics.median(one[at] for one in runs) for at in (0, 1))
    rows = [
        (
            f"`predict --all`, {runs[0][2]:,} users",
            f"{seconds:.2f} s",
            f"{MOST_SECONDS:.0f} s",
            seconds <= MOST_SECONDS,
        ),
        ("its requests, tokens among them", f"{requests:.0f}", f"{MOST_REQUESTS}", requests <= MOST_REQUESTS),
    ]
    lines = [f"| {what} | {found} | {most} | {'kept' if kept else '**missed**'} |" for what, found, most, kept in rows]
    print("\n".join(lines))
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    groups = ", ".join(f"{size:,}" for size in GROUPS)
    about = (
        f"`bench/signin.py` on {date.today()}: {machine}; medians of {ROUNDS} whole commands. {TENANT:,} users in "
        f"the tenant, roles through groups of {groups}; {LATENCY} ms added to each request."
    )
    table = ["| what | found | at most | |", "|---|--:|--:|---|", *lines]
    write_part(REPORT, HEADING, "\n".join([HEADING, "", about, "", *table]))
    return 0 if all(kept for *_, kept in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
