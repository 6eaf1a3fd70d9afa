"""A claims mapping policy as a sign-in reads it. Pure.

Quirks: the keys of entries are read in any case (A: Microsoft's own samples mix them), only the first 50 entries and
the first 50 transformations count (A, D for "first"), both spellings of the transformations' key are read, singular
first (D), and the basic claim set is switched by a string or a boolean (A). Entries without sense are ignored: Graph
accepted them (A).
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from emulator.types import Attributes, Json

LIMIT = 50


@dataclass(frozen=True)
class ClaimEntry:
    """An entry of ClaimsSchema. Missing texts are empty, a missing `value` is None."""

    source: str
    id: str
    extension_id: str
    value: str | None
    saml_type: str
    name_form: str
    name_id_format: str
    transformation_id: str

    def is_named(self, reference: str) -> bool:
        """Whether an input of a transformation means this entry (without case, D)."""
        name = reference.casefold()
        return bool(name) and name in (self.id.casefold(), self.extension_id.casefold())


@dataclass(frozen=True)
class TransformationInput:
    reference: str
    kind: str  # TransformationClaimType in lower case
    each: bool  # TreatAsMultiValue


@dataclass(frozen=True)
class Transformation:
    id: str
    method: str  # in lower case, without ()
    claims: tuple[TransformationInput, ...]
    parameters: tuple[tuple[str, str], ...]  # names as the policy spells them


@dataclass(frozen=True)
class SignInPolicy:
    entries: tuple[ClaimEntry, ...]
    transformations: tuple[Transformation, ...]
    basic: bool

    def transformation(self, identifier: str) -> Transformation | None:
        name = identifier.casefold()
        return next((item for item in self.transformations if item.id.casefold() == name), None)


def read_policy(definition: tuple[str, ...]) -> SignInPolicy:
    """The policy in a definition that Graph has accepted."""
    body: Attributes = json.loads(definition[0])["ClaimsMappingPolicy"]
    transformations = [*_rows(body.get("ClaimsTransformation")), *_rows(body.get("ClaimsTransformations"))]
    return SignInPolicy(
        tuple(_entry(row) for row in _rows(body.get("ClaimsSchema"))[:LIMIT]),
        tuple(_transformation(row) for row in transformations[:LIMIT]),
        str(body.get("IncludeBasicClaimSet")).lower() == "true",
    )


def _rows(value: Json) -> list[Attributes]:
    """The objects of a list, their keys in lower case."""
    rows = value if isinstance(value, list) else []
    return [{name.lower(): member for name, member in row.items()} for row in rows if isinstance(row, dict)]


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def _constant(value: Json) -> str | None:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    return str(value)


def _entry(row: Attributes) -> ClaimEntry:
    return ClaimEntry(
        source=_text(row.get("source")).lower(),
        id=_text(row.get("id")),
        extension_id=_text(row.get("extensionid")),
        value=_constant(row.get("value")),
        saml_type=_text(row.get("samlclaimtype")),
        name_form=_text(row.get("samlnameform")),
        name_id_format=_text(row.get("samlnameidformat")),
        transformation_id=_text(row.get("transformationid")),
    )


def _transformation(row: Attributes) -> Transformation:
    claims = [
        TransformationInput(
            _text(claim.get("claimtypereferenceid")),
            _text(claim.get("transformationclaimtype")).lower(),
            str(claim.get("treatasmultivalue")).lower() == "true",
        )
        for claim in _rows(row.get("inputclaims"))
    ]
    parameters = _rows(row.get("inputparameters"))
    constants = [(_text(parameter.get("id")), _constant(parameter.get("value"))) for parameter in parameters]
    return Transformation(
        _text(row.get("id")),
        _text(row.get("transformationmethod")).lower().removesuffix("()"),
        tuple(claims),
        tuple((name, value) for name, value in constants if value is not None),
    )
