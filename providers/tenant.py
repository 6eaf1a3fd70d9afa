"""The tenant this process works on: one configuration, one client, one token. `configure` only remembers; nothing is
asked of the network before the first call needs it. The configuration is the stack's (namespace `flexsaml`), on destroy
and refresh the one of the last `up`. Credentials never come from it: they come from the environment, through
azure-identity."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flexsaml.graph import cloud

from . import engine

if TYPE_CHECKING:
    from flexsaml.graph import Directory


@dataclass(frozen=True)
class Connection:
    """Which cloud and tenant; all text, as the stack configuration has it."""

    cloud: str = "public"
    tenant_id: str = ""
    graph_endpoint: str = ""
    login_endpoint: str = ""

    @classmethod
    def from_config(cls, get: Callable[[str], str | None]) -> Connection:
        """From the stack configuration; `get` reads a key of the namespace `flexsaml`."""
        return cls(
            get("cloud") or "public", *(get(key) or "" for key in ("tenantId", "graphEndpoint", "loginEndpoint"))
        )

    def directory(self) -> Directory:
        """Typed calls to Graph. Raises InvalidCloud for endpoints that do not fit the cloud."""
        from flexsaml.graph import Client, Directory, credentials  # only now: they need the HTTP library

        where = cloud(self.cloud, graph_endpoint=self.graph_endpoint, login_endpoint=self.login_endpoint)
        tokens = credentials(where, self.tenant_id)
        return Directory(Client(where, tokens, progress=lambda line: engine.say(line, ephemeral=True)))


class Tenant:
    """The one connection of a provider process, made on first use."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection = Connection()
        self._directory: Directory | None = None

    def configure(self, connection: Connection) -> None:
        with self._lock:
            if connection != self._connection:
                self._connection, self._directory = connection, None

    def directory(self) -> Directory:
        with self._lock:
            if self._directory is None:
                self._directory = self._connection.directory()
            return self._directory


TENANT = Tenant()
