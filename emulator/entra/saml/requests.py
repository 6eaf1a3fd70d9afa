"""Reading AuthnRequests from a query (deflated) or a form, and refusals of a sign-in as Entra numbers them. Pure.
Anything but an AuthnRequest is refused in one line. Sizes are bounded before anything is inflated or parsed, and a
document type is never accepted."""

import base64
import zlib
from dataclasses import dataclass

from lxml import etree

from emulator.entra.tokens import REFUSALS

PROTOCOL = "urn:oasis:names:tc:SAML:2.0:protocol"
ASSERTION = "urn:oasis:names:tc:SAML:2.0:assertion"
MAX_SIZE = 100_000
EMAIL_ADDRESS = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
UNSPECIFIED = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
NAME_ID_FORMATS = (EMAIL_ADDRESS, UNSPECIFIED, PERSISTENT, TRANSIENT)
"""Those that a request may ask for (A); a tenant was seen to list them when it refused another one (C)."""


class SignInError(Exception):
    """Why a sign-in is refused: an AADSTS code, a line of words that `names` fill in, and the status of the answer."""

    def __init__(self, number: int, *names: str, status: int = 0) -> None:
        refusal = REFUSALS["sign_in"][str(number)]
        self.code = f"AADSTS{number}"
        self.message = " ".join(refusal["words"].format(*names).split())
        self.status: int = status or refusal["status"]
        super().__init__(f"{self.code}: {self.message}")


@dataclass(frozen=True)
class AuthnRequest:
    """What a sign-in needs of a request: `reply_url` and `name_id_format` may be empty, all is without a request."""

    id: str = ""
    issuer: str = ""
    reply_url: str = ""
    name_id_format: str = ""


def decode_request(encoded: str, *, deflated: bool) -> bytes:
    """The XML of a SAMLRequest parameter. Raises SignInError."""
    if not encoded:
        raise SignInError(750054)
    if len(encoded) > MAX_SIZE:
        raise SignInError(75005, "it is too large")
    try:
        raw = base64.b64decode("".join(encoded.split()), validate=True)
        if deflated:
            inflater = zlib.decompressobj(-15)
            raw = inflater.decompress(raw, MAX_SIZE)
            if inflater.unconsumed_tail or not inflater.eof:
                raise SignInError(75005, "it does not inflate to a message of sensible size")
    except (ValueError, zlib.error) as error:
        raise SignInError(75005, "it is not base64" + (" of a deflated message" if deflated else "")) from error
    return raw


def parse_request(xml: bytes) -> AuthnRequest:
    """Raises SignInError for XML that is not an AuthnRequest, and for a kind of NameID that Entra does not issue."""
    root = parse_xml(xml)
    if root is None or root.tag != f"{{{PROTOCOL}}}AuthnRequest":
        raise SignInError(75005, "it is not an AuthnRequest in XML")
    if root.get("Version") != "2.0" or not root.get("ID"):
        raise SignInError(75005, "it has no ID, or is not of version 2.0")
    issuer = (root.findtext(f"{{{ASSERTION}}}Issuer") or "").strip()
    if not issuer:
        raise SignInError(75005, "it has no Issuer")
    policy = root.find(f"{{{PROTOCOL}}}NameIDPolicy")
    name_id_format = "" if policy is None else policy.get("Format", "").strip()
    if name_id_format not in ("", *NAME_ID_FORMATS):
        raise SignInError(750161, ", ".join(NAME_ID_FORMATS))
    return AuthnRequest(root.get("ID", ""), issuer, root.get("AssertionConsumerServiceURL", ""), name_id_format)


def parse_xml(xml: bytes) -> etree._Element | None:
    """The root of a document without a document type, or None."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(xml, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    return None if root.getroottree().docinfo.doctype else root
