"""/admin: what a test or a curious user needs beside Graph itself: export, log, dials, faults, seed, clock.

Open to anyone on the machine, like the tenant itself: it holds no real secret. Answers are JSON; a mistaken call
answers 400 with one line.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from emulator.clock import TenantClock
from emulator.graph.dispatch import Quota
from emulator.http.faults import Faults
from emulator.messages import LoggedRequest
from emulator.tenant.store import Store
from emulator.types import Json

Action: TypeAlias = Callable[[Json], Json]  # from the decoded body to the answer; None answers 204


@dataclass(frozen=True)
class Admin:
    """The calls below /admin, and what they change."""

    store: Store
    faults: Faults
    log: list[LoggedRequest]
    clock: TenantClock
    quota: Quota

    def routes(self) -> list[Route]:
        return [
            Route("/export", self._export, methods=["GET"]),
            _route("GET", "/requests", lambda _: [asdict(entry) for entry in self.log]),
            _route("DELETE", "/requests", lambda _: self.log.clear()),
            _route("GET", "/dials", lambda _: self.store.dials.to_json()),
            _route("PATCH", "/dials", self._change_dials),
            _route("GET", "/faults", lambda _: self.faults.to_json()),
            _route("POST", "/faults", lambda body: {"id": self.faults.arm(body).id}),
            _route("DELETE", "/faults", lambda _: self.faults.clear()),
            _route("GET", "/clock", lambda _: {"now": self.clock.now()}),
            _route("POST", "/clock", self._set_clock),
            _route("POST", "/reset", self._reset),
            _route("POST", "/seed", self._plant_seed),
        ]

    async def _export(self, _request: Request) -> Response:
        text = json.dumps(self.store.export(), sort_keys=True, indent=1)
        return Response(text + "\n", media_type="application/json")

    def _change_dials(self, patch: Json) -> Json:
        self.store.dials.change(patch)
        self.store.lost_properties = 0
        return self.store.dials.to_json()

    def _set_clock(self, body: Json) -> Json:
        seconds = body.get("advance") if isinstance(body, dict) else None
        if body == {"stop": True}:
            self.clock.stop()
        elif isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
            raise ValueError('the clock takes {"advance": seconds} or {"stop": true}')
        else:
            self.clock.advance(seconds)
        return {"now": self.clock.now()}

    def _reset(self, _body: Json) -> None:
        self.store.reset()
        self._forget()

    def _plant_seed(self, seed: Json) -> Json:
        # What no export shows stays when the seed does not bring it: an export can be planted as it is.
        if isinstance(seed, dict):
            clients = [client.to_row() for client in self.store.clients.values()]
            keys = [key.to_row() for key in self.store.signing_keys.values()]
            seed = {"clients": clients, "signingKeys": keys, **seed}
        self.store.plant(seed)
        self._forget()
        return {"users": len(self.store.users)}

    def _forget(self) -> None:
        self.store.dials.reset()
        self.faults.clear()
        self.log.clear()
        self.clock.reset()
        self.quota.clear()


def _route(method: str, path: str, action: Action) -> Route:
    """A call that carries out `action`; a mistaken body is answered with one line."""

    async def answer(request: Request) -> Response:
        body = await request.body()
        try:
            result = action(json.loads(body) if body else None)
        except ValueError as error:
            return JSONResponse({"error": " ".join(str(error).split())}, 400)
        return Response(status_code=204) if result is None else JSONResponse(result)

    return Route(path, answer, methods=[method])
