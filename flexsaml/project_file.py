"""Pulumi.yaml of the project at hand."""

import re
from pathlib import Path


def read_project_name(project: Path) -> str:
    """The `name` of Pulumi.yaml, "" without one."""
    text = (project / "Pulumi.yaml").read_text("utf-8")
    named = re.search(r"""^name:[ \t]*["']?([\w.-]+)""", text, re.MULTILINE)
    return named[1] if named else ""


def name_project(folder: Path) -> str:
    """The name of the project in the folder; "flexsaml" where there is none that can be read."""
    try:
        return read_project_name(folder) or "flexsaml"
    except (OSError, UnicodeDecodeError):
        return "flexsaml"
