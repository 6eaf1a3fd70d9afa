"""A claims mapping policy as a sign-in reads it: verbatim names, fifty entries, keys in any case. Pure.

Accepts what a person has at hand, as lint does (`flexsaml.claims.read`): a definition, a request body, an answer. What
Graph would refuse is refused here too, for it can never be assigned; what has no sense Graph accepts, and so do we.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from flexsaml.claims import NAME_ID, read_policies

COUNTED = 50  # entries and transformations that count (S4)


class UnusablePolicy(ValueError):
    """No policy that could be assigned, in one line."""


class _Keyed(Protocol):
    @property
    def where(self) -> str: ...

    def get(self, key: str) -> Any: ...


@dataclass(frozen=True)
class Entry:
    """One entry of ClaimsSchema. Texts that are not there are empty; `value` is None then."""

    where: str
    source: str
    id: str
    extension: str
    value: str | None
    saml_type: str
    name_form: str
    name_id_format: str
    transformation: str

    @property
    def label(self) -> str:
        """Its source, as a stack file writes it."""
        if self.source == "transformation":
            return f"transformation {self.transformation}"
        if self.extension:
            return f"extension {self.extension}"
        return f"{self.source}.{self.id}" if self.source else "a constant"


@dataclass(frozen=True)
class Input:
    """One input claim of a transformation: what it refers to, its name for the method, whether each value goes."""

    reference: str
    name: str
    each: bool


@dataclass(frozen=True)
class Transformation:
    """`method` in lower case and without `()`, `written` as it stands there."""

    id: str
    method: str
    written: str
    claims: tuple[Input, ...]
    parameters: Mapping[str, str]


@dataclass(frozen=True)
class SignInPolicy:
    """What counts of a policy; `cut` are the claim types of entries after the fiftieth."""

    entries: tuple[Entry, ...]
    cut: tuple[str, ...]
    transformations: tuple[Transformation, ...]
    basic: bool

    @cached_property
    def name_id(self) -> Entry | None:
        return next((one for one in self.entries if one.saml_type == NAME_ID), None)

    def transformation(self, reference: str) -> Transformation | None:
        wanted = reference.lower()
        return next((one for one in self.transformations if one.id.lower() == wanted), None) if wanted else None

    def entry(self, reference: str) -> Entry | None:
        """What an input of a transformation refers to."""
        wanted = reference.lower()
        named = (one for one in self.entries if wanted in (one.id.lower(), one.extension.lower()))
        return next(named, None) if wanted else None

    @property
    def ids(self) -> frozenset[tuple[str, str]]:
        """(source, ID), both in lower case, of the attributes it reads."""
        return frozenset((one.source, one.id.lower()) for one in self.entries if one.id and not one.extension)

    @property
    def extensions(self) -> frozenset[str]:
        return frozenset(one.extension for one in self.entries if one.extension and one.source == "user")


def sign_in_policy(text: str | bytes) -> SignInPolicy:
    """From a definition in any form a person has. Raises `UnusablePolicy`."""
    documents = read_policies(text)
    if len(documents) != 1:
        raise UnusablePolicy(f"it holds {len(documents)} policies, and a sign-in follows one: give one of them")
    document = documents[0]
    if document.body is None or "Version" not in document.body.raw or document.body.raw["Version"] != 1:
        told = document.problems[0] if document.problems else None
        why = f"{told.where}: {told.message}" if told else '"Version": 1 is missing, in exactly this case'
        raise UnusablePolicy(f"Graph refuses it, so nobody can sign in by it: {why}")
    body = document.body
    return SignInPolicy(
        entries=tuple(_entry(one) for one in document.entries[:COUNTED]),
        cut=tuple(_text(one.get("SamlClaimType")) for one in document.entries[COUNTED:] if one.get("SamlClaimType")),
        transformations=tuple(_transformation(one) for one in document.transformations[:COUNTED]),
        basic=str(body.get("IncludeBasicClaimSet")).lower() == "true",
    )


def _entry(part: _Keyed) -> Entry:
    return Entry(
        where=part.where,
        source=_text(part.get("Source")).lower(),
        id=_text(part.get("ID")),
        extension=_text(part.get("ExtensionID")),
        value=_constant(part.get("Value")),
        saml_type=_text(part.get("SamlClaimType")),
        name_form=_text(part.get("SAMLNameForm")),
        name_id_format=_text(part.get("SamlNameIdFormat")),
        transformation=_text(part.get("TransformationID")),
    )


def _transformation(part: _Keyed) -> Transformation:
    written = _text(part.get("TransformationMethod"))
    given = ((_text(one.get("id")), _constant(one.get("value"))) for one in _rows(part.get("InputParameters")))
    return Transformation(
        id=_text(part.get("ID")),
        method=written.lower().removesuffix("()"),
        written=written,
        claims=tuple(
            Input(
                _text(one.get("claimtypereferenceid")),
                _text(one.get("transformationclaimtype")),
                str(one.get("treatasmultivalue")).lower() == "true",
            )
            for one in _rows(part.get("InputClaims"))
        ),
        parameters={name: value for name, value in given if value is not None},
    )


def _rows(value: Any) -> list[dict[str, Any]]:
    rows = value if isinstance(value, list) else []
    return [{str(key).lower(): item for key, item in row.items()} for row in rows if isinstance(row, dict)]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _constant(value: object) -> str | None:
    return None if isinstance(value, bool) or not isinstance(value, (str, int)) else str(value)
