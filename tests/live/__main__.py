"""`python -m tests.live --tenant ID`: see docs/live.md. Exit status: 0 every question has an answer and nothing is left in
the tenant, or the run was skipped; 1 something is undecided, broke or is left, or --remove found nothing; 2 it could not run."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from flexsaml.errors import UserError
from flexsaml.graph import Client, Clock, Cloud, Directory, cloud
from flexsaml.http_session import open_session
from tests.live import engine
from tests.live.browser import BrowserSignIn
from tests.live.engine import run_on_engine
from tests.live.life_cycle import run_life_cycle
from tests.live.run import EXPERIMENTS, LifeCycle, LiveRun
from tests.live.scratch import LIST_PAUSES, MARK, make_mark, remove
from tests.live.signin import FormSignIn, SignIn
from tests.live.tenant import RefusedTenant, Skipped, check_size, choose_tenant, connect, read_domain

_PORT, _LAST_PORT = 8400, 65535


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.live", description="Asks a throw-away tenant what nobody knows."
    )
    parser.add_argument("--tenant", action="append", default=[], metavar="ID", help="its id; twice for a large one")
    parser.add_argument("--cloud", default="public", help="public, usgov, usgov-dod, china, loopback (the emulator)")
    parser.add_argument("--endpoint", default="", metavar="URL", help="of the emulator, with --cloud loopback")
    parser.add_argument("--port", type=int, default=_PORT, help="of the local page on which a person signs in")
    parser.add_argument("--report", type=Path, default=Path("live-report.json"), metavar="FILE")
    parser.add_argument("--only", action="append", default=[], metavar="QUESTION", help="ask this question, not all")
    parser.add_argument("--browser", action="store_true", help="on the emulator too, a person signs in at a browser")
    parser.add_argument("--no-engine", action="store_true", help="no life cycle on the engine, where pulumi is on PATH")
    parser.add_argument("--no-sign-in", action="store_true", help="only what needs no person at a browser")
    parser.add_argument("--remove", metavar="MARK", help="remove what a killed run has left, and nothing else")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str], clock: Clock | None = None) -> int:
    given, ticking = parse(arguments), clock or Clock()
    try:
        tenant_id, is_sure = choose_tenant(given.tenant)
        where = cloud(given.cloud, graph_endpoint=given.endpoint, login_endpoint=given.endpoint)
        client, directory = connect(where, tenant_id, ticking)
        check_size(client, tenant_id, is_sure=is_sure)
        if given.remove is not None:
            return remove_mark(client, directory, given.remove)
        return run(given, where, client, directory, tenant_id)
    except Skipped as reason:
        print(f"live suite skipped: {reason}")
        return 0
    except UserError as problem:
        print(problem, file=sys.stderr)
        return 2


def remove_mark(client: Client, directory: Directory, mark: str) -> int:
    if not MARK.fullmatch(mark):
        raise RefusedTenant(f"--remove {mark}: that is no mark of a live run, which looks like {make_mark()}")
    print(f"looking for {mark} for {sum(LIST_PAUSES) / 60:.0f} minutes, since lists lag", flush=True)
    removal = remove(client, directory, mark)
    if removal.removed:
        print(f"removed: {removal.describe()}")
    if removal.left:
        print("\n".join(removal.left.values()))
    elif removal.removed:
        print(f"nothing of {mark} is left")
    else:
        print(f"nothing of {mark} was found; lists lag: run it again in ten minutes")
    return 0 if removal.removed and not removal.left else 1


def run(given: argparse.Namespace, where: Cloud, client: Client, directory: Directory, tenant_id: str) -> int:
    unknown = set(given.only) - {experiment.question for experiment in EXPERIMENTS}
    if unknown:
        raise RefusedTenant(f"--only {', '.join(sorted(unknown))}: the questions are in docs/live.md")
    check_report(given.report)
    if not 1 <= given.port <= _LAST_PORT:
        raise UserError(f"--port {given.port}: a port is a number from 1 to {_LAST_PORT}")
    domain, mark = read_domain(client, tenant_id), make_mark()
    experiments = [experiment for experiment in EXPERIMENTS if experiment.question in given.only or not given.only]
    if given.no_sign_in:
        experiments = [experiment for experiment in experiments if not experiment.signs_in]
    removal = describe_removal(given, mark)
    with open_sign_in(given, where, tenant_id) as sign_in:
        live_run = LiveRun(
            client, directory, client.clock, domain, mark, say=say, experiments=experiments,
            reply_url=f"http://localhost:{given.port}/acs", sign_in=sign_in, life_cycles=choose_life_cycles(given),
            removal=removal,
        )  # fmt: skip
        say(f"should this run be killed: {removal}")
        report = live_run.carry_out()
    text = json.dumps(report, indent=1, ensure_ascii=False)
    try:
        given.report.write_text(text + "\n", encoding="utf-8")
    except OSError as problem:
        say(text)
        words = problem.strerror or problem
        raise UserError(f"--report {given.report} cannot be written ({words}): the report is printed instead") from None
    say(f"the report is in {given.report}; it names nobody, and docs/live.md says how to send it")
    return 0 if is_complete(report) and not live_run.interrupted else 1


def say(line: str) -> None:
    """Prints it, unless the terminal is gone: what was made is still removed, and the report written."""
    try:
        print(line, flush=True)
    except OSError:  # what is left in the buffer would else fail at exit, with a status of Python's own
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def check_report(file: Path) -> None:
    """Raises UserError if the report could not be written at the end of the run."""
    if file.is_dir():
        raise UserError(f"--report {file}: that is a folder; name a file in it")
    if not file.parent.is_dir():
        raise UserError(f"--report {file}: there is no folder {file.parent}; make it, or name a file elsewhere")
    if not os.access(file if file.exists() else file.parent, os.W_OK):
        raise UserError(f"--report {file}: it cannot be written; name a file elsewhere")


def describe_removal(given: argparse.Namespace, mark: str) -> str:
    """The command that removes everything of the mark, as a shell takes it."""
    tenants = [word for tenant in given.tenant for word in ("--tenant", tenant)]
    where = ["--cloud", given.cloud, *(["--endpoint", given.endpoint] if given.endpoint else [])]
    return shlex.join([sys.executable, "-m", "tests.live", *tenants, *where, "--remove", mark])


def choose_life_cycles(given: argparse.Namespace) -> Sequence[LifeCycle]:
    """None beside single questions; on the engine where it is."""
    if given.only:
        return ()
    return (run_life_cycle, run_on_engine) if engine.is_there() and not given.no_engine else (run_life_cycle,)


@contextmanager
def open_sign_in(given: argparse.Namespace, where: Cloud, tenant_id: str) -> Iterator[SignIn | None]:
    """None if nobody is to sign in."""
    if given.no_sign_in:
        yield None
    elif where.name == "loopback" and not given.browser:
        yield FormSignIn(open_session(is_loopback=True), where.login, tenant_id)
    else:
        with BrowserSignIn(where.login, tenant_id, given.port).serve() as sign_in:
            print(f"open this page in a private window, and sign in once: {sign_in.address}", flush=True)
            yield sign_in


def is_complete(report: dict[str, Any]) -> bool:
    held = all(life_cycle["held"] for life_cycle in report["life_cycles"])
    return held and all(row["answer"] for row in report["answers"]) and not report["left_behind"]


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt  # so that a terminated run removes what it made


if __name__ == "__main__":
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as `nohup` leaves SIGHUP
            signal.signal(number, _interrupt)
    sys.exit(main(sys.argv[1:]))
