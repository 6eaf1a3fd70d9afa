"""Rules about what a claim is called: restricted types, NameID, name forms, names that stand twice.

The API accepts restricted types (grade A: `.../upn` and `.../role` stand in accepted policies); what the token
service then does was not found (grade D), hence warnings. For NameID only a short list of sources is documented.
"""

from __future__ import annotations

from collections.abc import Iterator

from .model import NAME_FORMS, NAME_ID
from .reading import Document, JsonNode
from .rules import Context, Told, load_table
from .rules_document import items
from .rules_sources import source_of
from .wording import find_nearest, join_names, quote

_FORM = "urn:oasis:names:tc:SAML:2.0:attrname-format:"
_NAME_ID_FORMATS = tuple(
    f"urn:oasis:names:tc:SAML:{rest}"
    for rest in (
        "1.1:nameid-format:unspecified", "1.1:nameid-format:emailAddress",
        "1.1:nameid-format:WindowsDomainQualifiedName", "2.0:nameid-format:persistent",
        "2.0:nameid-format:transient",
    )
)  # fmt: skip


def is_name_id(entry: JsonNode) -> bool:
    return entry.text("SamlClaimType").lower() == NAME_ID


def feeds_nothing(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """An entry without claim type feeds a transformation."""
    used = {
        item.text("ClaimTypeReferenceId").lower()
        for transformation in document.transformations
        for key in ("InputClaims", "OutputClaims")
        for item in items(transformation, key)
    }
    for entry in document.entries:
        if entry.text("SamlClaimType") or entry.text("JwtClaimType"):
            continue
        name = entry.text("ID") or entry.text("ExtensionID")
        if name.lower() not in used:
            text = f"{entry.label} has neither SamlClaimType nor JwtClaimType and feeds no transformation"
            yield entry.where, text, "write the SamlClaimType it is sent as"


def restricted_saml_claim(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """SamlClaimType is none of the restricted ones."""
    restricted = set(load_table("restricted_claims")["saml"])
    for entry in document.entries:
        if entry.text("SamlClaimType").lower() in restricted:
            text = f"{entry.label} is a restricted claim type: Entra sets or withholds it, whatever a policy says"
            yield entry.where, text, "send it under another name"


def restricted_saml_claim_signing_key(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """SamlClaimType is none of those that only a custom signing key releases."""
    released = set(load_table("restricted_claims")["saml_released_by_signing_key"])
    for entry in document.entries:
        if entry.text("SamlClaimType").lower() in released:
            text = f"{entry.label} is restricted unless the service principal has a custom signing key"
            yield entry.where, text, "send it under another name, or make sure of the key"


def restricted_jwt_claim(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """JwtClaimType is none of the restricted ones (`email`, `roles`, …, `xms_`)."""
    restricted, prefixes = (
        set(load_table("restricted_claims")["jwt"]),
        tuple(load_table("restricted_claims")["jwt_prefixes"]),
    )
    for entry in document.entries:
        name = entry.text("JwtClaimType")
        if name in restricted or name.startswith(prefixes):
            text = f"JwtClaimType {quote(name)} of {entry.label} is restricted"
            saml = entry.text("SamlClaimType")
            yield entry.where, text, "leave JwtClaimType out; SAML has SamlClaimType" if saml else "use another name"


def nameid_source(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """NameID comes from one of the documented attributes."""
    allowed = load_table("attributes")["nameid"]
    for entry in document.entries:
        if not is_name_id(entry) or source_of(entry) == "transformation":
            continue
        source, id_ = source_of(entry), entry.text("ID")
        if source == "user" and id_.lower() in allowed:
            continue
        if source == "user" and id_.lower() in load_table("attributes")["nameid_observed"]:
            text = f"NameID from {quote(id_)} is not documented, a policy with it was accepted"
        elif entry.text("ExtensionID"):
            text = f"NameID from the extension {quote(entry.text('ExtensionID'))}: extensions are not in the list"
        elif entry.has("Value"):
            text = "NameID is the same constant for everyone"
        else:
            text = f"NameID from {quote(f'{source}.{id_}')} is not in the documented list"
        yield entry.where, text, f"use one of {join_names(allowed[:5])}, extensionattribute1 to 15"


def nameid_transformation(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """A NameID from a transformation: only ExtractMailPrefix, and Join with a verified domain."""
    methods = {one.text("ID").lower(): one.text("TransformationMethod") for one in document.transformations}
    allowed = load_table("transformations")["nameid"]
    for entry in document.entries:
        method = methods.get(entry.text("TransformationID").lower(), "")
        if is_name_id(entry) and source_of(entry) == "transformation" and method:
            if method.lower() == "join":
                text = "NameID from Join: the suffix has to be a verified domain of the tenant"
                yield entry.where, text, "check that it is"
            elif method.lower() not in {one.lower() for one in allowed}:
                text = f"NameID from the transformation {quote(method)}: documented are {join_names(allowed)} only"
                yield entry.where, text, f"use {join_names(allowed)}, or an attribute"


def nameid_format(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """`SamlNameIdFormat` is undocumented; its value is a NameID format and stands on the NameID."""
    for entry in document.entries:
        value = entry.text("SamlNameIdFormat")
        if not entry.has("SamlNameIdFormat"):
            continue
        if not is_name_id(entry):
            yield entry.where, f"'SamlNameIdFormat' on {entry.label}, which is not the NameID", "leave it out"
        elif value not in _NAME_ID_FORMATS:
            near = find_nearest(value, _NAME_ID_FORMATS, 0.6)
            text = f"'SamlNameIdFormat' {quote(value)} is no NameID format of SAML"
            yield entry.where, text, f"write '{near or _NAME_ID_FORMATS[0]}'"
        else:
            text = "'SamlNameIdFormat' is undocumented (a policy with it was accepted); the request's format wins"
            yield entry.where, text, ""


def name_form(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """`SAMLNameForm` is one of the three documented URNs."""
    for entry in document.entries:
        value = entry.text("SAMLNameForm")
        if not entry.has("SAMLNameForm") or value in {_FORM + form for form in NAME_FORMS}:
            continue
        form = find_nearest(value.rsplit(":", 1)[-1], NAME_FORMS, 0.6) or "basic"
        text = f"'SAMLNameForm' {quote(value)} of {entry.label} is none of {join_names(NAME_FORMS)}"
        yield entry.where, text, f"write '{_FORM}{form}'"


def _named(document: Document, key: str) -> Iterator[tuple[JsonNode, JsonNode, str]]:
    """Entries whose claim type an earlier entry has too, whatever the case."""
    first: dict[str, JsonNode] = {}
    for entry in document.entries:
        name = entry.text(key)
        if name and first.setdefault(name.lower(), entry) is not entry:
            yield entry, first[name.lower()], name


def duplicate_claim(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """No two entries send the same claim."""
    for key in ("SamlClaimType", "JwtClaimType"):
        for entry, earlier, name in _named(document, key):
            if earlier.text(key) == name:
                text = f"{key} {quote(name)} is there twice, also as {earlier.where.split(' ')[0]}"
                yield entry.where, text, "keep one of them"


def duplicate_claim_case(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """No two entries send claims that differ in case only."""
    for key in ("SamlClaimType", "JwtClaimType"):
        for entry, earlier, name in _named(document, key):
            if earlier.text(key) != name:
                text = f"{key} {quote(name)} differs in case only from {quote(earlier.text(key))}"
                yield entry.where, text, "keep one of them, or choose another name"
