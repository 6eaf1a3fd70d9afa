"""SAML sign-in of the emulated tenant: metadata, requests and signed responses.

`/{tenant}/saml2` takes a service provider's request, `/{tenant}/launch/{appId}` needs none; both ask which user signs
in. `POST /admin/sign-in` is the same without a page.
"""

from __future__ import annotations

import base64
import json

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from emulator import pages
from emulator.clock import Clock
from emulator.entra.saml import metadata, requests
from emulator.entra.saml.errors import SignInError
from emulator.entra.saml.keys import certificates
from emulator.entra.saml.signin import ACS_PATH, SignIn
from emulator.entra.saml.subject import Subject
from emulator.tenant.records import ServicePrincipal, User
from emulator.tenant.store import Store
from emulator.types import Json

__all__ = ["ACS_PATH", "Subject", "admin_routes", "certificates", "routes"]

_LISTED = 30  # accounts on the page; any other is typed


def routes(store: Store, clock: Clock) -> list[BaseRoute]:
    served = _Pages(SignIn(store, clock))
    return [
        Route("/{tenant}/federationmetadata/2007-06/federationmetadata.xml", served.metadata, methods=["GET"]),
        Route("/{tenant}/saml2", served.requested, methods=["GET", "POST"]),
        Route("/{tenant}/launch/{application}", served.launched, methods=["GET", "POST"]),
    ]


def admin_routes(store: Store, clock: Clock) -> list[Route]:
    """What /admin serves of it."""
    return [Route("/sign-in", _Pages(SignIn(store, clock)).without_page, methods=["POST"])]


class _Pages:
    def __init__(self, sign_in: SignIn) -> None:
        self._sign_in = sign_in

    async def metadata(self, request: Request) -> Response:
        try:
            self._sign_in.check_tenant(request.path_params["tenant"])
            principal = self._sign_in.principal(request.query_params.get("appid", ""), 404)
        except SignInError as error:
            return _json(error)
        tenant = self._sign_in.store.tenant_id
        document = metadata.document(
            self._sign_in.issuer,
            f"_{principal.id}",
            [one.der for one in certificates(principal) if one.der],
            f"{pages.origin(request)}/{tenant}/saml2",
        )
        return Response(document, media_type="application/xml")

    async def requested(self, request: Request) -> Response:
        """Service-provider-initiated; the query is deflated, the form is not."""
        posted = request.method == "POST"
        fields = await pages.form(request) if posted else request.query_params
        try:
            self._sign_in.check_tenant(request.path_params["tenant"])
            encoded = fields.get("SAMLRequest", "")
            if not encoded:
                raise SignInError(750054, "SAMLRequest or SAMLResponse must be present as query string parameters.")
            xml = requests.plain(encoded, deflated=not posted)
            asked = requests.parse(xml)
            principal = self._sign_in.principal_of(asked)
            acs = self._sign_in.acs(principal, asked.reply_url, pages.origin(request))
            kept = {"SAMLRequest": base64.b64encode(xml).decode()}
            return self._page(request, principal, acs, {**fields, **kept}, asked)
        except SignInError as error:
            return _problem(error)

    async def launched(self, request: Request) -> Response:
        """Identity-provider-initiated."""
        fields = await pages.form(request) if request.method == "POST" else request.query_params
        try:
            self._sign_in.check_tenant(request.path_params["tenant"])
            principal = self._sign_in.principal(request.path_params["application"], 404)
            acs = self._sign_in.acs(principal, "", pages.origin(request))
            return self._page(request, principal, acs, dict(fields), None)
        except SignInError as error:
            return _problem(error)

    def _page(
        self,
        request: Request,
        principal: ServicePrincipal,
        acs: str,
        fields: dict[str, str],
        asked: requests.AuthnRequest | None,
    ) -> Response:
        """The question who signs in, or, once that is answered, the response on its way."""
        name = principal.display_name
        if request.method == "POST" and fields.get("user"):
            user = self._sign_in.user(fields["user"])
            issued = self._sign_in.issue(principal, user, acs, asked)
            return pages.page(
                "issued.html",
                posts_to=acs,
                application=name,
                user=user.upn,
                acs=acs,
                response=issued.encoded,
                relay_state=fields.get("RelayState"),
            )
        users = list(self._sign_in.store.users.values())
        return pages.page(
            "accounts.html",
            application=name,
            action=request.url.path,
            fields={key: fields[key] for key in ("SAMLRequest", "RelayState") if key in fields},
            users=[self._account(principal, user) for user in users[:_LISTED]],
            more=max(0, len(users) - _LISTED),
        )

    def _account(self, principal: ServicePrincipal, user: User) -> dict[str, str]:
        subject = Subject(self._sign_in.store, principal, user)
        if user.attributes.get("accountEnabled") is False:
            note = "disabled"
        elif not subject.is_assigned():
            note = "not assigned"
        else:
            note = ", ".join(subject.roles()) or "assigned without a role"
        return {"upn": user.upn, "name": str(user.attributes.get("displayName") or user.upn), "note": note}

    async def without_page(self, request: Request) -> Response:
        try:
            body = json.loads(await request.body())
            wanted = {name: body.get(name) or "" for name in ("user", "principal", "request", "acs")}
            if not all(isinstance(value, str) for value in wanted.values()):
                raise ValueError
        except (ValueError, AttributeError):
            words = 'a sign-in is asked for by {"user", "principal"} and perhaps "request" and "acs", each a text'
            return JSONResponse({"error": {"code": "BadRequest", "message": words}}, 400)
        try:
            return JSONResponse(self._issued(wanted, pages.origin(request)))
        except SignInError as error:
            return _json(error)

    def _issued(self, wanted: dict[str, str], origin: str) -> Json:
        asked = None
        if wanted["request"]:
            asked = requests.parse(requests.plain(wanted["request"], deflated=False))
        principal = self._sign_in.principal_of(asked) if asked else self._sign_in.principal(wanted["principal"])
        if wanted["principal"] and self._sign_in.principal(wanted["principal"]).id != principal.id:
            raise SignInError(75005, 'The request\'s Issuer is not the application named by "principal".')
        acs = self._sign_in.acs(principal, wanted["acs"] or (asked.reply_url if asked else ""), origin)
        issued = self._sign_in.issue(principal, self._sign_in.user(wanted["user"]), acs, asked)
        return {"SAMLResponse": issued.encoded, "acs": issued.acs}


def _json(error: SignInError) -> Response:
    return JSONResponse({"error": {"code": error.code, "message": error.message}}, error.status)


def _problem(error: SignInError) -> Response:
    return pages.problem(
        "Sorry, but we're having trouble signing you in.", f"{error.code}: {error.message}", error.status
    )
