"""Rules of the flex profile about types: the suffix of a worker attribute's name against what its source gives.

A value of the wrong type fails the login with "400 Error invalid attribute format" and updates nothing (grade A,
Twilio's documentation). Which attributes of Entra may hold a number is our inference (grade D).
"""

from __future__ import annotations

import re

from .reading import Document, JsonNode
from .rules import Context, NodeViolations, Violations, load_table
from .rules_flex import attribute_name, flex_type_of, known_values, split_channel, worker_attributes
from .rules_sources import source_of
from .wording import find_nearest, join_names, quote

_BOOLEAN_IDS = {"accountenabled", "onpremisessyncenabled"}
_POSSIBLY_NUMERIC = re.compile(r"employeeid|postalcode|.*phone.*|facsimile.*|extensionattribute\d+|mobile.*")
_FLEX_TYPES = {"Boolean": "boolean", "Integer": "int", "LargeInteger": "int"}
_OTHER_SUFFIXES = {"integer": "int", "bool": "boolean", "array": "stringarray", "list": "stringarray"}


def suffix_case(entry: JsonNode) -> NodeViolations:
    """Type suffixes are in lower case."""
    name, suffixes = attribute_name(entry), load_table("flex")["typed_suffix"]
    base, dot, suffix = name.rpartition(".")
    if dot and not split_channel(name) and suffix not in suffixes and suffix.lower() in suffixes:
        message = f"{entry.label} ends in '.{suffix}', but Flex knows only '.{suffix.lower()}'"
        yield message, f"write {quote(f'{base}.{suffix.lower()}')}"


def suffix_unknown(entry: JsonNode) -> NodeViolations:
    """A name with a dot ends in a type that Flex knows, or is one of channel.*."""
    name, suffixes = attribute_name(entry), tuple(load_table("flex")["typed_suffix"])
    base, dot, suffix = name.rpartition(".")
    if dot and not name.startswith("channel.") and suffix.lower() not in suffixes:
        similar = _OTHER_SUFFIXES.get(suffix.lower()) or find_nearest(suffix, suffixes, 0.6)
        fix = f"did you mean {quote(f'{base}.{similar}')}?" if similar else f"the types are {join_names(suffixes)}"
        yield f"{entry.label} ends in {quote('.' + suffix)}, which is not a type of Flex", fix


def typed_source(document: Document, context: Context) -> Violations:
    """The source can give the type that the suffix names."""
    for entry, name in worker_attributes(document):
        flex_type = flex_type_of(name).removesuffix("array")
        data_type = context.extensions.get(entry.text("ExtensionID"), "").removesuffix("[]")
        if flex_type not in ("int", "boolean"):
            continue
        expected = "whole numbers" if flex_type == "int" else "true or false"
        if data_type and data_type != "String" and _FLEX_TYPES.get(data_type) != flex_type:
            message = f"{entry.label} has to be {expected}, but its extension is {data_type}; Flex refuses the login"
            yield entry.where, message, f"use an extension of type {'Integer' if flex_type == 'int' else 'Boolean'}"
        elif source_of(entry) == "user" and _is_text(entry.text("ID").lower(), flex_type):
            message = f"{entry.label} has to be {expected}, but user.{entry.text('ID')} is text; Flex refuses the login"
            yield entry.where, message, "remove the type suffix, or use another source"


def _is_text(id_: str, flex_type: str) -> bool:
    """True for a documented attribute that cannot hold a value of this type."""
    if id_ not in {name.lower() for name in load_table("attributes")["user"]}:
        return False
    if flex_type == "boolean":
        return id_ not in _BOOLEAN_IDS and not id_.startswith("extensionattribute")
    return not _POSSIBLY_NUMERIC.fullmatch(id_)


def typed_value(document: Document, context: Context) -> Violations:
    """Declared values and constants have the type that the suffix names."""
    for entry, name in worker_attributes(document):
        flex_type = flex_type_of(name)
        item_type = flex_type.removesuffix("array")
        pattern = {"int": r"[+-]?\d+", "boolean": r"(?i:true|false)"}.get(item_type)
        if not pattern:
            continue
        values = known_values(entry, context)
        items = (item.strip() for value in values for item in (value.split(",") if flex_type != item_type else [value]))
        wrong = next((item for item in items if item and not re.fullmatch(pattern, item)), None)
        if wrong is not None:
            expected = "a whole number" if item_type == "int" else "true or false"
            message = f"{entry.label} gets {quote(wrong, 40)}, which is not {expected}; Flex refuses that login"
            yield entry.where, message, "correct the value, or remove the type suffix"


def untyped_source(document: Document, context: Context) -> Violations:
    """The claim of an extension that is not text has a type suffix; without one Flex stores text."""
    for entry, name in worker_attributes(document):
        data_type = context.extensions.get(entry.text("ExtensionID"), "").removesuffix("[]")
        if data_type in _FLEX_TYPES and not flex_type_of(name) and "." not in name:
            message = f"{entry.label} is {data_type} in Entra, but Flex stores it as text"
            yield entry.where, message, f"call it {quote(f'{name}.{_FLEX_TYPES[data_type]}')}"
