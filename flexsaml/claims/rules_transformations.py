"""Rules about transformations: their key, method, inputs, outputs and references.

Sources contradict each other on the key (`ClaimsTransformation` in the Graph reference, `ClaimsTransformations`
in accepted policies), and the service was seen to accept references that lead nowhere (grade A), so most of this
is a warning; what cannot work in any reading is an error.
"""

from __future__ import annotations

from collections.abc import Iterator

from .reading import Document, JsonNode
from .rules import Context, Told, load_table
from .rules_document import items
from .rules_sources import source_of
from .wording import find_nearest, join_names, quote

MOST_TRANSFORMATIONS = 50


def transformations_key(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """`ClaimsTransformation` or `ClaimsTransformations`: sources contradict each other."""
    body = document.body
    given = [key for key in ("ClaimsTransformation", "ClaimsTransformations") if body and body.get(key)]
    if len(given) == 2:
        yield given[0], "both spellings are there; the service reads one of them", "put all into one"
    elif given:
        other = ({"ClaimsTransformation", "ClaimsTransformations"} - set(given)).pop()
        text = f"sources contradict each other on this key: '{given[0]}' or '{other}'"
        yield given[0], text, f"if Graph refuses the definition, or the claim is absent, try '{other}'"


def too_many_transformations(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """At most 50 transformations."""
    if document.transformation_count > MOST_TRANSFORMATIONS:
        text = f"{document.transformation_count} transformations: those after the {MOST_TRANSFORMATIONS}th are ignored"
        yield f"ClaimsTransformation[{MOST_TRANSFORMATIONS}]", text, f"keep {MOST_TRANSFORMATIONS}"


def transformation_incomplete(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """A transformation has ID, TransformationMethod and OutputClaims."""
    for one in document.transformations:
        missing = [key for key in ("ID", "TransformationMethod") if not one.text(key)]
        missing += [] if one.get("OutputClaims") else ["OutputClaims"]
        if missing:
            yield one.where, f"the transformation {quote(one.text('ID'))} has no {join_names(missing)}", "write them"


def _method(transformation: JsonNode) -> tuple[str, str]:
    """The method as written, and its entry in the table ("" if it has none); `()` belongs to no name."""
    written = transformation.text("TransformationMethod")
    methods = load_table("transformations")["methods"]
    return written, next((name for name in methods if name.lower() == written.lower().removesuffix("()")), "")


def transformation_method(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """The method is one a claims mapping policy knows."""
    known = load_table("transformations")
    for one in document.transformations:
        written, method = _method(one)
        if not written or written in known["methods"]:
            continue
        if method:
            yield one.where, f"the method {quote(written)} is spelled '{method}'", f"write '{method}'"
        elif written in known["elsewhere"]:
            text = f"the method {quote(written)} belongs to B2C: {known['elsewhere'][written]}"
            yield one.where, text, 'for a constant write {"Value": ..., "SamlClaimType": ...} in ClaimsSchema'
        else:
            near = find_nearest(written.removesuffix("()"), tuple(known["methods"]), 0.6)
            portal = written.removesuffix("()") in known["portal_only"]
            why = "known to the portal only" if portal else "unknown"
            fix = f"did you mean '{near}'?" if near else f"known are {join_names(known['methods'])}"
            yield one.where, f"the method {quote(written)} is {why}", fix


def transformation_inputs(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """Inputs have the names the method takes, each once, and none is missing."""
    for one in document.transformations:
        _written, method = _method(one)
        if not method:
            continue
        wanted = load_table("transformations")["methods"][method]["inputs"]
        lenient = "optional_inputs" in load_table("transformations")["methods"][method]
        given = [item.text("TransformationClaimType") for item in items(one, "InputClaims")]
        given += [item.text("ID") for item in items(one, "InputParameters")]
        for name in given:
            if name not in wanted and not lenient:
                near = find_nearest(name, tuple(wanted), 0.6)
                fix = f"did you mean '{near}'?" if near else f"{method} takes {join_names(wanted)}"
                yield one.where, f"{method} takes no input {quote(name)}", fix
        missing = [name for name in wanted if name not in given]
        if missing:
            yield one.where, f"{method} lacks the input {join_names(missing)}", f"it takes {join_names(wanted)}"
        twice = sorted({name for name in given if given.count(name) > 1})
        if twice:
            yield one.where, f"{method} gets the input {quote(twice[0])} twice", "keep one"


def transformation_outputs(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """The output has the name the method gives."""
    for one in document.transformations:
        _written, method = _method(one)
        allowed = load_table("transformations")["methods"][method]["outputs"] if method else []
        for item in items(one, "OutputClaims"):
            name = item.text("TransformationClaimType")
            if allowed and name not in allowed:
                yield item.where, f"{method} gives no output {quote(name)}", f"write '{allowed[-1]}'"


def _references(document: Document) -> Iterator[tuple[JsonNode, str]]:
    for one in document.transformations:
        for key in ("InputClaims", "OutputClaims"):
            yield from ((item, item.text("ClaimTypeReferenceId")) for item in items(one, key))


def transformation_reference(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """Every ClaimTypeReferenceId refers to the ID of an entry of ClaimsSchema."""
    ids = [entry.text("ID") or entry.text("ExtensionID") for entry in document.entries]
    known = {one.lower() for one in ids if one}
    for item, name in _references(document):
        if name.lower() not in known:
            near = find_nearest(name, tuple(one for one in ids if one), 0.6)
            fix = f"did you mean '{near}'?" if near else "add an entry with this ID to ClaimsSchema"
            yield item.where, f"ClaimTypeReferenceId {quote(name)} refers to no entry of ClaimsSchema", fix


def reference_case(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """References have the case of what they refer to."""
    ids = {(entry.text("ID") or entry.text("ExtensionID")) for entry in document.entries}
    for item, name in _references(document):
        exact = next((one for one in ids if one.lower() == name.lower()), name)
        if name not in ids and exact != name:
            text = f"ClaimTypeReferenceId {quote(name)} differs in case from the ID {quote(exact)}"
            yield item.where, text, f"write {quote(exact)}"
    methods = {one.text("ID") for one in document.transformations}
    for entry in document.entries:
        name = entry.text("TransformationID")
        exact = next((one for one in methods if one.lower() == name.lower()), name)
        if name and name not in methods and exact != name:
            text = f"TransformationID {quote(name)} differs in case from the transformation {quote(exact)}"
            yield entry.where, text, f"write {quote(exact)}"


def transformation_undefined(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """Every TransformationID names a transformation."""
    known = [one.text("ID") for one in document.transformations if one.text("ID")]
    for entry in document.entries:
        name = entry.text("TransformationID")
        if name and name.lower() not in {one.lower() for one in known}:
            near = find_nearest(name, tuple(known), 0.6)
            fix = f"did you mean '{near}'?" if near else "define it in ClaimsTransformation"
            yield entry.where, f"TransformationID {quote(name)} of {entry.label} names no transformation", fix


def transformation_source(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """TransformationID goes with Source `transformation`."""
    for entry in document.entries:
        if entry.text("TransformationID") and source_of(entry) != "transformation":
            text = f"{entry.label} has a TransformationID with Source {quote(entry.text('Source'))}"
            yield entry.where, text, 'write "Source": "transformation"'


def transformation_unused(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """Every transformation is used by an entry."""
    used = {entry.text("TransformationID").lower() for entry in document.entries}
    for one in document.transformations:
        name = one.text("ID")
        if name and name.lower() not in used:
            text = f"no entry takes its claim from the transformation {quote(name)}"
            yield one.where, text, f'add an entry with "Source": "transformation", "TransformationID": {quote(name)}'
