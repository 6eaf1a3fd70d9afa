"""Any text to policies that rules can inspect, and what is wrong with it as text. Accepted is what a person has at
hand: the definition as an object or as a JSON string, the array that Graph keeps it in, a request body or an answer
copied from Graph Explorer (one policy, or a list of them). Nothing raises: what does not fit becomes a `Violation` with
its path, and the rest is still read, so that one run reports everything. Keys are looked up without regard to case, as
the service was observed to do (grade A: `Id`, `TransformationId`, `JWTClaimType` stand in accepted policies). Only
`Version` has to be exact, and its rule reads the raw key."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from .json_text import ROOT, decode_text, parse_json
from .rules import NodeViolations, Violation, Violations
from .wording import escape, find_nearest, quote

MAX_NODES = 100
"""Entries, transformations or policies that are read; Entra itself ignores entries after the fiftieth."""
_WRITE_ROOT = f'write {{"{ROOT}": {{...}}}}'


@dataclass(frozen=True)
class JsonNode:
    """One JSON object with its path; `get`, `text` and `has` take a key in any case."""

    where: str
    raw: Mapping[str, Any]

    @cached_property
    def keys(self) -> dict[str, str]:
        """Lower-case key to the key as written; the first spelling counts."""
        return {key.strip().lower(): key for key in reversed(list(self.raw))}

    def get(self, key: str) -> Any:
        return self.raw.get(self.keys.get(key.lower(), key))

    def text(self, key: str) -> str:
        """The text of a key without surrounding white space, "" when it is absent or not text."""
        value = self.get(key)
        return value.strip() if isinstance(value, str) else ""

    def has(self, key: str) -> bool:
        return self.get(key) is not None

    def list_items(self, key: str) -> "list[JsonNode]":
        """The objects in an array, at most `MAX_NODES`."""
        items = self.get(key)
        return [
            JsonNode(f"{self.where} {key}[{index}]", item)
            for index, item in enumerate(items[:MAX_NODES] if isinstance(items, list) else [])
            if isinstance(item, dict)
        ]

    @property
    def label(self) -> str:
        """What a sentence calls the entry."""
        name = self.text("SamlClaimType") or self.text("JwtClaimType")
        if name:
            return f"claim {quote(name)}"
        return f"the entry {quote(self.text('ID'))}" if self.text("ID") else "the entry"


def check_nodes(nodes: Iterable[JsonNode], *checks: Callable[[JsonNode], NodeViolations]) -> Violations:
    """What the checks say of each of the objects."""
    for node in nodes:
        for check in checks:
            for rule, message, fix in check(node):
                yield Violation(rule, node.where, message, fix)


@dataclass
class Document:
    """One policy as read, and the problems of its text. If no policy could be read, `body` is None."""

    problems: list[Violation] = field(default_factory=list)
    root: Mapping[str, Any] = field(default_factory=dict)
    body: JsonNode | None = None
    entries: list[JsonNode] = field(default_factory=list)
    transformations: list[JsonNode] = field(default_factory=list)
    entry_count: int = 0
    transformation_count: int = 0
    definition_count: int = 1
    """Definitions in the array of which the first one was read."""

    def report(self, rule: str, where: str, message: str, fix: str = "") -> None:
        self.problems.append(Violation(rule, where, message, fix))


def read_policies(source: str | bytes) -> list[Document]:
    """The policies in a text, at least one document."""
    document = Document()
    text = decode_text(source, document.report)
    if text is None:
        return [document]
    is_json, value = parse_json(text, "definition", document.report)
    return list(_read_value(value, "", document)) if is_json else [document]


def _read_value(value: Any, prefix: str, document: Document, depth: int = 0) -> Iterator[Document]:
    """The policies in a value of any shape. `prefix` is the path to it, `depth` counts the layers taken off."""
    where = f"{prefix}definition"
    if isinstance(value, str) and depth < 2:
        yield from _read_string(value, where, prefix, document, depth)
    elif isinstance(value, list):
        yield from _read_array(value, where, prefix, document, depth)
    elif isinstance(value, dict) and ROOT not in value and isinstance(value.get("value"), list) and depth == 0:
        for index, item in enumerate(value["value"][:MAX_NODES]):
            yield from _read_value(item, f"value[{index}] ", Document(document.problems if index == 0 else []), 1)
        if not value["value"]:
            document.report("root", "value", "the list holds no policy")
            yield document
    elif isinstance(value, dict) and ROOT not in value and _definition_key(value):
        _check_request(value, prefix, document)
        definition = value[_definition_key(value)]
        if isinstance(definition, list):
            yield from _read_array(definition, where, prefix, document, depth + 1)
        else:
            message = f"'definition' is {_kind_of(definition)}; Graph needs an array of one string"
            document.report("definition-array", where, message, 'write "definition": ["..."]')
            if isinstance(definition, (str, dict)):
                yield from _read_value(definition, prefix, document, depth + 1)
            else:
                yield document
    elif isinstance(value, dict):
        yield _read_policy(value, prefix, document)
    else:
        document.report("wrong-type", where, f"{quote(value, 40)} is not an object", _WRITE_ROOT)
        yield document


def _kind_of(value: Any) -> str:
    return "an object" if isinstance(value, dict) else quote(value, 40)


def _read_string(text: str, where: str, prefix: str, document: Document, depth: int) -> Iterator[Document]:
    if re.search(r"[\r\n]", text.strip()):
        document.report("line-break", where, "the definition string holds line breaks", "write the JSON in one line")
    is_json, value = parse_json(text, where, document.report)
    if not is_json:
        yield document
        return
    if isinstance(value, str):
        document.report("double-encoded", where, "the definition is a JSON string in a JSON string", "encode it once")
    elif isinstance(value, dict) and ROOT not in value and _definition_key(value):
        document.report("root", where, "the definition string holds a request body, not a definition", _WRITE_ROOT)
    yield from _read_value(value, prefix, document, depth + 1)


def _definition_key(body: dict[str, Any]) -> str:
    """`definition`, or what PowerShell makes of it; "" if this is no request body."""
    return next((key for key in body if key.strip().lower() == "definition"), "")


def _read_array(items: list[Any], where: str, prefix: str, document: Document, depth: int) -> Iterator[Document]:
    """The array of one string. Anything else in it is reported, and the first item is read all the same."""
    document.definition_count = len(items)
    if len(items) != 1:
        message = f"the array holds {len(items)} definitions; Graph needs one string"
        document.report("definition-array", where, message, "keep one string, and send a request for each policy")
    if not items:
        yield document
    elif isinstance(items[0], str):
        yield from _read_string(items[0], f"{where}[0]", prefix, document, max(depth, 1))
    elif isinstance(items[0], dict):
        message = "the array holds an object; Graph needs a string of JSON there (and no array around a bare policy)"
        document.report("definition-array", f"{where}[0]", message, "write the definition as one JSON string")
        yield from _read_value(items[0], prefix, document, depth + 1)
    else:
        document.report("wrong-type", where, f"an array with {quote(items[0], 40)} is not an object", _WRITE_ROOT)
        yield document


def _check_request(body: dict[str, Any], prefix: str, document: Document) -> None:
    is_answer = "id" in body or any(key.startswith("@odata") for key in body)
    if body.get("description") and not is_answer:
        message = "Graph answered 404 to a request with 'description'; without it the same request worked"
        document.report("description-sent", f"{prefix}description", message, "remove 'description'")
    if body.get("isOrganizationDefault") is True:
        message = "'isOrganizationDefault' has no effect on claims mapping policies"
        document.report("organization-default", f"{prefix}isOrganizationDefault", message, "write false")


def _read_policy(root: dict[str, Any], prefix: str, document: Document) -> Document:
    document.root = root
    body = root.get(ROOT)
    if ROOT not in root:
        similar = find_nearest(ROOT, tuple(root)[:50]) or next((key for key in root if key.strip() == ROOT), "")
        if similar:
            message = f"the key {quote(similar)} has to be '{ROOT}'"
            document.report("root", f"{prefix}{escape(similar)}", message, f"write '{ROOT}', in exactly this case")
            body = root[similar]
        elif {"version", "claimsschema", "includebasicclaimset"} & set(JsonNode("", root).keys):
            message = f"'{ROOT}' is missing around {quote(', '.join(list(root)[:4]))}"
            document.report("root", f"{prefix}definition", message, _WRITE_ROOT)
            body = root
            document.root = {}
        else:
            fix = f'write {{"{ROOT}": {{"Version": 1, ...}}}}'
            document.report("root", f"{prefix}definition", f"the object has no key '{ROOT}'", fix)
            return document
    if not isinstance(body, dict):
        document.report("wrong-type", f"{prefix}{ROOT}", f"{quote(body, 40)} is not an object")
        return document
    node = document.body = JsonNode(f"{prefix}{ROOT}", body)
    document.entries, document.entry_count = _read_nodes(node, "ClaimsSchema", prefix, document)
    for key in ("ClaimsTransformation", "ClaimsTransformations"):
        transformations, count = _read_nodes(node, key, prefix, document)
        document.transformations += transformations
        document.transformation_count += count
    return document


def _read_nodes(body: JsonNode, key: str, prefix: str, document: Document) -> tuple[list[JsonNode], int]:
    """The objects in an array of the policy, and how many items the array has."""
    items = body.get(key)
    if key.lower() not in body.keys:
        return [], 0
    if not isinstance(items, list):
        document.report("wrong-type", f"{prefix}{key}", f"'{key}' is {_kind_of(items)}, not an array", "write [ ... ]")
        return [], 0
    nodes: list[JsonNode] = []
    for index, item in enumerate(items[:MAX_NODES]):
        where = f"{prefix}{key}[{index}]"
        if not isinstance(item, dict):
            document.report("wrong-type", where, f"{quote(item, 40)} is not an object")
            continue
        name = next(filter(None, map(JsonNode(where, item).text, ("SamlClaimType", "JwtClaimType", "ID"))), "")
        nodes.append(JsonNode(f"{where} {quote(name)}" if name else where, item))
    return nodes, len(items)
