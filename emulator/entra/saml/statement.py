"""The assertion's content: NameID and attributes that the assigned policy gives a user. Pure. The rules are those of
docs/sign-in.md (sections S and N), which grades each of them. Quirks of transformations: an unknown method or a null
input gives nothing (D); a claim with several values gives its first unless it is treated as multi-valued (D);
CreateStringClaim is accepted and gives nothing (A)."""

import base64
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import product
from math import prod

from emulator.entra.saml import dotnet
from emulator.entra.saml.policy import ClaimEntry, SignInPolicy, Transformation
from emulator.entra.saml.subject import TABLES, Subject, Values, to_texts

XMLSOAP = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
NAME_IDENTIFIER = f"{XMLSOAP}nameidentifier"
EMAIL_ADDRESS = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
UNSPECIFIED = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
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
    subject: Subject, policy: SignInPolicy | None, *, has_key: bool, requested_format: str = ""
) -> Statement:
    """What the sign-in delivers; `has_key` tells whether the principal has an active signing certificate."""
    claims = _Claims(subject, policy or SignInPolicy((), {}, includes_basic_claims=True))
    name_id, default_format, own_format = claims.name_id()
    if policy is None:
        default_format = EMAIL_ADDRESS
    requested_format = "" if requested_format.endswith(":unspecified") else requested_format
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

    def name_id(self) -> tuple[str, str, str]:
        """Value, default format, and the format the entry names."""
        entry = next((entry for entry in self.policy.entries if entry.saml_type == NAME_IDENTIFIER), None)
        if entry is None:
            return self.subject.user.upn, PERSISTENT, ""
        value = self._allowed_name_id(entry)
        if not value:
            text = f"{self.subject.store.tenant_id}/{self.subject.principal.id}/{self.subject.user.id}"
            pairwise = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode()[:43]
            return pairwise, PERSISTENT, entry.name_id_format
        is_address = entry.id.lower() in ("userprincipalname", "mail") and entry.source == "user"
        return value, EMAIL_ADDRESS if is_address else UNSPECIFIED, entry.name_id_format

    def _allowed_name_id(self, entry: ClaimEntry) -> str:
        """The value of a source Entra allows for NameID, or nothing."""
        if entry.source == "transformation":
            transformation = self.policy.transformations.get(entry.transformation_id.casefold())
            if transformation is None or transformation.method not in ("extractmailprefix", "join"):
                return ""
            value = "".join(self.values(entry)[:1])
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
        replaced = {entry.saml_type for entry in self.policy.entries}
        attributes = [Attribute(f"{XMLSOAP}{name}", values) for name, values in claims.items() if values]
        return [attribute for attribute in attributes if attribute.name not in replaced]

    def attributes(self, *, has_key: bool) -> Iterable[Attribute]:
        withheld = {NAME_IDENTIFIER, "", *TABLES["restricted"], *(() if has_key else TABLES["released_by_key"])}
        attributes: dict[str, Attribute] = {}
        for entry in self.policy.entries:
            values = () if entry.saml_type in withheld else self.values(entry)
            if not values:
                continue
            before = attributes.get(entry.saml_type, Attribute(entry.saml_type, (), entry.name_form))
            attributes[entry.saml_type] = replace(before, values=before.values + values)
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
            if transformation is None:
                return ()

            def read_referenced(reference: str) -> Values:
                named = next((entry for entry in self.policy.entries if entry.is_named(reference)), None)
                return () if named is None else self.values(named)

            return _apply_transformation(transformation, read_referenced)
        if not entry.source:
            return () if entry.value is None else (entry.value,)
        if entry.extension_id:
            return to_texts(self.subject.visible_values().get(entry.extension_id)) if entry.source == "user" else ()
        return self.subject.read_value(entry.source, entry.id.lower())


def _apply_transformation(transformation: Transformation, values_of: Callable[[str], Values]) -> Values:
    """The values that a transformation gives; `values_of` reads the entry that a reference names."""
    columns: list[list[tuple[str, str]]] = []
    for claim in transformation.claims:
        values = values_of(claim.reference)
        columns.append([(claim.kind, value) for value in (values if claim.is_multi_valued else values[:1])])
    if prod(map(len, columns)) > _MAX_COMBINATIONS:
        return ()  # own limit: several inputs of many values each
    constants = {name.lower(): value for name, value in transformation.parameters.items()}
    # A null input leaves its column empty, and then the product is empty too.
    texts: list[str] = []
    for row in product(*columns):
        text = _transform(transformation, {**constants, **dict(row)})
        texts += [] if text is None else [text]
        if sum(map(len, texts)) > _MAX_LENGTH:
            return ()  # own limit, as above
    return tuple(texts)


def _transform(transformation: Transformation, inputs: dict[str, str]) -> str | None:
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
            return dotnet.replace(*fixed, extra)
    return None
