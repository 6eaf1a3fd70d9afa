"""Rules about what a claim is called: restricted types, NameID, name forms, repeated names.

Graph accepts restricted types (grade A: `.../upn` and `.../role` stand in accepted policies); what the token
service then does is not documented (grade D), hence warnings. For NameID only a short list of sources is documented.
"""

from __future__ import annotations

from collections.abc import Iterator

from .model import NAME_FORMS, NAME_ID
from .reading import Document, JsonNode
from .rules import NodeViolations, Violations, load_table
from .rules_document import list_items
from .rules_sources import source_of
from .wording import find_nearest, join_names, quote

_NAME_FORM = "urn:oasis:names:tc:SAML:2.0:attrname-format:"
_NAME_ID_FORMATS = tuple(
    f"urn:oasis:names:tc:SAML:{format_}"
    for format_ in (
        "1.1:nameid-format:unspecified", "1.1:nameid-format:emailAddress",
        "1.1:nameid-format:WindowsDomainQualifiedName", "2.0:nameid-format:persistent",
        "2.0:nameid-format:transient",
    )
)  # fmt: skip
_OTHER_NAME = "send it under another name"


def is_name_id(entry: JsonNode) -> bool:
    return entry.text("SamlClaimType").lower() == NAME_ID


def feeds_nothing(document: Document) -> Violations:
    """An entry without claim type is the input or output of a transformation."""
    references = {
        item.text("ClaimTypeReferenceId").lower()
        for transformation in document.transformations
        for key in ("InputClaims", "OutputClaims")
        for item in list_items(transformation, key)
    }
    for entry in document.entries:
        name = entry.text("ID") or entry.text("ExtensionID")
        if not entry.text("SamlClaimType") and not entry.text("JwtClaimType") and name.lower() not in references:
            message = f"{entry.label} has neither SamlClaimType nor JwtClaimType, and no transformation uses it"
            yield entry.where, message, "write the SamlClaimType under which it is sent"


def restricted_saml_claim(entry: JsonNode) -> NodeViolations:
    """SamlClaimType is not a restricted one."""
    if entry.text("SamlClaimType").lower() in load_table("restricted_claims")["saml"]:
        message = f"{entry.label} is a restricted claim type: Entra issues or withholds it, whatever a policy says"
        yield message, _OTHER_NAME


def restricted_saml_claim_signing_key(entry: JsonNode) -> NodeViolations:
    """SamlClaimType is not one that is restricted without a custom signing key."""
    if entry.text("SamlClaimType").lower() in load_table("restricted_claims")["saml_released_by_signing_key"]:
        message = f"{entry.label} is restricted unless the service principal has a custom signing key"
        yield message, f"{_OTHER_NAME}, or make sure that the key exists"


def restricted_jwt_claim(entry: JsonNode) -> NodeViolations:
    """JwtClaimType is not a restricted one (`email`, `roles`, …, `xms_`)."""
    table, name = load_table("restricted_claims"), entry.text("JwtClaimType")
    if name in table["jwt"] or name.startswith(tuple(table["jwt_prefixes"])):
        fix = "remove JwtClaimType; SAML uses SamlClaimType" if entry.text("SamlClaimType") else _OTHER_NAME
        yield f"JwtClaimType {quote(name)} of {entry.label} is restricted", fix


def nameid_source(entry: JsonNode) -> NodeViolations:
    """NameID comes from one of the documented attributes."""
    table, source, id_ = load_table("attributes"), source_of(entry), entry.text("ID")
    if not is_name_id(entry) or source == "transformation" or (source == "user" and id_.lower() in table["nameid"]):
        return
    if source == "user" and id_.lower() in table["nameid_observed"]:
        message = f"NameID from {quote(id_)} is not documented, but a policy with it was accepted"
    elif entry.text("ExtensionID"):
        message = f"NameID from the extension {quote(entry.text('ExtensionID'))} is not documented"
    elif entry.has("Value"):
        message = "NameID is the same constant for everyone"
    else:
        message = f"NameID from {quote(f'{source}.{id_}')} is not documented"
    yield message, f"use one of {join_names(table['nameid'][:5])}, extensionattribute1 to 15"


def nameid_transformation(document: Document) -> Violations:
    """A NameID from a transformation comes from ExtractMailPrefix, or from Join with a verified domain."""
    methods = {node.text("ID").lower(): node.text("TransformationMethod") for node in document.transformations}
    allowed = load_table("transformations")["nameid"]
    for entry in document.entries:
        method = methods.get(entry.text("TransformationID").lower(), "")
        if not method or not is_name_id(entry) or source_of(entry) != "transformation":
            continue
        if method.lower() == "join":
            message = "NameID comes from Join, whose suffix has to be a verified domain of the tenant"
            yield entry.where, message, "check that it is"
        elif method.lower() not in {name.lower() for name in allowed}:
            message = f"NameID comes from the transformation {quote(method)}; only {join_names(allowed)} are documented"
            yield entry.where, message, f"use {' or '.join(allowed)}, or an attribute"


def nameid_format(entry: JsonNode) -> NodeViolations:
    """`SamlNameIdFormat`, which is undocumented, holds a NameID format and belongs to the NameID."""
    format_ = entry.text("SamlNameIdFormat")
    if not entry.has("SamlNameIdFormat"):
        return
    if not is_name_id(entry):
        yield f"'SamlNameIdFormat' is set on {entry.label}, which is not the NameID", "remove it"
    elif format_ not in _NAME_ID_FORMATS:
        similar = find_nearest(format_, _NAME_ID_FORMATS, 0.6) or _NAME_ID_FORMATS[0]
        yield f"'SamlNameIdFormat' {quote(format_)} is not a NameID format of SAML", f"write '{similar}'"
    else:
        message = "'SamlNameIdFormat' is not documented, but a policy with it was accepted"
        yield f"{message}; a format in the sign-in request overrides it", ""


def name_form(entry: JsonNode) -> NodeViolations:
    """`SAMLNameForm` is one of the three documented URNs."""
    urn = entry.text("SAMLNameForm")
    if entry.has("SAMLNameForm") and urn not in {_NAME_FORM + form for form in NAME_FORMS}:
        form = find_nearest(urn.rsplit(":", 1)[-1], NAME_FORMS, 0.6) or "basic"
        message = f"'SAMLNameForm' {quote(urn)} of {entry.label} is not the URN of {' or '.join(NAME_FORMS)}"
        yield message, f"write '{_NAME_FORM}{form}'"


def _repeated_names(document: Document) -> Iterator[tuple[JsonNode, str, str, JsonNode, str]]:
    """Entry, key and name of each claim type that an earlier entry has in any case; that entry, and its name."""
    for key in ("SamlClaimType", "JwtClaimType"):
        first: dict[str, JsonNode] = {}
        for entry in document.entries:
            name = entry.text(key)
            earlier = first.setdefault(name.lower(), entry)
            if name and earlier is not entry:
                yield entry, key, name, earlier, earlier.text(key)


def duplicate_claim(document: Document) -> Violations:
    """No two entries send the same claim."""
    for entry, key, name, earlier, earlier_name in _repeated_names(document):
        if earlier_name == name:
            message = f"{earlier.where.split(' ')[0]} has the same {key} {quote(name)}"
            yield entry.where, message, "keep one of them"


def duplicate_claim_case(document: Document) -> Violations:
    """No two entries send claims whose names differ only in case."""
    for entry, key, name, _earlier, earlier_name in _repeated_names(document):
        if earlier_name != name:
            message = f"{key} {quote(name)} differs only in case from {quote(earlier_name)}"
            yield entry.where, message, "keep one of them, or choose another name"
