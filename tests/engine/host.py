"""Projects that use the installed wheel. A helper."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.emulator.process import Emulator
from tests.engine.stack import PROJECT, Checkout, Stack

PROJECT_FILE = """
name: platform
runtime: {name: python, options: {toolchain: pip, virtualenv: .venv}}
"""


class HostProject(Checkout):
    """A project that has nothing of this one but the installed wheel."""

    def __init__(self, directory: Path, program: str) -> None:
        directory.mkdir()
        self.directory = directory
        (directory / "Pulumi.yaml").write_text(PROJECT_FILE, encoding="utf-8")
        (directory / "__main__.py").write_text(program, encoding="utf-8")
        (directory / ".venv").symlink_to(PROJECT / ".venv")
        for module in ("components", "providers"):
            (directory / module).mkdir()
            (directory / module / "__init__.py").write_text('OWNER = "platform"\n', encoding="utf-8")


class Example(Checkout):
    """A copy of an example, beside the installed wheel."""

    def __init__(self, directory: Path, name: str) -> None:
        shutil.copytree(PROJECT / "examples" / name, directory)
        self.directory = directory
        (directory / ".venv").symlink_to(PROJECT / ".venv")


def open_example(name: str, emulator: Emulator, directory: Path, wheel: Path) -> Stack:
    stack = Stack(Example(directory / name, name), emulator, directory)
    stack.config = {}
    stack.identity = {"PYTHONPATH": str(wheel)}
    stack.init()
    return stack
