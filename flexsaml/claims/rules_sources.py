"""Rules about where a claim comes from: Source, ID, Value.

The service does not check Source/ID values: a policy with `"ID": "900"` was accepted and the claim never issued
(grade A), so what is not in the documented table is a warning.
"""

from __future__ import annotations

from collections.abc import Iterator

from .reading import Document, JsonNode
from .rules import Context, Told, load_table
from .wording import escape, find_nearest, join_names, quote

SOURCES = ("user", "application", "resource", "audience", "company")
ALL_SOURCES = (*SOURCES, "transformation", "CustomClaimsProvider")
_OTHER_NAMES = {
    "email": "mail", "emailaddress": "mail", "upn": "userprincipalname", "username": "userprincipalname",
    "firstname": "givenname", "lastname": "surname", "name": "displayname", "fullname": "displayname",
    "role": "assignedroles", "roles": "assignedroles", "approles": "assignedroles", "phone": "telephonenumber",
    "mobile": "mobilephone", "title": "jobtitle", "zip": "postalcode", "samaccountname": "onpremisessamaccountname",
    "company": "companyname", "location": "officelocation", "businessphones": "telephonenumber",
    "onpremisessecurityidentifier": "onpremisesecurityidentifier",
}  # fmt: skip


def source_of(entry: JsonNode) -> str:
    return entry.text("Source").lower()


def constant(entry: JsonNode) -> str | None:
    """The text of a constant claim."""
    value = entry.get("Value")
    return value if isinstance(value, str) and not entry.has("Source") else None


def no_source(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """Every entry has a source."""
    for entry in document.entries:
        if not any(entry.has(key) for key in ("Source", "ID", "ExtensionID", "Value", "TransformationID")):
            text = f"{entry.label} has no source"
            yield entry.where, text, "write Source and ID, Source and ExtensionID, or Value"


def several_sources(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """No entry has two sources."""
    for entry in document.entries:
        given = [key for key in ("ID", "ExtensionID", "Value") if entry.has(key)]
        if entry.has("Value") and entry.has("Source") and source_of(entry) != "constant" and len(given) < 2:
            given.insert(0, "Source")
        if source_of(entry) == "constant" and "Value" in given:
            given = ["Value"]
        if len(given) > 1:
            yield entry.where, f"{entry.label} has {' and '.join(given)}, which are two sources", "keep one of them"


def source_incomplete(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """Source and ID come together, a transformation names its TransformationID."""
    for entry in document.entries:
        source = entry.text("Source")
        if entry.has("ID") and not entry.has("Source"):
            yield entry.where, f"{entry.label} has an ID and no Source", 'write "Source": "user"'
        elif source.lower() == "transformation":
            missing = [key for key in ("ID", "TransformationID") if not entry.text(key)]
            if missing:
                text = f"{entry.label} comes from a transformation and has no {' and no '.join(missing)}"
                yield entry.where, text, "write ID (the output claim) and TransformationID"
        elif source.lower() in (*SOURCES, "customclaimsprovider") and not any(
            entry.text(key) for key in ("ID", "ExtensionID", "Value")
        ):
            yield entry.where, f"{entry.label} has Source {quote(source)} and no ID", "write the ID of an attribute"
        elif entry.has("Source") and not source and isinstance(entry.get("Source"), str):
            yield entry.where, f"{entry.label} has an empty Source", 'write "Source": "user"'


def source_unknown(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """Source is one the service knows."""
    known = {source.lower() for source in ALL_SOURCES} | {"constant", ""}
    for entry in document.entries:
        source = entry.text("Source")
        if source.lower() not in known:
            near = find_nearest(source, ALL_SOURCES, 0.6)
            fix = f"write '{near}'" if near else f"write one of {join_names(ALL_SOURCES)}"
            yield entry.where, f"Source {quote(source)} of {entry.label} is unknown", fix


def constant_source(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """No Source `Constant`: a constant has Value alone."""
    for entry in document.entries:
        if source_of(entry) == "constant":
            value = escape(entry.get("Value") or entry.get("ID") or "text")
            text = f"{entry.label} has Source 'Constant', which was reported as not working"
            yield entry.where, text, f'write "Value": "{value}" without Source and ID'


def id_unknown(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """Source and ID are a documented pair; otherwise the policy is accepted and the claim never issued."""
    for entry, source, id_ in _pairs(document):
        if id_.lower() not in _observed(source):
            text = f"{source}.{escape(id_)} is no documented attribute: accepted, and {entry.label} never issued"
            yield entry.where, text, _meant(source, id_)


def id_undocumented(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """An ID the table lacks, though policies with it were seen to work."""
    for entry, source, id_ in _pairs(document):
        if id_.lower() in _observed(source):
            yield entry.where, f"{source}.{id_} is not documented, policies with it were seen to work", ""


def _observed(source: str) -> list[str]:
    found: list[str] = load_table("attributes")["observed"].get(source, [])
    return found


def _pairs(document: Document) -> Iterator[tuple[JsonNode, str, str]]:
    """Entries whose ID is not in the table."""
    attributes = load_table("attributes")
    for entry in document.entries:
        source, id_ = source_of(entry), entry.text("ID")
        if source in SOURCES and id_ and not id_.lower().startswith("extension_"):
            known = {one.lower() for one in attributes[source]}
            if id_.lower() not in known:
                yield entry, source, id_


def _meant(source: str, id_: str) -> str:
    attributes = load_table("attributes")
    bare = id_.lower().removeprefix(f"{source}.").replace("_", "").replace(" ", "")
    same = {one.lower(): one for one in attributes[source]}
    near = same.get(bare) or (_OTHER_NAMES.get(bare) if source == "user" else None)
    other = next((one for one in SOURCES if bare in {name.lower() for name in attributes[one]}), "")
    if source == "user" and other and not near:
        return f"did you mean Source '{other}'?"
    near = near or find_nearest(bare, tuple(attributes[source]))
    if near:
        return f"did you mean '{near}'?"
    if other:
        return f"did you mean Source '{other}'?"
    if source == "user":
        return f'for a constant write "Value": "{escape(id_)}" alone; for an extension use ExtensionID'
    return f"write one of {join_names(attributes[source])}"


def single_value_emitted(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """othermail, tags and proxyaddresses hold several values, of which one is issued."""
    for entry in document.entries:
        if entry.text("ID").lower() in load_table("attributes")["one_value_emitted"] and source_of(entry) in SOURCES:
            yield entry.where, f"{entry.text('ID')} of {entry.label} may hold several values, one is issued", ""


def custom_claims_provider(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """Source `CustomClaimsProvider` needs a custom authentication extension, which is not looked at here."""
    for entry in document.entries:
        if source_of(entry) == "customclaimsprovider":
            text = f"{entry.label} comes from a custom claims provider; whether one is configured is not looked at"
            yield entry.where, text, "configure the custom authentication extension, or use another source"
