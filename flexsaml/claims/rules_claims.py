"""Rules about what a claim is called: restricted types, NameID, name forms, repeated names. Graph accepts restricted
types (grade A: `.../upn` and `.../role` stand in accepted policies); what the token service then does is not documented
(grade D), hence warnings. For NameID only a short list of sources is documented."""

from flexsaml.fragile_text import describe_fragile_character, is_null_word

from .model import NAME_FORM_PREFIX, NAME_FORMS, NAME_ID
from .reading import Document, JsonNode, check_nodes
from .rules import Context, NodeViolations, Violation, Violations, load_table
from .rules_document import list_references
from .rules_sources import constant_of, source_of
from .wording import find_nearest, join_names, quote

_OTHER_NAME = "send it under another name"


def check(document: Document, _context: Context) -> Violations:
    yield from _check_unused(document)
    checks = (_check_restricted, _check_name_id_source, _check_name_id_format, _check_name_form, _check_constant)
    yield from check_nodes(document.entries, *checks)
    yield from _check_name_id_transformation(document)
    yield from _check_repeated(document)


def is_name_id(entry: JsonNode) -> bool:
    return entry.text("SamlClaimType").lower() == NAME_ID


def _check_unused(document: Document) -> Violations:
    """An entry without claim type is the input or output of a transformation."""
    references = {item.text("ClaimTypeReferenceId").lower() for item in list_references(document)}
    for entry in document.entries:
        name = entry.text("ID") or entry.text("ExtensionID")
        if not entry.text("SamlClaimType") and not entry.text("JwtClaimType") and name.lower() not in references:
            message = f"{entry.label} has neither SamlClaimType nor JwtClaimType, and no transformation uses it"
            yield Violation("feeds-nothing", entry.where, message, "write the SamlClaimType under which it is sent")


def _check_restricted(entry: JsonNode) -> NodeViolations:
    """SamlClaimType and JwtClaimType are not restricted (`email`, `roles`, …, `xms_`)."""
    table, saml, jwt = load_table("restricted_claims"), entry.text("SamlClaimType").lower(), entry.text("JwtClaimType")
    if saml in table["saml"]:
        message = f"{entry.label} is a restricted claim type: Entra issues or withholds it, whatever a policy says"
        yield "restricted-saml-claim", message, _OTHER_NAME
    if saml in table["saml_released_by_signing_key"]:
        message = f"{entry.label} is restricted unless the service principal has a custom signing key"
        yield "restricted-saml-claim-signing-key", message, f"{_OTHER_NAME}, or make sure that the key exists"
    if jwt in table["jwt"] or jwt.startswith(tuple(table["jwt_prefixes"])):
        fix = "remove JwtClaimType; SAML uses SamlClaimType" if saml else _OTHER_NAME
        yield "restricted-jwt-claim", f"JwtClaimType {quote(jwt)} of {entry.label} is restricted", fix


def _check_name_id_source(entry: JsonNode) -> NodeViolations:
    """NameID comes from one of the documented attributes."""
    table, source, id_ = load_table("attributes"), source_of(entry), entry.text("ID")
    if not is_name_id(entry) or source == "transformation" or (source == "user" and id_.lower() in table["nameid"]):
        return
    if source == "user" and id_.lower() in table["nameid_observed"]:
        message = f"NameID from {quote(id_)} is not documented, but a policy with it was accepted"
    elif entry.text("ExtensionID"):
        message = f"NameID from the extension {quote(entry.text('ExtensionID'))} is not documented"
    elif entry.has("Value"):
        message = "NameID from a constant is not documented"
    else:
        message = f"NameID from {quote(f'{source}.{id_}')} is not documented"
    yield "nameid-source", message, f"use one of {join_names(table['nameid'][:5])}, extensionattribute1 to 15"


def _check_name_id_transformation(document: Document) -> Violations:
    """A NameID from a transformation comes from ExtractMailPrefix, or from Join with a verified domain."""
    methods = {
        node.text("ID").lower(): node.text("TransformationMethod").removesuffix("()")
        for node in document.transformations
    }
    allowed = load_table("transformations")["nameid"]
    for entry in document.entries:
        method = methods.get(entry.text("TransformationID").lower(), "")
        if not method or not is_name_id(entry) or source_of(entry) != "transformation":
            continue
        if method.lower() == "join":
            message = "NameID comes from Join, whose suffix has to be a verified domain of the tenant"
            yield Violation("nameid-transformation", entry.where, message, "check that it is")
        elif method.lower() not in {name.lower() for name in allowed}:
            message = f"NameID comes from the transformation {quote(method)}; only {join_names(allowed)} are documented"
            fix = f"use {' or '.join(allowed)}, or an attribute"
            yield Violation("nameid-transformation", entry.where, message, fix)


def _check_name_id_format(entry: JsonNode) -> NodeViolations:
    """`SamlNameIdFormat`, which is undocumented, holds a NameID format and belongs to the NameID."""
    format_, formats, fix = entry.text("SamlNameIdFormat"), load_table("keys")["name_id_formats"], ""
    if not entry.has("SamlNameIdFormat"):
        return
    if not is_name_id(entry):
        message, fix = f"'SamlNameIdFormat' is set on {entry.label}, which is not the NameID", "remove it"
    elif format_ not in formats:
        message = f"'SamlNameIdFormat' {quote(format_)} is not a NameID format of SAML"
        fix = f"write '{find_nearest(format_, tuple(formats), 0.6) or formats[0]}'"
    else:
        message = "'SamlNameIdFormat' is not documented, but a policy with it was accepted"
        message += "; a format in the sign-in request overrides it"
    yield "nameid-format", message, fix


def _check_name_form(entry: JsonNode) -> NodeViolations:
    """`SAMLNameForm` is one of the three documented URNs."""
    urn = entry.text("SAMLNameForm")
    if entry.has("SAMLNameForm") and urn not in {NAME_FORM_PREFIX + form for form in NAME_FORMS}:
        form = find_nearest(urn.rsplit(":", 1)[-1], NAME_FORMS, 0.6) or "basic"
        message = f"'SAMLNameForm' {quote(urn)} of {entry.label} is not the URN of {' or '.join(NAME_FORMS)}"
        yield "name-form", message, f"write '{NAME_FORM_PREFIX}{form}'"


def _check_constant(entry: JsonNode) -> NodeViolations:
    """A constant has no character that is easily lost, and is no word for no value."""
    text = constant_of(entry) or ""
    if character := describe_fragile_character(text):
        message = f"the constant of {entry.label} has {character}, which is easily lost or changed on the way"
        yield "fragile-value", message, "remove it if it is not meant"
    if is_null_word(text):
        message = f"the constant of {entry.label} is a word that is sent as text, not as no value"
        yield "null-word", message, "leave the entry out if no value is meant"


def _check_repeated(document: Document) -> Violations:
    """No two entries send the same claim, or claims whose names differ only in case."""
    for key in ("SamlClaimType", "JwtClaimType"):
        first: dict[str, JsonNode] = {}
        for entry in document.entries:
            name = entry.text(key)
            earlier = first.setdefault(name.lower(), entry)
            if not name or earlier is entry:
                continue
            if earlier.text(key) == name:
                message = (
                    f"{earlier.where.split(' ')[0]} has the same {key} {quote(name)}; if both have a value, it is not "
                    "known whether both are sent or only the last one"
                )
                fix = "keep one of them, unless one stands in where the other is null"
                yield Violation("duplicate-claim", entry.where, message, fix)
            else:
                message = f"{key} {quote(name)} differs only in case from {quote(earlier.text(key))}"
                fix = "keep one of them, or choose another name"
                yield Violation("duplicate-claim-case", entry.where, message, fix)
