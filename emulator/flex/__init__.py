"""A small Twilio Flex: it takes SAML responses, keeps workers, and serves them as TaskRouter does.

One account and one workspace; a connection (`JQ…`) belongs to the principal that names it. The last error is kept in
memory only.
"""

from __future__ import annotations

import base64
import json
import zlib
from urllib.parse import quote, urlencode
from xml.sax.saxutils import quoteattr

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from emulator import pages
from emulator.clock import Clock
from emulator.entra.saml import ACS_PATH, certificates
from emulator.flex import taskrouter, workers
from emulator.flex.mapping import InvalidFormat, MissingAttributes, mapped
from emulator.flex.received import Expected, InvalidResponse, Received, received
from emulator.tenant.records import Plain, ServicePrincipal
from emulator.tenant.store import Store
from emulator.types import Attributes

__all__ = ["routes"]

_ENTITY = "urn:flex:"


def routes(store: Store, clock: Clock) -> list[BaseRoute]:
    served = _Flex(store, clock)
    return [
        Route("/flex", served.front, methods=["GET"]),
        Route("/flex/login", served.login, methods=["GET"]),
        Route("/flex/workers/{worker}", served.worker, methods=["GET"]),
        Route(ACS_PATH, served.callback, methods=["POST"]),
        *taskrouter.routes(store),
    ]


class _Flex:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._last_error = ""

    async def front(self, _request: Request) -> Response:
        return pages.page(
            "flex.html",
            connections=[
                {"id": name.removeprefix(_ENTITY), "name": principal.display_name}
                for principal in self._store.service_principals.values()
                for name in principal.attributes.get("servicePrincipalNames") or ()
                if name.startswith(_ENTITY)
            ],
            workers=[self._row(one) for one in self._store.workers.values()],
            error=self._last_error,
            account=taskrouter.ACCOUNT,
            workspace=taskrouter.WORKSPACE,
        )

    async def login(self, request: Request) -> Response:
        """Off to Entra with a request of our own."""
        connection = request.query_params.get("connection", "")
        principal = self._principal(connection)
        if principal is None:
            return self._problem("There is no such connection", f"Flex has no connection '{connection}'.", 404)
        origin = pages.origin(request)
        acs = quoteattr(f"{origin}{ACS_PATH}?{urlencode({'connection': connection})}")
        issuer = f"{_ENTITY}{connection}"
        xml = (
            '<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" Version="2.0" '
            f'ID="_{self._store.new_id("samlRequests")}" IssueInstant="{self._clock.utc():%Y-%m-%dT%H:%M:%SZ}" '
            f"AssertionConsumerServiceURL={acs}>"
            f'<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">{issuer}</saml:Issuer>'
            "</samlp:AuthnRequest>"
        )
        self._store.commit()  # the counter
        packer = zlib.compressobj(wbits=-15)
        packed = base64.b64encode(packer.compress(xml.encode()) + packer.flush()).decode()
        query = urlencode({"SAMLRequest": packed, "RelayState": "flex"}, quote_via=quote, safe="")
        return RedirectResponse(f"{origin}/{self._store.tenant_id}/saml2?{query}", 302)

    async def worker(self, request: Request) -> Response:
        found = self._store.workers.get(request.path_params["worker"])
        if found is None:
            return pages.problem("There is no such worker", "It was removed, or never signed in.", 404)
        return pages.page("worker.html", worker=self._row(found))

    async def callback(self, request: Request) -> Response:
        """The assertion consumer service."""
        fields = await pages.form(request)
        connection = request.query_params.get("connection", "")
        principal = self._principal(connection)
        if principal is None:
            return self._problem("There is no such connection", f"Flex has no connection '{connection}'.", 404)
        acs = f"{pages.origin(request)}{ACS_PATH}?{urlencode({'connection': connection})}"
        expected = Expected(
            certificates=tuple(one.der for one in certificates(principal) if one.der),
            issuer=f"https://sts.windows.net/{self._store.tenant_id}/",
            audience=f"{_ENTITY}{connection}",
            acs=acs,
            now=self._clock.now(),
        )
        try:
            told = received(fields.get("SAMLResponse", ""), expected)
        except InvalidResponse as error:
            return self._refused(error)
        try:
            before = workers.named(self._store, told.name_id)
            found = mapped(told.attributes, told.name_id)
            after = workers.sign_in(self._store, told, found, self._clock.now())
        except InvalidResponse as error:
            return self._refused(error)
        except MissingAttributes as error:
            words = "45050: Authentication error - Missing User Attributes"
            hint = f"Missing or empty: {error}. Flex wants email, full_name and roles in every assertion."
            return self._not_taken(told, words, hint)
        except InvalidFormat as error:
            return self._not_taken(told, "400 Error invalid attribute format", f"{error}. Nothing was updated.")
        self._last_error = ""
        return self._signed_in(told, found.effects, before, after, fields["SAMLResponse"])

    def _signed_in(
        self, told: Received, effects: list[str], before: Plain | None, after: Plain, encoded: str
    ) -> Response:
        old: Attributes = before.attributes["attributes"] if before else {}
        new: Attributes = after.attributes["attributes"]
        return pages.page(
            "signed_in.html",
            name_id=told.name_id,
            taken=True,
            rows=[
                {"name": name, "values": values, "effect": effect}
                for (name, values), effect in zip(told.attributes, effects, strict=True)
            ],
            worker=self._row(after),
            changed=sorted(name for name in new if name not in old or old[name] != new[name]) if before else None,
            shown=told.shown,
            response=encoded,
        )

    def _principal(self, connection: str) -> ServicePrincipal | None:
        wanted = f"{_ENTITY}{connection}"
        found = self._store.service_principals.values()
        return next((one for one in found if wanted in (one.attributes.get("servicePrincipalNames") or ())), None)

    def _refused(self, error: InvalidResponse) -> Response:
        return self._problem("The SAML response was refused", f"The response was not taken: {error}.", 400)

    def _not_taken(self, told: Received, message: str, hint: str) -> Response:
        """A good response whose attributes Flex does not accept: they are shown, so that one can see why."""
        self._last_error = f"{message} {hint}"
        rows = [{"name": name, "values": values} for name, values in told.attributes]
        return pages.page(
            "not_taken.html", 400, message=message, hint=hint, name_id=told.name_id, taken=False, rows=rows
        )

    def _problem(self, title: str, message: str, status: int, hint: str = "") -> Response:
        self._last_error = f"{message} {hint}".strip()
        return pages.problem(title, message, status, hint)

    @staticmethod
    def _row(found: Plain) -> dict[str, object]:
        held = found.attributes
        return {
            "sid": found.id,
            "name": held["friendlyName"],
            "roles": ", ".join(map(str, held["attributes"].get("roles", ()))),
            "attributes": json.dumps(held["attributes"], indent=2, sort_keys=True, ensure_ascii=False),
            "channels": json.dumps(held["channels"], sort_keys=True) if held["channels"] else "",
        }
