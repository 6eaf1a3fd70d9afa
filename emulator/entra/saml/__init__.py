"""SAML sign-in of the emulated tenant: metadata, requests and signed responses. `/{tenant}/saml2` takes a service
provider's request, `/{tenant}/launch/{appId}` needs none; both ask which user signs in. `POST /admin/sign-in` issues
the same response without a page."""

import base64

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from emulator import pages
from emulator.clock import TenantClock
from emulator.entra.saml import requests
from emulator.entra.saml.documents import build_metadata, read_certificates
from emulator.entra.saml.requests import SignInError
from emulator.entra.saml.signin import ACS_PATH, SignIn, build_flex_acs
from emulator.entra.saml.subject import Subject
from emulator.messages import parse_json
from emulator.tenant.records import PrincipalRecord
from emulator.tenant.store import Store

__all__ = ["ACS_PATH", "Subject", "admin_routes", "build_flex_acs", "read_certificates", "routes"]

_MAX_ACCOUNTS = 30  # on the page; any other is typed


def routes(store: Store, clock: TenantClock) -> list[BaseRoute]:
    handlers = _SignInPages(store, clock)
    return [
        Route("/{tenant}/federationmetadata/2007-06/federationmetadata.xml", handlers.serve_metadata, methods=["GET"]),
        Route("/{tenant}/saml2", handlers.start, methods=["GET", "POST"]),
        Route("/{tenant}/launch/{application}", handlers.start, methods=["GET", "POST"]),
    ]


def admin_routes(store: Store, clock: TenantClock) -> list[Route]:
    """The call below /admin that signs a user in without a page."""
    return [Route("/sign-in", _SignInPages(store, clock).sign_in_directly, methods=["POST"])]


class _SignInPages:
    def __init__(self, store: Store, clock: TenantClock) -> None:
        self._sign_in = SignIn(store, clock)

    async def serve_metadata(self, request: Request) -> Response:
        try:
            self._sign_in.check_tenant(request.path_params["tenant"])
            principal = self._sign_in.find_principal(request.query_params.get("appid", ""), 404)
        except SignInError as error:
            return _json(error)
        sign_on = f"{pages.read_origin(request)}/{self._sign_in.store.tenant_id}/saml2"
        return Response(build_metadata(self._sign_in.issuer, principal, sign_on), media_type="application/xml")

    async def start(self, request: Request) -> Response:
        """The page that asks who signs in or, after an answer, the page that posts the signed response. The sign-in
        starts at Entra, or with a service provider's request: deflated in a query, not so in a form."""
        sign_in, is_posted = self._sign_in, request.method == "POST"
        fields = dict(await pages.read_form(request) if is_posted else request.query_params)
        authn_request = requests.AuthnRequest()
        try:
            sign_in.check_tenant(request.path_params["tenant"])
            if application := request.path_params.get("application"):
                principal = sign_in.find_principal(application, 404)
            else:
                xml = requests.decode_request(fields.get("SAMLRequest", ""), deflated=not is_posted)
                authn_request = requests.parse_request(xml)
                principal = sign_in.find_issuing_principal(authn_request)
                fields["SAMLRequest"] = base64.b64encode(xml).decode()
            acs = sign_in.choose_acs(principal, authn_request.reply_url, pages.read_origin(request))
            if not (is_posted and fields.get("user")):
                return self._ask_for_account(request.url.path, principal, fields)
            if pages.is_from_another_site(request):
                return pages.render_problem("Another site chose the user", "Choose the user on this page.", 403)
            user = sign_in.find_user(fields["user"])
            response = sign_in.issue(principal, user, acs, authn_request)
        except SignInError as error:
            title = "Sorry, but we're having trouble signing you in."
            return pages.render_problem(title, f"{error.code}: {error.message}", error.status)
        return pages.render_page(
            "issued.html", posts_to=acs, application=principal.display_name, user=user.upn, acs=acs,
            response=response, relay_state=fields.get("RelayState"),
        )  # fmt: skip

    def _ask_for_account(self, action: str, principal: PrincipalRecord, fields: dict[str, str]) -> Response:
        users = list(self._sign_in.store.users.values())
        return pages.render_page(
            "accounts.html", application=principal.display_name, action=action,
            fields={key: fields[key] for key in ("SAMLRequest", "RelayState") if key in fields},
            subjects=[Subject(self._sign_in.store, principal, user) for user in users[:_MAX_ACCOUNTS]],
            more=max(0, len(users) - _MAX_ACCOUNTS),
        )  # fmt: skip

    async def sign_in_directly(self, request: Request) -> Response:
        sign_in, authn_request = self._sign_in, requests.AuthnRequest()
        try:
            body = parse_json(await request.body())
            fields = {name: body.get(name) or "" for name in ("user", "principal", "request", "acs")}
            if not all(isinstance(value, str) for value in fields.values()):
                raise ValueError
        except (ValueError, AttributeError):
            words = 'a sign-in takes "user" and "principal", and optionally "request" and "acs"; each is a string'
            return JSONResponse({"error": {"code": "BadRequest", "message": words}}, 400)
        try:
            if fields["request"]:
                authn_request = requests.parse_request(requests.decode_request(fields["request"], deflated=False))
                principal = sign_in.find_issuing_principal(authn_request)
                if fields["principal"] and sign_in.find_principal(fields["principal"]).id != principal.id:
                    raise SignInError(75005, 'its Issuer is not the application named by "principal"')
            else:
                principal = sign_in.find_principal(fields["principal"])
            acs = sign_in.choose_acs(principal, fields["acs"] or authn_request.reply_url, pages.read_origin(request))
            response = sign_in.issue(principal, sign_in.find_user(fields["user"]), acs, authn_request)
        except SignInError as error:
            return _json(error)
        return JSONResponse({"SAMLResponse": response, "acs": acs})


def _json(error: SignInError) -> Response:
    return JSONResponse({"error": {"code": error.code, "message": error.message}}, error.status)
