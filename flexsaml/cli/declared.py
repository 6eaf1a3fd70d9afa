"""What a stack declares, read from its `Pulumi.<stack>.yaml` without the engine, which takes a second to start; if the
stack's program gives the arguments itself, from the state (`deployed.py`). An
encrypted key is refused where it is needed, and defaults are those of `flexsaml.declaration.KEYS`. Which stack is
meant: the one named, else the one `pulumi stack select` chose (PULUMI_STACK, or the engine's workspace file), else the
only one there is."""

from __future__ import annotations

import argparse
import hashlib
import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from flexsaml.claims import MAX_TEXT_BYTES, RULE_NAMES, read_policies
from flexsaml.declaration import (
    Declaration,
    declares_arguments,
    describe_problem,
    find_meant_key,
    load_stack_keys,
    read_declaration,
)
from flexsaml.errors import UserError
from flexsaml.findings import Finding
from flexsaml.graph import Cloud, cloud
from flexsaml.installation import CHECKOUT
from flexsaml.json_values import load_json
from flexsaml.private_files import read_regular_file
from flexsaml.project_file import name_project, read_project_name
from flexsaml.terminal_text import print_lines

from .terminal import read_file

if TYPE_CHECKING:
    from flexsaml.graph import Directory


_WHY_UNKNOWN = {
    "file": "is encrypted, and only the engine can read it",
    "state": "is secret in the state, and only the engine can read it",
    "principal": "is given by the program, and the state has it from the first `pulumi up` on",
}


@dataclass(frozen=True)
class Declared:
    """What a stack declares. A property raises `UserError` if what it needs has a finding or cannot be read."""

    file: str
    """The stack file, or what was read in its place."""
    stack: str
    declaration: Declaration
    findings: tuple[Finding, ...]
    """What is wrong with the declaration; `declaration` holds the rest."""
    origin: Literal["file", "state", "principal"] = "file"
    """Where it was read; `principal`: nothing but the principal is known, because the program gives the rest, and
    nothing was deployed."""

    @property
    def why_unknown(self) -> str:
        """What is said of a path in `declaration.encrypted`."""
        return _WHY_UNKNOWN[self.origin]

    @property
    def place(self) -> str:
        """Where a person corrects what is declared."""
        return self.file if self.origin == "file" else "the program"

    @property
    def project(self) -> str:
        """Name of the Pulumi project of which this is a stack file."""
        return name_project(Path(self.file).parent)

    @property
    def service_principal(self) -> str:
        """Display name, appId or object id."""
        self.require("servicePrincipal")
        return self.declaration.service_principal

    @property
    def claims(self) -> tuple[str, ...]:
        """The declared SamlClaimTypes in the order they are sent; the NameID's among them."""
        self.require("claims", "definition", "extensions", entries=False)
        if self.declaration.claims:
            return tuple(claim.saml_type for claim in self.declaration.claims.values())
        entries = [entry for document in read_policies(self.declaration.definition) for entry in document.entries]
        return tuple(str(entry.get("SamlClaimType")) for entry in entries if entry.get("SamlClaimType"))

    def definition(self, app_id: str) -> str:
        """The definition string; `app_id` is that of the extensions' application."""
        self.require("claims", "definition", "extensions")
        return self.declaration.encode_definition(app_id)

    @property
    def cloud(self) -> Cloud:
        """Where the tenant is."""
        self.require("cloud", "graphEndpoint", "loginEndpoint")
        keys = self.declaration
        return cloud(keys.cloud, graph_endpoint=keys.graph_endpoint, login_endpoint=keys.login_endpoint)

    @property
    def tenant_id(self) -> str:
        self.require("tenantId")
        return self.declaration.tenant_id

    def directory(self) -> Directory:
        """Typed calls to Graph, which nothing has been asked yet."""
        from flexsaml.graph import Client, Directory, credentials  # only now: they need the HTTP library

        return Directory(Client(self.cloud, credentials(self.cloud, self.tenant_id)))

    def require(self, *keys: str, entries: bool = True) -> None:
        """Raises `UserError` if one of the keys has a finding or is encrypted; with `entries` also parts of it."""
        for path in self.declaration.encrypted:
            if self._key_of(path) in keys and (entries or path in keys):
                fix = "; set it without --secret" if self.origin == "file" else ""
                raise UserError(f"{self.file}: {path} {self.why_unknown}{fix}")
        self.require_valid(*keys)

    def require_valid(self, *keys: str) -> None:
        """Raises `UserError` if one of the keys has a finding."""
        for finding in self.findings:
            if self._key_of(finding.where) in keys:
                is_longer = len(self.findings) > 1 and self.origin == "file"
                more = f"; see `python -m flexsaml lint {self.file}`" if is_longer else ""
                raise UserError(f"{self.file}: {describe_problem(finding)}{more}")

    def _key_of(self, path: str) -> str:
        """The key that a path is in, or that was meant by it. Lines of the roster belong to `usersFile`, as do findings
        that are left out because there are too many."""
        is_of_roster = path.partition(", line ")[0] in (self.declaration.users_file, "declaration")
        return (not is_of_roster and find_meant_key(path.partition(".")[0])) or "usersFile"


def arguments(parser: argparse.ArgumentParser) -> None:
    """--stack and --file, for every command that looks at what a stack declares."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--stack", default="", help="default: the selected stack, or the only one")
    where.add_argument("--file", default="", metavar="YAML", help="a stack file of another name or place")
    meant = "of a program that gives the arguments itself: name of the component, or its principal"
    parser.add_argument("--principal", default="", help=meant)


def repeat_arguments(given: argparse.Namespace) -> str:
    """The arguments that say which stack is meant, for a command that a message names; "" if none was given. Begins
    with a blank otherwise."""
    named = (("--stack", given.stack), ("--file", given.file), ("--principal", given.principal))
    return "".join(f" {option} {shlex.quote(value)}" for option, value in named if value)


def declared(given: argparse.Namespace) -> Declared:
    """What the stack meant by --stack or --file declares. Raises `UserError`."""
    stack, file = _meant(given.stack, given.file)
    raw = read_file(str(file), MAX_TEXT_BYTES, "name the stack with --stack, or its file with --file")
    keys = load_stack_keys(raw, str(file), name_project(file.parent))
    if given.file or declares_arguments(keys):
        if given.principal:
            raise UserError(f"{file} says what is declared, so --principal has no meaning; leave it out")
        return _from_keys(keys, str(file), stack)
    from .deployed import read_deployed_keys

    component, deployed = read_deployed_keys(file.parent, stack, given.principal)
    label = f"the state of stack {stack}, component {component}" if component else f"--principal {given.principal}"
    print_lines([f"read from {label}"], sys.stderr)
    return _from_keys({**keys, **deployed}, label, stack, "state" if component else "principal")


def from_text(raw: bytes, file: str, stack: str = "") -> Declared:
    """What the text of a stack file declares. Raises `UserError` if it is not a stack file."""
    return _from_keys(load_stack_keys(raw, file, name_project(Path(file).parent)), file, stack)


def _from_keys(
    keys: Mapping[str, object], file: str, stack: str, origin: Literal["file", "state", "principal"] = "file"
) -> Declared:
    from flexsaml.preflight import FIXED_RULES, RULE_LEVELS

    folder = Path(file).parent
    declaration, findings = read_declaration(
        keys,
        read_file=lambda name: read_regular_file(folder / name),
        rule_names=(*RULE_LEVELS, *RULE_NAMES),
        fixed_rules=FIXED_RULES,
    )
    return Declared(file, stack, declaration, tuple(findings), origin)


def _meant(stack: str, file: str) -> tuple[str, Path]:
    if file:
        name = Path(file).name
        is_usual = name.startswith("Pulumi.") and name.endswith((".yaml", ".yml"))
        return name.removeprefix("Pulumi.").rpartition(".")[0] if is_usual else "", Path(file)
    folder = Path.cwd() if Path("Pulumi.yaml").exists() else CHECKOUT or Path.cwd()
    short = (stack or selected(folder)).rpartition("/")[2]
    if short:
        return short, folder / f"Pulumi.{short}.yaml"
    files = sorted(folder.glob("Pulumi.*.yaml"))
    names = [path.name[len("Pulumi.") : -len(".yaml")] for path in files]
    if len(files) != 1:
        which = f"which of {', '.join(names)} is meant?" if files else f"there is no stack file in {folder};"
        raise UserError(f"{which} name a stack with --stack, or a file with --file")
    return names[0], files[0]


def selected(project: Path) -> str:
    """The stack the engine would take, as far as it can be known without it; "" if it cannot. The engine keeps it in
    its home, by the SHA-1 of the project file's path, one for each backend."""
    if os.environ.get("PULUMI_STACK"):
        return os.environ["PULUMI_STACK"]
    home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    digest = hashlib.sha1(str(project / "Pulumi.yaml").encode(), usedforsecurity=False).hexdigest()
    try:
        name = read_project_name(project)
        kept = load_json((home / "workspaces" / f"{name}-{digest}-workspace.json").read_text("utf-8"))
    except (OSError, ValueError):
        return ""
    by_backend = kept.get("stacks") if isinstance(kept, dict) else None
    if isinstance(by_backend, dict) and by_backend:
        backend = os.environ.get("PULUMI_BACKEND_URL", "")
        return str(by_backend.get(backend) or (next(iter(by_backend.values())) if len(by_backend) == 1 else ""))
    return str(kept.get("stack") or "") if isinstance(kept, dict) else ""
