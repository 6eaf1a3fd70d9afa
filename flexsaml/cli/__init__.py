"""`python -m flexsaml COMMAND`: one module for each command, imported when it is used. Exit status: 0 fine, 1 findings,
2 wrong usage or an error, which is reported in one line, 3 a bug."""

import argparse
import io
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from flexsaml.errors import UserError
from flexsaml.installation import advise_installation, is_own_module, read_version
from flexsaml.terminal_text import escape_controls, print_lines

from .terminal import read_file as read_file

DEBUG = "FLEXSAML_DEBUG"
"""The environment variable that shows the traceback of a bug."""
BUG = 3
"""Exit status of a bug: neither findings nor an error that the user can mend."""
COMMANDS = {
    "accept-mapped-claims": "lets Entra apply the policy without a signing certificate, where it allows that",
    "adopt": "a file for `pulumi import` that makes what exists in the tenant this stack's own",
    "certificate": "the SAML signing certificates of the service principal: shows, creates and activates them",
    "doctor": "whether this machine, its identity and the tenant are ready for the stack",
    "ledger": "a file of what users held before this stack wrote, which only its state knows",
    "lint": "what is wrong with a claims mapping policy, or with the claims of a stack file",
    "login": "signs a person in by device code, for a registration of one's own",
    "predict": "what a sign-in will deliver to Flex, before anyone signs in",
    "review": "what a preview changes, as Markdown for a comment on a pull request",
    "setup": "the app registration that runs the stack, with the least privileges it takes",
    "verify": "whether a SAML response is genuine, and delivers what the stack declares",
    "worker": "what Flex stored for an agent, beside the prediction",
}
"""Command to its one-line help."""
MODULES = {"adopt": "components.adopt"}
"""Modules of commands that are not `flexsaml.cli.<command>`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command. Returns its exit status; wrong usage ends in `SystemExit`, as argparse does it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # letters that the terminal lacks are escaped
    given = sys.argv[1:] if arguments is None else list(arguments)
    command = given[0] if given else ""
    try:
        status = _run(command, given)
        sys.stdout.flush()
        return status
    except UserError as error:
        problem = str(error)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package == "flexsaml" or is_own_module(package):  # a bug
            raise
        problem = f"the package {package} is not installed; {advise_installation(package)}"
    except BrokenPipeError:  # the reader has closed the pipe, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    except Exception as bug:
        if os.environ.get(DEBUG):
            raise
        frame = traceback.extract_tb(bug.__traceback__)[-1]
        place = f"{Path(frame.filename).name}:{frame.lineno}"
        # The words of the exception may hold what somebody's file holds, so they are left out.
        advice = f"set {DEBUG}=1 to see all of it, and report it without the values of your tenant"
        print_lines([f"{command}: this is a bug in flexsaml: {type(bug).__name__} at {place}; {advice}"], sys.stderr)
        return BUG
    print_lines([f"{command}: {problem}"], sys.stderr)
    return 2


class _Parser(argparse.ArgumentParser):
    """Repeats wrong arguments in a way that every terminal can show."""

    def error(self, message: str) -> NoReturn:
        super().error(escape_controls(message))


def _run(command: str, arguments: list[str]) -> int:
    parser = _Parser(prog="python -m flexsaml", description="commands beside `pulumi`")
    parser.add_argument("--version", action="store_true", help="print the version")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, help_ in COMMANDS.items():
        subparser = commands.add_parser(name, help=help_, description=help_)
        if name == command:
            load_module(name).arguments(subparser)
    if arguments == ["--version"]:
        print_lines([read_version()])
        return 0
    if not arguments:
        parser.error(f"give a command: {', '.join(COMMANDS)}; --help says what each does")
    given = parser.parse_args(arguments)
    return int(load_module(given.command).run(given))


def load_module(command: str) -> ModuleType:
    """What runs the command: it has `arguments(parser)` and `run(given)`."""
    return import_module(MODULES.get(command, f"flexsaml.cli.{command.replace('-', '_')}"))
