"""A stack on the real engine against an emulated tenant: what the engine tests drive. A helper, not a test.

A `Checkout` is a directory that holds the project by symbolic links and its own `Pulumi.<stack>.yaml`, so that tests
run side by side and two checkouts can share a backend. Commands are the ones a person types.
"""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from flexsaml.project_file import read_project_name
from tests.emulator.process import SEED, Emulator

PROJECT = Path(__file__).resolve().parents[2]
LINKED_FILES = ("Pulumi.yaml", "__main__.py", "components", "providers", "flexsaml", ".venv")
NO_PACKAGES = Path(__file__).resolve().parent / "no_packages"
UP = ("up", "--yes", "--skip-preview")
DESTROY = ("destroy", "--yes", "--skip-preview")
ADA = "ada@contoso.example"

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
    "users": {ADA: {"languages": "en,de"}},
}

ENGINE_RACE = "fatal error: concurrent map iteration and map write"
"""The engine (3.259) saves state beside its steps, and may crash when a step marks an output as secret meanwhile: seen
once in some 4,000 commands."""


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
        """`project` is the directory whose code the stack runs; `program` replaces its `__main__.py`."""
        directory.mkdir(parents=True)
        self.directory = directory
        for name in LINKED_FILES:
            (directory / name).symlink_to(project / name)
        if program:
            self.write_program(program)

    def write_program(self, program: str) -> None:
        main = self.directory / "__main__.py"
        main.unlink()
        main.write_text(program, encoding="utf-8")

    def write_roster(self, text: str) -> None:
        (self.directory / "agents.csv").write_text(text, encoding="utf-8")


class Stack:
    """One stack of one checkout; `config` is written before each command.

    `quick` spares the engine two programs that it runs before each command and whose answers tests know: the search
    for a Python (the virtual environment is put on PATH) and pip (see `no_packages`).
    """

    def __init__(
        self, checkout: Checkout, emulator: Emulator, directory: Path, name: str = "dev", *, quick: bool = False
    ) -> None:
        self.checkout, self.emulator, self.directory, self.name, self.quick = checkout, emulator, directory, name, quick
        self.config: Config = copy.deepcopy(BASE)
        self.identity: dict[str, str] = {}
        self.tenant_before = emulator.export()
        """The tenant before this stack made anything."""
        for subdirectory in ("state", "home"):
            (directory / subdirectory).mkdir(parents=True, exist_ok=True)
        self.write_config()

    def second_stack(self, name: str) -> Stack:
        """Another stack of the same project, from a checkout of its own, in the same backend and tenant."""
        checkout = Checkout(self.directory / f"checkout-{name}")
        return Stack(checkout, self.emulator, self.directory, name, quick=self.quick)

    @property
    def environment(self) -> dict[str, str]:
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("PULUMI_", "AZURE_"))}
        if self.quick:
            inherited["PATH"] = f"{PROJECT / '.venv' / 'bin'}{os.pathsep}{inherited['PATH']}"
            inherited["PYTHONPATH"] = str(NO_PACKAGES)
        return {
            **inherited,
            # Without it the engine writes a side file in place beside the checkpoint: killed at that moment, it leaves
            # an empty one and "failed to load checkpoint: EOF".
            "PULUMI_BACKEND_URL": f"file://{self.directory / 'state'}?metadata=skip",
            "PULUMI_HOME": str(self.directory / "home"),
            "PULUMI_STACK": self.name,
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            **self.identity,
        }

    @property
    def config_file(self) -> Path:
        return self.checkout.directory / f"Pulumi.{self.name}.yaml"

    def write_config(self) -> None:
        tenant = {"cloud": "loopback", "graphEndpoint": self.emulator.http, "loginEndpoint": self.emulator.http}
        written = yaml.safe_load(self.config_file.read_text()) if self.config_file.exists() else {}
        written["config"] = {f"flexsaml:{key}": value for key, value in {**tenant, **self.config}.items()}
        self.config_file.write_text(yaml.safe_dump(written, sort_keys=False))

    def set_secret(self, path: str, value: str) -> None:
        """`pulumi config set --secret --path`, kept in `config` as its ciphertext."""
        self.ok("config", "set", "--secret", "--path", f"flexsaml:{path}", value)
        written = yaml.safe_load(self.config_file.read_text(encoding="utf-8"))["config"]
        key = path.partition(".")[0].partition("[")[0]
        self.config[key] = written[f"flexsaml:{key}"]

    # -- commands ------------------------------------------------------------------------------------------------

    def command(self, *arguments: str) -> list[str]:
        return ["pulumi", *arguments, "--non-interactive", "--color", "never"]

    def run(self, *arguments: str) -> Result:
        self.write_config()
        result = self._run_once(*arguments)
        if ENGINE_RACE in result.output:  # what README says: cancel, then the same command
            self._run_once("cancel", "--yes")
            result = self._run_once(*arguments)
        return result

    def _run_once(self, *arguments: str) -> Result:
        finished = subprocess.run(
            self.command(*arguments),
            cwd=self.checkout.directory,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
        return Result(finished.returncode, finished.stdout)

    def ok(self, *arguments: str) -> Result:
        """Run a command that must succeed."""
        result = self.run(*arguments)
        assert result.code == 0, f"pulumi {' '.join(arguments)}\n{result.output}"
        return result

    def refused(self, *arguments: str) -> str:
        """Run a command that must fail without a traceback; returns its output."""
        result = self.run(*arguments)
        assert result.code != 0, f"pulumi {' '.join(arguments)}\n{result.output}"
        assert "Traceback" not in result.output, result.output
        return result.output

    def init(self) -> None:
        self.ok("stack", "init", self.name)

    def up(self) -> Result:
        return self.ok(*UP)

    def refresh(self) -> Result:
        return self.ok("refresh", "--yes", "--skip-preview")

    def destroy(self) -> Result:
        return self.ok(*DESTROY)

    def assert_destroy_restores_the_tenant(self) -> None:
        self.destroy()
        assert self.emulator.export() == self.tenant_before

    def preview(self, *arguments: str) -> Result:
        return self.ok("preview", *arguments)

    def assert_unchanged(self) -> None:
        """A preview that must have nothing to do."""
        self.ok("preview", "--expect-no-changes")

    # -- state ---------------------------------------------------------------------------------------------------

    def deployment(self) -> dict[str, Any]:
        """The stack's state as it lies in the backend; secrets are encrypted. Empty before the first update."""
        stacks = self.directory / "state" / ".pulumi" / "stacks"
        file = stacks / read_project_name(self.checkout.directory) / f"{self.name}.json"
        deployment: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))["checkpoint"]["latest"] or {}
        return deployment

    def resources(self) -> dict[str, dict[str, Any]]:
        """Resources in state by name."""
        resources = self.deployment().get("resources") or []
        return {resource["urn"].rsplit("::", 1)[-1]: resource for resource in resources}

    # -- the tenant, behind the stack's back ---------------------------------------------------------------------

    def tenant(self) -> Tenant:
        return Tenant(self.emulator)


class Tenant:
    """What an administrator does by hand in the same tenant, and what can be read there."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        export = emulator.export()
        self.principal = next(row for row in export["servicePrincipals"] if row["displayName"] == "Twilio Flex")
        self.application = next(row for row in export["applications"] if row["appId"] == self.principal["appId"])
        self.links = f"/servicePrincipals/{self.principal['id']}/claimsMappingPolicies"

    def full(self, name: str) -> str:
        return f"extension_{self.application['appId'].replace('-', '')}_{name}"

    def do(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.emulator.graph(method, path, body)
        assert answer.status < 300, answer.json
        return answer.json

    def user(self, name: str) -> dict[str, Any]:
        users: list[dict[str, Any]] = self.emulator.export()["users"]
        return next(user for user in users if user["userPrincipalName"].startswith(f"{name}@"))

    def value(self, name: str, extension: str = "languages") -> Any:
        """The live value of a user, None when unset or hidden."""
        return self.user(name).get("values", {}).get(self.full(extension))

    def write(self, name: str, value: Any, extension: str = "languages") -> None:
        self.do("PATCH", f"/users/{self.user(name)['id']}", {self.full(extension): value})

    def swap_names(self, name: str, other: str) -> None:
        """Each of the two users has the other's user principal name from now on."""
        first, second = (self.user(each)["id"] for each in (name, other))
        for id_, new in ((first, "former"), (second, name), (first, other)):
            self.do("PATCH", f"/users/{id_}", {"userPrincipalName": f"{new}@contoso.example"})

    def make_user(self, name: str, display_name: str) -> str:
        """A user `name@contoso.example`; returns the object id."""
        body = {
            "userPrincipalName": f"{name}@contoso.example",
            "displayName": display_name,
            "mailNickname": name,
            "accountEnabled": True,
            "passwordProfile": {"password": "not a real one"},
        }
        return str(self.do("POST", "/users", body)["id"])

    def make_property(self, name: str, data_type: str = "String") -> str:
        body = {"name": name, "dataType": data_type, "targetObjects": ["User"]}
        return str(self.do("POST", f"/applications/{self.application['id']}/extensionProperties", body)["id"])

    def properties(self) -> dict[str, dict[str, Any]]:
        return {row["name"]: row for row in self.emulator.export()["extensionProperties"]}

    def delete_property(self, name: str) -> None:
        property_id = self.properties()[self.full(name)]["id"]
        self.do("DELETE", f"/applications/{self.application['id']}/extensionProperties/{property_id}")

    def make_policy(self, name: str, definition: str = '{"ClaimsMappingPolicy": {"Version": 1}}') -> str:
        body = {"displayName": name, "definition": [definition]}
        return str(self.do("POST", "/policies/claimsMappingPolicies", body)["id"])

    def policies(self) -> list[dict[str, Any]]:
        policies: list[dict[str, Any]] = self.emulator.export()["claimsMappingPolicies"]
        return policies

    def assigned(self) -> list[str]:
        links = self.emulator.export()["assignments"]
        return [link["policyId"] for link in links if link["servicePrincipalId"] == self.principal["id"]]

    def assign(self, policy: str) -> None:
        url = f"{self.emulator.http}/v1.0/policies/claimsMappingPolicies/{policy}"
        self.do("POST", f"{self.links}/$ref", {"@odata.id": url})

    def unassign(self, policy: str) -> None:
        self.do("DELETE", f"{self.links}/{policy}/$ref")


def seed(emulator: Emulator, rows: dict[str, Any] | None = None) -> None:
    """Make the tenant these rows, or the built-in one; dials, faults and the request log are forgotten."""
    built_in = json.loads(SEED.read_text(encoding="utf-8"))
    emulator.seed({**rows, "clients": built_in["clients"]} if rows else built_in)
    emulator.reset()


@contextmanager
def new_stack(emulator: Emulator, directory: Path, program: str = "") -> Iterator[Stack]:
    """An initialised stack in the built-in tenant; `directory` is removed afterwards."""
    seed(emulator)
    stack = Stack(Checkout(directory / "checkout", program), emulator, directory)
    stack.init()
    yield stack
    shutil.rmtree(directory, ignore_errors=True)


@dataclass(frozen=True)
class SavedStack:
    """A stack at one moment: its backend, its stack file and roster, its tenant. Tests continue from copies of it.

    It spares each test the commands that all of them begin with. Copies share nothing but the emulator.
    """

    directory: Path
    config: Config
    tenant_before: dict[str, Any]
    tenant: dict[str, Any]

    @staticmethod
    def save(stack: Stack, directory: Path) -> SavedStack:
        shutil.copytree(stack.directory / "state", directory / "state")
        for file in stack.checkout.directory.iterdir():
            if file.is_file() and not file.is_symlink():  # no `__pycache__`
                shutil.copy(file, directory)
        return SavedStack(directory, copy.deepcopy(stack.config), stack.tenant_before, stack.emulator.export())

    def open(self, emulator: Emulator, directory: Path) -> Stack:
        """A copy in an empty directory. The tenant is seeded with what it held when the stack was saved."""
        seed(emulator, self.tenant)
        shutil.copytree(self.directory / "state", directory / "state")
        checkout = Checkout(directory / "checkout")
        for file in self.directory.iterdir():
            if file.is_file():
                shutil.copy(file, checkout.directory)
        stack = Stack(checkout, emulator, directory, quick=True)
        stack.config = copy.deepcopy(self.config)
        stack.tenant_before = self.tenant_before
        return stack
