"""What the commands cost: wall time and peak memory beside an empty program, on the same engine in the same run. `make
bench` runs it first; `python -m bench.commands` alone. The base stack (1 property, 1 user, policy, assignment) runs
against the emulator, at 0 and 50 ms added latency; `empty` is a program of `import pulumi` and nothing else. Each
figure is the median of ROUNDS runs of a command, the two stacks in turn. Memory is the largest resident set of each
process, sampled every 20 ms. Exits 1 when a limit is missed; writes its section of docs/benchmarks.md."""

import os
import platform
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from tests.emulator.process import Emulator
from tests.engine.host import HostProject
from tests.engine.processes import descendants
from tests.engine.stack import BASE, Stack, new_stack, seed
from tests.wheel import install_wheel

signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored, it would cost 5 s a command
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # users have cached bytecode

REPORT = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
ROUNDS = 5
HEADING = "# What the commands cost"
EMPTY = "import pulumi\n"
HOST = f"""
from flexsaml.components import start_early
directory = start_early({BASE["servicePrincipal"]!r})
from flexsaml.components import FlexSamlClaims, FlexSamlClaimsArgs
FlexSamlClaims("flex", FlexSamlClaimsArgs(
    service_principal={BASE["servicePrincipal"]!r}, claims={BASE["claims"]!r}, extensions={BASE["extensions"]!r},
    users={BASE["users"]!r}, policy_name="Flex of a host program",
), directory=directory)
"""
"""With `start_early`, as README recommends for a program of another project."""
UP, DESTROY = ("up", "--yes", "--skip-preview"), ("destroy", "--yes", "--skip-preview")
NO_OP_PREVIEW = "no-op preview"
COMMANDS: dict[str, tuple[tuple[str, ...], tuple[str, ...] | None]] = {
    "preview": (("preview",), None), "up": (UP, DESTROY),
    NO_OP_PREVIEW: (("preview", "--expect-no-changes"), None), "no-op up": (UP, None),
    "refresh": (("refresh", "--yes", "--skip-preview"), None), "destroy": (DESTROY, UP),
}  # fmt: skip
"""Name to the command, and the one that has to run before each round."""
PROCESSES = {"program": "pulumi-language-python-exec", "provider": "pulumi.dynamic"}  # what its command line contains
Peaks = dict[str, float]  # process (cli, program, provider) to megabytes
Measured = dict[str, tuple[float, Peaks]]  # name of a command to seconds and memory


@dataclass
class Figures:
    """Rows of a table `what | figure | at most | kept`, and the limits that were missed."""

    rows: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    def note(self, text: str, rest: str = " | | |") -> None:
        """A row without a limit."""
        self.rows.append(f"| {text} |{rest}")
        print(self.rows[-1], flush=True)

    def limit(self, what: str, figure: float, at_most: float) -> None:
        """A row with a limit: a ratio of two figures of this run, or a count."""
        verdict = "kept" if figure <= at_most else "**missed**"
        self.note(what, f" {figure:.4g} | {at_most:.4g} | {verdict} |")
        if figure > at_most:
            self.missed.append(f"{what}: {figure:.4g}, at most {at_most:.4g}")

    def finish(self, heading: str, about: list[str]) -> int:
        """Replace the section of the document under this heading; print what was missed; return the exit status."""
        sections = re.split(r"(?m)^(?=# )", REPORT.read_text())
        by_heading = {section.partition("\n")[0]: section.strip() for section in sections if section.strip()}
        table = ["| what | figure | at most | |", "|---|--:|--:|---|", *self.rows]
        by_heading[heading] = "\n".join([heading, "", *about, "", *table])
        REPORT.write_text("\n\n".join(by_heading.values()) + "\n")
        print("\n".join(f"missed: {what}" for what in self.missed) or "every limit was kept")
        return 1 if self.missed else 0


def describe_run(command: str) -> str:
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"`{command}` on {date.today()}: {machine}"


def sample_memory(cli: int, peaks: Peaks) -> None:
    """Raise the peaks to what the CLI and its processes use now."""
    children = descendants(cli)
    pids = [(name, pid) for name, text in PROCESSES.items() for pid, line in children if text in line]
    for name, pid in [("cli", cli), *pids]:
        ps = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=False)
        megabytes = int(ps.stdout.strip() or 0) / 1024  # nothing for a process that has ended
        peaks[name] = max(peaks[name], megabytes)


def time_command(stack: Stack, arguments: tuple[str, ...], *, memory: bool) -> tuple[float, Peaks]:
    """Seconds and memory of one command. Sampling memory costs time, so it has a round of its own."""
    peaks: Peaks = defaultdict(float)
    stack.write_config()
    started = time.perf_counter()
    command, directory = stack.command(*arguments), stack.checkout.directory
    process = subprocess.Popen(command, cwd=directory, env=stack.environment, stdout=subprocess.DEVNULL)
    while memory and process.poll() is None:
        sample_memory(process.pid, peaks)
        time.sleep(0.02)
    code = process.wait()
    seconds = time.perf_counter() - started
    if code:
        raise SystemExit(f"pulumi {' '.join(arguments)} failed")
    return seconds, peaks


def measure(stacks: list[Stack]) -> list[Measured]:
    """Every command in every stack. The stacks take turns, so that a slow moment of the machine hits all of them."""
    measured: list[Measured] = [{} for _ in stacks]
    for name, (arguments, before) in COMMANDS.items():
        runs: list[list[tuple[float, Peaks]]] = [[] for _ in stacks]
        for number in range(ROUNDS + 1):
            for stack, results in zip(stacks, runs, strict=True):
                if before:
                    stack.ok(*before)
                results.append(time_command(stack, arguments, memory=number == ROUNDS))
        for figures, (*timed, (_, peaks)) in zip(measured, runs, strict=True):
            figures[name] = statistics.median(seconds for seconds, _ in timed), peaks
    return measured


def run(latency: int) -> list[Measured]:
    """The base stack, the empty program, and the base stack as a program of another project that uses the wheel."""
    with (
        tempfile.TemporaryDirectory() as directory,
        Emulator(Path(directory), "--latency", str(latency)) as emulator,
        new_stack(emulator, Path(directory, "base")) as base,
        new_stack(emulator, Path(directory, "empty"), program=EMPTY) as empty,
        Emulator(Path(directory, "tenant-of-host"), "--latency", str(latency)) as tenant_of_host,
    ):
        empty.config = {"servicePrincipal": "nobody"}
        host_directory, wheel_directory = Path(directory, "host"), Path(directory, "wheel")
        host_directory.mkdir()
        wheel_directory.mkdir()
        seed(tenant_of_host)
        host = Stack(HostProject(host_directory / "platform", HOST), tenant_of_host, host_directory)
        host.config, host.identity = {}, {"PYTHONPATH": str(install_wheel(wheel_directory))}
        host.init()
        return measure([base, empty, host])


def format_table(base: Measured, empty: Measured, host: Measured) -> list[str]:
    """The lines of the Markdown table: a row for each command, with seconds, and megabytes of each process."""
    lines = ["| command | seconds | empty program | ratio | with the wheel | CLI MB | program MB | provider MB |"]
    lines.append("|---|--:|--:|--:|--:|--:|--:|--:|")
    for command, (seconds, peaks) in base.items():
        baseline = empty[command][0]
        times = (f"{figure:.2f}" for figure in (seconds, baseline, seconds / baseline, host[command][0]))
        memory = (f"{peaks[name]:.0f}" if name in peaks else "–" for name in ("cli", *PROCESSES))
        lines.append(f"| {command} | {' | '.join([*times, *memory])} |")
    return lines


def main() -> int:
    engine = subprocess.run(["pulumi", "version"], capture_output=True, text=True, check=True).stdout.strip()
    lines = [
        f"{describe_run('make bench')}, engine {engine}; medians of {ROUNDS} runs of each command, in turn.",
        "The base stack is 1 extension, 1 user, policy and assignment against the emulator; the empty program is",
        "`import pulumi` and nothing else; with the wheel, the base stack is a program of another project, which calls",
        "`start_early`. Machines are noisy: compare within one run.",
    ]
    figures = Figures()
    for latency in (0, 50):
        base, empty, host = run(latency)
        lines += ["", f"## {latency} ms added to each request", "", *format_table(base, empty, host)]
        if latency:
            ratio = base[NO_OP_PREVIEW][0] / empty[NO_OP_PREVIEW][0]
            figures.limit(f"no-op preview at {latency} ms, over the empty program", ratio, 1.5)
            ratio = host[NO_OP_PREVIEW][0] / base[NO_OP_PREVIEW][0]
            figures.limit(
                f"no-op preview at {latency} ms in a program that uses the wheel, over the checkout", ratio, 1.1
            )
        provider = max(peaks.get("provider", 0.0) for _, peaks in base.values())
        program = max(peaks.get("program", 0.0) for _, peaks in empty.values())
        figures.limit(f"memory of the provider at {latency} ms, over the empty program's", provider / program, 2.5)
    print("\n".join(lines))
    return figures.finish(HEADING, lines)


if __name__ == "__main__":
    sys.exit(main())
