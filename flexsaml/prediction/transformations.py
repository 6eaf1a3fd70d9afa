"""The transformations of a claims mapping policy: rules T1 to T7. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product

from .evidence import SourceValues
from .expressions import UnsupportedPattern, replace_matches
from .policy import PolicyTransformation

METHODS_FOR_NAME_ID = ("join", "extractmailprefix")

_Method = Callable[[PolicyTransformation, Mapping[str, str]], SourceValues]


def apply_transformation(
    transformation: PolicyTransformation, read_reference: Callable[[str], SourceValues]
) -> SourceValues:
    """`read_reference` gives the values of what an input claim refers to."""
    if transformation.method == "createstringclaim":
        return SourceValues(evidence=("T5",), reason="Entra sends nothing for CreateStringClaim outside B2C")
    if transformation.method not in _METHODS:
        name = transformation.written or "(none)"
        return SourceValues(evidence=("T6",), reason=f"there is no transformation method {name}")
    inputs, run_method = _METHODS[transformation.method]
    evidence: list[str] = []
    columns: list[list[tuple[str, str]]] = []
    for claim in transformation.claims:
        source = read_reference(claim.reference)
        evidence += source.evidence
        if source.unknown:
            return SourceValues(evidence=tuple(evidence), unknown=source.unknown)
        if not source.values:
            null = "T1" if transformation.method == "join" else "T6"
            reason = f"its input {claim.name} has no value: {source.reason}"
            return SourceValues(evidence=(*evidence, null, "T6"), reason=reason)
        if claim.each or len(source.values) > 1:
            evidence.append("T7")
        columns.append([(claim.name.lower(), text) for text in (source.values if claim.each else source.values[:1])])
    # Constants are named as the method names them, additional inputs of RegexReplace as the policy does.
    constants = {name.lower(): value for name, value in transformation.parameters.items()}
    rows = [{**constants, **dict(row)} for row in product(*columns)]
    missing = [name for name in inputs if any(name.lower() not in row for row in rows)]
    if missing or not all(rows):
        reason = f"it has no input {', '.join(missing)}".rstrip()
        return SourceValues(evidence=(*evidence, "T6"), reason=reason)
    results = [run_method(transformation, row) for row in rows]
    evidence += [rule for result in results for rule in result.evidence]
    unknown = next((result.unknown for result in results if result.unknown), "")
    texts = () if unknown else tuple(text for result in results for text in result.values)
    return SourceValues(values=texts, evidence=tuple(dict.fromkeys(evidence)), unknown=unknown)


def _join(_transformation: PolicyTransformation, inputs: Mapping[str, str]) -> SourceValues:
    return SourceValues(values=(inputs["string1"] + inputs["separator"] + inputs["string2"],), evidence=("T1",))


def _extract_mail_prefix(_transformation: PolicyTransformation, inputs: Mapping[str, str]) -> SourceValues:
    return SourceValues(values=(inputs["mail"].partition("@")[0],), evidence=("T2",))


def _change_case(change: Callable[[str], str]) -> _Method:
    def change_first_input(_transformation: PolicyTransformation, inputs: Mapping[str, str]) -> SourceValues:
        # Invariant case maps one character to one: the sharp s stays, where Python makes it two.
        text = next(iter(inputs.values()))
        letters = (new if len(new := change(letter)) == 1 else letter for letter in text)
        return SourceValues(values=("".join(letters),), evidence=("T3",))

    return change_first_input


def _replace_pattern(transformation: PolicyTransformation, inputs: Mapping[str, str]) -> SourceValues:
    names = {name.lower(): name for name in transformation.parameters}
    names |= {claim.name.lower(): claim.name for claim in transformation.claims}
    additional = {names[name]: value for name, value in inputs.items()}
    try:
        text, matches = replace_matches(inputs["regex"], inputs["replacement"], inputs["sourceclaim"], additional)
    except UnsupportedPattern as problem:
        return SourceValues(evidence=("T4",), unknown=str(problem))
    return SourceValues(values=(text,), evidence=("T4",) if matches == 1 else ("T4", "T4 every"))


_METHODS: Mapping[str, tuple[tuple[str, ...], _Method]] = {
    "join": (("string1", "string2", "separator"), _join),
    "extractmailprefix": (("mail",), _extract_mail_prefix),
    "tolowercase": ((), _change_case(str.lower)),
    "touppercase": ((), _change_case(str.upper)),
    "regexreplace": (("sourceClaim", "regex", "replacement"), _replace_pattern),
}
"""Method to its required inputs and what it does."""
