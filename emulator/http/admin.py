"""/admin: what a test or a curious user needs beside Graph itself: export, log, dials, faults, seed, clock.

Open to anyone on the machine, like the tenant itself: it holds no real secret. Answers are JSON; a mistaken call
answers 400 with one line.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from emulator.clock import Clock
from emulator.graph.quota import Quota
from emulator.http.faults import Faults
from emulator.http.request_log import RequestLog
from emulator.tenant.store import Store
from emulator.types import Json


@dataclass(frozen=True)
class Admin:
    """The calls below /admin, and what they change."""

    store: Store
    faults: Faults
    log: RequestLog
    clock: Clock
    quota: Quota

    def routes(self) -> list[Route]:
        return [
            Route("/export", self.export, methods=["GET"]),
            Route("/requests", self.list_requests, methods=["GET"]),
            Route("/requests", self.clear_requests, methods=["DELETE"]),
            Route("/dials", self.show_dials, methods=["GET"]),
            Route("/dials", self.change_dials, methods=["PATCH"]),
            Route("/faults", self.list_faults, methods=["GET"]),
            Route("/faults", self.arm_fault, methods=["POST"]),
            Route("/faults", self.clear_faults, methods=["DELETE"]),
            Route("/clock", self.show_clock, methods=["GET"]),
            Route("/clock", self.advance_clock, methods=["POST"]),
            Route("/reset", self.reset, methods=["POST"]),
            Route("/seed", self.seed, methods=["POST"]),
        ]

    async def export(self, _request: Request) -> Response:
        text = json.dumps(self.store.export(), sort_keys=True, indent=1)
        return Response(text + "\n", media_type="application/json")

    async def list_requests(self, _request: Request) -> Response:
        return JSONResponse(self.log.to_json())

    async def clear_requests(self, _request: Request) -> Response:
        self.log.clear()
        return Response(status_code=204)

    async def show_dials(self, _request: Request) -> Response:
        return JSONResponse(self.store.dials.to_json())

    async def change_dials(self, request: Request) -> Response:
        def change(patch: Json) -> Json:
            self.store.dials.change(patch)
            self.store.lost_properties = 0
            return self.store.dials.to_json()

        return await _carry_out(request, change)

    async def list_faults(self, _request: Request) -> Response:
        return JSONResponse(self.faults.to_json())

    async def arm_fault(self, request: Request) -> Response:
        return await _carry_out(request, lambda body: {"id": self.faults.arm(body).id})

    async def clear_faults(self, _request: Request) -> Response:
        self.faults.clear()
        return Response(status_code=204)

    async def show_clock(self, _request: Request) -> Response:
        return JSONResponse({"now": self.clock.now()})

    async def advance_clock(self, request: Request) -> Response:
        def advance(body: Json) -> Json:
            seconds = body.get("advance") if isinstance(body, dict) else None
            if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
                raise ValueError('the clock is advanced by {"advance": seconds}')
            self.clock.advance(seconds)
            return {"now": self.clock.now()}

        return await _carry_out(request, advance)

    async def reset(self, _request: Request) -> Response:
        self.store.reset()
        self._forget()
        return Response(status_code=204)

    async def seed(self, request: Request) -> Response:
        def plant(body: Json) -> Json:
            # What no export shows stays when the seed does not bring it: an export can be planted as it is.
            if isinstance(body, dict):
                clients = [client.to_row() for client in self.store.clients.values()]
                keys = [key.to_row() for key in self.store.signing_keys.values()]
                body = {"clients": clients, "signingKeys": keys, **body}
            self.store.plant(body)
            self._forget()
            return {"users": len(self.store.users)}

        return await _carry_out(request, plant)

    def _forget(self) -> None:
        self.store.dials.reset()
        self.faults.clear()
        self.log.clear()
        self.clock.reset()
        self.quota.clear()


async def _carry_out(request: Request, change: Callable[[Json], Json]) -> Response:
    """Carry out a change that the body asks for; a mistaken body is answered with one line."""
    try:
        return JSONResponse(change(json.loads(await request.body())))
    except ValueError as error:
        return JSONResponse({"error": " ".join(str(error).split())}, 400)
