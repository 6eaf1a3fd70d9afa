"""A table of responses that strict libraries of service providers refuse, each altered in one way before a trusted key
signed it. A helper, not a test.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from lxml import etree

from . import good_response as made
from .good_response import AUDIENCE, CONTEXT, ISSUER, NAME, Recipe, attribute

GOOD = Recipe()
_TIME = re.compile(r"(20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d)")


def shift_times(text: str, by: timedelta) -> str:
    """Strangers know no time but now."""
    return _TIME.sub(lambda match: (datetime.fromisoformat(match[1]) + by).isoformat(), text)


@dataclass(frozen=True)
class Shape:
    """`old` becomes `new` in the text of the good response; `move` changes the tree when it is signed. `check` and
    `message` (its beginning) are what verify finds."""

    name: str
    check: str
    message: str
    old: str = ""
    new: str = ""
    move: Callable[[etree._Element], None] | None = None
    brought: str = "entra"

    def make(self, by: timedelta = timedelta()) -> bytes:
        text = GOOD.text()
        assert self.old in text, self.old
        root = etree.fromstring(shift_times(text.replace(self.old, self.new, 1), by))
        assertion = root.find(f"{made.A}Assertion")
        assert assertion is not None
        for place in (assertion, root):
            made.sign(place, made.Signing(brings=self.brought))
            if not str(place[0].tag).endswith("Issuer"):  # without one, the signature comes first
                place.insert(0, place[1])
        if self.move:
            self.move(root)
        return made.bytes_of(root)


def _move_signature(path: str, index: int) -> Callable[[etree._Element], None]:
    """Enveloped, so that it holds wherever it is; of the assertion alone, since the response's covers it."""

    def move(root: etree._Element) -> None:
        place = root if path == "." else root.find(path)
        assert place is not None
        if place is not root:
            root.remove(root.findall(f"{made.D}Signature")[0])
        signature = place.findall(f"{made.D}Signature")[0]
        place.remove(signature)
        place.insert(index, signature)

    return move


XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xs="http://www.w3.org/2001/XMLSchema"'
_FOREIGN = '<x xmlns="urn:x"/>'
_CONFIRMATION = f'<SubjectConfirmation Method="{GOOD.method}">{GOOD.data}</SubjectConfirmation>'
_CODE = '<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/>'
_CLASS = "<AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</AuthnContextClassRef>"
_EMAIL = attribute("email", NAME)
_AGENT = "<AttributeValue>agent"


def _shape(name: str, message: str, old: str, new: str, check: str = "shape") -> Shape:
    return Shape(name, check, message, old, new)


def _swap(name: str, message: str, first: str, second: str, between: str = "") -> Shape:
    """Two neighbours change places."""
    return _shape(name, message, f"{first}{between}{second}", f"{second}{between}{first}")


def _type(name: str, message: str, attributes: str, text: str) -> Shape:
    return _shape(f"xsi: {name}", message, _AGENT, f"<AttributeValue {XSI} {attributes}>{text}")


def _extra(place: str, message: str, old: str, new: str) -> Shape:
    return _shape(f"a foreign element in {place}", message, old, new)


def _mark(tag: str, message: str) -> Shape:
    """A foreign XML attribute."""
    return _shape(f"a foreign attribute of {tag}", message, f"<{tag} ", f'<{tag} x="y" ')


SHAPES = (
    # order
    _swap("subject before issuer", "Signature stands in Response/Assertion", GOOD.issuer, GOOD.subject),
    _swap("conditions before subject", "Subject stands in Response/Assertion", GOOD.subject, GOOD.conditions),
    _swap("statement before conditions", "Conditions stands in Response/Assertion", GOOD.conditions, GOOD.statement),
    _swap("sign-in before subject", "Subject stands in Response/Assertion", GOOD.subject + GOOD.conditions + GOOD.statement, GOOD.session),
    _swap("status before issuer", "Issuer stands in Response", GOOD.outer_issuer, GOOD.status),
    _swap("assertion before status", "Assertion stands in Response", GOOD.status, GOOD.assertion()),
    _swap("confirmation before name", "NameID stands in Response/Assertion/Subject", GOOD.name_id, _CONFIRMATION),
    _shape("context before locality", "SubjectLocality stands in Response/Assertion/AuthnStatement", CONTEXT, f"{CONTEXT}<SubjectLocality/>"),
    _shape("message before status code", "StatusMessage stands in Response/Status", _CODE, f"<samlp:StatusMessage>x</samlp:StatusMessage>{_CODE}"),
    _shape("declaration before class", "AuthnContextClassRef stands in Response/Assertion/AuthnStatement/AuthnContext", _CLASS, f"<AuthnContextDeclRef>urn:x</AuthnContextDeclRef>{_CLASS}"),
    _shape("advice before conditions", "Conditions stands in Response/Assertion", GOOD.conditions, f"<Advice/>{GOOD.conditions}"),
    Shape("signature before issuer", "shape", "Signature stands in Response/Assertion", move=_move_signature(f"{made.A}Assertion", 0)),
    Shape("signature after subject", "shape", "Signature stands in Response/Assertion", move=_move_signature(f"{made.A}Assertion", 2)),
    Shape("signature at the end", "shape", "Signature stands in Response/Assertion", move=_move_signature(f"{made.A}Assertion", 9)),
    Shape("response: signature before issuer", "shape", "Issuer stands in Response", move=_move_signature(".", 0)),
    Shape("response: signature at the end", "shape", "Signature stands in Response", move=_move_signature(".", 9)),
    # names
    _shape("subject in lower case", "subject stands in Response/Assertion", GOOD.subject, GOOD.subject.replace("Subject>", "subject>")),
    _shape("name of SAML 1.1", "NameIdentifier stands in Response/Assertion/Subject", GOOD.name_id, "<NameIdentifier>ada</NameIdentifier>"),
    _shape("statement of SAML 1.1", "AuthenticationStatement stands in Response/Assertion", GOOD.session, '<AuthenticationStatement AuthenticationInstant="2026-05-04T09:20:00Z"/>'),
    _shape("value in lower case", "attributevalue stands in Response/Assertion/AttributeStatement/Attribute of 'roles'", f"{_AGENT}</AttributeValue>", "<attributevalue>agent</attributevalue>"),
    _shape("status of the other namespace", "'{urn:oasis:names:tc:SAML:2.0:assertion}Status' stands in Response", GOOD.status, '<Status xmlns="urn:oasis:names:tc:SAML:2.0:assertion"/>'),
    _shape("issuer of the other namespace", "'{urn:oasis:names:tc:SAML:2.0:protocol}Issuer' stands in Response", GOOD.outer_issuer, f"<samlp:Issuer>{ISSUER}</samlp:Issuer>"),
    _shape("issuer without a namespace", "'Issuer' stands in Response/Assertion", GOOD.issuer, f'<Issuer xmlns="">{ISSUER}</Issuer>'),
    _shape("audience of the other namespace", "'{urn:oasis:names:tc:SAML:2.0:protocol}Audience' stands in Response/Assertion/Conditions/AudienceRestriction", f"<Audience>{AUDIENCE}</Audience>", f"<samlp:Audience>{AUDIENCE}</samlp:Audience>"),
    _shape("confirmation data of another name", "ConfirmationData stands in Response/Assertion/Subject/SubjectConfirmation", GOOD.data, GOOD.data.replace("SubjectConfirmationData", "ConfirmationData")),
    _shape("context of another name", "Context stands in Response/Assertion/AuthnStatement", CONTEXT, "<Context/>"),
    # foreign elements
    _extra("the response", "'{urn:x}x' stands in Response", GOOD.status, _FOREIGN + GOOD.status),
    _extra("the assertion", "'{urn:x}x' stands in Response/Assertion", GOOD.subject, _FOREIGN + GOOD.subject),
    _extra("the assertion, at its end", "'{urn:x}x' stands in Response/Assertion", GOOD.session, GOOD.session + _FOREIGN),
    _extra("the subject", "'{urn:x}x' stands in Response/Assertion/Subject", GOOD.name_id, GOOD.name_id + _FOREIGN),
    _extra("the confirmation", "'{urn:x}x' stands in Response/Assertion/Subject/SubjectConfirmation", GOOD.data, GOOD.data + _FOREIGN),
    _extra("the conditions", "'{urn:x}x' stands in Response/Assertion/Conditions", GOOD.audience, GOOD.audience + _FOREIGN),
    _extra("the restriction", "'{urn:x}x' stands in Response/Assertion/Conditions/AudienceRestriction", "<Audience>", f"{_FOREIGN}<Audience>"),
    _extra("the statement", "'{urn:x}x' stands in Response/Assertion/AttributeStatement", _EMAIL, _EMAIL + _FOREIGN),
    _extra("an attribute", "'{urn:x}x' stands in Response/Assertion/AttributeStatement/Attribute of 'roles'", _AGENT, _FOREIGN + _AGENT),
    _extra("the sign-in", "'{urn:x}x' stands in Response/Assertion/AuthnStatement", CONTEXT, CONTEXT + _FOREIGN),
    _extra("the context", "'{urn:x}x' stands in Response/Assertion/AuthnStatement/AuthnContext", _CLASS, _CLASS + _FOREIGN),
    _extra("the status", "'{urn:x}x' stands in Response/Status", _CODE, _CODE + _FOREIGN),
    _extra("the status code", "'{urn:x}x' stands in Response/Status/StatusCode", _CODE, f"{_CODE[:-2]}>{_FOREIGN}</samlp:StatusCode>"),
    _extra("the issuer", "Response/Assertion/Issuer contains elements instead of text", GOOD.issuer, f"<Issuer>{_FOREIGN}</Issuer>"),
    _extra("the name", "Response/Assertion/Subject/NameID contains elements instead of text", GOOD.name_id, f"<NameID>{_FOREIGN}</NameID>"),
    _extra("the audience", "Response/Assertion/Conditions/AudienceRestriction/Audience contains elements instead of text", f"{AUDIENCE}</Audience>", f"{_FOREIGN}</Audience>"),
    # foreign attributes
    _mark("samlp:Response", "Response has the attribute x"),
    _mark("Assertion", "Response/Assertion has the attribute x"),
    _mark("NameID", "Response/Assertion/Subject/NameID has the attribute x"),
    _mark("SubjectConfirmation", "Response/Assertion/Subject/SubjectConfirmation has the attribute x"),
    _mark("SubjectConfirmationData", "Response/Assertion/Subject/SubjectConfirmation/SubjectConfirmationData has the attribute x"),
    _mark("Conditions", "Response/Assertion/Conditions has the attribute x"),
    _mark("Attribute", "Response/Assertion/AttributeStatement/Attribute of 'http://schemas.microsoft.com/identity/claims/tenantid' has the attribute x"),
    _mark("AuthnStatement", "Response/Assertion/AuthnStatement has the attribute x"),
    _mark("samlp:StatusCode", "Response/Status/StatusCode has the attribute x"),
    _shape("a foreign attribute of Subject", "Response/Assertion/Subject has the attribute x", "<Subject>", '<Subject x="y">'),
    _shape("a foreign attribute of Issuer", "Response/Assertion/Issuer has the attribute x", "<Issuer>", '<Issuer x="y">'),
    _shape("a foreign attribute of Audience", "Response/Assertion/Conditions/AudienceRestriction/Audience has the attribute x", "<Audience>", '<Audience x="y">'),
    _shape("a foreign attribute of AttributeStatement", "Response/Assertion/AttributeStatement has the attribute x", "<AttributeStatement>", '<AttributeStatement x="y">'),
    _shape("a foreign attribute of AuthnContext", "Response/Assertion/AuthnStatement/AuthnContext has the attribute x", "<AuthnContext>", '<AuthnContext x="y">'),
    _shape("a foreign attribute of Status", "Response/Status has the attribute x", "<samlp:Status>", '<samlp:Status x="y">'),
    _shape("a namespaced attribute of the assertion", "Response/Assertion has the attribute '{urn:x}x'", "<Assertion ", '<Assertion xmlns:q="urn:x" q:x="y" '),
    _shape("a language of the assertion", "Response/Assertion has the attribute '{http://www.w3.org/XML/1998/namespace}lang'", "<Assertion ", '<Assertion xml:lang="en" '),
    # missing or repeated
    _shape("no sign-in", "the assertion has 0 AuthnStatement elements, not one", GOOD.session, "", "session"),
    _shape("two sign-ins", "the assertion has 2 AuthnStatement elements, not one", GOOD.session, GOOD.session * 2, "session"),
    _shape("no context", "Response/Assertion/AuthnStatement lacks SubjectLocality or AuthnContext", CONTEXT, ""),
    _shape("two contexts", "AuthnContext stands in Response/Assertion/AuthnStatement", CONTEXT, CONTEXT * 2),
    _shape("an empty context", "Response/Assertion/AuthnStatement/AuthnContext lacks AuthnContextClassRef, AuthnContextDecl or AuthnContextDeclRef", CONTEXT, "<AuthnContext/>"),
    _shape("two classes", "AuthnContextClassRef stands in Response/Assertion/AuthnStatement/AuthnContext", _CLASS, _CLASS * 2),
    _shape("no issuer", "Signature stands in Response/Assertion", GOOD.issuer, ""),
    _shape("two issuers", "Issuer stands in Response/Assertion", GOOD.issuer, GOOD.issuer * 2),
    _shape("an empty issuer", "response and assertion have different issuers, 'https://sts.windows.net/c0ffee00-5eed-4a11-8c01-7e2a27c0d05e/' and ''", GOOD.issuer, "<Issuer/>", "issuer"),
    _shape("response: no issuer", "the response does not name its issuer", GOOD.outer_issuer, "", "issuer"),
    _shape("response: two issuers", "Issuer stands in Response", GOOD.outer_issuer, GOOD.outer_issuer * 2),
    _shape("response: an empty issuer", "the response does not name its issuer", GOOD.outer_issuer, GOOD.outer_issuer.replace(ISSUER, ""), "issuer"),
    _shape("no status", "Assertion stands in Response", GOOD.status, ""),
    _shape("two statuses", "Status stands in Response", GOOD.status, GOOD.status * 2),
    _shape("no status code", "Response/Status lacks StatusCode", _CODE, ""),
    _shape("two status codes", "StatusCode stands in Response/Status", _CODE, _CODE * 2),
    _shape("no subject", "the NameID is missing: Flex would not know who signs in", GOOD.subject, "", "name-id"),
    _shape("an empty subject", "Response/Assertion/Subject lacks BaseID, NameID, EncryptedID or SubjectConfirmation", GOOD.subject, "<Subject/>"),
    _shape("two subjects", "Subject stands in Response/Assertion", GOOD.subject, GOOD.subject * 2),
    _shape("two names", "NameID stands in Response/Assertion/Subject", GOOD.name_id, GOOD.name_id * 2),
    _shape("no confirmation", "the assertion has no bearer confirmation", _CONFIRMATION, "", "subject-confirmation"),
    _shape("two confirmation data", "SubjectConfirmationData stands in Response/Assertion/Subject/SubjectConfirmation", GOOD.data, GOOD.data * 2),
    _shape("no conditions", "the assertion has no Conditions: it is valid for any receiver, forever", GOOD.conditions, "", "conditions"),
    _shape("two conditions", "Conditions stands in Response/Assertion", GOOD.conditions, GOOD.conditions * 2),
    _shape("a restriction of nothing", "Response/Assertion/Conditions/AudienceRestriction lacks Audience", f"<Audience>{AUDIENCE}</Audience>", ""),
    _shape("no statement", "'email' is missing: Flex answers with error 45050", GOOD.statement, "", "attribute-missing"),
    _shape("an empty statement", "Response/Assertion/AttributeStatement lacks Attribute or EncryptedAttribute", GOOD.statement, "<AttributeStatement/>"),
    _shape("no version of the assertion", "Response/Assertion lacks the attribute Version", f"{GOOD.version} xmlns=", "xmlns="),
    _shape("no issue instant of the assertion", "Response/Assertion lacks the attribute IssueInstant", f'<Assertion ID="_a1" {GOOD.issued}', '<Assertion ID="_a1"'),
    _shape("no issue instant of the response", "Response lacks the attribute IssueInstant", f"{GOOD.issued} {GOOD.destination}", GOOD.destination),
    _shape("no instant of the sign-in", "Response/Assertion/AuthnStatement lacks the attribute AuthnInstant", 'AuthnInstant="2026-05-04T09:20:00.5Z" ', ""),
    _shape("no method", "Response/Assertion/Subject/SubjectConfirmation lacks the attribute Method", f' Method="{GOOD.method}"', ""),
    _shape("no value of the status code", "Response/Status/StatusCode lacks the attribute Value", _CODE, "<samlp:StatusCode/>"),
    _shape("no name of an attribute", "Response/Assertion/AttributeStatement/Attribute lacks the attribute Name", 'Name="email"', 'FriendlyName="email"'),
    # values
    _shape("an empty destination", "the destination is missing", GOOD.destination, 'Destination=""', "destination"),
    _shape("a destination that is no URI", "the attribute Destination of Response has a value that does not fit its type, xs:anyURI", GOOD.destination, 'Destination="%zz"'),
    _shape("a name format that is no URI", "the attribute NameFormat of Response/Assertion/AttributeStatement/Attribute of 'email' has a value that does not fit its type, xs:anyURI", 'Name="email"', 'Name="email" NameFormat="%zz"'),
    _shape("a format of the name that is no URI", "the attribute Format of Response/Assertion/Subject/NameID has a value that does not fit its type, xs:anyURI", '<NameID Format="', '<NameID Format="%'),
    _shape("a consent that is no URI", "the attribute Consent of Response has a value that does not fit its type, xs:anyURI", GOOD.destination, f'{GOOD.destination} Consent="%zz"'),
    _shape("a method that is no URI", "the attribute Method of Response/Assertion/Subject/SubjectConfirmation has a value that does not fit its type, xs:anyURI", f'Method="{GOOD.method}"', 'Method="%zz"'),
    _shape("a class that is no URI", "Response/Assertion/AuthnStatement/AuthnContext/AuthnContextClassRef has a value that does not fit its type, xs:anyURI", "<AuthnContextClassRef>urn", "<AuthnContextClassRef>%urn"),
    _shape("a day instead of a time", "the attribute IssueInstant of Response has a value that does not fit its type, xs:dateTime", GOOD.issued, 'IssueInstant="2026-05-04"'),
    _shape("a sign-in at no time", "the attribute AuthnInstant of Response/Assertion/AuthnStatement has a value that does not fit its type, xs:dateTime", 'AuthnInstant="2026-05-04T09:20:00.5Z"', 'AuthnInstant="soon"'),
    _shape("a session until no time", "the attribute SessionNotOnOrAfter of Response/Assertion/AuthnStatement has a value that does not fit its type, xs:dateTime", 'SessionIndex="_a1"', 'SessionNotOnOrAfter="soon"'),
    _shape("a request whose ID is none", "the attribute InResponseTo of Response has a value that does not fit its type, xs:NCName", GOOD.answers, 'InResponseTo="1 2"'),
    _shape("a count below nothing", "the attribute Count of Response/Assertion/Conditions/ProxyRestriction has a value that does not fit its type, xs:nonNegativeInteger", GOOD.audience, f'{GOOD.audience}<ProxyRestriction Count="-1"/>'),
    _shape("content of a single use", "Response/Assertion/Conditions/OneTimeUse is not as SAML's schema has it", GOOD.audience, f"{GOOD.audience}<OneTimeUse>{_FOREIGN}</OneTimeUse>"),
    _shape("an abstract condition", "Response/Assertion/Conditions/Condition is not as SAML's schema has it", GOOD.audience, f"{GOOD.audience}<Condition/>"),
    _shape("an abstract statement", "Response/Assertion/Statement is not as SAML's schema has it", GOOD.session, f"{GOOD.session}<Statement/>"),
    _shape("version 2", "the assertion has version '2', not 2.0", f"{GOOD.version} xmlns=", 'Version="2" xmlns=', "version"),
    _shape("a name for another receiver", "the NameID is for another receiver, 'urn:x'", "<NameID ", '<NameID SPNameQualifier="urn:x" ', "name-id"),
    _shape("two attributes of one friendly name", "two attributes have the same FriendlyName, and strict receivers refuse that", _EMAIL, _EMAIL.replace(" ", ' FriendlyName="a" ', 1) + attribute("x", "y").replace(" ", ' FriendlyName="a" ', 1), "attribute-duplicate"),
    _shape("two attributes of one name", "'email' is there 2 times, and parsers disagree on which wins", _EMAIL, _EMAIL * 2, "attribute-duplicate"),
    _shape("a tab in a name of an attribute", "the Name 'email\\t' contains control characters", _EMAIL, _EMAIL + attribute("email&#9;", "x"), "attribute-shape"),
    # types
    _type("a text as integer", "Response/Assertion/AttributeStatement/Attribute/AttributeValue of 'roles' has a value that does not fit its type, xs:integer", 'xsi:type="xs:integer"', "agent"),
    _type("a text as boolean", "Response/Assertion/AttributeStatement/Attribute/AttributeValue of 'roles' has a value that does not fit its type, xs:boolean", 'xsi:type="xs:boolean"', "perhaps"),
    _type("a text as time", "Response/Assertion/AttributeStatement/Attribute/AttributeValue of 'roles' has a value that does not fit its type, xs:dateTime", 'xsi:type="xs:dateTime"', "2026-05-04"),
    _type("a text as binary", "Response/Assertion/AttributeStatement/Attribute/AttributeValue of 'roles' has a value that does not fit its type, xs:base64Binary", 'xsi:type="xs:base64Binary"', "a*b"),
    _type("a text as URI", "Response/Assertion/AttributeStatement/Attribute/AttributeValue of 'roles' has a value that does not fit its type, xs:anyURI", 'xsi:type="xs:anyURI"', "%zz"),
    _type("an unknown type", "the attribute type of Response/Assertion/AttributeStatement/Attribute/AttributeValue of 'roles' is not as SAML's schema has it", 'xsi:type="xs:nothing"', "agent"),
    _type("a type without namespace", "the attribute type of Response/Assertion/AttributeStatement/Attribute/AttributeValue of 'roles' has a value that does not fit its type", 'xsi:type="zz:string"', "agent"),
    _type("an element as string", "Response/Assertion/AttributeStatement/Attribute/AttributeValue of 'roles' contains elements instead of text", 'xsi:type="xs:string"', f"{_FOREIGN}"),
    _type("nil with a text", "Response/Assertion/AttributeStatement/Attribute/AttributeValue of 'roles' is not as SAML's schema has it", 'xsi:nil="true"', "agent"),
    _shape("xsi: nil as a name", "Response/Assertion/Subject/NameID is not as SAML's schema has it", "<NameID ", f'<NameID {XSI} xsi:nil="true" '),
    _shape("xsi: conditions as string", "the attribute type of Response/Assertion/Conditions is not as SAML's schema has it", "<Conditions ", f'<Conditions {XSI} xsi:type="xs:string" '),
    Shape("a signature that names another certificate", "signature", "the response names another certificate than the trusted one that signed it", brought="other"),
)  # fmt: skip
