"""A connection to an emulated tenant whose pauses take no time. A helper, not a test."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from flexsaml.graph import Client, Clock, Directory, cloud, credentials
from providers import TENANT, Connection
from tests.emulator.process import Emulator


class QuickClock(Clock):
    """The machine's clock, ahead by every pause, which takes no time."""

    def __init__(self) -> None:
        self.slept = 0.0

    def now(self) -> float:
        return time.monotonic() + self.slept

    def sleep(self, seconds: float) -> None:
        self.slept += seconds


@dataclass(frozen=True)
class QuickConnection(Connection):
    """To an emulated tenant, without pauses."""

    clock: QuickClock = field(default_factory=QuickClock, compare=False)

    def directory(self) -> Directory:
        where = cloud(self.cloud, graph_endpoint=self.graph_endpoint, login_endpoint=self.login_endpoint)
        return Directory(Client(where, credentials(where), clock=self.clock))


def connect(emulator: Emulator, clock: QuickClock | None = None) -> None:
    """This process speaks to that tenant; `TENANT.configure(Connection())` ends it."""
    http = emulator.http
    TENANT.configure(QuickConnection("loopback", graph_endpoint=http, login_endpoint=http, clock=clock or QuickClock()))
