"""SAML sign-in of the emulated tenant: metadata, requests and signed responses.

`/{tenant}/saml2` takes a service provider's request, `/{tenant}/launch/{appId}` needs none; both ask which user signs
in. `POST /admin/sign-in` issues the same response without a page.
"""

from __future__ import annotations

import base64
import json

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from emulator import pages
from emulator.clock import TenantClock
from emulator.entra.saml import metadata, requests
from emulator.entra.saml.errors import SignInError
from emulator.entra.saml.keys import read_certificates
from emulator.entra.saml.signin import ACS_PATH, SignIn
from emulator.entra.saml.subject import Subject
from emulator.tenant.records import PrincipalRecord, UserRecord
from emulator.tenant.store import Store
from emulator.types import Json

__all__ = ["ACS_PATH", "Subject", "admin_routes", "read_certificates", "routes"]

_MAX_ACCOUNTS = 30  # on the page; any other is typed


def routes(store: Store, clock: TenantClock) -> list[BaseRoute]:
    sign_in = _SignInPages(SignIn(store, clock))
    return [
        Route("/{tenant}/federationmetadata/2007-06/federationmetadata.xml", sign_in.serve_metadata, methods=["GET"]),
        Route("/{tenant}/saml2", sign_in.start_by_request, methods=["GET", "POST"]),
        Route("/{tenant}/launch/{application}", sign_in.start_by_launch, methods=["GET", "POST"]),
    ]


def admin_routes(store: Store, clock: TenantClock) -> list[Route]:
    """The call below /admin that signs a user in without a page."""
    return [Route("/sign-in", _SignInPages(SignIn(store, clock)).sign_in_directly, methods=["POST"])]


class _SignInPages:
    def __init__(self, sign_in: SignIn) -> None:
        self._sign_in = sign_in

    async def serve_metadata(self, request: Request) -> Response:
        try:
            self._sign_in.check_tenant(request.path_params["tenant"])
            principal = self._sign_in.find_principal(request.query_params.get("appid", ""), 404)
        except SignInError as error:
            return _json(error)
        tenant = self._sign_in.store.tenant_id
        document = metadata.build_metadata(
            self._sign_in.issuer,
            f"_{principal.id}",
            [certificate.der for certificate in read_certificates(principal) if certificate.der],
            f"{pages.read_origin(request)}/{tenant}/saml2",
        )
        return Response(document, media_type="application/xml")

    async def start_by_request(self, request: Request) -> Response:
        """Sign-in that a service provider requested; a request in the query is deflated, in a form it is not."""
        is_posted = request.method == "POST"
        fields = await pages.read_form(request) if is_posted else request.query_params
        try:
            self._sign_in.check_tenant(request.path_params["tenant"])
            encoded = fields.get("SAMLRequest", "")
            if not encoded:
                raise SignInError(750054)
            xml = requests.decode_request(encoded, deflated=not is_posted)
            authn_request = requests.parse_request(xml)
            principal = self._sign_in.find_issuing_principal(authn_request)
            acs = self._sign_in.choose_acs(principal, authn_request.reply_url, pages.read_origin(request))
            fields = {**fields, "SAMLRequest": base64.b64encode(xml).decode()}
            return self._page(request, principal, acs, fields, authn_request)
        except SignInError as error:
            return _problem(error)

    async def start_by_launch(self, request: Request) -> Response:
        """Sign-in that starts at Entra."""
        fields = await pages.read_form(request) if request.method == "POST" else request.query_params
        try:
            self._sign_in.check_tenant(request.path_params["tenant"])
            principal = self._sign_in.find_principal(request.path_params["application"], 404)
            acs = self._sign_in.choose_acs(principal, "", pages.read_origin(request))
            return self._page(request, principal, acs, dict(fields), None)
        except SignInError as error:
            return _problem(error)

    def _page(
        self,
        request: Request,
        principal: PrincipalRecord,
        acs: str,
        fields: dict[str, str],
        authn_request: requests.AuthnRequest | None,
    ) -> Response:
        """The page that asks who signs in or, after an answer, the page that posts the signed response."""
        name = principal.display_name
        if request.method == "POST" and fields.get("user"):
            user = self._sign_in.find_user(fields["user"])
            issued = self._sign_in.issue(principal, user, acs, authn_request)
            return pages.render_page(
                "issued.html",
                posts_to=acs,
                application=name,
                user=user.upn,
                acs=acs,
                response=issued.encoded,
                relay_state=fields.get("RelayState"),
            )
        users = list(self._sign_in.store.users.values())
        return pages.render_page(
            "accounts.html",
            application=name,
            action=request.url.path,
            fields={key: fields[key] for key in ("SAMLRequest", "RelayState") if key in fields},
            users=[self._account(principal, user) for user in users[:_MAX_ACCOUNTS]],
            more=max(0, len(users) - _MAX_ACCOUNTS),
        )

    def _account(self, principal: PrincipalRecord, user: UserRecord) -> dict[str, str]:
        subject = Subject(self._sign_in.store, principal, user)
        if user.attributes.get("accountEnabled") is False:
            note = "disabled"
        elif not subject.is_assigned():
            note = "not assigned"
        else:
            note = ", ".join(subject.read_roles()) or "assigned without a role"
        return {"upn": user.upn, "name": str(user.attributes.get("displayName") or user.upn), "note": note}

    async def sign_in_directly(self, request: Request) -> Response:
        try:
            body = json.loads(await request.body())
            fields = {name: body.get(name) or "" for name in ("user", "principal", "request", "acs")}
            if not all(isinstance(value, str) for value in fields.values()):
                raise ValueError
        except (ValueError, AttributeError):
            words = 'a sign-in takes "user" and "principal", and optionally "request" and "acs"; each is a string'
            return JSONResponse({"error": {"code": "BadRequest", "message": words}}, 400)
        try:
            return JSONResponse(self._issue(fields, pages.read_origin(request)))
        except SignInError as error:
            return _json(error)

    def _issue(self, fields: dict[str, str], origin: str) -> Json:
        sign_in, authn_request = self._sign_in, None
        if fields["request"]:
            authn_request = requests.parse_request(requests.decode_request(fields["request"], deflated=False))
        principal = (
            sign_in.find_issuing_principal(authn_request)
            if authn_request
            else sign_in.find_principal(fields["principal"])
        )
        if fields["principal"] and sign_in.find_principal(fields["principal"]).id != principal.id:
            raise SignInError(75005, 'its Issuer is not the application named by "principal"')
        acs = sign_in.choose_acs(principal, fields["acs"] or (authn_request.reply_url if authn_request else ""), origin)
        issued = sign_in.issue(principal, sign_in.find_user(fields["user"]), acs, authn_request)
        return {"SAMLResponse": issued.encoded, "acs": issued.acs}


def _json(error: SignInError) -> Response:
    return JSONResponse({"error": {"code": error.code, "message": error.message}}, error.status)


def _problem(error: SignInError) -> Response:
    return pages.render_problem(
        "Sorry, but we're having trouble signing you in.", f"{error.code}: {error.message}", error.status
    )
