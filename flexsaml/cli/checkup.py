"""What `doctor` inspects, area by area: this machine, the credential, the clock, the tenant. Reads only.

Each function returns rows and raises nothing that a person can cause. What could not be inspected is a row as well.
"""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from flexsaml.graph import Cloud, GraphError, requirements_of_stack, skew

from .declared import Declared

if TYPE_CHECKING:
    from flexsaml.graph import Directory, Identity
    from flexsaml.preflight import PreflightResult

OK, NOTE, WARNING, PROBLEM, NOT_SEEN = "ok", "note", "warning", "problem", "not looked at"
STATES = (OK, NOTE, WARNING, PROBLEM, NOT_SEEN)
SKEW_NOTED, SKEW_REFUSED = 30.0, 300.0
"""Seconds; from the second on tokens and assertions are refused."""
_ROOT = Path(__file__).resolve().parents[2]
_STATE_OF_LEVEL = {"error": PROBLEM, "warning": WARNING, "info": NOTE}
RunProgram = Callable[[list[str]], str]


@dataclass(frozen=True)
class Row:
    """One thing that was inspected; `remedy` where there is something to do."""

    area: str
    state: str
    what: str
    remedy: str = ""


def run_program(command: list[str]) -> str:
    """What a program prints. Raises OSError if it is not installed or fails."""
    try:
        ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    except subprocess.TimeoutExpired:
        raise OSError("no answer in 30 s") from None
    if ended.returncode:
        raise OSError(" ".join(ended.stderr.split()) or f"exit status {ended.returncode}")
    return ended.stdout.strip()


def machine(run: RunProgram = run_program, root: Path = _ROOT) -> Iterator[Row]:
    """Python, the engine, and the packages that requirements.txt pins."""
    version = platform.python_version()
    is_old = sys.version_info < (3, 10)
    yield Row("python", PROBLEM if is_old else OK, version, "use Python 3.10 or newer" if is_old else "")
    yield _engine(run, root)
    different = []
    for name, pinned in _pinned(root):
        try:
            installed = metadata.version(name)
        except metadata.PackageNotFoundError:
            installed = "none"
        if name == "pulumi":
            state = OK if installed == pinned else WARNING
            yield Row("SDK", state, f"pulumi {installed}", "" if state == OK else _INSTALL)
        elif installed != pinned:
            different.append(f"{name} {installed}, but {pinned} is pinned")
    if different:
        yield Row("packages", WARNING, "; ".join(different), _INSTALL)


_INSTALL = "run `pip install -r requirements.txt`"


def _engine(run: RunProgram, root: Path) -> Row:
    try:
        version = run(["pulumi", "version"]).lstrip("v")
    except OSError as problem:
        reason = "there is no `pulumi` on PATH" if isinstance(problem, FileNotFoundError) else str(problem)
        return Row("engine", PROBLEM, reason, "install the Pulumi CLI, or run `make up`, which brings one")
    required = re.search(r'requiredPulumiVersion: *"?>=([0-9.]+)', (root / "Pulumi.yaml").read_text("utf-8"))
    if required and _numbers(version) < _numbers(required[1]):
        return Row("engine", PROBLEM, f"pulumi {version}", f"this project needs {required[1]} or newer")
    return Row("engine", OK, f"pulumi {version}")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(digits) for digits in re.findall(r"\d+", version)[:3])


def _pinned(root: Path) -> list[tuple[str, str]]:
    return re.findall(r"(?m)^([A-Za-z0-9._-]+)==([^\s#]+)", (root / "requirements.txt").read_text("utf-8"))


def clock(where: Cloud, ask: Callable[[Cloud], float | None] = skew) -> Row:
    """This machine's clock beside Graph's."""
    try:
        ahead = ask(where)
    except GraphError as error:
        return Row("clock", NOT_SEEN, str(error))
    if ahead is None:
        return Row("clock", NOT_SEEN, "Graph's answer had no time")
    difference = f"{abs(ahead):.0f} s {'ahead of' if ahead >= 0 else 'behind'} Graph"
    if abs(ahead) < SKEW_NOTED:
        return Row("clock", OK, difference)
    state = PROBLEM if abs(ahead) >= SKEW_REFUSED else WARNING
    return Row("clock", state, difference, "set this machine's clock by NTP")


def credential(directory: Directory) -> tuple[list[Row], Identity | None]:
    """Whom Graph will see. The token itself is never shown."""
    try:
        identity = directory.identity()
    except GraphError as error:
        return [Row("credential", PROBLEM, str(error))], None
    if identity is None:
        return [Row("credential", NOT_SEEN, "there is a token, but its content cannot be read")], None
    ids = (("appId", identity.app_id), ("object id", identity.object_id), ("tenant", identity.tenant_id))
    named = ", ".join(f"{name} {value}" for name, value in ids if value)
    return [Row("credential", OK, f"{identity.kind}: {named}")], identity


def permissions(identity: Identity | None, stack: Declared) -> Iterator[Row]:
    """Each call of this stack, and whether the token names a permission for it."""
    declaration = stack.declaration
    has_users = bool(declaration.users or declaration.users_file or {"users", "usersFile"} & declaration.secret_keys)
    granted = identity.permissions if identity else None
    for requirement in requirements_of_stack(extensions=bool(declaration.extensions), users=has_users):
        purpose, call, without = requirement.purpose, requirement.call, requirement.without
        if granted is None:
            what = f"whether the identity may {purpose} ({call})"
            yield Row("permission", NOT_SEEN, what, f"it needs {requirement.least}")
        elif requirement.is_met(granted):
            owned = ", if it owns the object" if requirement.is_met_for_owned_objects_only(granted) else ""
            yield Row("permission", OK, f"to {purpose}{owned} ({call})")
        else:
            what = f"the token does not name a permission to {purpose} ({call})" + (f": {without}" if without else "")
            roles = "" if without else ", unless a directory role covers it"
            yield Row("permission", NOTE if without else WARNING, what, f"grant {requirement.least}{roles}")


def tenant(directory: Directory, stack: Declared) -> tuple[list[Row], bool]:
    """The inspection of preflight, and whether the tenant could be inspected."""
    from flexsaml.preflight import InspectionEnded, inspect_tenant

    rows = [
        Row("preflight", NOT_SEEN, f"{path} is encrypted, and only the engine can read it")
        for path in stack.declaration.encrypted
    ]
    if stack.findings:
        fix = f"correct it in {stack.file}"
        rows += [
            Row("stack file", PROBLEM, f"{finding.where}: {finding.message}", finding.fix or fix)
            for finding in stack.findings
        ]
        return [*rows, Row("tenant", NOT_SEEN, "correct the stack file first")], True
    if "servicePrincipal" in stack.declaration.encrypted:
        return [*rows, Row("tenant", NOT_SEEN, "the name of the service principal is encrypted")], False
    default_name = f"flexsaml-{stack.stack} Flex SAML claims"
    declaration = replace(stack.declaration, policy_name=stack.declaration.policy_name or default_name)
    try:
        return [*_describe(inspect_tenant(directory, declaration), stack), *rows], True
    except InspectionEnded as end:
        return [Row("tenant", PROBLEM, f"{end.finding.where}: {end.finding.message}", end.finding.fix)], True
    except GraphError as error:
        return [Row("tenant", NOT_SEEN, str(error))], False


def _describe(preflight: PreflightResult, stack: Declared) -> Iterator[Row]:
    principal, application = preflight.principal, preflight.application
    yield Row("tenant", OK, f"service principal '{principal.display_name}' ({principal.id})")
    yield Row("tenant", OK, f"application '{application.display_name}' ({application.id})")
    if not stack.declaration.preflight:
        yield Row("preflight", NOT_SEEN, "flexsaml:preflight is false", "set it to true")
    elif preflight.assigned is not None:
        names = ", ".join(f"'{name}' ({id_})" for id_, name in preflight.assigned.items()) or "none"
        yield Row("tenant", OK, f"policy assigned now: {names}")
    for user in sorted(preflight.missing_users):
        yield Row("users", PROBLEM, f"'{user}' is not in this tenant", f"correct or remove it in {stack.file}")
    for finding in preflight.findings:
        level = stack.declaration.rules.get(finding.rule, finding.level)
        state = NOT_SEEN if finding.rule == "not-looked-at" else _STATE_OF_LEVEL.get(level, "")
        if state:
            yield Row("preflight", state, f"{finding.where}: {finding.message} [{finding.rule}]", finding.fix)
