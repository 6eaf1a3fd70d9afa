"""The directory objects this project handles, as Graph shows them. Pure: wire JSON in, frozen values out. Quirks: older
bodies of an extension property have no isMultiValued, absence means false (A); a policy's definition is an array of
exactly one string, kept byte for byte (A); an unset extension value is absent or null (D), both read None, and a
cleared multi-valued one maybe as an empty array (D); dates come back in UTC in another spelling (A: stored UTC); the
order of a multi-valued value is not promised (D)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, TypeVar

from flexsaml.errors import UserError

from .shapes import read_text, read_texts
from .urls import is_guid

A = TypeVar("A", bound="Application")

Json = Mapping[str, Any]
_DATE_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?", re.IGNORECASE)


@dataclass(frozen=True)
class Application:
    """An app registration, the owner of extension properties."""

    id: str
    app_id: str
    display_name: str

    SELECT = "id,appId,displayName"

    @classmethod
    def read(cls: type[A], body: Json) -> A:
        return cls(body["id"], read_text(body, "appId"), body.get("displayName") or "")


class ServicePrincipal(Application):
    """An enterprise application: what stands for an application in this tenant."""


class PrincipalNotFound(UserError):
    """A reference names no service principal, or several. `words`: what is wrong; `hint`: what to write instead."""

    def __init__(self, reference: str, matches: Sequence[ServicePrincipal] = (), similar: Sequence[str] = ()) -> None:
        if matches:
            self.words = f"{len(matches)} enterprise applications are called '{reference}'"
            ids = ", ".join(f"{principal.id} (appId {principal.app_id})" for principal in matches)
            self.hint = f"give the object id of one: {ids}"
        else:
            what = "has the appId or object id" if is_guid(reference) else "is called"
            self.words = f"no enterprise application {what} '{reference}'"
            names = f"similar names: {', '.join(similar)}"
            self.hint = names if similar else "give its exact display name, appId or object id"
        super().__init__(f"{self.words}; {self.hint}")


@dataclass(frozen=True)
class ExtensionProperty:
    """A directory extension. `name` is the full one, `extension_{appId without dashes}_{name}`, as Graph has it;
    `synced`: made by a synchronisation from on-premises, which alone writes its values."""

    id: str
    name: str
    data_type: str
    multi_valued: bool
    target_objects: tuple[str, ...]
    synced: bool = False

    @classmethod
    def read(cls, body: Json) -> ExtensionProperty:
        name, data_type = read_text(body, "name"), read_text(body, "dataType")
        targets, flags = read_texts(body, "targetObjects"), ("isMultiValued", "isSyncedFromOnPremises")
        multi_valued, synced = (bool(body.get(flag)) for flag in flags)
        return cls(body["id"], name, data_type, multi_valued, targets, synced)


@dataclass(frozen=True)
class Policy:
    """A claims mapping policy. `definition` is its one string, byte for byte."""

    id: str
    display_name: str
    definition: str

    @classmethod
    def read(cls, body: Json) -> Policy:
        definition = "".join(read_texts(body, "definition")[:1])
        return cls(body["id"], body.get("displayName") or "", definition)


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
        values = {name: lowered.get(name.lower()) for name in extensions}
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


@dataclass(frozen=True)
class SigningKey:
    """A certificate of the principal: hex thumbprint in upper case, and when it ends and starts to be valid; None for a
    date that Graph does not give, or that cannot be read."""

    thumbprint: str
    ends: datetime | None
    starts: datetime | None = None
    can_sign: bool = True
    """Entra has its private key."""

    def is_valid(self, now: datetime) -> bool:
        """Entra refuses to sign with one that has ended, and with one that is not valid yet (A: AADSTS50146). A date
        that is not there sets no limit (D)."""
        return (self.starts is None or self.starts <= now) and (self.ends is None or self.ends > now)


@dataclass(frozen=True)
class RoleAssignment:
    """`kind` is User, Group or ServicePrincipal; `value` the role's text, "" for one who may only sign in (A) and for a
    role whose text is null (`is_textless`). `is_disabled`: the role can be given to nobody else; who has it keeps it
    (A)."""

    principal_id: str
    kind: str
    value: str
    display_name: str
    is_textless: bool = False
    is_disabled: bool = False

    def user_ids(self, members: GroupMembers) -> frozenset[str] | None:
        """Object ids of the users it is given to: one user, or the direct members of a group (A: I1). None where the
        group's members may not be read, or were not."""
        if self.kind == "Group":
            return members.get(self.principal_id)
        return frozenset([self.principal_id] if self.kind == "User" else [])


GroupMembers = Mapping[str, "frozenset[str] | None"]
"""Group to the object ids of its direct members that are users; None where they may not be read."""


@dataclass(frozen=True)
class PrincipalSnapshot(ExistingObjects):
    """What one round trip reads about a service principal; None: may not be read (403). `keys` are the certificates
    that verify; `active_key` is the thumbprint chosen to sign, "" when none is. `accept_mapped_claims`, `multi_tenant`
    and `encrypts_tokens` are of the principal's own application. `country` "" is a null; where the organization may not
    be read, `tenant_id` is "". `sign_on_mode` "" is a null, which older SAML applications have (A)."""

    principal: ServicePrincipal
    enabled: bool
    audiences: tuple[str, ...]
    active_key: str
    keys: tuple[SigningKey, ...]
    accept_mapped_claims: bool
    multi_tenant: bool
    roles: tuple[RoleAssignment, ...] | None
    domains: tuple[str, ...] | None
    owner_has_principal: bool
    assignment_required: bool = False
    tags: tuple[str, ...] = ()
    tenant_id: str = ""
    country: str | None = None
    sign_on_mode: str = ""
    encrypts_tokens: bool = False

    def find_active_key(self) -> SigningKey | None:
        """The certificate chosen to sign; None if none is, or if the chosen one is not there."""
        return next((key for key in self.keys if key.thumbprint == self.active_key), None)

    def has_signing_key(self, now: datetime) -> bool:
        """Whether Entra has a certificate to sign with; if the active one is not valid, it takes another (W5)."""
        return self.find_active_key() is not None and any(key.is_valid(now) for key in self.keys)

    def depends_on_undated_key(self, now: datetime) -> bool:
        """Whether no certificate that may sign has both dates: nobody documents whether Entra signs with such (W5)."""
        is_certain = any(key.is_valid(now) and key.starts and key.ends for key in self.keys)
        return self.has_signing_key(now) and not is_certain

    def find_uncovered_audience(self) -> str:
        """An audience for which acceptMappedClaims does not count (AADSTS501461): neither the application's own id nor
        within a verified domain. "" if there is none, or if the domains may not be read."""
        own = {self.principal.app_id, f"api://{self.principal.app_id}"}
        others = (name for name in self.audiences if name not in own and not _is_within(name, self.domains or ()))
        return "" if self.domains is None else next(others, "")

    def assigned_groups(self, *, with_value: bool = False) -> list[str]:
        """Object ids of the groups that are assigned; `with_value`: only those whose role has a value."""
        groups = (role for role in self.roles or () if role.kind == "Group")
        return sorted({role.principal_id for role in groups if role.value or not with_value})


def _is_within(audience: str, domains: Iterable[str]) -> bool:
    host = audience.split("://")[-1].split("/")[0].lower()
    return any(host == domain.lower() or host.endswith(f".{domain.lower()}") for domain in domains)


def same_value(live: object, wanted: object) -> bool:
    """True when `live` (as read) means `wanted` (as written)."""
    return _plain(live) == _plain(wanted)


def _plain(value: object) -> object:
    """A form in which equal values are equal."""
    if value is None or value == []:
        return None
    if isinstance(value, list):
        return sorted(repr(_plain(item)) for item in value)
    return type(value) is bool, _instant(value) if isinstance(value, str) else value


def _instant(text: str) -> object:
    """The instant that a date and time names, down to 100 ns; any other text is itself."""
    parts = _DATE_TIME.fullmatch(text)
    if parts is None:
        return text
    seconds, fraction, zone = parts.groups()
    try:
        moment = datetime.fromisoformat(seconds + ("+00:00" if zone in (None, "Z", "z") else zone))
    except ValueError:
        return text
    return moment.astimezone(timezone.utc), (fraction or "").rstrip("0")
