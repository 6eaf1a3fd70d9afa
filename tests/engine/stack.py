"""A stack on the real engine against an emulated tenant: what the engine tests drive. A helper, not a test.

A `Checkout` is a directory that holds the project by symbolic links and its own `Pulumi.<stack>.yaml`, so
that tests run side by side and two checkouts can share a backend. Commands are the ones a person types.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.emulator.process import SEED, Emulator

PROJECT = Path(__file__).resolve().parents[2]
PARTS = ("Pulumi.yaml", "__main__.py", "components", "providers", "flexsaml", ".venv")

Config = dict[str, Any]

BASE: Config = {
    "servicePrincipal": "Twilio Flex",
    "claims": {
        "nameid": "user.userprincipalname",
        "email": "user.mail",
        "full_name": "user.displayname",
        "roles": "user.assignedroles",
        "languages.stringarray": "extension.languages",
    },
    "extensions": {"languages": "String"},
    "users": {"ada@contoso.example": {"languages": "en,de"}},
}


@dataclass(frozen=True)
class Result:
    """How a command ended; `output` is what the person saw."""

    code: int
    output: str

    def errors(self) -> list[str]:
        """The engine's error lines, without its own `program exited` line."""
        lines = [line.strip() for line in self.output.splitlines()]
        return [line for line in lines if line.startswith("error:") and "an unhandled error occurred" not in line]


class Checkout:
    def __init__(self, directory: Path, program: str = "", project: Path = PROJECT) -> None:
        """`project` is the directory whose code the stack runs."""
        directory.mkdir(parents=True)
        self.directory = directory
        for part in PARTS:
            (directory / part).symlink_to(project / part)
        if program:
            (directory / "__main__.py").unlink()
            (directory / "__main__.py").write_text(program)


class Stack:
    """One stack of one checkout; `config` is written before each command."""

    def __init__(self, checkout: Checkout, emulator: Emulator, room: Path, name: str = "dev") -> None:
        self.checkout, self.emulator, self.room, self.name = checkout, emulator, room, name
        self.config: Config = json.loads(json.dumps(BASE))
        self.identity: dict[str, str] = {}
        for directory in ("state", "home"):
            (room / directory).mkdir(parents=True, exist_ok=True)
        self.write_config()

    @property
    def environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("PULUMI_", "AZURE_"))}
        return {
            **kept,
            # Without it the engine writes a side file in place beside the checkpoint: killed at that moment, it leaves
            # an empty one and "failed to load checkpoint: EOF".
            "PULUMI_BACKEND_URL": f"file://{self.room / 'state'}?metadata=skip",
            "PULUMI_HOME": str(self.room / "home"),
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            **self.identity,
        }

    @property
    def config_file(self) -> Path:
        return self.checkout.directory / f"Pulumi.{self.name}.yaml"

    def write_config(self) -> None:
        where = {"cloud": "loopback", "graphEndpoint": self.emulator.http, "loginEndpoint": self.emulator.http}
        written = yaml.safe_load(self.config_file.read_text()) if self.config_file.exists() else {}
        written["config"] = {f"flexsaml:{key}": value for key, value in {**where, **self.config}.items()}
        self.config_file.write_text(yaml.safe_dump(written, sort_keys=False))

    def command(self, *arguments: str) -> list[str]:
        return ["pulumi", *arguments, "--non-interactive", "--color", "never"]

    def run(self, *arguments: str) -> Result:
        self.write_config()
        found = subprocess.run(
            self.command(*arguments),
            cwd=self.checkout.directory,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
        return Result(found.returncode, found.stdout)

    def ok(self, *arguments: str) -> Result:
        """Run a command that must succeed."""
        result = self.run(*arguments)
        assert result.code == 0, f"pulumi {' '.join(arguments)}\n{result.output}"
        return result

    def init(self) -> None:
        self.ok("stack", "init", self.name)

    def up(self) -> Result:
        return self.ok("up", "--yes", "--skip-preview")

    def refresh(self) -> Result:
        return self.ok("refresh", "--yes", "--skip-preview")

    def destroy(self) -> Result:
        return self.ok("destroy", "--yes", "--skip-preview")

    def preview(self, *arguments: str) -> Result:
        return self.ok("preview", *arguments)

    def unchanged(self) -> None:
        """A preview that must have nothing to do."""
        self.ok("preview", "--expect-no-changes")

    def state(self) -> dict[str, Any]:
        self.write_config()
        found = subprocess.run(
            ["pulumi", "stack", "export", "--stack", self.name],
            cwd=self.checkout.directory,
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        exported: dict[str, Any] = json.loads(found.stdout)
        return exported

    def resources(self) -> dict[str, dict[str, Any]]:
        """Resources in state by name."""
        listed = self.state()["deployment"].get("resources") or []
        return {one["urn"].rsplit("::", 1)[-1]: one for one in listed}

    # -- the tenant, behind the stack's back ---------------------------------------------------------------------

    def tenant(self) -> Tenant:
        return Tenant(self.emulator)

    # -- accidents -----------------------------------------------------------------------------------------------

    def kill_at(
        self, arguments: tuple[str, ...], *, method: str, path: str, skip: int = 0, victim: str = "cli"
    ) -> None:
        """Run a command and kill the CLI, or its provider, with SIGKILL once this request was carried out.

        Returns when the other has ended too; a provider that was left behind must end by itself within 10 s.
        """
        self.write_config()
        self.emulator.fault("hang", method, path, skip=skip)
        command = subprocess.Popen(
            self.command(*arguments),
            cwd=self.checkout.directory,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(lambda: any(fault["fired"] for fault in self.emulator.faults()), 60, f"{method} {path} to be carried out")
        providers = [pid for pid, line in descendants(command.pid) if "pulumi.dynamic" in line]
        assert providers, "no provider process was found"
        for pid in [command.pid] if victim == "cli" else providers:
            os.kill(pid, signal.SIGKILL)
        assert command.wait(timeout=60) != 0
        until(lambda: not any(alive(pid) for pid in providers), 10, "the orphaned provider to end by itself")
        self.emulator.clear_faults()


class Tenant:
    """What an administrator does by hand in the same tenant, and what is seen there."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        seen = emulator.export()
        self.principal = next(one for one in seen["servicePrincipals"] if one["displayName"] == "Twilio Flex")
        self.application = next(one for one in seen["applications"] if one["appId"] == self.principal["appId"])
        self.links = f"/servicePrincipals/{self.principal['id']}/claimsMappingPolicies"

    def full(self, name: str) -> str:
        return f"extension_{self.application['appId'].replace('-', '')}_{name}"

    def do(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.emulator.graph(method, path, body)
        assert answer.status < 300, answer.json
        return answer.json

    def user(self, name: str) -> dict[str, Any]:
        users = self.emulator.export()["users"]
        found: dict[str, Any] = next(one for one in users if one["userPrincipalName"].startswith(f"{name}@"))
        return found

    def value(self, name: str, extension: str = "languages") -> Any:
        """The live value of a user, None when unset or hidden."""
        return self.user(name).get("values", {}).get(self.full(extension))

    def write(self, name: str, value: Any, extension: str = "languages") -> None:
        self.do("PATCH", f"/users/{self.user(name)['id']}", {self.full(extension): value})

    def make_property(self, name: str, data_type: str = "String") -> str:
        body = {"name": name, "dataType": data_type, "targetObjects": ["User"]}
        return str(self.do("POST", f"/applications/{self.application['id']}/extensionProperties", body)["id"])

    def properties(self) -> dict[str, dict[str, Any]]:
        return {one["name"]: one for one in self.emulator.export()["extensionProperties"]}

    def delete_property(self, name: str) -> None:
        one = self.properties()[self.full(name)]
        self.do("DELETE", f"/applications/{self.application['id']}/extensionProperties/{one['id']}")

    def make_policy(self, name: str) -> str:
        body = {"displayName": name, "definition": ['{"ClaimsMappingPolicy": {"Version": 1}}']}
        return str(self.do("POST", "/policies/claimsMappingPolicies", body)["id"])

    def policies(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.emulator.export()["claimsMappingPolicies"]
        return found

    def assigned(self) -> list[str]:
        links = self.emulator.export()["assignments"]
        return [one["policyId"] for one in links if one["servicePrincipalId"] == self.principal["id"]]

    def assign(self, policy: str) -> None:
        url = f"{self.emulator.http}/v1.0/policies/claimsMappingPolicies/{policy}"
        self.do("POST", f"{self.links}/$ref", {"@odata.id": url})

    def unassign(self, policy: str) -> None:
        self.do("DELETE", f"{self.links}/{policy}/$ref")


def descendants(root: int) -> list[tuple[int, str]]:
    """Process ids below `root`, with their command lines."""
    listed = subprocess.run(["ps", "-axwwo", "pid=,ppid=,command="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    found: list[tuple[int, str]] = []
    parents = {root}
    while parents:
        children = [(int(pid), line) for pid, parent, line in rows if int(parent) in parents]
        found += children
        parents = {pid for pid, _ in children}
    return found


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def until(check: Callable[[], bool], seconds: float, what: str) -> None:
    """Poll another process, which has no other way to tell."""
    ends, pause = time.monotonic() + seconds, threading.Event()
    while not check():
        assert time.monotonic() < ends, f"waited {seconds} s for {what}"
        pause.wait(0.05)


def calls(emulator: Emulator) -> list[str]:
    """The request log as `METHOD /path/template`, tokens apart, batch items indented under their batch.

    Ids become {id}, the query is reduced to the names of its options, versions are left out.
    """
    templates = []
    for request in emulator.requests():
        path, _, query = request["path"].partition("?")
        if path.endswith("/oauth2/v2.0/token"):
            continue
        path = re.sub(r"^/v1\.0", "", path)
        path = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "{id}", path)
        path = re.sub(r"/users/[^/?]+", "/users/{id}", path)
        options = sorted(re.findall(r"\$\w+(?==)", query))
        shown = f"{request['method']} {path}{'?' + '&'.join(options) if options else ''}"
        templates.append(f"  {shown}" if request["in_batch"] else shown)
    return templates


def tokens(emulator: Emulator) -> int:
    return sum(request["path"].endswith("/oauth2/v2.0/token") for request in emulator.requests())


def writes(listed: list[str]) -> list[str]:
    """Calls that change the tenant."""
    reads = ("POST /$batch", "POST /directoryObjects/getAvailableExtensionProperties")
    return [call.strip() for call in listed if not call.strip().startswith(("GET", *reads))]


@contextmanager
def new_stack(emulator: Emulator, room: Path, program: str = "") -> Iterator[Stack]:
    emulator.seed(json.loads(SEED.read_text()))
    emulator.reset()
    stack = Stack(Checkout(room / "checkout", program), emulator, room)
    stack.init()
    yield stack
    shutil.rmtree(room, ignore_errors=True)
