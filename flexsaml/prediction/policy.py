"""A claims mapping policy as a sign-in reads it: verbatim names, fifty entries, keys in any case. Pure. Accepts every
form that lint accepts (`flexsaml.claims.read_policies`): a definition, a request body, an answer. What Graph would
refuse is refused here too, because it can never be assigned; senseless policies that Graph accepts are predicted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flexsaml.claims import NAME_ID, read_policies
from flexsaml.errors import UserError

MAX_ENTRIES = 50  # entries and transformations that Entra reads (S4)


class UnusablePolicy(UserError):
    """The text is no policy that could be assigned."""


@dataclass(frozen=True)
class PolicyEntry:
    """One entry of ClaimsSchema. Missing texts are "", a missing `value` is None."""

    value: str | None
    source: str
    id: str
    extension: str
    saml_type: str
    name_format: str
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
class InputClaim:
    """`reference`: the entry it refers to; `name`: the method's input; `each`: every value, not only the first."""

    reference: str
    name: str
    each: bool


@dataclass(frozen=True)
class PolicyTransformation:
    """`method` in lower case and without `()`, `written` as in the policy."""

    id: str
    method: str
    written: str
    claims: tuple[InputClaim, ...]
    parameters: Mapping[str, str]


@dataclass(frozen=True)
class SignInPolicy:
    """What Entra reads of a policy; `ignored`: the claim types of entries after the fiftieth."""

    entries: tuple[PolicyEntry, ...]
    ignored: tuple[str, ...]
    transformations: tuple[PolicyTransformation, ...]
    includes_basic_claims: bool

    @cached_property
    def name_id(self) -> PolicyEntry | None:
        return next((entry for entry in self.entries if entry.saml_type == NAME_ID), None)

    def find_transformation(self, reference: str) -> PolicyTransformation | None:
        matches = (item for item in self.transformations if item.id.lower() == reference.lower() != "")
        return next(matches, None)

    def find_entry(self, reference: str) -> PolicyEntry | None:
        """What an input of a transformation refers to."""
        wanted = reference.lower()
        matches = (entry for entry in self.entries if wanted in (entry.id.lower(), entry.extension.lower()))
        return next(matches, None) if wanted else None

    @property
    def user_ids(self) -> frozenset[str]:
        """IDs, in lower case, of the user attributes it reads."""
        return frozenset(entry.id.lower() for entry in self.entries if entry.source == "user" and not entry.extension)

    @property
    def extensions(self) -> frozenset[str]:
        return frozenset(entry.extension for entry in self.entries if entry.extension and entry.source == "user")


def parse_policy(text: str | bytes, name: str = "") -> SignInPolicy:
    """From a definition in any form. Raises `UnusablePolicy`, with the policy's `name` in front."""
    documents = read_policies(text)
    prefix = f"{name}: " if name else ""
    if len(documents) != 1:
        raise UnusablePolicy(f"{prefix}there are {len(documents)} policies, and a sign-in follows one; give one")
    document = documents[0]
    if document.body is None or document.body.raw.get("Version") != 1:
        problem = document.problems[0] if document.problems else None
        why = f"{problem.where}: {problem.message}" if problem else '"Version": 1 is missing, in exactly this case'
        raise UnusablePolicy(f"{prefix}Graph refuses this policy, so nobody can sign in with it: {why}")
    types = (_text(node.get("SamlClaimType")) for node in document.entries[MAX_ENTRIES:])
    return SignInPolicy(
        entries=tuple(_read_entry(node.get) for node in document.entries[:MAX_ENTRIES]),
        ignored=tuple(filter(None, types)),
        transformations=tuple(_read_transformation(node.get) for node in document.transformations[:MAX_ENTRIES]),
        includes_basic_claims=str(document.body.get("IncludeBasicClaimSet")).lower() == "true",
    )


def _read_entry(get: Callable[[str], Any]) -> PolicyEntry:
    keys = "Source", "ID", "ExtensionID", "SamlClaimType", "SAMLNameForm", "SamlNameIdFormat", "TransformationID"
    source, *texts = (_text(get(key)) for key in keys)
    return PolicyEntry(_constant(get("Value")), source.lower(), *texts)


def _read_transformation(get: Callable[[str], Any]) -> PolicyTransformation:
    written = _text(get("TransformationMethod"))
    parameters = {_text(row.get("id")): _constant(row.get("value")) for row in _rows(get("InputParameters"))}
    claims = []
    for row in _rows(get("InputClaims")):
        reference, name = _text(row.get("claimtypereferenceid")), _text(row.get("transformationclaimtype"))
        claims.append(InputClaim(reference, name, each=str(row.get("treatasmultivalue")).lower() == "true"))
    return PolicyTransformation(
        id=_text(get("ID")), method=written.lower().removesuffix("()"), written=written, claims=tuple(claims),
        parameters={name: value for name, value in parameters.items() if value is not None},
    )  # fmt: skip


def _rows(value: Any) -> list[dict[str, Any]]:
    rows = value if isinstance(value, list) else []
    return [{str(key).lower(): item for key, item in row.items()} for row in rows if isinstance(row, dict)]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _constant(value: object) -> str | None:
    return None if isinstance(value, bool) or not isinstance(value, (str, int)) else str(value)
