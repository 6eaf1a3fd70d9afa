"""Rules about the text and the frame of a definition: JSON, `Version`, keys, the options beside the claims.

Graph answers every mistake here with "Property definition has an invalid value." and names nothing (grade A).
Key spellings are those of the reference page of claims mapping policies. Other spellings are known from accepted
policies only, hence warnings; `version` instead of `Version` was refused (grade A).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .json_text import ROOT
from .reading import Document, JsonNode
from .rules import Violations
from .wording import escape, find_nearest, join_names, quote

POLICY_KEYS = (
    "Version", "IncludeBasicClaimSet", "ClaimsSchema", "ClaimsTransformation", "ClaimsTransformations",
    "GroupFilter", "issuerWithApplicationId", "audienceOverride",
)  # fmt: skip
ENTRY_KEYS = (
    "Source", "ID", "ExtensionID", "Value", "TransformationID", "SamlClaimType", "JwtClaimType", "SAMLNameForm",
    "SamlNameIdFormat",
)  # fmt: skip
TRANSFORMATION_KEYS = ("ID", "TransformationMethod", "InputClaims", "InputParameters", "OutputClaims")
ITEM_KEYS = {
    "InputClaims": ("ClaimTypeReferenceId", "TransformationClaimType", "TreatAsMultiValue"),
    "InputParameters": ("ID", "Value", "DataType"),
    "OutputClaims": ("ClaimTypeReferenceId", "TransformationClaimType"),
}
_GROUP_FILTER = {"MatchOn": ("displayname", "samaccountname"), "Type": ("prefix", "suffix", "contains"), "Value": ()}
_ACCEPTED_SPELLINGS = {
    "Id", "TransformationId", "JWTClaimType", "SAMLClaimType", "SamlNameForm", "ClaimTypeReferenceID",
}  # fmt: skip
_ARRAY_KEYS = {
    "claimsschema", "claimstransformation", "claimstransformations", "inputclaims", "inputparameters", "outputclaims",
}  # fmt: skip
_KEYS_OF_ANY_TYPE = {
    "version", "includebasicclaimset", "issuerwithapplicationid", "treatasmultivalue", "groupfilter",
}  # fmt: skip
MAX_CLAIMS = 50
MAX_KEYS = 100
"""Keys of one object that are inspected."""


def list_items(transformation: JsonNode, key: str) -> list[JsonNode]:
    """The objects in one of the lists of a transformation."""
    items = transformation.get(key)
    return [
        JsonNode(f"{transformation.where} {key}[{index}]", item)
        for index, item in enumerate(items[:MAX_CLAIMS] if isinstance(items, list) else [])
        if isinstance(item, dict)
    ]


def _nodes(document: Document) -> Iterator[tuple[JsonNode, tuple[str, ...]]]:
    """Every object of the policy with the keys it may have."""
    if document.body is None:
        return
    if document.root:
        yield JsonNode("definition", document.root), (ROOT,)
    yield document.body, POLICY_KEYS
    for entry in document.entries:
        yield entry, ENTRY_KEYS
    for transformation in document.transformations:
        yield transformation, TRANSFORMATION_KEYS
        for key, allowed in ITEM_KEYS.items():
            for item in list_items(transformation, key):
                yield item, allowed
    group_filter = document.body.get("GroupFilter")
    if isinstance(group_filter, dict):
        yield JsonNode("GroupFilter", group_filter), tuple(_GROUP_FILTER)


def _unknown_keys(document: Document) -> Iterator[tuple[JsonNode, str, tuple[str, ...]]]:
    """Object, key and allowed keys for each key that is undocumented in any case."""
    for node, allowed in _nodes(document):
        known = {key.lower() for key in allowed}
        for key in list(node.raw)[:MAX_KEYS]:
            if key.strip().lower() not in known:
                yield node, key, allowed


def version(document: Document) -> Violations:
    """`Version` is there, in exactly this case, and is the number 1."""
    body = document.body
    if body is None:
        return
    key, fix = body.keys.get("version"), 'write "Version": 1'
    if key is None:
        similar = next((key for key in list(body.raw)[:MAX_KEYS] if find_nearest(key, ("Version",), 0.75)), "")
        hint = f" ({quote(similar)} is not this key)" if similar else ""
        yield f"{body.where}.Version", f"'Version' is missing{hint}", fix
    elif "Version" not in body.raw:
        message = f"the service refuses the key {quote(key)}: it needs 'Version', in exactly this case"
        yield f"{body.where}.{escape(key)}", message, fix
    elif isinstance(body.raw["Version"], bool) or body.raw["Version"] != 1:
        message = f"'Version' is {quote(body.raw['Version'])}; the only version is the number 1"
        yield f"{body.where}.Version", message, fix


def basic_claim_set_value(document: Document) -> Violations:
    """`IncludeBasicClaimSet` is "true" or "false" (a JSON boolean is documented too)."""
    value = document.body.get("IncludeBasicClaimSet") if document.body else None
    if value is not None and not isinstance(value, bool) and str(value).strip().lower() not in ("true", "false"):
        message = f"'IncludeBasicClaimSet' is {quote(value)}, neither true nor false"
        yield f"{ROOT}.IncludeBasicClaimSet", message, 'write "true" or "false"'


def basic_claim_set_missing(document: Document) -> Violations:
    """`IncludeBasicClaimSet` is present."""
    if document.body and "includebasicclaimset" not in document.body.keys:
        message = "'IncludeBasicClaimSet' is missing; every published policy has it"
        yield f"{ROOT}.IncludeBasicClaimSet", message, 'write "true" or "false"'


def key_misspelt(document: Document) -> Violations:
    """No key looks like a misspelling of a documented key."""
    for node, key, allowed in _unknown_keys(document):
        similar = find_nearest(key.strip(), allowed, 0.8)
        if similar and not (similar == "Version" and "version" not in node.keys):
            yield node.where, f"the key {quote(key)} is unknown and looks like '{similar}'", f"write '{similar}'"


def key_unknown(document: Document) -> Violations:
    """Every key is documented."""
    for node, key, allowed in _unknown_keys(document):
        if find_nearest(key.strip(), allowed, 0.8):
            continue
        similar = find_nearest(key.strip(), allowed, 0.6)
        fix = f"did you mean '{similar}'?" if similar else f"remove it; the documented keys are {join_names(allowed)}"
        yield node.where, f"the key {quote(key)} is not documented", fix


def key_case(document: Document) -> Violations:
    """Keys have the documented case, or one that stands in accepted policies."""
    for node, allowed in _nodes(document):
        documented = {key.lower(): key for key in allowed if key != "Version"}
        for key in (key.strip() for key in list(node.raw)[:MAX_KEYS]):
            expected = documented.get(key.lower(), key)
            if key != expected and key not in _ACCEPTED_SPELLINGS:
                message = f"the key {quote(key)} is documented as '{expected}', and the service may need that case"
                yield node.where, message, f"write '{expected}'"


def white_space(document: Document) -> Violations:
    """Keys, names and references have no spaces around them (a constant may)."""
    for node, _allowed in _nodes(document):
        for key, value in list(node.raw.items())[:MAX_KEYS]:
            bare = key.strip()
            if key != bare:
                yield node.where, f"the key {quote(key)} has spaces around it", f"write {quote(bare)}"
            if isinstance(value, str) and value != value.strip() and bare.lower() != "value":
                message = f"the value {quote(value)} of {quote(bare)} has spaces around it, and the claim will not work"
                yield node.where, message, f"write {quote(value.strip())}"


def wrong_type(document: Document) -> Violations:
    """Every value has the type its key needs: text, array or object."""
    yield from document.problems_of("wrong-type")
    for node, allowed in _nodes(document):
        known = {key.lower() for key in allowed if key != ROOT}
        for key, value in list(node.raw.items())[:MAX_KEYS]:
            name = key.strip().lower()
            if name in known and not _has_right_type(node, name, value):
                is_array = name in _ARRAY_KEYS
                message = f"{quote(key)} is {quote(value, 40)}, not {'an array of objects' if is_array else 'text'}"
                yield node.where, message, "write [ ... ]" if is_array else "write it in double quotes"


def _has_right_type(node: JsonNode, name: str, value: Any) -> bool:
    if name in _ARRAY_KEYS:
        is_top_level = node.where.endswith(ROOT)  # the reader has reported those
        return is_top_level or (isinstance(value, list) and all(isinstance(item, dict) for item in value))
    return name in _KEYS_OF_ANY_TYPE or isinstance(value, str)


def empty_schema(document: Document) -> Violations:
    """`ClaimsSchema` is not an empty list."""
    if document.body and document.body.get("ClaimsSchema") == []:
        message = "'ClaimsSchema' is empty: the policy adds no claim and still replaces the claims set in the portal"
        yield "ClaimsSchema", message, "add claims, or remove the key"


def too_many_claims(document: Document) -> Violations:
    """`ClaimsSchema` has at most 50 entries."""
    if document.entry_count > MAX_CLAIMS:
        message = f"there are {document.entry_count} entries; Entra ignores those after the {MAX_CLAIMS}th"
        yield f"ClaimsSchema[{MAX_CLAIMS}]", message, f"keep {MAX_CLAIMS}"


def group_filter(document: Document) -> Violations:
    """`GroupFilter` has MatchOn, Type and Value as documented."""
    value = document.body.get("GroupFilter") if document.body else None
    if value is None:
        return
    if not isinstance(value, dict):
        yield "GroupFilter", f"'GroupFilter' is {quote(value, 40)}, not an object", "write { ... }"
        return
    node = JsonNode("GroupFilter", value)
    for key, allowed in _GROUP_FILTER.items():
        if not node.has(key):
            yield node.where, f"'{key}' is missing", f"write one of {join_names(allowed)}" if allowed else "write text"
        elif allowed and node.text(key).lower() not in allowed:
            yield node.where, f"'{key}' is {quote(node.get(key))}", f"write one of {join_names(allowed)}"


def needs_signing_key(document: Document) -> Violations:
    """`issuerWithApplicationId` and `audienceOverride` are used only with a custom signing key."""
    for key in ("issuerWithApplicationId", "audienceOverride"):
        value = document.body.get(key) if document.body else None
        if value in (None, False, ""):
            continue
        fix = "give the service principal a signing key of its own"
        if key == "audienceOverride" and ":" not in str(value):
            fix = "write an absolute URI, and " + fix
        yield f"{ROOT}.{key}", f"'{key}' {quote(value)} takes effect only with a custom signing key", fix
