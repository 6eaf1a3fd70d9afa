"""The survey before a change: everything around a service principal in one round trip, and its people. Reads only.

One $batch holds the application, its extension properties, the principal with its keys and roles, its
assignment, the policies of our name, who is assigned to it, and the verified domains; all by alternate key
when only the appId is known. What the identity may not read comes back None, never as empty: without rights
Graph leaves properties null or answers 403 (A: I2). Roles given to a group count for its direct members only
(A: I1), so groups are read by `members`, not `transitiveMembers`. Keys come without $select: asking for
keyCredentials by name is limited to 150 a minute (A). The custom claims policy is beta and has a call of its
own; none was ever set reads as 404 or as 200 without claims (D). Pinned by tests/graph/test_survey.py.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from flexsaml.graph.batch import BatchRequest, BatchResponse
from flexsaml.graph.directory_calls import DirectoryCalls
from flexsaml.graph.errors import Forbidden, NotFound
from flexsaml.graph.identity import Identity
from flexsaml.graph.models import Application, ExtensionProperty, Policy, ServicePrincipal
from flexsaml.graph.policies import POLICIES, named
from flexsaml.graph.urls import literal, segment, with_query

T = TypeVar("T")

SIDE_BY_SIDE = 4
_USER = "#microsoft.graph.user"
NO_ROLE = "00000000-0000-0000-0000-000000000000"  # assigned without a role: may sign in, no value follows (A)


@dataclass(frozen=True)
class SigningKey:
    """A certificate of the principal: hex thumbprint in upper case, and when it ends."""

    thumbprint: str
    ends: datetime | None


@dataclass(frozen=True)
class RoleAssignment:
    """`kind` is User, Group or ServicePrincipal; `value` the role's text, "" for none."""

    principal_id: str
    kind: str
    value: str
    display_name: str


@dataclass(frozen=True)
class PrincipalSnapshot:
    """What was seen; None: may not be read (403). `application` None: not in this tenant.

    `keys` are the certificates that verify; `active_key` is the thumbprint chosen to sign, "" when none is.
    `country` "" is a null; without rights the organization is not seen, and `tenant_id` is "".
    """

    principal: ServicePrincipal
    enabled: bool
    audiences: tuple[str, ...]
    active_key: str
    keys: tuple[SigningKey, ...]
    application: Application | None
    accept_mapped_claims: bool
    multi_tenant: bool
    properties: tuple[ExtensionProperty, ...]
    assigned: tuple[Policy, ...] | None
    policies: tuple[Policy, ...] | None
    roles: tuple[RoleAssignment, ...] | None
    domains: tuple[str, ...] | None
    owner_has_principal: bool
    assignment_required: bool = False
    tags: tuple[str, ...] = ()
    tenant_id: str = ""
    country: str | None = None


class PrincipalSnapshots(DirectoryCalls):
    """PrincipalSnapshots of one service principal."""

    def read_principal_snapshot(
        self, principal: ServicePrincipal | str, *, owner: str = "", policy_name: str, roles: bool = True
    ) -> PrincipalSnapshot | None:
        """One round trip. `principal`: found by name, or an appId or object id; None when it is neither.

        An object id costs a second round trip. `owner`: appId of the application that holds the extensions,
        default the principal's own. `roles` False: they are not asked for, since there may be many pages of them.
        """
        if isinstance(principal, str):
            by_app_id = f"/servicePrincipals(appId={literal(segment(principal))})"
            answers = self._around(by_app_id, owner or principal, policy_name, f"/servicePrincipals/{principal}")
            if isinstance(answers[0].error(), NotFound):
                other = answers.pop()
                if isinstance(other.error(), NotFound):
                    return None
                found = ServicePrincipal.read(_body(other))
                return self.read_principal_snapshot(found, owner=owner, policy_name=policy_name, roles=roles)
        else:
            path = f"/servicePrincipals/{segment(principal.id)}"
            answers = self._around(path, owner or principal.app_id, policy_name)
        return self._read(answers, roles)

    def custom_claims(self, principal_id: str) -> bool | None:
        """Whether a custom claims policy (the portal's claims page) has claims; None: may not be read. Beta."""
        try:
            found = self._client.get(f"/servicePrincipals/{segment(principal_id)}/claimsPolicy", version="beta")
        except NotFound:
            return False
        except Forbidden:
            return None
        return bool(found.get("claims"))

    def granted(self) -> frozenset[str] | None:
        """Permissions the identity's token names, as a hint; None when the token cannot be read."""
        return self._client.granted()

    def identity(self) -> Identity | None:
        """Whom the token names, as a hint; None when the token cannot be read."""
        return self._client.identity()

    def direct_members(self, groups: Sequence[str]) -> dict[str, frozenset[str] | None]:
        """Object ids of the users that are direct members of each group; None: may not be read.

        First pages in one batch; the further pages of several groups side by side.
        """
        paths = [f"/groups/{segment(one)}/members?$top=999&$select=id" for one in groups]
        answers = self._client.batch([BatchRequest("GET", path) for path in paths]) if paths else []
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            return dict(zip(groups, pool.map(self._ids, answers), strict=True))

    def _ids(self, answer: BatchResponse) -> frozenset[str] | None:
        def users() -> frozenset[str]:
            rows = self._all(answer)
            return frozenset(str(one["id"]) for one in rows if str(one.get("@odata.type", _USER)) == _USER)

        return _allowed(answer, lambda _: users())

    def _around(self, path: str, owner: str, policy_name: str, other: str = "") -> list[BatchResponse]:
        application = f"/applications(appId={literal(segment(owner))})"
        urls = [
            path,
            application,
            f"{application}/extensionProperties",
            f"{path}/claimsMappingPolicies",
            with_query(POLICIES, named(policy_name)),
            f"{path}/appRoleAssignedTo?$top=999",
            "/organization?$select=id,countryLetterCode,verifiedDomains",
            f"/servicePrincipals(appId={literal(segment(owner))})?$select=id",
        ]
        return self._client.batch([BatchRequest("GET", url) for url in [*urls, *([other] if other else [])]])

    def _read(self, answers: Sequence[BatchResponse], with_roles: bool) -> PrincipalSnapshot:
        own, owner, properties, links, policies, roles, organization, owning = answers[:8]
        body = _body(own)
        here = None if isinstance(owner.error(), NotFound) else _body(owner)
        names = {str(one["id"]): str(one.get("value") or "") for one in body.get("appRoles") or ()}
        tenant = _allowed(organization, lambda found: (found.get("value") or [{}])[0])
        return PrincipalSnapshot(
            principal=ServicePrincipal.read(body),
            enabled=body.get("accountEnabled") is not False,
            audiences=tuple(body.get("servicePrincipalNames") or ()),
            active_key=str(body.get("preferredTokenSigningKeyThumbprint") or "").upper(),
            keys=tuple(_keys(body.get("keyCredentials") or ())),
            application=Application.read(here) if here else None,
            accept_mapped_claims=bool(((here or {}).get("api") or {}).get("acceptMappedClaims")),
            multi_tenant="Multiple" in str((here or {}).get("signInAudience")),
            properties=tuple(map(ExtensionProperty.read, self._all(properties))) if here else (),
            assigned=_allowed(links, lambda _: tuple(map(Policy.read, self._all(links)))),
            policies=_allowed(policies, lambda _: tuple(map(Policy.read, self._all(policies)))),
            roles=_allowed(roles, lambda _: tuple(_role(one, names) for one in self._all(roles)))
            if with_roles
            else None,
            domains=None if tenant is None else tuple(str(one["name"]) for one in tenant.get("verifiedDomains") or ()),
            owner_has_principal=not isinstance(owning.error(), NotFound),
            assignment_required=body.get("appRoleAssignmentRequired") is True,
            tags=tuple(map(str, body.get("tags") or ())),
            tenant_id=str((tenant or {}).get("id") or ""),
            country=None if tenant is None else str(tenant.get("countryLetterCode") or ""),
        )

    def _all(self, answer: BatchResponse) -> Iterable[dict[str, Any]]:
        return self._client.rest_of(answer.request.url, _body(answer))


def _body(answer: BatchResponse) -> dict[str, Any]:
    error = answer.error()
    if error is not None:
        raise error
    return answer.body or {}


def _allowed(answer: BatchResponse, read: Callable[[Mapping[str, Any]], T]) -> T | None:
    if isinstance(answer.error(), Forbidden):
        return None
    return read(_body(answer))


def _role(body: Mapping[str, Any], names: Mapping[str, str]) -> RoleAssignment:
    return RoleAssignment(
        str(body["principalId"]),
        str(body.get("principalType") or ""),
        names.get(str(body.get("appRoleId") or NO_ROLE), ""),
        str(body.get("principalDisplayName") or ""),
    )


def _keys(credentials: Iterable[Mapping[str, Any]]) -> Iterable[SigningKey]:
    """`customKeyIdentifier` is the thumbprint in base64; a certificate has a private twin of usage Sign (A)."""
    for one in credentials:
        if one.get("usage") == "Verify":
            yield SigningKey(_thumbprint(one.get("customKeyIdentifier")), _moment(one.get("endDateTime")))


def _thumbprint(text: object) -> str:
    try:
        return base64.b64decode(str(text or ""), validate=True).hex().upper()
    except (binascii.Error, ValueError):
        return str(text).upper()


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return None
