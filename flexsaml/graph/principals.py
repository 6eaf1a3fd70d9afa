"""Finding service principals and applications, by object id or (appId='…'). Reads only, v1.0.

Quirks: $search is tokenised and fuzzy and wants `ConsistencyLevel: eventual` (A), so names are compared exactly here;
batch items do not inherit that header (A); application and service principal share appId and name, never the id (A).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .batch import BatchResponse, body_of
from .client import Client
from .directory_calls import DirectoryCalls
from .errors import NotFound, PrincipalNotFound
from .models import Application, ExtensionOwner, ExtensionProperty, ServicePrincipal
from .urls import InvalidReference, is_guid, search_phrase, segment_literal, with_query


class Principals(DirectoryCalls):
    """Finding service principals and applications."""

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
        paths = [path for app_id in asked for path in owner_paths(app_id, {"$select": Application.SELECT})]
        answers = self._client.read_batch(paths)
        return {
            app_id: self._read_owner(owner, properties)
            for app_id, owner, properties in zip(asked, answers[::2], answers[1::2], strict=True)
        }

    def _read_owner(self, owner: BatchResponse, properties: BatchResponse) -> ExtensionOwner | None:
        if isinstance(owner.failure, NotFound):
            return None
        listed = tuple(map(ExtensionProperty.read, self._all(properties)))
        return ExtensionOwner(Application.read(body_of(owner)), listed)

    def _by_either_id(self, collection: str, guid: str, select: str) -> list[dict[str, Any]]:
        paths = (f"{collection}/{guid}", f"{collection}(appId='{guid}')")
        answers = self._client.read_batch([with_query(path, {"$select": select}) for path in paths])
        return [body_of(answer) for answer in answers if not isinstance(answer.failure, NotFound)]

    def _all(self, answer: BatchResponse) -> Iterable[dict[str, Any]]:
        """Every item of a collection whose first page is an answer of a batch."""
        return self._client.rest_of(answer.request.url, body_of(answer))


def owner_paths(app_id: str, query: dict[str, object] | None = None) -> tuple[str, str]:
    """The paths of an application and of its extension properties."""
    application = f"/applications(appId={segment_literal(app_id)})"
    return with_query(application, query), f"{application}/extensionProperties"
