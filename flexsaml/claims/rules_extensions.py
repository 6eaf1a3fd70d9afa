"""Rules about directory extensions as sources: their names, and what a stack knows about them.

Graph takes the full name of an extension in any case, but the token service compares it exactly, so a name in other
case leaves the claim out for some users (grade A: entra-docs, schema extensions).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .extension_names import build_full_name, is_full_name, owner_app_id, short_name
from .model import SOURCES
from .reading import Document, JsonNode
from .rules import Context, NodeViolations, Violations
from .rules_sources import source_of
from .wording import escape, find_nearest, join_names, quote

_FORM = re.compile(r"extension_(<[^>]*>|\{[^}]*\}|[^_]*)_(.+)", re.DOTALL)
_APP_ID = re.compile(r"[0-9a-fA-F]{32}")
_PLACEHOLDER = re.compile(r"0{32}|[xX]+|<.*>|\{.*\}|\$.*|(?i:your|my)?-?(?i:app(lication)?-?id|guid|clientid).*")
_WRITE_FULL_NAME = "write extension_<appId without dashes>_<name>"


def extension_of(entry: JsonNode) -> str:
    """The extension that the entry names, in whatever form and in whichever key; "" if it names none."""
    id_ = entry.text("ID")
    return entry.text("ExtensionID") or (id_ if id_.lower().startswith("extension_") else "")


def _split(name: str) -> tuple[str, str]:
    """What stands for the appId, and the short name; "" and "" if the name has another form."""
    match = _FORM.fullmatch(name)
    return (match[1], match[2]) if match else ("", "")


def extension_in_id(entry: JsonNode) -> NodeViolations:
    """An extension is named by ExtensionID, not by ID."""
    id_ = entry.text("ID")
    if id_.lower().startswith("extension_") and source_of(entry) in (*SOURCES, ""):
        message = f"{entry.label} names the extension {quote(id_)} in ID, where the service expects an attribute"
        yield message, "rename the key 'ID' to 'ExtensionID'"


def extension_name(entry: JsonNode) -> NodeViolations:
    """An extension's full name is `extension_<appId, 32 hex digits>_<name>`."""
    name = extension_of(entry)
    app_id, _short = _split(name)
    if not name or _PLACEHOLDER.fullmatch(app_id) or _APP_ID.fullmatch(app_id):
        return
    if not app_id:
        yield f"{quote(name)} of {entry.label} is not the full name of an extension", _WRITE_FULL_NAME
    elif "-" in app_id:
        yield f"the appId in {quote(name)} has dashes", f"write '{build_full_name(app_id, '…')}'"[:120]
    else:
        yield f"the appId in {quote(name)} is not 32 hex digits but {quote(app_id)}", _WRITE_FULL_NAME


def extension_placeholder(entry: JsonNode) -> NodeViolations:
    """The appId in an extension's name is not a placeholder."""
    name = extension_of(entry)
    if _PLACEHOLDER.fullmatch(_split(name)[0]):
        message = f"the appId in {quote(name)} is a placeholder"
        yield message, "write the appId, without dashes, of the application that owns the extension"


def extension_application_case(entry: JsonNode) -> NodeViolations:
    """The appId in an extension's name is in lower case, as Graph writes it."""
    name = extension_of(entry)
    app_id, short = _split(name)
    if _APP_ID.fullmatch(app_id) and app_id != app_id.lower():
        message = f"the appId in {quote(name)} has capital letters, and the token service compares with case"
        yield message, f"write '{build_full_name(app_id, escape(short))}'"


def extension_source(entry: JsonNode) -> NodeViolations:
    """ExtensionID goes with Source `user`; only extensions of users become claims."""
    if entry.text("ExtensionID") and source_of(entry) != "user":
        source = f"Source {quote(entry.text('Source'))}" if entry.text("Source") else "no Source"
        message = f"{entry.label} has an ExtensionID with {source}; only extensions of users become claims"
        yield message, 'write "Source": "user"'


def _named_extensions(document: Document) -> Iterator[tuple[JsonNode, str]]:
    for entry in document.entries:
        if extension_of(entry):
            yield entry, extension_of(entry)


def extension_case(document: Document, context: Context) -> Violations:
    """An extension that the stack knows has its exact case."""
    known = {name.lower(): name for name in context.extensions}
    for entry, name in _named_extensions(document):
        exact = known.get(name.lower(), name)
        if exact != name:
            message = f"{quote(name)} of {entry.label} differs in case from the extension '{exact}'; no claim is issued"
            yield entry.where, message, f"write '{exact}'"


def extension_unknown(document: Document, context: Context) -> Violations:
    """An extension of an application that the stack knows exists there."""
    known = tuple(filter(is_full_name, context.extensions))
    lower_case = {full_name.lower() for full_name in known}
    by_short_name = {short_name(full_name).lower(): full_name for full_name in known}
    app_ids = {owner_app_id(full_name).replace("-", "") for full_name in known}
    for entry, name in _named_extensions(document):
        app_id, short = _split(name)
        if not known or not short or name.lower() in lower_case:
            continue
        if app_id.lower() in app_ids:
            similar = by_short_name.get(find_nearest(short, tuple(by_short_name)), "")
            fix = f"did you mean '{similar}'?" if similar else f"the stack knows {join_names(known)}"
            yield entry.where, f"the stack knows no extension {quote(name)}, which {entry.label} needs", fix
        elif short.lower() in by_short_name:
            full_name = by_short_name[short.lower()]
            message = f"{quote(name)} of {entry.label} belongs to another application than '{full_name}'"
            yield entry.where, message, "check which application owns the extension"


def multi_valued(document: Document, context: Context) -> Violations:
    """An extension has a single value; as a claim, several are documented only when Connect synchronises them."""
    for entry, name in _named_extensions(document):
        if context.extensions.get(name, "").endswith("[]"):
            message = (
                f"the extension of {entry.label} has several values, and what a sign-in then delivers is uncertain"
            )
            fix = "use one String with commas (for Flex under a name that ends in .stringarray)"
            yield entry.where, message, fix
