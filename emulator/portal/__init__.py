"""A small portal: enterprise applications, and the claims blade of each. Quirk: while a claims mapping policy is
assigned, the blade says so and its own settings have no effect (A)."""

import json
from collections.abc import Iterator
from itertools import islice

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from emulator import pages
from emulator.clock import TenantClock
from emulator.dials import Dials
from emulator.entra.saml import Subject, read_certificates
from emulator.entra.saml.policy import read_policy
from emulator.tenant.access import list_assignments_to, list_member_ids
from emulator.tenant.policies import find_assigned_policy
from emulator.tenant.records import PrincipalRecord
from emulator.tenant.store import Store

__all__ = ["routes"]

_MAX_USERS = 30  # on a page
_BASIC = ("name", "givenname", "surname", "emailaddress")


def routes(store: Store, clock: TenantClock) -> list[BaseRoute]:
    portal = _Portal(store, clock)
    return [
        Route("/", RedirectResponse("/portal", 302), methods=["GET"]),
        Route("/portal", portal.list_applications, methods=["GET"]),
        Route("/portal/{principal}", portal.show_application, methods=["GET"]),
    ]


class _Portal:
    def __init__(self, store: Store, clock: TenantClock) -> None:
        self._store = store
        self._clock = clock

    async def list_applications(self, _request: Request) -> Response:
        own = (None, self._store.tenant_id)  # Microsoft's applications are listed under a filter of their own
        listed = [
            principal
            for principal in self._store.service_principals.values()
            if principal.attributes.get("appOwnerOrganizationId") in own
        ]
        principals = sorted(listed, key=lambda item: item.display_name.casefold())
        return pages.render_page(
            "portal.html",
            organization=self._store.organization.attributes.get("displayName") or self._store.tenant_id,
            tenant=self._store.tenant_id,
            applications=[
                (principal, find_assigned_policy(self._store, principal), _offers_sign_in(principal))
                for principal in principals
            ],
        )

    async def show_application(self, request: Request) -> Response:
        principal = self._store.service_principals.get(request.path_params["principal"].lower())
        if principal is None:
            words = f"The directory has no enterprise application '{request.path_params['principal']}'."
            return pages.render_problem("Application not found", words, 404)
        policy = find_assigned_policy(self._store, principal)
        return pages.render_page(
            "application.html", tenant=self._store.tenant_id, principal=principal, policy=policy,
            offers_sign_in=_offers_sign_in(principal),
            definition=policy and json.dumps(json.loads(policy.definition[0]), indent=2, ensure_ascii=False),
            claims=_policy_claims(policy.definition, self._store.dials) if policy else self._own_claims(principal),
            certificates=read_certificates(principal), now=self._clock.now(),
            subjects=islice(self._assigned_subjects(principal), _MAX_USERS),
        )  # fmt: skip

    def _own_claims(self, principal: PrincipalRecord) -> list[dict[str, str]]:
        """The claims set on the blade itself, or the default ones."""
        custom = self._store.claims_policies.get(principal.id)
        if rows := custom and custom.attributes.get("claims"):
            return [{"name": str(row.get("name", "")), "source": "set in the portal"} for row in rows]
        prefix = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
        return [{"name": f"{prefix}{name}", "source": "default"} for name in _BASIC]

    def _assigned_subjects(self, principal: PrincipalRecord) -> Iterator[Subject]:
        """Each assigned user once. Starts from the assignments, since most users of a tenant have none."""
        listed_ids: set[str] = set()
        for row in list_assignments_to(self._store, principal):
            group = self._store.groups.get(row["principalId"])
            for user_id in list_member_ids(group) if group else [row["principalId"]]:
                user = self._store.users.get(user_id)
                if user and user.id not in listed_ids:
                    listed_ids.add(user.id)
                    yield Subject(self._store, principal, user)


def _offers_sign_in(principal: PrincipalRecord) -> bool:
    """Whether a person would sign in to it by SAML. An identity for programs, as `setup` makes one, has neither."""
    return principal.attributes.get("preferredSingleSignOnMode") == "saml" or bool(
        principal.attributes.get("replyUrls")
    )


def _policy_claims(definition: tuple[str, ...], dials: Dials) -> list[dict[str, str]]:
    claims = []
    for entry in read_policy(definition, dials).entries:
        identifier = entry.extension_id or entry.transformation_id or entry.id
        source = f"{entry.source}.{identifier}" if identifier else f'"{entry.value or ""}"'
        claims.append({"name": entry.saml_type or "(not sent)", "source": source})
    return claims
