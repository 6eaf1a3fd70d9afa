"""Rules about directory extensions as sources: their names, and what a stack knows of them.

A full name is `extension_<appId without dashes>_<name>`. It is written without regard to case and read with it by the
token service, so that a slip in case leaves the claim out for some users (grade A: entra-docs, schema extensions).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .extension_names import build_full_name, is_full_name, owner_app_id, short_name
from .reading import Document, JsonNode
from .rules import Context, Told
from .rules_sources import SOURCES, source_of
from .wording import escape, find_nearest, join_names, quote

_FORM = re.compile(r"extension_(<[^>]*>|\{[^}]*\}|[^_]*)_(.+)", re.DOTALL)
_PLACEHOLDER = re.compile(r"0{32}|[xX]+|<.*>|\{.*\}|\$.*|(?i:your|my)?-?(?i:app(lication)?-?id|guid|clientid).*")


def extension_in_id(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """An extension is named by ExtensionID, not by ID."""
    for entry in document.entries:
        id_ = entry.text("ID")
        if id_.lower().startswith("extension_") and source_of(entry) in (*SOURCES, ""):
            text = f"{entry.label} names the extension {quote(id_)} in ID; the service looks there for attributes"
            yield entry.where, text, "rename the key 'ID' to 'ExtensionID'"


def _extensions(document: Document) -> Iterator[tuple[JsonNode, str, str, str]]:
    """Entries with an extension, its full name, application part and short name ("" if it has another form)."""
    for entry in document.entries:
        name = entry.text("ExtensionID") or entry.text("ID")
        if entry.text("ExtensionID") or name.lower().startswith("extension_"):
            found = _FORM.fullmatch(name)
            yield entry, name, *((found[1], found[2]) if found else ("", ""))


def extension_name(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """An extension's full name is `extension_<appId, 32 hex digits>_<name>`."""
    for entry, name, application, _short in _extensions(document):
        if _PLACEHOLDER.fullmatch(application) or re.fullmatch(r"[0-9a-fA-F]{32}", application):
            continue
        whole = "extension_<appId without dashes>_<name>"
        if not application:
            text, fix = f"{quote(name)} of {entry.label} is no full extension name", f"write {whole}"
        elif "-" in application:
            text = f"the application part of {quote(name)} has dashes"
            fix = f"write '{build_full_name(application, '…')}'"[:120]
        else:
            text = f"the application part of {quote(name)} is not 32 hex digits but {quote(application)}"
            fix = f"write {whole}"
        yield entry.where, text, fix


def extension_placeholder(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """The application part of an extension is no placeholder."""
    for entry, name, application, _short in _extensions(document):
        if _PLACEHOLDER.fullmatch(application):
            text = f"the application part of {quote(name)} is a placeholder"
            yield entry.where, text, "write the appId, without dashes, of the application that owns the extension"


def extension_application_case(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """The application part is written in lower case, as Graph writes it."""
    for entry, name, application, short in _extensions(document):
        if re.fullmatch(r"[0-9a-fA-F]{32}", application) and application != application.lower():
            text = f"{quote(name)} has capital letters in the application part; the token service reads with case"
            yield entry.where, text, f"write '{build_full_name(application, escape(short))}'"


def extension_source(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """ExtensionID goes with Source `user`; only extensions of users become claims."""
    for entry in document.entries:
        if entry.text("ExtensionID") and source_of(entry) != "user":
            given = quote(entry.text("Source")) if entry.text("Source") else "no Source"
            text = f"{entry.label} has an ExtensionID with {given}; only extensions of users become claims"
            yield entry.where, text, 'write "Source": "user"'


def extension_case(document: Document, context: Context) -> Iterator[Told]:
    """An extension known to the stack is spelled with its exact case."""
    known = {name.lower(): name for name in context.extensions}
    for entry, name, _application, _short in _extensions(document):
        exact = known.get(name.lower(), name)
        if exact != name:
            text = f"{quote(name)} of {entry.label} differs in case from the extension '{exact}'; no claim is issued"
            yield entry.where, text, f"write '{exact}'"


def extension_unknown(document: Document, context: Context) -> Iterator[Told]:
    """An extension of an application known to the stack exists there."""
    known = tuple(filter(is_full_name, context.extensions))
    lower = {full.lower() for full in known}
    shorts = {short_name(full).lower(): full for full in known}
    applications = {owner_app_id(full).replace("-", "") for full in known}
    for entry, name, application, short in _extensions(document):
        if not known or not short or name.lower() in lower:
            continue
        if application.lower() in applications:
            near = shorts.get(find_nearest(short, tuple(shorts)), "")
            fix = f"did you mean '{near}'?" if near else f"known are {join_names(known)}"
            yield entry.where, f"{quote(name)} of {entry.label} is no extension known here", fix
        elif short.lower() in shorts:
            text = f"{quote(name)} of {entry.label} names another application than '{shorts[short.lower()]}'"
            yield entry.where, text, "check which application owns the extension"


def multi_valued(document: Document, context: Context) -> Iterator[Told]:
    """A multi-valued extension as a claim: documented only for those synced by Connect."""
    for entry, name, _application, _short in _extensions(document):
        if context.extensions.get(name, "").endswith("[]"):
            text = f"the extension of {entry.label} is multi-valued; what a sign-in delivers then is uncertain"
            yield entry.where, text, "use a single String with commas (for Flex under a name ending in .stringarray)"
