"""If this goes red, a volunteer's tenant keeps what a live run made, a run touches a tenant that people work in, or its
report names somebody."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from flexsaml.errors import UserError
from flexsaml.graph import Client
from tests.emulator.process import REPOSITORY, TENANT, Emulator
from tests.live.__main__ import main
from tests.live.conftest import DOMAIN, connect_to, make_run
from tests.live.experiment import Answer, Experiment, Outcome
from tests.live.life_cycle import run_life_cycle
from tests.live.run import EXPERIMENTS
from tests.live.scratch import Scratch, make_mark
from tests.live.signin import SignIn
from tests.live.workbench import Workbench
from tests.providers.quick_connection import QuickClock

GUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)


def interrupt(_bench: Workbench) -> Outcome:
    raise KeyboardInterrupt


def crash(_bench: Workbench) -> Outcome:
    raise RuntimeError(f"of {_bench.scratch.agent.upn}")


def arguments(emulator: Emulator, *more: str, tenants: tuple[str, ...] = (TENANT,)) -> list[str]:
    given = [word for each in tenants for word in ("--tenant", each)]
    return [*given, "--cloud", "loopback", "--endpoint", emulator.http, *more]


# -- removal -----------------------------------------------------------------------------------------------------------


def test_the_life_cycle_holds_and_nothing_is_left(emulator: Emulator) -> None:
    before = emulator.export()
    report = make_run(emulator, (), life_cycles=(run_life_cycle,)).carry_out()
    assert [step["held"] for step in report["life_cycles"][0]["steps"]] == [True] * 4
    assert emulator.export() == before


@pytest.mark.parametrize("ends", [interrupt, crash])
def test_an_experiment_that_ends_otherwise_leaves_nothing(emulator: Emulator, ends: Any) -> None:
    before = emulator.export()
    first = next(experiment for experiment in EXPERIMENTS if experiment.question == "several-values")
    run = make_run(emulator, [first, Experiment("ends", "ends otherwise", {}, ends), first])
    report = run.carry_out()
    assert emulator.export() == before
    assert run.interrupted is (ends is interrupt)
    assert report["answers"][0]["answer"] == "all", "what was answered before is reported"
    assert len(report["answers"]) == (1 if ends is interrupt else 3)
    assert "contoso" not in json.dumps(report)


def test_words_of_the_service_are_not_in_the_report(emulator: Emulator) -> None:
    def fail(_bench: Workbench) -> Outcome:
        raise UserError("GET /x: 403 Authorization_RequestDenied Ada Lovelace of Contoso Ltd, 192.0.2.7")

    lines = list[str]()
    report = make_run(emulator, [Experiment("fails", "fails", {}, fail)], say=lines.append).carry_out()
    assert report["answers"][0]["undecided"] == "an error: 403 Authorization_RequestDenied: other words"
    assert "fails: GET /x: 403 Authorization_RequestDenied Ada Lovelace of Contoso Ltd, 192.0.2.7" in lines


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (UserError("POST /x: 400 Request_BadRequest Contoso Ltd, Ada Lovelace"), "400 Request_BadRequest: other words"),
        (RuntimeError("of 192.0.2.7"), "other words"),
    ],
)
def test_after_a_life_cycle_that_breaks_the_questions_are_asked(
    emulator: Emulator, problem: Exception, words: str
) -> None:
    def break_off(bench: Workbench) -> dict[str, Any]:
        bench.directory.assign(bench.scratch.principal_id, bench.directory.create_policy(
            display_name=bench.scratch.mark, definition='{"ClaimsMappingPolicy":{"Version":1}}'
        ).id)  # fmt: skip
        raise problem

    before = emulator.export()
    asked = [experiment for experiment in EXPERIMENTS if experiment.question == "same-claim-type"]
    report = make_run(emulator, asked, life_cycles=(break_off,)).carry_out()
    assert report["life_cycles"] == [{"held": False, "steps": [], "words": words}]
    assert report["answers"][0]["answer"] == "all", "its policy is not in force any more"
    assert emulator.export() == before


@pytest.mark.parametrize("path", ["^/applications$", "^/servicePrincipals$", "^/users$", "appRoleAssignedTo$"])
def test_a_refused_creation_leaves_nothing(emulator: Emulator, path: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = emulator.export()
    emulator.fault("refuse", "POST", path, status=403, code="Authorization_RequestDenied", message="No.")
    assert main(arguments(emulator), QuickClock()) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert emulator.export() == before


@pytest.mark.parametrize("path", ["^/applications$", "^/servicePrincipals$", "^/users$"])
def test_an_object_whose_answer_was_lost_is_used_and_removed(emulator: Emulator, path: str) -> None:
    before = emulator.export()
    emulator.dials(index_lag=5)
    emulator.fault("lose", "POST", path)
    asked = [experiment for experiment in EXPERIMENTS if experiment.question == "same-claim-type"]
    report = make_run(emulator, asked).carry_out()
    assert (report["answers"][0]["answer"], report["left_behind"]) == ("all", 0)
    assert emulator.export() == before


@pytest.mark.parametrize("path", ["/applications", "/users"])
def test_an_object_that_does_not_show_is_said_to_be_left_behind(
    emulator: Emulator, capsys: pytest.CaptureFixture[str], path: str
) -> None:
    """The printed command is the one that works: with the cloud, the endpoint and both ids of a large tenant."""
    before = emulator.export()
    emulator.dials(index_lag=40)
    emulator.fault("refuse", "GET", f"^{path}/[^/]*@", times=-1, status=404, code="Request_ResourceNotFound")
    emulator.fault("lose", "POST", f"^{path}$")
    assert main(arguments(emulator, tenants=(TENANT, TENANT)), QuickClock()) == 2
    printed = capsys.readouterr()
    (line,) = printed.err.splitlines()
    assert f"left behind: POST {path}: it may have been carried out" in printed.out
    command = printed.out.rpartition("remove it with: ")[2].strip()
    assert line.endswith(f": {command}")
    assert f"should this run be killed: {command}\n" in printed.out
    words = shlex.split(command)
    assert words[1:7] == ["-m", "tests.live", "--tenant", TENANT, "--tenant", TENANT]
    emulator.dials(index_lag=0)
    assert [main(words[3:], QuickClock()) for _ in range(5)][-1] == 1, "nothing is found any more"
    assert emulator.export() == before


def test_an_interrupted_post_is_looked_for(emulator: Emulator) -> None:
    before = emulator.export()
    emulator.dials(index_lag=5)
    run = make_run(emulator, ())

    class Interrupted(Client):
        def write(self, method: str, path: str, json: object = None, **more: Any) -> Any:
            answer = super().write(method, path, json, **more)
            if path == "/users":
                raise KeyboardInterrupt
            return answer

    run.client = Interrupted(run.client.cloud, run.client.tokens, clock=run.clock)
    assert run.carry_out()["left_behind"] == 0
    assert run.interrupted
    assert emulator.export() == before


def test_what_cannot_be_removed_is_named_and_removed_later(
    emulator: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    before, lines = emulator.export(), list[str]()
    emulator.fault(
        "refuse", "DELETE", "^/users/", times=-1, status=403, code="Authorization_RequestDenied", message="No."
    )
    run = make_run(emulator, (), say=lines.append)
    report = run.carry_out()
    assert report["left_behind"] == len([line for line in lines if line.startswith("left behind: user")]) > 0
    assert f"--remove {run.mark}" in lines[-1]
    emulator.clear_faults()
    assert main(arguments(emulator, "--remove", run.mark), QuickClock()) == 0
    assert capsys.readouterr().out.splitlines()[-2:] == ["removed: 2 of /users", f"nothing of {run.mark} is left"]
    assert emulator.export() == before


def test_what_no_list_shows_yet_is_removed_by_its_id(emulator: Emulator) -> None:
    before = emulator.export()
    emulator.dials(index_lag=100)
    asked = [experiment for experiment in EXPERIMENTS if experiment.question == "same-claim-type"]
    report = make_run(emulator, asked).carry_out()
    assert (report["answers"][0]["answer"], report["left_behind"]) == ("all", 0)
    assert emulator.export() == before


def test_a_404_for_what_was_just_made_is_not_believed(emulator: Emulator) -> None:
    before = emulator.export()
    emulator.fault("refuse", "DELETE", "^/users/", times=2, status=404, code="Request_ResourceNotFound", message="No.")
    assert make_run(emulator, ()).carry_out()["left_behind"] == 0
    assert emulator.export() == before


@pytest.mark.parametrize("lag", [0, 8])
def test_what_a_killed_run_has_left_is_removed_by_its_mark(emulator: Emulator, lag: int) -> None:
    before = emulator.export()
    emulator.dials(index_lag=lag)
    client, directory, clock = connect_to(emulator)
    scratch = Scratch(client, directory, clock, make_mark(), "http://localhost:8400/acs", "")
    scratch.make(DOMAIN)
    bench = Workbench(client, directory, clock, scratch, make_run(emulator).sign_in, DOMAIN)
    bench.make_extension("live_text")
    bench.observe()
    assert emulator.export() != before
    assert main(arguments(emulator, "--remove", scratch.mark), QuickClock()) == 0
    assert emulator.export() == before


def test_a_mark_of_which_nothing_is_found_is_not_said_to_be_removed(
    emulator: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    mark = make_mark()
    assert main(arguments(emulator, "--remove", mark), QuickClock()) == 1
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == f"nothing of {mark} was found; lists lag: run it again in ten minutes"


@pytest.mark.parametrize("mark", ["Twilio Flex", "", "flexsaml-live-", "flexsaml-live-0000000g"])
def test_only_what_a_live_run_made_is_removed(
    emulator: Emulator, mark: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = emulator.export()
    assert main(arguments(emulator, f"--remove={mark}", "--no-sign-in", "--only", "property-body"), QuickClock()) == 2
    assert "is no mark" in capsys.readouterr().err
    assert emulator.export() == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("terminal", ["stays", "goes"])
def test_a_terminated_run_removes_what_it_made(
    emulator: Emulator, tmp_path: Path, number: signal.Signals, terminal: str
) -> None:
    before = emulator.export()
    emulator.fault("delay", "POST", "/addTokenSigningCertificate$", ms=1500)  # so that the signal arrives in the middle
    command = [sys.executable, "-m", "tests.live", *arguments(emulator, "--report", str(tmp_path / "report.json"))]
    run = subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, env={**os.environ},
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # ignored where the tests run under nohup
    )  # fmt: skip
    assert run.stdout is not None
    while "making the scratch" not in run.stdout.readline():
        assert run.poll() is None
    while len(emulator.export()["servicePrincipals"]) == len(before["servicePrincipals"]):
        assert run.poll() is None
    if terminal == "goes":
        run.stdout.close()
    run.send_signal(number)
    assert run.wait(60) == 1
    run.stdout.close()
    assert emulator.export() == before
    assert json.loads((tmp_path / "report.json").read_text())["answers"] == []


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--report", "{folder}/missing/r.json"), "there is no folder"),
        (("--report", "{folder}"), "that is a folder"),
        (("--report", "{folder}/file/r.json"), "there is no folder"),
        (("--browser", "--port", "99999"), "a port is a number from 1 to 65535"),
        (("--port", "0"), "a port is a number from 1 to 65535"),
        (("--port", "-1"), "a port is a number from 1 to 65535"),
    ],
)
def test_what_the_run_cannot_use_is_named_before_it_makes_anything(
    emulator: Emulator, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], words: str
) -> None:
    (tmp_path / "file").touch()
    emulator.clear()
    assert main(arguments(emulator, *(word.format(folder=tmp_path) for word in more)), QuickClock()) == 2
    printed = capsys.readouterr()
    assert words in printed.err
    assert (printed.err + printed.out).count("\n") == 1
    assert [request for request in emulator.requests() if request["path"].endswith("/applications")] == []


@pytest.mark.parametrize("spacing", [10.0, 0.0])
def test_two_sign_ins_keep_their_distance(emulator: Emulator, spacing: float) -> None:
    """Entra takes a quick succession for a client that loops (AADSTS50196)."""
    moments: list[float] = []

    def sign_in_twice(bench: Workbench) -> Outcome:
        bench.spacing = spacing
        assert bench.sign_in
        sign_in: SignIn = bench.sign_in

        class Recorded:
            def sign_in(self, scratch: Scratch, seconds: float) -> str:
                moments.append(bench.clock.now())
                return sign_in.sign_in(scratch, seconds)

        bench.sign_in = Recorded()
        for mark in ("first", "second"):
            bench.observe({"Value": mark, "SamlClaimType": "live_spacing"})
        return Outcome("done")

    experiment = Experiment("spacing", "signs in twice", {"done": Answer("both")}, sign_in_twice, signs_in=True)
    report = make_run(emulator, [experiment]).carry_out()
    assert report["answers"][0]["answer"] == "done"
    apart = [later - earlier for earlier, later in pairwise(moments)]
    assert apart
    assert (min(apart) >= 10.0) is (spacing > 0)
