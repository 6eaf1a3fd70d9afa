"""Service principals and applications, and everything around a service principal in one round trip. Reads only, v1.0.
Found by object id, by (appId='…') or by name: $search is tokenised and fuzzy and wants `ConsistencyLevel: eventual`
(A), so names are compared exactly here; batch items do not inherit that header (A); application and service principal
share appId and name, never the id (A). A snapshot is one $batch. What the identity may not read comes back None, never
as empty: without rights Graph leaves properties null or answers 403 (A: I2). Roles given to a group count for its
direct members only (A: I1), so groups are read by `members`, not `transitiveMembers`. Keys come without $select: asking
for keyCredentials by name is limited to 150 a minute (A). The custom claims policy is beta and has a call of its own;
one that was never set reads as 404 or as 200 without claims (D)."""

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

from .batch import BatchResponse, body_of, entity_of
from .client import Client
from .directory_calls import DirectoryCalls
from .errors import Forbidden, NotFound
from .models import (
    Application,
    ExistingObjects,
    ExtensionOwner,
    ExtensionProperty,
    GroupMembers,
    Policy,
    PrincipalNotFound,
    PrincipalSnapshot,
    RoleAssignment,
    ServicePrincipal,
    SigningKey,
)
from .policies import POLICIES, named
from .shapes import read_moment, read_text
from .tokens import Identity, identity
from .urls import InvalidReference, is_guid, search_phrase, segment, segment_literal, with_query

T = TypeVar("T")

SIDE_BY_SIDE = 4
_DEFAULT_ROLE = "00000000-0000-0000-0000-000000000000"  # assigned without a role (A)
_USER = "#microsoft.graph.user"


class Principals(DirectoryCalls):
    """Finding service principals and applications, and reading what is around them."""

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self._principals: dict[str, ServicePrincipal] = {}

    def find_service_principal(self, reference: str) -> ServicePrincipal:
        """The service principal of that object id or appId (one request tries both) or display name (one search). A
        name that differs in case only counts when none is exact. Raises `PrincipalNotFound` for none or several. The
        one that was found is kept, for a program asks for it before it is needed."""
        if reference in self._principals:
            return self._principals[reference]
        if is_guid(reference):
            bodies = self._by_either_id("/servicePrincipals", reference, ServicePrincipal.SELECT)
            matches = listed = list({body["id"]: ServicePrincipal.read(body) for body in bodies}.values())
        else:
            params = {"$search": search_phrase("displayName", reference), "$select": ServicePrincipal.SELECT}
            pages = self._client.pages("/servicePrincipals", params=params, headers={"ConsistencyLevel": "eventual"})
            listed = [ServicePrincipal.read(body) for body in pages]
            matches = [principal for principal in listed if principal.display_name == reference] or [
                principal for principal in listed if principal.display_name.casefold() == reference.casefold()
            ]
        if len(matches) != 1:
            names = list(dict.fromkeys(principal.display_name for principal in listed))
            raise PrincipalNotFound(reference, matches, names)
        return self._principals.setdefault(reference, matches[0])

    def has_service_principal(self, app_id: str) -> bool:
        """Whether the application with this appId has one in this tenant; False only after a confirmed 404. Where it
        may not be read (403), it counts as there."""
        path = f"/servicePrincipals(appId={segment_literal(app_id)})"
        try:
            return self._unless_absent(lambda: self._client.entity(path, params={"$select": "id"})) is not None
        except Forbidden:
            return True

    def application(self, reference: str) -> Application | None:
        """By object id or appId, in one request; None when neither exists in this tenant."""
        if not is_guid(reference):
            raise InvalidReference(f"application '{reference}' is neither an object id nor an appId (a GUID)")
        bodies = self._by_either_id("/applications", reference, Application.SELECT)
        return Application.read(bodies[0]) if bodies else None

    def read_extension_owners(self, app_ids: Iterable[str]) -> dict[str, ExtensionOwner | None]:
        """The applications with these appIds and their extension properties; None for one not in this tenant. One round
        trip for up to ten, none when there are none. Raises Forbidden where they may not be read."""
        asked = list(dict.fromkeys(app_ids))
        paths = [path for app_id in asked for path in _owner_paths(app_id, {"$select": Application.SELECT})]
        answers = self._client.read_batch(paths)
        return {
            app_id: self._read_owner(owner, properties)
            for app_id, owner, properties in zip(asked, answers[::2], answers[1::2], strict=True)
        }

    def _read_owner(self, owner: BatchResponse, properties: BatchResponse) -> ExtensionOwner | None:
        if isinstance(owner.failure, NotFound):
            return None
        listed = tuple(map(ExtensionProperty.read, self._all(properties)))
        return ExtensionOwner(Application.read(entity_of(owner)), listed)

    def _by_either_id(self, collection: str, guid: str, select: str) -> list[dict[str, Any]]:
        paths = (f"{collection}/{guid}", f"{collection}(appId='{guid}')")
        answers = self._client.read_batch([with_query(path, {"$select": select}) for path in paths])
        return [entity_of(answer) for answer in answers if not isinstance(answer.failure, NotFound)]

    def _all(self, answer: BatchResponse) -> Iterable[dict[str, Any]]:
        """Every item of a collection whose first page is an answer of a batch."""
        return self._client.rest_of(answer.request.url, body_of(answer))

    def read_principal_snapshot(
        self, reference: str, *, owner: str = "", policy_name: str = "", roles: bool = True
    ) -> PrincipalSnapshot:
        """One round trip by appId, two by exact display name or object id. Raises `PrincipalNotFound`. `owner`: appId
        of the application that holds the extensions, default the principal's own. `policy_name`: whose policies are
        read. `roles` False: they are not asked for, since there may be many pages of them."""
        if is_guid(reference):  # an appId is more likely; whether it is an object id is asked in the same batch
            by_app_id = f"/servicePrincipals(appId={segment_literal(reference)})"
            by_id = f"/servicePrincipals/{reference}"
            *answers, other = self._around(by_app_id, reference, owner or reference, policy_name, by_id)
            if not isinstance(answers[0].failure, NotFound):
                return self._read(answers, policy_name, roles)
            if isinstance(other.failure, NotFound):
                raise PrincipalNotFound(reference)
            principal = ServicePrincipal.read(entity_of(other))
        else:
            principal = self.find_service_principal(reference)
        path = f"/servicePrincipals/{segment(principal.id)}"
        answers = self._around(path, principal.app_id, owner or principal.app_id, policy_name)
        return self._read(answers, policy_name, roles)

    def read_existing_objects(
        self, *, app_id: str, service_principal_id: str, policy_name: str, needs_principal: bool = True
    ) -> ExistingObjects:
        """The part of it that a stack changes, in one round trip. A 404 is confirmed: what does not exist now counts as
        made by the stack later, and on a principal that is gone nothing is restored. Raises NotFound for a principal
        that is gone; without `needs_principal` nothing counts as assigned to it."""
        path = f"/servicePrincipals/{segment(service_principal_id)}"
        paths = _existing_paths(path, app_id, policy_name, {"$select": Application.SELECT})
        answers = self._read_confirmed(paths)
        if not needs_principal and isinstance(answers[2].failure, NotFound):
            answers[2] = BatchResponse(answers[2].request, 200, {"value": []})
        return ExistingObjects(**self._existing(answers, policy_name))

    def custom_claims(self, principal_id: str) -> bool | None:
        """Whether a custom claims policy (the portal's claims page) has claims; None: may not be read. Beta."""
        path = f"/servicePrincipals/{segment(principal_id)}/claimsPolicy"
        try:
            return bool(self._client.get(path, version="beta").get("claims"))
        except NotFound:
            return False
        except Forbidden:
            return None

    def identity(self) -> Identity | None:
        """Whom the token names, as a hint; None when the token cannot be read."""
        return identity(self._client.tokens.token())

    def direct_members(self, groups: Sequence[str]) -> GroupMembers:
        """Object ids of the users in each group, direct members only; None: may not be read. Groups side by side. The
        members of a group with hidden membership take Member.Read.Hidden as well (A), so an empty list of one says
        nothing."""
        paths = [f"/groups/{segment(group)}/members?$top=999&$select=id" for group in groups]

        def users(answer: BatchResponse) -> frozenset[str] | None:
            if isinstance(answer.failure, Forbidden):
                return None
            return frozenset(str(body["id"]) for body in self._all(answer) if body.get("@odata.type", _USER) == _USER)

        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            members = dict(zip(groups, pool.map(users, self._client.read_batch(paths)), strict=True))
        empty = [group for group in groups if members[group] == frozenset()]
        answers = self._client.read_batch([f"/groups/{segment(group)}?$select=id,visibility" for group in empty])
        hidden = {group for group, answer in zip(empty, answers, strict=True) if _has_hidden_members(answer)}
        return {group: None if group in hidden else users for group, users in members.items()}

    def _around(self, path: str, app_id: str, owner: str, policy_name: str, *more: str) -> list[BatchResponse]:
        """`app_id`: of the principal itself, whose application says how tokens are issued; `owner`: of the application
        that holds the extensions."""
        organization = "/organization?$select=id,countryLetterCode,verifiedDomains"
        owning = f"/servicePrincipals(appId={segment_literal(owner)})?$select=id"
        issuing = f"/applications(appId={segment_literal(app_id)})?$select=id,api,signInAudience,tokenEncryptionKeyId"
        paths = [path, f"{path}/appRoleAssignedTo?$top=999", organization, owning, issuing]
        existing = _existing_paths(path, owner, policy_name, {"$select": Application.SELECT})
        return self._client.read_batch([*paths, *existing, *more])

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
        own, roles, organization, owning, issuing, *others = answers
        body = entity_of(own)
        existing = self._existing(others, policy_name)
        application = {} if isinstance(issuing.failure, NotFound) else entity_of(issuing)
        app_roles = {str(role["id"]): role for role in _list(body, "appRoles")}
        tenants = self._read_list(organization, dict)
        tenant = next(iter(tenants or ()), {})
        domains = tuple(str(domain["name"]) for domain in _list(tenant, "verifiedDomains"))
        return PrincipalSnapshot(
            **existing, principal=ServicePrincipal.read(body), enabled=body.get("accountEnabled") is not False,
            audiences=tuple(_list(body, "servicePrincipalNames")),
            active_key=str(body.get("preferredTokenSigningKeyThumbprint") or "").upper(),
            keys=tuple(read_signing_keys(_list(body, "keyCredentials"))),
            accept_mapped_claims=bool((application.get("api") or {}).get("acceptMappedClaims")),
            multi_tenant="Multiple" in str(application.get("signInAudience")),
            roles=self._read_list(roles, lambda role: _role(role, app_roles)) if with_roles else None,
            domains=None if tenants is None else domains,
            owner_has_principal=not isinstance(owning.failure, NotFound),
            assignment_required=body.get("appRoleAssignmentRequired") is True,
            tags=tuple(map(str, _list(body, "tags"))), tenant_id=str(tenant.get("id") or ""),
            country=None if tenants is None else str(tenant.get("countryLetterCode") or ""),
            sign_on_mode=str(body.get("preferredSingleSignOnMode") or ""),
            encrypts_tokens=any(item.get("tokenEncryptionKeyId") for item in (body, application)),
        )  # fmt: skip

    def _read_list(self, answer: BatchResponse, read: Callable[[dict[str, Any]], T]) -> tuple[T, ...] | None:
        """All items of the collection whose first page is the answer; None where it may not be read."""
        return None if isinstance(answer.failure, Forbidden) else tuple(map(read, self._all(answer)))


def _owner_paths(app_id: str, query: dict[str, object] | None = None) -> tuple[str, str]:
    """The paths of an application and of its extension properties."""
    application = f"/applications(appId={segment_literal(app_id)})"
    return with_query(application, query), f"{application}/extensionProperties"


def _existing_paths(principal: str, app_id: str, policy_name: str, query: dict[str, object] | None = None) -> list[str]:
    """What reads `ExistingObjects`; `principal` is the path of the service principal."""
    policies = with_query(POLICIES, named(policy_name))
    return [*_owner_paths(app_id, query), f"{principal}/claimsMappingPolicies", policies]


def _list(body: Mapping[str, Any], key: str) -> list[Any]:
    return body.get(key) or []


def _role(body: Mapping[str, Any], app_roles: Mapping[str, Mapping[str, Any]]) -> RoleAssignment:
    kind, name = (str(body.get(key) or "") for key in ("principalType", "principalDisplayName"))
    role_id = str(body.get("appRoleId"))
    app_role = app_roles.get(role_id, {})
    value, is_textless = str(app_role.get("value") or ""), not app_role.get("value") and role_id != _DEFAULT_ROLE
    is_disabled = app_role.get("isEnabled") is False
    return RoleAssignment(read_text(body, "principalId"), kind, value, name, is_textless, is_disabled)


def read_signing_keys(credentials: Iterable[Mapping[str, Any]]) -> Iterable[SigningKey]:
    """Of all key credentials of a principal. Each public one has a private twin of usage Sign (A)."""
    rows = list(credentials)
    with_private_key = {row.get("customKeyIdentifier") for row in rows if row.get("usage") == "Sign"}
    for row in rows:
        if row.get("usage") == "Verify":
            yield read_signing_key(row, can_sign=row.get("customKeyIdentifier") in with_private_key)


def read_signing_key(row: Mapping[str, Any], *, can_sign: bool = True) -> SigningKey:
    """Of a public key credential, whose `customKeyIdentifier` is the thumbprint in base64."""
    thumbprint = str(row.get("customKeyIdentifier") or "")
    with suppress(ValueError):
        thumbprint = base64.b64decode(thumbprint, validate=True).hex()
    ends, starts = (read_moment(row.get(name)) for name in ("endDateTime", "startDateTime"))
    return SigningKey(thumbprint.upper(), ends, starts, can_sign)


def _has_hidden_members(answer: BatchResponse) -> bool:
    """Whether nobody can tell by an empty list that the group has no members."""
    if isinstance(answer.failure, (Forbidden, NotFound)):
        return isinstance(answer.failure, Forbidden)
    return bool(body_of(answer).get("visibility") == "HiddenMembership")
