"""Rules of the flex profile about types: the suffix of a worker attribute's name against what its source gives.

A value of the wrong type fails the login with "400 Error invalid attribute format" and updates nothing (grade A,
Twilio's documentation). Which attributes of Entra may hold a number is our inference (grade D).
"""

from __future__ import annotations

import re
from functools import partial

from .reading import Document, JsonNode
from .rules import Context, NodeViolations, Violations, check_nodes, load_table
from .rules_flex import attribute_name, flex_type_of, known_values, split_channel
from .rules_sources import source_of
from .wording import find_nearest, join_names, quote

_BOOLEAN_IDS = {"accountenabled", "onpremisessyncenabled"}
_POSSIBLY_NUMERIC = re.compile(r"employeeid|postalcode|.*phone.*|facsimile.*|extensionattribute\d+|mobile.*")
_FLEX_TYPES = {"Boolean": "boolean", "Integer": "int", "LargeInteger": "int"}
_EXPECTED = {
    "int": (r"[+-]?\d+", "whole numbers", "a whole number"),
    "boolean": (r"(?i:true|false)", "true or false", "true or false"),
}
"""Type to the pattern of its values, and what a sentence calls them."""
_OTHER_SUFFIXES = {"integer": "int", "bool": "boolean", "array": "stringarray", "list": "stringarray"}


def check(document: Document, context: Context) -> Violations:
    entries = [entry for entry in document.entries if attribute_name(entry)]
    return check_nodes(entries, _check_suffix, partial(_check_source, context), partial(_check_values, context))


def _check_suffix(entry: JsonNode) -> NodeViolations:
    """A name with a dot ends in a type that Flex knows, in lower case, or is one of channel.*."""
    name, suffixes = attribute_name(entry), tuple(load_table("flex")["typed_suffix"])
    base, dot, suffix = name.rpartition(".")
    if not dot or suffix in suffixes:
        return
    if suffix.lower() in suffixes:
        if not split_channel(name):
            message = f"{entry.label} ends in '.{suffix}', but Flex knows only '.{suffix.lower()}'"
            yield "suffix-case", message, f"write {quote(f'{base}.{suffix.lower()}')}"
    elif not name.startswith("channel."):
        similar = _OTHER_SUFFIXES.get(suffix.lower()) or find_nearest(suffix, suffixes, 0.6)
        fix = f"did you mean {quote(f'{base}.{similar}')}?" if similar else f"the types are {join_names(suffixes)}"
        yield "suffix-unknown", f"{entry.label} ends in {quote('.' + suffix)}, which is not a type of Flex", fix


def _check_source(context: Context, entry: JsonNode) -> NodeViolations:
    """The source can give the type that the suffix names, and one that is not text has a suffix."""
    name = attribute_name(entry)
    flex_type = flex_type_of(name).removesuffix("array")
    data_type = context.extensions.get(entry.text("ExtensionID"), "").removesuffix("[]")
    if data_type in _FLEX_TYPES and "." not in name:
        message = f"{entry.label} is {data_type} in Entra, but Flex stores it as text"
        yield "untyped-source", message, f"call it {quote(f'{name}.{_FLEX_TYPES[data_type]}')}"
    if flex_type not in _EXPECTED:
        return
    message = f"{entry.label} has to be {_EXPECTED[flex_type][1]}, but "
    if data_type and data_type != "String" and _FLEX_TYPES.get(data_type) != flex_type:
        fix = f"use an extension of type {'Integer' if flex_type == 'int' else 'Boolean'}"
        yield "typed-source", f"{message}its extension is {data_type}; Flex refuses the login", fix
    elif source_of(entry) == "user" and _is_text(entry.text("ID").lower(), flex_type):
        fix = "remove the type suffix, or use another source"
        yield "typed-source", f"{message}user.{entry.text('ID')} is text; Flex refuses the login", fix


def _is_text(id_: str, flex_type: str) -> bool:
    """True for a documented attribute that cannot hold a value of this type."""
    if id_ not in {name.lower() for name in load_table("attributes")["user"]}:
        return False
    if flex_type == "boolean":
        return id_ not in _BOOLEAN_IDS and not id_.startswith("extensionattribute")
    return not _POSSIBLY_NUMERIC.fullmatch(id_)


def _check_values(context: Context, entry: JsonNode) -> NodeViolations:
    """Declared values and constants have the type that the suffix names."""
    flex_type = flex_type_of(attribute_name(entry))
    item_type = flex_type.removesuffix("array")
    if item_type not in _EXPECTED:
        return
    pattern, _plural, expected = _EXPECTED[item_type]
    values = known_values(entry, context)
    items = (item.strip() for value in values for item in (value.split(",") if flex_type != item_type else [value]))
    wrong = next((item for item in items if item and not re.fullmatch(pattern, item)), None)
    if wrong is not None:
        message = f"{entry.label} gets {quote(wrong, 40)}, which is not {expected}; Flex refuses that login"
        yield "typed-value", message, "correct the value, or remove the type suffix"
