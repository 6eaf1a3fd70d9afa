"""The assertion's content: NameID and attributes that the assigned policy gives a user. Pure. The rules are those of
docs/sign-in.md (sections S and N), which grades each of them. Quirks of transformations: an unknown method or a null
input gives nothing (D); a claim with several values gives its first unless it is treated as multi-valued (D);
CreateStringClaim is accepted and gives nothing (C, contradicted)."""

import base64
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import product
from math import prod

from emulator.dials import Dials
from emulator.entra.saml import dotnet
from emulator.entra.saml.policy import ClaimEntry, SignInPolicy, Transformation, TransformationInput
from emulator.entra.saml.requests import EMAIL_ADDRESS, PERSISTENT, TRANSIENT, UNSPECIFIED
from emulator.entra.saml.subject import TABLES, Subject, Values

XMLSOAP = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
NAME_IDENTIFIER = f"{XMLSOAP}nameidentifier"
_IDENTITY = "http://schemas.microsoft.com/identity/claims/"
_AUTHENTICATION_METHODS = "http://schemas.microsoft.com/claims/authnmethodsreferences"
_PASSWORD = "http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/password"  # noqa: S105 - a method


_MAX_COMBINATIONS = 1000
_MAX_LENGTH = 100_000  # characters that a transformation gives


@dataclass(frozen=True)
class Attribute:
    name: str
    values: Values
    name_form: str = ""


@dataclass(frozen=True)
class Statement:
    name_id: str
    name_id_format: str
    attributes: tuple[Attribute, ...]


def build_statement(
    subject: Subject, policy: SignInPolicy | None, *, has_key: bool, requested_format: str = "", once: str = ""
) -> Statement:
    """What the sign-in delivers; `has_key` tells whether the principal has an active signing certificate. `once`: an id
    of this sign-in, for a request that wants a NameID of which nobody can be recognised."""
    claims = _Claims(subject, policy or SignInPolicy((), {}, includes_basic_claims=True))
    name_id, default_format, own_format = claims.name_id()
    if policy is None:
        default_format = EMAIL_ADDRESS
    if requested_format == UNSPECIFIED:
        requested_format = PERSISTENT if subject.store.dials.unspecified_name_id == "pairwise" else ""
    if requested_format == PERSISTENT:
        name_id = claims.pairwise()
    elif requested_format == TRANSIENT:
        name_id = once
    tenant = subject.store.tenant_id
    core = {
        f"{_IDENTITY}tenantid": tenant,
        f"{_IDENTITY}objectidentifier": subject.user.id,
        f"{_IDENTITY}identityprovider": f"https://sts.windows.net/{tenant}/",
        _AUTHENTICATION_METHODS: _PASSWORD,
    }
    attributes = [Attribute(name, (value,)) for name, value in core.items()]
    attributes += [*claims.basic_attributes(), *claims.attributes(has_key=has_key)]
    return Statement(name_id, requested_format or own_format or default_format, tuple(attributes))


@dataclass(frozen=True)
class _Claims:
    subject: Subject
    policy: SignInPolicy
    known: dict[ClaimEntry, Values] = field(default_factory=dict)
    """Values of the entries that were evaluated, or are being evaluated: those have none yet."""

    @property
    def _dials(self) -> Dials:
        return self.subject.store.dials

    def name_id(self) -> tuple[str, str, str]:
        """Value, default format, and the format the entry names."""
        entry = next((entry for entry in self.policy.entries if entry.saml_type == NAME_IDENTIFIER), None)
        if entry is None:
            return self.subject.user.upn, PERSISTENT, ""
        value = self._allowed_name_id(entry)
        if not value:
            return self.pairwise(), PERSISTENT, entry.name_id_format
        is_address = entry.id.lower() in ("userprincipalname", "mail") and entry.source == "user"
        return value, EMAIL_ADDRESS if is_address else UNSPECIFIED, entry.name_id_format

    def pairwise(self) -> str:
        """What stands for the user at this service principal, and at no other."""
        text = f"{self.subject.store.tenant_id}/{self.subject.principal.id}/{self.subject.user.id}"
        return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode()[:43]

    def _allowed_name_id(self, entry: ClaimEntry) -> str:
        """The value of a source Entra allows for NameID, or nothing."""
        if entry.source == "transformation":
            transformation = self.policy.transformations.get(entry.transformation_id.casefold())
            if transformation is None or transformation.method not in ("extractmailprefix", "join"):
                return ""
            value = "".join(self._transform(transformation, on_name_id=True)[:1])
            _, at, domain = value.rpartition("@")
            is_verified = at and domain.casefold() in {name.casefold() for name in self.subject.store.domains}
            return value if transformation.method != "join" or is_verified else ""
        is_listed = entry.source == "user" and not entry.extension_id and entry.id.lower() in TABLES["name_id"]
        return "".join(self.values(entry)[:1]) if is_listed else ""

    def basic_attributes(self) -> list[Attribute]:
        if not self.policy.includes_basic_claims:
            return []
        claims: dict[str, Values] = {"name": (self.subject.user.upn,)}
        sources = {"givenname": "givenname", "surname": "surname", "emailaddress": "mail"}
        claims |= {name: self.subject.read_value("user", source) for name, source in sources.items()}
        named = {f"{XMLSOAP}{name}": values for name, values in claims.items()}
        if self._dials.basic_claims == "five":
            named[f"{_IDENTITY}displayname"] = self.subject.read_value("user", "displayname")
        replaced = {entry.saml_type for entry in self.policy.entries}
        attributes = [Attribute(name, values) for name, values in named.items() if values]
        return [attribute for attribute in attributes if attribute.name not in replaced]

    def attributes(self, *, has_key: bool) -> Iterable[Attribute]:
        withheld = {NAME_IDENTIFIER, "", *(() if has_key else TABLES["released_by_key"])}
        withheld |= set(TABLES["restricted"]) if self._dials.restricted_claim == "left_out" else set()
        attributes: dict[str, Attribute] = {}
        for entry in self.policy.entries:
            values = () if entry.saml_type in withheld else self.values(entry)
            if self._dials.empty_value == "left_out":
                values = tuple(filter(None, values))
            if not values:
                continue
            before = attributes.get(entry.saml_type, Attribute(entry.saml_type, (), entry.name_form))
            earlier = before.values if self._dials.same_claim_type == "all" else ()
            attributes[entry.saml_type] = replace(before, values=earlier + values)
        return attributes.values()

    def values(self, entry: ClaimEntry) -> Values:
        """The values of an entry's source, or else its constant; a transformation of itself has none."""
        if entry not in self.known:
            self.known[entry] = ()
            self.known[entry] = self._evaluate(entry)
        return self.known[entry]

    def _evaluate(self, entry: ClaimEntry) -> Values:
        if entry.source == "transformation":
            transformation = self.policy.transformations.get(entry.transformation_id.casefold())
            return () if transformation is None else self._transform(transformation)
        if not entry.source:
            return () if entry.value is None else (entry.value,)
        if entry.extension_id:
            return self.subject.read_extension(entry.extension_id) if entry.source == "user" else ()
        if entry.source == "user" and self._dials.extension_under_id == "value" and entry.id.startswith("extension_"):
            return self.subject.read_extension(entry.id)
        return self.subject.read_value(entry.source, entry.id.lower())

    def _transform(self, transformation: Transformation, *, on_name_id: bool = False) -> Values:
        drops_domain = on_name_id and transformation.method == "join" and self._dials.join_on_name_id != "whole"

        def read_input(claim: TransformationInput) -> Values:
            named = next((entry for entry in self.policy.entries if entry.is_named(claim.reference)), None)
            values = () if named is None else self.values(named)
            return tuple(value.partition("@")[0] for value in values) if drops_domain else values

        unmatched_stays = self._dials.regex_without_match == "input"
        return _apply_transformation(transformation, read_input, unmatched_stays=unmatched_stays)


def _apply_transformation(
    transformation: Transformation, values_of: Callable[[TransformationInput], Values], *, unmatched_stays: bool
) -> Values:
    """The values that a transformation gives; `values_of` reads the entry that an input names. `unmatched_stays`: what
    RegexReplace gives without a match, its input or nothing."""
    columns: list[list[tuple[str, str]]] = []
    for claim in transformation.claims:
        values = values_of(claim)
        columns.append([(claim.kind, value) for value in (values if claim.is_multi_valued else values[:1])])
    if prod(map(len, columns)) > _MAX_COMBINATIONS:
        return ()  # own limit: several inputs of many values each
    constants = {name.lower(): value for name, value in transformation.parameters.items()}
    # A null input leaves its column empty, and then the product is empty too.
    texts: list[str] = []
    for row in product(*columns):
        text = _transform(transformation, {**constants, **dict(row)}, unmatched_stays=unmatched_stays)
        texts += [] if text is None else [text]
        if sum(map(len, texts)) > _MAX_LENGTH:
            return ()  # own limit, as above
    return tuple(texts)


def _transform(transformation: Transformation, inputs: dict[str, str], *, unmatched_stays: bool) -> str | None:
    """The text for these inputs, by kind in lower case; None when one is missing."""
    match transformation.method:
        case "join" if {"string1", "string2", "separator"} <= inputs.keys():
            return inputs["string1"] + inputs["separator"] + inputs["string2"]
        case "extractmailprefix" if "mail" in inputs:
            return inputs["mail"].partition("@")[0]
        case "tolowercase" | "touppercase" as method if inputs:
            change = str.lower if method == "tolowercase" else str.upper
            # .NET's invariant case maps a character to a single one: the sharp s stays, Python makes it SS.
            return "".join(change(c) if len(change(c)) == 1 else c for c in next(iter(inputs.values())))
        case "regexreplace" if {"sourceclaim", "regex", "replacement"} <= inputs.keys():
            fixed = inputs["regex"], inputs["replacement"], inputs["sourceclaim"]
            extra = {kind: text for kind, text in inputs.items() if kind not in ("sourceclaim", "regex", "replacement")}
            # A replacement names parameters as the policy spells them; the inputs have their names in lower case.
            extra |= {name: inputs[name.lower()] for name in transformation.parameters if name.lower() in extra}
            return dotnet.replace(*fixed, extra, unmatched_stays=unmatched_stays)
    return None
