"""A small portal: enterprise applications, and the claims blade of each.

Quirk tamed: while a claims mapping policy is assigned the blade says so and its own settings count for nothing (A).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timezone
from itertools import islice

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from emulator import pages
from emulator.clock import Clock
from emulator.entra.saml import Subject, certificates
from emulator.tenant.access import assigned_to
from emulator.tenant.records import Policy, ServicePrincipal, User
from emulator.tenant.store import Store
from emulator.tenant.users import visible_values
from emulator.types import Json

__all__ = ["routes"]

_LISTED = 30  # people on a page
_BASIC = ("name", "givenname", "surname", "emailaddress")


def routes(store: Store, clock: Clock) -> list[BaseRoute]:
    served = _Portal(store, clock)
    return [
        Route("/", served.door, methods=["GET"]),
        Route("/portal", served.applications, methods=["GET"]),
        Route("/portal/{principal}", served.application, methods=["GET"]),
    ]


class _Portal:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def door(self, _request: Request) -> Response:
        return RedirectResponse("/portal", 302)

    async def applications(self, _request: Request) -> Response:
        found = sorted(self._store.service_principals.values(), key=lambda one: one.display_name.casefold())
        return pages.page(
            "portal.html",
            organization=self._store.organization.attributes.get("displayName") or self._store.tenant_id,
            tenant=self._store.tenant_id,
            applications=[
                {"id": one.id, "app_id": one.app_id, "name": one.display_name, "overwritten": bool(self._policy(one))}
                for one in found
            ],
        )

    async def application(self, request: Request) -> Response:
        found = self._store.service_principals.get(request.path_params["principal"].lower())
        if found is None:
            words = f"The directory has no enterprise application '{request.path_params['principal']}'."
            return pages.problem("Application not found", words, 404)
        policy = self._policy(found)
        return pages.page(
            "application.html",
            tenant=self._store.tenant_id,
            name=found.display_name,
            app_id=found.app_id,
            object_id=found.id,
            identifiers=found.attributes.get("servicePrincipalNames") or [],
            reply_urls=found.attributes.get("replyUrls") or [],
            enabled=found.attributes.get("accountEnabled") is not False,
            assignment=found.attributes.get("appRoleAssignmentRequired") is True,
            policy=None if policy is None else {"name": policy.display_name, "id": policy.id},
            definition=None if policy is None else json.dumps(_body(policy), indent=2, ensure_ascii=False),
            claims=_policy_claims(policy) if policy else self._own_claims(found),
            certificates=self._certificates(found),
            people=self._people(found),
        )

    def _policy(self, principal: ServicePrincipal) -> Policy | None:
        links = (link for link in self._store.links.values() if link.service_principal_id == principal.id)
        found = (self._store.policies.get(link.policy_id) for link in links)
        return next((one for one in found if one is not None), None)

    def _own_claims(self, principal: ServicePrincipal) -> list[dict[str, str]]:
        """What the blade itself was told, or the default."""
        custom = self._store.claims_policies.get(principal.id)
        rows: Json = custom.attributes.get("claims") if custom else None
        if rows:
            return [{"name": str(one.get("name", "")), "source": "set in the portal"} for one in rows]
        names = (f"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/{one}" for one in _BASIC)
        return [{"name": name, "source": "default"} for name in names]

    def _certificates(self, principal: ServicePrincipal) -> list[dict[str, str]]:
        now = self._clock.now()
        return [
            {
                "thumbprint": one.thumbprint,
                "ends": f"{datetime.fromtimestamp(one.ends, timezone.utc):%Y-%m-%d}",
                "state": ("Active" if one.is_active else "Inactive") + ("" if one.is_valid(now) else ", not valid now"),
            }
            for one in certificates(principal)
        ]

    def _people(self, principal: ServicePrincipal) -> list[dict[str, object]]:
        """Who is assigned, with roles and extension values, as a sign-in would read them."""
        return [self._person(principal, user) for user in islice(self._assigned(principal), _LISTED)]

    def _assigned(self, principal: ServicePrincipal) -> Iterator[User]:
        """Each once; from the assignments on, as most users of a tenant have none."""
        seen: set[str] = set()
        for row in assigned_to(self._store, principal):
            group = self._store.groups.get(row["principalId"])
            for one in group.attributes.get("members", ()) if group else [row["principalId"]]:
                user = self._store.users.get(one)
                if user and user.id not in seen:
                    seen.add(user.id)
                    yield user

    def _person(self, principal: ServicePrincipal, user: User) -> dict[str, object]:
        values = visible_values(self._store, user)
        return {
            "name": user.attributes.get("displayName") or user.upn,
            "upn": user.upn,
            "roles": ", ".join(Subject(self._store, principal, user).roles()),
            "enabled": user.attributes.get("accountEnabled") is not False,
            "values": [(name.split("_", 2)[-1], value) for name, value in sorted(values.items())],
        }


def _body(policy: Policy) -> Json:
    return json.loads(policy.definition[0])


def _policy_claims(policy: Policy) -> list[dict[str, str]]:
    rows = _body(policy)["ClaimsMappingPolicy"].get("ClaimsSchema") or []
    found = []
    for row in rows:
        if not isinstance(row, dict):
            continue
        one = {key.lower(): value for key, value in row.items()}
        source = one.get("extensionid") or one.get("transformationid") or one.get("id")
        told = f"{one.get('source', '')}.{source}" if source else f'"{one.get("value", "")}"'
        name = one.get("samlclaimtype") or one.get("jwtclaimtype") or "(feeds others)"
        found.append({"name": str(name), "source": told})
    return found
