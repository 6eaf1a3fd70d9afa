"""Running the engine's command line, for commands that need what only the engine can decrypt."""

import os
import subprocess

from flexsaml.errors import UserError


def run_pulumi(*arguments: str) -> str:
    """What `pulumi` prints. Raises `UserError` with its own words if it fails."""
    command = ["pulumi", *arguments, "--non-interactive"]
    environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}  # else the engine asks its vendor for news
    try:
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise UserError("there is no `pulumi` on PATH") from None
    if ended.returncode:
        raise UserError(" ".join(ended.stderr.split()) or f"`pulumi {' '.join(arguments)}` failed")
    return ended.stdout
