"""Entry of `python -m flexsaml`: picks the command's module and hands over."""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module

COMMANDS = {
    "adopt": "a file for `pulumi import` that makes what exists in the tenant this stack's own",
    "doctor": "whether this machine, its identity and the tenant are ready for the stack",
    "lint": "what is wrong with a claims mapping policy, or with the claims of a stack file",
    "predict": "what a sign-in will deliver to Flex, before anyone signs in",
    "verify": "whether a SAML response is genuine, and delivers what the stack declares",
    "worker": "what Flex stored for an agent, beside the prediction",
}
"""Command to its one-line help; the module is `flexsaml.cli.<command>` with `arguments(parser)` and `run(given)`."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m flexsaml", description="beside `pulumi`: what a stack cannot say")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    for name, help_ in COMMANDS.items():
        made = commands.add_parser(name, help=help_, description=help_)
        if name == wanted:
            import_module(f"flexsaml.cli.{name}").arguments(made)
    given = parser.parse_args()
    try:
        status = int(import_module(f"flexsaml.cli.{given.command}").run(given))
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read has seen enough, `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    return status


if __name__ == "__main__":
    sys.exit(main())
