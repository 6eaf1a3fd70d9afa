"""Typed claims: a name and exactly one source. A policy is a map of claims, so two policies that mean the same are
equal whatever their order or spelling. Forms a person may write (previews show the short form, one line for each
claim):

    nameid: user.userprincipalname            languages: extension.languages
    site: { value: vienna }
    costcenter: { source: user, id: employeeid, samlNameForm: basic }
    skills: { extension: skills, samlNameForm: basic }

`nameid` is short for the claim type of the SAML NameID. Attribute IDs are compared without case, as Entra does (grade
A: `Id`, `User` and mixed-case IDs stand in accepted policies); extension names are compared with case, as the token
service does (grade A)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flexsaml.errors import UserError
from flexsaml.yaml_scalars import is_made_of_unquoted_text

from .extension_names import is_full_name
from .wording import quote

NAME_ID = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"
NAME_FORM_PREFIX = "urn:oasis:names:tc:SAML:2.0:attrname-format:"
NAME_FORMS = ("unspecified", "uri", "basic")
SOURCES = ("user", "application", "resource", "audience", "company")
_EXACT_CASE = {"accountenabled": "accountEnabled"}  # the one ID the reference page spells with a capital


class InvalidClaim(UserError):
    """What a person wrote is not a claim; the message says why, and how to write it."""


@dataclass(frozen=True)
class DirectoryAttribute:
    """A directory attribute, for example `user.mail`; made by `of`, so that equal attributes are equal objects."""

    source: str
    id: str

    @classmethod
    def of(cls, source: str, id_: str) -> DirectoryAttribute:
        """The attribute in the one spelling that is compared and sent."""
        return cls(source.lower(), _EXACT_CASE.get(id_.lower(), id_.lower()))

    def __str__(self) -> str:
        return f"{self.source}.{self.id}"


@dataclass(frozen=True)
class Extension:
    """A directory extension: its short name in this stack, or its full name."""

    name: str

    def __str__(self) -> str:
        return f"extension.{self.name}"


@dataclass(frozen=True)
class Constant:
    """The same text for everyone."""

    value: str


@dataclass(frozen=True)
class Claim:
    """One claim: the attribute `name` of the assertion, its source, and its NameFormat if any."""

    name: str
    source: DirectoryAttribute | Extension | Constant
    name_form: str = ""

    @property
    def saml_type(self) -> str:
        """The `SamlClaimType` on the wire."""
        return NAME_ID if self.name == "nameid" else self.name

    @classmethod
    def parse(cls, name: str, written: object) -> Claim:
        """A claim from its short or long form. Raises `InvalidClaim`."""
        if not name or name != name.strip():
            raise InvalidClaim("the claim's name is empty or has spaces around it")
        name = "nameid" if name == NAME_ID else name
        if isinstance(written, str):
            return cls(name, _parse_short(written))
        if not isinstance(written, Mapping):
            raise InvalidClaim(f"write a source such as user.mail, or {{ value: text }}, not {quote(written, 40)}")
        unknown = sorted(set(written) - {"source", "id", "extension", "value", "samlNameForm"})
        if unknown:
            raise InvalidClaim(f"unknown key {unknown[0]!r}: a claim has source and id, or extension, or value")
        sources = [key for key in ("source", "extension", "value") if written.get(key) not in (None, "")]
        if len(sources) != 1 or ("id" in written) != ("source" in written):
            raise InvalidClaim("a claim has exactly one source: source and id, or extension, or value")
        form = str(written.get("samlNameForm") or "").rsplit(":", 1)[-1]
        if form and form not in NAME_FORMS:
            raise InvalidClaim(f"samlNameForm '{form}' is not {' or '.join(NAME_FORMS)}")
        return cls(name, _parse_long(sources[0], written), form)

    def to_short(self) -> str | dict[str, str]:
        """The shortest form of the claim; `parse` reads it back."""
        if isinstance(self.source, Constant):
            form: dict[str, str] = {"value": self.source.value}
        elif not self.name_form:
            return str(self.source)
        elif isinstance(self.source, Extension):
            form = {"extension": self.source.name}
        else:
            form = {"source": self.source.source, "id": self.source.id}
        return {**form, **({"samlNameForm": self.name_form} if self.name_form else {})}


@dataclass(frozen=True)
class ClaimsPolicy:
    """The meaning of a claims mapping policy: its claims by name, and whether it adds the basic claim set."""

    claims: Mapping[str, Claim]
    include_basic_claim_set: bool = False

    @classmethod
    def parse(cls, written: Mapping[str, object], include_basic_claim_set: bool = False) -> ClaimsPolicy:
        """From a map of claim name to short or long form. Raises `InvalidClaim`, naming the claim."""
        claims: dict[str, Claim] = {}
        for name, source in written.items():
            try:
                claim = Claim.parse(name, source)
            except InvalidClaim as problem:
                raise InvalidClaim(f"claim '{name}': {problem}") from None
            if claim.name in claims:
                raise InvalidClaim(f"claim '{name}' appears twice ('nameid' is {NAME_ID})")
            claims[claim.name] = claim
        return cls(dict(sorted(claims.items())), include_basic_claim_set)

    @property
    def extensions(self) -> set[str]:
        """The names of the extensions the claims refer to, short or full, as written."""
        return {claim.source.name for claim in self.claims.values() if isinstance(claim.source, Extension)}

    def to_short(self) -> dict[str, str | dict[str, str]]:
        """Claim name to shortest form: the visible input of the policy resource."""
        return {name: claim.to_short() for name, claim in self.claims.items()}


def _parse_short(text: str) -> DirectoryAttribute | Extension:
    if is_full_name(text.strip()):
        return Extension(text.strip())
    source, dot, rest = text.strip().partition(".")
    if not dot or not rest:
        raise InvalidClaim(f"'{text}' is not a source: write user.mail, extension.NAME, or {{ value: {text} }}")
    return Extension(rest) if source == "extension" else _parse_attribute(source, rest, ", extension")


def _parse_attribute(source: str, id_: str, others: str = "") -> DirectoryAttribute:
    if source.lower() not in SOURCES:
        raise InvalidClaim(f"source '{source}' is not one of {', '.join(SOURCES)}{others}")
    return DirectoryAttribute.of(source, id_)


def _parse_long(kind: str, written: Mapping[str, object]) -> DirectoryAttribute | Extension | Constant:
    if kind == "value":
        value = written["value"]
        if not isinstance(value, (str, int, float)):
            raise InvalidClaim("value has to be text: write it in quotes")
        if is_made_of_unquoted_text(value):
            raise InvalidClaim("value has to be text, and this is what YAML makes of unquoted text: write it in quotes")
        return Constant(str(value))
    if kind == "extension":
        return Extension(str(written["extension"]))
    return _parse_attribute(str(written["source"]), str(written["id"]))
