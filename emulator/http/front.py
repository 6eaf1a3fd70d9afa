"""The ASGI edge: reads a request, logs it, adds latency, plays faults on the connection, sends the answer.

A connection is cut through the transport itself (see server.py): raising inside an ASGI app would send a 500, which a
client can tell from an answer that never came. Any Host but loopback names is refused, since a web page could
otherwise reach the emulator by DNS rebinding.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import unquote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from emulator.http.faults import Fault
from emulator.http.service import Service, strip_version
from emulator.messages import ApiRequest, LoggedRequest, Reply

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})


def guard_host(app: ASGIApp) -> ASGIApp:
    """The application, which then gets only requests that were addressed to a loopback name."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        host = dict(scope.get("headers", ())).get(b"host", b"").decode("latin-1").lower()
        name = host[: host.rfind(":")] if ":" in host.rpartition("]")[2] else host
        if scope["type"] == "http" and name not in LOOPBACK_HOSTS:
            words = "The emulator answers only requests addressed to 127.0.0.1, localhost or [::1]."
            refusal = JSONResponse({"error": {"code": "MisdirectedRequest", "message": words}}, 421)
            await refusal(scope, receive, send)
        else:
            await app(scope, receive, send)

    return guarded


@dataclass(frozen=True)
class Front:
    """Serves everything outside /admin and /health."""

    service: Service
    latency_ms: int

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        raw = scope["raw_path"].decode("latin-1")
        query = scope["query_string"].decode("latin-1")
        entry = LoggedRequest(request.method, f"{raw}?{query}" if query else raw)
        self.service.log.append(entry)
        try:
            body = await request.body()
        except ClientDisconnect:
            return
        origin = f"{scope['scheme']}://{request.headers['host']}"
        call = ApiRequest(request.method, origin, "", unquote(raw), query, dict(request.headers.items()), body)
        if self.latency_ms:
            await asyncio.sleep(self.latency_ms / 1000)
        fault = self.service.faults.take(call.method, strip_version(call.path))
        reply = await self._answer(call, fault, receive)
        if reply is None:
            scope["state"]["abort"]()
            await _wait_for_disconnect(receive)  # the server would otherwise expect an answer
        else:
            entry.status = reply.status
            await _response(reply)(scope, receive, send)

    async def _answer(self, call: ApiRequest, fault: Fault | None, receive: Receive) -> Reply | None:
        """The answer, with the fault played; None when the connection is to be cut."""
        action = fault.action if fault else ""
        if fault and action == "refuse":
            return self.service.refuse(call, fault)
        if fault and action == "delay":
            await asyncio.sleep(fault.ms / 1000)
        if action == "hang_before":
            await self._hang(receive)
        if action in ("drop", "hang_before"):
            return None
        reply = self.service.answer(call)
        if action == "hang":
            await self._hang(receive)
        return None if action in ("lose", "hang") else reply

    async def _hang(self, receive: Receive) -> None:
        """Wait until the faults are cleared or the caller has disconnected."""
        waiting = map(asyncio.ensure_future, (self.service.faults.until_cleared(), _wait_for_disconnect(receive)))
        _, pending = await asyncio.wait(set(waiting), return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()


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
