"""What a tenant holds, as values, and the one row form in which journal, seed and export all keep them.

Quirk tamed: an extension value belongs to the user and the property's full name, not to the property's id, since it
outlives the property and comes back with a new one of the same name (grade A, extensibility overview, section
"Considerations for deleting directory extensions"). So values live in the user's row.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from emulator.types import Attributes


@dataclass(frozen=True)
class Application:
    id: str
    attributes: Attributes
    owners: frozenset[str] = frozenset()  # client (application) ids, for the OwnedBy permission

    @property
    def app_id(self) -> str:
        return str(self.attributes["appId"])

    @property
    def display_name(self) -> str:
        return str(self.attributes["displayName"])

    @staticmethod
    def from_row(row: Attributes) -> Application:
        attributes = {k: v for k, v in row.items() if k != "owners"}
        return Application(row["id"], attributes, frozenset(row.get("owners", ())))

    def to_row(self) -> Attributes:
        return {**self.attributes, "owners": sorted(self.owners)}


@dataclass(frozen=True)
class ServicePrincipal(Application):
    """An application's face in this tenant: same appId, another object id (grade A)."""

    @staticmethod
    def from_row(row: Attributes) -> ServicePrincipal:
        base = Application.from_row(row)
        return ServicePrincipal(base.id, base.attributes, base.owners)


@dataclass(frozen=True)
class User:
    """A user; `values` maps a property's full name to its value, orphans of deleted properties included."""

    id: str
    attributes: Attributes
    values: Attributes = field(default_factory=dict)

    @property
    def upn(self) -> str:
        return str(self.attributes["userPrincipalName"])

    @staticmethod
    def from_row(row: Attributes) -> User:
        return User(row["id"], {k: v for k, v in row.items() if k != "values"}, dict(row.get("values", {})))

    def to_row(self) -> Attributes:
        return {**self.attributes, "values": self.values}


@dataclass(frozen=True)
class ExtensionProperty:
    """A directory extension definition; `name` is the full one, extension_{appId without dashes}_{name}."""

    id: str
    application_id: str
    name: str
    data_type: str
    is_multi_valued: bool
    target_objects: tuple[str, ...]
    is_synced: bool = False

    @staticmethod
    def from_row(row: Attributes) -> ExtensionProperty:
        return ExtensionProperty(
            id=row["id"],
            application_id=row["applicationId"],
            name=row["name"],
            data_type=row["dataType"],
            is_multi_valued=row.get("isMultiValued", False),
            target_objects=tuple(row["targetObjects"]),
            is_synced=row.get("isSyncedFromOnPremises", False),
        )

    def to_row(self) -> Attributes:
        return {
            "id": self.id,
            "applicationId": self.application_id,
            "name": self.name,
            "dataType": self.data_type,
            "isMultiValued": self.is_multi_valued,
            "targetObjects": list(self.target_objects),
            "isSyncedFromOnPremises": self.is_synced,
        }


@dataclass(frozen=True)
class Policy:
    """A claims mapping policy; `definition` is kept as it came, byte for byte."""

    id: str
    display_name: str
    definition: tuple[str, ...]
    is_organization_default: bool = False

    @staticmethod
    def from_row(row: Attributes) -> Policy:
        return Policy(row["id"], row["displayName"], tuple(row["definition"]), row.get("isOrganizationDefault", False))

    def to_row(self) -> Attributes:
        return {
            "id": self.id,
            "displayName": self.display_name,
            "definition": list(self.definition),
            "isOrganizationDefault": self.is_organization_default,
        }


@dataclass(frozen=True)
class Link:
    """A policy assigned to a service principal."""

    service_principal_id: str
    policy_id: str

    @property
    def id(self) -> str:
        return f"{self.service_principal_id}/{self.policy_id}"

    @staticmethod
    def from_row(row: Attributes) -> Link:
        return Link(row["servicePrincipalId"], row["policyId"])

    def to_row(self) -> Attributes:
        return {"servicePrincipalId": self.service_principal_id, "policyId": self.policy_id}


@dataclass(frozen=True)
class Client:
    """An identity that may ask for tokens: client id, its secret, and the application roles granted to it."""

    id: str
    display_name: str
    secret: str = field(repr=False)
    roles: frozenset[str] = frozenset()

    @staticmethod
    def from_row(row: Attributes) -> Client:
        return Client(row["id"], row["displayName"], row["secret"], frozenset(row["roles"]))

    def to_row(self) -> Attributes:
        return {
            "id": self.id,
            "displayName": self.display_name,
            "secret": self.secret,
            "roles": sorted(self.roles),
        }


@dataclass(frozen=True)
class Token:
    """An issued access token: whose it is, until when (epoch seconds), and what it allows."""

    id: str = field(repr=False)
    client_id: str
    expires: float
    roles: frozenset[str]

    @staticmethod
    def from_row(row: Attributes) -> Token:
        return Token(row["id"], row["clientId"], row["expires"], frozenset(row["roles"]))

    def to_row(self) -> Attributes:
        return {
            "id": self.id,
            "clientId": self.client_id,
            "expires": self.expires,
            "roles": sorted(self.roles),
        }


@dataclass(frozen=True)
class Plain:
    """A record the tenant keeps but has no rules for yet (the organization, app role assignments)."""

    id: str
    attributes: Attributes

    @staticmethod
    def from_row(row: Attributes) -> Plain:
        return Plain(row["id"], dict(row))

    def to_row(self) -> Attributes:
        return self.attributes


def value_count(values: Attributes) -> int:
    """How many of a user's 100 slots are taken: each value of a multi-valued one counts (grade A)."""
    return sum(len(value) if isinstance(value, list) else 1 for value in values.values())
