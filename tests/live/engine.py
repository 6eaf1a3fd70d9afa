"""The life cycle on the real engine: `pulumi up`, no change, a change, `pulumi destroy`, in a directory of its own."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from tests.engine.stack import DESTROY, UP, Checkout, Result
from tests.live.life_cycle import keys_of, run_steps
from tests.live.workbench import Workbench

_STACK = "live"
_LONGEST = 1800.0  # seconds for a command


@dataclass
class EngineStack:
    """Commands of a stack on the scratch application; its state ends with the directory."""

    bench: Workbench
    directory: Path
    passphrase: str = field(default_factory=lambda: secrets.token_urlsafe(16), repr=False)

    def __post_init__(self) -> None:
        Checkout(self.directory / "checkout")
        (self.directory / "state").mkdir()

    def declare(self, value: str, *, claim: str) -> None:
        """What the next commands want."""
        cloud = self.bench.client.cloud
        keys: dict[str, Any] = {**keys_of(self.bench, value, claim=claim), "cloud": cloud.name}
        if cloud.name == "loopback":
            keys |= {"graphEndpoint": cloud.graph, "loginEndpoint": cloud.login}
        file = self.directory / "checkout" / f"Pulumi.{_STACK}.yaml"
        written = yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else {}
        written["config"] = {f"flexsaml:{key}": item for key, item in keys.items()}
        file.write_text(yaml.safe_dump(written, sort_keys=False), encoding="utf-8")

    def run(self, *arguments: str) -> Result:
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("PULUMI_")}
        own = {
            "PULUMI_BACKEND_URL": f"file://{self.directory / 'state'}?metadata=skip",
            "PULUMI_HOME": str(self.directory / "home"),
            "PULUMI_STACK": _STACK,
            "PULUMI_CONFIG_PASSPHRASE": self.passphrase,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }
        finished = subprocess.run(
            ["pulumi", *arguments, "--non-interactive", "--color", "never"],
            cwd=self.directory / "checkout",
            env={**inherited, **own},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_LONGEST,
        )
        return Result(finished.returncode, finished.stdout)


def is_there() -> bool:
    return shutil.which("pulumi") is not None


def run_on_engine(bench: Workbench) -> dict[str, Any]:
    """What each step did, as `run_life_cycle` says it."""
    with TemporaryDirectory(prefix="flexsaml-live-") as directory:
        stack = EngineStack(bench, Path(directory))

        def change(value: str, claim: str) -> Callable[[], Result]:
            def act() -> Result:
                stack.declare(value, claim=claim)
                return stack.run(*UP)

            return act

        def create() -> Result:
            stack.declare("a", claim="user.department")
            made = stack.run("stack", "init", _STACK)
            return made if made.code else stack.run(*UP)

        return run_steps(
            bench,
            "the engine",
            create=lambda: _judge(create()),
            keep=lambda: _judge(stack.run("preview", "--expect-no-changes")),
            change=lambda: _judge(change("b", "user.jobtitle")()),
            destroy=lambda: _judge(stack.run(*DESTROY)),
        )


def _judge(result: Result) -> str:
    """Why the command failed, "" if it did not."""
    if result.code == 0:
        return ""
    return " ".join(result.errors()[:5]) or f"exit status {result.code}"
