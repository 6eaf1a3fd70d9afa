"""Running the engine's command line, for commands that need what only the engine can decrypt."""

import os
import subprocess
from typing import Any

from flexsaml.errors import UserError
from flexsaml.json_values import load_json

DYNAMIC = "pulumi-python:dynamic/flexsaml:"
"""Begins the type of each resource of this project; the name of its kind follows."""


def make_environment() -> dict[str, str]:
    """Of this process, without the engine's question to its vendor whether there is a newer version."""
    return {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}


def run_pulumi(*arguments: str) -> str:
    """What `pulumi` prints. Raises `UserError` with its own words if it fails."""
    command = ["pulumi", *arguments, "--non-interactive"]
    try:
        ended = subprocess.run(command, env=make_environment(), capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise UserError("there is no `pulumi` on PATH") from None
    if ended.returncode:
        raise UserError(" ".join(ended.stderr.split()) or f"`pulumi {' '.join(arguments)}` failed")
    return ended.stdout


def export_resources(stack: str, *arguments: str) -> list[dict[str, Any]]:
    """The resources in the state of a stack ("": the selected one). Raises `UserError` as `run_pulumi`, and ValueError
    or AttributeError if the state has not the shape of a deployment."""
    chosen = ["--stack", stack] if stack else []
    deployment = load_json(run_pulumi("stack", "export", *arguments, *chosen)).get("deployment") or {}
    return deployment.get("resources") or []
