"""Who the sign-in says it is: the NameID and its Format, rules N1 to N5. Pure.

A service provider's request may ask for another Format (N3); a prediction knows of no request.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from flexsaml.claims import load_table

from .evidence import SourceValues, rate_evidence
from .policy import PolicyEntry
from .sources import Sources
from .transformations import METHODS_FOR_NAME_ID

EMAIL = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
UNSPECIFIED = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"


@dataclass(frozen=True, kw_only=True)
class PredictedNameId(SourceValues):
    """The NameID. Its Format has a confidence of its own."""

    format: str
    format_confidence: str

    @property
    def value(self) -> str:
        """ "" if it is unknown."""
        return self.values[0] if self.values else ""


def predict_name_id(sources: Sources) -> PredictedNameId:
    """The NameID that the policy gives the user."""
    entry = sources.policy.name_id
    if entry is None:
        return _with_format(SourceValues(values=(sources.agent.upn,), evidence=("N1 none",)), PERSISTENT, "")
    source = _read_allowed(entry, sources)
    if not source.values:
        unknown = source.unknown or f"Entra sends a pairwise identifier instead: {source.reason}"
        pairwise = SourceValues(evidence=(*source.evidence, "N2 pairwise"), unknown=unknown)
        return _with_format(pairwise, PERSISTENT, entry.name_id_format)
    is_address = entry.source == "user" and entry.id.lower() in ("userprincipalname", "mail")
    return _with_format(source, EMAIL if is_address else UNSPECIFIED, entry.name_id_format)


def _with_format(source: SourceValues, default: str, stated: str) -> PredictedNameId:
    confidence = rate_evidence(("N3",) if stated else ("N3", "N3 default"))
    return PredictedNameId(**vars(source.citing("N3")), format=stated or default, format_confidence=confidence)


def _read_allowed(entry: PolicyEntry, sources: Sources) -> SourceValues:
    """The first value, if Entra allows the source for NameID (N2, N4); else none."""
    method, id_ = "", entry.id.lower()
    if entry.source == "transformation":
        transformation = sources.policy.find_transformation(entry.transformation)
        method = transformation.method if transformation else ""
        is_allowed, rules = method in METHODS_FOR_NAME_ID, ("N4",)
    else:
        allowed, observed = (load_table("attributes")[name] for name in ("nameid", "nameid_observed"))
        is_allowed = entry.source == "user" and not entry.extension and id_ in (*allowed, *observed)
        rules = ("N2 observed",) if is_allowed and id_ in observed else ("N2",)
    if not is_allowed:
        return SourceValues(evidence=rules, reason=f"{entry.label} is not allowed for NameID")
    source = sources.read(entry).citing("N1", *rules)
    source = replace(source, values=source.values[:1] if any(source.values) else ())
    if method != "join" or not source.values:
        return source
    domains = sources.target.snapshot.domains
    if domains is None:
        return SourceValues(evidence=("N4",), unknown="the verified domains may not be read (Organization.Read.All)")
    _, at_sign, domain = source.values[0].rpartition("@")
    if not at_sign or domain.lower() not in map(str.lower, domains):
        return SourceValues(evidence=("N4",), reason=f"'{domain}' is not a verified domain")
    return source
