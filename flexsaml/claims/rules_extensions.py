"""Rules about directory extensions as sources: their names, and what a stack knows about them.

Graph takes the full name of an extension in any case, but the token service compares it exactly, so a name in other
case leaves the claim out for some users (grade A: entra-docs, schema extensions).
"""

from __future__ import annotations

import re
from functools import partial

from .extension_names import build_full_name, is_full_name, owner_app_id, short_name
from .model import SOURCES
from .reading import Document, JsonNode
from .rules import Context, NodeViolations, Violations, check_nodes
from .rules_sources import source_of
from .wording import escape, find_nearest, join_names, quote

_FORM = re.compile(r"extension_(<[^>]*>|\{[^}]*\}|[^_]*)_(.+)", re.DOTALL)
_APP_ID = re.compile(r"[0-9a-fA-F]{32}")
_PLACEHOLDER = re.compile(r"0{32}|[xX]+|<.*>|\{.*\}|\$.*|(?i:your|my)?-?(?i:app(lication)?-?id|guid|clientid).*")
_WRITE_FULL_NAME = "write extension_<appId without dashes>_<name>"


def check(document: Document, context: Context) -> Violations:
    known = partial(_check_known, context, tuple(filter(is_full_name, context.extensions)))
    return check_nodes(document.entries, _check_place, _check_name, known)


def extension_of(entry: JsonNode) -> str:
    """The extension that the entry names, in whatever form and in whichever key; "" if it names none."""
    id_ = entry.text("ID")
    return entry.text("ExtensionID") or (id_ if id_.lower().startswith("extension_") else "")


def _split(name: str) -> tuple[str, str]:
    """What stands for the appId, and the short name; "" and "" if the name has another form."""
    match = _FORM.fullmatch(name)
    return (match[1], match[2]) if match else ("", "")


def _check_place(entry: JsonNode) -> NodeViolations:
    """An extension is named by ExtensionID, with Source `user`; only extensions of users become claims."""
    id_, source = entry.text("ID"), entry.text("Source")
    if id_.lower().startswith("extension_") and source.lower() in (*SOURCES, ""):
        message = f"{entry.label} names the extension {quote(id_)} in ID, where the service expects an attribute"
        yield "extension-in-id", message, "rename the key 'ID' to 'ExtensionID'"
    if entry.text("ExtensionID") and source_of(entry) != "user":
        written = f"Source {quote(source)}" if source else "no Source"
        message = f"{entry.label} has an ExtensionID with {written}; only extensions of users become claims"
        yield "extension-source", message, 'write "Source": "user"'


def _check_name(entry: JsonNode) -> NodeViolations:
    """An extension's full name is `extension_<appId, 32 hex digits in lower case>_<name>`."""
    name = extension_of(entry)
    app_id, short = _split(name)
    if not name:
        return
    if _PLACEHOLDER.fullmatch(app_id):
        message = f"the appId in {quote(name)} is a placeholder"
        fix = "write the appId, without dashes, of the application that owns the extension"
        yield "extension-placeholder", message, fix
    if _APP_ID.fullmatch(app_id) and app_id != app_id.lower():
        message = f"the appId in {quote(name)} has capital letters, and the token service compares with case"
        yield "extension-application-case", message, f"write '{build_full_name(app_id, escape(short))}'"
    if _PLACEHOLDER.fullmatch(app_id) or _APP_ID.fullmatch(app_id):
        return
    if not app_id:
        message = f"{quote(name)} of {entry.label} is not the full name of an extension"
        yield "extension-name", message, _WRITE_FULL_NAME
    elif "-" in app_id:
        fix = f"write '{build_full_name(app_id, '…')}'"[:120]
        yield "extension-name", f"the appId in {quote(name)} has dashes", fix
    else:
        message = f"the appId in {quote(name)} is not 32 hex digits but {quote(app_id)}"
        yield "extension-name", message, _WRITE_FULL_NAME


def _check_known(context: Context, known: tuple[str, ...], entry: JsonNode) -> NodeViolations:
    """An extension that the stack knows, in its exact case and single-valued: several values are documented only
    when Connect synchronises them. `known` are the full names in the context."""
    name = extension_of(entry)
    if not name:
        return
    if context.extensions.get(name, "").endswith("[]"):
        message = f"the extension of {entry.label} has several values, and what a sign-in then delivers is uncertain"
        fix = "use one String with commas (for Flex under a name that ends in .stringarray)"
        yield "multi-valued", message, fix
    exact = {full_name.lower(): full_name for full_name in context.extensions}.get(name.lower())
    if exact and exact != name:
        message = f"{quote(name)} of {entry.label} differs in case from the extension '{exact}'; no claim is issued"
        yield "extension-case", message, f"write '{exact}'"
    app_id, short = _split(name)
    if not short or name.lower() in {full_name.lower() for full_name in known}:
        return
    by_short_name = {short_name(full_name).lower(): full_name for full_name in known}
    if app_id.lower() in {owner_app_id(full_name).replace("-", "") for full_name in known}:
        similar = by_short_name.get(find_nearest(short, tuple(by_short_name)), "")
        fix = f"did you mean '{similar}'?" if similar else f"the stack knows {join_names(known)}"
        yield "extension-unknown", f"the stack knows no extension {quote(name)}, which {entry.label} needs", fix
    elif short.lower() in by_short_name:
        full_name = by_short_name[short.lower()]
        message = f"{quote(name)} of {entry.label} belongs to another application than '{full_name}'"
        yield "extension-unknown", message, "check which application owns the extension"
