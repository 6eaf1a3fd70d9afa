"""Federation metadata of one application.

Quirks: it starts with a byte-order mark, RoleDescriptor and IDPSSODescriptor have the same certificates, and inactive
ones are among them (A, C for the last).
"""

from __future__ import annotations

from lxml import etree

_MD = "urn:oasis:names:tc:SAML:2.0:metadata"
_DS = "http://www.w3.org/2000/09/xmldsig#"
_FED = "http://docs.oasis-open.org/wsfed/federation/200706"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_BINDINGS = ("HTTP-Redirect", "HTTP-POST")


def build_metadata(issuer: str, identifier: str, certificates: list[str], sign_on: str) -> bytes:
    """`certificates` in base64; `identifier` is the document's ID; `sign_on` the address of both bindings."""
    root = etree.Element(f"{{{_MD}}}EntityDescriptor", nsmap={None: _MD}, ID=identifier, entityID=issuer)
    fed = {"xsi": _XSI, "fed": _FED}
    role = etree.SubElement(root, f"{{{_MD}}}RoleDescriptor", nsmap=fed, protocolSupportEnumeration=_FED)
    role.set(f"{{{_XSI}}}type", "fed:SecurityTokenServiceType")
    saml = etree.SubElement(
        root, f"{{{_MD}}}IDPSSODescriptor", protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"
    )
    for descriptor in (role, saml):
        for certificate in certificates:
            _key(descriptor, certificate)
    for binding in _BINDINGS:
        etree.SubElement(
            saml,
            f"{{{_MD}}}SingleSignOnService",
            Binding=f"urn:oasis:names:tc:SAML:2.0:bindings:{binding}",
            Location=sign_on,
        )
    return b"\xef\xbb\xbf" + bytes(etree.tostring(root, xml_declaration=True, encoding="utf-8"))


def _key(parent: etree._Element, certificate: str) -> None:
    descriptor = etree.SubElement(parent, f"{{{_MD}}}KeyDescriptor", use="signing")
    info = etree.SubElement(descriptor, f"{{{_DS}}}KeyInfo", nsmap={None: _DS})
    data = etree.SubElement(info, f"{{{_DS}}}X509Data")
    etree.SubElement(data, f"{{{_DS}}}X509Certificate").text = certificate
