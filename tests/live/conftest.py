"""Live runs on the emulator, whose waits take no time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flexsaml.graph import Client, Directory, cloud, credentials
from flexsaml.http_session import open_session
from tests.emulator.process import TENANT, Emulator
from tests.live.experiment import Experiment
from tests.live.run import EXPERIMENTS, LiveRun
from tests.live.scratch import make_mark
from tests.live.signin import FormSignIn, SignIn
from tests.providers.quick_connection import QuickClock

REPLY_URL = "http://localhost:8400/acs"
DOMAIN = "contoso.example"


def connect_to(emulator: Emulator) -> tuple[Client, Directory, QuickClock]:
    where, clock = cloud("loopback", graph_endpoint=emulator.http, login_endpoint=emulator.http), QuickClock()
    client = Client(where, credentials(where, clock=clock), clock=clock)
    return client, Directory(client), clock


def make_run(emulator: Emulator, experiments: Sequence[Experiment] = EXPERIMENTS, **more: Any) -> LiveRun:
    client, directory, clock = connect_to(emulator)
    sign_in: SignIn = FormSignIn(open_session(is_loopback=True), emulator.http, TENANT)
    mark = make_mark()
    more = {"removal": f"python -m tests.live --remove {mark}", **more}
    given = {"sign_in": sign_in, "say": lambda _line: None, "life_cycles": (), "reply_url": REPLY_URL, **more}
    return LiveRun(client, directory, clock, domain=DOMAIN, mark=mark, experiments=experiments, **given)
