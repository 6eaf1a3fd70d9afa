"""The sandbox: one stack, one emulated tenant, one engine, all inside this checkout.

    python tools/sandbox.py up | preview | down

`up` starts the emulator and runs `pulumi up`, `down` runs `pulumi destroy` and stops the emulator; the tenant stays in
`.sandbox/tenant.db`. Everything is in `.sandbox/`, the engine's state and home too, so nothing else on the machine is
touched. `.sandbox/env` is written for commands typed by hand."""

import argparse
import fcntl
import json
import os
import shlex
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

sys.path.append(str(Path(__file__).resolve().parents[1]))  # run as a script

from flexsaml.terminal_text import print_lines

PROJECT = Path(__file__).resolve().parent.parent
STACK = "sandbox"
EMULATOR = (sys.executable, "-m", "emulator")
SELECTION = "PULUMI_STACK"
"""The variable with which the reader's shell may select a stack of another backend. Were it kept, `up` would find no
such stack, and `down` would destroy the sandbox's stack of that name."""


class Failure(Exception):
    """One line for the person at the terminal."""


class Emulator:
    """The one emulator of a checkout. It inherits a lock on `emulator.json`, which holds its process id and port, and
    keeps it as long as it lives. So while the lock is taken the file is true, and once it is free the file is stale: no
    other process is ever signalled."""

    def __init__(self, directory: Path, command: Sequence[str] = EMULATOR) -> None:
        self.directory = directory
        self.command = command

    def start(self, port: int) -> int:
        """Start the emulator unless it runs already. Returns its port, which may be another than asked for."""
        with self._open() as record:
            if not _lock(record):
                return self._running(record)["port"]
            if _answers(port):
                raise Failure(f"port {port} belongs to another program: stop it, or set SANDBOX_PORT to another port")
            log = self.directory / "emulator.log"
            options = ("--port", str(port), "--tls-port", str(port + 1), "--data", str(self.directory / "tenant.db"))
            with log.open("w") as output:
                process = subprocess.Popen(
                    [*self.command, *options], cwd=PROJECT, stdout=output, stderr=subprocess.STDOUT,
                    start_new_session=True, pass_fds=[record.fileno()],
                )  # fmt: skip
            record.truncate(0)
            record.write(json.dumps({"pid": process.pid, "port": port}))
        if not _wait(lambda: process.poll() is not None or _answers(port)) or process.poll() is not None:
            raise Failure(f"the emulator did not start: {log.read_text().strip()}")
        return port

    def last_port(self) -> int | None:
        """The port of the emulator that runs or ran last; None if none did."""
        try:
            return int(json.loads((self.directory / "emulator.json").read_text())["port"])
        except (OSError, ValueError):
            return None

    def stop(self) -> None:
        """Stop the emulator if it runs."""
        with self._open() as record:
            if _lock(record):
                return
            pid = self._running(record)["pid"]
            os.kill(pid, signal.SIGTERM)
            if not _wait(lambda: _lock(record)):
                raise Failure(f"the emulator, process {pid}, does not stop")

    def _open(self) -> TextIO:
        return (self.directory / "emulator.json").open("a+")

    def _running(self, record: TextIO) -> dict[str, int]:
        record.seek(0)
        try:
            running: dict[str, int] = json.load(record)
        except ValueError:
            raise Failure("the emulator of this checkout is being started by another command: try again") from None
        return running


def _lock(file: TextIO) -> bool:
    """Take the lock if it is free."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as answer:
            return bool(json.load(answer).get("status") == "ok")
    except (OSError, ValueError):
        return False


def _wait(condition: Callable[[], bool], seconds: float = 10) -> bool:
    """True as soon as the condition holds, False if it does not in that time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def write_environment(directory: Path, path: str, port: int) -> dict[str, str]:
    """Write `env`, and return the variables it exports. No credential is among them."""
    variables = {
        # Side files (`*.attrs`) are not written atomically: a killed engine leaves an empty one and no command runs.
        "PULUMI_BACKEND_URL": f"file://{directory / 'state'}?metadata=skip",
        "PULUMI_HOME": str(directory / "pulumi"),
        "PULUMI_CONFIG_PASSPHRASE": "sandbox",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "SANDBOX_PORT": str(port),
    }
    lines = ["# . .sandbox/env, then pulumi preview, up, refresh, …", f'export PATH={shlex.quote(path)}:"$PATH"']
    lines += [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    lines += [f"unset {SELECTION}"]
    (directory / "env").write_text("\n".join(lines) + "\n")
    return {**variables, "PATH": f"{path}:{os.environ.get('PATH', '')}"}


def make_private(directory: Path) -> None:
    """State and tenant hold people's data: the directory, and what this process and its children make, are for their
    owner only. Files that an earlier version made are behind the directory's mode."""
    os.umask(0o077)
    directory.mkdir(exist_ok=True)
    directory.chmod(0o700)


def run(command: str, directory: Path, given_port: int | None) -> None:
    make_private(directory)
    for name in ("state", "pulumi"):
        (directory / name).mkdir(exist_ok=True)
    print_lines(["sandbox: looking for the Pulumi engine"], sys.stderr)
    engine = subprocess.run([sys.executable, PROJECT / "tools" / "engine.py"], stdout=subprocess.PIPE, text=True)
    if engine.returncode:
        raise Failure("there is no Pulumi engine (see above)")
    path = f"{engine.stdout.strip()}:{PROJECT / '.venv' / 'bin'}"
    emulator = Emulator(directory)
    port = given_port or emulator.last_port() or 8765
    running_port = emulator.start(port)
    if running_port != port:
        print_lines([f"sandbox: the emulator of this checkout runs on port {running_port} already"], sys.stderr)
    shell = {name: value for name, value in os.environ.items() if name != SELECTION}
    variables = {**shell, **write_environment(directory, path, running_port)}

    def pulumi(*arguments: str) -> None:
        if subprocess.run(["pulumi", *arguments], cwd=PROJECT, env=variables).returncode:
            raise Failure(describe_failure(f"pulumi {' '.join(arguments)}", directory / "state"))

    pulumi("stack", "select", "--create", STACK)
    if command in ("preview", "up"):
        pulumi("preview", "--diff")  # names each value, before and after
    if command == "up":
        pulumi("up", "--yes", "--skip-preview")
        portal = f"http://127.0.0.1:{running_port}/portal"
        print_lines(
            [
                "",
                f"Open {portal} and sign in to Twilio Flex as Ada Lovelace.",
                "Then change a value in Pulumi.sandbox.yaml, run `make up` again, and sign in again.",
            ]
        )
    if command == "down":
        pulumi("destroy", "--yes")
        if others := _list_other_stacks(variables):
            line = f"the emulator goes on, because stacks have resources in it: {', '.join(others)}"
            print_lines([f"sandbox: {line}; destroy them, then run `make down` again"], sys.stderr)
        else:
            emulator.stop()


def describe_failure(command: str, state: Path) -> str:
    """What to do after a command of the engine failed. If the stack is locked, the engine itself advises a
    `pulumi cancel`, which needs this checkout's engine and state. `state`: directory of the backend."""
    words = f"`{command}` failed (see above)"
    if not any(state.glob(f".pulumi/locks/*/*/{STACK}/*.json")):
        return words
    return f"{words}; if no other run is under way: `. .sandbox/env && pulumi cancel`, then the same command again"


def _list_other_stacks(variables: dict[str, str]) -> list[str]:
    """Names of the stacks besides the sandbox's own that have resources in the same backend."""
    command = ["pulumi", "stack", "ls", "--json"]
    listed = subprocess.run(command, cwd=PROJECT, env=variables, stdout=subprocess.PIPE, text=True, check=False)
    stacks = json.loads(listed.stdout) if listed.returncode == 0 else []
    return [stack["name"] for stack in stacks if stack["name"] != STACK and stack.get("resourceCount")]


def main() -> int:
    parser = argparse.ArgumentParser(prog="sandbox", description="the stack that needs no tenant")
    parser.add_argument("command", choices=("up", "preview", "down"))
    # A job started in the background ignores SIGINT, and then every engine command takes 5 s longer (tried).
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        port = os.environ.get("SANDBOX_PORT") or ""
        if port and not (port.isascii() and port.isdigit()):
            raise Failure(f"SANDBOX_PORT is {port!r}; write a number, like 8765")
        run(parser.parse_args().command, PROJECT / ".sandbox", int(port or 0) or None)
    except Failure as problem:
        print_lines([f"sandbox: {line}" for line in str(problem).splitlines()], sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
