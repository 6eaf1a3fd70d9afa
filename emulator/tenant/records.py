"""What a tenant holds, as values, and the row form in which journal, seed and export all keep them.

Quirk: an extension value belongs to the user and the property's full name, not to the property's id, since it outlives
the property and returns with a new one of the same name (grade A, extensibility overview, section "Considerations for
deleting directory extensions"). Therefore values are kept in the user's row.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, TypeAlias, TypeVar

from emulator.types import Attributes

R = TypeVar("R", bound="_FieldRow")
_COLLECTIONS: dict[object, type] = {"tuple[str, ...]": tuple, "frozenset[str]": frozenset}


@dataclass(frozen=True)
class _FieldRow:
    """A record whose row has its fields under their names in camelCase."""

    @classmethod
    def from_row(cls: type[R], row: Attributes) -> R:
        """Raises TypeError for a row that lacks a field without a default."""
        arguments: dict[str, Any] = {}
        for member in fields(cls):
            name = _camel_case(member.name)
            if name in row:
                collection = _COLLECTIONS.get(member.type)
                arguments[member.name] = collection(row[name]) if collection else row[name]
        return cls(**arguments)

    def to_row(self) -> Attributes:
        return {_camel_case(member.name): _row_value(getattr(self, member.name)) for member in fields(self)}


def _camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def _row_value(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(value)
    return list(value) if isinstance(value, tuple) else value


@dataclass(frozen=True)
class PlainRecord:
    """A record kept as it came: the organization, groups, role assignments, custom claims, workers, signing keys."""

    id: str
    attributes: Attributes

    @classmethod
    def from_row(cls, row: Attributes) -> PlainRecord:
        return cls(row["id"], dict(row))

    def to_row(self) -> Attributes:
        return self.attributes


@dataclass(frozen=True)
class ApplicationRecord:
    id: str
    attributes: Attributes
    owners: frozenset[str] = frozenset()  # client (application) ids, for the OwnedBy permission

    @property
    def app_id(self) -> str:
        return str(self.attributes["appId"])

    @property
    def display_name(self) -> str:
        return str(self.attributes["displayName"])

    @classmethod
    def from_row(cls: type[A], row: Attributes) -> A:
        attributes = {name: value for name, value in row.items() if name != "owners"}
        return cls(row["id"], attributes, frozenset(row.get("owners", ())))

    def to_row(self) -> Attributes:
        return {**self.attributes, "owners": sorted(self.owners)}


A = TypeVar("A", bound=ApplicationRecord)


@dataclass(frozen=True)
class PrincipalRecord(ApplicationRecord):
    """An application as it appears in this tenant: the same appId, another object id (grade A)."""


@dataclass(frozen=True)
class UserRecord:
    """A user; `values` maps a property's full name to its value, values of deleted properties included."""

    id: str
    attributes: Attributes
    values: Attributes = field(default_factory=dict)

    @property
    def upn(self) -> str:
        return str(self.attributes["userPrincipalName"])

    @classmethod
    def from_row(cls, row: Attributes) -> UserRecord:
        attributes = {name: value for name, value in row.items() if name != "values"}
        return cls(row["id"], attributes, dict(row.get("values", {})))

    def to_row(self) -> Attributes:
        return {**self.attributes, "values": self.values}


@dataclass(frozen=True)
class PropertyRecord(_FieldRow):
    """A directory extension definition; `name` is the full one, extension_{appId without dashes}_{name}."""

    id: str
    application_id: str
    name: str
    data_type: str
    target_objects: tuple[str, ...]
    is_multi_valued: bool = False
    is_synced_from_on_premises: bool = False


@dataclass(frozen=True)
class PolicyRecord(_FieldRow):
    """A claims mapping policy; `definition` is kept as it came, byte for byte."""

    id: str
    display_name: str
    definition: tuple[str, ...]
    is_organization_default: bool = False


@dataclass(frozen=True)
class LinkRecord(_FieldRow):
    """A policy assigned to a service principal."""

    service_principal_id: str
    policy_id: str

    @property
    def id(self) -> str:
        return f"{self.service_principal_id}/{self.policy_id}"


@dataclass(frozen=True)
class ClientRecord(_FieldRow):
    """An identity that may ask for tokens: client id, its secret, and the application roles granted to it."""

    id: str
    display_name: str
    secret: str = field(repr=False)
    roles: frozenset[str]


@dataclass(frozen=True)
class TokenRecord(_FieldRow):
    """An issued access token: whose it is, until when (epoch seconds), and what it allows."""

    id: str = field(repr=False)
    client_id: str
    expires: float
    roles: frozenset[str]


Record: TypeAlias = (
    PlainRecord
    | ApplicationRecord
    | UserRecord
    | PropertyRecord
    | PolicyRecord
    | LinkRecord
    | ClientRecord
    | TokenRecord
)


def count_values(values: Attributes) -> int:
    """How many of a user's 100 slots are taken: each value of a multi-valued one counts (grade A)."""
    return sum(len(value) if isinstance(value, list) else 1 for value in values.values())
