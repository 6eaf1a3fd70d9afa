"""Rules about transformations: their key, method, inputs, outputs and references. Sources contradict each other on the
key (`ClaimsTransformation` in the Graph reference, `ClaimsTransformations` in accepted policies), and the service was
observed to accept references that lead nowhere (grade A). So most of this is a warning; what cannot work in any reading
is an error."""

from .reading import Document, JsonNode, check_nodes
from .rules import Context, NodeViolations, Violation, Violations, load_table
from .rules_document import list_references
from .rules_sources import source_of
from .wording import join_names, quote, suggest

MAX_TRANSFORMATIONS = 50


def check(document: Document, _context: Context) -> Violations:
    yield from _check_key(document)
    yield from check_nodes(document.transformations, _check_frame, _check_method, _check_inputs)
    for transformation in document.transformations:
        yield from _check_outputs(transformation)
    yield from _check_references(document)
    yield from _check_uses(document)


def _check_key(document: Document) -> Violations:
    """There are at most 50 transformations. Sources disagree on the key that holds them."""
    body, spellings = document.body, ("ClaimsTransformation", "ClaimsTransformations")
    keys = [key for key in spellings if body and body.get(key)]
    if len(keys) == 2:
        message = "both spellings of the key are present, and it is not documented which of them the service reads"
        yield Violation("transformations-key", keys[0], message, "put all under one")
    elif keys:
        other = next(key for key in spellings if key not in keys)
        message = f"sources disagree whether this key is '{keys[0]}' or '{other}'"
        fix = f"if Graph refuses the definition, or the claim is absent, try '{other}'"
        yield Violation("transformations-key", keys[0], message, fix)
    if document.transformation_count > MAX_TRANSFORMATIONS:
        message = f"there are {document.transformation_count} transformations; Entra reads {MAX_TRANSFORMATIONS} of "
        place, fix = f"ClaimsTransformation[{MAX_TRANSFORMATIONS}]", f"keep {MAX_TRANSFORMATIONS}"
        yield Violation("too-many-transformations", place, f"{message}them, probably the first", fix)


def _check_frame(transformation: JsonNode) -> NodeViolations:
    """A transformation has ID, TransformationMethod and OutputClaims."""
    missing = [key for key in ("ID", "TransformationMethod") if not transformation.text(key)]
    missing += [] if transformation.get("OutputClaims") else ["OutputClaims"]
    if missing:
        message = f"the transformation {quote(transformation.text('ID'))} has no {join_names(missing)}"
        yield "transformation-incomplete", message, "add them"


def _method_of(transformation: JsonNode) -> str:
    """The documented name of the method; "" if it has none. A `()` after the name is ignored."""
    written = transformation.text("TransformationMethod").lower().removesuffix("()")
    return next((name for name in load_table("transformations")["methods"] if name.lower() == written), "")


def _check_method(transformation: JsonNode) -> NodeViolations:
    """The method is one that a claims mapping policy knows."""
    table = load_table("transformations")
    written, method = transformation.text("TransformationMethod"), _method_of(transformation)
    bare, message = written.removesuffix("()"), f"the method {quote(written)}"
    if not written or written == method:
        return
    if method:
        message, fix = f"{message} is documented as '{method}'", f"write '{method}'"
    elif written in table["elsewhere"]:
        message = f"{message} belongs to B2C: {table['elsewhere'][written]}"
        fix = 'for a constant write {"Value": ..., "SamlClaimType": ...} in ClaimsSchema'
    else:
        message += " exists only in the portal" if bare in table["portal_only"] else " is unknown"
        fix = suggest(bare, table["methods"], f"the methods are {join_names(table['methods'])}")
    yield "transformation-method", message, fix


def _check_inputs(transformation: JsonNode) -> NodeViolations:
    """Each input of the method is there once, under its documented name."""
    method = _method_of(transformation)
    if not method:
        return
    table = load_table("transformations")["methods"][method]
    inputs, takes = table["inputs"], f"{method} takes {join_names(table['inputs'])}"
    given = [item.text("TransformationClaimType") for item in transformation.list_items("InputClaims")]
    given += [item.text("ID") for item in transformation.list_items("InputParameters")]
    for name in given:
        if name not in inputs and "optional_inputs" not in table:
            yield "transformation-inputs", f"{method} takes no input {quote(name)}", suggest(name, inputs, takes)
    missing = [name for name in inputs if name not in given]
    if missing:
        yield "transformation-inputs", f"{method} lacks the input {join_names(missing)}", takes
    repeated = sorted({name for name in given if given.count(name) > 1})
    if repeated:
        yield "transformation-inputs", f"{method} gets the input {quote(repeated[0])} twice", "keep one of them"


def _check_outputs(transformation: JsonNode) -> Violations:
    """The output has the name that the method gives it."""
    method = _method_of(transformation)
    outputs = load_table("transformations")["methods"][method]["outputs"] if method else []
    for item in transformation.list_items("OutputClaims"):
        name = item.text("TransformationClaimType")
        if outputs and name not in outputs:
            message = f"{method} gives no output {quote(name)}"
            yield Violation("transformation-outputs", item.where, message, f"write '{outputs[-1]}'")


def _check_references(document: Document) -> Violations:
    """Every ClaimTypeReferenceId refers to the ID of an entry of ClaimsSchema, in the same case."""
    ids = [name for entry in document.entries if (name := entry.text("ID") or entry.text("ExtensionID"))]
    by_lower_case = {id_.lower(): id_ for id_ in ids}
    for item in list_references(document):
        name = item.text("ClaimTypeReferenceId")
        exact = by_lower_case.get(name.lower())
        if exact is None:
            fix = suggest(name, ids, "add an entry with this ID to ClaimsSchema")
            message = f"ClaimTypeReferenceId {quote(name)} refers to no entry of ClaimsSchema"
            yield Violation("transformation-reference", item.where, message, fix)
        elif name not in ids:
            message = f"ClaimTypeReferenceId {quote(name)} differs in case from the ID {quote(exact)}"
            yield Violation("reference-case", item.where, message, f"write {quote(exact)}")


def _check_uses(document: Document) -> Violations:
    """Entries and transformations belong together: every TransformationID names a transformation, in the same case and
    with Source `transformation`; every transformation is used."""
    names = tuple(name for node in document.transformations if (name := node.text("ID")))
    by_lower_case = {name.lower(): name for name in names}
    for entry in document.entries:
        name = entry.text("TransformationID")
        exact = by_lower_case.get(name.lower())
        if name and exact is None:
            fix = suggest(name, names, "define it in ClaimsTransformation")
            message = f"TransformationID {quote(name)} of {entry.label} names no transformation"
            yield Violation("transformation-undefined", entry.where, message, fix)
        elif name and name not in names:
            message = f"TransformationID {quote(name)} differs in case from the transformation {quote(exact)}"
            yield Violation("reference-case", entry.where, message, f"write {quote(exact)}")
        if name and source_of(entry) != "transformation":
            message = f"{entry.label} has a TransformationID, but its Source is {quote(entry.text('Source'))}"
            yield Violation("transformation-source", entry.where, message, 'write "Source": "transformation"')
    used = {entry.text("TransformationID").lower() for entry in document.entries}
    for transformation in document.transformations:
        name = transformation.text("ID")
        if name and name.lower() not in used:
            fix = f'add an entry with "Source": "transformation", "TransformationID": {quote(name)}'
            message = f"no entry uses the transformation {quote(name)}"
            yield Violation("transformation-unused", transformation.where, message, fix)
