"""If this goes red, a reader who types what the tutorial or a how-to guide says is refused, or sees something else than
the page says or its pictures show.

Each page is run as it stands, its blocks in order, in one shell, against an emulated tenant (`tests/documents/pages.py` has
the marks of blocks). A how-to guide begins with the stack of the sandbox, after `make up`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from difflib import unified_diff
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from tests.documents.pages import (
    ASKS,
    DOCS,
    DOCUMENTS,
    FILE,
    NEEDS_TENANT,
    PRINTS,
    REFUSED,
    Block,
    name_of,
    read_blocks,
)
from tests.documents.snippets import snippets
from tests.engine.stack import NO_PACKAGES, PROJECT, Stack
from tests.ports import find_free_port
from tools.chromium import find_chromium
from tools.pictures import PICTURES, photograph_sign_in

TUTORIAL = DOCS / "tutorial.md"
GUIDES = [
    page
    for page in sorted((DOCS / "how-to").glob("*.md"))
    if any(block.language == "sh" and block.mark != NEEDS_TENANT for block in read_blocks(page))
]
NOBODY_IS_ASKED = {"PULUMI_SKIP_CONFIRMATIONS": "true", "PULUMI_OPTION_SKIP_PREVIEW": "true"}
"""There is nobody to answer, nor to read the preview before the question."""
GROUPS = {"stack", "config", "state", "plugin"}
"""Words of `pulumi` behind which the name of a command follows."""


class Shell:
    """Runs block after block; directory and environment pass from each to the next, as in a terminal."""

    def __init__(self, directory: Path, environment: Mapping[str, str], record: Path) -> None:
        self.directory, self.environment, self.record = directory, dict(environment), record
        self.output = ""
        """What the last commands printed, without runs of blanks."""

    def run(self, text: str) -> int:
        """Exit status of the first command that fails, else 0."""
        script = f'set -euo pipefail\n{text}\npwd >"$RECORD"; env -0 >>"$RECORD"\n'
        ended = subprocess.run(
            ["bash", "-c", script],
            cwd=self.directory,
            env={**self.environment, **NOBODY_IS_ASKED, "RECORD": str(self.record)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=400,
        )
        self.output = "\n".join(" ".join(line.split()) for line in ended.stdout.splitlines())
        if ended.returncode == 0:
            directory, _, variables = self.record.read_text("utf-8").partition("\n")
            self.directory = Path(directory)
            self.environment = dict(entry.split("=", 1) for entry in variables.split("\0") if "=" in entry)
        return ended.returncode

    def follow(self, block: Block) -> str:
        """Do what a reader does with the block. What went otherwise than the page says, with the output; "" if nothing
        did."""
        if block.language == "sh" and block.mark != NEEDS_TENANT:
            status = self.run(block.text)
            is_expected = status != 0 if block.mark == REFUSED else status == int(block.mark == ASKS)
            if not is_expected or "Traceback" in self.output:
                return f"{block.place}: exit {status}\n{self.output}"
        elif block.mark == PRINTS:
            shown = [" ".join(line.split()) for line in block.text.splitlines() if line.strip() not in ("", "…")]
            if missing := [line for line in shown if line not in self.output]:
                return f"{block.place}: does not print {missing}\n{self.output}"
        elif block.mark.startswith(FILE):
            self.write(self.directory / block.mark.removeprefix(FILE), block.text)
        return ""

    def write(self, file: Path, text: str) -> None:
        """Write a file that the reader has to write. In a stack file the keys of the block replace the former ones, and
        the tenant is the emulated one."""
        if re.fullmatch(r"Pulumi\.[\w-]+\.yaml", file.name):
            written = yaml.safe_load(file.read_text("utf-8")) if file.exists() else {}
            before = (written or {}).get("config") or {}
            keys = {"flexsaml:cloud": "loopback", **before, **yaml.safe_load(text)["config"]}
            kept = {key: value for key, value in keys.items() if value is not None}
            text = yaml.safe_dump({**(written or {}), "config": kept}, sort_keys=False)
        file.parent.mkdir(exist_ok=True)
        file.write_text(text + "\n", encoding="utf-8")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The files of this repository, as a fresh clone has them, and the virtual environment that is there already."""
    clone = tmp_path / "flexsaml"
    clone.mkdir()
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=PROJECT, capture_output=True
    )
    for name in listed.stdout.decode().split("\0"):
        if name and (PROJECT / name).is_file() and not name.startswith("tests/"):
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, clone / name)
    for lock in clone.glob("requirements*.lock"):
        os.utime(lock, (0, 0))  # older than the environment, so that `make` installs nothing
    (clone / ".venv").symlink_to(PROJECT / ".venv")
    return clone


def find_outdated_pictures(printed: str, folder: Path) -> str:
    """What the pictures show and the reader does not see, in lines; "" if there is nothing. `printed`: what `make up`
    printed; `folder`: for new pictures."""
    drawn: dict[float, str] = {}
    for text in ElementTree.parse(PICTURES / "terminal.svg").iter("{http://www.w3.org/2000/svg}text"):  # noqa: S314
        if text.get("class") != "terminal-title":
            row = float(text.get("y", 0))
            drawn[row] = drawn.get(row, "") + (text.text or "")
    output = f"$ make up {mask_changes(printed)}"
    outdated = [row for _, row in sorted(drawn.items()) if mask_changes(row) not in output]
    if find_chromium():  # CI has one, as tests/browser/conftest.py makes sure
        portal = re.search(r"http://127\.0\.0\.1:\d+/portal", printed)
        assert portal, printed
        (folder / "pictures").mkdir()
        shown = photograph_sign_in(portal[0], folder / "pictures").splitlines()
        outdated += unified_diff((PICTURES / "shown.txt").read_text("utf-8").splitlines(), shown, lineterm="")
    return "\n".join(outdated)


def mask_changes(text: str) -> str:
    """Without what differs from run to run: seconds and the port."""
    return re.sub(r"\d+(\.\d+)?s\b|(?<=127\.0\.0\.1:)\d+", "…", " ".join(text.split()))


def test_the_tutorial(checkout: Path, tmp_path: Path) -> None:
    port = str(find_free_port())
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("PULUMI_", "AZURE_"))}
    environment = {**inherited, "SANDBOX_PORT": port, "PYTHONPATH": str(NO_PACKAGES)}
    shell = Shell(tmp_path, environment, tmp_path / "record")
    try:
        for block in read_blocks(TUTORIAL):
            text = block.text.replace("git clone ADDRESS flexsaml", "test -d flexsaml")
            assert shell.follow(Block(block.document, block.place, block.language, text, block.mark)) == ""
            if block.text.endswith("\nmake up"):
                assert find_outdated_pictures(shell.output, tmp_path) == "", "run `make pictures`"
    except BaseException:
        shell.directory = checkout
        shell.run("make down")  # ends the emulator
        raise


def make_by_hand(stack: Stack) -> None:
    """What Twilio's guide makes, or a script: property, value, policy and assignment."""
    tenant = stack.tenant()
    tenant.make_property("languages")
    tenant.write("ada", "en,de")
    claims = {"email": "mail", "full_name": "displayname", "roles": "assignedroles"}
    schema = [{"Source": "user", "ID": source, "SamlClaimType": name} for name, source in claims.items()]
    schema.append({"Source": "user", "ExtensionID": tenant.full("languages"), "SamlClaimType": "languages"})
    definition = {"ClaimsMappingPolicy": {"Version": 1, "IncludeBasicClaimSet": "false", "ClaimsSchema": schema}}
    tenant.assign(tenant.make_policy("Flex, made by hand", json.dumps(definition)))


def leave_as_it_is(_stack: Stack) -> None:
    """The guide begins with the stack alone."""


BEGINNINGS: dict[str, tuple[str, Callable[[Stack], None]]] = {
    "adoption": ("stack", make_by_hand),
    "first-tenant": ("stack", leave_as_it_is),
}
"""Name of a guide that does not begin with the stack of the sandbox, to the fixture of its stack and to what has happened
in the tenant before."""


@pytest.mark.parametrize("page", GUIDES, ids=name_of)
def test_a_guide(page: Path, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    fixture, prepare = BEGINNINGS.get(page.stem, ("base_stack", leave_as_it_is))
    stack: Stack = request.getfixturevalue(fixture)
    prepare(stack)
    stack.write_config()
    path = f"{PROJECT / '.venv' / 'bin'}{os.pathsep}{stack.environment['PATH']}"
    environment = {**stack.environment, "PATH": path, "SANDBOX_PORT": stack.emulator.http.rpartition(":")[2]}
    shell = Shell(stack.checkout.directory, environment, tmp_path / "record")
    for block in read_blocks(page):
        assert shell.follow(block) == ""


def pulumi_commands() -> dict[str, set[str]]:
    """Command of `pulumi` in the documents to the options it is shown with."""
    commands: dict[str, set[str]] = {}
    for document in DOCUMENTS:
        for snippet in snippets(document.read_text("utf-8")):
            for words in re.findall(r"(?:^|&& |; |\()pulumi ((?:[a-z][a-z-]* ?)*)([^|>&;]*)", snippet.strip()):
                names = words[0].split() or [""]
                command = " ".join(names[: 2 if names[0] in GROUPS and len(names) > 1 else 1])
                options = re.findall(r"(?<![\w-])--[a-z][a-z-]*", words[0] + words[1])
                commands.setdefault(command, set()).update(options)
    return commands


def test_the_engine_knows_every_command_and_option() -> None:
    commands = pulumi_commands()
    assert {"up", "preview", "destroy", "refresh", "stack init"} <= set(commands)
    environment = {**os.environ, "PULUMI_EXPERIMENTAL": "true"}  # else the help leaves plans out
    mistakes = []
    for command, options in sorted(commands.items()):
        helped = subprocess.run(
            ["pulumi", *command.split(), "--help"], env=environment, capture_output=True, text=True, check=False
        )
        *_, name = command.split()
        if helped.returncode or not re.search(rf"pulumi {command}\b|Aliases:\n.*\b{name}\b", helped.stdout):
            mistakes.append(f"pulumi {command}")
        mistakes += [f"pulumi {command} {option}" for option in options if not re.search(rf"{option}\b", helped.stdout)]
    assert mistakes == []
