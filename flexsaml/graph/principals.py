"""Service principals and applications: finding them, and the one look before a change. Reads only, v1.0.

Paths: /servicePrincipals, /applications, by object id or (appId='…'); needs Application.Read.All. Quirks:
$search is tokenised and fuzzy and wants `ConsistencyLevel: eventual` (A), so names are compared exactly here;
batch items do not inherit that header (A); application and service principal share appId and name, never the
id (A). Pinned by tests/graph/test_principals.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flexsaml.graph.batch import BatchRequest, BatchResponse
from flexsaml.graph.directory_calls import DirectoryCalls
from flexsaml.graph.errors import Forbidden, NotFound
from flexsaml.graph.models import (
    Application,
    ExistingObjects,
    ExtensionProperty,
    Policy,
    SearchResult,
    ServicePrincipal,
)
from flexsaml.graph.policies import POLICIES, named
from flexsaml.graph.urls import is_guid, literal, search_phrase, segment, with_query

T = TypeVar("T")


class Principals(DirectoryCalls):
    """Finding service principals and applications."""

    def service_principals(self, reference: str) -> SearchResult:
        """By object id or appId (one request tries both), else by display name.

        Exact, or without case if none is.
        """
        if is_guid(reference):
            answers = self._by_either_id("/servicePrincipals", reference, ServicePrincipal.SELECT)
            found = {body["id"]: ServicePrincipal.read(body) for body in answers}
            return SearchResult(tuple(found.values()))
        listed = [
            ServicePrincipal.read(body)
            for body in self._client.pages(
                "/servicePrincipals",
                params={
                    "$search": search_phrase("displayName", reference),
                    "$select": ServicePrincipal.SELECT,
                },
                headers={"ConsistencyLevel": "eventual"},
            )
        ]
        matches = [one for one in listed if one.display_name == reference] or [
            one for one in listed if one.display_name.casefold() == reference.casefold()
        ]
        similar = dict.fromkeys(one.display_name for one in listed if one not in matches)
        return SearchResult(tuple(matches), tuple(similar))

    def application(self, reference: str) -> Application | None:
        """By object id or appId, in one request; None when neither exists here."""
        if not is_guid(reference):
            raise ValueError(f"application: {reference!r} is neither an object id nor an appId (a GUID)")
        bodies = self._by_either_id("/applications", reference, Application.SELECT)
        return Application.read(bodies[0]) if bodies else None

    def read_existing_objects(self, *, app_id: str, service_principal_id: str, policy_name: str) -> ExistingObjects:
        """Everything around the principal in one round trip.

        See `ExistingObjects` for what None means; other errors raise.
        """
        application = f"/applications(appId={segment_literal(app_id)})"
        assigned = f"/servicePrincipals/{segment(service_principal_id)}/claimsMappingPolicies"
        requests = [
            BatchRequest("GET", with_query(application, {"$select": Application.SELECT})),
            BatchRequest("GET", f"{application}/extensionProperties"),
            BatchRequest("GET", assigned),
            BatchRequest("GET", with_query(POLICIES, named(policy_name))),
        ]
        owner, properties, links, policies = self._client.batch(requests)
        here = _unless(owner, NotFound, lambda: Application.read(owner.body or {}))
        return ExistingObjects(
            application=here,
            properties=tuple(self._listed(properties, ExtensionProperty.read)) if here is not None else (),
            assigned=_unless(links, Forbidden, lambda: tuple(self._listed(links, Policy.read))),
            policies=_unless(
                policies,
                Forbidden,
                lambda: tuple(
                    policy for policy in self._listed(policies, Policy.read) if policy.display_name == policy_name
                ),
            ),
        )

    def _by_either_id(self, collection: str, guid: str, select: str) -> list[dict[str, Any]]:
        paths = (f"{collection}/{guid}", f"{collection}(appId='{guid}')")
        answers = self._client.batch([BatchRequest("GET", with_query(path, {"$select": select})) for path in paths])
        bodies = []
        for answer in answers:
            error = answer.error()
            if error is not None and not isinstance(error, NotFound):
                raise error
            if error is None and answer.body is not None:
                bodies.append(answer.body)
        return bodies

    def _listed(self, answer: BatchResponse, read: Callable[[dict[str, Any]], T]) -> list[T]:
        error = answer.error()
        if error is not None:
            raise error
        return [read(body) for body in self._client.rest_of(answer.request.url, answer.body or {})]


def segment_literal(text: str) -> str:
    """An OData key as part of a path."""
    return literal(segment(text))


def _unless(answer: BatchResponse, kind: type[Exception], read: Callable[[], T]) -> T | None:
    error = answer.error()
    if isinstance(error, kind):
        return None
    if error is not None:
        raise error
    return read()
