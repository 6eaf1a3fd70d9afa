"""What a tenant holds, as values, and the row form in which journal, seed and export all keep them. Quirk: an extension
value belongs to the user and the property's full name, not to the property's id, since it outlives the property and
returns with a new one of the same name (grade A, extensibility overview, section "Considerations for deleting directory
extensions"). Therefore values are kept in the user's row."""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from emulator.errors import bad_request, invalid_value
from emulator.tenant.shapes import TYPES, find_misfit
from emulator.types import Attributes

_TABLE = json.loads(Path(__file__).with_name("properties.json").read_text(encoding="utf-8"))
WRITABLE: dict[str, frozenset[str]] = {resource: frozenset(names) for resource, names in _TABLE["writable"].items()}
READ_ONLY: dict[str, list[str]] = _TABLE["read only"]
NEW_PRINCIPAL: Attributes = _TABLE["new service principal"]  # null: from its application
R = TypeVar("R", bound="Record")
_COLLECTIONS: dict[Any, type] = {tuple[str, ...]: tuple, frozenset[str]: frozenset, Attributes: dict}


@dataclass(frozen=True)
class Record:
    """Its row has the fields under their names in camelCase; what is in `attributes`, if it has them, beside those."""

    id: str

    @classmethod
    def from_row(cls: type[R], row: Attributes) -> R:
        """Raises TypeError for a row that lacks a field without a default."""
        arguments: dict[str, Any] = {}
        for wire_name, (name, collection) in _row_fields(cls).items():
            if wire_name in row:
                arguments[name] = collection(row[wire_name]) if collection else row[wire_name]
        if "attributes" in cls.__dataclass_fields__:
            beside = _row_fields(cls).keys() - {"id"}
            arguments["attributes"] = {name: value for name, value in row.items() if name not in beside}
        return cls(**arguments)

    def to_row(self) -> Attributes:
        row = dict(getattr(self, "attributes", {}))
        for wire_name, (name, collection) in _row_fields(type(self)).items():
            value = getattr(self, name)
            row[wire_name] = sorted(value) if collection is frozenset else value
        return row


def _list_row_fields(record_type: type[Record]) -> dict[str, tuple[str, type | None]]:
    """Wire name -> the field that holds it, and its collection type."""
    own = [member for member in fields(record_type) if member.init and member.name != "attributes"]
    return {_camel_case(member.name): (member.name, _COLLECTIONS.get(member.type)) for member in own}


# mypy does not take the class of a frozen dataclass for hashable.
_row_fields: Callable[[type[Record]], dict[str, tuple[str, type | None]]] = cache(_list_row_fields)  # type: ignore[assignment]


def _camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


@dataclass(frozen=True)
class PlainRecord(Record):
    """A record kept as it came: the organization, groups, role assignments, custom claims, workers, signing keys."""

    attributes: Attributes


@dataclass(frozen=True)
class ApplicationRecord(PlainRecord):
    owners: frozenset[str] = frozenset()  # client (application) ids, for the OwnedBy permission

    @property
    def app_id(self) -> str:
        return str(self.attributes["appId"])

    @property
    def display_name(self) -> str:
        return str(self.attributes["displayName"])

    def with_owners(self, owners: frozenset[str]) -> "ApplicationRecord":
        return replace(self, owners=owners)


@dataclass(frozen=True)
class PrincipalRecord(ApplicationRecord):
    """An application as it appears in this tenant: the same appId, another object id (grade A)."""


@dataclass(frozen=True)
class UserRecord(PlainRecord):
    """A user; `values` maps a property's full name to its value, values of deleted properties included."""

    values: Attributes = field(default_factory=dict)

    @property
    def upn(self) -> str:
        return str(self.attributes["userPrincipalName"])


@dataclass(frozen=True)
class PropertyRecord(Record):
    """A directory extension definition; `name` is the full one, extension_{appId without dashes}_{name}."""

    application_id: str
    name: str
    data_type: str
    target_objects: tuple[str, ...]
    is_multi_valued: bool = False
    is_synced_from_on_premises: bool = False


@dataclass(frozen=True)
class PolicyRecord(Record):
    """A claims mapping policy; `definition` is kept as it came, byte for byte."""

    display_name: str
    definition: tuple[str, ...]
    is_organization_default: bool = False


@dataclass(frozen=True)
class LinkRecord(Record):
    """A policy assigned to a service principal."""

    id: str = field(init=False)
    service_principal_id: str
    policy_id: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", f"{self.service_principal_id}/{self.policy_id}")


@dataclass(frozen=True)
class ClientRecord(Record):
    """An identity that may ask for tokens: client id, its secret, and the permissions granted to it: application roles,
    or the delegated scopes of a person who signed in through this application (`is_person`)."""

    display_name: str
    secret: str = field(repr=False)
    roles: frozenset[str]
    is_person: bool = False

    @property
    def object_id(self) -> str:
        """Of its service principal, as tokens name it."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:entra-emulator:service-principal:{self.id}"))


@dataclass(frozen=True)
class TokenRecord(Record):
    """An issued access token: whose it is, until when (epoch seconds), and what it allows."""

    id: str = field(repr=False)
    client_id: str
    expires: float
    roles: frozenset[str]


def check_changes(body: Attributes, resource: str) -> Attributes:
    """The body without its annotations. Raises GraphRefusal for an unknown property or a value of another type."""
    changes = {name: value for name, value in body.items() if "@odata." not in name}
    for name, value in changes.items():
        if name not in WRITABLE[resource]:
            raise bad_request(f"Invalid property '{name}'.")
        if find_misfit(TYPES[resource][name], value, name):
            raise invalid_value(name, resource)
    return changes
