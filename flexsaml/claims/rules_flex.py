"""Rules of the flex profile: what Twilio Flex makes of the assertion at sign-in.

Every attribute of the assertion becomes a worker attribute; the name may end in a type (`skill.int`), and an
ill-typed value fails the login with "400 Error invalid attribute format" (grade A, Twilio's documentation).
Missing mandatory attributes are error 45050; attributes whose name is a URI are ignored; an attribute that is
absent keeps the worker's old value. Nothing here was confirmed by a Flex account.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from .reading import Document, JsonNode
from .rules import Context, Told, load_table
from .rules_claims import is_name_id
from .rules_sources import constant
from .wording import find_nearest, join_names, quote

_NULL = "<null>"
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:.*")


def attributes(document: Document) -> Iterator[tuple[JsonNode, str]]:
    """Entries that Flex makes worker attributes of, with the name."""
    for entry in document.entries:
        name = entry.text("SamlClaimType")
        if name and not _URI.match(name):
            yield entry, name


def kind_of(name: str) -> str:
    """The type Flex reads an attribute as: one of the suffixes, or "" for the default (text)."""
    channel = channel_of(name)
    if channel:
        return str(load_table("flex")["channel"].get(channel[1], ""))
    _base, dot, suffix = name.rpartition(".")
    return suffix if dot and suffix in load_table("flex")["typed_suffix"] else ""


def channel_of(name: str) -> tuple[str, str] | None:
    """Channel and property of `channel.<channel>.<property>`, whose dots are no type suffix."""
    found = re.fullmatch(r"channel\.([^.]+)\.([^.]+)", name)
    return (found[1], found[2]) if found else None


def values_of(entry: JsonNode, context: Context) -> Iterator[str]:
    """What a sign-in may deliver, as far as it is known: the constant, or the declared values, one by one."""
    text = constant(entry)
    if text is not None:
        yield text
    for value in context.values.get(entry.text("ExtensionID"), ()):
        if value == _NULL:
            continue
        if context.extensions.get(entry.text("ExtensionID"), "").endswith("[]"):
            yield from _elements(value)
        else:
            yield value


def _elements(value: str) -> list[str]:
    try:
        found = json.loads(value)
    except ValueError:
        return [value]
    return [str(item) for item in found] if isinstance(found, list) else [value]


def flex_required(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """email, full_name and roles are there; without them the login fails with error 45050."""
    if document.body is None:
        return
    names = [entry.text("SamlClaimType") for entry in document.entries]
    typed = {"email": "email.string", "full_name": "full_name.string", "roles": "roles.stringarray"}
    sources = {"email": "mail", "full_name": "displayname", "roles": "assignedroles"}
    for name in load_table("flex")["mandatory"]:
        if name in names or typed[name] in names:
            continue
        near = find_nearest(name, tuple(one for one in names if not _URI.match(one)), 0.8)
        text = f"claim '{name}' is missing{f' ({quote(near)} is another name)' if near else ''}; "
        text += "Flex refuses the login (45050)"
        fix = f'add {{"Source": "user", "ID": "{sources[name]}", "SamlClaimType": "{name}"}}'
        yield "ClaimsSchema", text, f"write '{name}'" if near else fix


def flex_namespace(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """Names have no namespace; Flex ignores attributes whose name is a URI."""
    for entry in document.entries:
        name = entry.text("SamlClaimType")
        if name and _URI.match(name) and not is_name_id(entry):
            bare = re.split(r"[/:#]", name.rstrip("/"))[-1]
            yield entry.where, f"{entry.label} has a namespace; Flex ignores it", f"write {quote(bare)}"


def flex_jwt_only(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """Claims have a SamlClaimType; Flex reads SAML only."""
    for entry in document.entries:
        if entry.text("JwtClaimType") and not entry.text("SamlClaimType"):
            yield entry.where, f"{entry.label} has no SamlClaimType; Flex never sees it", "write SamlClaimType"


def flex_nameid_missing(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """An entry says what the NameID is; without it Entra's default applies."""
    if document.body and not any(is_name_id(entry) for entry in document.entries):
        text = "no entry says what the NameID is; Entra's default applies, and a change makes other Flex users"
        yield "ClaimsSchema", text, "add one, for example from user.userprincipalname"


def flex_basic_claim_set(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """The basic claim set has namespaced names, which Flex ignores."""
    if document.body and str(document.body.get("IncludeBasicClaimSet")).strip().lower() == "true":
        text = "the basic claim set is included; its names are URIs and Flex ignores them"
        yield "ClaimsMappingPolicy.IncludeBasicClaimSet", text, 'write "false" for a leaner assertion'


def contact_uri(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """contact_uri is set by Flex; overriding it changes how calls are routed."""
    for entry, name in attributes(document):
        if name.split(".")[0].lower() == "contact_uri":
            text = f"{entry.label} overrides what Flex sets itself and changes where calls go"
            yield entry.where, text, "leave it out unless that is meant"


def image_url(document: Document, context: Context) -> Iterator[Told]:
    """image_url is an https address."""
    for entry, name in attributes(document):
        if name.split(".")[0] == "image_url":
            for value in values_of(entry, context):
                if value and not value.lower().startswith("https://"):
                    text = f"{entry.label} gets {quote(value, 40)}, which is no https address"
                    yield entry.where, text, "write the whole address"
                    break


def channel_attribute(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """`channel.<channel>.availability` and `.capacity` are the only two of `channel.*`."""
    known = tuple(load_table("flex")["channel"])
    for entry, name in attributes(document):
        if not name.lower().startswith("channel."):
            continue
        channel = channel_of(name)
        if not name.startswith("channel.") or not channel or channel[1] not in known:
            near = find_nearest(name.rpartition(".")[2], known, 0.6) or "availability or .capacity"
            text = f"{entry.label} is no channel attribute of Flex"
            yield entry.where, text, f"write channel.<channel>.{near}"


def team_attribute(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """team_member and team_owner are beta; an empty value moves a worker out of the team."""
    effects = {"team_member": "puts the worker into the default team", "team_owner": "takes ownership away"}
    for entry, name in attributes(document):
        effect = effects.get(name.split(".")[0])
        if effect:
            yield entry.where, f"{entry.label} is a beta attribute of Flex; an empty value {effect}", ""


def hyphen_value(document: Document, context: Context) -> Iterator[Told]:
    """Values of worker attributes have no hyphens; they may break routing expressions."""
    spared = {*load_table("flex")["mandatory"], "image_url", "contact_uri"}
    for entry, name in attributes(document):
        if name.split(".")[0] in spared or kind_of(name).removesuffix("array") == "int":
            continue
        value = next((value for value in values_of(entry, context) if "-" in value), None)
        if value is not None:
            text = f"{entry.label} gets {quote(value, 40)}; a hyphen may break TaskRouter's expressions"
            yield entry.where, text, "use an underscore"


def flex_roles(document: Document, context: Context) -> Iterator[Told]:
    """Constant or declared roles are roles of Flex."""
    known, prefixes = load_table("flex")["roles"], tuple(load_table("flex")["role_prefixes"])
    for entry, name in attributes(document):
        if name not in ("roles", "roles.stringarray"):
            continue
        for role in (role.strip() for value in values_of(entry, context) for role in value.split(",")):
            if role and role not in known and not role.startswith(prefixes):
                near = find_nearest(role, tuple(known))
                fix = f"did you mean '{near}'?" if near else f"roles are {join_names(known)} and wfo.*"
                yield entry.where, f"{quote(role, 40)} in {entry.label} is no role of Flex", fix
                break


def null_keeps_old(document: Document, context: Context) -> Iterator[Told]:
    """A null value is left out of the assertion, and Flex keeps what the worker had."""
    for entry, _name in attributes(document):
        if _NULL in context.values.get(entry.text("ExtensionID"), ()):
            text = f"{entry.label} is null for somebody: Entra leaves it out, and Flex keeps the worker's old value"
            yield entry.where, text, "to clear it in Flex edit the worker, or send an empty value (unverified)"
