"""Rules of the flex profile about types: the suffix of a worker attribute's name against what its source gives.

An ill-typed value fails the login with "400 Error invalid attribute format" and updates nothing (grade A, Twilio's
documentation). Which attributes of Entra may hold a number is our inference (grade D).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .reading import Document
from .rules import Context, Told, load_table
from .rules_flex import attributes, channel_of, kind_of, values_of
from .rules_sources import source_of
from .wording import find_nearest, join_names, quote

_BOOLEAN_IDS = {"accountenabled", "onpremisessyncenabled"}
_MAYBE_NUMBER = re.compile(r"employeeid|postalcode|.*phone.*|facsimile.*|extensionattribute\d+|mobile.*")
_KIND = {"Boolean": "boolean", "Integer": "int", "LargeInteger": "int"}


def suffix_case(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """Type suffixes are in lower case."""
    suffixes = load_table("flex")["typed_suffix"]
    for entry, name in attributes(document):
        base, dot, suffix = name.rpartition(".")
        if dot and not channel_of(name) and suffix not in suffixes and suffix.lower() in suffixes:
            text = f"{entry.label} ends in '.{suffix}'; Flex knows '.{suffix.lower()}'"
            yield entry.where, text, f"write {quote(f'{base}.{suffix.lower()}')}"


def suffix_unknown(document: Document, context: Context) -> Iterator[Told]:  # noqa: ARG001
    """A name with a dot ends in a type Flex knows, or is one of channel.*."""
    suffixes = tuple(load_table("flex")["typed_suffix"])
    for entry, name in attributes(document):
        base, dot, suffix = name.rpartition(".")
        if dot and not name.startswith("channel.") and suffix.lower() not in suffixes:
            near = {"integer": "int", "bool": "boolean", "array": "stringarray", "list": "stringarray"}.get(
                suffix.lower()
            ) or find_nearest(suffix, suffixes, 0.6)
            text = f"{entry.label} ends in {quote('.' + suffix)}, which is no type of Flex"
            fix = f"did you mean {quote(f'{base}.{near}')}?" if near else f"types are {join_names(suffixes)}"
            yield entry.where, text, fix


def typed_source(document: Document, context: Context) -> Iterator[Told]:
    """The source can give what the type suffix promises."""
    for entry, name in attributes(document):
        kind = kind_of(name).removesuffix("array")
        data_type = context.extensions.get(entry.text("ExtensionID"), "").removesuffix("[]")
        if kind not in ("int", "boolean"):
            continue
        wanted = "whole numbers" if kind == "int" else "true or false"
        if data_type and data_type != "String" and _KIND.get(data_type) != kind:
            text = f"{entry.label} promises {wanted}, its extension is {data_type}; Flex refuses the login"
            yield entry.where, text, f"use an extension of type {'Integer' if kind == 'int' else 'Boolean'}"
        elif source_of(entry) == "user" and _cannot(entry.text("ID").lower(), kind):
            text = f"{entry.label} promises {wanted}, user.{entry.text('ID')} is text; Flex refuses the login"
            yield entry.where, text, "leave the type suffix out, or use another source"


def _cannot(id_: str, kind: str) -> bool:
    known = {one.lower() for one in load_table("attributes")["user"]}
    if id_ not in known:
        return False
    if kind == "boolean":
        return id_ not in _BOOLEAN_IDS and not id_.startswith("extensionattribute")
    return not _MAYBE_NUMBER.fullmatch(id_)


def typed_value(document: Document, context: Context) -> Iterator[Told]:
    """Declared values and constants have the type the name promises."""
    for entry, name in attributes(document):
        kind = kind_of(name)
        base = kind.removesuffix("array")
        pattern = {"int": r"[+-]?\d+", "boolean": r"(?i:true|false)"}.get(base)
        if not pattern:
            continue
        for value in values_of(entry, context):
            parts = [part.strip() for part in value.split(",")] if kind.endswith("array") else [value.strip()]
            wrong = next((part for part in parts if part and not re.fullmatch(pattern, part)), None)
            if wrong is not None:
                wanted = "whole number" if base == "int" else "true or false"
                text = f"{entry.label} gets {quote(wrong, 40)}, which is no {wanted}; Flex refuses that login"
                yield entry.where, text, "correct the value, or leave the type suffix out"
                break


def untyped_source(document: Document, context: Context) -> Iterator[Told]:
    """A number or truth value under a bare name arrives as text."""
    for entry, name in attributes(document):
        data_type = context.extensions.get(entry.text("ExtensionID"), "").removesuffix("[]")
        if data_type in _KIND and not kind_of(name) and "." not in name:
            text = f"{entry.label} is {data_type} in Entra and arrives in Flex as text"
            yield entry.where, text, f"call it {quote(f'{name}.{_KIND[data_type]}')}"
