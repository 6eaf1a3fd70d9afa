"""/admin: what a test or a curious user needs beside Graph itself: export, log, dials, faults, seed, clock. Open to
anyone on the machine, like the tenant itself: it holds no real secret. Answers are JSON; a mistaken call answers 400
with one line."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TypeAlias

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from emulator.http.service import Service
from emulator.types import Json

Action: TypeAlias = Callable[[Json], Json]  # from the decoded body to the answer; None answers 204


@dataclass(frozen=True)
class Admin:
    """The calls below /admin, and what they change."""

    service: Service

    def routes(self) -> list[Route]:
        return [
            Route("/export", self._export, methods=["GET"]),
            _route("GET", "/requests", lambda _: [asdict(entry) for entry in self.service.log]),
            _route("DELETE", "/requests", lambda _: self.service.log.clear()),
            _route("GET", "/dials", lambda _: self.service.store.dials.to_json()),
            _route("PATCH", "/dials", self._change_dials),
            _route("GET", "/faults", lambda _: self.service.faults.to_json()),
            _route("POST", "/faults", lambda body: {"id": self.service.faults.arm(body).id}),
            _route("DELETE", "/faults", lambda _: self.service.faults.clear()),
            _route("GET", "/clock", lambda _: {"now": self.service.clock.now()}),
            _route("POST", "/clock", self._set_clock), _route("POST", "/reset", self._reset),
            _route("POST", "/seed", self._plant_seed), _route("POST", "/issuers", self._trust_issuer),
        ]  # fmt: skip

    async def _export(self, _request: Request) -> Response:
        text = json.dumps(self.service.store.export(), sort_keys=True, indent=1)
        return Response(text + "\n", media_type="application/json")

    def _change_dials(self, patch: Json) -> Json:
        self.service.store.dials.change(patch)
        self.service.store.lost_properties = 0
        return self.service.store.dials.to_json()

    def _set_clock(self, body: Json) -> Json:
        seconds = body.get("advance") if isinstance(body, dict) else None
        if body == {"stop": True}:
            self.service.clock.stop()
        elif isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
            raise ValueError('the clock takes {"advance": seconds} or {"stop": true}')
        else:
            self.service.clock.advance(seconds)
        return {"now": self.service.clock.now()}

    def _reset(self, _body: Json) -> None:
        self.service.store.reset()
        self._forget()

    def _plant_seed(self, seed: Json) -> Json:
        # What no export shows stays when the seed does not bring it: an export can be planted as it is.
        if isinstance(seed, dict):
            clients = [client.to_row() for client in self.service.store.clients.values()]
            keys = [key.to_row() for key in self.service.store.signing_keys.values()]
            passwords = [password.to_row() for password in self.service.store.passwords.values()]
            seed = {"clients": clients, "signingKeys": keys, "passwords": passwords, **seed}
        self.service.store.plant(seed)
        self._forget()
        return {"users": len(self.service.store.users)}

    def _trust_issuer(self, body: Json) -> None:
        """Assertions of this issuer are verified with this public key from now on."""
        given = body if isinstance(body, dict) else {}
        issuer, key = given.get("issuer"), given.get("publicKey")
        if not isinstance(issuer, str) or not isinstance(key, str):
            raise ValueError('an issuer is {"issuer": URL, "publicKey": PEM}')
        load_pem_public_key(key.encode())
        self.service.issuer_keys[issuer] = key

    def _forget(self) -> None:
        self.service.issuer_keys.clear()
        self.service.store.dials.reset()
        self.service.faults.clear()
        self.service.log.clear()
        self.service.clock.reset()
        self.service.graph.quota.clear()


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
