"""Rules about transformations: their key, method, inputs, outputs and references.

Sources contradict each other on the key (`ClaimsTransformation` in the Graph reference, `ClaimsTransformations`
in accepted policies), and the service was observed to accept references that lead nowhere (grade A). So most of this
is a warning; what cannot work in any reading is an error.
"""

from __future__ import annotations

from collections.abc import Iterator

from .reading import Document, JsonNode
from .rules import NodeViolations, Violations, load_table
from .rules_document import list_items
from .rules_sources import source_of
from .wording import find_nearest, join_names, quote

MAX_TRANSFORMATIONS = 50


def transformations_key(document: Document) -> Violations:
    """There are no transformations: sources disagree on the key, `ClaimsTransformation` or `ClaimsTransformations`."""
    body, spellings = document.body, ("ClaimsTransformation", "ClaimsTransformations")
    keys = [key for key in spellings if body and body.get(key)]
    if len(keys) == 2:
        yield keys[0], "both spellings of the key are present; the service reads one of them", "put all under one"
    elif keys:
        other = next(key for key in spellings if key not in keys)
        message = f"sources disagree whether this key is '{keys[0]}' or '{other}'"
        yield keys[0], message, f"if Graph refuses the definition, or the claim is absent, try '{other}'"


def too_many_transformations(document: Document) -> Violations:
    """There are at most 50 transformations."""
    if document.transformation_count > MAX_TRANSFORMATIONS:
        message = f"there are {document.transformation_count} transformations; Entra ignores those after the "
        place, fix = f"ClaimsTransformation[{MAX_TRANSFORMATIONS}]", f"keep {MAX_TRANSFORMATIONS}"
        yield place, f"{message}{MAX_TRANSFORMATIONS}th", fix


def transformation_incomplete(transformation: JsonNode) -> NodeViolations:
    """A transformation has ID, TransformationMethod and OutputClaims."""
    missing = [key for key in ("ID", "TransformationMethod") if not transformation.text(key)]
    missing += [] if transformation.get("OutputClaims") else ["OutputClaims"]
    if missing:
        yield f"the transformation {quote(transformation.text('ID'))} has no {join_names(missing)}", "add them"


def _method_of(transformation: JsonNode) -> str:
    """The documented name of the method; "" if it has none. A `()` after the name is ignored."""
    written = transformation.text("TransformationMethod").lower().removesuffix("()")
    return next((name for name in load_table("transformations")["methods"] if name.lower() == written), "")


def transformation_method(transformation: JsonNode) -> NodeViolations:
    """The method is one that a claims mapping policy knows."""
    table = load_table("transformations")
    written, method = transformation.text("TransformationMethod"), _method_of(transformation)
    bare = written.removesuffix("()")
    if not written or written == method:
        return
    if method:
        yield f"the method {quote(written)} is documented as '{method}'", f"write '{method}'"
    elif written in table["elsewhere"]:
        message = f"the method {quote(written)} belongs to B2C: {table['elsewhere'][written]}"
        yield message, 'for a constant write {"Value": ..., "SamlClaimType": ...} in ClaimsSchema'
    else:
        similar = find_nearest(bare, tuple(table["methods"]), 0.6)
        fix = f"did you mean '{similar}'?" if similar else f"the methods are {join_names(table['methods'])}"
        status = "exists only in the portal" if bare in table["portal_only"] else "is unknown"
        yield f"the method {quote(written)} {status}", fix


def transformation_inputs(transformation: JsonNode) -> NodeViolations:
    """Each input of the method is there once, under its documented name."""
    method = _method_of(transformation)
    if not method:
        return
    table = load_table("transformations")["methods"][method]
    inputs = table["inputs"]
    given = [item.text("TransformationClaimType") for item in list_items(transformation, "InputClaims")]
    given += [item.text("ID") for item in list_items(transformation, "InputParameters")]
    for name in given:
        if name not in inputs and "optional_inputs" not in table:
            similar = find_nearest(name, tuple(inputs), 0.6)
            fix = f"did you mean '{similar}'?" if similar else f"{method} takes {join_names(inputs)}"
            yield f"{method} takes no input {quote(name)}", fix
    missing = [name for name in inputs if name not in given]
    if missing:
        yield f"{method} lacks the input {join_names(missing)}", f"{method} takes {join_names(inputs)}"
    repeated = sorted({name for name in given if given.count(name) > 1})
    if repeated:
        yield f"{method} gets the input {quote(repeated[0])} twice", "keep one of them"


def transformation_outputs(document: Document) -> Violations:
    """The output has the name that the method gives it."""
    for transformation in document.transformations:
        method = _method_of(transformation)
        outputs = load_table("transformations")["methods"][method]["outputs"] if method else []
        for item in list_items(transformation, "OutputClaims"):
            name = item.text("TransformationClaimType")
            if outputs and name not in outputs:
                yield item.where, f"{method} gives no output {quote(name)}", f"write '{outputs[-1]}'"


def _references(document: Document) -> Iterator[tuple[JsonNode, str]]:
    """Inputs and outputs of transformations, each with its ClaimTypeReferenceId."""
    for transformation in document.transformations:
        for key in ("InputClaims", "OutputClaims"):
            for item in list_items(transformation, key):
                yield item, item.text("ClaimTypeReferenceId")


def _entry_ids(document: Document) -> list[str]:
    ids = (entry.text("ID") or entry.text("ExtensionID") for entry in document.entries)
    return [id_ for id_ in ids if id_]


def transformation_reference(document: Document) -> Violations:
    """Every ClaimTypeReferenceId refers to the ID of an entry of ClaimsSchema."""
    ids = _entry_ids(document)
    lower_case = {id_.lower() for id_ in ids}
    for item, name in _references(document):
        if name.lower() not in lower_case:
            similar = find_nearest(name, tuple(ids), 0.6)
            fix = f"did you mean '{similar}'?" if similar else "add an entry with this ID to ClaimsSchema"
            yield item.where, f"ClaimTypeReferenceId {quote(name)} refers to no entry of ClaimsSchema", fix


def reference_case(document: Document) -> Violations:
    """References have the case of what they refer to."""
    ids = {id_.lower(): id_ for id_ in _entry_ids(document)}
    exact_ids = set(_entry_ids(document))
    for item, name in _references(document):
        exact = ids.get(name.lower(), name)
        if exact != name and name not in exact_ids:
            message = f"ClaimTypeReferenceId {quote(name)} differs in case from the ID {quote(exact)}"
            yield item.where, message, f"write {quote(exact)}"
    names = {node.text("ID").lower(): node.text("ID") for node in document.transformations}
    exact_names = {node.text("ID") for node in document.transformations}
    for entry in document.entries:
        name = entry.text("TransformationID")
        exact = names.get(name.lower(), name)
        if exact != name and name not in exact_names:
            message = f"TransformationID {quote(name)} differs in case from the transformation {quote(exact)}"
            yield entry.where, message, f"write {quote(exact)}"


def transformation_undefined(document: Document) -> Violations:
    """Every TransformationID names a transformation."""
    names = tuple(node.text("ID") for node in document.transformations if node.text("ID"))
    lower_case = {name.lower() for name in names}
    for entry in document.entries:
        name = entry.text("TransformationID")
        if name and name.lower() not in lower_case:
            similar = find_nearest(name, names, 0.6)
            fix = f"did you mean '{similar}'?" if similar else "define it in ClaimsTransformation"
            yield entry.where, f"TransformationID {quote(name)} of {entry.label} names no transformation", fix


def transformation_source(entry: JsonNode) -> NodeViolations:
    """TransformationID goes with Source `transformation`."""
    if entry.text("TransformationID") and source_of(entry) != "transformation":
        message = f"{entry.label} has a TransformationID, but its Source is {quote(entry.text('Source'))}"
        yield message, 'write "Source": "transformation"'


def transformation_unused(document: Document) -> Violations:
    """Every transformation is used by an entry."""
    used = {entry.text("TransformationID").lower() for entry in document.entries}
    for transformation in document.transformations:
        name = transformation.text("ID")
        if name and name.lower() not in used:
            fix = f'add an entry with "Source": "transformation", "TransformationID": {quote(name)}'
            yield transformation.where, f"no entry uses the transformation {quote(name)}", fix
