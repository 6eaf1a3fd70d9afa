"""What stands before the first resource: the declaration is parsed, the tenant inspected, and everything reported."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import pulumi
from pulumi.output import contains_unknowns
from pulumi.runtime.settings import get_monitor

from flexsaml.claims import RULE_NAMES
from flexsaml.declaration import Declaration, InvalidDeclaration, lint_declaration, parse_declaration
from flexsaml.errors import UserError
from flexsaml.findings import Finding, apply_levels
from flexsaml.graph import Directory
from flexsaml.preflight import FIXED_RULES, RULE_LEVELS, InspectionEnded, PreflightResult, data_type_of, inspect_tenant
from flexsaml.private_files import read_regular_file
from flexsaml.terminal_text import escape_controls
from providers import Connection, lifting

from .facts import Facts
from .later_arguments import replace_outputs

_components: WeakKeyDictionary[Any, dict[str, Facts]] = WeakKeyDictionary()
"""By run of a program: name of a component to its facts."""


def find_facts(
    component: pulumi.Resource, name: str, keys: Mapping[str, object], directory: Callable[[], Directory] | None
) -> tuple[Declaration, Facts | pulumi.Output[Facts]]:
    """What follows from the keys alone, and what the children are made from: an Output if one of the keys is an Output.
    Findings that do not stop the run are logged. Raises `pulumi.RunError` with all findings if one of them is an error,
    or if the tenant cannot be inspected; with an Output, the facts are never known then. `directory` gives the calls to
    Graph; by default they go where the declaration says."""

    def inspect_resolved(resolved: Mapping[str, object], *, is_new: bool) -> Facts:
        facts, findings = inspect(resolved, default_policy_name(name), directory, is_new=is_new)
        _refuse_second_component(name, facts)
        for finding in findings:
            (pulumi.log.warn if finding.level == "warning" else pulumi.log.info)(str(finding), resource=component)
        return facts

    if not lifting.contains_output(keys):
        facts = inspect_resolved(keys, is_new=False)
        return facts.declaration, facts
    plain_keys, misplaced = replace_outputs(keys)
    reason = "is an Output, and which resources there are depends on it: give a plain value"
    problems = [f"{path}: {reason}" for path in misplaced]
    try:
        declaration = _parse(plain_keys)
    except InvalidDeclaration as invalid:
        raise as_run_error(problems + invalid.problems) from None
    if problems:
        raise as_run_error(problems)
    later = pulumi.Output.from_input(dict(keys))
    later.apply(partial(_say_what_is_unknown, component), run_with_unknowns=True)
    return declaration, later.apply(partial(inspect_resolved, is_new=not pulumi.runtime.is_dry_run()))


def _refuse_second_component(name: str, facts: Facts) -> None:
    """Raise `pulumi.RunError` if another component of this program has the same principal, which has one policy only,
    or the same cell: nobody could order which of the two values is the one from before."""
    components = _components.setdefault(get_monitor(), {})
    components.setdefault(name, facts)
    for other, earlier in components.items():
        if other == name:
            continue
        both = f"components '{other}' and '{name}'"
        if earlier.preflight.principal.id == facts.preflight.principal.id:
            principal = facts.preflight.principal.display_name
            raise as_run_error([f"{both} are both of '{principal}', which has one policy: declare it in one"])
        if shared := facts.find_shared_cell(earlier):
            user, full_name = shared
            raise as_run_error([f"{both} both give {user} a value of {full_name}: declare it in one"])


def _say_what_is_unknown(component: pulumi.Resource, keys: Mapping[str, object]) -> None:
    # The SDK gives a stand-in for the map where no value in it says that it is unknown.
    is_map = isinstance(keys, dict)
    unknown = [name for name, value in keys.items() if contains_unknowns(value)] if is_map else ["the arguments"]
    if unknown:
        names = ", ".join(unknown)
        pulumi.log.info(
            f"{names}: not known before this run made it, so this preview has not looked at the tenant; the update "
            "inspects it before its first write",
            resource=component,
        )


def _parse(keys: Mapping[str, object]) -> Declaration:
    rules = (*RULE_LEVELS, *RULE_NAMES)
    return parse_declaration(keys, read_file=read_regular_file, rule_names=rules, fixed_rules=FIXED_RULES)


def inspect(
    keys: Mapping[str, object],
    default_policy_name: str,
    directory: Callable[[], Directory] | None,
    *,
    is_new: bool = False,
) -> tuple[Facts, list[Finding]]:
    """The facts, and the findings that do not stop the run, worst first. `is_new`: the principal or the application may
    have been made a moment ago. Raises as `find_facts`."""
    if keys.get("policyName") in ("", None):
        keys = {**keys, "policyName": default_policy_name}
    preflight: PreflightResult | None = None
    try:
        declaration = _parse(keys)
        where = (declaration.cloud, declaration.tenant_id, declaration.graph_endpoint, declaration.login_endpoint)
        calls = directory() if directory else Connection(*where).directory()
        preflight = inspect_tenant(calls, declaration, is_new=is_new, is_preview=pulumi.runtime.is_dry_run())
        findings = list(preflight.findings)
    except InvalidDeclaration as invalid:
        findings = apply_levels(lint_declaration(invalid.declaration), invalid.declaration.rules)
        raise as_run_error(invalid.problems + _lines(findings)) from None
    except InspectionEnded as end:
        findings = [end.finding]
    except UserError as problem:
        raise as_run_error([str(problem)]) from None
    # Before the principal is known, lint sees the extensions of the stack only.
    properties = preflight.properties if preflight else {}
    types = {name: str(data_type_of(extension)) for name, extension in properties.items()}
    app_id = preflight.application.app_id if preflight else ""
    findings += lint_declaration(declaration, app_id=app_id, existing_types=types)
    findings = apply_levels(findings, declaration.rules)
    if preflight is None or any(finding.level == "error" for finding in findings):
        raise as_run_error(_lines(findings))
    return Facts(declaration, preflight), findings


def default_policy_name(component: str) -> str:
    """Of the policy of a component of this name."""
    return f"{pulumi.get_project()}-{pulumi.get_stack()} {component} SAML claims"


def _lines(findings: list[Finding]) -> list[str]:
    """Of a run that is refused. What could not be inspected is named only in a run that goes on, unless it is why."""
    named = [finding for finding in findings if finding.rule != "not-looked-at" or finding.level == "error"]
    return [str(finding) if finding.level == "error" else f"{finding.level}: {finding}" for finding in named]


def as_run_error(lines: list[str]) -> pulumi.RunError:
    """One error for the engine with all findings. They may name what somebody else made."""
    lines = list(map(escape_controls, lines))
    if len(lines) == 1:
        return pulumi.RunError(f"flexsaml: {lines[0]}; nothing of this component was changed")
    return pulumi.RunError(
        "\n  - ".join([f"flexsaml: {len(lines)} findings, nothing of this component was changed:", *lines])
    )
