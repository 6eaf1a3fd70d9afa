"""A claims mapping policy as a sign-in reads it. Pure. Quirks: the keys of entries are read in any case (A: Microsoft's
own samples mix them). Only the first 50 entries and the first 50 transformations count (A, D for "first": dial); the
transformations under the key `ClaimsTransformation` come before those under `ClaimsTransformations` (D).
IncludeBasicClaimSet is a string or a boolean (A). What makes no sense in an entry is ignored, because Graph accepts
such definitions (A)."""

import json
from dataclasses import dataclass

from emulator.dials import Dials
from emulator.types import Attributes, Json

LIMIT = 50
_NAME_FORM = "urn:oasis:names:tc:SAML:2.0:attrname-format:"


@dataclass(frozen=True)
class ClaimEntry:
    """An entry of ClaimsSchema. Missing texts are empty, a missing `value` is None."""

    source: str
    id: str
    extension_id: str
    value: str | None
    saml_type: str
    name_form: str  # a URN
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
    is_multi_valued: bool  # TreatAsMultiValue


@dataclass(frozen=True)
class Transformation:
    method: str  # in lower case, without ()
    claims: tuple[TransformationInput, ...]
    parameters: dict[str, str]  # names as the policy spells them


@dataclass(frozen=True)
class SignInPolicy:
    entries: tuple[ClaimEntry, ...]
    transformations: dict[str, Transformation]  # by casefolded id
    includes_basic_claims: bool


def read_policy(definition: tuple[str, ...], dials: Dials) -> SignInPolicy:
    """The policy in a definition that Graph has accepted."""
    body: Attributes = json.loads(definition[0])["ClaimsMappingPolicy"]
    kept = {"first": slice(LIMIT), "last": slice(-LIMIT, None), "all": slice(None)}[dials.over_fifty]
    transformations = [*_rows(body.get("ClaimsTransformation")), *_rows(body.get("ClaimsTransformations"))]
    return SignInPolicy(
        tuple(_entry(row) for row in _rows(body.get("ClaimsSchema"))[kept]),
        {_text(row, "id").casefold(): _transformation(row) for row in reversed(transformations[kept])},  # first wins
        _is_true(body.get("IncludeBasicClaimSet")),
    )


def _rows(value: Json) -> list[Attributes]:
    """The objects of a list, their keys in lower case."""
    rows = value if isinstance(value, list) else []
    return [{name.lower(): member for name, member in row.items()} for row in rows if isinstance(row, dict)]


def _text(row: Attributes, key: str) -> str:
    return row[key] if isinstance(row.get(key), str) else ""


def _constant(row: Attributes) -> str | None:
    value = row.get("value")
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else None


def _is_true(value: Json) -> bool:
    return str(value).lower() == "true"


def _entry(row: Attributes) -> ClaimEntry:
    form = _text(row, "samlnameform")
    return ClaimEntry(
        source=_text(row, "source").lower(), id=_text(row, "id"), extension_id=_text(row, "extensionid"),
        value=_constant(row), saml_type=_text(row, "samlclaimtype"),
        name_form=form if not form or form.startswith("urn:") else f"{_NAME_FORM}{form}",
        name_id_format=_text(row, "samlnameidformat"), transformation_id=_text(row, "transformationid"),
    )  # fmt: skip


def _transformation(row: Attributes) -> Transformation:
    claims = [
        TransformationInput(
            reference=_text(claim, "claimtypereferenceid"),
            kind=_text(claim, "transformationclaimtype").lower(),
            is_multi_valued=_is_true(claim.get("treatasmultivalue")),
        )
        for claim in _rows(row.get("inputclaims"))
    ]
    method = _text(row, "transformationmethod").lower().removesuffix("()")
    constants = [(_text(item, "id"), _constant(item)) for item in _rows(row.get("inputparameters"))]
    parameters = {name: value for name, value in constants if value is not None}
    return Transformation(method, tuple(claims), parameters)
