"""The claims of a stack file (`Pulumi.<stack>.yaml`), as lint looks at them.

The engine is not asked: what is encrypted (`secure:`) stays unknown, and so does the appId that full extension names
carry, for which a stand-in is used and taken out of the findings again. YAML is read with PyYAML, which comes with
pulumi; depth and aliases of collections are refused, so that a small file cannot become a large one.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from flexsaml.claims import (
    FULL_NAME,
    LARGEST,
    NAME_ID,
    RULE_NAMES,
    Claim,
    ClaimsPolicy,
    Context,
    Unclear,
    encode,
    lint,
    nearest,
    quoted,
)
from flexsaml.findings import LEVELS, OFF, Finding, judged
from flexsaml.values import DataType, Misfit

yaml: Any = importlib.import_module("yaml")
_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

RULE = "stack-file"
"""The rule of what is wrong with the file itself; it is always an error."""
KEYS = (
    "servicePrincipal", "application", "policyName", "includeBasicClaimSet", "claims", "extensions", "users",
    "usersFile", "definition", "replaceExisting", "allowRemoval", "rules", "preflight", "cloud", "tenantId",
    "graphEndpoint", "loginEndpoint",
)  # fmt: skip
_STAND_IN = f"extension_{'f' * 32}_"
_UNDECLARED = f"extension_{'e' * 32}_"
"""Another stand-in, for extensions of which nothing is known."""
_DEEPEST = 16
_MOST = 100
_WORDS = (  # what the rules say of a definition, in the words of a stack file
    (re.compile(r"^ClaimsSchema\[\d+\]"), "claims"),
    (re.compile(r"^ClaimsSchema$"), "claims"),
    (re.compile(r"^ClaimsMappingPolicy\.IncludeBasicClaimSet"), "includeBasicClaimSet"),
    (re.compile(re.escape(NAME_ID)), "nameid"),
    (re.compile(f"{_STAND_IN}|{_UNDECLARED}"), "extension."),
    (re.compile(r'\{"Source": "user", "ID": "(\w+)", "SamlClaimType": "(\w+)"\}'), r"'\2: user.\1'"),
    (re.compile(r'"Value": "(.*)" alone; for an extension use ExtensionID'), r"{ value: \1 }"),
    (re.compile(r'^write "false"'), "write false"),
)


@dataclass
class _Stack:
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
        if value in (None, "") or _is_secret(value):
            return {}
        if not isinstance(value, dict):
            self.tell(key, f"is {quoted(value, 40)} where a map belongs", "write a map")
            return {}
        return {str(name): item for name, item in value.items()}


def lint_stack(raw: bytes, profile: str) -> list[Finding]:
    """The findings on a stack file under the levels it gives to rules, errors first."""
    loaded = _loaded(raw)
    if isinstance(loaded, Finding):
        return [loaded]
    config = loaded.get("config")
    if "runtime" in loaded:
        return [Finding(RULE, "error", "runtime", "this is the project file", "lint Pulumi.<stack>.yaml")]
    if not isinstance(config, dict):
        return [Finding(RULE, "error", "config", "the file has no map 'config'", "lint Pulumi.<stack>.yaml")]
    own = {str(key)[9:]: value for key, value in config.items() if str(key).startswith("flexsaml:")}
    stack = _Stack(own)
    for key in own:
        if key not in KEYS:
            near = nearest(key, KEYS, 0.6)
            stack.tell(f"flexsaml:{key}"[:120], "unknown key", f"did you mean '{near}'?" if near else "leave it out")
    levels = _levels(stack)
    types = _types(stack)
    values = _values(stack, types)
    found = list(_linted(stack, types, values, profile))
    return judged([*stack.findings, *found], levels)


def _linted(
    stack: _Stack, types: Mapping[str, DataType], values: Mapping[str, list[str]], profile: str
) -> Iterator[Finding]:
    claims, definition = stack.config.get("claims"), stack.config.get("definition")
    if claims and definition:
        stack.tell("definition", "there are claims and a definition", "keep one of them")
    elif _is_secret(claims) or _is_secret(definition):
        key = "claims" if _is_secret(claims) else "definition"
        yield Finding("stack-secret", "info", key, "encrypted: not looked at")
    elif definition:
        text = definition if isinstance(definition, str) else json.dumps(definition, default=str)
        yield from lint(text, profile=profile, context=_known(text, types, values))
    elif claims:
        policy = _policy(stack, types)
        if policy:
            names = {name: f"{_STAND_IN}{name}" for name in types}
            unknown = {name: f"{_UNDECLARED}{name}" for name in policy.extensions if not FULL_NAME.fullmatch(name)}
            text = encode(policy, unknown | names)
            context = Context(
                {full: str(types[name]) for name, full in names.items()},
                {names.get(name, name): cells for name, cells in values.items()},
            )
            yield from (_in_words(one) for one in lint(text, profile=profile, context=context))
    else:
        stack.tell("claims", "there are no claims", "map claim names to sources, for example 'email: user.mail'")


def _policy(stack: _Stack, types: Mapping[str, DataType]) -> ClaimsPolicy | None:
    """The typed claims that can be read; those that cannot are told of, one by one."""
    written = stack.mapping("claims")
    claims: dict[str, Claim] = {}
    for name, source in written.items():
        if _is_secret(source) or (isinstance(source, dict) and any(map(_is_secret, source.values()))):
            source = f"extension.{_UNDECLARED}secret"  # keeps its name; of its source nothing is known
        try:
            one = ClaimsPolicy.parse({name: source})
        except Unclear as problem:
            stack.tell("claims", quoted(str(problem), 200)[1:-1])
            continue
        for extension in sorted(one.extensions - set(types)):
            if not FULL_NAME.fullmatch(extension):
                near = nearest(extension, tuple(types))
                fix = f"did you mean '{near}'?" if near else "declare it in extensions"
                stack.tell(f"claims {quoted(name)}", f"extension {quoted(extension)} is not declared", fix)
        if set(one.claims) & set(claims):
            stack.tell(f"claims {quoted(name)}", "is there twice ('nameid' is its URI)", "keep one of them")
        claims |= one.claims
    basic = str(stack.config.get("includeBasicClaimSet")).lower() == "true"
    return ClaimsPolicy(dict(sorted(claims.items())), basic) if claims else None


def _types(stack: _Stack) -> dict[str, DataType]:
    types: dict[str, DataType] = {}
    for name, form in stack.mapping("extensions").items():
        spec = form if isinstance(form, dict) else {"dataType": form}
        types[name] = DataType("String")
        try:
            types[name] = DataType(str(spec.get("dataType") or "String"), spec.get("multiValued") in (True, "true"))
        except Misfit as problem:
            stack.tell(f"extensions.{quoted(name)[1:-1]}", quoted(str(problem), 200)[1:-1])
    return types


def _values(stack: _Stack, types: Mapping[str, DataType]) -> dict[str, list[str]]:
    """Extension to the canonical values declared for it; encrypted ones are left out."""
    values: dict[str, list[str]] = {}
    for user, cells in stack.mapping("users").items():
        if len(stack.findings) > _MOST:
            stack.tell("users", f"more than {_MOST} findings; the rest is not looked at", "correct these first")
            break
        if _is_secret(cells):
            continue
        if not isinstance(cells, dict):
            stack.tell(f"users.{quoted(user)[1:-1]}", "is no map of extension to value", "write a map")
            continue
        for name, value in cells.items():
            where = f"users.{quoted(user)[1:-1]}.{quoted(str(name))[1:-1]}"
            if _is_secret(value):
                continue
            if name not in types:
                if FULL_NAME.fullmatch(str(name)):
                    values.setdefault(str(name), []).append("<null>" if value is None else str(value))
                else:
                    near = nearest(str(name), tuple(types))
                    fix = f"did you mean '{near}'?" if near else "declare it in extensions"
                    stack.tell(where, f"extension {quoted(str(name))} is not declared", fix)
                continue
            try:
                values.setdefault(str(name), []).append(types[name].canonical(value))
            except Misfit as problem:
                stack.tell(where, str(problem))
    return values


def _known(definition: str, types: Mapping[str, DataType], values: Mapping[str, list[str]]) -> Context:
    """For a raw definition: declared extensions under the application part the definition gives them."""
    shorts = {name.lower(): name for name in types}
    known: dict[str, str] = {}
    for full in set(re.findall(FULL_NAME, definition)):
        short = full[len(_STAND_IN) :]
        if short.lower() in shorts:
            known[full[: len(_STAND_IN)] + shorts[short.lower()]] = shorts[short.lower()]
    return Context(
        {full: str(types[name]) for full, name in known.items()},
        {full: values[name] for full, name in known.items() if name in values},
    )


def _levels(stack: _Stack) -> dict[str, str]:
    """`flexsaml:rules`. Names of preflight are not known here, so only what looks like a rule of lint is corrected."""
    levels: dict[str, str] = {}
    for name, level in stack.mapping("rules").items():
        level = OFF if level is False else level  # YAML reads a bare `off` as false
        if level not in (*LEVELS, OFF):
            text = f"{quoted(level, 40)} is no level"
            stack.tell(f"rules.{quoted(name)[1:-1]}", text, f"write one of {', '.join(LEVELS)}, off")
        elif name not in RULE_NAMES and nearest(name, RULE_NAMES, 0.88):
            near = nearest(name, RULE_NAMES, 0.88)
            stack.tell(f"rules.{quoted(name)[1:-1]}", "there is no such rule", f"did you mean '{near}'?")
        elif name != RULE:
            levels[name] = str(level)
    return levels


def _in_words(one: Finding) -> Finding:
    where, message, fix = one.where, one.message, one.fix
    for pattern, words in _WORDS:
        where, message, fix = (pattern.sub(words, text) for text in (where, message, fix))
    return replace(one, where=where, message=message, fix=fix)


def _is_secret(value: object) -> bool:
    return isinstance(value, dict) and set(value) == {"secure"}


def _loaded(raw: bytes) -> dict[Any, Any] | Finding:
    """The YAML, or the one finding that it cannot be used."""
    if len(raw) > LARGEST:
        return Finding("size", "error", "file", f"is over {LARGEST:,} bytes", "keep users in a roster file")
    try:
        text = raw.decode("utf-8-sig")
        unsafe = _unsafe(text)
        loaded = None if unsafe else yaml.load(text, _Loader)
    except UnicodeDecodeError as problem:
        return Finding("encoding", "error", f"byte {problem.start}", "the text is no UTF-8", "save it as UTF-8")
    except (yaml.YAMLError, ValueError) as problem:
        mark = getattr(problem, "problem_mark", None)
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "file"
        why = quoted(str(getattr(problem, "problem", None) or problem), 120)[1:-1]
        return Finding(RULE, "error", place, f"the file is no usable YAML: {why}")
    if unsafe:
        return unsafe
    if not isinstance(loaded, dict):
        return Finding(RULE, "error", "file", "the file has no map 'config'", "lint Pulumi.<stack>.yaml")
    return loaded


def _unsafe(text: str) -> Finding | None:
    """What would exhaust stack or memory once loaded: depth, and aliases of collections (of scalars they are cheap)."""
    depth, scalars = 0, set()
    for event in yaml.parse(text, _BASE):
        line = f"line {event.start_mark.line + 1}"
        if isinstance(event, yaml.events.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST:
                return Finding("nesting", "error", line, "is nested too deeply to be a stack file")
        elif isinstance(event, yaml.events.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.events.ScalarEvent):
            scalars.add(event.anchor)
        elif isinstance(event, yaml.events.AliasEvent) and event.anchor not in scalars:
            return Finding(RULE, "error", line, "aliases of maps and lists are not read here", "write it out")
    return None


class _Loader(_BASE):  # type: ignore[misc]
    """PyYAML's safe loader (in C where there is one) that refuses keys that stand twice, as the engine does."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen: set[str] = set()
        for key, _value in node.value:
            name = key.value if isinstance(key.value, str) else ""
            if name in seen:
                told = f"the key {quoted(name)} is there twice"
                raise yaml.constructor.ConstructorError(None, None, told, key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep)
