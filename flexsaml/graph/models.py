"""The directory objects this project handles, as Graph shows them. Pure: wire JSON in, frozen values out.

Quirks: older bodies of an extension property have no isMultiValued, absence means false (A); a policy's
definition is an array of exactly one string, kept byte for byte (A); an unset extension value is absent or
null (D), both read None. Pinned by tests/graph/test_models.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Json = Mapping[str, Any]


@dataclass(frozen=True)
class ServicePrincipal:
    """An enterprise application. `app_owner_tenant`: the tenant its application object lives in, None if unsaid."""

    id: str
    app_id: str
    display_name: str
    app_owner_tenant: str | None

    SELECT = "id,appId,displayName,appOwnerOrganizationId"

    @classmethod
    def read(cls, body: Json) -> ServicePrincipal:
        return cls(body["id"], body["appId"], body.get("displayName") or "", body.get("appOwnerOrganizationId"))


@dataclass(frozen=True)
class Application:
    """An app registration, the owner of extension properties."""

    id: str
    app_id: str
    display_name: str

    SELECT = "id,appId,displayName"

    @classmethod
    def read(cls, body: Json) -> Application:
        return cls(body["id"], body["appId"], body.get("displayName") or "")


@dataclass(frozen=True)
class ExtensionProperty:
    """A directory extension. `name` is the full one, `extension_{appId without dashes}_{name}`, exactly as Graph has
    it."""

    id: str
    name: str
    data_type: str
    multi_valued: bool
    target_objects: tuple[str, ...]
    synced: bool

    @classmethod
    def read(cls, body: Json) -> ExtensionProperty:
        return cls(
            body["id"],
            body["name"],
            body["dataType"],
            bool(body.get("isMultiValued")),
            tuple(body.get("targetObjects") or ()),
            bool(body.get("isSyncedFromOnPremises")),
        )


@dataclass(frozen=True)
class Policy:
    """A claims mapping policy. `definition` is its one string, byte for byte."""

    id: str
    display_name: str
    definition: str

    @classmethod
    def read(cls, body: Json) -> Policy:
        definition = body.get("definition") or [""]
        return cls(body["id"], body.get("displayName") or "", definition[0])


@dataclass(frozen=True)
class User:
    """A user with the extension values that were asked for: full name -> JSON value, None when unset. `profile` has the
    other properties that were asked for; null there may mean "no right to read" (A: I2)."""

    id: str
    user_principal_name: str
    values: dict[str, object]
    profile: Mapping[str, object] = field(default_factory=dict, compare=False)

    @classmethod
    def read(cls, body: Json, extensions: Iterable[str]) -> User:
        # Graph answers under the property's own spelling, which may differ in case from the one asked for.
        lowered = {key.lower(): value for key, value in body.items()}
        values: dict[str, object] = {name: lowered.get(name.lower()) for name in extensions}
        profile = {key: value for key, value in body.items() if not key.startswith(("extension_", "@"))}
        return cls(body["id"], body.get("userPrincipalName") or "", values, profile)


@dataclass(frozen=True)
class ValueHolders:
    """How many users hold a value of an extension, and the first of them, who were read directly. `users` is empty
    although `count` is not where only the directory's index says so."""

    count: int
    users: tuple[User, ...] = ()


@dataclass(frozen=True)
class ExistingObjects:
    """What stands around a service principal. `assigned` and `policies` are None where they may not be read (403).
    `application` owns the extension properties; None when the application object is not in this tenant."""

    application: Application | None
    properties: tuple[ExtensionProperty, ...]
    assigned: tuple[Policy, ...] | None
    policies: tuple[Policy, ...] | None


@dataclass(frozen=True)
class ExtensionOwner:
    """An application with all its extension properties."""

    application: Application
    properties: tuple[ExtensionProperty, ...]
