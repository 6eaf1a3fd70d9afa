"""`adopt`: what exists in the tenant becomes this stack's own, through `pulumi import --file`.

Reads the stack's configuration with `pulumi config` (so that encrypted values are understood) and the tenant;
writes one file, readable by its owner only, since it holds what users have. Changes nothing. The import is for a
stack that has no resources yet.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
from pathlib import Path

import pulumi
from pulumi.runtime import set_all_config

from components import InvalidDeclaration, from_config
from components.adopt import adopt
from flexsaml.errors import UserError
from flexsaml.graph import GraphError
from providers import Connection

from .terminal import CannotLook, end

PROJECT = "flexsaml"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="where the import file goes")
    parser.add_argument("--stack", default="", help="default: the selected stack")
    parser.add_argument("--json", action="store_true", help="tell what was found as JSON")


def run(given: argparse.Namespace) -> int:
    try:
        stack = given.stack or _pulumi("stack", "--show-name").strip()
        _empty(stack)
        values = json.loads(_pulumi("config", "--json", "--show-secrets", "--stack", stack))
        set_all_config({key: one["value"] for key, one in values.items() if "value" in one})
        config = pulumi.Config(PROJECT)
        found = adopt(
            "flex", lambda: from_config(config), Connection.from_config(config.get).directory(), PROJECT, stack
        )
    except InvalidDeclaration as invalid:
        return end("adopt", "; ".join(invalid.problems))
    except (CannotLook, GraphError, UserError, ValueError, pulumi.RunError) as problem:
        return end("adopt", str(problem))
    try:
        with os.fdopen(os.open(given.out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            os.fchmod(file.fileno(), 0o600)  # also when the file was there already
            json.dump(found.to_json(), file, indent=1)
    except OSError as problem:
        return end("adopt", f"{given.out}: {problem.strerror}")
    names = [one["name"] for one in found.resources if not one.get("component")]
    if given.json:
        print(json.dumps({"found": names, "absent": found.absent, "file": str(given.out)}))
        return 0
    print(f"{len(names)} objects exist and are in {given.out}: {', '.join(names)}")
    if found.absent:
        print(f"not there, `pulumi up` will make them: {', '.join(found.absent)}")
    print(
        "From the import on they are this stack's own: destroy deletes them, and users' values count as unset before.\n"
        f"  pulumi import --yes --file {given.out} --generate-code=false --protect=false\n"
        "  pulumi preview --diff   # nothing to do\n"
        f"  pulumi up && rm {given.out}   # records the order of things; until then what users held is plain in state"
    )
    return 0


def _empty(stack: str) -> None:
    """An import adds resources and changes none, so a tenant baseline that stands already would stay without them."""
    deployment = json.loads(_pulumi("stack", "export", "--stack", stack)).get("deployment") or {}
    if any(not one["type"].startswith("pulumi:") for one in deployment.get("resources") or []):
        raise CannotLook(
            f"stack '{stack}' has resources already, and adoption is for a stack without any: refer to a property "
            "by its full name instead, or run `pulumi destroy` first"
        )


def _pulumi(*arguments: str) -> str:
    try:
        found = subprocess.run(["pulumi", *arguments, "--non-interactive"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise CannotLook("there is no `pulumi` on PATH") from None
    if found.returncode:
        raise CannotLook(" ".join(found.stderr.split()) or f"`pulumi {' '.join(arguments)}` failed")
    return found.stdout
