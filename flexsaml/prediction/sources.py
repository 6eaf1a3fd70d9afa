"""What the entries of a policy give one user. Pure. A value that could not be read is unknown, never empty; if nothing
of a user may be read, Graph answers null for every property. The request of a service provider may ask for another
Format of the NameID (N3); a prediction knows of no request."""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path

from flexsaml.claims import NAME_ID, is_full_name, load_table, owner_app_id
from flexsaml.fragile_text import NOT_IN_XML
from flexsaml.graph import PrincipalSnapshot

from .evidence import UNDOCUMENTED, UNKNOWN, SourceValues, rate_evidence
from .pattern_process import PatternProcess
from .policy import PolicyEntry, SignInPolicy
from .transformations import METHODS_FOR_NAME_ID, apply_transformation

EMAIL = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
UNSPECIFIED = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
_LINE_BREAK = re.compile("[\r\n]")
_SPELLED = frozenset({
    "createddatetime", "lastpasswordchangedatetime", "consentprovidedforminor", "creationtype", "usertype",
})  # fmt: skip
"""Dates, and words of a fixed list: that a sign-in spells them as Graph does is our inference (S14)."""
_PRINCIPAL_SOURCES = ("application", "resource", "audience")
UNREADABLE_USER = "there is no permission to read the user's properties (User.Read.All)"


@dataclass(frozen=True)
class SignInTarget:
    """The service principal and its tenant. `has_key`: whether Entra has a certificate to sign with; `is_key_undated`:
    whether that depends on one without dates; `is_key_unusable`: whether the active one has no private key (W9).
    `extensions`: full name to data type, with `[]` for several values, "" if
    its application could not be read; `synced`: those that a directory synchronisation made."""

    snapshot: PrincipalSnapshot
    has_key: bool = True
    is_key_undated: bool = False
    is_key_unusable: bool = False
    extensions: Mapping[str, str] = field(default_factory=dict)
    synced: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Agent:
    """One user. `properties`: v1.0 name to JSON value; `values`: full extension name to JSON value. `roles` and
    `assigned`: what could be read of the user's assignments; `has_textless_role`: whether one of the roles has no text;
    `has_disabled_role`: whether one of the texts is that of disabled roles only; `has_role_twice`: whether several
    assignments give the same text, or may do so where a group was not read.
    `roles_unreadable`: why the user may have others, which could not be read; "" if there are none.
    `unreadable_extensions`: extension to the reason why it could not be read; `declared`: those that a stack writes
    first, under their very names."""

    id: str
    upn: str
    properties: Mapping[str, object]
    values: Mapping[str, object] = field(default_factory=dict)
    roles: tuple[str, ...] = ()
    assigned: bool = False
    has_textless_role: bool = False
    has_disabled_role: bool = False
    has_role_twice: bool = False
    roles_unreadable: str = ""
    unreadable_extensions: Mapping[str, str] = field(default_factory=dict)
    declared: frozenset[str] = frozenset()

    @property
    def is_readable(self) -> bool:
        """Whether its properties may be read: an account is enabled or not, never null."""
        return self.properties.get("accountEnabled") is not None

    @property
    def guest_doubt(self) -> str:
        """Why the user may sign in with an account of another tenant, "" if not: then Entra sends the UPN that the user
        has there, and Graph does not tell which kind of account a guest uses (S23)."""
        is_invited = self.properties.get("creationType") in ("Invitation", "SelfServiceSignUp")
        is_external = is_invited or bool(self.properties.get("externalUserState"))
        if "#EXT#" in self.upn.upper() or self.properties.get("userType") == "Guest" or is_external:
            return "the user is a guest, and it depends on the account that they sign in with"
        return "" if self.is_readable else "there is no permission to read whether the user is a guest (User.Read.All)"

    @cached_property
    def by_lower_name(self) -> dict[str, object]:
        return {name.lower(): value for name, value in self.properties.items()}


class Sources:
    """The values of a policy's entries for one user at one target."""

    def __init__(self, policy: SignInPolicy, target: SignInTarget, agent: Agent, patterns: PatternProcess) -> None:
        self.policy, self.target, self.agent = policy, target, agent
        self._patterns = patterns
        self._results: dict[PolicyEntry, SourceValues] = {}

    def read(self, entry: PolicyEntry) -> SourceValues:
        """The values of the entry; its Value is ignored if it has a Source (D). Each entry is evaluated once, however
        many transformations refer to it; one that refers to itself has no value."""
        if entry not in self._results:
            self._results[entry] = SourceValues(evidence=("T6",), reason="the transformation refers to itself")
            self._results[entry] = self._evaluate(entry)
        return self._results[entry]

    def _evaluate(self, entry: PolicyEntry) -> SourceValues:
        for holder, undocumented in (("policy", self.policy.undocumented), ("entry", entry.undocumented)):
            if undocumented:
                unknown = f"the {holder} has {undocumented}, {UNDOCUMENTED}"
                return SourceValues(evidence=("S25",), unknown=unknown)
        return self._read_source(entry).citing(*self.policy.caveats, *entry.caveats)

    def _read_source(self, entry: PolicyEntry) -> SourceValues:
        if entry.source == "transformation":
            return self._transform(entry)
        if entry.source == "customclaimsprovider":
            return SourceValues(evidence=("S21",), unknown="a custom claims provider gives it")
        if not entry.source:
            if entry.value is None:
                return SourceValues(evidence=("S10 none",), reason="the entry has no source")
            return SourceValues(values=(entry.value,), evidence=("S8",) if entry.value else ("S8", "S6"))
        if not entry.extension:
            return self._read_attribute(entry)
        source, is_synced = self._read_extension(entry), self.agent.properties.get("onPremisesSyncEnabled") is True
        return source.citing("S9 writable") if is_synced and entry.extension in self.agent.declared else source

    def read_upn(self) -> SourceValues:
        """The user principal name that a sign-in sends; that of the home tenant for some guests."""
        return SourceValues(values=(self.agent.upn,), evidence=("S23",), unknown=self.agent.guest_doubt)

    def _transform(self, entry: PolicyEntry) -> SourceValues:
        if self.policy.has_both_keys:
            unknown = f"the policy has ClaimsTransformation and ClaimsTransformations, {UNDOCUMENTED}"
            return SourceValues(evidence=("T",), unknown=unknown)
        transformation = self.policy.find_transformation(entry.transformation)
        if transformation is None:
            return SourceValues(evidence=("T6",), reason=f"there is no transformation '{entry.transformation}'")

        def read_reference(reference: str) -> SourceValues:
            source = self.policy.find_entry(reference)
            if source is None:
                return SourceValues(evidence=("T6",), reason=f"'{reference}' refers to no entry")
            return self.read(source)

        # Nothing is sent for sure where no reading of the policy gives a value; that a value is sent depends on T.
        result = apply_transformation(transformation, read_reference, self._patterns)
        return result.citing("T") if result.values else result

    def _read_attribute(self, entry: PolicyEntry) -> SourceValues:
        """An entry with Source and ID (S10 to S16)."""
        source, id_, snapshot = entry.source, entry.id.lower(), self.target.snapshot
        if source in _PRINCIPAL_SOURCES and id_ in _known_ids(source):
            values = {"displayname": snapshot.principal.display_name, "objectid": snapshot.principal.id}
            evidence = ("S15", *_cite_first(snapshot.tags)) if id_ == "tags" else ("S15",)
            return format_value(values.get(id_, snapshot.tags[:1]), evidence, entry.label)
        if source == "company" and id_ == "tenantcountry":
            if snapshot.country is None:
                return SourceValues(unknown="there is no permission to read the organization (Organization.Read.All)")
            return format_value(snapshot.country or None, ("S16",), entry.label)
        if source == "user" and id_ == "groups":
            return SourceValues(evidence=("S21",), unknown="group claims are not evaluated")
        if source == "user" and is_full_name(entry.id):
            return SourceValues(evidence=("S10 extension",))
        if source == "user" and id_ == "localuserprincipalname":
            return SourceValues(values=(self.agent.upn,), evidence=("S23",))
        if source != "user" or id_ not in _known_ids("user"):
            return SourceValues(evidence=("S10 other",), reason=f"Entra documents no attribute {entry.label}")
        return self._read_user(id_, entry.label)

    def _read_user(self, id_: str, label: str) -> SourceValues:
        agent = self.agent
        if id_ == "netbiosname":
            return SourceValues(evidence=("ID",), unknown="Graph v1.0 has no property for netbiosname")
        if id_ == "assignedroles":
            if agent.roles_unreadable:
                return SourceValues(evidence=("S12",), unknown=agent.roles_unreadable)
            reason = "" if agent.roles else "no assigned role has a value"
            rules = {
                "S12": True, "S12 null": agent.has_textless_role, "S12 disabled": agent.has_disabled_role,
                "S12 once": agent.has_role_twice, "S12 order": len(agent.roles) > 1,
            }  # fmt: skip
            evidence = tuple(rule for rule, applies in rules.items() if applies)
            return SourceValues(values=agent.roles, evidence=evidence, reason=reason)
        if id_ == "userprincipalname":
            return self.read_upn()
        if not agent.is_readable and id_ != "objectid":
            return SourceValues(unknown=UNREADABLE_USER)
        value = agent.by_lower_name.get(find_property(id_).lower())
        if id_.startswith("extensionattribute"):
            value = value.get(f"extensionAttribute{id_[18:]}") if isinstance(value, Mapping) else None
        evidence = () if find_property(id_).lower() == id_ else ("ID",)
        if id_ == "onpremisesuserprincipalname" and value is not None:
            unknown = "it is there only where the tenant uses an alternate sign-in ID, which Graph does not show"
            return SourceValues(evidence=("S28",), unknown=unknown)
        if isinstance(value, list):
            evidence += _cite_first(value) if id_ in load_table("attributes")["one_value_emitted"] else ()
            value = value[0] if value else None
        if value is not None and (isinstance(value, bool) or id_ in _SPELLED):
            evidence += ("S14",)
        return format_value(value, evidence, label)

    def _read_extension(self, entry: PolicyEntry) -> SourceValues:
        """An entry with an ExtensionID: case matters in its name (S9), its type decides the form (S13)."""
        agent, types, name = self.agent, self.target.extensions, entry.extension
        if entry.source != "user":
            return SourceValues(evidence=("S9 source",), reason=f"an extension has the source user, not {entry.source}")
        if name in agent.unreadable_extensions:
            return SourceValues(unknown=agent.unreadable_extensions[name])
        if name not in types:
            for known in types:
                if known.lower() == name.lower():
                    is_same_owner = known.split("_", 2)[:2] == name.split("_", 2)[:2]
                    rule = "S9" if is_same_owner else "S9 owner"
                    evidence = (rule, *self._cite_spelling(known))
                    return SourceValues(evidence=evidence, reason=f"the extension is spelt {known}")
            return SourceValues(evidence=("S9 absent",), reason=f"there is no extension {name}")
        if not agent.is_readable:
            return SourceValues(unknown=UNREADABLE_USER)
        value, data_type = agent.values.get(name), types[name]
        if isinstance(value, list) or data_type.endswith("[]"):
            items = value if isinstance(value, list) else [] if value is None else [value]
            if not items:
                return SourceValues(evidence=("S5",), reason=f"{name} is null")
            if name in self.target.synced:
                evidence = ("S13 synced", "S13 order") if len(items) > 1 else ("S13 synced",)
                evidence += () if data_type == "String[]" else ("S13 form",)
            else:
                evidence = ("S13 several",) if len(items) > 1 else ("S13 one",)
            return format_value(items, evidence, name)
        if value is None and not data_type:
            reason = f"Graph shows no value of {name}, and its application is not in this tenant"
            return SourceValues(evidence=("S9 absent",), reason=reason)
        if value is None:
            return format_value(None, ("S13",), name)
        evidence = ("S13",) if data_type == "String" else ("S13 form",)
        is_own = owner_app_id(name) == self.target.snapshot.principal.app_id.lower()
        is_foreign = not is_own and name not in self.target.synced
        evidence += (*self._cite_spelling(name), *(("S9 foreign",) if is_foreign else ()))
        return format_value(value, evidence, name)

    def _cite_spelling(self, name: str) -> tuple[str, ...]:
        """The rule by which a value that was read was written under this very name: Graph takes it in any case, and
        the token service reads it in the case in which it was written. Nobody wrote a null."""
        is_null = name in self.agent.values and self.agent.values[name] is None
        is_known = is_null or name in self.agent.declared or name in self.target.synced
        return () if is_known else ("S9 written",)


def find_property(id_: str) -> str:
    """The v1.0 property that an ID of source `user` reads; "" if there is none."""
    is_numbered = id_.lower().startswith("extensionattribute") and id_.lower() in _known_ids("user")
    return "onPremisesExtensionAttributes" if is_numbered else _user_properties().get(id_.lower(), "")


def cite_characters(source: SourceValues, name: str = "") -> SourceValues:
    """With the rules that say what is known of blanks at an end (S8), and of line breaks (S24) and of what XML has not
    (S26), if a value or the `name` has such. XML makes blanks of line breaks and tabs in a name, which is an XML
    attribute."""
    patterns = {"S24": _LINE_BREAK, "S26": NOT_IN_XML}
    texts = (*source.values, *((name.replace("\t", "\n"),) if source.values else ()))
    rules = (rule for rule, pattern in patterns.items() if any(map(pattern.search, texts)))
    has_blanks = any(value != value.strip() for value in source.values)
    return source.citing(*rules, *(("S8 blanks",) if has_blanks else ()))


def _cite_first(values: Collection[object]) -> tuple[str, ...]:
    """The rules about an attribute of several values of which one is sent."""
    return ("S11", "S11 first") if len(values) > 1 else ("S11",) if values else ()


def format_value(value: object, evidence: tuple[str, ...], label: str) -> SourceValues:
    """A value as an assertion spells it; null gives nothing (S5), "" one empty value (S6)."""
    items = value if isinstance(value, (list, tuple)) else [value]
    texts = tuple(str(item).lower() if isinstance(item, bool) else str(item) for item in items if item is not None)
    if not texts:
        return SourceValues(evidence=("S5", *evidence), reason=f"{label} is null")
    return SourceValues(values=texts, evidence=(*evidence, "S6") if "" in texts else evidence)


@cache
def _known_ids(source: str) -> frozenset[str]:
    """The IDs that Entra documents for a source, in lower case; one of them has two spellings."""
    ids = {str(id_).lower() for id_ in load_table("attributes")[source]}
    return frozenset(ids | ({"onpremisessecurityidentifier"} if source == "user" else set()))


@cache
def _user_properties() -> dict[str, str]:
    """ID in lower case to property; for most IDs they differ in case only."""
    names = json.loads((Path(__file__).parent / "data" / "user_properties.json").read_text("utf-8"))
    return {**{name.lower(): name for name in names["same_name"]}, **names["other_name"]}


@dataclass(frozen=True, kw_only=True)
class PredictedNameId(SourceValues):
    """The NameID; `value` is "" if it is unknown. Its Format has a confidence of its own."""

    format: str
    format_confidence: str

    @property
    def value(self) -> str:
        return self.values[0] if self.values else ""


def predict_name_id(sources: Sources) -> PredictedNameId:
    """The NameID that the policy gives the user."""
    entries, format_ = sources.policy.name_ids, PERSISTENT
    entry = entries[0] if entries else None
    if entry is None:
        source = sources.read_upn().citing("N1 none", *sources.policy.caveats)
        if sources.policy.undocumented:
            source = SourceValues(unknown=f"the policy has {sources.policy.undocumented}, {UNDOCUMENTED}")
    else:
        source = _read_allowed(entry, sources)
        is_address = entry.source == "user" and entry.id.lower() in ("userprincipalname", "mail")
        format_ = EMAIL if is_address else UNSPECIFIED
    near = {item.saml_type for item in sources.policy.entries if item.saml_type.lower() == NAME_ID} - {NAME_ID}
    if near:
        source = SourceValues(evidence=("S25",), unknown=f"the policy has the claim type {min(near)}, {UNDOCUMENTED}")
    source = cite_characters(source.citing("S18") if len(entries) > 1 else source)
    stated, has_doubt = entry.name_id_format if entry else "", bool(source.unknown)
    if not source.values:
        unknown = source.unknown or f"Entra sends a pairwise identifier instead: {source.reason}"
        source = SourceValues(evidence=(*source.evidence, "N2 pairwise"), unknown=unknown)
        format_ = format_ if has_doubt else PERSISTENT
    confidence = UNKNOWN if has_doubt else rate_evidence(("N3", "N3 stated" if stated else "N3 default"))
    return PredictedNameId(
        **vars(source.citing("N3", "N3 request")), format=stated or format_, format_confidence=confidence
    )


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
    if "T1 address" in source.evidence:
        source = source.citing("N4 domain")
    if source.unknown:
        return source
    domains = sources.target.snapshot.domains
    if domains is None:
        unknown = "there is no permission to read the verified domains (Organization.Read.All)"
        return SourceValues(evidence=("N4",), unknown=unknown)
    _, at_sign, domain = source.values[0].rpartition("@")
    if not at_sign or domain.lower() not in map(str.lower, domains):
        return SourceValues(evidence=("N4",), reason=f"'{domain}' is not a verified domain")
    return source
