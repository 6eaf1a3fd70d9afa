"""The transformations of a claims mapping policy, over values that have been read. Pure.

Quirks: an unknown method or a null input gives nothing (D); a claim with several values gives its first unless it
is treated as multi-valued (D); CreateStringClaim is accepted and gives nothing (A).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product

from emulator.entra.saml import dotnet
from emulator.entra.saml.policy import Transformation
from emulator.entra.saml.subject import Values

NAME_ID_METHODS = frozenset({"extractmailprefix", "join"})
_Inputs = Mapping[str, str]  # by kind, in lower case


def apply_transformation(transformation: Transformation, values_of: Callable[[str], Values]) -> Values:
    """The values that a transformation gives; `values_of` reads the entry that a reference names."""
    method = _METHODS.get(transformation.method)
    if method is None:
        return ()
    columns: list[list[tuple[str, str]]] = []
    for claim in transformation.claims:
        values = values_of(claim.reference)
        columns.append([(claim.kind, value) for value in (values if claim.each else values[:1])])
    constants = {name.lower(): value for name, value in transformation.parameters}
    # A null input leaves its column empty, and then the product is empty too.
    results = [method(transformation, {**constants, **dict(row)}) for row in product(*columns)]
    return tuple(text for text in results if text is not None)


def _join(_transformation: Transformation, inputs: _Inputs) -> str | None:
    if not {"string1", "string2", "separator"} <= inputs.keys():
        return None
    return inputs["string1"] + inputs["separator"] + inputs["string2"]


def _prefix(_transformation: Transformation, inputs: _Inputs) -> str | None:
    return inputs["mail"].partition("@")[0] if "mail" in inputs else None


def _cased(change: Callable[[str], str]) -> Callable[[Transformation, _Inputs], str | None]:
    def change_only_input(_transformation: Transformation, inputs: _Inputs) -> str | None:
        return next((change(text) for text in inputs.values()), None)

    return change_only_input


def _regex_replace(transformation: Transformation, inputs: _Inputs) -> str | None:
    if not {"sourceclaim", "regex", "replacement"} <= inputs.keys():
        return None
    # A replacement names parameters as the policy spells them; the inputs have their names in lower case.
    extra = {name: value for name, value in inputs.items() if name not in ("sourceclaim", "regex", "replacement")}
    extra |= {name: inputs[name.lower()] for name, _ in transformation.parameters if name.lower() in extra}
    return dotnet.replace(inputs["regex"], inputs["replacement"], inputs["sourceclaim"], extra)


_METHODS: dict[str, Callable[[Transformation, _Inputs], str | None]] = {
    "join": _join,
    "extractmailprefix": _prefix,
    "tolowercase": _cased(lambda text: "".join(_single_character(c, c.lower()) for c in text)),
    "touppercase": _cased(lambda text: "".join(_single_character(c, c.upper()) for c in text)),
    "regexreplace": _regex_replace,
}


def _single_character(before: str, after: str) -> str:
    """.NET's invariant case maps a character to a single one: the sharp s stays, Python makes it SS."""
    return after if len(after) == 1 else before
