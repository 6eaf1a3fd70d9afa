"""What the commands cost: wall time and peak memory beside an empty program, on the same engine in the same run.

`make bench`. The base stack (1 property, 1 user, policy, assignment) against the emulator, at 0 and 50 ms added
latency; `empty` is a program of `import pulumi` and nothing else. Each figure is the median of ROUNDS whole
commands (`--skip-preview` where there is one). Memory is the largest resident set seen of each process, sampled
every 20 ms. Exits 1 when a figure is missed; writes docs/benchmarks.md.
"""

from __future__ import annotations

import os
import platform
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a script

from tests.emulator.process import Emulator
from tests.engine.processes import descendants
from tests.engine.stack import Stack, new_stack

ROUNDS = 5
HEADING = "# What the commands cost"
EMPTY = "import pulumi\n"
NOOP_MORE = 0.6  # seconds a no-op preview at 50 ms may cost more than the empty program's
PROVIDER_MB = 150
REPORT = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"

Row = tuple[str, float, dict[str, float]]


def role(command: str) -> str:
    if "pulumi.dynamic" in command:
        return "provider"
    return "program" if "pulumi-language-python-exec" in command else ""


def resident(pid: int) -> float:
    """Megabytes in memory now; 0 for a process that is gone."""
    listed = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return int(listed.stdout.strip() or 0) / 1024


def timed(stack: Stack, arguments: tuple[str, ...], *, memory: bool) -> tuple[float, dict[str, float]]:
    """Seconds of one command, and megabytes by process; sampling memory costs time, so it has a round of its own."""
    peaks: dict[str, float] = defaultdict(float)
    stack.write_config()
    started = time.perf_counter()
    process = subprocess.Popen(
        stack.command(*arguments), cwd=stack.checkout.directory, env=stack.environment, stdout=subprocess.DEVNULL
    )
    done = threading.Event()

    def sample() -> None:
        while not done.wait(0.02):
            for pid, name in [(process.pid, "cli"), *((pid, role(line)) for pid, line in descendants(process.pid))]:
                if name:
                    peaks[name] = max(peaks[name], resident(pid))

    sampler = threading.Thread(target=sample)
    if memory:
        sampler.start()
    code = process.wait()
    seconds = time.perf_counter() - started
    done.set()
    if memory:
        sampler.join()
    if code:
        raise SystemExit(f"pulumi {' '.join(arguments)} failed")
    return seconds, peaks


def measure(stack: Stack, name: str, arguments: tuple[str, ...], before: Callable[[], object] | None = None) -> Row:
    seconds, peaks = [], {}
    for number in range(ROUNDS + 1):
        if before:
            before()
        spent, seen = timed(stack, arguments, memory=number == ROUNDS)
        peaks = seen
        if number < ROUNDS:
            seconds.append(spent)
    return name, statistics.median(seconds), peaks


def commands(stack: Stack) -> list[Row]:
    up, destroy = ("up", "--yes", "--skip-preview"), ("destroy", "--yes", "--skip-preview")
    return [
        measure(stack, "preview", ("preview",)),
        measure(stack, "up", up, before=lambda: stack.ok(*destroy)),
        measure(stack, "no-op preview", ("preview", "--expect-no-changes")),
        measure(stack, "no-op up", up),
        measure(stack, "refresh", ("refresh", "--yes", "--skip-preview")),
        measure(stack, "destroy", destroy, before=lambda: stack.ok(*up)),
    ]


def run(latency: int) -> tuple[list[Row], list[Row]]:
    """Rows of the base stack and of the empty program."""
    with tempfile.TemporaryDirectory() as room, Emulator(Path(room), "--latency", str(latency)) as emulator:
        with new_stack(emulator, Path(room) / "empty", program=EMPTY) as stack:
            stack.config = {"servicePrincipal": "nobody"}
            empty = commands(stack)
        with new_stack(emulator, Path(room) / "base") as stack:
            return commands(stack), empty


def table(rows: list[Row], empty: list[Row]) -> list[str]:
    lines = [
        "| command | seconds | empty program | more | CLI MB | program MB | provider MB |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for (name, seconds, peaks), (_, base, _) in zip(rows, empty, strict=True):
        memory = " | ".join(f"{peaks[part]:.0f}" if part in peaks else "–" for part in ("cli", "program", "provider"))
        lines.append(f"| {name} | {seconds:.2f} | {base:.2f} | {seconds - base:+.2f} | {memory} |")
    return lines


def write_part(report: Path, heading: str, text: str) -> None:
    """Put a part of the report under its heading; the other parts stay."""
    found = re.split(r"(?m)^(?=# )", report.read_text()) if report.exists() else []
    kept = {part.partition("\n")[0]: part.strip() for part in found if part.strip()} | {heading: text.strip()}
    report.write_text("\n\n".join(kept.values()) + "\n")


def main() -> int:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored, it would cost 5 s a command
    engine = subprocess.run(["pulumi", "version"], capture_output=True, text=True, check=True).stdout.strip()
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    lines = [
        HEADING,
        "",
        f"`make bench` on {date.today()}: {machine}, engine {engine}; medians of {ROUNDS} whole commands, one run.",
        "The base stack is 1 extension, 1 user, policy and assignment against the emulator; the empty program is",
        "`import pulumi` and nothing else. Machines are noisy: compare within one run.",
    ]
    missed = []
    for latency in (0, 50):
        rows, empty = run(latency)
        lines += ["", f"## {latency} ms added to each request", "", *table(rows, empty)]
        more = rows[2][1] - empty[2][1]
        if latency == 50 and more > NOOP_MORE:
            missed.append(f"a no-op preview costs {more:.2f} s more than an empty one, at most {NOOP_MORE} are allowed")
        largest = max(peaks.get("provider", 0.0) for _, _, peaks in rows)
        if largest > PROVIDER_MB:
            missed.append(f"the provider took {largest:.0f} MB, at most {PROVIDER_MB} are allowed")
    text = "\n".join(lines) + "\n"
    write_part(REPORT, HEADING, text)
    print(text)
    print("\n".join(f"missed: {one}" for one in missed) or "every figure was kept")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
