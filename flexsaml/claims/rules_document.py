"""Rules about the text and the frame of a definition: JSON, `Version`, keys, the options beside the claims.

Graph answers every mistake here with "Property definition has an invalid value." and names nothing (grade A).
Key spellings are those of the reference page of claims mapping policies; which other case is tolerated was seen
in accepted policies only, so another case is a warning, except for `Version`, which was refused (grade A).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .json_text import ROOT
from .reading import Document, JsonNode
from .rules import Check, Context, Told
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
_SEEN = {"Id", "TransformationId", "JWTClaimType", "SAMLClaimType", "SamlNameForm", "ClaimTypeReferenceID"}
_LISTS = {"claimsschema", "claimstransformation", "claimstransformations", "inputclaims", "inputparameters"}
_LISTS |= {"outputclaims"}
_FREE = {"value", "version", "includebasicclaimset", "issuerwithapplicationid", "treatasmultivalue", "groupfilter"}
MOST_CLAIMS = 50


def told(name: str) -> Check:
    """The check of a rule whose problems the reader finds."""

    def check(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
        return ((one.where, one.message, one.fix) for one in document.problems if one.rule == name)

    return check


def items(transformation: JsonNode, key: str) -> list[JsonNode]:
    """The objects in one of the lists of a transformation."""
    found = transformation.get(key)
    listed_ = found[:MOST_CLAIMS] if isinstance(found, list) else []
    return [
        JsonNode(f"{transformation.where} {key}[{index}]", item)
        for index, item in enumerate(listed_)
        if isinstance(item, dict)
    ]


def _parts(document: Document) -> Iterator[tuple[JsonNode, tuple[str, ...]]]:
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
            for item in items(transformation, key):
                yield item, allowed
    group_filter = document.body.get("GroupFilter")
    if isinstance(group_filter, dict):
        yield JsonNode("GroupFilter", group_filter), tuple(_GROUP_FILTER)


def _foreign(document: Document) -> Iterator[tuple[JsonNode, str, tuple[str, ...]]]:
    """Keys that no documentation knows, in whatever case."""
    for part, allowed in _parts(document):
        known = {key.lower() for key in allowed}
        yield from ((part, key, allowed) for key in list(part.raw)[:100] if key.strip().lower() not in known)


def version(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """`Version` is there, in exactly this case, and is the number 1."""
    body = document.body
    if body is None:
        return
    written = body.keys.get("version")
    if written is None:
        near = next((key for key in list(body.raw)[:100] if find_nearest(key, ("Version",), 0.75)), "")
        text = f"'Version' is missing{f' ({quote(near)} is no such key)' if near else ''}"
        yield f"{body.where}.Version", text, 'write "Version": 1'
    elif "Version" not in body.raw:
        text = f"the key {quote(written)} is refused: the service reads 'Version' in exactly this case"
        yield f"{body.where}.{escape(written)}", text, 'write "Version": 1'
    elif isinstance(body.raw["Version"], bool) or body.raw["Version"] != 1:
        text = f"'Version' is {quote(body.raw['Version'])}, the only version is the number 1"
        yield f"{body.where}.Version", text, 'write "Version": 1'


def basic_claim_set_value(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """`IncludeBasicClaimSet` is "true" or "false" (a JSON boolean is documented too)."""
    value = document.body.get("IncludeBasicClaimSet") if document.body else None
    if value is None or isinstance(value, bool) or str(value).strip().lower() in ("true", "false"):
        return
    text = f"'IncludeBasicClaimSet' is {quote(value)}, neither true nor false"
    yield f"{ROOT}.IncludeBasicClaimSet", text, 'write "true" or "false"'


def basic_claim_set_missing(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """`IncludeBasicClaimSet` is written down."""
    if document.body and "includebasicclaimset" not in document.body.keys:
        text = "'IncludeBasicClaimSet' is missing; every published policy has it"
        yield f"{ROOT}.IncludeBasicClaimSet", text, 'write "true" or "false"'


def key_misspelt(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """No key looks like a slip of a known one."""
    for part, key, allowed in _foreign(document):
        meant = find_nearest(key.strip(), allowed, 0.8)
        if meant and not (meant == "Version" and "version" not in part.keys):
            yield part.where, f"the key {quote(key)} is unknown and looks like '{meant}'", f"write '{meant}'"


def key_unknown(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """No key that no documentation knows."""
    for part, key, allowed in _foreign(document):
        if find_nearest(key.strip(), allowed, 0.8):
            continue
        meant = find_nearest(key.strip(), allowed, 0.6)
        fix = f"did you mean '{meant}'?" if meant else f"leave it out; known are {join_names(allowed)}"
        yield part.where, f"the key {quote(key)} is unknown", fix


def key_case(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """Keys have the documented case, or one seen in accepted policies."""
    for part, allowed in _parts(document):
        for key in list(part.raw)[:100]:
            bare = key.strip()
            meant = next((one for one in allowed if one.lower() == bare.lower()), bare)
            if meant not in (bare, "Version") and bare not in _SEEN:
                text = f"the key {quote(bare)} is documented as '{meant}', and keys are known to depend on case"
                yield part.where, text, f"write '{meant}'"


def white_space(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """No spaces around keys, names and references; around a constant they may be meant."""
    for part, _allowed in _parts(document):
        for key, value in list(part.raw.items())[:100]:
            if key != key.strip():
                yield part.where, f"the key {quote(key)} has spaces around it", f"write {quote(key.strip())}"
            if isinstance(value, str) and value != value.strip() and key.strip().lower() != "value":
                text = f"{quote(key.strip())} has spaces around its value {quote(value)}; such a claim breaks"
                yield part.where, text, f"write {quote(value.strip())}"


def wrong_type(document: Document, context: Context) -> Iterator[Told]:
    """Text where text belongs, arrays and objects where they belong."""
    yield from told("wrong-type")(document, context)
    for part, allowed in _parts(document):
        if part.where == "definition":
            continue
        known = {key.lower() for key in allowed}
        for key, value in list(part.raw.items())[:100]:
            name = key.strip().lower()
            if name in known and not _fits(part, name, value):
                wanted = "an array" if name in _LISTS else "text"
                fix = "write [ ... ]" if name in _LISTS else "write it in double quotes"
                yield part.where, f"{quote(key)} is {quote(value, 40)} where {wanted} belongs", fix


def _fits(part: JsonNode, name: str, value: Any) -> bool:
    if name in _LISTS:
        top = part.where.endswith(ROOT)  # the reader has told of the top ones
        return top or (isinstance(value, list) and all(isinstance(item, dict) for item in value))
    if name == "value":
        return isinstance(value, str)
    return name in _FREE or isinstance(value, str)


def empty_schema(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """`ClaimsSchema` is not an empty list."""
    if document.body and document.body.get("ClaimsSchema") == []:
        text = "'ClaimsSchema' is empty: the policy adds no claim and still supersedes the portal's"
        yield "ClaimsSchema", text, "add claims, or leave the key out"


def too_many_claims(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """At most 50 entries."""
    if document.entry_count > MOST_CLAIMS:
        text = f"{document.entry_count} entries: those after the {MOST_CLAIMS}th are ignored when tokens are issued"
        yield f"ClaimsSchema[{MOST_CLAIMS}]", text, f"keep {MOST_CLAIMS}"


def group_filter(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """`GroupFilter` has MatchOn, Type and Value as documented."""
    found = document.body.get("GroupFilter") if document.body else None
    if found is None:
        return
    if not isinstance(found, dict):
        yield "GroupFilter", f"'GroupFilter' is {quote(found, 40)} where an object belongs", "write { ... }"
        return
    part = JsonNode("GroupFilter", found)
    for key, allowed in _GROUP_FILTER.items():
        if not part.has(key):
            yield "GroupFilter", f"'{key}' is missing", f"write it: {join_names(allowed) or 'text'}"
        elif allowed and part.text(key).lower() not in allowed:
            yield "GroupFilter", f"'{key}' is {quote(part.get(key))}", f"write one of {join_names(allowed)}"


def needs_signing_key(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """`issuerWithApplicationId` and `audienceOverride` work with a custom signing key only."""
    for key in ("issuerWithApplicationId", "audienceOverride"):
        value = document.body.get(key) if document.body else None
        if value in (None, False, ""):
            continue
        fix = "give the service principal a signing key of its own"
        if key == "audienceOverride" and ":" not in str(value):
            fix = "write an absolute URI, and " + fix
        text = f"'{key}' {quote(value)} takes effect only with a custom signing key"
        yield f"{ROOT}.{key}", text, fix
