"""Rules about where a claim comes from: Source, ID, Value.

The service does not check Source/ID values: a policy with `"ID": "900"` was accepted and the claim never issued
(grade A). So an attribute that is missing in the documented table is a warning.
"""

from __future__ import annotations

from .model import SOURCES
from .reading import JsonNode
from .rules import NodeViolations, load_table
from .wording import escape, find_nearest, join_names, quote

ALL_SOURCES = (*SOURCES, "transformation", "CustomClaimsProvider")
_WRITE_USER = 'write "Source": "user"'
_OTHER_NAMES = {
    "email": "mail", "emailaddress": "mail", "upn": "userprincipalname", "username": "userprincipalname",
    "firstname": "givenname", "lastname": "surname", "name": "displayname", "fullname": "displayname",
    "role": "assignedroles", "roles": "assignedroles", "approles": "assignedroles", "phone": "telephonenumber",
    "mobile": "mobilephone", "title": "jobtitle", "zip": "postalcode", "samaccountname": "onpremisessamaccountname",
    "company": "companyname", "location": "officelocation", "businessphones": "telephonenumber",
    "onpremisessecurityidentifier": "onpremisesecurityidentifier",
}  # fmt: skip


def source_of(entry: JsonNode) -> str:
    """The Source in lower case, "" when it is absent."""
    return entry.text("Source").lower()


def constant_of(entry: JsonNode) -> str | None:
    """The text of a constant claim, None for every other claim."""
    value = entry.get("Value")
    return value if isinstance(value, str) and not entry.has("Source") else None


def no_source(entry: JsonNode) -> NodeViolations:
    """Every entry has a source."""
    if not any(entry.has(key) for key in ("Source", "ID", "ExtensionID", "Value", "TransformationID")):
        yield f"{entry.label} has no source", "write Source and ID, Source and ExtensionID, or Value"


def several_sources(entry: JsonNode) -> NodeViolations:
    """No entry has two sources."""
    keys = [key for key in ("ID", "ExtensionID", "Value") if entry.has(key)]
    if source_of(entry) == "constant" and "Value" in keys:
        return
    if keys == ["Value"] and entry.has("Source"):
        keys = ["Source", "Value"]
    if len(keys) > 1:
        yield f"{entry.label} has {' and '.join(keys)}, which are two sources", "keep one of them"


def source_incomplete(entry: JsonNode) -> NodeViolations:
    """Source and ID come together, and a transformation names its TransformationID."""
    source = entry.text("Source")
    if entry.has("ID") and not entry.has("Source"):
        yield f"{entry.label} has an ID but no Source", _WRITE_USER
    elif source.lower() == "transformation":
        missing = [key for key in ("ID", "TransformationID") if not entry.text(key)]
        if missing:
            message = f"{entry.label} comes from a transformation but has no {' and no '.join(missing)}"
            yield message, "write ID (the output claim) and TransformationID"
    elif source.lower() in (*SOURCES, "customclaimsprovider"):
        if not any(entry.text(key) for key in ("ID", "ExtensionID", "Value")):
            yield f"{entry.label} has Source {quote(source)} but no ID", "write the ID of an attribute"
    elif entry.has("Source") and not source and isinstance(entry.get("Source"), str):
        yield f"{entry.label} has an empty Source", _WRITE_USER


def source_unknown(entry: JsonNode) -> NodeViolations:
    """Source is one that the service knows."""
    source = entry.text("Source")
    if source.lower() not in {source.lower() for source in ALL_SOURCES} | {"constant", ""}:
        similar = find_nearest(source, ALL_SOURCES, 0.6)
        fix = f"write '{similar}'" if similar else f"write one of {join_names(ALL_SOURCES)}"
        yield f"{entry.label} has the unknown Source {quote(source)}", fix


def constant_source(entry: JsonNode) -> NodeViolations:
    """A constant has Value alone, without Source `Constant`."""
    if source_of(entry) == "constant":
        value = escape(entry.get("Value") or entry.get("ID") or "text")
        message = f"{entry.label} has Source 'Constant', which was reported not to work"
        yield message, f'write "Value": "{value}" without Source and ID'


def id_unknown(entry: JsonNode) -> NodeViolations:
    """Source and ID are a documented pair; otherwise Graph accepts the policy and the claim is never issued."""
    source, id_ = source_of(entry), entry.text("ID")
    if _is_undocumented(entry) and id_.lower() not in _observed_ids(source):
        message = f"{source}.{escape(id_)} is not a documented attribute: Graph accepts the policy, but "
        yield message + f"{entry.label} is never issued", _suggest_id(source, id_)


def id_undocumented(entry: JsonNode) -> NodeViolations:
    """The ID is in the documented table, not only in policies that were observed to work."""
    source, id_ = source_of(entry), entry.text("ID")
    if _is_undocumented(entry) and id_.lower() in _observed_ids(source):
        yield f"{source}.{id_} is not documented, but policies with it were observed to work", ""


def _observed_ids(source: str) -> list[str]:
    ids: list[str] = load_table("attributes")["observed"].get(source, [])
    return ids


def _is_undocumented(entry: JsonNode) -> bool:
    """True if the entry names an attribute that the documented table of its Source lacks."""
    source, id_ = source_of(entry), entry.text("ID").lower()
    if source not in SOURCES or not id_ or id_.startswith("extension_"):
        return False
    return id_ not in {name.lower() for name in load_table("attributes")[source]}


def _suggest_id(source: str, id_: str) -> str:
    attributes = load_table("attributes")
    bare = id_.lower().removeprefix(f"{source}.").replace("_", "").replace(" ", "")
    exact = {name.lower(): name for name in attributes[source]}
    similar = exact.get(bare) or (_OTHER_NAMES.get(bare) if source == "user" else None)
    other_source = next((name for name in SOURCES if bare in {id_.lower() for id_ in attributes[name]}), "")
    if source == "user" and other_source and not similar:
        return f"did you mean Source '{other_source}'?"
    similar = similar or find_nearest(bare, tuple(attributes[source]))
    if similar:
        return f"did you mean '{similar}'?"
    if other_source:
        return f"did you mean Source '{other_source}'?"
    if source == "user":
        return f'for a constant write "Value": "{escape(id_)}" alone; for an extension use ExtensionID'
    return f"write one of {join_names(attributes[source])}"


def single_value_emitted(entry: JsonNode) -> NodeViolations:
    """The attribute has one value (othermail, tags and proxyaddresses have several, and one is issued)."""
    if entry.text("ID").lower() in load_table("attributes")["one_value_emitted"] and source_of(entry) in SOURCES:
        yield f"{entry.text('ID')} may hold several values, of which {entry.label} gets one", ""


def custom_claims_provider(entry: JsonNode) -> NodeViolations:
    """No Source `CustomClaimsProvider`: it needs a custom authentication extension, which lint cannot check."""
    if source_of(entry) == "customclaimsprovider":
        message = f"{entry.label} comes from a custom claims provider, and lint cannot check that one is configured"
        yield message, "configure the custom authentication extension, or use another source"
