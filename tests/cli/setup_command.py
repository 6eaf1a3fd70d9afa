"""`setup` beside a stack file, as a person with what a token of `az login` was measured to have, and an answer at a
terminal. A helper, not a test."""

from __future__ import annotations

import base64
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import CLAIMS, ROOT, Ended, run, stack_file
from tests.emulator.process import AZURE_CLI, SECRET, SEED, Emulator

PERSON = {"FLEXSAML_SANDBOX_CLIENT": AZURE_CLI, "FLEXSAML_SANDBOX_SECRET": SECRET}
STACK = CLAIMS + (
    "    languages.stringarray: extension.languages\n  flexsaml:extensions: {languages: String}\n"
    "  flexsaml:users:\n    ada@contoso.example: {languages: en}\n"
)
UP = {
    "Application.ReadWrite.OwnedBy", "Policy.Read.All", "Policy.ReadWrite.ApplicationConfiguration",
    "User.ReadWrite.All",
}  # fmt: skip
KEY = {
    "type": "AsymmetricX509Cert", "usage": "Verify", "displayName": "flexsaml AB",
    "key": base64.b64encode(b"a certificate").decode(),
}  # fmt: skip

Setup = Callable[..., Ended]


@pytest.fixture
def setup(emulator: Emulator, tmp_path: Path) -> Setup:
    """Runs `setup` with these arguments, beside a stack file."""
    file = stack_file(tmp_path, emulator, STACK)

    def run_setup(*arguments: str, environment: dict[str, str] = PERSON) -> Ended:
        return run("setup", "--file", file, *arguments, environment=environment)

    return run_setup


def grant(emulator: Emulator, *permissions: str) -> None:
    """Give the person exactly these; the tenant stays as it is."""
    person = {"id": AZURE_CLI, "displayName": "a person", "secret": SECRET, "isPerson": True, "roles": permissions}
    clients = [client for client in json.loads(SEED.read_text("utf-8"))["clients"] if client["id"] != AZURE_CLI]
    emulator.seed({**emulator.export(), "clients": [*clients, person]})


def registrations(emulator: Emulator, name: str = "flexsaml flexsaml dev") -> list[dict[str, Any]]:
    return [row for row in emulator.export()["applications"] if row["displayName"] == name]


def granted(emulator: Emulator) -> set[str]:
    """The application permissions that were consented to."""
    export = emulator.export()
    graph = next(row for row in export["servicePrincipals"] if row["displayName"] == "Microsoft Graph")
    names = {role["id"]: role["value"] for role in graph["appRoles"]}
    return {names[row["appRoleId"]] for row in export["appRoleAssignments"] if row["resourceId"] == graph["id"]}


def answer_at_a_terminal(
    arguments: list[str], environment: dict[str, str], answer: str, meanwhile: Callable[[], object] = lambda: None
) -> tuple[int, str]:
    """Exit status, and what the terminal showed. `answer` is typed when it is asked for, `meanwhile` happens before the
    first one."""
    waiting = [meanwhile]
    terminal, child_end = pty.openpty()
    command = [sys.executable, "-m", "flexsaml", *arguments]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, start_new_session=True, stdin=child_end, stdout=child_end, stderr=child_end
    )
    os.close(child_end)
    shown = b""
    with suppress(OSError):  # Linux ends a terminal that way
        while chunk := os.read(terminal, 4096):
            shown += chunk
            if b"Type yes:" in chunk:
                if waiting:
                    waiting.pop()()
                os.write(terminal, answer.encode() + b"\n")
    os.close(terminal)
    return process.wait(timeout=60), shown.decode()
