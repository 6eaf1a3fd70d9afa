"""Rules about where a claim comes from: Source, ID, Value, and directory extensions. The service does not check
Source/ID values: a policy with `"ID": "900"` was accepted and the claim never issued (grade A). So an attribute that is
missing in the documented table is a warning. Graph takes the full name of an extension in any case, but the token
service compares it exactly, so a name in other case leaves the claim out for some users (grade A: entra-docs, schema
extensions)."""

import re

from .extension_names import build_full_name, is_full_name, owner_app_id, short_name
from .model import SOURCES
from .reading import Document, JsonNode, check_nodes
from .rules import Context, NodeViolations, Violation, Violations, load_table
from .wording import escape, find_nearest, join_names, quote

ALL_SOURCES = (*SOURCES, "transformation", "CustomClaimsProvider")
_FORM = re.compile(r"extension_(<[^>]*>|\{[^}]*\}|[^_]*)_(.+)", re.DOTALL)
_APP_ID = re.compile(r"[0-9a-fA-F]{32}")
_PLACEHOLDER = re.compile(r"0{32}|[xX]+|<.*>|\{.*\}|\$.*|(?i:your|my)?-?(?i:app(lication)?-?id|guid|clientid).*")
_WRITE_FULL_NAME = "write extension_<appId without dashes>_<name>"


def check(document: Document, context: Context) -> Violations:
    checks = (_check_parts, _check_source, _check_id, _check_extension_place, _check_extension_name)
    yield from check_nodes(document.entries, *checks)
    yield from _check_known_extensions(document, context)


def source_of(entry: JsonNode) -> str:
    """The Source in lower case, "" when it is absent."""
    return entry.text("Source").lower()


def constant_of(entry: JsonNode) -> str | None:
    """The text of a constant claim, None for every other claim."""
    value = entry.get("Value")
    return value if isinstance(value, str) and not entry.has("Source") else None


def _check_parts(entry: JsonNode) -> NodeViolations:
    """Every entry has one source: Source and ID together, ExtensionID, Value, or a transformation with both ids."""
    source, keys = entry.text("Source"), [key for key in ("ID", "ExtensionID", "Value") if entry.has(key)]
    if not keys and not entry.has("Source") and not entry.has("TransformationID"):
        yield "no-source", f"{entry.label} has no source", "write Source and ID, Source and ExtensionID, or Value"
    sources = ["Source", "Value"] if keys == ["Value"] and entry.has("Source") else keys
    if len(sources) > 1 and not (source.lower() == "constant" and "Value" in keys):
        message = f"{entry.label} has {' and '.join(sources)}, which are two sources"
        yield "several-sources", message, "keep one of them"
    message, fix = "", 'write "Source": "user"'
    if entry.has("ID") and not entry.has("Source"):
        message = f"{entry.label} has an ID but no Source"
    elif source.lower() == "transformation":
        missing = [key for key in ("ID", "TransformationID") if not entry.text(key)]
        if missing:
            message = f"{entry.label} comes from a transformation but has no {' and no '.join(missing)}"
            fix = "write ID (the output claim) and TransformationID"
    elif source.lower() in (*SOURCES, "customclaimsprovider"):
        if not any(entry.text(key) for key in ("ID", "ExtensionID", "Value")):
            message, fix = f"{entry.label} has Source {quote(source)} but no ID", "write the ID of an attribute"
    elif entry.has("Source") and not source and isinstance(entry.get("Source"), str):
        message = f"{entry.label} has an empty Source"
    if message:
        yield "source-incomplete", message, fix


def _check_source(entry: JsonNode) -> NodeViolations:
    """Source is one that the service knows, not `Constant`, and lint can check it."""
    source = source_of(entry)
    if source == "constant":
        value = escape(entry.get("Value") or entry.get("ID") or "text")
        message = f"{entry.label} has Source 'Constant', which was reported not to work"
        yield "constant-source", message, f'write "Value": "{value}" without Source and ID'
    elif source == "customclaimsprovider":
        message = f"{entry.label} comes from a custom claims provider, and lint cannot check that one is configured"
        fix = "configure the custom authentication extension, or use another source"
        yield "custom-claims-provider", message, fix
    elif source not in (*ALL_SOURCES, ""):
        written = entry.text("Source")
        similar = find_nearest(written, ALL_SOURCES, 0.6)
        fix = f"write '{similar}'" if similar else f"write one of {join_names(ALL_SOURCES)}"
        yield "source-unknown", f"{entry.label} has the unknown Source {quote(written)}", fix


def _check_id(entry: JsonNode) -> NodeViolations:
    """Source and ID are a documented pair; otherwise Graph accepts the policy and probably never issues the claim."""
    table, source, id_ = load_table("attributes"), source_of(entry), entry.text("ID")
    if source not in SOURCES or not id_:
        return
    documented = {name.lower(): name for name in (*table[source], *table["observed"].get(source, ()))}
    usual = documented.get(id_.lower(), id_)
    if id_ not in (usual, usual.lower()) or entry.text("Source") not in (source, "User"):
        message = f"{entry.label} has {escape(entry.text('Source'))}.{escape(id_)}, and no document has it in this case"
        yield "id-case", message, f"write {source}.{escape(usual)}"
    if (source, id_.lower()) == ("user", "onpremisesuserprincipalname"):
        message = f"{entry.label} is issued only where the tenant uses an alternate sign-in ID"
        yield "alternate-id", message, "use user.userprincipalname, unless the tenant does"
    if id_.lower() in table["one_value_emitted"]:
        yield "single-value-emitted", f"{id_} may hold several values, of which {entry.label} gets one", ""
    if id_.lower() in table["observed"].get(source, ()):
        message = f"{source}.{id_} is not documented, but policies with it were observed to work"
        yield "id-undocumented", message, ""
    elif names_unknown_attribute(entry):
        message = f"{source}.{escape(id_)} is not a documented attribute: Graph accepts the policy, but "
        message += f"{entry.label} is probably never issued"
        if id_.lower().startswith("customsecurityattribute"):
            message = f"custom security attributes cannot be claims: {entry.label} is never issued"
        yield "id-unknown", message, suggest_id(source, id_)


def names_unknown_attribute(entry: JsonNode) -> bool:
    """Whether the claim is probably never issued, because no document and no observed policy has its Source and ID:
    seen of two IDs (A), inferred of others (D, S10 of docs/sign-in.md)."""
    table, source, id_ = load_table("attributes"), source_of(entry), entry.text("ID").lower()
    if source not in SOURCES or not id_ or id_.startswith("extension_"):
        return False
    return id_ not in {name.lower() for name in table[source]} and id_ not in table["observed"].get(source, ())


def suggest_id(source: str, id_: str) -> str:
    attributes = load_table("attributes")
    bare = id_.lower().removeprefix(f"{source}.").replace("_", "").replace(" ", "")
    exact = {name.lower(): name for name in attributes[source]}
    similar = exact.get(bare) or (attributes["other_names"].get(bare) if source == "user" else None)
    other_source = next((name for name in SOURCES if bare in {id_.lower() for id_ in attributes[name]}), "")
    if not similar and not (source == "user" and other_source):
        similar = find_nearest(bare, tuple(attributes[source]))
    if similar:
        return f"did you mean '{similar}'?"
    if other_source:
        return f"did you mean Source '{other_source}'?"
    if source == "user":
        return f'for a constant write "Value": "{escape(id_)}" alone; for an extension use ExtensionID'
    return f"write one of {join_names(attributes[source])}"


def extension_of(entry: JsonNode) -> str:
    """The extension that the entry names, in whatever form and in whichever key; "" if it names none."""
    id_ = entry.text("ID")
    return entry.text("ExtensionID") or (id_ if id_.lower().startswith("extension_") else "")


def _split(name: str) -> tuple[str, str]:
    """What stands for the appId, and the short name; "" and "" if the name has another form."""
    match = _FORM.fullmatch(name)
    return (match[1], match[2]) if match else ("", "")


def _check_extension_place(entry: JsonNode) -> NodeViolations:
    """An extension is named by ExtensionID, with Source `user`; only extensions of users become claims."""
    id_, source = entry.text("ID"), entry.text("Source")
    if id_.lower().startswith("extension_") and source.lower() in (*SOURCES, ""):
        message = f"{entry.label} names the extension {quote(id_)} in ID, and reports disagree whether that works"
        yield "extension-in-id", message, "rename the key 'ID' to 'ExtensionID'"
    if entry.text("ExtensionID") and source_of(entry) != "user":
        written = f"Source {quote(source)}" if source else "no Source"
        message = f"{entry.label} has an ExtensionID with {written}; only extensions of users become claims"
        yield "extension-source", message, 'write "Source": "user"'


def _check_extension_name(entry: JsonNode) -> NodeViolations:
    """An extension's full name is `extension_<appId, 32 hex digits in lower case>_<name>`."""
    name = extension_of(entry)
    app_id, short = _split(name)
    if not name:
        return
    if _PLACEHOLDER.fullmatch(app_id):
        message = f"the appId in {quote(name)} is a placeholder"
        fix = "write the appId, without dashes, of the application that owns the extension"
        yield "extension-placeholder", message, fix
    elif _APP_ID.fullmatch(app_id):
        if app_id != app_id.lower():
            message = f"the appId in {quote(name)} has capital letters, and case probably counts in a sign-in"
            yield "extension-application-case", message, f"write '{build_full_name(app_id, escape(short))}'"
    elif not app_id:
        yield "extension-name", f"{quote(name)} of {entry.label} is not the full name of an extension", _WRITE_FULL_NAME
    elif "-" in app_id:
        fix = f"write '{build_full_name(app_id, '…')}'"[:120]
        yield "extension-name", f"the appId in {quote(name)} has dashes", fix
    else:
        message = f"the appId in {quote(name)} is not 32 hex digits but {quote(app_id)}"
        yield "extension-name", message, _WRITE_FULL_NAME


def _check_known_extensions(document: Document, context: Context) -> Violations:
    """An extension that the stack knows, in its exact case and single-valued: several values are documented only when
    Connect synchronises them."""
    by_lower_case = {full_name.lower(): full_name for full_name in context.extensions}
    known = tuple(filter(is_full_name, context.extensions))
    lower_case = {full_name.lower() for full_name in known}
    by_short_name = {short_name(full_name).lower(): full_name for full_name in known}
    app_ids = {owner_app_id(full_name).replace("-", "") for full_name in known}
    for entry in document.entries:
        name = extension_of(entry)
        app_id, short = _split(name)
        if context.extensions.get(name, "").endswith("[]"):
            message = (
                f"the extension of {entry.label} has several values: a sign-in delivers all of them if a "
                "synchronisation made the extension, and otherwise it is not documented what it delivers"
            )
            fix = "use one String with commas (for Flex under a name that ends in .stringarray)"
            yield Violation("multi-valued", entry.where, message, fix)
        exact = by_lower_case.get(name.lower(), name)
        if _split(exact)[1] != short:  # of the appId it is not documented that case counts
            message = f"{quote(name)} of {entry.label} differs in case from the extension '{exact}', "
            message += "and a value that was written under that name gives no claim"
            yield Violation("extension-case", entry.where, message, f"write '{exact}'")
        if not short or name.lower() in lower_case:
            continue
        if app_id.lower() in app_ids:
            similar = by_short_name.get(find_nearest(short, tuple(by_short_name)), "")
            fix = f"did you mean '{similar}'?" if similar else f"the stack knows {join_names(known)}"
            message = f"the stack knows no extension {quote(name)}, which {entry.label} needs"
            yield Violation("extension-unknown", entry.where, message, fix)
        elif short.lower() in by_short_name:
            message = f"{quote(name)} of {entry.label} belongs to another application than "
            message += f"'{by_short_name[short.lower()]}'"
            yield Violation("extension-unknown", entry.where, message, "check which application owns the extension")
