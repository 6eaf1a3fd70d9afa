"""The claims of a stack file (`Pulumi.<stack>.yaml`), as lint looks at them.

The engine is not asked: what is encrypted (`secure:`) stays unknown, and so does the appId that full extension names
carry, for which a stand-in is used and taken out of the findings again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from flexsaml.claims import (
    FULL_NAME,
    NAME_ID,
    RULE_NAMES,
    Claim,
    ClaimsPolicy,
    Context,
    InvalidClaim,
    build_full_name,
    encode,
    escape,
    find_nearest,
    is_full_name,
    lint,
    owner_app_id,
    quote,
    short_name,
)
from flexsaml.findings import LEVELS, OFF, Finding, apply_levels
from flexsaml.values import DataType, InvalidValue

from .stack_yaml import RULE, is_secret, own_keys

KEYS = (
    "servicePrincipal", "application", "policyName", "includeBasicClaimSet", "claims", "extensions", "users",
    "usersFile", "definition", "replaceExisting", "allowRemoval", "rules", "preflight", "cloud", "tenantId",
    "graphEndpoint", "loginEndpoint",
)  # fmt: skip
_STAND_IN = "f" * 32
"""An appId for the application that owns the declared extensions."""
_UNDECLARED = "e" * 32
"""Another one, for extensions of which nothing is known."""
_MOST = 100
_WORDS = (  # what the rules say of a definition, in the words of a stack file
    (re.compile(r"^ClaimsSchema\[\d+\]"), "claims"),
    (re.compile(r"^ClaimsSchema$"), "claims"),
    (re.compile(r"^ClaimsMappingPolicy\.IncludeBasicClaimSet"), "includeBasicClaimSet"),
    (re.compile(re.escape(NAME_ID)), "nameid"),
    (re.compile(f"{build_full_name(_STAND_IN, '')}|{build_full_name(_UNDECLARED, '')}"), "extension."),
    (re.compile(r'\{"Source": "user", "ID": "(\w+)", "SamlClaimType": "(\w+)"\}'), r"'\2: user.\1'"),
    (re.compile(r'"Value": "(.*)" alone; for an extension use ExtensionID'), r"{ value: \1 }"),
    (re.compile(r'^write "false"'), "write false"),
)


@dataclass
class Stack:
    config: Mapping[str, Any]
    findings: list[Finding] = field(default_factory=list)

    def tell(self, where: str, message: str, fix: str = "") -> None:
        self.findings.append(Finding(RULE, "error", where, message, fix))

    def mapping(self, key: str) -> dict[str, Any]:
        """A map, or none if it is encrypted; JSON text is what `pulumi config set` without --path writes."""
        value = self.config.get(key)
        if isinstance(value, str) and value.lstrip().startswith("{"):
            try:
                value = json.loads(value)
            except (ValueError, RecursionError):
                self.tell(key, "is no map and no JSON object", "write a map")
                return {}
        if value in (None, "") or is_secret(value):
            return {}
        if not isinstance(value, dict):
            self.tell(key, f"is {quote(value, 40)} where a map belongs", "write a map")
            return {}
        return {str(name): item for name, item in value.items()}


def lint_stack(raw: bytes, profile: str) -> list[Finding]:
    """The findings on a stack file under the levels it gives to rules, errors first."""
    own = own_keys(raw)
    if isinstance(own, Finding):
        return [own]
    stack = Stack(own)
    for key in own:
        if key not in KEYS:
            near = find_nearest(key, KEYS, 0.6)
            stack.tell(f"flexsaml:{key}"[:120], "unknown key", f"did you mean '{near}'?" if near else "leave it out")
    levels = _levels(stack)
    types = types_of(stack)
    values = _values(stack, types)
    found = list(_linted(stack, types, values, profile))
    return apply_levels([*stack.findings, *found], levels)


def _linted(
    stack: Stack, types: Mapping[str, DataType], values: Mapping[str, list[str]], profile: str
) -> Iterator[Finding]:
    claims, definition = stack.config.get("claims"), stack.config.get("definition")
    if claims and definition:
        stack.tell("definition", "there are claims and a definition", "keep one of them")
    elif is_secret(claims) or is_secret(definition):
        key = "claims" if is_secret(claims) else "definition"
        yield Finding("stack-secret", "info", key, "encrypted: not looked at")
    elif definition:
        text = definition if isinstance(definition, str) else json.dumps(definition, default=str)
        yield from lint(text, profile=profile, context=_known(text, types, values))
    elif claims:
        policy = policy_of(stack, types)
        if policy:
            names = {name: build_full_name(_STAND_IN, name) for name in types}
            unknown = {name: build_full_name(_UNDECLARED, name) for name in policy.extensions}
            text = encode(policy, unknown | names)
            context = Context(
                {full: str(types[name]) for name, full in names.items()},
                {names.get(name, name): cells for name, cells in values.items()},
            )
            yield from (_in_words(one) for one in lint(text, profile=profile, context=context))
    else:
        stack.tell("claims", "there are no claims", "map claim names to sources, for example 'email: user.mail'")


def policy_of(stack: Stack, types: Mapping[str, DataType]) -> ClaimsPolicy | None:
    """The typed claims that can be read; those that cannot are told of, one by one."""
    written = stack.mapping("claims")
    claims: dict[str, Claim] = {}
    for name, source in written.items():
        if is_secret(source) or (isinstance(source, dict) and any(map(is_secret, source.values()))):
            # Keeps the claim's name; nothing is known about its source.
            source = f"extension.{build_full_name(_UNDECLARED, 'secret')}"
        try:
            one = ClaimsPolicy.parse({name: source})
        except InvalidClaim as problem:
            stack.tell("claims", escape(str(problem), 200))
            continue
        for extension in sorted(one.extensions - set(types)):
            if not is_full_name(extension):
                near = find_nearest(extension, tuple(types))
                fix = f"did you mean '{near}'?" if near else "declare it in extensions"
                stack.tell(f"claims {quote(name)}", f"extension {quote(extension)} is not declared", fix)
        if set(one.claims) & set(claims):
            stack.tell(f"claims {quote(name)}", "is there twice ('nameid' is its URI)", "keep one of them")
        claims |= one.claims
    basic = str(stack.config.get("includeBasicClaimSet")).lower() == "true"
    return ClaimsPolicy(dict(sorted(claims.items())), basic) if claims else None


def types_of(stack: Stack) -> dict[str, DataType]:
    types: dict[str, DataType] = {}
    for name, form in stack.mapping("extensions").items():
        spec = form if isinstance(form, dict) else {"dataType": form}
        types[name] = DataType("String")
        try:
            types[name] = DataType(str(spec.get("dataType") or "String"), spec.get("multiValued") in (True, "true"))
        except InvalidValue as problem:
            stack.tell(f"extensions.{escape(name)}", escape(str(problem), 200))
    return types


def _values(stack: Stack, types: Mapping[str, DataType]) -> dict[str, list[str]]:
    """Extension to the canonical values declared for it; encrypted ones are left out."""
    values: dict[str, list[str]] = {}
    for user, cells in stack.mapping("users").items():
        if len(stack.findings) > _MOST:
            stack.tell("users", f"more than {_MOST} findings; the rest is not looked at", "correct these first")
            break
        if is_secret(cells):
            continue
        if not isinstance(cells, dict):
            stack.tell(f"users.{escape(user)}", "is no map of extension to value", "write a map")
            continue
        for name, value in cells.items():
            where = f"users.{escape(user)}.{escape(str(name))}"
            if is_secret(value):
                continue
            if name not in types:
                if is_full_name(str(name)):
                    values.setdefault(str(name), []).append("<null>" if value is None else str(value))
                else:
                    near = find_nearest(str(name), tuple(types))
                    fix = f"did you mean '{near}'?" if near else "declare it in extensions"
                    stack.tell(where, f"extension {quote(str(name))} is not declared", fix)
                continue
            try:
                values.setdefault(str(name), []).append(types[name].canonical(value))
            except InvalidValue as problem:
                stack.tell(where, str(problem))
    return values


def _known(definition: str, types: Mapping[str, DataType], values: Mapping[str, list[str]]) -> Context:
    """For a raw definition: declared extensions under the application part the definition gives them."""
    shorts = {name.lower(): name for name in types}
    known: dict[str, str] = {}
    for full in set(re.findall(FULL_NAME, definition)):
        declared = shorts.get(short_name(full).lower())
        if declared:
            known[build_full_name(owner_app_id(full), declared)] = declared
    return Context(
        {full: str(types[name]) for full, name in known.items()},
        {full: values[name] for full, name in known.items() if name in values},
    )


def _levels(stack: Stack) -> dict[str, str]:
    """`flexsaml:rules`. Names of preflight are not known here, so only what looks like a rule of lint is corrected."""
    levels: dict[str, str] = {}
    for name, level in stack.mapping("rules").items():
        level = OFF if level is False else level  # YAML reads a bare `off` as false
        if level not in (*LEVELS, OFF):
            text = f"{quote(level, 40)} is no level"
            stack.tell(f"rules.{escape(name)}", text, f"write one of {', '.join(LEVELS)}, off")
        elif name not in RULE_NAMES and find_nearest(name, RULE_NAMES, 0.88):
            near = find_nearest(name, RULE_NAMES, 0.88)
            stack.tell(f"rules.{escape(name)}", "there is no such rule", f"did you mean '{near}'?")
        elif name != RULE:
            levels[name] = str(level)
    return levels


def _in_words(one: Finding) -> Finding:
    where, message, fix = one.where, one.message, one.fix
    for pattern, words in _WORDS:
        where, message, fix = (pattern.sub(words, text) for text in (where, message, fix))
    return replace(one, where=where, message=message, fix=fix)
