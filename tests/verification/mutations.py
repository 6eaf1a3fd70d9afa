"""A table of attacks on a good SAML response. A helper, not a test."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, replace

from lxml import etree

from tests.verification.good_response import (
    ACS,
    ATTRIBUTES,
    AUDIENCE,
    ENC,
    ENVELOPED,
    EXCLUSIVE,
    INCLUSIVE,
    ISSUER,
    MORE,
    NAME,
    REQUEST,
    XMLDSIG,
    A,
    D,
    P,
    Recipe,
    Signing,
    attribute,
    bytes_of,
    good,
    good_bytes,
    sign,
    statement,
)


@dataclass(frozen=True)
class Mutation:
    """An attack. `check` is the name of the fault that must be among those reported."""

    name: str
    check: str
    make: Callable[[], bytes]


def _signed(name: str, check: str, **changes: object) -> Mutation:
    """Changed before it was signed, by somebody who has the key."""
    return Mutation(name, check, lambda: good_bytes(replace(Recipe(), **changes)))  # type: ignore[arg-type]


def _loose(name: str, check: str, **changes: object) -> Mutation:
    """Only the assertion is signed: the response around it was altered."""
    return Mutation(name, check, lambda: good_bytes(replace(Recipe(), **changes), response=None))  # type: ignore[arg-type]


def _how(name: str, check: str, **changes: object) -> Mutation:
    """Signed in another way."""
    how = replace(Signing(), **changes)  # type: ignore[arg-type]
    return Mutation(name, check, lambda: good_bytes(assertion=how, response=None))


def _text(name: str, check: str, old: str, new: str, count: int = 1) -> Mutation:
    """Altered in transit, as text."""

    def make() -> bytes:
        text = good_bytes().decode()
        assert old in text, old
        return text.replace(old, new, count).encode()

    return Mutation(name, check, make)


def _tree(
    name: str, check: str, change: Callable[[etree._Element], etree._Element | None], **signing: object
) -> Mutation:
    """Altered in transit, as a tree."""

    def make() -> bytes:
        root = good(**signing)  # type: ignore[arg-type]
        changed = change(root)
        return bytes_of(root if changed is None else changed)

    return Mutation(name, check, make)


def _find(root: etree._Element, name: str) -> etree._Element:
    element = root.find(f".//{name}")
    assert element is not None, name
    return element


def _copy(element: etree._Element) -> etree._Element:
    return etree.fromstring(etree.tostring(element, with_tail=False))


def _evil(element: etree._Element, *, signature: bool = False, new_id: str = "_evil") -> etree._Element:
    """A copy with another NameID, under another ID."""
    copy = _copy(element)
    copy.set("ID", new_id)
    _find(copy, f"{A}NameID").text = "eve@contoso.example"
    if not signature:
        return _without(copy)
    return copy


def _without(element: etree._Element) -> etree._Element:
    copy = _copy(element)
    for signature in copy.findall(f"{D}Signature"):
        copy.remove(signature)
    return copy


def _xsw1(root: etree._Element) -> etree._Element:
    evil = _evil(root, signature=True)
    _find(evil, f"{D}Signature").append(_without(root))
    return evil


def _xsw2(root: etree._Element) -> etree._Element:
    evil = _evil(root, signature=True)
    evil.insert(1, _without(root))
    return evil


def _xsw3(root: etree._Element) -> None:
    root.insert(2, _evil(root[-1]))


def _xsw4(root: etree._Element) -> None:
    original = root[-1]
    evil = _evil(original)
    root.replace(original, evil)
    evil.append(original)


def _xsw5(root: etree._Element) -> None:
    original = root[-1]
    root.replace(original, _evil(original, signature=True))
    root.append(_without(original))


def _xsw6(root: etree._Element) -> None:
    original = root[-1]
    evil = _evil(original, signature=True)
    _find(evil, f"{D}Signature").append(_without(original))
    root.replace(original, evil)


def _xsw7(root: etree._Element) -> None:
    extensions = etree.Element(f"{P}Extensions")
    extensions.append(_evil(root[-1], new_id=str(root[-1].get("ID"))))
    root.insert(1, extensions)


def _xsw8(root: etree._Element) -> None:
    original = root[-1]
    evil = _evil(original, signature=True)
    holder = etree.SubElement(_find(evil, f"{D}Signature"), f"{D}Object")
    holder.append(_without(original))
    root.replace(original, evil)


def _evil_response_around(root: etree._Element) -> etree._Element:
    """The signed assertion is moved aside, into an element nobody reads."""
    evil = _evil(root, new_id="_evil")
    advice = etree.SubElement(evil[-1], f"{A}Advice")
    advice.append(_copy(root[-1]))
    return evil


def _drop_signatures(root: etree._Element) -> None:
    for signature in list(root.iter(f"{D}Signature")):
        parent = signature.getparent()
        assert parent is not None
        parent.remove(signature)


def _set(path: str, name: str, value: str) -> Callable[[etree._Element], None]:
    return lambda root: _find(root, path).set(name, value)


def _say(path: str, value: str) -> Callable[[etree._Element], None]:
    def change(root: etree._Element) -> None:
        _find(root, path).text = value

    return change


def _two_signatures(root: etree._Element) -> None:
    sign(root[-1], Signing())


def _doctype(subset: str, reference: str = "&e;") -> Callable[[], bytes]:
    def make() -> bytes:
        text = good_bytes().decode().replace("Ada Lovelace", reference)
        return f"<!DOCTYPE samlp:Response {subset}>{text}".encode()

    return make


def _bomb() -> bytes:
    levels = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(9))
    return _doctype(f'[<!ENTITY e0 "lol">{levels}]', "&e9;")()


def _flood(piece: bytes, count: int) -> Callable[[], bytes]:
    return lambda: good_bytes().replace(b"<samlp:Status>", piece * count + b"<samlp:Status>", 1)


_SCD = "<SubjectConfirmationData {}/>"
_DELIVERY = f'Recipient="{ACS}" InResponseTo="{REQUEST}"'
_LATER = f'InResponseTo="{REQUEST}" NotOnOrAfter="2026-05-04T10:29:58Z"'
FAILED_STATUS = '<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:{}"/></samlp:Status>'
_RESTRICTION = "<AudienceRestriction><Audience>{}</Audience></AudienceRestriction>"


def with_more(*attributes: str) -> tuple[str, ...]:
    return (*ATTRIBUTES, *attributes)


def with_instead(name: str, *values: str) -> tuple[str, ...]:
    kept = tuple(xml for xml in ATTRIBUTES if f'Name="{name}"' not in xml)
    return (*kept, attribute(name, *values)) if values else kept


_FOREIGN = '<Attribute xmlns="urn:oasis:names:tc:SAML:2.0:assertion" Name="roles"/>'
MUTATIONS = (
    # signed by the right key: for another receiver, or at another time
    _signed("another audience", "audience", audience=_RESTRICTION.format("urn:flex:JQ99")),
    _signed("audience with a slash", "audience", audience=_RESTRICTION.format(AUDIENCE + "/")),
    _signed("audience in other case", "audience", audience=_RESTRICTION.format(AUDIENCE.upper())),
    _signed("a second restriction", "audience", audience=_RESTRICTION.format(AUDIENCE) + _RESTRICTION.format("urn:other")),
    _signed("no audience", "audience", audience=""),
    _signed("restriction without audience", "shape", audience="<AudienceRestriction/>"),
    _signed("an unknown condition", "conditions", audience=_RESTRICTION.format(AUDIENCE) + '<Condition xmlns:x="http://www.w3.org/2001/XMLSchema-instance" x:type="OneTimeUseType"/>'),
    _signed("another recipient", "recipient", data=_SCD.format(f'{_LATER} Recipient="https://evil.example/acs"')),
    _signed("no recipient", "recipient", data=_SCD.format(_LATER)),
    _signed("another destination", "destination", destination='Destination="https://evil.example/acs"'),
    _signed("no destination", "destination", destination=""),
    _signed("not yet", "not-before", times='NotBefore="2026-05-04T09:31:30Z" NotOnOrAfter="2026-05-04T10:29:58Z"'),
    _signed("no more", "not-on-or-after", times='NotOnOrAfter="2026-05-04T09:28:59Z"'),
    _signed("for ever", "not-on-or-after", times=""),
    _signed("an end in another zone", "not-on-or-after", times='NotOnOrAfter="2026-05-04T12:29:58+02:00"'),
    _signed("an end that is no date", "shape", times='NotOnOrAfter="2026-13-04T10:29:58Z"'),
    _signed("a beginning that is no time", "shape", times='NotBefore="now" NotOnOrAfter="2026-05-04T10:29:58Z"'),
    _signed("shown too late", "subject-confirmation", data=_SCD.format(f'{_DELIVERY} NotOnOrAfter="2026-05-04T09:28:00Z"')),
    _signed("shown for ever", "subject-confirmation", data=_SCD.format(_DELIVERY)),
    _signed("shown later only", "subject-confirmation", data=_SCD.format(f'{_DELIVERY} {_LATER.split()[1]} NotBefore="2026-05-04T09:00:00Z"')),
    _signed("nothing said of showing", "subject-confirmation", data=""),
    _signed("holder of a key", "subject-confirmation", method="urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"),
    _signed("another request", "in-response-to", answers='InResponseTo="_other"', data=_SCD.format(f'InResponseTo="_other" NotOnOrAfter="2026-05-04T10:29:58Z" Recipient="{ACS}"')),
    _signed("no request", "in-response-to", answers="", data=_SCD.format(f'NotOnOrAfter="2026-05-04T10:29:58Z" Recipient="{ACS}"')),
    _signed("two requests", "in-response-to", data=_SCD.format(f'InResponseTo="_other" NotOnOrAfter="2026-05-04T10:29:58Z" Recipient="{ACS}"')),
    _signed("another issuer", "issuer", issuer="<Issuer>https://sts.windows.net/00000000-0000-0000-0000-000000000000/</Issuer>"),
    _signed("no issuer", "issuer", issuer="<Issuer/>"),
    _signed("two issuers", "shape", issuer=f"<Issuer>{ISSUER}</Issuer><Issuer>{ISSUER}</Issuer>"),
    _signed("response of another issuer", "issuer", outer_issuer='<Issuer xmlns="urn:oasis:names:tc:SAML:2.0:assertion">https://evil.example/</Issuer>'),
    _signed("issued tomorrow", "issued", issued='IssueInstant="2026-05-05T09:30:00Z"'),
    _signed("issued at no time", "shape", issued='IssueInstant="2026ccc05-04T09:30:00Z"'),
    _signed("version 1.1", "version", version='Version="1.1"'),
    _signed("version 2.1", "version", version='Version="2.1"'),
    _signed("no version", "shape", version=""),
    _signed("status of failure", "status", status=FAILED_STATUS.format("Responder")),
    _signed("no status", "shape", status=""),
    _signed("a session of an hour", "session", session=statement('AuthnInstant="2026-05-04T09:29:00Z" SessionNotOnOrAfter="2026-05-04T10:29:58.123Z"')),
    _signed("a session that ended", "session", session=statement('AuthnInstant="2026-05-04T07:29:00Z" SessionNotOnOrAfter="2026-05-04T09:00:00Z"')),
    _signed("nobody signed in", "session", session=""),
    _signed("somebody signs in tomorrow", "session", session=statement('AuthnInstant="2026-05-05T09:29:00Z"')),
    _signed("two subjects", "shape", name_id=f"<NameID>{NAME}</NameID></Subject><Subject><NameID>eve@contoso.example</NameID>"),
    _signed("two names", "shape", name_id=f"<NameID>{NAME}</NameID><NameID>eve@contoso.example</NameID>"),
    _signed("elements in the name", "shape", name_id=f"<NameID><b>{NAME}</b></NameID>"),
    _signed("no name", "name-id", name_id=""),
    _signed("an empty name", "name-id", name_id="<NameID> </NameID>"),
    _signed("two conditions", "shape", audience=_RESTRICTION.format(AUDIENCE) + f"</Conditions><Conditions>{_RESTRICTION.format(AUDIENCE)}"),
    # attributes
    _signed("an attribute twice", "attribute-duplicate", attributes=with_more(attribute("email", "eve@contoso.example"))),
    _signed("an attribute twice, in two forms", "attribute-duplicate", attributes=with_more('<Attribute Name="email" NameFormat="urn:x"><AttributeValue>e</AttributeValue></Attribute>')),
    _signed("an attribute with a blank name", "attribute-shape", attributes=with_more(attribute(" ", "a"))),
    _signed("an attribute without a name", "shape", attributes=with_more("<Attribute><AttributeValue>a</AttributeValue></Attribute>")),
    _signed("elements in a value", "attribute-shape", attributes=with_instead("full_name", "<b>Ada</b>")),
    _signed("no roles", "attribute-missing", attributes=with_instead("roles")),
    _signed("no declared attribute", "attribute-missing", attributes=with_instead("languages.stringarray")),
    _signed("an empty email", "attribute-empty", attributes=with_instead("email", "")),
    _signed("a number that is none", "attribute-ill-typed", attributes=with_more(attribute("level.int", "three"))),
    _signed("an empty boolean", "attribute-ill-typed", attributes=with_more(attribute("active.boolean", ""))),
    # only the assertion is signed, and the response around it was altered
    _loose("unsigned: another destination", "destination", destination='Destination="https://evil.example/acs"'),
    _loose("unsigned: status of failure", "status", status=FAILED_STATUS.format("Responder")),
    _loose("unsigned: another request", "in-response-to", answers='InResponseTo="_other"'),
    _tree("unsigned: issued tomorrow", "issued", lambda root: root.set("IssueInstant", "2026-05-05T09:30:00Z"), response=None),
    _loose("unsigned: another issuer", "issuer", outer_issuer='<Issuer xmlns="urn:oasis:names:tc:SAML:2.0:assertion">https://evil.example/</Issuer>'),
    # signed by another key, or in another way
    _how("another key, brought along", "signature", key="other"),
    _how("another key, without certificate", "signature", key="other", certificate=False),
    _how("SHA-1 signature", "signature-algorithm", method=f"{XMLDSIG}rsa-sha1"),
    _how("SHA-1 digest", "digest-algorithm", digest=f"{XMLDSIG}sha1"),
    _how("HMAC with the certificate as the secret", "signature-algorithm", method=f"{MORE}hmac-sha256"),
    _how("HMAC-SHA-1", "signature-algorithm", method=f"{XMLDSIG}hmac-sha1"),
    _how("RSA-PSS", "signature-algorithm", method="http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"),
    _how("inclusive canonicalization", "canonicalization", canonical=INCLUSIVE),
    _how("canonicalization with comments", "canonicalization", canonical=f"{EXCLUSIVE}WithComments"),
    _how("inclusive transform", "signature-transforms", transforms=(ENVELOPED, INCLUSIVE)),
    _how("transform with comments", "signature-transforms", transforms=(ENVELOPED, f"{EXCLUSIVE}WithComments")),
    _how("XPath", "signature-transforms", transforms=(ENVELOPED, "http://www.w3.org/TR/1999/REC-xpath-19991116", EXCLUSIVE)),
    _how("XSLT", "signature-transforms", transforms=("http://www.w3.org/TR/1999/REC-xslt-19991116", ENVELOPED, EXCLUSIVE)),
    _how("base64", "signature-transforms", transforms=(ENVELOPED, f"{XMLDSIG}base64", EXCLUSIVE)),
    _how("not enveloped", "signature-transforms", transforms=(EXCLUSIVE,)),
    _how("no transforms", "signature-transforms", transforms=()),
    _how("enveloped twice", "signature-transforms", transforms=(ENVELOPED, ENVELOPED, EXCLUSIVE)),
    _how("empty URI", "signature-reference", uri=""),
    _how("no URI", "signature-reference", uri=None),
    _how("URI of the response", "signature-reference", uri="#_r1"),
    _how("URI with two hashes", "signature-reference", uri="##_a1"),
    _how("XPointer", "signature-reference", uri="#xpointer(id('_a1'))"),
    _how("URI of a file", "signature-reference", uri="file:///etc/hostname"),
    _how("detached, somewhere in the net", "signature-reference", uri="https://evil.example/assertion.xml"),
    _how("two references", "signature-reference", also=("#_r1",)),
    _how("the same reference twice", "signature-reference", also=("#_a1",)),
    _how("signed name alone", "signature-reference", target=lambda place: _find(place, f"{A}NameID"), uri="#_name"),
    _how("content in the signature", "signature-object", inside="<ds:Object><x/></ds:Object>"),
    _how("manifest", "signature-object", inside='<ds:Object><ds:Manifest><ds:Reference URI="#_a1"/></ds:Manifest></ds:Object>'),
    _how("an attribute in the KeyInfo", "signature-object", inside=f"<ds:KeyInfo>{_FOREIGN}</ds:KeyInfo>"),
    _how("an attribute beside the KeyInfo", "signature-object", inside=_FOREIGN),
    _loose("an attribute in the status", "unsigned-content", status=Recipe().status.replace("</samlp:Status>", f"<samlp:StatusDetail>{_FOREIGN}</samlp:StatusDetail></samlp:Status>")),
    _loose("a subject in extensions", "unsigned-content", outer_issuer=f"{Recipe().outer_issuer}<samlp:Extensions>{_FOREIGN.replace('Attribute', 'Subject')}</samlp:Extensions>"),
    # not signed, or only in part
    _tree("unsigned", "signature", lambda _: None, assertion=None, response=None),
    _tree("signatures taken out", "signature", _drop_signatures),
    _tree("signature of the response in the assertion", "signature-place", lambda root: root[-1].insert(1, root[1])),
    _tree("signature of the assertion in the response", "signature-reference", lambda root: root.insert(1, _find(root[-1], f"{D}Signature")), response=None),
    _tree("signature in the status", "signature-place", lambda root: _find(root, f"{P}Status").append(root[1])),
    _tree("two signatures in one place", "signature-place", _two_signatures),
    _tree("good assertion, response signed by another", "signature", lambda _: None, response=Signing(key="other")),
    _tree("good response, assertion signed by another", "signature", lambda _: None, assertion=Signing(key="other")),
    _tree("empty signature value", "signature", _say(f"{D}SignatureValue", "")),
    _tree("signature value that is no base64", "signature", _say(f"{D}SignatureValue", "§")),
    _tree("empty digest value", "signature", _say(f"{D}DigestValue", "")),
    _tree("no signed info", "signature", lambda root: root[1].remove(root[1][0])),
    _tree("another digest value", "signature", _say(f"{D}DigestValue", base64.b64encode(bytes(32)).decode())),
    # altered in transit
    _text("another name", "digest", f">{NAME}</NameID>", ">eve@contoso.example</NameID>"),
    _text("another value", "digest", "Ada Lovelace", "Eve Lovelace"),
    _text("one more role", "digest", "<AttributeValue>agent</AttributeValue>", "<AttributeValue>agent</AttributeValue><AttributeValue>admin</AttributeValue>"),
    _text("another audience, unsigned for", "digest", f"<Audience>{AUDIENCE}", "<Audience>urn:flex:JQ99"),
    _text("a longer life", "digest", 'NotOnOrAfter="2026-05-04T10', 'NotOnOrAfter="2036-05-04T10', 2),
    _text("another ID", "signature-reference", 'ID="_a1"', 'ID="_A1"'),
    _text("no ID", "id", 'ID="_a1"', ""),
    _text("an ID with a hash", "id", 'ID="_a1"', 'ID="#_a1"'),
    _text("the same ID elsewhere", "duplicate-id", "<samlp:Status>", '<samlp:Status ID="_a1">'),
    _text("the same id in another case", "duplicate-id", "<samlp:Status>", '<samlp:Status id="_a1">'),
    _text("the same ID, namespaced", "duplicate-id", "<samlp:Status>", '<samlp:Status xmlns:w="urn:w" w:Id="_a1">'),
    _text("white space in the assertion", "digest", "<Subject>", "\n  <Subject>"),
    _text("text between elements", "mixed-content", "<Subject>", "eve@contoso.example<Subject>"),
    _text("comment in the name", "comment", f">{NAME}</NameID>", ">ada@contoso.example<!---->.evil.example</NameID>"),
    _text("comment that signatures pass over", "comment", f">{NAME}</NameID>", ">ada@contoso<!-- x -->.example</NameID>"),
    _text("comment in a value", "comment", "Ada Lovelace", "Ada <!-- -->Lovelace"),
    _text("comment before the root", "comment", "<samlp:Response", "<!-- x --><samlp:Response"),
    _text("instruction in the name", "processing-instruction", f">{NAME}</NameID>", ">ada@contoso.example<?x?></NameID>"),
    _text("style sheet", "processing-instruction", "<samlp:Response", '<?xml-stylesheet href="https://evil.example/x.xsl"?><samlp:Response'),
    # signature wrapping: the eight attacks of Somorovsky et al., and more
    _tree("XSW1", "one-response", _xsw1, assertion=None),
    _tree("XSW2", "one-response", _xsw2, assertion=None),
    _tree("XSW3", "one-assertion", _xsw3, response=None),
    _tree("XSW4", "one-assertion", _xsw4, response=None),
    _tree("XSW5", "one-assertion", _xsw5, response=None),
    _tree("XSW6", "one-assertion", _xsw6, response=None),
    _tree("XSW7", "one-assertion", _xsw7, response=None),
    _tree("XSW8", "one-assertion", _xsw8, response=None),
    _tree("XSW7 has its ID twice", "duplicate-id", _xsw7, response=None),
    _tree("XSW8 carries content", "signature-object", _xsw8, response=None),
    _tree("a response in the response", "one-response", lambda root: _find(root, f"{P}Status").append(etree.Element(f"{P}Response")), response=None),
    _tree("the signed assertion as advice", "one-assertion", _evil_response_around, response=None),
    _tree("the assertion one level down", "one-assertion", lambda root: _find(root, f"{P}Status").append(root[-1])),
    # entities and floods
    Mutation("entity", "doctype", _doctype('[<!ENTITY e "Eve Lovelace">]')),
    Mutation("entity of a file", "doctype", _doctype('[<!ENTITY e SYSTEM "file:///etc/hostname">]')),
    Mutation("external subset", "doctype", _doctype('SYSTEM "https://evil.example/x.dtd"', "Ada")),
    Mutation("parameter entity", "doctype", _doctype('[<!ENTITY % p SYSTEM "https://evil.example/x.dtd"> %p;]', "Ada")),
    Mutation("a doctype that makes IDs", "doctype", _doctype("[<!ATTLIST NameID Format ID #IMPLIED>]", "Ada")),
    Mutation("a billion laughs", "doctype", _bomb),
    Mutation("UTF-16", "encoding", lambda: base64.b64encode(good_bytes().decode().encode("utf-16"))),
    Mutation("UTF-7 declared", "encoding", lambda: b'<?xml version="1.0" encoding="UTF-7"?>' + good_bytes()),
    Mutation("Latin-1", "encoding", lambda: good_bytes().replace(b"Ada", b"\xc4da")),
    Mutation("ten thousand levels", "nesting", _flood(b"<a>", 3000)),
    Mutation("fifty levels", "nesting", lambda: good_bytes().replace(b"<samlp:Status>", b"<a>" * 50 + b"</a>" * 50 + b"<samlp:Status>")),
    Mutation("a hundred thousand elements", "size", _flood(b"<a/>", 100_000)),
    Mutation("many namespaces", "size", lambda: good_bytes().replace(b"<samlp:Status>", b"<samlp:Status " + b" ".join(b'xmlns:n%d="u"' % n for n in range(2000)) + b">")),
    Mutation("many attributes", "size", lambda: good_bytes().replace(b"<samlp:Status>", b"<samlp:Status " + b" ".join(b'a%d=""' % n for n in range(50_000)) + b">")),
    Mutation("ten megabytes", "size", _flood(b" " * 1000, 10_000)),
)  # fmt: skip

RAW_ALGORITHMS = {f"{MORE}rsa-sha{n}": f"{ENC if n != 384 else MORE}sha{n}" for n in (256, 384, 512)}
"""Signature method to digest, of those that are taken."""
