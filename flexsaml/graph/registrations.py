"""Application registrations and what they are allowed, v1.0: what `setup` reads and writes. Paths: /applications (POST
201, PATCH 204, DELETE 204 and restorable for 30 days), …/addPassword (200; the only answer that has the secret),
…/federatedIdentityCredentials (201), /servicePrincipals (201), …/appRoleAssignments and …/appRoleAssignedTo (201: an
application permission with its consent), /oauth2PermissionGrants (201: delegated ones), …/owners/$ref (204). 404: no
such object, or a stale replica. Quirks (A unless said): permissions are roles and scopes of Microsoft Graph's own
service principal; a PATCH replaces the whole list of keys or of requested permissions;
keys are null unless $select names keyCredentials of one object; a display name is not unique; a service principal asked
for seconds after its application gets 400 (recorded: corpus), other references to new objects 404 (B)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .batch import BatchResponse, body_of, entity_of
from .directory_calls import DirectoryCalls, Wait
from .errors import Conflict, Malformed, NotFound, StillPending
from .shapes import read_moment, read_text, read_texts
from .urls import literal, segment, segment_literal

GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
REPLICATED_WITHIN = 60.0
"""Seconds in which a tenant must know an object that was made just now."""
_SELECT = (
    "id,appId,displayName,tags,requiredResourceAccess,isFallbackPublicClient,keyCredentials,passwordCredentials,"
    "signInAudience,web,spa,publicClient"
)
_NOT_REPLICATED = "does not reference a valid application object"

Json = dict[str, Any]


@dataclass(frozen=True)
class GraphPermissions:
    """Microsoft Graph's service principal: its object id, and the ids of its permissions by their names."""

    id: str
    roles: Mapping[str, str]
    scopes: Mapping[str, str]


@dataclass(frozen=True)
class ClientSecret:
    """A secret as Graph lists it, without its text."""

    key_id: str
    display_name: str
    ends: datetime | None


@dataclass(frozen=True)
class FederatedCredential:
    """Whose tokens are accepted in place of a secret."""

    name: str
    issuer: str
    subject: str
    audiences: tuple[str, ...] = ()


@dataclass(frozen=True)
class Owner:
    """Who may change an object, and add a credential to it. `name` is "" where it may not be read."""

    id: str
    name: str


@dataclass(frozen=True)
class ScopeGrant:
    """A consent to delegated permissions on Microsoft Graph, for all users."""

    id: str
    scopes: frozenset[str]


@dataclass(frozen=True)
class Registration:
    """An application registration with what is around it. `requested` and `keys` are as Graph has them. `principal_id`
    is "" without a service principal; `roles` are the ids of the application permissions on Microsoft Graph that were
    consented to; `grant` is None without a consent, or where consents were not asked for. `owners` are those of the
    application and of its service principal, which can have keys and secrets of its own; `redirects` are the URIs to
    which somebody who signs in is sent."""

    id: str
    app_id: str
    display_name: str
    tags: tuple[str, ...]
    requested: tuple[Json, ...]
    is_public_client: bool
    keys: tuple[Json, ...]
    secrets: tuple[ClientSecret, ...]
    federated: tuple[FederatedCredential, ...]
    principal_id: str
    roles: frozenset[str]
    grant: ScopeGrant | None
    audience: str = ""
    owners: tuple[Owner, ...] = ()
    redirects: tuple[str, ...] = ()
    principal_keys: tuple[Json, ...] = ()
    principal_secrets: tuple[ClientSecret, ...] = ()

    def requests(self, permission_id: str) -> bool:
        """Whether it asks for that permission on Microsoft Graph."""
        resources = [item for item in self.requested if item.get("resourceAppId") == GRAPH_APP_ID]
        return permission_id in [access.get("id") for item in resources for access in item.get("resourceAccess") or ()]


class Registrations(DirectoryCalls):
    """Application registrations, their credentials and consents."""

    def graph_permissions(self) -> GraphPermissions:
        """What Microsoft Graph offers in this tenant."""
        path = f"/servicePrincipals(appId={segment_literal(GRAPH_APP_ID)})"
        body = self._client.entity(path, params={"$select": "id,appRoles,oauth2PermissionScopes"})
        by_name = [{str(item.get("value")): str(item.get("id")) for item in body.get(key) or ()} for key in _OFFERED]
        return GraphPermissions(body["id"], *by_name)

    def find_applications(self, display_name: str) -> list[tuple[str, tuple[str, ...]]]:
        """Object id and tags of the registrations of exactly that name."""
        params = {"$filter": f"displayName eq {literal(display_name)}", "$select": "id,displayName,tags"}
        listed = self._client.pages("/applications", params=params)
        return [(body["id"], read_texts(body, "tags")) for body in listed if body.get("displayName") == display_name]

    def read_registration(self, application_id: str, *, graph_id: str, with_grants: bool) -> Registration | None:
        """Two round trips; None only after a confirmed 404. `graph_id`: object id of Microsoft Graph's service
        principal. `with_grants`: consents to delegated permissions too, which take another permission to read."""
        return self._unless_absent(lambda: self._read_registration(application_id, graph_id, with_grants))

    def _read_registration(self, application_id: str, graph_id: str, with_grants: bool) -> Registration:
        path = f"/applications/{segment(application_id)}"
        own, federated, owners = self._client.read_batch(
            [f"{path}?$select={_SELECT}", f"{path}/federatedIdentityCredentials", f"{path}/owners"]
        )
        body = entity_of(own)
        principal = f"/servicePrincipals(appId={segment_literal(read_text(body, 'appId'))})"
        lists = ["appRoleAssignments", *(["oauth2PermissionGrants"] if with_grants else [])]
        fields = "id,keyCredentials,passwordCredentials"
        paths = [f"{principal}?$select={fields}", *(f"{principal}/{name}" for name in ("owners", *lists))]
        around = self._client.read_batch(paths)
        has_principal = not isinstance(around[0].failure, NotFound)
        principal_body = entity_of(around[0]) if has_principal else {}
        all_owners = [*self._items(owners), *(self._items(around[1]) if has_principal else [])]
        roles = self._items(around[2]) if has_principal else []
        grants = self._items(around[3]) if has_principal and with_grants else []
        return Registration(
            id=body["id"], app_id=body["appId"], display_name=str(body.get("displayName") or ""),
            tags=read_texts(body, "tags"), requested=tuple(body.get("requiredResourceAccess") or ()),
            is_public_client=body.get("isFallbackPublicClient") is True,
            keys=tuple(body.get("keyCredentials") or ()),
            secrets=tuple(map(_read_secret, body.get("passwordCredentials") or ())),
            federated=tuple(map(_read_federated, self._items(federated))),
            principal_id=str(principal_body.get("id") or ""),
            roles=frozenset(str(row.get("appRoleId")) for row in roles if row.get("resourceId") == graph_id),
            grant=next((_read_grant(row) for row in grants if _is_for_all(row, graph_id)), None),
            audience=str(body.get("signInAudience") or ""),
            owners=tuple(sorted({_read_owner(row) for row in all_owners}, key=lambda owner: owner.id)),
            redirects=tuple(uri for kind in _REDIRECTING for uri in (body.get(kind) or {}).get("redirectUris") or ()),
            principal_keys=tuple(principal_body.get("keyCredentials") or ()),
            principal_secrets=tuple(map(_read_secret, principal_body.get("passwordCredentials") or ())),
        )  # fmt: skip

    def owner_ids(self, collection: str, object_id: str) -> frozenset[str]:
        """Object ids of the owners of an object of `applications` or `servicePrincipals`."""
        owners = self._client.pages(f"/{collection}/{segment(object_id)}/owners", params={"$select": "id"})
        return frozenset(str(body["id"]) for body in owners)

    def carry_out(self, method: str, path: str, body: object, *, is_done: Callable[[], bool] | None) -> Json:
        """A write, repeated while the tenant does not know an object that was made just now. `is_done` reads whether it
        was carried out; then, and for a PATCH or `$ref`, the answer has no properties of the object. Without it an
        unknown outcome is an error."""
        wait = Wait(self._client, f"{method} {path} for an object that was made just now", REPLICATED_WITHIN)

        def landed() -> Json | None:
            return _LANDED if is_done and is_done() else None

        while True:
            try:
                return dict(self._client.write(method, path, body, landed=landed if is_done else None))
            except (Conflict, Malformed, NotFound) as problem:
                if not isinstance(problem, NotFound):
                    if is_done and is_done():  # by somebody else, or by a request whose answer was lost
                        return {}
                    if _NOT_REPLICATED not in problem.message:
                        raise
                try:
                    wait.pause()
                except StillPending:
                    raise problem from None

    def delete_application(self, application_id: str) -> None:
        """DELETE, with its service principal and consents; one that is gone already is a success."""
        self._delete(f"/applications/{segment(application_id)}")

    def _items(self, answer: BatchResponse) -> list[Json]:
        return list(self._client.rest_of(answer.request.url, body_of(answer)))


_REDIRECTING = ("web", "spa", "publicClient")
_OFFERED = ("appRoles", "oauth2PermissionScopes")
_LANDED: Json = {"landed": True}


def _read_secret(body: Mapping[str, Any]) -> ClientSecret:
    ends = read_moment(body.get("endDateTime"))
    return ClientSecret(str(body.get("keyId")), str(body.get("displayName") or ""), ends)


def _read_federated(body: Mapping[str, Any]) -> FederatedCredential:
    name, issuer, subject = (read_text(body, key) for key in ("name", "issuer", "subject"))
    return FederatedCredential(name, issuer, subject, read_texts(body, "audiences"))


def _read_owner(body: Mapping[str, Any]) -> Owner:
    return Owner(str(body["id"]), str(body.get("userPrincipalName") or body.get("displayName") or ""))


def _read_grant(body: Mapping[str, Any]) -> ScopeGrant:
    return ScopeGrant(str(body["id"]), frozenset(str(body.get("scope") or "").split()))


def _is_for_all(body: Mapping[str, Any], graph_id: str) -> bool:
    return (body.get("consentType"), body.get("resourceId")) == ("AllPrincipals", graph_id)
