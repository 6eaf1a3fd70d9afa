"""Runs commands against an emulator, with a stack file in a folder. A helper."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from flexsaml.cli import main
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
    """How a command ended."""

    status: int
    out: str
    err: str


def run(*arguments: str, cwd: Path = ROOT, environment: Mapping[str, str] | None = None, stdin: bytes = b"") -> Ended:
    """Runs a command in this process, with the emulator's administrator as its identity.

    An exception that would be a traceback at the terminal fails the test.
    """
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TWILIO_", "AZURE_", "PULUMI_", "FLEXSAML_"))
    }
    identity = {"FLEXSAML_SANDBOX_CLIENT": ADMIN, "FLEXSAML_SANDBOX_SECRET": SECRET, "FLEXSAML_DEBUG": "1"}
    out, err, text = (io.TextIOWrapper(io.BytesIO(data), encoding="utf-8") for data in (b"", b"", stdin))
    with ExitStack() as stack:
        stack.enter_context(redirect_stdout(out))
        stack.enter_context(redirect_stderr(err))
        stack.callback(setattr, sys, "stdin", sys.stdin)
        stack.callback(os.chdir, Path.cwd())
        before = dict(os.environ)
        stack.callback(os.environ.update, before)
        stack.callback(os.environ.clear)
        os.environ.clear()
        os.environ.update({**inherited, **identity, **(environment or {})})
        os.chdir(cwd)
        sys.stdin = text
        try:
            status = main(arguments)
        except SystemExit as end:  # of argparse
            status = int(end.code or 0)
    for stream in (out, err):
        stream.flush()
    return Ended(status, *(stream.buffer.getvalue().decode() for stream in (out, err)))


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


def assert_refused(ended: Ended, command: str, *words: str) -> None:
    """Asserts one line on stderr with these words, and exit status 2."""
    assert ended.status == 2, ended.out
    lines = ended.err.splitlines()
    assert len(lines) == 1, ended.err
    assert lines[0].startswith(f"{command}: ")
    for word in words:
        assert word in lines[0], lines[0]
