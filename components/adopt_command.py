"""`adopt`: what exists in the tenant becomes this stack's own, through `pulumi import --file`.

Reads the stack's configuration with `pulumi config` (so that encrypted values are decrypted) and the tenant; writes one
file, readable by its owner only, since it holds what users have. Changes nothing. The import is for a stack that has no
resources yet.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
from pathlib import Path

import pulumi
from pulumi.runtime import set_all_config

from flexsaml.claims import escape
from flexsaml.errors import UserError

from .adopt import Adoption, adopt
from .args import read_config

PROJECT = "flexsaml"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="where the import file is written")
    parser.add_argument("--stack", default="", help="default: the selected stack")
    parser.add_argument("--json", action="store_true", help="print what exists as JSON")


def run(given: argparse.Namespace) -> int:
    stack = given.stack or _run_pulumi("stack", "--show-name").strip()
    _require_empty(stack)
    _load_configuration(stack)
    try:
        adoption = adopt("flex", read_config, PROJECT, stack)
    except pulumi.RunError as problem:
        raise UserError(" ".join(str(problem).split())) from None
    _write(adoption, given.out)
    names = [resource["name"] for resource in adoption.resources if not resource.get("component")]
    if given.json:
        print(json.dumps({"found": names, "absent": adoption.absent, "file": str(given.out)}))
        return 0
    print(escape(f"{len(names)} objects exist and are in {given.out}: {', '.join(names)}", 10_000))
    if adoption.absent:
        print(escape(f"these do not exist, `pulumi up` will make them: {', '.join(adoption.absent)}", 10_000))
    print(
        "From the import on they belong to this stack: destroy deletes them, and users' values count as unset before.\n"
        f"  pulumi import --yes --file {given.out} --generate-code=false --protect=false\n"
        "  pulumi preview --diff   # there is nothing to do\n"
        f"  pulumi up && rm {given.out}   # records the order of things; until then users' values are plain in state"
    )
    return 0


def _load_configuration(stack: str) -> None:
    """The stack's configuration becomes this program's, as if the engine ran it."""
    entries = json.loads(_run_pulumi("config", "--json", "--show-secrets", "--stack", stack))
    values = {key: entry["value"] for key, entry in entries.items() if "value" in entry}
    set_all_config(values, [key for key, entry in entries.items() if entry.get("secret")])


def _write(adoption: Adoption, file: Path) -> None:
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as opened:
            os.fchmod(opened.fileno(), 0o600)  # also if the file existed before
            json.dump(adoption.to_json(), opened, indent=1)
    except OSError as problem:
        raise UserError(f"{file}: {problem.strerror}") from None


def _require_empty(stack: str) -> None:
    """An import adds resources and changes none, so an existing tenant baseline would not learn of them."""
    deployment = json.loads(_run_pulumi("stack", "export", "--stack", stack)).get("deployment") or {}
    if any(not resource["type"].startswith("pulumi:") for resource in deployment.get("resources") or []):
        raise UserError(
            f"stack '{stack}' has resources already, and adoption is for a stack without any: refer to a property "
            "by its full name instead, or run `pulumi destroy` first"
        )


def _run_pulumi(*arguments: str) -> str:
    command = ["pulumi", *arguments, "--non-interactive"]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise UserError("there is no `pulumi` on PATH") from None
    if ended.returncode:
        raise UserError(" ".join(ended.stderr.split()) or f"`pulumi {' '.join(arguments)}` failed")
    return ended.stdout
