"""A small Twilio Flex: it accepts SAML responses, keeps workers, and serves them as TaskRouter does. There is one
account and one workspace; a connection (`JQ…`) belongs to the principal that names it. The last error is kept in memory
only."""

import base64
import zlib
from urllib.parse import quote, urlencode
from xml.sax.saxutils import quoteattr

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from emulator import pages
from emulator.clock import TenantClock
from emulator.entra.saml import ACS_PATH, build_flex_acs, read_certificates
from emulator.flex import taskrouter
from emulator.flex.mapping import RefusedAttributes, map_attributes, refuse_doubtful
from emulator.flex.received import InvalidResponse, read_response
from emulator.tenant.principals import find_by_name
from emulator.tenant.store import Store
from emulator.types import Attributes

__all__ = ["routes"]

_ENTITY = "urn:flex:"


def routes(store: Store, clock: TenantClock) -> list[BaseRoute]:
    flex = _Flex(store, clock)
    return [
        Route("/flex", flex.show_front, methods=["GET"]),
        Route("/flex/login", flex.start_login, methods=["GET"]),
        Route("/flex/workers/{worker}", flex.show_worker, methods=["GET"]),
        Route(ACS_PATH, flex.accept_response, methods=["POST"]),
        *taskrouter.routes(store),
    ]


class _Flex:
    def __init__(self, store: Store, clock: TenantClock) -> None:
        self._store = store
        self._clock = clock
        self._last_error = ""

    async def show_front(self, _request: Request) -> Response:
        connections = [
            {"id": name.removeprefix(_ENTITY), "name": principal.display_name}
            for principal in self._store.service_principals.values()
            for name in principal.attributes.get("servicePrincipalNames") or ()
            if name.startswith(_ENTITY)
        ]
        return pages.render_page(
            "flex.html", connections=connections, workers=self._store.workers.values(), error=self._last_error,
            account=taskrouter.ACCOUNT, workspace=taskrouter.WORKSPACE,
        )  # fmt: skip

    async def start_login(self, request: Request) -> Response:
        """Redirect to Entra with a SAML request."""
        connection = request.query_params.get("connection", "")
        if find_by_name(self._store, f"{_ENTITY}{connection}") is None:
            return self._unknown_connection(connection)
        xml = (
            '<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" Version="2.0" '
            f'ID="_{self._store.new_id("samlRequests")}" IssueInstant="{self._clock.utc():%Y-%m-%dT%H:%M:%SZ}" '
            f"AssertionConsumerServiceURL={quoteattr(build_flex_acs(pages.read_origin(request), connection))}>"
            f'<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">{_ENTITY}{connection}</saml:Issuer>'
            "</samlp:AuthnRequest>"
        )
        self._store.commit()  # makes the counter durable
        deflater = zlib.compressobj(wbits=-15)
        deflated = base64.b64encode(deflater.compress(xml.encode()) + deflater.flush()).decode()
        query = urlencode({"SAMLRequest": deflated, "RelayState": "flex"}, quote_via=quote, safe="")
        return RedirectResponse(f"{pages.read_origin(request)}/{self._store.tenant_id}/saml2?{query}", 302)

    async def show_worker(self, request: Request) -> Response:
        worker = self._store.workers.get(request.path_params["worker"])
        if worker is None:
            return pages.render_problem("There is no such worker", "It was removed, or never signed in.", 404)
        return pages.render_page("worker.html", worker=worker)

    async def accept_response(self, request: Request) -> Response:
        """The assertion consumer service."""
        fields = await pages.read_form(request)
        connection = request.query_params.get("connection", "")
        principal = find_by_name(self._store, f"{_ENTITY}{connection}")
        if principal is None:
            return self._unknown_connection(connection)
        encoded = fields.get("SAMLResponse", "")
        try:
            assertion = read_response(
                encoded, [certificate.der for certificate in read_certificates(principal) if certificate.der],
                issuer=f"https://sts.windows.net/{self._store.tenant_id}/", audience=f"{_ENTITY}{connection}",
                acs=build_flex_acs(pages.read_origin(request), connection), now=self._clock.now(),
            )  # fmt: skip
            before = taskrouter.find_worker(self._store, assertion.name_id)
            mapped = map_attributes(assertion.attributes, assertion.name_id)
            if self._store.dials.doubtful_worker == "refuse":
                refuse_doubtful(mapped)
            after = taskrouter.sign_in(self._store, assertion, mapped, self._clock.now())
        except InvalidResponse as error:
            return self._problem("The SAML response was refused", f"The response was not accepted: {error}.", 400)
        except RefusedAttributes as error:  # the page shows the attributes next to the reason
            self._last_error = str(error)
            reason = {"message": error.message, "hint": error.hint}
            rows = [{"name": name, "values": values} for name, values in assertion.attributes]
            name_id = assertion.name_id
            return pages.render_page("rejected.html", 400, **reason, name_id=name_id, accepted=False, rows=rows)
        self._last_error = ""
        old: Attributes = before.attributes["attributes"] if before else {}
        new: Attributes = after.attributes["attributes"]
        effects = zip(assertion.attributes, mapped.effects, strict=True)
        return pages.render_page(
            "signed_in.html", name_id=assertion.name_id, accepted=True,
            rows=[{"name": name, "values": values, "effect": effect} for (name, values), effect in effects],
            worker=after,
            changed=sorted(name for name in new if name not in old or old[name] != new[name]) if before else None,
            shown=assertion.shown, response=encoded,
        )  # fmt: skip

    def _unknown_connection(self, connection: str) -> Response:
        return self._problem("There is no such connection", f"Flex has no connection '{connection}'.", 404)

    def _problem(self, title: str, message: str, status: int) -> Response:
        self._last_error = message
        return pages.render_problem(title, message, status)
