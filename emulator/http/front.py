"""The ASGI edge: reads a request, logs it, adds latency, plays faults on the connection, sends the answer.

A connection is cut through the transport itself (see server.py): raising inside an ASGI app would send a 500, which a
client can tell from an answer that never came. Any Host but loopback names is refused, since a web page could
otherwise reach the emulator by DNS rebinding.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import unquote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from emulator.http.faults import Fault, Faults
from emulator.http.request_log import RequestLog
from emulator.http.service import Service, strip_version
from emulator.messages import ApiRequest, Reply

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})


class HostGuard:
    """Passes on only requests that were addressed to a loopback name."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        host = dict(scope.get("headers", ())).get(b"host", b"").decode("latin-1").lower()
        name = host[: host.rfind(":")] if ":" in host.rpartition("]")[2] else host
        if scope["type"] == "http" and name not in LOOPBACK_HOSTS:
            words = "The emulator answers only requests addressed to 127.0.0.1, localhost or [::1]."
            refusal = JSONResponse({"error": {"code": "MisdirectedRequest", "message": words}}, 421)
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)


class Front:
    """Serves everything outside /admin and /health."""

    def __init__(self, service: Service, faults: Faults, log: RequestLog, latency_ms: int) -> None:
        self._service = service
        self._faults = faults
        self._log = log
        self._latency = latency_ms / 1000

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        raw = scope["raw_path"].decode("latin-1")
        query = scope["query_string"].decode("latin-1")
        entry = self._log.arrive(request.method, f"{raw}?{query}" if query else raw)
        try:
            body = await request.body()
        except ClientDisconnect:
            return
        call = ApiRequest(
            method=request.method,
            origin=f"{scope['scheme']}://{request.headers['host']}",
            version="",
            path=unquote(raw),
            query=query,
            headers={name.lower(): value for name, value in request.headers.items()},
            body=body,
        )
        if self._latency:
            await asyncio.sleep(self._latency)
        fault = self._faults.take(call.method, strip_version(call.path))
        reply = await self._answer(call, fault, receive)
        if reply is None:
            await _cut(scope, receive)
            return
        entry.status = reply.status
        await _response(reply)(scope, receive, send)

    async def _answer(self, call: ApiRequest, fault: Fault | None, receive: Receive) -> Reply | None:
        """The answer, with the fault played; None when the connection is to be cut."""
        action = fault.action if fault else ""
        if fault and action == "refuse":
            return self._service.refuse(call, fault)
        if fault and action == "delay":
            await asyncio.sleep(fault.ms / 1000)
        if action == "hang_before":
            await self._hang(receive)
        if action in ("drop", "hang_before"):
            return None
        reply = self._service.answer(call)
        if action == "hang":
            await self._hang(receive)
        return None if action in ("lose", "hang") else reply

    async def _hang(self, receive: Receive) -> None:
        """Wait until the faults are cleared or the caller has disconnected."""
        waiting = {
            asyncio.ensure_future(self._faults.until_cleared()),
            asyncio.ensure_future(_wait_for_disconnect(receive)),
        }
        _, pending = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _cut(scope: Scope, receive: Receive) -> None:
    abort: Callable[[], None] = scope["state"]["abort"]
    abort()
    await _wait_for_disconnect(receive)  # the server would otherwise expect an answer


def _response(reply: Reply) -> Response:
    response = Response(reply.encode(), reply.status)
    for name, value in reply.headers.items():
        response.headers[name] = value
    if reply.body is None:
        del response.headers["content-length"]
    else:
        response.headers["content-type"] = reply.content_type
    return response
