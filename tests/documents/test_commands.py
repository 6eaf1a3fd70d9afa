"""If this goes red, a document shows a command that does not exist, has another option, or that CI never ran.

Every command of a `sh` block is run by CI, or its block is marked `<!-- needs a tenant -->`. Those of the tutorial and of
`docs/how-to` are run as they stand by `tests/engine/test_pages.py`; `EXECUTED` says who runs the others.
"""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
import sys
from fnmatch import fnmatchcase
from importlib.util import find_spec
from pathlib import Path

import pytest

from flexsaml.cli import COMMANDS
from tests.documents.pages import (
    ASKS,
    DOCS,
    DOCUMENTS,
    FILE,
    NEEDS_TENANT,
    PRINTS,
    PROJECT,
    REFUSED,
    Block,
    name_of,
    read_blocks,
)
from tests.documents.snippets import snippets
from tools.reference import parser_of

EXECUTED = {
    "make up": "tests/engine/test_pages.py",
    "make down": "tests/engine/test_pages.py",
    "make full": ".ci/run",
    "make test": "Makefile",  # a share of `make full`
    "make check": ".ci/run",
    "make quick": "Makefile",  # `make check`, and a share of `make test`
    "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt": "Makefile",
    "git clone ADDRESS flexsaml": "tests/engine/test_pages.py",
    "git clone ADDRESS flexsaml && cd flexsaml && make up": "tests/engine/test_pages.py",
    "python3 -m venv platform/.venv": "tests/wheel.py",
    "platform/.venv/bin/pip install ./flexsaml": "tests/wheel.py",
    "cd platform && pulumi stack init dev": "tests/engine/test_host_program.py",
    "pulumi new ../flexsaml/examples/template --name team-flex": "tests/engine/test_template.py",
    ".venv/bin/pip install ../flexsaml": "tests/wheel.py",
    "pulumi stack init *": "tests/engine/stack.py",
    "pulumi preview": "tests/engine/stack.py",
    "pip install -r requirements-emulator.txt": "Makefile",
    "python3 -m venv policy-pack/.venv && policy-pack/.venv/bin/pip install *": "tests/engine/test_policy_pack.py",
    "pulumi preview --policy-pack policy-pack *": "tests/engine/test_policy_pack.py",
    "python -m flexsaml certificate": "tests/cli/test_certificate.py",
    "python -m flexsaml accept-mapped-claims*": "tests/cli/test_accept_mapped_claims.py",
    "python -m flexsaml setup *": "tests/cli/test_setup.py",
    "python -m emulator --data tenant.db": "tests/emulator/process.py",
}
"""Pattern of a command to the file that runs it in CI."""
RUN_AS_PAGES = [DOCS / "tutorial.md", *sorted((DOCS / "how-to").glob("*.md"))]
LANGUAGES = {"sh", "", "text", "yaml", "json", "python", "csv", "mermaid", "{toctree}"}
"""Of fenced blocks; commands stand in `sh` blocks only."""
PROGRAMS = r"(?:pulumi|make|az|git|pip|python3?|curl|docker) "
TARGETS = re.findall(r"(?m)^([a-z]+):", (PROJECT / "Makefile").read_text("utf-8"))
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


def is_executed(command: str) -> bool:
    return any(fnmatchcase(command, pattern) for pattern in EXECUTED)


def unexecuted(block: Block) -> list[str]:
    """The commands of a block that neither CI runs nor a mark excuses."""
    if block.language != "sh" or block.mark == NEEDS_TENANT or block.document in RUN_AS_PAGES:
        return []
    return [f"{block.place}: {command}" for command in block.commands if not is_executed(command)]


def find_mistakes(snippet: str) -> list[str]:
    """What of a snippet does not exist: a command of flexsaml or an option of it, a target of make, a Python module."""
    mistakes = []
    for command, rest in re.findall(r"python3? -m flexsaml ([a-z]\S*)([^|>&;]*)", snippet):
        if command not in COMMANDS:
            mistakes.append(f"there is no command {command}")
            continue
        known = _OPTION.findall(parser_of(command).format_help())
        mistakes += [f"{command} has no option {option}" for option in _OPTION.findall(rest) if option not in known]
    for target in re.findall(r"(?:^|&& |; )(?:[A-Z_]+=\S+ )*make ([a-z]+)", snippet.strip()):
        if target not in TARGETS:
            mistakes.append(f"make has no target {target}")
    for module in re.findall(r"python3? -m ([\w.]+)", snippet):
        if find_spec(module) is None:
            mistakes.append(f"there is no module {module}")
    for path in re.findall(r"python3? ([\w/]+\.py)", snippet):
        if not (PROJECT / path).exists() and "/" in path:
            mistakes.append(f"there is no file {path}")
    return mistakes


def find_wrong_usage(command: str) -> str:
    """Why argparse refuses a whole command of flexsaml; "" if it takes it, or if it is another program's."""
    match = re.search(r"python3? -m flexsaml ([a-z]+)([^|>&;]*)", command)
    if not match or match[1] not in COMMANDS:
        return ""
    try:
        parser_of(match[1]).parse_args(shlex.split(match[2]))
    except (argparse.ArgumentError, SystemExit) as problem:
        return f"{command}: {problem}"
    return ""


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_command_exists(document: Path) -> None:
    text = document.read_text("utf-8")
    mistakes = [f"{mistake}: {snippet}" for snippet in snippets(text) for mistake in find_mistakes(snippet)]
    commands = [command for block in read_blocks(document) if block.language == "sh" for command in block.commands]
    assert mistakes + [wrong for command in commands if (wrong := find_wrong_usage(command))] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_command_is_run_by_ci_or_marked(document: Path) -> None:
    blocks = read_blocks(document)
    text = document.read_text("utf-8")
    assert len(blocks) == len(re.findall(r"(?m)^ *```", text)) / 2, "a block that this test does not read"
    assert [f"{block.place}: {block.language}" for block in blocks if block.language not in LANGUAGES] == []
    known = ("", NEEDS_TENANT, REFUSED, ASKS, PRINTS)
    misspelt = [block.place for block in blocks if block.mark not in known and not block.mark.startswith(FILE)]
    assert misspelt == [], "a mark that tests/documents/pages.py does not list"
    hidden = [
        f"{block.place}: write `sh` behind the fence: {line}"
        for block in blocks
        if block.language != "sh" and not re.search(r"(?m)^python -m flexsaml .*[\[|]", block.text)  # a synopsis
        for line in block.text.splitlines()
        if re.match(rf"(?:\$ )?{PROGRAMS}", line)
    ]
    assert hidden + [line for block in blocks for line in unexecuted(block)] == []


def test_what_runs_a_command_is_there() -> None:
    assert [file for file in EXECUTED.values() if not (PROJECT / file).exists()] == []


def test_the_options_of_the_emulator_exist() -> None:
    helped = subprocess.run([sys.executable, "-m", "emulator", "--help"], capture_output=True, text=True, cwd=PROJECT)
    known = _OPTION.findall(helped.stdout)
    assert known
    for document in DOCUMENTS:
        for snippet in snippets(document.read_text("utf-8")):
            for rest in re.findall(r"python -m emulator ([^|>&;]*)", snippet):
                assert [option for option in _OPTION.findall(rest) if option not in known] == [], snippet


@pytest.mark.parametrize(("snippet", "mistake"), [
    ("python -m flexsaml predict --user UPN --all", ""),
    ("python -m flexsaml predict --usr UPN", "predict has no option --usr"),
    ("python -m flexsaml foretell --user UPN", "there is no command foretell"),
    ("python -m flexsaml COMMAND", ""),
    ("SANDBOX_PORT=9000 make up", ""),
    ("cd x && make upwards", "make has no target upwards"),
    ("python -m bench.nothing", "there is no module bench.nothing"),
    ("python tools/nothing.py", "there is no file tools/nothing.py"),
])  # fmt: skip
def test_what_does_not_exist_is_reported(snippet: str, mistake: str) -> None:
    assert find_mistakes(snippet) == ([mistake] if mistake else [])


@pytest.mark.parametrize(("command", "accepted"), [
    ("python -m flexsaml lint Pulumi.dev.yaml --json > x.json", True),
    ("python -m flexsaml lint", False),
    ("python -m flexsaml predict --user a --all", False),
    ("python -m flexsaml predict --all --against nothing", False),
    ("pulumi up", True),
])  # fmt: skip
def test_a_command_that_argparse_refuses_is_reported(command: str, accepted: bool) -> None:
    assert (find_wrong_usage(command) == "") is accepted


PAGE = """
```sh
{command}
```
"""


@pytest.mark.parametrize(("page", "excused"), [
    (PAGE.format(command="make check"), True),
    (PAGE.format(command="make check && rm -r /"), False),
    (PAGE.format(command="pulumi stack init prod  # a comment"), True),
    (PAGE.format(command="az login"), False),
    ("<!-- needs a tenant -->" + PAGE.format(command="az login"), True),
    ("<!-- file: x -->" + PAGE.format(command="az login"), False),
    ("1. A list:\n\n   <!-- needs a tenant -->\n   ```sh\n   az login\n   ```\n", True),
    ("1. A list:\n\n   ```sh\n   az \\\n   login\n   ```\n", False),
])  # fmt: skip
def test_a_command_that_nobody_runs_is_reported(page: str, excused: bool) -> None:
    blocks = read_blocks(Path("page.md"), page)
    assert len(blocks) == 1
    assert (unexecuted(blocks[0]) == []) is excused
