"""What `doctor` looks at, part by part: this machine, the credential, the clock, the tenant. Reads only.

Each look returns rows and raises nothing a person can cause. What could not be looked at is a row that says so.
"""

from __future__ import annotations

import json
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flexsaml.graph import Cloud, GraphError, skew

from .declared import Declared
from .needs import HAVE, LACKING, needs
from .stack_yaml import is_secret

if TYPE_CHECKING:
    from flexsaml.graph import Directory
    from flexsaml.graph.identity import Identity

OK, NOTE, WARNING, PROBLEM, NOT_SEEN = "ok", "note", "warning", "problem", "not looked at"
STATES = (OK, NOTE, WARNING, PROBLEM, NOT_SEEN)
SKEW_NOTED, SKEW_REFUSED = 30.0, 300.0
"""Seconds; from the second on tokens and assertions are refused."""
_ROOT = Path(__file__).resolve().parents[2]
_LEVELS = {"error": PROBLEM, "warning": WARNING, "info": NOTE}
Runs = Callable[[list[str]], str]


@dataclass(frozen=True)
class Row:
    """One thing seen; `remedy` where there is something to do."""

    area: str
    state: str
    what: str
    remedy: str = ""


def run_program(command: list[str]) -> str:
    """What a program prints; raises OSError when it is not there or fails."""
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    except subprocess.TimeoutExpired:
        raise OSError("no answer in 30 s") from None
    if found.returncode:
        raise OSError(" ".join(found.stderr.split()) or f"exit status {found.returncode}")
    return found.stdout.strip()


def machine(run: Runs = run_program, root: Path = _ROOT) -> Iterator[Row]:
    """Python, the engine, and the packages that requirements.txt pins."""
    version = platform.python_version()
    old = sys.version_info < (3, 10)
    yield Row("python", PROBLEM if old else OK, version, "use Python 3.10 or newer" if old else "")
    yield _engine(run, root)
    wrong = []
    for name, wanted in _pinned(root):
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            found = "none"
        if name == "pulumi":
            yield Row("SDK", OK if found == wanted else WARNING, f"pulumi {found}", "" if found == wanted else _PINS)
        elif found != wanted:
            wrong.append(f"{name} {found} where {wanted} is pinned")
    if wrong:
        yield Row("packages", WARNING, "; ".join(wrong), _PINS)


_PINS = "run `pip install -r requirements.txt`"


def _engine(run: Runs, root: Path) -> Row:
    try:
        found = run(["pulumi", "version"]).lstrip("v")
    except OSError as problem:
        why = "there is no `pulumi` on PATH" if isinstance(problem, FileNotFoundError) else str(problem)
        return Row("engine", PROBLEM, why, "install the Pulumi CLI, or run `make up`, which brings one")
    wanted = re.search(r'requiredPulumiVersion: *"?>=([0-9.]+)', (root / "Pulumi.yaml").read_text("utf-8"))
    if wanted and _numbers(found) < _numbers(wanted[1]):
        return Row("engine", PROBLEM, f"pulumi {found}", f"this project wants {wanted[1]} or newer")
    return Row("engine", OK, f"pulumi {found}")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def _pinned(root: Path) -> list[tuple[str, str]]:
    return re.findall(r"(?m)^([A-Za-z0-9._-]+)==([^\s#]+)", (root / "requirements.txt").read_text("utf-8"))


def clock(where: Cloud, ask: Callable[[Cloud], float | None] = skew) -> Row:
    """This machine's clock beside Graph's."""
    try:
        ahead = ask(where)
    except GraphError as error:
        return Row("clock", NOT_SEEN, str(error))
    if ahead is None:
        return Row("clock", NOT_SEEN, "Graph told no time")
    said = f"{abs(ahead):.0f} s {'ahead of' if ahead >= 0 else 'behind'} Graph"
    if abs(ahead) < SKEW_NOTED:
        return Row("clock", OK, said)
    return Row("clock", PROBLEM if abs(ahead) >= SKEW_REFUSED else WARNING, said, "set this machine's clock by NTP")


def credential(directory: Directory) -> tuple[list[Row], Identity | None]:
    """Whom Graph will see; the token is shown by nothing."""
    try:
        found = directory.identity()
    except GraphError as error:
        return [Row("credential", PROBLEM, str(error))], None
    if found is None:
        return [Row("credential", NOT_SEEN, "there is a token, but it says nothing that can be read")], None
    ids = (("appId", found.app_id), ("object id", found.object_id), ("tenant", found.tenant_id))
    told = ", ".join(f"{name} {value}" for name, value in ids if value)
    return [Row("credential", OK, f"{found.kind}: {told}")], found


def permissions(who: Identity | None, wanted: Declared) -> Iterator[Row]:
    """Each call of this stack, and whether the token names a permission for it."""
    users = bool(wanted.keys.get("users") or wanted.keys.get("usersFile"))
    granted = who.permissions if who else None
    for need in needs(granted, extensions=bool(wanted.keys.get("extensions")), users=users):
        if need.state == HAVE:
            owned = ", where it owns the object" if need.owned_only else ""
            yield Row("permission", OK, f"to {need.to}{owned} ({need.call})")
        elif need.state == LACKING:
            state = NOTE if need.without else WARNING
            what = f"its token names none to {need.to} ({need.call}){f': {need.without}' if need.without else ''}"
            roles = "" if need.without else ", unless a directory role covers it"
            yield Row("permission", state, what, f"grant {need.least}{roles}")
        else:
            yield Row("permission", NOT_SEEN, f"whether it may {need.to} ({need.call})", f"it takes {need.least}")


def tenant(directory: Directory, wanted: Declared) -> tuple[list[Row], bool]:
    """The preflight look, and whether the tenant could be looked at."""
    from components.settings import InvalidDeclaration, declare, from_config
    from flexsaml.preflight.inspect import InspectionEnded, look

    try:
        declaration = declare(from_config(_config(wanted)), f"flexsaml-{wanted.stack} Flex SAML claims")
    except InvalidDeclaration as invalid:
        rows = [Row("stack file", PROBLEM, problem, f"correct it in {wanted.file}") for problem in invalid.problems]
        return [*rows, Row("tenant", NOT_SEEN, "the stack file has to be right first")], True
    try:
        seen = look(directory, declaration)
    except InspectionEnded as nothing:
        one = nothing.finding
        return [Row("tenant", PROBLEM, f"{one.where}: {one.message}", one.fix)], True
    except GraphError as error:
        return [Row("tenant", NOT_SEEN, str(error))], False
    rows = [Row("tenant", OK, f"service principal '{seen.principal.display_name}' ({seen.principal.id})")]
    rows.append(Row("tenant", OK, f"application '{seen.application.display_name}' ({seen.application.id})"))
    if not declaration.preflight:
        rows.append(Row("preflight", NOT_SEEN, "flexsaml:preflight is false", "set it to true"))
    if seen.assigned is not None and declaration.preflight:
        names = ", ".join(f"'{name}' ({id_})" for id_, name in seen.assigned.items()) or "none"
        rows.append(Row("tenant", OK, f"policy assigned now: {names}"))
    for user in sorted(seen.missing):
        rows.append(Row("users", PROBLEM, f"'{user}' is not in this tenant", f"correct or remove it in {wanted.file}"))
    judged = [(declaration.rules.get(one.rule, one.level), one) for one in seen.findings]
    for level, one in judged:
        state = NOT_SEEN if one.rule == "not-looked-at" else _LEVELS.get(level, "")
        if state:
            rows.append(Row("preflight", state, f"{one.where}: {one.message} [{one.rule}]", one.fix))
    rows += [
        Row("preflight", NOT_SEEN, f"{key} is encrypted, and only the engine can read it") for key in _hidden(wanted)
    ]
    return rows, True


def _config(wanted: Declared) -> Any:
    """The keys as the engine would hand them to the program; what is encrypted is left out."""
    import pulumi
    from pulumi.runtime import set_all_config

    legible = {key: _legible(value) for key, value in wanted.keys.items() if not is_secret(value)}
    set_all_config(
        {
            f"flexsaml:{key}": value if isinstance(value, str) else json.dumps(value)
            for key, value in legible.items()
            if value is not None
        }
    )
    return pulumi.Config("flexsaml")


def _legible(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _legible(item) for key, item in value.items() if not is_secret(item)}
    return value


def _hidden(wanted: Declared) -> list[str]:
    """The places of encrypted values, as paths."""

    def walk(path: str, value: object) -> Iterator[str]:
        if is_secret(value):
            yield path
        elif isinstance(value, Mapping):
            for key, item in value.items():
                yield from walk(f"{path}.{key}", item)

    return [path for key, value in wanted.keys.items() for path in walk(f"flexsaml:{key}", value)]
