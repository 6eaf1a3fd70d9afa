"""The emulator as a child process for tests: started on free ports, talked to over plain HTTP, killed at will.

Standard library only, so that any test may use it. A helper, not a test.
"""

from __future__ import annotations

import http.client
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.ports import find_free_port

REPOSITORY = Path(__file__).resolve().parents[2]
SEED = REPOSITORY / "emulator" / "tenant" / "seed.json"
TENANT = "c0ffee00-5eed-4a11-8c01-7e2a27c0d05e"
ADMIN = "11111111-1111-4111-8111-111111111111"  # all roles the guide needs, and Directory.Read.All
PREVIEW = "22222222-2222-4222-8222-222222222222"  # read only
LEAST = "33333333-3333-4333-8333-333333333333"  # least privilege; owns Twilio Flex
POLICY_WRITER = "44444444-4444-4444-8444-444444444444"  # without Policy.Read.All
MEMBER_READER = "55555555-5555-4555-8555-555555555555"  # memberships, but not users
AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"  # a person who ran `az login`, with the scopes that were measured
SECRET = "sandbox"
SENT: list[tuple[str, str]] = []
"""Method and path, query included, of every request that this process sent; items of a $batch too."""


@dataclass(frozen=True)
class Answer:
    """One HTTP answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)

    @property
    def json(self) -> Any:
        return json.loads(self.content) if self.content else None

    @property
    def error(self) -> tuple[int, str, str]:
        """(status, code, message) of a Graph refusal."""
        return self.status, self.json["error"]["code"], self.json["error"]["message"]


class Emulator:
    """One emulator on one data file. Use as a context manager, or start and stop it."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        """`directory` holds tenant.db and ca.pem, and is kept over restarts, as its ports are."""
        self.data = directory / "tenant.db"
        self._port = find_free_port()
        self._arguments = arguments
        self._process: subprocess.Popen[str] | None = None
        self._tokens: dict[str, str] = {}
        self.http = self.https = self.ca = ""
        self._has_other_seed = False

    def __enter__(self) -> Emulator:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # -- life ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Returns when it is ready."""
        command = [sys.executable, "-m", "emulator", "--port", str(self._port), "--tls-port", str(self._port + 1)]
        self._process = subprocess.Popen(
            [*command, "--data", str(self.data), *self._arguments],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the emulator did not start: exit {self._process.wait()}, see its stderr above")
        ready = json.loads(line)
        self.http, self.https, self.ca = ready["http"], ready["https"], ready["ca"]

    def stop(self) -> int:
        """SIGTERM; returns the exit status."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """SIGKILL, as an accident would."""
        return self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> int:
        if self._process is None:
            return 0
        self._process.send_signal(number)
        status = self._process.wait(timeout=120)
        if self._process.stdout:
            self._process.stdout.close()
        self._process = None
        return status

    @property
    def pid(self) -> int:
        assert self._process is not None, "the emulator is not running"
        return self._process.pid

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        """Meanwhile no file of the emulator can grow, which ends its writes as a full disk does. Linux only."""
        limits = resource.prlimit(self.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (0, limits[1]))
        try:
            yield
        finally:
            resource.prlimit(self.pid, resource.RLIMIT_FSIZE, limits)

    # -- plain HTTP ----------------------------------------------------------------------------------------------

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request on a connection of its own; raises ConnectionError or HTTPException when it is cut."""
        SENT.append((method, path))
        connection = http.client.HTTPConnection(urlsplit(self.http).netloc, timeout=120)
        try:
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            content = response.read()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, content)
        finally:
            connection.close()

    def token(self, client: str = ADMIN, *, fresh: bool = False) -> str:
        """An access token of this client, asked for once."""
        if fresh or client not in self._tokens:
            form = {
                "grant_type": "client_credentials",
                "client_id": client,
                "client_secret": SECRET,
                "scope": f"{self.http}/.default",
            }
            path = f"/{TENANT}/oauth2/v2.0/token"
            content = {"Content-Type": "application/x-www-form-urlencoded"}
            answer = self.request("POST", path, urlencode(form).encode(), content)
            if answer.status != 200:
                raise RuntimeError(f"no token for {client}: {answer.status} {answer.json}")
            self._tokens[client] = answer.json["access_token"]
        return self._tokens[client]

    def graph(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        client: str = ADMIN,
        headers: Mapping[str, str] | None = None,
        version: str = "v1.0",
    ) -> Answer:
        """One Graph call with this client's token; `path` starts behind the version."""
        sent = {"Authorization": f"Bearer {self.token(client)}", **(headers or {})}
        content = self.encoded(body)
        if content is not None:
            sent = {"Content-Type": "application/json", **sent}
        if path == "/$batch" and isinstance(body, dict):
            items = [item for item in body["requests"] if isinstance(item, dict)]
            SENT.extend((item["method"], f"/{version}/{item['url'].lstrip('/')}") for item in items)
        return self.request(method, f"/{version}{path}", content, sent)

    @staticmethod
    def encoded(body: Any) -> bytes | None:
        """JSON on the wire; bytes go as they are, so that a test can send what is not JSON."""
        return body if body is None or isinstance(body, bytes) else json.dumps(body).encode()

    # -- admin ---------------------------------------------------------------------------------------------------

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        """One /admin call; returns its JSON, raises RuntimeError with the emulator's line when refused."""
        content = None if body is None else json.dumps(body).encode()
        answer = self.request(method, f"/admin/{path}", content)
        if answer.status >= 400:
            raise RuntimeError(f"{method} /admin/{path}: {answer.status} {answer.content.decode()}")
        return answer.json

    def export(self) -> dict[str, Any]:
        body: dict[str, Any] = self.admin("GET", "export")
        return body

    def requests(self) -> list[dict[str, Any]]:
        body: list[dict[str, Any]] = self.admin("GET", "requests")
        return body

    def clear(self) -> None:
        """Forget the request log."""
        self.admin("DELETE", "requests")

    def reset(self) -> None:
        """Back to the seed; dials, faults, log, clock and tokens are forgotten."""
        self.admin("POST", "reset")
        self._tokens.clear()

    def seed(self, seed: dict[str, Any]) -> None:
        """Plant another seed, which is in force until `restore`."""
        self.admin("POST", "seed", seed)
        self._tokens.clear()
        self._has_other_seed = True

    def restore(self) -> None:
        """Back to the seed of the project, whatever a test planted."""
        if self._has_other_seed:
            self.seed(json.loads(SEED.read_text(encoding="utf-8")))
            self._has_other_seed = False
        self.reset()

    def dials(self, **dials: Any) -> None:
        self.admin("PATCH", "dials", dials)

    def fault(self, action: str, method: str = "", path: str = "", **more: Any) -> int:
        """Arm a fault for requests whose path matches the regular expression; returns its id."""
        armed: int = self.admin("POST", "faults", {"action": action, "method": method, "path": path, **more})["id"]
        return armed

    def faults(self) -> list[dict[str, Any]]:
        body: list[dict[str, Any]] = self.admin("GET", "faults")
        return body

    def clear_faults(self) -> None:
        self.admin("DELETE", "faults")

    def advance(self, seconds: float) -> None:
        self.admin("POST", "clock", {"advance": seconds})

    def stop_clock(self) -> None:
        """Until a reset only `advance` moves the clock."""
        self.admin("POST", "clock", {"stop": True})
