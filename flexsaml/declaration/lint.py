"""Lint of the definition that a declaration would send, in the words of a declaration. Preview lints the same
definition as the `lint` command. Preview knows the appId of the application that owns the extensions; for a stack file,
a stand-in takes its place."""

import re
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress

from flexsaml.claims import FULL_NAME, NAME_ID, Context, build_full_name, lint, owner_app_id, short_name
from flexsaml.findings import Finding, apply_levels
from flexsaml.values import DataType, InvalidValue

from .fragile_values import find_fragile_values
from .model import Declaration
from .parse import read_declaration

_STAND_IN = "f" * 32
"""An appId for the application that owns the extensions, where it is not known."""
_WORDS = (  # what the rules say of a definition, in the words of a declaration
    (re.compile(r"^ClaimsSchema\[\d+\] '(.*)'"), r"claims.\1"),
    (re.compile(r"^ClaimsSchema(\[\d+\])?"), "claims"),
    (re.compile(r"^ClaimsMappingPolicy\.IncludeBasicClaimSet"), "includeBasicClaimSet"),
    (re.compile(re.escape(NAME_ID)), "nameid"),
    (re.compile(r'\{"Source": "user", "ID": "(\w+)", "SamlClaimType": "(\w+)"\}'), r"'\2: user.\1'"),
    (re.compile(r'"Value": "(.*)" alone; for an extension use ExtensionID'), r"{ value: \1 }"),
    (re.compile(r'^write "false"'), "write false"),
)


def lint_declaration(
    declaration: Declaration, profile: str = "flex", *, app_id: str = "",
    existing_types: Mapping[str, str] | None = None,
) -> list[Finding]:  # fmt: skip
    """The findings of lint, with their default levels. `app_id` is that of the application with the extensions,
    `existing_types` full name to data type of what exists in the tenant; both are known to preview only."""
    definition = _lint_definition(declaration, profile, app_id, existing_types or {})
    return declaration.mask_findings([*definition, *find_fragile_values(declaration)])


def _lint_definition(
    declaration: Declaration, profile: str, app_id: str, existing_types: Mapping[str, str]
) -> list[Finding]:
    full_names = declaration.full_names(app_id or _STAND_IN)
    own_types = {full_names[name]: str(data_type) for name, data_type in declaration.extensions.items()}
    types = {**existing_types, **own_types}
    if declaration.definition:
        known = full_names if app_id else _names_in(declaration)
        known_types = types if app_id else {full: str(declaration.extensions[name]) for name, full in known.items()}
        values = _values_by_full_name(declaration, known, types)
        context = Context(known_types, values, _longest_row(declaration, known))
        return lint(declaration.definition_text, profile=profile, context=context)
    if not declaration.claims:
        return []
    values = _values_by_full_name(declaration, full_names, types)
    context = Context(types, values, _longest_row(declaration, full_names))
    short_names = {full: f"extension.{name}" for name, full in full_names.items()}
    findings = lint(declaration.encode_definition(app_id or _STAND_IN), profile=profile, context=context)
    return [_in_words(finding, short_names) for finding in findings]


def lint_stack(
    raw: bytes, profile: str, *, read_file: Callable[[str], bytes], rule_names: Collection[str],
    fixed_rules: Collection[str], project: str = "flexsaml",
) -> list[Finding]:  # fmt: skip
    """What is wrong with a stack file and with the definition it would send: under the levels it gives, errors first.
    `project`: the name of its project. The other arguments behind `profile` are those of `read_declaration`."""
    from .stack_yaml import read_stack_yaml  # only now: preview does not need PyYAML

    keys = read_stack_yaml(raw, project)
    if isinstance(keys, Finding):
        return [keys]
    declaration, findings = read_declaration(keys, read_file=read_file, rule_names=rule_names, fixed_rules=fixed_rules)
    findings += [
        Finding("stack-secret", "info", key, "is encrypted, and so it is not judged")
        for key in ("claims", "definition")
        if key in declaration.encrypted
    ]
    return apply_levels([*findings, *lint_declaration(declaration, profile)], declaration.rules)


def _names_in(declaration: Declaration) -> dict[str, str]:
    """Extensions of this stack that a raw definition names: under the application part that it gives them."""
    by_lower_case = {name.lower(): name for name in declaration.extensions}
    names: dict[str, str] = {}
    for full in sorted(set(FULL_NAME.findall(declaration.definition))):
        name = by_lower_case.get(short_name(full).lower())
        if name:
            names[name] = build_full_name(owner_app_id(full), name)
    return names


def _values_by_full_name(
    declaration: Declaration, full_names: Mapping[str, str], types: Mapping[str, str]
) -> dict[str, list[str]]:
    """Full name to the values that are declared, each once."""
    distinct: dict[str, dict[str, object]] = {}
    for cells in _shown_users(declaration).values():
        for name, value in cells.items():
            distinct.setdefault(full_names.get(name, name), {})[str(value)] = value
    values: dict[str, list[str]] = {}
    for full, written in distinct.items():
        if full in types:
            data_type = DataType.parse(types[full])
            for value in written.values():
                with suppress(InvalidValue):  # preflight reports it
                    values.setdefault(full, []).append(data_type.canonical(value))
    return values


def _longest_row(declaration: Declaration, full_names: Mapping[str, str]) -> dict[str, str]:
    """Full name to value, of the user whose values are the longest together."""
    rows = _shown_users(declaration).values()
    longest = max(rows, key=lambda cells: sum(len(str(value)) for value in cells.values()), default={})
    return {full_names.get(name, name): str(value) for name, value in longest.items()}


def _shown_users(declaration: Declaration) -> Mapping[str, Mapping[str, object]]:
    """Secret users are left out: a finding repeats the value."""
    return declaration.roster if "users" in declaration.secret_keys else declaration.all_users


def _in_words(finding: Finding, short_names: Mapping[str, str]) -> Finding:
    def reword(text: str) -> str:
        for pattern, words in _WORDS:
            text = pattern.sub(words, text)
        return FULL_NAME.sub(lambda match: short_names.get(match[0], match[0]), text)

    return Finding(finding.rule, finding.level, reword(finding.where), reword(finding.message), reword(finding.fix))
