"""The transformations of a claims mapping policy over values that were read: rules T1 to T7. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product

from . import expressions
from .policy import Transformation
from .subject import Found

ON_NAME_ID = ("join", "extractmailprefix")

_Inputs = Mapping[str, str]
_Method = Callable[[Transformation, _Inputs], Found]


def run(transformation: Transformation, read: Callable[[str], Found]) -> Found:
    """What it gives; `read` looks up what an input claim refers to."""
    method = _METHODS.get(transformation.method)
    if transformation.method == "createstringclaim":
        return Found(grounds=("T5",), why="CreateStringClaim is accepted and sends nothing outside B2C")
    if method is None:
        return Found(grounds=("T6",), why=f"the method {transformation.written or '(none)'} is unknown")
    grounds: list[str] = []
    columns: list[list[tuple[str, str]]] = []
    for claim in transformation.claims:
        found = read(claim.reference)
        grounds += found.grounds
        if found.unknown:
            return Found(grounds=tuple(grounds), unknown=found.unknown)
        if not found.values:
            null = "T1" if transformation.method == "join" else "T6"
            return Found(grounds=(*grounds, null, "T6"), why=f"its input {claim.name} has no value: {found.why}")
        if len(found.values) > 1:
            grounds.append("T7")
        texts = found.values if claim.each else found.values[:1]
        columns.append([(claim.name.lower(), text) for text in texts])
        if claim.each:
            grounds.append("T7")
    # Constants go by the name the method has for them, additional inputs of RegexReplace by their own.
    constants = {name.lower(): value for name, value in transformation.parameters.items()}
    results = [method(transformation, {**constants, **dict(row)}) for row in product(*columns)]
    unknown = next((one.unknown for one in results if one.unknown), "")
    texts = tuple(text for one in results for text in one.values)
    why = "" if texts else next((one.why for one in results), "")
    grounds += [ground for one in results for ground in one.grounds]
    return Found(() if unknown else texts, tuple(dict.fromkeys(grounds)), why, unknown)


def _lacking(inputs: _Inputs, *names: str) -> Found | None:
    absent = [name for name in names if name.lower() not in inputs]
    return Found(grounds=("T6",), why=f"it has no input {', '.join(absent)}") if absent else None


def _join(_transformation: Transformation, inputs: _Inputs) -> Found:
    lacking = _lacking(inputs, "string1", "string2", "separator")
    return lacking or Found((inputs["string1"] + inputs["separator"] + inputs["string2"],), ("T1",))


def _prefix(_transformation: Transformation, inputs: _Inputs) -> Found:
    return _lacking(inputs, "mail") or Found((inputs["mail"].partition("@")[0],), ("T2",))


def _cased(change: Callable[[str], str]) -> _Method:
    def run_on_the_input(_transformation: Transformation, inputs: _Inputs) -> Found:
        if not inputs:
            return Found(grounds=("T6",), why="it has no input")
        # Invariant case maps one character to one: the sharp s stays, where Python makes it two.
        text = next(iter(inputs.values()))
        return Found(("".join(new if len(new := change(one)) == 1 else one for one in text),), ("T3",))

    return run_on_the_input


def _replace(transformation: Transformation, inputs: _Inputs) -> Found:
    lacking = _lacking(inputs, "sourceClaim", "regex", "replacement")
    if lacking:
        return lacking
    names = {name.lower(): name for name in transformation.parameters}
    names |= {one.name.lower(): one.name for one in transformation.claims}
    further = {names[name]: value for name, value in inputs.items()}
    try:
        found = expressions.replace(inputs["regex"], inputs["replacement"], inputs["sourceclaim"], further)
    except expressions.Unknowable as problem:
        return Found(grounds=("T4",), unknown=str(problem))
    return Found((found.text,), ("T4",) if found.matches == 1 else ("T4", "T4 every"))


_METHODS: Mapping[str, _Method] = {
    "join": _join,
    "extractmailprefix": _prefix,
    "tolowercase": _cased(str.lower),
    "touppercase": _cased(str.upper),
    "regexreplace": _replace,
}
