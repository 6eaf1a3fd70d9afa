"""The text of a stack file (`Pulumi.<stack>.yaml`) to the keys of a declaration, without the engine. Scalars are
resolved as the engine resolves them (tried on engine 3.259): `off`, `yes` and `1:30` are text, `0777` is a number, a
bare date is a text in Go's form. What is encrypted (`secure:`) becomes a `Secret` of unknown content. Depth and aliases
of collections are refused, so that a small file cannot become a large one."""

import importlib
import math
import re
from datetime import datetime
from typing import Any

from flexsaml.claims import MAX_TEXT_BYTES, escape, quote
from flexsaml.errors import UserError
from flexsaml.findings import Finding

from .keys import KEYS, Secret, declares_arguments
from .model import describe_problem
from .reader import RULE

yaml: Any = importlib.import_module("yaml")
_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

NAMESPACE = "flexsaml:"
_DEEPEST = 16
_CONSTANTS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True), **dict.fromkeys(("false", "False", "FALSE"), False),
}  # fmt: skip
_DATE = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[Tt ]+(\d{1,2}):(\d{1,2}):(\d{1,2})(\.\d+)?\s*(Z|[+-]\d\d:?\d\d)?)?", re.ASCII
)
_INTEGER = re.compile(r"[-+]?(?:0x[0-9a-fA-F]+|0b[01]+|0o[0-7]+|0[0-7]*|[1-9][0-9]*)")
_MAX_DIGITS = 100  # of an integer that go-yaml takes: 64 bits, in the base of two, and leading zeros
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")


def load_stack_keys(raw: bytes, file: str, project: str = "flexsaml") -> dict[str, object]:
    """The keys as `read_stack_yaml` has them. Raises `UserError`, which names the file, if it cannot be used."""
    keys = read_stack_yaml(raw, project)
    if isinstance(keys, Finding):
        raise UserError(f"{file}: {describe_problem(keys)}")
    return keys


def read_stack_yaml(raw: bytes, project: str = "flexsaml") -> dict[str, object] | Finding:
    """The keys of the namespace, without it, and those of the namespace of the `project` that were meant for it, with
    theirs; or the one finding that the file cannot be used."""
    if len(raw) > MAX_TEXT_BYTES:
        return Finding("size", "error", "file", f"is over {MAX_TEXT_BYTES:,} bytes", "keep users in a roster file")
    try:
        text = raw.decode("utf-8-sig")
        unsafe = _find_unsafe(text)
        loaded = None if unsafe else _build(yaml.compose(text, _LOADER))
    except UnicodeDecodeError as problem:
        return Finding("encoding", "error", f"byte {problem.start}", "the text is not UTF-8", "save it as UTF-8")
    except (yaml.YAMLError, ValueError) as problem:
        position = getattr(problem, "problem_mark", None)
        place = f"line {position.line + 1}, column {position.column + 1}" if position else "file"
        reason = escape((str(getattr(problem, "problem", None) or problem).splitlines() or [""])[0], 120)
        return Finding(RULE, "error", place, f"the file is not valid YAML: {reason}")
    if unsafe:
        return unsafe
    if not isinstance(loaded, dict):
        return Finding(RULE, "error", "file", "the file has no map 'config'", "give Pulumi.<stack>.yaml")
    config = loaded.get("config")
    if "runtime" in loaded:
        return Finding(RULE, "error", "runtime", "this is the project file", "give Pulumi.<stack>.yaml")
    if not isinstance(config, dict):
        return Finding(RULE, "error", "config", "the file has no map 'config'", "give Pulumi.<stack>.yaml")
    return _select_keys(config, project)


def _select_keys(config: dict[str, object], project: str) -> dict[str, object]:
    """A key without a namespace is one of the project's, as for the engine. A program that gives the arguments itself
    may have keys of its own that are called like ours, so these count as meant for us only beside keys of ours, or if
    they name both a service principal and what it sends."""
    named = {key if ":" in key else f"{project}:{key}": value for key, value in config.items()}
    keys = {key.removeprefix(NAMESPACE): value for key, value in named.items() if key.startswith(NAMESPACE)}
    others = {key: key.partition(":")[2] for key in named if key.startswith(f"{project}:")}
    misplaced = {key: name for key, name in others.items() if name in KEYS and name not in keys}
    names = set(misplaced.values())
    is_meant = declares_arguments(keys) or ("servicePrincipal" in names and names & {"claims", "definition"})
    return {**keys, **{key: named[key] for key in misplaced}} if is_meant else keys


def _find_unsafe(text: str) -> Finding | None:
    """What would exhaust stack or memory once loaded: depth, and aliases of collections (of scalars they are cheap)."""
    depth, scalars = 0, set()
    for event in yaml.parse(text, _LOADER):
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


def _build(node: Any) -> Any:
    """Python values of a YAML node. Refuses keys that stand twice, as the engine does."""
    if isinstance(node, yaml.SequenceNode):
        return [_build(item) for item in node.value]
    if not isinstance(node, yaml.MappingNode):
        return None if node is None else node.value if node.style else _resolve(node.value)
    values: dict[str, object] = {}
    for key, item in node.value:
        name = key.value if isinstance(key.value, str) else ""
        if name in values:
            raise yaml.constructor.ConstructorError(None, None, f"the key {quote(name)} is there twice", key.start_mark)
        values[name] = _build(item)
    return Secret.unknown() if set(values) == {"secure"} and isinstance(values["secure"], str) else values


def _resolve(text: str) -> object:
    """A plain scalar, as go-yaml resolves it on its way into the engine's configuration."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if (date := _DATE.fullmatch(text)) and (moment := _as_go_time(date)):
        return moment
    digits = text.replace("_", "")
    if len(digits) <= _MAX_DIGITS and _INTEGER.fullmatch(digits):
        sign, bare = (-1 if digits[0] == "-" else 1), digits.lstrip("+-").lower()
        is_octal = re.fullmatch(r"0[0-7]+", bare)
        number = sign * (int(bare, 8) if is_octal else int(bare, 0) if len(bare) > 1 else int(bare))
        if -(2**63) <= number < 2**64:
            return number
    decimal = float(digits) if _FLOAT.fullmatch(digits) else math.inf
    return decimal if math.isfinite(decimal) else text


def _as_go_time(date: re.Match[str]) -> str:
    """The date in Go's form; "" if there is no such day or time."""
    fraction, zone = date.groups()[6:]
    try:
        moment = datetime(*(int(digits or 0) for digits in date.groups()[:6]))  # type: ignore[arg-type]
    except ValueError:
        return ""
    offset = "+0000" if zone in (None, "Z") else zone.replace(":", "")
    clock = f"{moment.isoformat(' ')}{(fraction or '').rstrip('0').rstrip('.')}"
    return f"{clock} {offset} {'UTC' if offset == '+0000' else offset}"
