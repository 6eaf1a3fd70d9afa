"""Any text to policies that rules can look at, and what is wrong with it as text.

Accepted is what a person has at hand: the definition as an object or as a JSON string, the array Graph keeps it in,
a request body or an answer copied from Graph Explorer (one policy, or a list of them). Nothing raises: what does not
fit becomes a `Problem` with its path, and as much as possible is still read, so that one look tells all.

Keys are looked up without regard to case, as the service was seen to do (grade A: `Id`, `TransformationId`,
`JWTClaimType` stand in accepted policies); `Version` alone has to be exact, its rule looks at the raw key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from .json_text import ROOT, Problem, decoded, parsed
from .wording import escape, find_nearest, quote

LOOKED_AT = 100  # entries; Entra itself ignores those after the fiftieth


@dataclass(frozen=True)
class JsonNode:
    """One JSON object with its path; `get` and `text` take a key in any case."""

    where: str
    raw: Mapping[str, Any]

    @cached_property
    def keys(self) -> dict[str, str]:
        """Lower-case key to the key as written; the first spelling counts."""
        return {key.strip().lower(): key for key in reversed(list(self.raw))}

    def get(self, key: str) -> Any:
        return self.raw.get(self.keys.get(key.lower(), key))

    def text(self, key: str) -> str:
        """The text of a key without surrounding white space, "" when it is absent or no text."""
        value = self.get(key)
        return value.strip() if isinstance(value, str) else ""

    def has(self, key: str) -> bool:
        return self.get(key) is not None

    @property
    def label(self) -> str:
        """The entry in a sentence."""
        name = self.text("SamlClaimType") or self.text("JwtClaimType")
        if name:
            return f"claim {quote(name)}"
        return f"the entry {quote(self.text('ID'))}" if self.text("ID") else "the entry"


@dataclass
class Document:
    """One policy as read, and the problems of its text. Without a policy (`body` is None) only those are told."""

    problems: list[Problem] = field(default_factory=list)
    root: Mapping[str, Any] = field(default_factory=dict)
    body: JsonNode | None = None
    entries: list[JsonNode] = field(default_factory=list)
    transformations: list[JsonNode] = field(default_factory=list)
    entry_count: int = 0
    transformation_count: int = 0

    def tell(self, rule: str, where: str, message: str, fix: str = "") -> None:
        self.problems.append(Problem(rule, where, message, fix))


def read_policies(source: str | bytes) -> list[Document]:
    """The policies in a text, at least one document."""
    first = Document()
    text = decoded(source, first)
    if text is None:
        return [first]
    found, value = parsed(text, "definition", first)
    return list(_unwrapped(value, "", first)) if found else [first]


def _unwrapped(value: Any, prefix: str, told: Document, depth: int = 0) -> Iterator[Document]:
    """Finds the policies in what was pasted."""
    where = f"{prefix}definition"
    if isinstance(value, str) and depth < 2:
        yield from _from_string(value, where, prefix, told, depth)
    elif isinstance(value, list):
        yield from _from_list(value, where, prefix, told, depth)
    elif isinstance(value, dict) and ROOT not in value and isinstance(value.get("value"), list) and depth == 0:
        for index, item in enumerate(value["value"][:LOOKED_AT]):
            document = Document(told.problems if index == 0 else [])
            yield from _unwrapped(item, f"value[{index}] ", document, 1)
        if not value["value"]:
            told.tell("root", "value", "the list holds no policy")
            yield told
    elif isinstance(value, dict) and ROOT not in value and _definition_key(value):
        _body_keys(value, prefix, told)
        inner = value[_definition_key(value)]
        if isinstance(inner, list):
            yield from _from_list(inner, where, prefix, told, depth + 1)
        else:
            kind = "an object" if isinstance(inner, dict) else f"{quote(inner, 40)}"
            fix = 'write "definition": ["..."], an array of one string'
            told.tell("definition-array", where, f"definition is {kind} where Graph wants an array of one string", fix)
            yield from _unwrapped(inner, prefix, told, depth + 1) if isinstance(inner, (str, dict)) else (told,)
    elif isinstance(value, dict):
        yield _policy(value, prefix, told)
    else:
        fix = 'write {"ClaimsMappingPolicy": {...}}'
        told.tell("wrong-type", where, f"{quote(value, 40)} stands where an object belongs", fix)
        yield told


def _from_string(text: str, where: str, prefix: str, told: Document, depth: int) -> Iterator[Document]:
    if re.search(r"[\r\n]", text.strip()):
        told.tell("line-break", where, "the definition string holds line breaks", "write the JSON in one line")
    found, value = parsed(text, where, told)
    if not found:
        yield told
        return
    if isinstance(value, str) and depth:
        told.tell("double-encoded", where, "the definition is a JSON string inside a JSON string", "encode it once")
    elif isinstance(value, dict) and ROOT not in value and _definition_key(value):
        text = "the definition string holds a whole request body"
        told.tell("root", where, text, f'write {{"{ROOT}": {{...}}}} in it')
    yield from _unwrapped(value, prefix, told, depth + 1)


def _definition_key(body: dict[str, Any]) -> str:
    """`definition`, or what PowerShell makes of it; "" if this is no request body."""
    return next((key for key in body if key.strip().lower() == "definition"), "")


def _from_list(items: list[Any], where: str, prefix: str, told: Document, depth: int) -> Iterator[Document]:
    """The array of one string; anything else in it is told of and read all the same."""
    if len(items) != 1:
        fix = "keep one string; for several policies make several requests"
        told.tell("definition-array", where, f"the array holds {len(items)} definitions, Graph wants one string", fix)
    if not items:
        yield told
    elif isinstance(items[0], str):
        yield from _from_string(items[0], f"{where}[0]", prefix, told, max(depth, 1))
    elif isinstance(items[0], dict):
        text = "an object stands where Graph wants a string of JSON (or an array where an object belongs)"
        told.tell("definition-array", f"{where}[0]", text, "turn the definition into one JSON string")
        yield from _unwrapped(items[0], prefix, told, depth + 1)
    else:
        text = f"an array with {quote(items[0], 40)} stands where an object belongs"
        told.tell("wrong-type", where, text, 'write {"ClaimsMappingPolicy": {...}}')
        yield told


def _body_keys(body: dict[str, Any], prefix: str, told: Document) -> None:
    answer = "id" in body or any(key.startswith("@odata") for key in body)
    if body.get("description") and not answer:
        text = "a request with 'description' was answered 404, without it the same request worked"
        told.tell("description-sent", f"{prefix}description", text, "leave 'description' out")
    if body.get("isOrganizationDefault") is True:
        text = "isOrganizationDefault has no effect on claims mapping policies"
        told.tell("organization-default", f"{prefix}isOrganizationDefault", text, "write false")


def _policy(root: dict[str, Any], prefix: str, told: Document) -> Document:
    told.root = root
    body = root.get(ROOT)
    if ROOT not in root:
        keys = JsonNode("", root).keys
        close = find_nearest(ROOT, tuple(root)[:50]) or next((key for key in root if key.strip() == ROOT), "")
        if close:
            text = f"the key {quote(close)} stands where '{ROOT}' belongs"
            told.tell("root", f"{prefix}{escape(close)}", text, f"write '{ROOT}', in exactly this case")
            body = root[close]
        elif {"version", "claimsschema", "includebasicclaimset"} & set(keys):
            text = f"'{ROOT}' is missing around {quote(', '.join(list(root)[:4]))}"
            told.tell("root", f"{prefix}definition", text, f'write {{"{ROOT}": {{...}}}}')
            body = root
            told.root = {}
        else:
            text = f"there is no '{ROOT}' in it"
            told.tell("root", f"{prefix}definition", text, f'write {{"{ROOT}": {{"Version": 1, ...}}}}')
            return told
    if not isinstance(body, dict):
        told.tell("wrong-type", f"{prefix}{ROOT}", f"{quote(body, 40)} stands where an object belongs")
        return told
    told.body = JsonNode(f"{prefix}{ROOT}", body)
    told.entries, told.entry_count = _parts(told.body, "ClaimsSchema", prefix, told)
    for key in ("ClaimsTransformation", "ClaimsTransformations"):
        parts, count = _parts(told.body, key, prefix, told)
        told.transformations += parts
        told.transformation_count += count
    return told


def _parts(body: JsonNode, key: str, prefix: str, told: Document) -> tuple[list[JsonNode], int]:
    items = body.get(key)
    if key.lower() not in body.keys:
        return [], 0
    if not isinstance(items, list):
        kind = "an object" if isinstance(items, dict) else quote(items, 40)
        told.tell("wrong-type", f"{prefix}{key}", f"'{key}' is {kind} where an array belongs", "write [ ... ]")
        return [], 0
    parts: list[JsonNode] = []
    for index, item in enumerate(items[:LOOKED_AT]):
        where = f"{prefix}{key}[{index}]"
        if not isinstance(item, dict):
            told.tell("wrong-type", where, f"{quote(item, 40)} stands where an entry (an object) belongs")
            continue
        part = JsonNode(where, item)
        name = part.text("SamlClaimType") or part.text("JwtClaimType") or part.text("ID")
        parts.append(JsonNode(f"{where} {quote(name)}" if name else where, item))
    return parts, len(items)
