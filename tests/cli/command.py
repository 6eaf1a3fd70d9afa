"""Runs commands as users do: each in its own process, against an emulator, with a stack file. A helper."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.emulator.process import ADMIN, SECRET, Emulator

ROOT = Path(__file__).parents[2]
CLAIMS = """\
  flexsaml:claims:
    nameid: user.userprincipalname
    email: user.mail
    full_name: user.displayname
    roles: user.assignedroles
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended; no command shows a traceback."""

    status: int
    out: str
    err: str


def run(
    *arguments: str,
    cwd: Path = ROOT,
    environment: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    preexec: Callable[[], None] | None = None,
) -> Ended:
    """Runs `python -m flexsaml` with these arguments, and with the emulator's administrator as its identity."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("TWILIO_", "AZURE_", "PULUMI_"))
    }
    given = {"AZURE_CLIENT_ID": ADMIN, "AZURE_CLIENT_SECRET": SECRET, "PYTHONPATH": str(ROOT), **(environment or {})}
    process = subprocess.run(
        [sys.executable, "-m", "flexsaml", *arguments],
        cwd=cwd,
        env={**inherited, **given},
        input=stdin,
        preexec_fn=preexec,
        capture_output=True,
        timeout=120,
        check=False,
    )
    ended = Ended(process.returncode, process.stdout.decode(), process.stderr.decode())
    assert "Traceback" not in ended.err + ended.out, ended.err
    return ended


def stack_file(folder: Path, emulator: Emulator, claims: str = CLAIMS, **keys: str) -> str:
    """The path of a stack file for the emulator's tenant."""
    known = {
        "cloud": "loopback",
        "graphEndpoint": emulator.http,
        "loginEndpoint": emulator.http,
        "servicePrincipal": "Twilio Flex",
    }
    written = "".join(f"  flexsaml:{key}: {value}\n" for key, value in {**known, **keys}.items())
    file = folder / "Pulumi.dev.yaml"
    file.write_text(f"config:\n{written}{claims}")
    return str(file)


def refused(ended: Ended, command: str, *words: str) -> None:
    """Asserts one line on stderr with these words, and exit status 2."""
    assert ended.status == 2, ended.out
    lines = ended.err.splitlines()
    assert len(lines) == 1, ended.err
    assert lines[0].startswith(f"{command}: ")
    for word in words:
        assert word in lines[0], lines[0]
