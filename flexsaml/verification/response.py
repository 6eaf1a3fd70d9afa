"""A SAMLResponse, parsed into XML whose structure is safe to verify. Pure. No signature is checked yet, so all of it is
hostile input: the size is limited before decoding (pasted.py), a DOCTYPE is refused before parsing, and whatever
signature wrapping needs (a second assertion, response or ID, an element in another place) is refused. Quirk: lxml hides
comments inside text (`a@x<!---->.evil` reads as `a@x`), so a document with comments is refused as a whole."""

import re
from collections import Counter
from collections.abc import Iterator

from lxml import etree

from flexsaml.claims import quote

from .checks import TAMPERED, CannotVerify, Check, ResponseRefused, fault
from .pasted import COPY_FIELD, extract_xml

MAX_DEPTH = 32
MAX_ELEMENTS = 5_000
MAX_NAMESPACES = 1_000
MAX_XML_ATTRIBUTES = 20  # of one XML element; SAML attributes are elements

PROTOCOL = "urn:oasis:names:tc:SAML:2.0:protocol"
ASSERTION = "urn:oasis:names:tc:SAML:2.0:assertion"
SIGNATURE = "http://www.w3.org/2000/09/xmldsig#"
NAMESPACES = {"samlp": PROTOCOL, "saml": ASSERTION, "ds": SIGNATURE}

_ID_NAMES = ("ID", "Id", "id", "AssertionID", "ResponseID")
_XML_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_ENCRYPTED = ("EncryptedAssertion", "EncryptedID", "EncryptedAttribute")
_ASSERTED = ("Attribute", "AttributeStatement", "AttributeValue", "AuthnStatement", "Conditions", "NameID", "Subject")
"""Elements that belong into an assertion."""
_SIGNATURE_TAGS = frozenset(
    f"{{{SIGNATURE}}}{name}"
    for name in (
        "Signature", "SignedInfo", "CanonicalizationMethod", "SignatureMethod", "Reference", "Transforms", "Transform",
        "DigestMethod", "DigestValue", "SignatureValue", "KeyInfo", "KeyName", "KeyValue", "RSAKeyValue", "Modulus",
        "Exponent", "X509Data", "X509Certificate", "X509IssuerSerial", "X509IssuerName", "X509SerialNumber",
        "X509SubjectName", "X509SKI",
    )
) | {"{http://www.w3.org/2001/10/xml-exc-c14n#}InclusiveNamespaces"}  # fmt: skip
"""All that a signature consists of. Nobody signs its KeyInfo, so an attribute there would be anybody's."""


def parse_response(raw: bytes, source: str = "it") -> etree._Element:
    """The root: a Response with one Assertion, or one Assertion alone; neither is trusted yet. Raises `CannotVerify`
    for what is no response, `ResponseRefused` for a response that may not be read."""
    try:
        root = parse_xml(extract_xml(raw))
        _check_structure(root)
        return root
    except CannotVerify as error:
        raise CannotVerify(error.check.name, f"{source} {error.check.message}", error.check.fix) from None


def parse_xml(xml: bytes) -> etree._Element:
    """Without DTD, entities, network and huge trees. For metadata too."""
    _check_bytes(xml)
    try:
        return etree.fromstring(xml, make_parser())
    except etree.XMLSyntaxError as problem:
        if problem.code == etree.ErrorTypes.ERR_RESOURCE_LIMIT:
            raise ResponseRefused(fault("nesting", "its elements are nested too deep", TAMPERED)) from None
        line, column = problem.position
        raise CannotVerify("xml", f"is not XML (line {line}, column {column})", COPY_FIELD) from None


def make_parser() -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False, recover=False
    )


def is_response(root: etree._Element) -> bool:
    return root.tag == f"{{{PROTOCOL}}}Response"


def find_assertion(root: etree._Element) -> etree._Element:
    return root if root.tag == f"{{{ASSERTION}}}Assertion" else root.findall("saml:Assertion", NAMESPACES)[0]


def local_name(element: etree._Element) -> str:
    return etree.QName(element).localname


def _check_bytes(xml: bytes) -> None:
    """Refuses what must not reach the parser. Only UTF-8 can be searched this way, so nothing else is accepted."""
    declared = re.match(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([^\"']*)", xml)
    try:
        xml.decode("utf-8")
        is_utf8 = b"\0" not in xml and (declared is None or declared[1].lower() in (b"utf-8", b"us-ascii", b"ascii"))
    except UnicodeDecodeError:
        is_utf8 = False
    if not is_utf8:
        raise ResponseRefused(fault("encoding", "it is not UTF-8, which Entra sends", TAMPERED))
    if re.search(rb"<!\s*(?:DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION)", xml, re.IGNORECASE):
        raise ResponseRefused(fault("doctype", "it has a document type, which could define entities", TAMPERED))
    if xml.count(b"<") > 2 * MAX_ELEMENTS or xml.count(b"xmlns") > MAX_NAMESPACES:
        raise ResponseRefused(fault("size", "it has too many elements or namespaces", TAMPERED))


def _check_structure(root: etree._Element) -> None:
    """One response at most, one assertion, unique IDs, signatures in their places, no hidden text."""
    _refuse(*_find_hostile_content(root))
    if not is_response(root) and root.tag != f"{{{ASSERTION}}}Assertion":
        problem = f"has the root {quote(local_name(root), 40)}, which is no Response or Assertion of SAML 2.0"
        raise CannotVerify("assertion", problem, "copy the value of the form field SAMLResponse")
    _refuse(*_check_elements(root), *_check_signature_places(root), *_check_unsigned_places(root))
    encrypted = next((name for name in _ENCRYPTED if next(root.iter(f"{{*}}{name}"), None) is not None), "")
    if encrypted:
        fix = "switch token encryption off for this application in Entra, sign in again and give that response"
        problem = f"contains an {encrypted}, which only the private key of the service provider, Twilio, can decrypt"
        raise CannotVerify("encrypted", problem, fix)
    if is_response(root) and root.find("saml:Assertion", NAMESPACES) is None:
        values = [code.get("Value", "") for code in root.iterfind("samlp:Status//samlp:StatusCode", NAMESPACES)]
        codes = [value.rpartition(":")[2] for value in values]
        if codes and codes[0] != "Success":
            message = f"Entra refused the sign-in: {quote(' / '.join(codes))}"
            _refuse(fault("status", message, "see the application's sign-in log in Entra"))
        raise CannotVerify("assertion", "is a response without an assertion", f"sign in again and {COPY_FIELD}")


def _refuse(*faults: Check) -> None:
    if faults:
        raise ResponseRefused(*faults)


def _find_hostile_content(root: etree._Element) -> Iterator[Check]:
    """Hidden text and excess: depth costs stack; sorting an element's attributes costs the square of their number."""
    tree, depth = root.getroottree(), 0
    if next(root.iter(etree.Comment), None) is not None or tree.xpath("/comment()"):
        yield fault("comment", "it has comments, which some parsers read as the end of a text", TAMPERED)
    if next(root.iter(etree.PI), None) is not None or tree.xpath("/processing-instruction()"):
        yield fault("processing-instruction", "it has processing instructions", TAMPERED)
    if next(root.iter(etree.Entity), None) is not None:
        yield fault("doctype", "it refers to undefined entities", TAMPERED)
    for event, element in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > MAX_DEPTH:
            yield fault("nesting", "its elements are nested too deep", TAMPERED)
            return
        if event == "start" and len(element.attrib) > MAX_XML_ATTRIBUTES:
            yield fault("size", f"an element has more than {MAX_XML_ATTRIBUTES} XML attributes", TAMPERED)
            return


def _check_elements(root: etree._Element) -> Iterator[Check]:
    """Unique IDs, one assertion, no text beside elements; in any namespace, as a parser that ignores them sees it."""
    elements = list(root.iter(etree.Element))
    attributes = [(str(name), value) for element in elements for name, value in element.attrib.items()]
    ids = Counter(value for name, value in attributes if etree.QName(name).localname in _ID_NAMES)
    if any(count > 1 for count in ids.values()):
        yield fault("duplicate-id", "an ID is there twice, so a signature could mean either element", TAMPERED)
    for element in (root, *root.findall("saml:Assertion", NAMESPACES)):
        if not _XML_NAME.fullmatch(element.get("ID", "")):
            message = f"the {local_name(element).lower()} has no valid ID that a signature could refer to"
            yield fault("id", message, TAMPERED)
    if any(element is not root for element in root.iter("{*}Response")):
        yield fault("one-response", "it contains a second response", TAMPERED)
    assertions = list(root.iter("{*}Assertion", "{*}EncryptedAssertion"))
    if len(assertions) > 1:
        yield fault("one-assertion", f"it contains {len(assertions)} assertions", TAMPERED)
    elif assertions and assertions[0] is not root and assertions[0].getparent() is not root:
        yield fault("one-assertion", "its assertion is not a direct child of the response", TAMPERED)
    elif assertions and etree.QName(assertions[0]).namespace != ASSERTION:
        yield fault("one-assertion", "its assertion is not SAML 2.0", TAMPERED)
    for element in elements:  # parsers disagree on whether text beside elements belongs to the value
        if len(element) and any((text or "").strip() for text in (element.text, *(child.tail for child in element))):
            yield fault("mixed-content", f"there is text beside elements in {local_name(element)}", TAMPERED)
            return


def _check_unsigned_places(root: etree._Element) -> Iterator[Check]:
    """Nothing outside the assertion looks like its content: a receiver that searches the whole response would read it,
    although only the assertion may be signed."""
    inside = {element for assertion in root.iter("{*}Assertion") for element in assertion.iter(etree.Element)}
    for element in root.iter(*(f"{{*}}{name}" for name in _ASSERTED)):
        if element not in inside:
            message = f"a {local_name(element)} is outside the assertion, where some receivers would read it"
            yield fault("unsigned-content", message, TAMPERED)


def _check_signature_places(root: etree._Element) -> Iterator[Check]:
    """At most one directly in the response and one directly in the assertion, with nothing but a signature inside."""
    signatures: Counter[etree._Element] = Counter()
    for signature in root.iter("{*}Signature"):
        parent = signature.getparent()
        if parent is None:
            continue
        fits = parent is root or (parent.tag == f"{{{ASSERTION}}}Assertion" and parent.getparent() is root)
        if not fits or signature.tag != f"{{{SIGNATURE}}}Signature":
            yield fault("signature-place", "a signature is in a place where none belongs", TAMPERED)
            return
        signatures[parent] += 1
        if any(element.tag not in _SIGNATURE_TAGS for element in signature.iter(etree.Element)):
            yield fault("signature-object", "a signature contains other content", TAMPERED)
    if any(count > 1 for count in signatures.values()):
        yield fault("signature-place", "an element has two signatures", TAMPERED)
