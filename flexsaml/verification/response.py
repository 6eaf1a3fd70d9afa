"""A SAMLResponse as somebody copied it, turned into XML that is safe to look at, with one assertion in its place.

Touches nothing. Everything here happens before any signature is looked at, so all of it is hostile input: the size is
capped before decoding, a DOCTYPE is refused before parsing, and the parser knows neither entities nor network nor huge
trees. What a signature could be wrapped with (a second assertion, response or ID, an element in another place) is
refused by the shape of the document alone; Entra sends none of it.

Quirks tamed: form fields are pasted with their name and percent-encoding; shells on Windows save text as UTF-16; lxml
hides comments inside text (`a@x<!---->.evil` reads as `a@x`), so a document with comments is refused as a whole.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import parse_qs, unquote

from lxml import etree

from .checks import CannotLook, Check, Refused, fault, shown

LARGEST = 1_000_000
"""Characters, as pasted. Entra's largest responses are a twentieth of that."""
DEEPEST = 32
MOST_ELEMENTS = 5_000
MOST_NAMESPACES = 1_000
MOST_ATTRIBUTES = 20
"""Of one element in XML; attributes of a person are elements."""

PROTOCOL = "urn:oasis:names:tc:SAML:2.0:protocol"
ASSERTION = "urn:oasis:names:tc:SAML:2.0:assertion"
SIGNATURE = "http://www.w3.org/2000/09/xmldsig#"
NAMESPACES = {"samlp": PROTOCOL, "saml": ASSERTION, "ds": SIGNATURE}

_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_IDS = ("ID", "Id", "id", "AssertionID", "ResponseID")
_PLAIN_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_TAMPERED = "somebody altered it on its way: do not trust it, and look where it came from"


def document(raw: bytes) -> etree._Element:
    """The root: a Response with one Assertion, or one Assertion alone; both still unproven.

    Raises CannotLook for what is no response, Refused for one that may not be read.
    """
    root = parsed(_xml(raw))
    _shape(root)
    return root


def parsed(xml: bytes) -> etree._Element:
    """Parsed without DTD, entities, network and huge trees. For metadata too."""
    _scan(xml)
    try:
        return etree.fromstring(xml, parser())
    except etree.XMLSyntaxError as problem:
        if problem.code == etree.ErrorTypes.ERR_RESOURCE_LIMIT:
            raise Refused(fault("nesting", "is nested deeper than any response is", _TAMPERED)) from None
        line, column = problem.position
        raise CannotLook(
            "xml",
            f"is no XML: line {line}, column {column}",
            "copy the value of the form field SAMLResponse as a whole",
        ) from None


def parser() -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False, recover=False
    )


def is_response(root: etree._Element) -> bool:
    return root.tag == f"{{{PROTOCOL}}}Response"


def assertion_of(root: etree._Element) -> etree._Element:
    return root if root.tag == f"{{{ASSERTION}}}Assertion" else root.findall("saml:Assertion", NAMESPACES)[0]


# -- from paste to XML -------------------------------------------------------------------------------------------------


def _xml(raw: bytes) -> bytes:
    if len(raw) > LARGEST:
        raise Refused(fault("size", f"is over {LARGEST:,} bytes, which no response is", "give the SAMLResponse alone"))
    if raw[:2] in _UTF16:  # a shell's redirection, not the sender's doing
        raw = raw.decode("utf-16", "replace").encode("utf-8", "replace")
    raw = raw.removeprefix(b"\xef\xbb\xbf").strip()
    if not raw:
        raise CannotLook("input", "is empty", "paste the value of the form field SAMLResponse")
    if raw.startswith(b"<"):
        return raw
    decoded = _decoded(raw)
    if not decoded.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"<", *_UTF16)):
        raise CannotLook(
            "xml", "is base64, but of no XML", "copy the value of the form field SAMLResponse, not SAMLRequest"
        )
    return decoded.removeprefix(b"\xef\xbb\xbf").strip()


def _decoded(raw: bytes) -> bytes:
    """From base64, with the white space, quotes, field name and percent-encoding that a person's copy carries."""
    text = raw.decode("ascii", "replace").strip().strip("\"'")
    if "SAMLResponse=" in text:
        fields = parse_qs(text.partition("?")[2] or text, max_num_fields=20) if text.count("&") < 20 else {}
        values = fields.get("SAMLResponse", [])
        if len(values) != 1:
            raise CannotLook("input", "has no single field SAMLResponse", "paste the value of that field alone")
        text = values[0].replace(" ", "+")  # a field copied without percent-encoding keeps its plus signs
    elif "%" in text:
        text = unquote(text)
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise CannotLook(
            "base64", "is neither base64 nor XML", "copy the value of the form field SAMLResponse as a whole"
        ) from None


def _scan(xml: bytes) -> None:
    """What must not even reach the parser. Only UTF-8 can be searched this way, so nothing else is taken."""
    named = re.match(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([^\"']*)", xml)
    try:
        xml.decode("utf-8")
        plain = b"\0" not in xml and (named is None or named[1].lower() in (b"utf-8", b"us-ascii", b"ascii"))
    except UnicodeDecodeError:
        plain = False
    if not plain:
        raise Refused(fault("encoding", "is not UTF-8, which Entra's responses are", _TAMPERED))
    if re.search(rb"<!\s*(?:DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION)", xml, re.IGNORECASE):
        raise Refused(fault("doctype", "has a document type, which could define entities", _TAMPERED))
    if xml.count(b"<") > 2 * MOST_ELEMENTS or xml.count(b"xmlns") > MOST_NAMESPACES:
        raise Refused(fault("size", "has more elements or namespaces than any response has", _TAMPERED))


# -- shape -------------------------------------------------------------------------------------------------------------


def _shape(root: etree._Element) -> None:
    """One response at most, one assertion, IDs that name one thing, signatures where they belong, no hidden text."""
    faults = [*_hidden(root), *_large(root)]
    if faults:
        raise Refused(*faults)
    if root.tag not in (f"{{{PROTOCOL}}}Response", f"{{{ASSERTION}}}Assertion"):
        name = etree.QName(root).localname
        what = f"its root is {shown(name, 40)}, neither Response nor Assertion of SAML 2.0"
        raise CannotLook("assertion", what, "copy the value of the form field SAMLResponse")
    faults = [*_ids(root), *_counted(root), *_signatures(root), *_text_between(root)]
    if faults:
        raise Refused(*faults)
    encrypted = [
        one
        for one in ("EncryptedAssertion", "EncryptedID", "EncryptedAttribute")
        if next(root.iter(f"{{*}}{one}"), None) is not None
    ]
    if encrypted:
        raise CannotLook(
            "encrypted",
            f"holds an {encrypted[0]}",
            "reading it takes the private key of the service provider, which Twilio holds: "
            "switch token encryption off for this application in Entra, sign in again and give that response",
        )
    status = root.find("samlp:Status/samlp:StatusCode", NAMESPACES)
    if root.tag == f"{{{PROTOCOL}}}Response" and root.find("saml:Assertion", NAMESPACES) is None:
        codes = (
            [one.get("Value", "").rpartition(":")[2] for one in status.iter(f"{{{PROTOCOL}}}StatusCode")]
            if status is not None
            else []
        )
        if codes and codes[0] != "Success":
            said = f"Entra refused the sign-in: {shown(' / '.join(codes))}"
            raise Refused(fault("status", said, "look at the sign-in log of the application in Entra"))
        raise CannotLook(
            "assertion", "is a response without an assertion", "sign in again and copy SAMLResponse as a whole"
        )


def _hidden(root: etree._Element) -> Iterator[Check]:
    tree = root.getroottree()
    if next(root.iter(etree.Comment), None) is not None or tree.xpath("/comment()"):
        yield fault("comment", "has comments, which can hide a part of a name from some readers", _TAMPERED)
    if next(root.iter(etree.PI), None) is not None or tree.xpath("/processing-instruction()"):
        yield fault("processing-instruction", "has processing instructions", _TAMPERED)
    if next(root.iter(etree.Entity), None) is not None:
        yield fault("doctype", "refers to entities that are defined nowhere", _TAMPERED)


def _large(root: etree._Element) -> Iterator[Check]:
    """Depth costs stack, and attributes of one element cost the square of their number once they are sorted."""
    depth = 0
    for event, one in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > DEEPEST:
            yield fault("nesting", "is nested deeper than any response is", _TAMPERED)
            return
        if event == "start" and len(one.attrib) > MOST_ATTRIBUTES:
            yield fault("size", f"has more than {MOST_ATTRIBUTES} attributes on one element", _TAMPERED)
            return


def _ids(root: etree._Element) -> Iterator[Check]:
    ids = Counter(
        str(value)
        for one in root.iter(etree.Element)
        for name, value in one.attrib.items()
        if etree.QName(str(name)).localname in _IDS
    )
    if any(count > 1 for count in ids.values()):
        yield fault("duplicate-id", "has an ID twice, so that a signature could mean either", _TAMPERED)
    for one in (root, *root.findall("saml:Assertion", NAMESPACES)):
        if not _PLAIN_ID.fullmatch(one.get("ID", "")):
            what = "without an ID" if one.get("ID") is None else "with an ID that is no XML name"
            yield fault(
                "id", f"its {etree.QName(one).localname.lower()} is {what}: no signature can refer to it", _TAMPERED
            )


def _counted(root: etree._Element) -> Iterator[Check]:
    """By local name, whatever the namespace: a reader that ignores namespaces must see the same."""
    responses = [one for one in root.iter("{*}Response") if one is not root]
    if responses:
        yield fault("one-response", "has a response inside", _TAMPERED)
    assertions = [one for one in root.iter("{*}Assertion", "{*}EncryptedAssertion")]
    if len(assertions) > 1:
        yield fault("one-assertion", f"has {len(assertions)} assertions", _TAMPERED)
    elif assertions and assertions[0] is not root and assertions[0].getparent() is not root:
        yield fault("one-assertion", "has its assertion in another place than right under the response", _TAMPERED)
    elif assertions and etree.QName(assertions[0]).namespace != ASSERTION:
        yield fault("one-assertion", "has an assertion that is not SAML 2.0", _TAMPERED)


def _signatures(root: etree._Element) -> Iterator[Check]:
    """At most one right under the response and one right under the assertion, holding nothing but a signature."""
    places: Counter[etree._Element] = Counter()
    for one in root.iter("{*}Signature"):
        parent = one.getparent()
        if parent is None:
            continue
        fits = parent is root or (parent.tag == f"{{{ASSERTION}}}Assertion" and parent.getparent() is root)
        if not fits or one.tag != f"{{{SIGNATURE}}}Signature":
            yield fault("signature-place", "has a signature where none belongs", _TAMPERED)
            return
        places[parent] += 1
        if next(one.iter(f"{{{SIGNATURE}}}Object", f"{{{SIGNATURE}}}Manifest"), None) is not None:
            yield fault("signature-object", "has a signature that carries content of its own", _TAMPERED)
    if any(count > 1 for count in places.values()):
        yield fault("signature-place", "has two signatures in one place", _TAMPERED)


def _text_between(root: etree._Element) -> Iterator[Check]:
    """Text beside child elements belongs to nobody; readers differ in whether they take it for a value."""
    for one in root.iter(etree.Element):
        if len(one) and any((text or "").strip() for text in (one.text, *(child.tail for child in one))):
            yield fault("mixed-content", f"has text beside elements in {etree.QName(one).localname}", _TAMPERED)
            return
