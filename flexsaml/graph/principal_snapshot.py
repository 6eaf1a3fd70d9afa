"""Everything around a service principal in one round trip, and who is assigned. Reads only.

One $batch, all by alternate key when only the appId is known. What the identity may not read comes back None, never as
empty: without rights Graph leaves properties null or answers 403 (A: I2). Roles given to a group count for its direct
members only (A: I1), so groups are read by `members`, not `transitiveMembers`. Keys come without $select: asking for
keyCredentials by name is limited to 150 a minute (A). The custom claims policy is beta and has a call of its own; one
that was never set reads as 404 or as 200 without claims (D).
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from .batch import BatchResponse, body_of
from .errors import Forbidden, NotFound, PrincipalNotFound
from .models import Application, ExistingObjects, Policy, ServicePrincipal
from .policies import POLICIES, named
from .principals import Principals, owner_paths
from .tokens import Identity, identity
from .urls import is_guid, segment, segment_literal, with_query

T = TypeVar("T")

SIDE_BY_SIDE = 4
_USER = "#microsoft.graph.user"


@dataclass(frozen=True)
class SigningKey:
    """A certificate of the principal: hex thumbprint in upper case, and when it ends."""

    thumbprint: str
    ends: datetime | None


@dataclass(frozen=True)
class RoleAssignment:
    """`kind` is User, Group or ServicePrincipal; `value` the role's text, "" for one assigned without a role, who may
    sign in (A)."""

    principal_id: str
    kind: str
    value: str
    display_name: str

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
    that verify; `active_key` is the thumbprint chosen to sign, "" when none is. `country` "" is a null; where the
    organization may not be read, `tenant_id` is ""."""

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

    def assigned_groups(self, *, with_value: bool = False) -> list[str]:
        """Object ids of the groups that are assigned; `with_value`: only those whose role has a value."""
        groups = (role for role in self.roles or () if role.kind == "Group")
        return sorted({role.principal_id for role in groups if role.value or not with_value})


class PrincipalSnapshots(Principals):
    """Reads everything around one service principal."""

    def read_principal_snapshot(
        self, reference: str, *, owner: str = "", policy_name: str = "", roles: bool = True
    ) -> PrincipalSnapshot:
        """One round trip by appId, two by exact display name or object id. Raises `PrincipalNotFound`. `owner`: appId
        of the application that holds the extensions, default the principal's own. `policy_name`: whose policies are
        read. `roles` False: they are not asked for, since there may be many pages of them."""
        if is_guid(reference):  # an appId is more likely; whether it is an object id is asked in the same batch
            by_app_id = f"/servicePrincipals(appId={segment_literal(reference)})"
            by_id = f"/servicePrincipals/{reference}"
            *answers, other = self._around(by_app_id, owner or reference, policy_name, by_id)
            if not isinstance(answers[0].failure, NotFound):
                return self._read(answers, policy_name, roles)
            if isinstance(other.failure, NotFound):
                raise PrincipalNotFound(reference)
            principal = ServicePrincipal.read(body_of(other))
        else:
            principal = self.find_service_principal(reference)
        path = f"/servicePrincipals/{segment(principal.id)}"
        return self._read(self._around(path, owner or principal.app_id, policy_name), policy_name, roles)

    def read_existing_objects(self, *, app_id: str, service_principal_id: str, policy_name: str) -> ExistingObjects:
        """The part of it that a stack changes, in one round trip."""
        path = f"/servicePrincipals/{segment(service_principal_id)}"
        paths = _existing_paths(path, app_id, policy_name, {"$select": Application.SELECT})
        return ExistingObjects(**self._existing(self._client.read_batch(paths), policy_name))

    def custom_claims(self, principal_id: str) -> bool | None:
        """Whether a custom claims policy (the portal's claims page) has claims; None: may not be read. Beta."""
        try:
            policy = self._client.get(f"/servicePrincipals/{segment(principal_id)}/claimsPolicy", version="beta")
        except NotFound:
            return False
        except Forbidden:
            return None
        return bool(policy.get("claims"))

    def identity(self) -> Identity | None:
        """Whom the token names, as a hint; None when the token cannot be read."""
        return identity(self._client.tokens.token())

    def direct_members(self, groups: Sequence[str]) -> GroupMembers:
        """Object ids of the users that are direct members of each group; None: may not be read. First pages in one
        batch; the further pages of several groups side by side."""
        paths = [f"/groups/{segment(group)}/members?$top=999&$select=id" for group in groups]

        def users(answer: BatchResponse) -> frozenset[str] | None:
            if isinstance(answer.failure, Forbidden):
                return None
            return frozenset(str(body["id"]) for body in self._all(answer) if body.get("@odata.type", _USER) == _USER)

        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            return dict(zip(groups, pool.map(users, self._client.read_batch(paths)), strict=True))

    def _around(self, path: str, owner: str, policy_name: str, *more: str) -> list[BatchResponse]:
        paths = [
            path,
            f"{path}/appRoleAssignedTo?$top=999",
            "/organization?$select=id,countryLetterCode,verifiedDomains",
            f"/servicePrincipals(appId={segment_literal(owner)})?$select=id",
        ]
        return self._client.read_batch([*paths, *_existing_paths(path, owner, policy_name), *more])

    def _existing(self, answers: Sequence[BatchResponse], policy_name: str) -> dict[str, Any]:
        """The fields of `ExistingObjects`, from the answers to `_existing_paths`."""
        owner, properties, links, policies = answers
        application = self._read_owner(owner, properties)
        named = self._read_list(policies, Policy.read)
        return {
            "application": application.application if application else None,
            "properties": application.properties if application else (),
            "assigned": self._read_list(links, Policy.read),
            "policies": named and tuple(policy for policy in named if policy.display_name == policy_name),
        }

    def _read(self, answers: Sequence[BatchResponse], policy_name: str, with_roles: bool) -> PrincipalSnapshot:
        own, roles, organization, owning, *others = answers
        body = body_of(own)
        existing = self._existing(others, policy_name)
        application = body_of(others[0]) if existing["application"] else {}
        values = {str(role["id"]): str(role.get("value") or "") for role in _list(body, "appRoles")}
        tenants = self._read_list(organization, dict)
        tenant = next(iter(tenants or ()), {})
        return PrincipalSnapshot(
            **existing,
            principal=ServicePrincipal.read(body),
            enabled=body.get("accountEnabled") is not False,
            audiences=tuple(_list(body, "servicePrincipalNames")),
            active_key=str(body.get("preferredTokenSigningKeyThumbprint") or "").upper(),
            keys=tuple(_keys(_list(body, "keyCredentials"))),
            accept_mapped_claims=bool((application.get("api") or {}).get("acceptMappedClaims")),
            multi_tenant="Multiple" in str(application.get("signInAudience")),
            roles=self._read_list(roles, lambda role: _role(role, values)) if with_roles else None,
            domains=None
            if tenants is None
            else tuple(str(entry["name"]) for entry in _list(tenant, "verifiedDomains")),
            owner_has_principal=not isinstance(owning.failure, NotFound),
            assignment_required=body.get("appRoleAssignmentRequired") is True,
            tags=tuple(map(str, _list(body, "tags"))),
            tenant_id=str(tenant.get("id") or ""),
            country=None if tenants is None else str(tenant.get("countryLetterCode") or ""),
        )

    def _read_list(self, answer: BatchResponse, read: Callable[[dict[str, Any]], T]) -> tuple[T, ...] | None:
        """All items of the collection whose first page is the answer; None where it may not be read."""
        return None if isinstance(answer.failure, Forbidden) else tuple(map(read, self._all(answer)))


def _existing_paths(principal: str, app_id: str, policy_name: str, query: dict[str, object] | None = None) -> list[str]:
    """What reads `ExistingObjects`; `principal` is the path of the service principal."""
    return [*owner_paths(app_id, query), f"{principal}/claimsMappingPolicies", with_query(POLICIES, named(policy_name))]


def _list(body: Mapping[str, Any], key: str) -> list[Any]:
    return body.get(key) or []


def _role(body: Mapping[str, Any], values: Mapping[str, str]) -> RoleAssignment:
    kind, name = (str(body.get(key) or "") for key in ("principalType", "principalDisplayName"))
    return RoleAssignment(str(body["principalId"]), kind, values.get(str(body.get("appRoleId")), ""), name)


def _keys(credentials: Iterable[Mapping[str, Any]]) -> Iterable[SigningKey]:
    """`customKeyIdentifier` is the thumbprint in base64; a certificate has a private twin of usage Sign (A)."""
    for credential in credentials:
        if credential.get("usage") == "Verify":
            thumbprint = str(credential.get("customKeyIdentifier") or "")
            with suppress(ValueError):
                thumbprint = base64.b64decode(thumbprint, validate=True).hex()
            yield SigningKey(thumbprint.upper(), _moment(credential.get("endDateTime")))


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return None
