"""The transformations of a claims mapping policy (rules T1 to T7). Pure. What a transformation gives is bounded in
length and number: transformations can refer to each other."""

from collections.abc import Callable, Mapping
from itertools import product
from math import prod

from .evidence import UNDOCUMENTED, SourceValues
from .pattern_evaluation import MAX_RESULT, RESULT_TOO_LONG, UnsupportedPattern
from .pattern_process import PatternProcess
from .policy import PolicyTransformation

METHODS_FOR_NAME_ID = ("join", "extractmailprefix")
_REQUIRED_INPUTS: Mapping[str, tuple[str, ...]] = {
    "join": ("string1", "string2", "separator"), "extractmailprefix": ("mail",), "tolowercase": (),
    "touppercase": (), "regexreplace": ("sourceClaim", "regex", "replacement"),
}  # fmt: skip
METHODS = frozenset(_REQUIRED_INPUTS)
"""Those that Entra documents."""
MAX_COMBINATIONS = 1000  # of the values of inputs, if they are taken one by one


def apply_transformation(
    transformation: PolicyTransformation, read_reference: Callable[[str], SourceValues], patterns: PatternProcess
) -> SourceValues:
    """`read_reference` gives the values of what an input claim refers to; `patterns` evaluates the method's pattern."""
    if transformation.method == "createstringclaim":
        return SourceValues(evidence=("T5",))
    if transformation.method not in _REQUIRED_INPUTS:
        name = transformation.written or "(none)"
        return SourceValues(evidence=("T6",), reason=f"there is no transformation method {name}")
    if transformation.undocumented:
        return SourceValues(
            evidence=("S25",), unknown=f"the transformation has {transformation.undocumented}, {UNDOCUMENTED}"
        )
    evidence: list[str] = [*transformation.caveats]
    columns: list[list[tuple[str, str]]] = []
    for claim in transformation.claims:
        source = read_reference(claim.reference)
        evidence += source.evidence
        if source.unknown:
            return SourceValues(evidence=tuple(dict.fromkeys(evidence)), unknown=source.unknown)
        if not source.values:
            null = "T1" if transformation.method == "join" else "T6"
            reason = f"its input {claim.name} has no value: {source.reason}"
            return SourceValues(evidence=(*evidence, null, "T6"), reason=reason)
        if claim.each or len(source.values) > 1:
            evidence.append("T7 first" if claim.each and "S11 first" in source.evidence else "T7")
        columns.append([(claim.name.lower(), text) for text in (source.values if claim.each else source.values[:1])])
    # Constants are named as the method names them, additional inputs of RegexReplace as the policy does.
    constants = {name.lower(): value for name, value in transformation.parameters.items()}
    combinations = prod(map(len, columns))
    if combinations > MAX_COMBINATIONS:
        unknown = f"its inputs have {combinations:,} combinations of values, more than {MAX_COMBINATIONS:,}"
        return SourceValues(evidence=(*evidence, "T7"), unknown=unknown)
    rows = [{**constants, **dict(row)} for row in product(*columns)]
    required = _REQUIRED_INPUTS[transformation.method]
    missing = [name for name in required if any(name.lower() not in row for row in rows)]
    if missing or not all(rows):
        reason = f"it has no input {', '.join(missing)}".rstrip()
        return SourceValues(evidence=(*evidence, "T6"), reason=reason)
    texts: list[str] = []
    unknown = ""
    for row in rows:
        result = _run_method(transformation, row, patterns)
        evidence += result.evidence
        texts += result.values
        unknown = result.unknown or (RESULT_TOO_LONG if sum(map(len, texts)) > MAX_RESULT else "")
        if unknown:
            texts = []
            break
    evidence += ["S6"] if "" in texts else []
    return SourceValues(values=tuple(texts), evidence=tuple(dict.fromkeys(evidence)), unknown=unknown)


def _run_method(
    transformation: PolicyTransformation, inputs: Mapping[str, str], patterns: PatternProcess
) -> SourceValues:
    method = transformation.method
    if method == "join":
        evidence = ("T1", "T1 address") if "@" in inputs["string1"] else ("T1",)
        return SourceValues(values=(inputs["string1"] + inputs["separator"] + inputs["string2"],), evidence=evidence)
    if method == "extractmailprefix":
        return SourceValues(values=(inputs["mail"].partition("@")[0],), evidence=("T2",))
    if method == "regexreplace":
        return _replace_pattern(transformation, inputs, patterns)
    # Invariant case maps one character to one: the sharp s stays, where Python makes it two.
    change = str.lower if method == "tolowercase" else str.upper
    letters = (new if len(new := change(letter)) == 1 else letter for letter in next(iter(inputs.values())))
    return SourceValues(values=("".join(letters),), evidence=("T3",))


def _replace_pattern(
    transformation: PolicyTransformation, inputs: Mapping[str, str], patterns: PatternProcess
) -> SourceValues:
    names = {name.lower(): name for name in transformation.parameters}
    names |= {claim.name.lower(): claim.name for claim in transformation.claims}
    additional = {names[name]: value for name, value in inputs.items()}
    try:
        parts = inputs["regex"], inputs["replacement"], inputs["sourceclaim"]
        text, matches = patterns.replace_matches(*parts, additional)
    except UnsupportedPattern as problem:
        return SourceValues(evidence=("T4",), unknown=str(problem))
    rules = {0: ("T4", "T4 no match"), 1: ("T4",)}.get(matches, ("T4", "T4 every"))
    return SourceValues(values=(text,), evidence=rules)
