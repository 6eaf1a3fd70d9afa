"""Rules about the frame of a definition: `Version`, keys, the options beside the claims. Graph answers every mistake
here with "Property definition has an invalid value." and names nothing (grade A). Key spellings are those of the
reference page of claims mapping policies. Other spellings are known from accepted policies only, hence warnings;
`version` instead of `Version` was refused (grade A)."""

from collections.abc import Iterator, Sequence
from typing import Any

from .json_text import ROOT
from .reading import Document, JsonNode
from .rules import Context, Violation, Violations, load_table
from .wording import escape, find_nearest, join_names, quote, suggest

MAX_CLAIMS = 50
MAX_KEYS = 100
"""Keys of one object that are inspected."""


def check(document: Document, _context: Context) -> Violations:
    if document.body is None:
        return
    yield from _check_version(document.body)
    yield from _check_options(document.body)
    if document.entry_count > MAX_CLAIMS:
        message = f"there are {document.entry_count} entries; Entra reads {MAX_CLAIMS} of them, probably the first"
        yield Violation("too-many-claims", f"ClaimsSchema[{MAX_CLAIMS}]", message, f"keep {MAX_CLAIMS}")
    for node, allowed in _nodes(document, document.body):
        for key, value in list(node.raw.items())[:MAX_KEYS]:
            yield from _check_key(node, key, allowed)
            yield from _check_value(node, key, value, allowed)


def list_references(document: Document) -> list[JsonNode]:
    """The inputs and outputs of all transformations, which refer to entries by ClaimTypeReferenceId."""
    keys = ("InputClaims", "OutputClaims")
    return [item for node in document.transformations for key in keys for item in node.list_items(key)]


def _nodes(document: Document, body: JsonNode) -> Iterator[tuple[JsonNode, Sequence[str]]]:
    """Every object of the policy with the keys it may have."""
    keys = load_table("keys")
    if document.root:
        yield JsonNode("definition", document.root), (ROOT,)
    yield body, keys["policy"]
    for entry in document.entries:
        yield entry, keys["entry"]
    for transformation in document.transformations:
        yield transformation, keys["transformation"]
        for key, allowed in keys["items"].items():
            for item in transformation.list_items(key):
                yield item, allowed
    group_filter = body.get("GroupFilter")
    if isinstance(group_filter, dict):
        yield JsonNode("GroupFilter", group_filter), tuple(keys["group_filter"])


def _check_key(node: JsonNode, key: str, allowed: Sequence[str]) -> Violations:
    """Keys are documented; their case is the documented one, or one that stands in accepted policies."""
    bare = key.strip()
    if key != bare:
        yield Violation("white-space", node.where, f"the key {quote(key)} has spaces around it", f"write {quote(bare)}")
    expected = next((name for name in allowed if name.lower() == bare.lower()), "")
    if expected:
        if bare not in (expected, *load_table("keys")["accepted_spellings"]) and expected != "Version":
            message = f"the key {quote(bare)} is documented as '{expected}', and the service may need that case"
            yield Violation("key-case", node.where, message, f"write '{expected}'")
        return
    similar = find_nearest(bare, tuple(allowed), 0.8)
    if not similar:
        fix = suggest(bare, allowed, f"remove it; the documented keys are {join_names(allowed)}")
        yield Violation("key-unknown", node.where, f"the key {quote(key)} is not documented", fix)
    elif similar != "Version" or "version" in node.keys:  # the rule about Version names the similar key itself
        message = f"the key {quote(key)} is unknown and looks like '{similar}'"
        yield Violation("key-misspelt", node.where, message, f"write '{similar}'")


def _check_value(node: JsonNode, key: str, value: Any, allowed: Sequence[str]) -> Violations:
    """Values have the type their key needs: text, array or object; only a constant may have spaces around it."""
    keys, bare = load_table("keys"), key.strip()
    name, is_array = bare.lower(), bare.lower() in keys["arrays"]
    if isinstance(value, str) and value != value.strip() and name != "value":
        message = f"the value {quote(value)} of {quote(bare)} has spaces around it, which was reported to break claims"
        yield Violation("white-space", node.where, message, f"write {quote(value.strip())}")
    if is_array:
        is_right = isinstance(value, list) and all(isinstance(item, dict) for item in value)
        is_right = is_right or node.where.endswith(ROOT)  # the reader has reported those
    else:
        is_right = isinstance(value, str) or name in (ROOT.lower(), *keys["any_type"])
    if not is_right and name in {known.lower() for known in allowed}:
        message = f"{quote(key)} is {quote(value, 40)}, not {'an array of objects' if is_array else 'text'}"
        yield Violation("wrong-type", node.where, message, "write [ ... ]" if is_array else "write it in double quotes")


def _check_version(body: JsonNode) -> Violations:
    """`Version` is there, in exactly this case, and is the number 1."""
    key, fix = body.keys.get("version"), 'write "Version": 1'
    if key is None:
        similar = next((key for key in list(body.raw)[:MAX_KEYS] if find_nearest(key, ("Version",), 0.75)), "")
        hint = f" ({quote(similar)} is not this key)" if similar else ""
        yield Violation("version", f"{body.where}.Version", f"'Version' is missing{hint}", fix)
    elif "Version" not in body.raw:
        message = f"the service refuses the key {quote(key)}: it needs 'Version', in exactly this case"
        yield Violation("version", f"{body.where}.{escape(key)}", message, fix)
    elif isinstance(body.raw["Version"], bool) or body.raw["Version"] != 1:
        message = f"'Version' is {quote(body.raw['Version'])}; the only version is the number 1"
        yield Violation("version", f"{body.where}.Version", message, fix)


def _check_options(body: JsonNode) -> Violations:
    basic, where, fix = body.get("IncludeBasicClaimSet"), f"{ROOT}.IncludeBasicClaimSet", 'write "true" or "false"'
    if "includebasicclaimset" not in body.keys:
        message = "'IncludeBasicClaimSet' is missing; all published policies that were found have it"
        yield Violation("basic-claim-set-missing", where, message, fix)
    elif basic is not None and not isinstance(basic, bool) and str(basic).strip().lower() not in ("true", "false"):
        message = f"'IncludeBasicClaimSet' is {quote(basic)}, neither true nor false"
        yield Violation("basic-claim-set-value", where, message, fix)
    if body.get("ClaimsSchema") == [] and not body.has("GroupFilter"):
        message = "'ClaimsSchema' is empty: the policy adds no claim and still replaces the claims set in the portal"
        yield Violation("empty-schema", "ClaimsSchema", message, "add claims, or remove the key")
    for key in ("issuerWithApplicationId", "audienceOverride"):
        value, fix = body.get(key), "give the service principal a signing key of its own"
        if key == "audienceOverride" and ":" not in str(value):
            fix = "write an absolute URI, and " + fix
        if value not in (None, False, ""):
            message = f"'{key}' {quote(value)} takes effect only with a custom signing key"
            yield Violation("needs-signing-key", f"{ROOT}.{key}", message, fix)
    group_filter = body.get("GroupFilter")
    if isinstance(group_filter, dict):
        yield from _check_group_filter(JsonNode("GroupFilter", group_filter))
    elif group_filter is not None:
        message = f"'GroupFilter' is {quote(group_filter, 40)}, not an object"
        yield Violation("group-filter", "GroupFilter", message, "write { ... }")


def _check_group_filter(node: JsonNode) -> Violations:
    """`GroupFilter` has MatchOn, Type and Value as documented."""
    for key, allowed in load_table("keys")["group_filter"].items():
        if not node.has(key):
            fix = f"write one of {join_names(allowed)}" if allowed else "write text"
            yield Violation("group-filter", node.where, f"'{key}' is missing", fix)
        elif allowed and node.text(key).lower() not in allowed:
            message = f"'{key}' is {quote(node.get(key))}"
            yield Violation("group-filter", node.where, message, f"write one of {join_names(allowed)}")
