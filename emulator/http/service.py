"""The API that a caller can reach beside /admin: Graph, its batches, the token service, and faults on any of them.
Quirk: a batch is one request with one status, while each of its items is logged, refused and charged by itself (A). A
connection is cut through the transport itself (see server.py): raising inside an ASGI app would send a 500, which a
client can tell from an answer that never came."""

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass, field, replace
from email.utils import format_datetime
from urllib.parse import parse_qsl, unquote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from emulator.clock import TenantClock
from emulator.entra.tokens import TokenService, describe_cloud, list_nothing
from emulator.errors import GraphRefusal, gateway_bad_request, method_not_allowed
from emulator.graph import batch
from emulator.graph.dispatch import Graph, format_retry_after
from emulator.http.faults import Fault, Faults
from emulator.messages import PLAIN_JSON, ApiRequest, LoggedRequest, Reply
from emulator.tenant.store import Store

_VERSIONS = frozenset({"v1.0", "beta"})
_TOKEN = re.compile(r"/([^/]+)/oauth2/v2\.0/token")
_CONFIGURATION = re.compile(r"/([^/]+)/v2\.0/\.well-known/openid-configuration")


def strip_version(path: str) -> str:
    """The path without the version in front, as routes, permissions and faults name it."""
    version, _, rest = path.lstrip("/").partition("/")
    return f"/{rest}" if version in _VERSIONS else path


@dataclass(frozen=True)
class Service:
    """Serves everything outside /admin, /health and the pages; waits only where a fault or --latency says so."""

    store: Store
    clock: TenantClock
    graph: Graph
    faults: Faults
    latency_ms: int
    log: list[LoggedRequest] = field(default_factory=list)
    issuer_keys: dict[str, str] = field(default_factory=dict)
    """Issuer of client assertions to its public key in PEM, as a test gave it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        raw = scope["raw_path"].decode("latin-1")
        query = scope["query_string"].decode("latin-1")
        entry = LoggedRequest(request.method, f"{raw}?{query}" if query else raw)
        self.log.append(entry)
        try:
            body = await request.body()
        except ClientDisconnect:
            return
        origin = f"{scope['scheme']}://{request.headers['host']}"
        call = ApiRequest(request.method, origin, "", unquote(raw), query, dict(request.headers.items()), body)
        if self.latency_ms:
            await asyncio.sleep(self.latency_ms / 1000)
        reply = await self._play(call, self._take_fault(call), receive)
        if reply is None:
            scope["state"]["abort"]()
            await _wait_for_disconnect(receive)  # the server would otherwise expect an answer
        else:
            entry.status = reply.status
            response = _response(reply)
            response.headers["date"] = format_datetime(
                self.clock.utc(), usegmt=True
            )  # the tenant's time, as in the body
            await response(scope, receive, send)

    def _take_fault(self, call: ApiRequest) -> Fault | None:
        path = strip_version(call.path)
        fault = self.faults.take(call.method, path)
        if fault or path.strip("/") != "$batch":
            return fault
        with suppress(GraphRefusal):  # of a batch that is none, which is answered later
            return self.faults.take_for_batch(
                lambda: [(item.request.method, item.request.path) for item in batch.parse(call)]
            )
        return None

    async def _play(self, call: ApiRequest, fault: Fault | None, receive: Receive) -> Reply | None:
        """The answer, with the fault played; None when the connection is to be cut."""
        action = fault.action if fault else ""
        if fault and action == "refuse":
            return self.refuse(call, fault)
        if fault and action == "delay":
            await asyncio.sleep(fault.ms / 1000)
        if action in ("hang_before", "hold"):
            await self._hang(receive)
        if action in ("drop", "hang_before"):
            return None
        reply = self.answer(call)
        if action == "hang":
            await self._hang(receive)
        return None if action in ("lose", "hang") else reply

    async def _hang(self, receive: Receive) -> None:
        """Wait until the faults are cleared or the caller has disconnected."""
        waiting = map(asyncio.ensure_future, (self.faults.until_cleared(), _wait_for_disconnect(receive)))
        _, pending = await asyncio.wait(set(waiting), return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()

    def _token_service(self) -> TokenService:
        return TokenService(self.store, self.clock, self.issuer_keys)

    def answer(self, request: ApiRequest) -> Reply:
        """`request.path` still carries the version here, if there is one."""
        version = request.path.lstrip("/").partition("/")[0]
        if version in _VERSIONS:
            inner = replace(request, version=version, path=strip_version(request.path))
            return self._batch(inner) if inner.path.strip("/") == "$batch" else self.graph.answer(inner)
        if match := _TOKEN.fullmatch(request.path):
            if request.method != "POST":
                return _not_served(405)
            form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
            return self._token_service().issue_token(match[1], form)
        if request.method == "GET" and (match := _CONFIGURATION.fullmatch(request.path)):
            return self._token_service().describe_configuration(match[1], request.origin)
        if request.method == "GET" and request.path == "/metadata/endpoints":
            return describe_cloud(request.origin, request.query)
        if request.method == "GET" and request.path in ("/subscriptions", "/tenants"):
            return list_nothing(request.query)
        return _not_served(404)

    def refuse(self, request: ApiRequest, fault: Fault) -> Reply:
        """The answer of a `refuse` fault, in the form of the endpoint it hits."""
        headers = dict(fault.headers)
        if fault.status == 429 and "retry-after" not in map(str.lower, headers):
            headers["Retry-After"] = format_retry_after(self.store.dials.retry_after, None, self.clock.utc())
        if request.path.lstrip("/").partition("/")[0] not in _VERSIONS and not request.version:
            return Reply(fault.status, {"error": fault.code, "error_description": fault.message}, headers, PLAIN_JSON)
        error = GraphRefusal(fault.status, fault.code, fault.message, headers=headers)
        return self.graph.refusal(error, self.graph.common_headers(request))

    def _batch(self, request: ApiRequest) -> Reply:
        headers = self.graph.common_headers(request)
        try:
            self.graph.authenticate(request)
            if request.method != "POST":
                raise method_not_allowed()
            items = batch.parse(request)
        except GraphRefusal as error:
            return self.graph.refusal(error, headers)
        reverse = self.store.dials.batch_order == "reversed"
        return replace(batch.run(items, self._answer_item, reverse=reverse), headers=headers)

    def _answer_item(self, item: batch.Item) -> Reply:
        request = item.request
        entry = LoggedRequest(request.method, item.logged_path, in_batch=True)
        self.log.append(entry)
        fault = self.faults.take(request.method, request.path, only=frozenset({"refuse"}))
        if fault:
            reply = self.refuse(request, fault)
        elif request.path.strip("/") == "$batch":
            nested = gateway_bad_request("Nested batch requests are not supported.")
            reply = self.graph.refusal(nested, self.graph.common_headers(request))
        else:
            reply = self.graph.answer(request)
        entry.status = reply.status
        return reply


def _not_served(status: int) -> Reply:
    words = "This emulator serves /v1.0, /beta, the token service, sign-in, /portal, /flex, /health and /admin only."
    return Reply(status, {"error": {"code": "NotServed", "message": words}}, {}, PLAIN_JSON)


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _response(reply: Reply) -> Response:
    response = Response(reply.encode(), reply.status)
    for name, value in reply.headers.items():
        response.headers[name] = value
    if reply.body is None:
        del response.headers["content-length"]
    else:
        response.headers["content-type"] = reply.content_type
    return response
