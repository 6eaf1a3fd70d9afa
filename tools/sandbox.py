"""The sandbox: one stack, one emulated tenant, one engine, all inside this checkout.

    python tools/sandbox.py up | preview | down

`up` starts the emulator and runs `pulumi up`, `down` runs `pulumi destroy` and stops the emulator; the
tenant stays in `.sandbox/tenant.db`. All of it lives in `.sandbox/`, the engine's state and home too,
so nothing of the machine is touched. `.sandbox/env` is written for commands typed by hand.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
ROOM = PROJECT / ".sandbox"
PORT = int(os.environ.get("SANDBOX_PORT", "8765"))
STACK = "sandbox"


class Failure(Exception):
    """One line for the person at the terminal."""


def engine() -> str:
    found = subprocess.run([sys.executable, PROJECT / "tools" / "engine.py"], stdout=subprocess.PIPE, text=True)
    if found.returncode:
        raise Failure("there is no Pulumi engine (see above)")
    return found.stdout.strip()


def environment(engine_directory: str) -> dict[str, str]:
    """What `.sandbox/env` exports; no credential is among it."""
    return {
        "PATH": f"{engine_directory}:{PROJECT / '.venv' / 'bin'}:$PATH",
        # Side files (`*.attrs`) are not written atomically: a killed engine leaves an empty one and no command runs.
        "PULUMI_BACKEND_URL": f"file://{ROOM / 'state'}?metadata=skip",
        "PULUMI_HOME": str(ROOM / "pulumi"),
        "PULUMI_CONFIG_PASSPHRASE": "sandbox",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "SANDBOX_PORT": str(PORT),
    }


def prepare() -> dict[str, str]:
    """Write `.sandbox/env`, and return the environment it makes."""
    for directory in (ROOM / "state", ROOM / "pulumi"):
        directory.mkdir(parents=True, exist_ok=True)
    exports = environment(engine())
    lines = [f'export {name}="{value}"' for name, value in exports.items()]
    (ROOM / "env").write_text("# . .sandbox/env, then pulumi preview, up, refresh, …\n" + "\n".join(lines) + "\n")
    exports["PATH"] = exports["PATH"].replace("$PATH", os.environ.get("PATH", ""))
    return {**os.environ, **exports}


def answers() -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/health", timeout=2) as answer:
            return bool(json.load(answer).get("status") == "ok")
    except (OSError, ValueError):
        return False


def emulator_pid() -> int:
    """The process id of this checkout's emulator, 0 when it does not run."""
    try:
        pid = int((ROOM / "emulator.pid").read_text())
        os.kill(pid, 0)
    except (OSError, ValueError):
        return 0
    return pid


def start_emulator() -> None:
    if emulator_pid() and answers():
        return
    if answers():
        raise Failure(f"port {PORT} belongs to another program: stop it, or set SANDBOX_PORT to another port")
    command = [sys.executable, "-m", "emulator", "--port", str(PORT), "--tls-port", str(PORT + 1)]
    with (ROOM / "emulator.log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--data", str(ROOM / "tenant.db")],
            cwd=PROJECT,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    (ROOM / "emulator.pid").write_text(str(process.pid))
    for _ in range(100):
        if answers():
            return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise Failure(f"the emulator did not start: {(ROOM / 'emulator.log').read_text().strip()}")


def stop_emulator() -> None:
    pid = emulator_pid()
    if pid:
        os.kill(pid, signal.SIGTERM)
        for _ in range(50):
            if not answers():
                break
            time.sleep(0.1)
    (ROOM / "emulator.pid").unlink(missing_ok=True)


def pulumi(env: dict[str, str], *arguments: str) -> None:
    if subprocess.run(["pulumi", *arguments], cwd=PROJECT, env=env).returncode:
        raise Failure(f"`pulumi {' '.join(arguments)}` failed (see above)")


def main() -> int:
    parser = argparse.ArgumentParser(prog="sandbox", description="the stack that needs no tenant")
    parser.add_argument("command", choices=("up", "preview", "down"))
    command = parser.parse_args().command
    # A job started in the background ignores SIGINT, and then every engine command takes 5 s longer (tried).
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        env = prepare()
        start_emulator()
        pulumi(env, "stack", "select", "--create", STACK)
        if command == "preview":
            pulumi(env, "preview", "--diff")
        elif command == "up":
            pulumi(env, "up", "--yes")
            print(f"\nOpen http://127.0.0.1:{PORT}/portal and sign in to Twilio Flex as Ada Lovelace.")
            print("Then change a value in Pulumi.sandbox.yaml, `. .sandbox/env && pulumi up`, and sign in again.")
        else:
            pulumi(env, "destroy", "--yes")
            stop_emulator()
    except Failure as problem:
        print(f"sandbox: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
