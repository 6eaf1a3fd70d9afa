"""A run: scratch objects, life cycles, experiments, and the removal of what was made, whatever happens."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from flexsaml.errors import UserError
from flexsaml.graph import Client, Clock, Directory
from tests.live import report as reports
from tests.live.assertion_questions import ASSERTION_EXPERIMENTS
from tests.live.experiment import Experiment, NobodySignedIn, Undecided
from tests.live.graph_questions import GRAPH_EXPERIMENTS
from tests.live.life_cycle import run_life_cycle
from tests.live.scratch import Scratch, remove, remove_policies
from tests.live.signin import SignIn
from tests.live.workbench import Workbench

EXPERIMENTS: tuple[Experiment, ...] = (*GRAPH_EXPERIMENTS, *ASSERTION_EXPERIMENTS)
LifeCycle: TypeAlias = Callable[[Workbench], dict[str, Any]]
_SPACING = 10.0
PROJECT = Path(__file__).resolve().parents[2]


@dataclass
class LiveRun:
    """`sign_in` None: only questions that need no sign-in. `removal`: the command that removes what is left. `say` gets
    a line about each step."""

    client: Client
    directory: Directory
    clock: Clock
    domain: str
    mark: str
    reply_url: str
    sign_in: SignIn | None
    removal: str
    say: Callable[[str], None] = print
    experiments: Sequence[Experiment] = EXPERIMENTS
    life_cycles: Sequence[LifeCycle] = (run_life_cycle,)
    interrupted: bool = field(default=False, init=False)

    def carry_out(self) -> dict[str, Any]:
        """The report as JSON. What was made is removed in any case; `left_behind` of the report counts what is not."""
        scratch = Scratch(self.client, self.directory, self.clock, self.mark, self.reply_url, self.removal)
        measured_on = reports.EMULATOR if self.client.cloud.name == "loopback" else reports.TENANT
        report = reports.Report(measured_on, read_commit(), self.clock.utc().date().isoformat())
        try:
            self._ask(scratch, report)
        except KeyboardInterrupt:
            self.interrupted = True
            self.say("interrupted: removing what was made")
        finally:
            report.left = self._remove(scratch)
        return report.to_json(scratch.secrets)

    def _ask(self, scratch: Scratch, report: reports.Report) -> None:
        self.say(f"making the scratch application {self.mark}")
        scratch.make(self.domain)
        bench = Workbench(self.client, self.directory, self.clock, scratch, self.sign_in, self.domain)
        bench.spacing = _SPACING if report.measured_on == reports.TENANT else 0.0
        for life_cycle in self.life_cycles:
            report.life_cycles.append(self._live_through(life_cycle, bench))
            self.say(f"life cycle: {'held' if report.life_cycles[-1]['held'] else 'broke'}")
            for row in (report.life_cycles[-1], *report.life_cycles[-1]["steps"]):
                if row.get("words"):
                    self.say(f"life cycle: {row['words']}")
            with suppress(UserError):  # one that broke may have left its own in force; the end removes it in any case
                remove_policies(self.directory, self.mark)
        for experiment in self.experiments:
            if experiment.signs_in and self.sign_in is None:
                continue
            reason = self._explain_skipping(experiment, report)
            report.findings.append(
                reports.Finding(experiment, undecided=reason) if reason else self._find_out(experiment, bench)
            )
            finding = report.findings[-1]
            self.say(f"{experiment.question}: {finding.outcome.answer if finding.outcome else finding.undecided}")

    def _live_through(self, life_cycle: LifeCycle, bench: Workbench) -> dict[str, Any]:
        try:
            return life_cycle(bench)
        except (UserError, subprocess.TimeoutExpired) as problem:
            return {"held": False, "steps": [], "words": str(problem)}
        except Exception as bug:  # noqa: BLE001 - as below
            return {"held": False, "steps": [], "words": f"a bug: {type(bug).__name__}: {bug}"}

    def _explain_skipping(self, experiment: Experiment, report: reports.Report) -> str:
        """Why the question is not asked: its sign-ins would only wait, as those before it did."""
        earlier = [finding for finding in report.findings if finding.experiment.signs_in]
        if not experiment.signs_in or not earlier:
            return ""
        if any(finding.is_abandoned for finding in earlier):
            return "not asked, because nobody signs in any more"
        return "" if any(finding.outcome for finding in earlier) else "not asked, because the first sign-in failed"

    def _find_out(self, experiment: Experiment, bench: Workbench) -> reports.Finding:
        bench.ends = self.clock.now() + experiment.seconds
        try:
            return reports.Finding(experiment, experiment.run(bench))
        except (Undecided, UserError) as problem:
            abandoned = isinstance(problem, NobodySignedIn)
            return reports.Finding(
                experiment, undecided=str(problem), is_abandoned=abandoned, is_own=isinstance(problem, Undecided)
            )
        except Exception as bug:  # noqa: BLE001 - the other questions are still asked, and the report says so
            return reports.Finding(
                experiment, undecided=f"a bug of the suite: {type(bug).__name__}: {bug}", is_own=False
            )

    def _remove(self, scratch: Scratch) -> list[str]:
        try:
            left = list(remove(self.client, self.directory, self.mark, scratch).left.values())
        except KeyboardInterrupt:
            left = ["the removal was interrupted"]
        for line in left:
            self.say(f"left behind: {line}")
        if left:
            self.say(f"remove it with: {self.removal}")
        return left


def read_commit() -> str:
    """The commit of this checkout, "unknown" outside of one."""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty"], cwd=PROJECT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return described.stdout.strip()
