"""The transformations of a claims mapping policy, over values that have been read. Pure.

Quirks: an unknown method or a null input gives nothing (D); a claim with several values gives its first unless it
is treated as multi-valued (D); CreateStringClaim is accepted and gives nothing (A).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

from emulator.entra.saml import dotnet
from emulator.entra.saml.policy import Transformation
from emulator.entra.saml.subject import Values

NAME_ID_METHODS = frozenset({"extractmailprefix", "join"})


def apply_transformation(transformation: Transformation, values_of: Callable[[str], Values]) -> Values:
    """The values that a transformation gives; `values_of` reads the entry that a reference names."""
    columns: list[list[tuple[str, str]]] = []
    for claim in transformation.claims:
        values = values_of(claim.reference)
        columns.append([(claim.kind, value) for value in (values if claim.each else values[:1])])
    constants = {name.lower(): value for name, value in transformation.parameters.items()}
    # A null input leaves its column empty, and then the product is empty too.
    results = [_transform(transformation, {**constants, **dict(row)}) for row in product(*columns)]
    return tuple(text for text in results if text is not None)


def _transform(transformation: Transformation, inputs: dict[str, str]) -> str | None:
    """The text for these inputs, by kind in lower case; None when one is missing."""
    match transformation.method:
        case "join" if {"string1", "string2", "separator"} <= inputs.keys():
            return inputs["string1"] + inputs["separator"] + inputs["string2"]
        case "extractmailprefix" if "mail" in inputs:
            return inputs["mail"].partition("@")[0]
        case "tolowercase" | "touppercase" as method if inputs:
            change = str.lower if method == "tolowercase" else str.upper
            # .NET's invariant case maps a character to a single one: the sharp s stays, Python makes it SS.
            return "".join(change(c) if len(change(c)) == 1 else c for c in next(iter(inputs.values())))
        case "regexreplace" if {"sourceclaim", "regex", "replacement"} <= inputs.keys():
            fixed = inputs["regex"], inputs["replacement"], inputs["sourceclaim"]
            extra = {kind: text for kind, text in inputs.items() if kind not in ("sourceclaim", "regex", "replacement")}
            # A replacement names parameters as the policy spells them; the inputs have their names in lower case.
            extra |= {name: inputs[name.lower()] for name in transformation.parameters if name.lower() in extra}
            return dotnet.replace(*fixed, extra)
    return None
