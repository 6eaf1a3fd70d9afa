"""Who the sign-in says it is: the NameID and its Format, rules N1 to N5. Pure.

A service provider's request may name another Format (N3); a prediction knows of no request.
"""

from __future__ import annotations

from dataclasses import dataclass

from flexsaml.claims import load_table

from .confidence import mark, rules
from .policy import Entry, SignInPolicy
from .sources import Sources
from .subject import Found
from .transformations import ON_NAME_ID

EMAIL = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
UNSPECIFIED = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"


@dataclass(frozen=True)
class NamedBy:
    """The NameID; `value` is empty when it cannot be known. Value and Format are believed each by itself."""

    value: str
    format: str
    mark: str
    rules: tuple[str, ...]
    format_mark: str
    why: str = ""


def named_by(policy: SignInPolicy, sources: Sources) -> NamedBy:
    """The NameID a policy gives a user."""
    entry = policy.name_id
    if entry is None:
        return _named(Found((sources.agent.upn,), ("N1 none",)), PERSISTENT, "")
    found = _allowed(entry, policy, sources)
    own = entry.name_id_format
    if not found.values:
        why = found.unknown or f"a pairwise identifier takes its place: {found.why}"
        return _named(Found(grounds=(*found.grounds, "N2 pairwise"), unknown=why), PERSISTENT, own)
    is_address = entry.source == "user" and entry.id.lower() in ("userprincipalname", "mail")
    return _named(found, EMAIL if is_address else UNSPECIFIED, own)


def _named(found: Found, usual: str, own: str) -> NamedBy:
    return NamedBy(
        value="" if found.unknown else found.values[0],
        format=own or usual,
        mark=mark(found.grounds, found.unknown),
        rules=rules((*found.grounds, "N3")),
        format_mark=mark(("N3",) if own else ("N3", "N3 default")),
        why=found.unknown,
    )


def _allowed(entry: Entry, policy: SignInPolicy, sources: Sources) -> Found:
    """The first value of a source Entra allows for NameID; none where it does not (N2, N4)."""
    if entry.source == "transformation":
        return _transformed(entry, policy, sources)
    listed = load_table("attributes")
    id_ = entry.id.lower()
    if entry.source != "user" or entry.extension or id_ not in (*listed["nameid"], *listed["nameid_observed"]):
        return Found(grounds=("N2",), why=f"{entry.label} is no source of a NameID")
    found = sources.of(entry)
    ground = "N2 seen" if id_ in listed["nameid_observed"] else "N2"
    return Found(
        found.values[:1] if any(found.values) else (), ("N1", ground, *found.grounds), found.why, found.unknown
    )


def _transformed(entry: Entry, policy: SignInPolicy, sources: Sources) -> Found:
    transformation = policy.transformation(entry.transformation)
    method = transformation.method if transformation else ""
    if method not in ON_NAME_ID:
        return Found(grounds=("N4",), why=f"{entry.label} is not allowed on NameID")
    found = sources.of(entry)
    if method != "join" or not found.values:
        return Found(
            found.values[:1] if any(found.values) else (), ("N1", "N4", *found.grounds), found.why, found.unknown
        )
    domains = sources.place.domains
    if domains is None:
        return Found(unknown="the verified domains may not be read (Organization.Read.All)", grounds=("N4",))
    domain = found.values[0].rpartition("@")[2].lower()
    if "@" not in found.values[0] or domain not in {one.lower() for one in domains}:
        return Found(grounds=("N4",), why=f"'{domain}' is no verified domain")
    return Found(found.values[:1], ("N1", "N4", *found.grounds))
