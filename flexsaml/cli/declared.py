"""What a stack declares, read from its `Pulumi.<stack>.yaml` without the engine: for commands that only look.

The engine takes a second to tell a configuration, and these commands should not. What it alone knows stays unsaid:
an encrypted key is refused in one line, defaults are those of `Pulumi.yaml`. Which stack is meant: the one named, else
the one `pulumi stack select` chose (PULUMI_STACK, or the engine's workspace file), else the only one there is.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flexsaml.claims import (
    MAX_TEXT_BYTES,
    ClaimsPolicy,
    InvalidDefinition,
    build_full_name,
    encode,
    normalise_definition,
    read_policies,
)
from flexsaml.findings import Finding

from .stack_file import Stack, policy_of, types_of
from .stack_yaml import is_secret, own_keys
from .terminal import CannotLook

if TYPE_CHECKING:
    from flexsaml.graph import Cloud, Directory

PROJECT = "flexsaml"
CONNECTION = ("cloud", "tenantId", "graphEndpoint", "loginEndpoint")


@dataclass(frozen=True)
class Declared:
    """The keys of a stack file; everything that needs more than one of them is worked out when it is asked for."""

    file: str
    stack: str
    keys: Mapping[str, Any]

    @property
    def service_principal(self) -> str:
        """Display name, appId or object id. Raises `CannotLook` without one."""
        return self._text("servicePrincipal") or self._lacking("servicePrincipal", "name the enterprise application")

    @property
    def application(self) -> str:
        """Where the extensions live; "" for the service principal's own application."""
        return self._text("application")

    @property
    def connection(self) -> dict[str, str]:
        """The keys that say which cloud and tenant, as written."""
        return {key: self._text(key) for key in CONNECTION}

    @cached_property
    def policy(self) -> ClaimsPolicy | None:
        """The typed claims; None when a raw definition stands in their place."""
        if self.keys.get("definition"):
            return None
        stack = Stack(self.keys)
        self._legible("claims")
        found = policy_of(stack, types_of(stack))
        if stack.findings:
            one = stack.findings[0]
            raise CannotLook(f"{self.file}: {one.where}: {one.message}; see `python -m flexsaml lint {self.file}`")
        return found or self._lacking("claims", "map claim names to sources")

    @cached_property
    def claims(self) -> tuple[str, ...]:
        """The declared SamlClaimTypes in the order they are sent; the NameID's among them."""
        if self.policy:
            return tuple(one.saml_type for one in self.policy.claims.values())
        entries = [one for document in read_policies(self.definition()) for one in document.entries]
        return tuple(str(one.get("SamlClaimType")) for one in entries if one.get("SamlClaimType"))

    @property
    def extensions(self) -> tuple[str, ...]:
        """Short names of the extensions this stack makes."""
        return tuple(types_of(Stack(self.keys)))

    def definition(self, app_id: str = "") -> str:
        """The definition string; full names of extensions need the appId of their application."""
        raw = self.keys.get("definition")
        self._legible("definition")
        if raw:
            try:
                return normalise_definition(raw)
            except InvalidDefinition as problem:
                raise CannotLook(f"{self.file}: {problem}; see `python -m flexsaml lint {self.file}`") from None
        policy = self.policy
        assert policy is not None  # noqa: S101 - without claims or definition `policy` raises
        return encode(policy, {name: build_full_name(app_id or "0" * 32, name) for name in self.extensions})

    @property
    def cloud(self) -> Cloud:
        """Where the tenant is. Raises `CannotLook`."""
        from flexsaml.graph import InvalidCloud, cloud

        said = self.connection
        try:
            return cloud(
                said["cloud"] or "public", graph_endpoint=said["graphEndpoint"], login_endpoint=said["loginEndpoint"]
            )
        except InvalidCloud as problem:
            raise CannotLook(f"{self.file}: {problem}") from None

    @property
    def loopback(self) -> str:
        """The address of the emulator; "" for a real tenant."""
        where = self.cloud
        return where.graph if where.name == "loopback" else ""

    def directory(self, progress: Callable[[str], None] | None = None) -> Directory:
        """Typed calls to Graph, which nothing has been asked yet. Raises `CannotLook`."""
        from flexsaml.graph import Client, Directory, credentials  # only now: they need the HTTP library

        where = self.cloud
        return Directory(Client(where, credentials(where, self.connection["tenantId"]), progress=progress))

    def _text(self, key: str) -> str:
        self._legible(key)
        value = self.keys.get(key)
        return "" if value is None else str(value).strip()

    def _legible(self, key: str) -> None:
        if is_secret(self.keys.get(key)):
            raise CannotLook(
                f"{self.file}: flexsaml:{key} is encrypted, and only the engine can read it; set it without --secret"
            )

    def _lacking(self, key: str, what: str) -> Any:
        raise CannotLook(f"{self.file}: there is no flexsaml:{key}; {what}")


def arguments(parser: argparse.ArgumentParser) -> None:
    """--stack and --file, for every command that looks at what a stack declares."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--stack", default="", help="default: the selected stack, or the only one")
    where.add_argument("--file", default="", metavar="YAML", help="a stack file of another name or place")


def declared(given: argparse.Namespace) -> Declared:
    """What the stack meant by --stack or --file declares. Raises `CannotLook`."""
    stack, file = _meant(given.stack, given.file)
    try:
        with open(file, "rb") as opened:
            raw = opened.read(MAX_TEXT_BYTES + 1)
    except (OSError, ValueError) as problem:
        why = getattr(problem, "strerror", None) or str(problem)
        raise CannotLook(f"cannot read {file}: {why}; name the stack with --stack, or its file with --file") from None
    return from_text(raw, str(file), stack)


def from_text(raw: bytes, file: str, stack: str = "") -> Declared:
    """What the text of a stack file declares. Raises `CannotLook`."""
    keys = own_keys(raw)
    if isinstance(keys, Finding):
        raise CannotLook(f"{file}: {keys.where}: {keys.message}{f'; {keys.fix}' if keys.fix else ''}")
    return Declared(file, stack, keys)


def _meant(stack: str, file: str) -> tuple[str, Path]:
    if file:
        name = Path(file).name
        own = name.startswith("Pulumi.") and name.endswith((".yaml", ".yml"))
        return name.removeprefix("Pulumi.").rpartition(".")[0] if own else "", Path(file)
    here = _project()
    short = (stack or selected(here)).rpartition("/")[2]
    if short:
        return short, here / f"Pulumi.{short}.yaml"
    found = sorted(here.glob("Pulumi.*.yaml"))
    if len(found) != 1:
        names = ", ".join(one.name[len("Pulumi.") : -len(".yaml")] for one in found)
        which = f"which of {names} is meant?" if found else f"there is no stack file in {here}"
        raise CannotLook(f"{which} name a stack with --stack, or a file with --file")
    return found[0].name[len("Pulumi.") : -len(".yaml")], found[0]


def _project() -> Path:
    """The folder of Pulumi.yaml: the working directory's, else this checkout's."""
    here = Path.cwd()
    return here if (here / "Pulumi.yaml").exists() else Path(__file__).resolve().parents[2]


def selected(project: Path) -> str:
    """The stack the engine would take, as far as it can be known without it; "" if it cannot.

    The engine keeps it in its home, by the SHA-1 of the project file's path, one for each backend.
    """
    if os.environ.get("PULUMI_STACK"):
        return os.environ["PULUMI_STACK"]
    home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    digest = hashlib.sha1(str(project / "Pulumi.yaml").encode(), usedforsecurity=False).hexdigest()
    try:
        kept = json.loads((home / "workspaces" / f"{PROJECT}-{digest}-workspace.json").read_text("utf-8"))
    except (OSError, ValueError):
        return ""
    by_backend = kept.get("stacks") if isinstance(kept, dict) else None
    if isinstance(by_backend, dict) and by_backend:
        backend = os.environ.get("PULUMI_BACKEND_URL", "")
        one = by_backend.get(backend) or (next(iter(by_backend.values())) if len(by_backend) == 1 else "")
        return str(one)
    return str(kept.get("stack") or "") if isinstance(kept, dict) else ""
