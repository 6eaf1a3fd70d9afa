"""Whether a response has the shape that the XML schemas of SAML 2.0 give it: its elements and attributes, their order
and their types. Strict libraries of service providers refuse everything else. Pure, apart from reading
`schemas/` when first used (about 2 ms). Quirks: libxml2 ignores the `xsi:schemaLocation` of a response; its messages
quote values, which are personal, so only names are taken from them."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from lxml import etree

from flexsaml.claims import escape

from .checks import ASK_SENDER, Check, fault, quote
from .response import ASSERTION, NAMESPACES, local_name

_SCHEMA = Path(__file__).parent / "schemas" / "saml-schema-protocol-2.0.xsd"
_MAX_FAULTS = 5
_ATTRIBUTE = f"{{{ASSERTION}}}Attribute"
_FAMILIAR = {"", *NAMESPACES.values(), "http://www.w3.org/2001/XMLSchema-instance"}
_SUBJECT = re.compile(r"Element '[^']*'(?:, attribute '([^']*)')?: ")
_NAMED_ATTRIBUTE = re.compile(r"^The attribute '([^']*)' is (not allowed|required but missing)\.$")
_TYPE = re.compile(r"type '([^']*)'\.$")
_EXPECTED = re.compile(r"\{[^}]*\}(\w+)")


def check_shape(root: etree._Element) -> Iterator[Check]:
    """At most five faults. `root` is a Response or an Assertion, whose signatures hold."""
    schema = _load_schema()
    if schema.validate(root):
        return
    elements = root.iter(etree.Element)
    namespaces = {prefix: uri for element in elements for prefix, uri in element.nsmap.items() if prefix}
    problems: dict[str, Check] = {}
    for error in schema.error_log:
        element = _find_element(root, error.path or "", namespaces)
        message = _describe(error, element)
        problems.setdefault(message, fault("shape", message, ASK_SENDER))
        if len(problems) == _MAX_FAULTS:
            break
    yield from problems.values()


@cache
def _load_schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(_SCHEMA, etree.XMLParser(no_network=True, load_dtd=False)))


def _find_element(root: etree._Element, path: str, namespaces: dict[str, str]) -> etree._Element:
    """What libxml2 complains of; the root if a prefix means two namespaces, so that its path leads nowhere."""
    try:
        elements = root.getroottree().xpath(path, namespaces=namespaces)
    except etree.XPathError:
        return root
    return elements[0] if isinstance(elements, list) and elements and isinstance(elements[0], etree._Element) else root


def _describe(error: etree._LogEntry, element: etree._Element) -> str:
    message, kind = error.message.strip(), error.type_name
    subject = _SUBJECT.match(message)
    attribute, problem = (subject[1] or "", message[subject.end() :]) if subject else ("", message)
    place, parent = _show_place(element), element.getparent()
    named = _NAMED_ATTRIBUTE.match(problem)
    if named and named[2] == "not allowed":
        return f"{place} has the attribute {_show_name(named[1])}, which SAML's schema does not have there"
    if named:
        return f"{place} lacks the attribute {_show_name(named[1])}"
    if kind == "SCHEMAV_ELEMENT_CONTENT":
        names = list(dict.fromkeys(_EXPECTED.findall(problem.partition("Expected is")[2])))
        expected = " or ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
        if problem.startswith("Missing child"):
            return f"{place} lacks {expected or 'an element'}"
        parent_place = place if parent is None else _show_place(parent)
        rule = f"where SAML's schema has {expected}" if expected else "where SAML's schema has nothing more"
        name = quote(str(element.tag)) if local_name(element) in names else _show_name(str(element.tag))
        return f"{name} stands in {parent_place}, {rule}"
    if attribute:
        place = f"the attribute {_show_name(attribute)} of {place}"
    if kind.startswith(("SCHEMAV_CVC_DATATYPE", "SCHEMAV_CVC_FACET", "SCHEMAV_CVC_ENUMERATION")):
        type_name = _TYPE.search(problem)
        return f"{place} has a value that does not fit its type{f', {_show_name(type_name[1])}' if type_name else ''}"
    if kind in ("SCHEMAV_CVC_COMPLEX_TYPE_2_2", "SCHEMAV_CVC_TYPE_3_1_2"):
        return f"{place} contains elements instead of text"
    return f"{place} is not as SAML's schema has it"


def _show_place(element: etree._Element) -> str:
    """Like `Response/Assertion/Subject`; an attribute of SAML with its Name."""
    path = "/".join(_show_name(str(step.tag)) for step in (*reversed(list(element.iterancestors())), element))
    attribute = next(element.iterancestors(_ATTRIBUTE), element)
    name = attribute.get("Name", "") if attribute.tag == _ATTRIBUTE else ""
    return f"{path} of {quote(name)}" if name else path


def _show_name(name: str) -> str:
    """A name of an element or attribute, with its namespace unless that is SAML's or XML's own."""
    namespace, _, local = name.rpartition("}")
    return escape(local, 60) if namespace.removeprefix("{") in _FAMILIAR else quote(name)
