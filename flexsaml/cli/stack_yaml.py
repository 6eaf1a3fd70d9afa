"""A stack file (`Pulumi.<stack>.yaml`) as text to a map, without the engine.

YAML is read with PyYAML, which comes with pulumi; depth and aliases of collections are refused, so that a small file
cannot become a large one. What is encrypted stays encrypted (`is_secret`).
"""

from __future__ import annotations

import importlib
from typing import Any

from flexsaml.claims import MAX_TEXT_BYTES, escape, quote
from flexsaml.findings import Finding

yaml: Any = importlib.import_module("yaml")
_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

RULE = "stack-file"
"""The rule of what is wrong with the file itself; it is always an error."""
NAMESPACE = "flexsaml:"
_DEEPEST = 16


def own_keys(raw: bytes) -> dict[str, Any] | Finding:
    """The keys of this project in the file, without their namespace; or the one finding that it cannot be used."""
    loaded = _loaded(raw)
    if isinstance(loaded, Finding):
        return loaded
    config = loaded.get("config")
    if "runtime" in loaded:
        return Finding(RULE, "error", "runtime", "this is the project file", "give Pulumi.<stack>.yaml")
    if not isinstance(config, dict):
        return Finding(RULE, "error", "config", "the file has no map 'config'", "give Pulumi.<stack>.yaml")
    return {str(key)[len(NAMESPACE) :]: value for key, value in config.items() if str(key).startswith(NAMESPACE)}


def is_secret(value: object) -> bool:
    return isinstance(value, dict) and set(value) == {"secure"}


def _loaded(raw: bytes) -> dict[Any, Any] | Finding:
    """The YAML, or the one finding that it cannot be used."""
    if len(raw) > MAX_TEXT_BYTES:
        return Finding("size", "error", "file", f"is over {MAX_TEXT_BYTES:,} bytes", "keep users in a roster file")
    try:
        text = raw.decode("utf-8-sig")
        unsafe = _unsafe(text)
        loaded = None if unsafe else yaml.load(text, _Loader)
    except UnicodeDecodeError as problem:
        return Finding("encoding", "error", f"byte {problem.start}", "the text is no UTF-8", "save it as UTF-8")
    except (yaml.YAMLError, ValueError) as problem:
        mark = getattr(problem, "problem_mark", None)
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "file"
        why = escape(str(getattr(problem, "problem", None) or problem), 120)
        return Finding(RULE, "error", place, f"the file is no usable YAML: {why}")
    if unsafe:
        return unsafe
    if not isinstance(loaded, dict):
        return Finding(RULE, "error", "file", "the file has no map 'config'", "give Pulumi.<stack>.yaml")
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
                told = f"the key {quote(name)} is there twice"
                raise yaml.constructor.ConstructorError(None, None, told, key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep)
