"""A project that uses the installed wheel. A helper."""

from __future__ import annotations

from pathlib import Path

from tests.engine.stack import PROJECT, Checkout

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
