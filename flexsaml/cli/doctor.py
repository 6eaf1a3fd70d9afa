"""`doctor`: whether this machine, its identity and the tenant are ready for the stack. Changes nothing and never shows
a token. What could not be inspected is a row as well. Exit status: 0 fine, 1 problems, 2 wrong usage, or the tenant
could not be inspected."""

import argparse
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path

from flexsaml.claims import build_full_name
from flexsaml.declaration import lint_declaration
from flexsaml.findings import Finding, apply_levels
from flexsaml.graph import Cloud, Directory, GraphError, Identity, requirements_of_stack, skew
from flexsaml.installation import CHECKOUT, advise_installation
from flexsaml.preflight import InspectionEnded, PreflightResult, data_type_of, inspect_tenant, requirements_of
from flexsaml.pulumi_command import make_environment
from flexsaml.terminal_text import print_json, print_lines

from . import declared as stacks
from .terminal import align_columns

OK, NOTE, WARNING, PROBLEM, NOT_SEEN = STATES = ("ok", "note", "warning", "problem", "not looked at")
SKEW_NOTED, SKEW_REFUSED = 30.0, 300.0  # seconds; from the second on tokens and assertions are refused
_INSTALL = advise_installation()
_STATE_OF_LEVEL = {"error": PROBLEM, "warning": WARNING, "info": NOTE}
RunProgram = Callable[[list[str]], str]


@dataclass(frozen=True)
class Row:
    """One thing that was inspected; `remedy` where there is something to do, `rule` if it is a finding."""

    area: str
    state: str
    what: str
    remedy: str = ""
    rule: str = ""

    @classmethod
    def of(cls, finding: Finding, area: str, state: str) -> "Row":
        """The row that shows a finding."""
        return cls(area, state, f"{finding.where}: {finding.message}", finding.fix, finding.rule)

    def __str__(self) -> str:
        remedy = f"; {self.remedy}" if self.remedy else ""
        return f"{self.what}{remedy}{f' [{self.rule}]' if self.rule else ''}"


def arguments(parser: argparse.ArgumentParser) -> None:
    stacks.arguments(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")


def run(given: argparse.Namespace) -> int:
    rows, is_inspected = _inspect(stacks.declared(given))
    states = [row.state for row in rows]
    counts = {state: states.count(state) for state in STATES}
    if given.json:
        print_json({"rows": [vars(row) for row in rows], "counts": counts})
    else:
        cells = [(row.state, row.area, str(row)) for row in rows]
        totals = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
        print_lines([*align_columns(cells, ""), totals])
    return 2 if not is_inspected else 1 if counts[PROBLEM] else 0


def _inspect(stack: stacks.Declared) -> tuple[list[Row], bool]:
    """Everything in the order in which one thing depends on the other; whether the tenant could be inspected."""
    where = stack.cloud
    cloud_row = Row("cloud", OK, f"{where.name}: {where.graph}, {where.login}")
    rows = [*inspect_machine(), *_describe_origin(stack), cloud_row, inspect_clock(where)]
    directory = stack.directory()
    row, identity = inspect_credential(directory)
    rows.append(row)
    if row.state == PROBLEM:
        return [*rows, Row("tenant", NOT_SEEN, "it cannot be inspected without a credential")], False
    tenant_rows, is_inspected = _run_preflight(directory, stack)
    return [*rows, *inspect_permissions(identity, stack), *tenant_rows], is_inspected


def _describe_origin(stack: stacks.Declared) -> Iterator[Row]:
    yield Row("stack file" if stack.origin == "file" else "declared", OK, stack.file)
    if stack.origin == "principal":
        what = "claims, extensions and users, which the program gives: the state has them from the first `pulumi up` on"
        yield Row("declared", NOT_SEEN, what, "`pulumi preview` judges them")


def run_program(command: list[str]) -> str:
    """What a program prints. Raises OSError if it is not installed or fails."""
    try:
        ended = subprocess.run(command, env=make_environment(), capture_output=True, text=True, check=False, timeout=30)
    except subprocess.TimeoutExpired:
        raise OSError("no answer in 30 s") from None
    if ended.returncode:
        raise OSError(" ".join(ended.stderr.split()) or f"exit status {ended.returncode}")
    return ended.stdout.strip()


def inspect_machine(run: RunProgram = run_program, root: Path | None = CHECKOUT) -> Iterator[Row]:
    """Python, the engine, and the packages that requirements.txt pins. `root`: of the checkout; None for an installed
    package, whose dependencies pip has judged."""
    is_old = sys.version_info < (3, 10)
    remedy = "use Python 3.10 or newer" if is_old else ""
    yield Row("python", PROBLEM if is_old else OK, platform.python_version(), remedy)
    yield _inspect_engine(run, root)
    different = []
    if root is None:
        yield Row("SDK", OK, f"pulumi {metadata.version('pulumi')}")
        return
    requirements = (root / "requirements.txt").read_text("utf-8")
    for name, pinned in re.findall(r"(?m)^([A-Za-z0-9._-]+)==([^\s#]+)", requirements):
        try:
            installed = metadata.version(name)
        except metadata.PackageNotFoundError:
            installed = "none"
        is_pinned = installed == pinned
        if name == "pulumi":
            yield Row("SDK", OK if is_pinned else WARNING, f"pulumi {installed}", "" if is_pinned else _INSTALL)
        elif not is_pinned:
            different.append(f"{name} {installed}, but {pinned} is pinned")
    if different:
        yield Row("packages", WARNING, "; ".join(different), _INSTALL)


def _inspect_engine(run: RunProgram, root: Path | None) -> Row:
    try:
        version = run(["pulumi", "version"]).lstrip("v")
    except OSError as problem:
        reason = "there is no `pulumi` on PATH" if isinstance(problem, FileNotFoundError) else str(problem)
        return Row("engine", PROBLEM, reason, "install the Pulumi CLI, or run `make up`, which brings one")
    project = (root / "Pulumi.yaml").read_text("utf-8") if root else ""
    required = re.search(r'requiredPulumiVersion: *"?>=([0-9.]+)', project)
    least = required[1] if required else "0"
    actual, needed = ([int(digits) for digits in re.findall(r"\d+", text)[:3]] for text in (version, least))
    is_old = actual < needed
    remedy = f"this project needs {least} or newer" if is_old else ""
    return Row("engine", PROBLEM if is_old else OK, f"pulumi {version}", remedy)


def inspect_clock(where: Cloud, ask: Callable[[Cloud], float | None] = skew) -> Row:
    """This machine's clock beside Graph's."""
    try:
        ahead = ask(where)
    except GraphError as error:
        return Row("clock", NOT_SEEN, str(error))
    if ahead is None:
        return Row("clock", NOT_SEEN, "Graph's answer had no time")
    state = OK if abs(ahead) < SKEW_NOTED else WARNING if abs(ahead) < SKEW_REFUSED else PROBLEM
    difference = f"{abs(ahead):.0f} s {'ahead of' if ahead >= 0 else 'behind'} Graph"
    return Row("clock", state, difference, "" if state == OK else "set this machine's clock by NTP")


def inspect_credential(directory: Directory) -> tuple[Row, Identity | None]:
    """Whom Graph will see. The token itself is never shown."""
    try:
        identity = directory.identity()
    except GraphError as error:
        return Row("credential", PROBLEM, str(error)), None
    if identity is None:
        return Row("credential", NOT_SEEN, "there is a token, but its content cannot be read"), None
    ids = (("appId", identity.app_id), ("object id", identity.object_id), ("tenant", identity.tenant_id))
    named = ", ".join(f"{name} {value}" for name, value in ids if value)
    return Row("credential", OK, f"{identity.kind}: {named}"), identity


def inspect_permissions(identity: Identity | None, stack: stacks.Declared) -> Iterator[Row]:
    """Each call of this stack, and whether the token names a permission for it. What follows from that for `pulumi up`
    is preflight's `permission-missing`."""
    is_known = stack.origin != "principal"
    for requirement in (
        requirements_of(stack.declaration) if is_known else requirements_of_stack(extensions=True, users=True)
    ):
        purpose, call, without = requirement.purpose, requirement.call, requirement.without
        is_person = identity is not None and identity.is_person
        lacking = " with ".join(requirement.lacking(identity.permissions if identity else (), is_person=is_person))
        if identity is None:
            what = f"whether the identity may {purpose} ({call})"
            yield Row("permission", NOT_SEEN, what, f"it needs {lacking}")
        elif not lacking:
            owned = ", if it owns the object" if requirement.is_met_for_owned_objects_only(identity.permissions) else ""
            yield Row("permission", OK, f"to {purpose}{owned} ({call})")
        else:
            what = f"the token does not name a permission to {purpose} ({call})" + (f": {without}" if without else "")
            yield Row("permission", NOTE if without else WARNING, what, f"grant {lacking}")


def _run_preflight(directory: Directory, stack: stacks.Declared) -> tuple[list[Row], bool]:
    """The inspection of preflight, and whether the tenant could be inspected."""
    declaration = stack.declaration
    encrypted = declaration.encrypted if stack.origin != "principal" else ()
    rows = [Row("preflight", NOT_SEEN, f"{path} {stack.why_unknown}") for path in encrypted]
    if stack.findings:
        for finding in stack.findings:
            problem, remedy = f"{finding.where}: {finding.message}", finding.fix or f"correct it in {stack.place}"
            rows.append(Row("stack file", PROBLEM, problem, remedy))
        return [*rows, Row("tenant", NOT_SEEN, "correct the stack file first")], True
    if "servicePrincipal" in declaration.encrypted:
        return [*rows, Row("tenant", NOT_SEEN, "the name of the service principal is encrypted")], False
    policy_name = declaration.policy_name or f"{stack.project}-{stack.stack} Flex SAML claims"
    try:
        result = inspect_tenant(directory, replace(declaration, policy_name=policy_name))
    except InspectionEnded as end:
        return [Row.of(end.finding, "tenant", PROBLEM)], True
    except GraphError as error:
        return [Row("tenant", NOT_SEEN, str(error))], False
    return [*_describe(result, stack), *_describe_existing(result, stack, policy_name), *rows], True


def _describe_existing(result: PreflightResult, stack: stacks.Declared, policy_name: str) -> Iterator[Row]:
    """What has this stack's names, or its place. Beside a stack file doctor reads no state, so it cannot tell whose
    that is."""
    declaration = stack.declaration
    whose = "unless state has it, preview refuses: "
    adopt = f"adopt it (`python -m flexsaml adopt --stack {stack.stack or 'STACK'} --out import.json`)"
    is_file = stack.origin == "file"
    for name in declaration.extensions if is_file else ():
        if existing := result.properties.get(build_full_name(result.application.app_id, name)):
            what = f"extension property '{name}' exists ({existing.name}, id {existing.id})"
            yield Row("tenant", NOTE, what, f"{whose}use its full name in place of '{name}', or {adopt}")
    for id_, name in result.policies.items() if is_file else ():
        yield Row("tenant", NOTE, f"policy '{name}' exists ({id_})", f"{whose}set flexsaml:policyName, or {adopt}")
    others = {id_: name for id_, name in (result.assigned or {}).items() if name != policy_name}
    if others and not declaration.replace_existing:
        names = ", ".join(f"'{name}' ({id_})" for id_, name in others.items())
        fix = "preview refuses to displace it: unassign it, or set flexsaml:replaceExisting to true"
        yield Row("tenant", WARNING, f"another policy than this stack's is assigned: {names}", fix)


def _describe(result: PreflightResult, stack: stacks.Declared) -> Iterator[Row]:
    principal, application = result.principal, result.application
    yield Row("tenant", OK, f"service principal '{principal.display_name}' ({principal.id})")
    yield Row("tenant", OK, f"application '{application.display_name}' ({application.id})")
    if not stack.declaration.preflight:
        yield Row("preflight", NOT_SEEN, "flexsaml:preflight is false", "set it to true")
    elif result.assigned is not None:
        names = ", ".join(f"'{name}' ({id_})" for id_, name in result.assigned.items()) or "none"
        yield Row("tenant", OK, f"policy assigned now: {names}")
    for user, namesake in sorted(result.missing_users.items()):
        hint = f"{namesake} has this mail address; " if namesake else ""
        yield Row("users", PROBLEM, f"'{user}' is not in this tenant", f"{hint}correct or remove it in {stack.place}")
    for finding in result.findings:
        level = stack.declaration.rules.get(finding.rule, finding.level)
        state = NOT_SEEN if finding.rule == "not-looked-at" else _STATE_OF_LEVEL.get(level, "")
        if state:
            yield Row.of(finding, "preflight", state)
    types = {name: str(data_type_of(extension)) for name, extension in result.properties.items()}
    findings = lint_declaration(stack.declaration, app_id=application.app_id, existing_types=types)
    for finding in apply_levels(findings, stack.declaration.rules):
        yield Row.of(finding, "lint", _STATE_OF_LEVEL[finding.level])
