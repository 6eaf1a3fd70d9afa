"""Rules about where a claim comes from: Source, ID, Value.

The service does not check Source/ID values: a policy with `"ID": "900"` was accepted and the claim never issued
(grade A). So an attribute that is missing in the documented table is a warning.
"""

from __future__ import annotations

from .model import SOURCES
from .reading import Document, JsonNode
from .rules import Context, NodeViolations, Violations, check_nodes, load_table
from .wording import escape, find_nearest, join_names, quote

ALL_SOURCES = (*SOURCES, "transformation", "CustomClaimsProvider")
_WRITE_USER = 'write "Source": "user"'


def check(document: Document, _context: Context) -> Violations:
    return check_nodes(document.entries, _check_parts, _check_source, _check_id)


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
    message = ""
    fix = _WRITE_USER
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
    """Source and ID are a documented pair; otherwise Graph accepts the policy and the claim is never issued."""
    table, source, id_ = load_table("attributes"), source_of(entry), entry.text("ID")
    if source not in SOURCES or not id_:
        return
    if id_.lower() in table["one_value_emitted"]:
        yield "single-value-emitted", f"{id_} may hold several values, of which {entry.label} gets one", ""
    if id_.lower().startswith("extension_") or id_.lower() in {name.lower() for name in table[source]}:
        return
    if id_.lower() in table["observed"].get(source, ()):
        message = f"{source}.{id_} is not documented, but policies with it were observed to work"
        yield "id-undocumented", message, ""
    else:
        message = f"{source}.{escape(id_)} is not a documented attribute: Graph accepts the policy, but "
        yield "id-unknown", message + f"{entry.label} is never issued", _suggest_id(source, id_)


def _suggest_id(source: str, id_: str) -> str:
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
