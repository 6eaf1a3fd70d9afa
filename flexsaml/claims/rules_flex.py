"""Rules of the flex profile: what Twilio Flex makes of the assertion at sign-in.

Every attribute of the assertion becomes a worker attribute. Missing mandatory attributes are error 45050; attributes
whose name is a URI are ignored; if an attribute is absent, the worker keeps the old value (grade A, Twilio's
documentation). No Flex account has confirmed any of this.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from .reading import Document, JsonNode
from .rules import Context, NodeViolations, Violations, load_table
from .rules_claims import is_name_id
from .rules_sources import constant_of
from .wording import find_nearest, join_names, quote

_NULL = "<null>"
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:.*")
_TEAM_EFFECTS = {"team_member": "puts the worker into the default team", "team_owner": "takes ownership away"}


def attribute_name(entry: JsonNode) -> str:
    """The name of the worker attribute that Flex makes of the entry, with its type suffix; "" if it makes none."""
    name = entry.text("SamlClaimType")
    return "" if _URI.match(name) else name


def worker_attributes(document: Document) -> Iterator[tuple[JsonNode, str]]:
    """Entry and name of every worker attribute."""
    for entry in document.entries:
        if attribute_name(entry):
            yield entry, attribute_name(entry)


def flex_type_of(name: str) -> str:
    """The type as which Flex reads an attribute: one of the suffixes, or "" for the default, text."""
    channel = split_channel(name)
    if channel:
        return str(load_table("flex")["channel"].get(channel[1], ""))
    _base, dot, suffix = name.rpartition(".")
    return suffix if dot and suffix in load_table("flex")["typed_suffix"] else ""


def split_channel(name: str) -> tuple[str, str] | None:
    """Channel and property of `channel.<channel>.<property>`, whose dots begin no type suffix."""
    match = re.fullmatch(r"channel\.([^.]+)\.([^.]+)", name)
    return (match[1], match[2]) if match else None


def known_values(entry: JsonNode, context: Context) -> Iterator[str]:
    """What a sign-in may deliver, as far as the stack knows: the constant, or the declared values, one by one."""
    constant = constant_of(entry)
    if constant is not None:
        yield constant
    extension = entry.text("ExtensionID")
    for value in context.values.get(extension, ()):
        if value == _NULL:
            continue
        if context.extensions.get(extension, "").endswith("[]"):
            yield from _items(value)
        else:
            yield value


def _items(value: str) -> list[str]:
    """The items of a canonical multi-valued value, a JSON array; the value itself if it is none."""
    try:
        items = json.loads(value)
    except ValueError:
        return [value]
    return [str(item) for item in items] if isinstance(items, list) else [value]


def flex_required(document: Document) -> Violations:
    """email, full_name and roles are there; without them the login fails with error 45050."""
    if document.body is None:
        return
    names = [entry.text("SamlClaimType") for entry in document.entries]
    typed = {"email": "email.string", "full_name": "full_name.string", "roles": "roles.stringarray"}
    sources = {"email": "mail", "full_name": "displayname", "roles": "assignedroles"}
    for name in load_table("flex")["mandatory"]:
        if name in names or typed[name] in names:
            continue
        similar = find_nearest(name, tuple(name for name in names if not _URI.match(name)), 0.8)
        hint = f" ({quote(similar)} is another name)" if similar else ""
        fix = f'add {{"Source": "user", "ID": "{sources[name]}", "SamlClaimType": "{name}"}}'
        message = f"claim '{name}' is missing{hint}; Flex refuses the login (error 45050)"
        yield "ClaimsSchema", message, f"write '{name}'" if similar else fix


def flex_namespace(entry: JsonNode) -> NodeViolations:
    """Names have no namespace; Flex ignores attributes whose name is a URI."""
    name = entry.text("SamlClaimType")
    if name and not attribute_name(entry) and not is_name_id(entry):
        bare = re.split(r"[/:#]", name.rstrip("/"))[-1]
        yield f"the name of {entry.label} is a URI, and Flex ignores such attributes", f"write {quote(bare)}"


def flex_jwt_only(entry: JsonNode) -> NodeViolations:
    """Claims have a SamlClaimType; Flex reads SAML only."""
    if entry.text("JwtClaimType") and not entry.text("SamlClaimType"):
        yield f"{entry.label} has no SamlClaimType, so Flex does not receive it", "write SamlClaimType"


def flex_nameid_missing(document: Document) -> Violations:
    """An entry defines the NameID; without one Entra's default applies."""
    if document.body and not any(is_name_id(entry) for entry in document.entries):
        message = "no entry defines the NameID, so Entra's default applies; if it changes, Flex creates new users"
        yield "ClaimsSchema", message, "add one, for example from user.userprincipalname"


def flex_basic_claim_set(document: Document) -> Violations:
    """The basic claim set is not included; its names are URIs, which Flex ignores."""
    if document.body and str(document.body.get("IncludeBasicClaimSet")).strip().lower() == "true":
        message = "the basic claim set is included; its names are URIs, and Flex ignores them"
        yield "ClaimsMappingPolicy.IncludeBasicClaimSet", message, 'write "false" for a smaller assertion'


def contact_uri(entry: JsonNode) -> NodeViolations:
    """contact_uri is left to Flex; overriding it changes where calls are routed."""
    if attribute_name(entry).split(".")[0].lower() == "contact_uri":
        message = f"{entry.label} overrides what Flex sets itself, and changes where calls are routed"
        yield message, "remove it unless you intend that"


def image_url(document: Document, context: Context) -> Violations:
    """image_url is an https address."""
    for entry, name in worker_attributes(document):
        if name.split(".")[0] == "image_url":
            values = known_values(entry, context)
            wrong = next((value for value in values if value and not value.lower().startswith("https://")), None)
            if wrong is not None:
                message = f"{entry.label} gets {quote(wrong, 40)}, which is not an https address"
                yield entry.where, message, "write the address with https://"


def channel_attribute(entry: JsonNode) -> NodeViolations:
    """A name that begins with `channel.` is `channel.<channel>.availability` or `channel.<channel>.capacity`."""
    name, properties = attribute_name(entry), tuple(load_table("flex")["channel"])
    channel = split_channel(name)
    if name.lower().startswith("channel.") and not (channel and channel[1] in properties):
        similar = find_nearest(name.rpartition(".")[2], properties, 0.6) or "availability or .capacity"
        yield f"{entry.label} is not a channel attribute of Flex", f"write channel.<channel>.{similar}"


def team_attribute(entry: JsonNode) -> NodeViolations:
    """No team_member and team_owner: they are beta, and an empty value moves a worker out of the team."""
    effect = _TEAM_EFFECTS.get(attribute_name(entry).split(".")[0])
    if effect:
        yield f"{entry.label} is a beta attribute of Flex; an empty value {effect}", ""


def hyphen_value(document: Document, context: Context) -> Violations:
    """Values of worker attributes have no hyphens, which may break routing expressions."""
    exempt = {*load_table("flex")["mandatory"], "image_url", "contact_uri"}
    for entry, name in worker_attributes(document):
        if name.split(".")[0] in exempt or flex_type_of(name).removesuffix("array") == "int":
            continue
        value = next((value for value in known_values(entry, context) if "-" in value), None)
        if value is not None:
            message = f"{entry.label} gets {quote(value, 40)}; the hyphen may break TaskRouter's expressions"
            yield entry.where, message, "use an underscore"


def flex_roles(document: Document, context: Context) -> Violations:
    """Constant or declared roles are roles of Flex."""
    known, prefixes = load_table("flex")["roles"], tuple(load_table("flex")["role_prefixes"])
    for entry, name in worker_attributes(document):
        if name not in ("roles", "roles.stringarray"):
            continue
        roles = (role.strip() for value in known_values(entry, context) for role in value.split(","))
        unknown = next((role for role in roles if role and role not in known and not role.startswith(prefixes)), None)
        if unknown is not None:
            similar = find_nearest(unknown, tuple(known))
            fix = f"did you mean '{similar}'?" if similar else f"the roles are {join_names(known)} and wfo.*"
            yield entry.where, f"{quote(unknown, 40)} in {entry.label} is not a role of Flex", fix


def null_keeps_old(document: Document, context: Context) -> Violations:
    """No declared value is null: Entra leaves the attribute out, and Flex keeps the worker's old value."""
    for entry, _name in worker_attributes(document):
        if _NULL in context.values.get(entry.text("ExtensionID"), ()):
            message = f"{entry.label} is null for a user: Entra leaves it out, and Flex keeps the worker's old value"
            yield entry.where, message, "to clear it in Flex edit the worker, or send an empty value (unverified)"
