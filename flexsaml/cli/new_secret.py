"""The client secret that `setup` makes. Graph answers its text once, so where it goes is settled before it is made:
into a new file that only its owner can read, or on a terminal."""

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flexsaml import setup
from flexsaml.errors import UserError
from flexsaml.private_files import check_writable, write_private_file
from flexsaml.terminal_text import print_lines

EXISTS_ALREADY = "a client secret exists already, and its text cannot be read again"
_VARIABLES = ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET")
_VARIABLES_OF_SANDBOX = ("FLEXSAML_SANDBOX_CLIENT", "", "FLEXSAML_SANDBOX_SECRET")


def assign_variables(cloud: str, *values: str) -> dict[str, str]:
    """The environment variables by which a program signs in to that cloud. `cloud`: its name in the configuration;
    `values`: client, tenant and, if it is to be among them, secret."""
    names = _VARIABLES_OF_SANDBOX if cloud == "loopback" else _VARIABLES
    return {name: value for name, value in zip(names, values, strict=False) if name}


def choose_secret_file(name: str, waiting: Sequence[setup.Step], *, yes: bool) -> Path | None:
    """Where a new secret goes; None to show it, or if none of the steps `waiting` makes one. `name`: what was given
    with --secret-file, or "". Raises `UserError` where it could be neither written nor shown, and for a file that
    would be waited for in vain."""
    if not any(step.is_secret for step in waiting):
        if name and not Path(name).exists():
            raise UserError(f"{name} is not written: {EXISTS_ALREADY}; add --renew for another one")
        return None
    if not name:
        if yes and not sys.stdout.isatty():
            words = "the output is no terminal and may be a log, so the secret is not shown"
            raise UserError(f"{words}; give --secret-file")
        return None
    path = Path(name)
    check_writable(path)
    if path.exists():
        raise UserError(f"{path} exists already and is not overwritten; name a new file with --secret-file")
    return path


def hand_over_secret(answer: Mapping[str, Any], client: str, tenant_id: str, cloud: str, file: Path | None) -> None:
    """Write the secret that Graph answered into `file`, as a shell reads it, or show it. Raises `UserError`."""
    secret = answer.get("secretText")
    if not isinstance(secret, str) or not secret:
        raise UserError("a secret was made, but Graph's answer does not have its text; run it again with --renew")
    if file is None:
        print_lines([f"client secret, shown only now: {secret}"])
        return
    variables = assign_variables(cloud, client, tenant_id, secret)
    write_private_file(file, "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()))
    print_lines(
        [f"the secret is in {file}, which only its owner can read: `. {_as_sourced(file)}`, then delete the file"]
    )


def _as_sourced(file: Path) -> str:
    """How a shell reads it: a name without a slash would be looked for on PATH."""
    text = shlex.quote(str(file))
    return text if "/" in text else f"./{text}"
