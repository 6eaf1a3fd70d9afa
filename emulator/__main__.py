"""The command line: `python -m emulator`, with --port, --tls-port, --data, --seed, --latency and --quota. Prints one
line of JSON when it is ready, {"http", "https", "ca"}, and serves until SIGTERM. Exits with 2 and one line on stderr
when it cannot start."""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from emulator import flex, pages, portal
from emulator.clock import TenantClock
from emulator.dials import Dials
from emulator.entra import saml
from emulator.graph.dispatch import Graph, Quota
from emulator.http import server
from emulator.http.admin import Admin
from emulator.http.faults import Faults
from emulator.http.guard import guard
from emulator.http.service import Service
from emulator.tenant.journal import Journal, JournalError
from emulator.tenant.store import Store
from emulator.types import Json

BUILT_IN_SEED = Path(__file__).parent / "tenant" / "seed.json"


def main(arguments: list[str]) -> int:
    options = _parse(arguments)
    os.umask(0o077)  # the tenant's data, its log and the key of its CA are for their owner only
    try:
        sockets = server.bind(options.port), server.bind(options.tls_port)
        seed = json.loads((options.seed or BUILT_IN_SEED).read_text(encoding="utf-8"))
        with tempfile.TemporaryDirectory(prefix="entra-emulator-") as scratch:
            data = options.data or Path(scratch) / "tenant.db"
            data.parent.mkdir(parents=True, exist_ok=True)
            journal = Journal(data)
            faults = Faults()
            app = _app(journal, seed, faults, options.latency, options.quota)
            server.serve(app, *sockets, ca_directory=data.parent.resolve(), stop=faults.clear)
            journal.close()
    except (OSError, ValueError, JournalError) as error:
        print(f"emulator: {_escape(str(error))}", file=sys.stderr)
        return 2
    return 0


def _app(journal: Journal, seed: Json, faults: Faults, latency_ms: int, quota_scale: float | None) -> ASGIApp:
    clock, store = TenantClock(), Store(journal, seed, Dials())
    service = Service(store, clock, Graph(store, clock, Quota(quota_scale, clock.now)), faults, latency_ms)
    app = Starlette(
        routes=[
            Route("/health", _health, methods=["GET"]),
            Mount("/admin", routes=[*Admin(service).routes(), *saml.admin_routes(store, clock)]), *pages.routes(),
            *saml.routes(store, clock), *flex.routes(store, clock), *portal.routes(store, clock),
            Mount("/", app=service),
        ],
        exception_handlers={JournalError: _answer_full_disk},
    )  # fmt: skip
    app.router.redirect_slashes = False
    return guard(app)


async def _answer_full_disk(_request: Request, problem: Exception) -> JSONResponse:
    """Outside Graph, which refuses in its own form."""
    return JSONResponse({"error": "InsufficientStorage", "error_description": str(problem)}, 507)


async def _health(_request: Request) -> JSONResponse:
    return JSONResponse({"status": "ok"})


def _escape(text: str) -> str:
    """One line that every terminal can show: it may name a file."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m emulator", description="A Microsoft Entra tenant on loopback.")
    parser.add_argument("--port", type=int, default=8765, help="http port on 127.0.0.1; 0 for a free one")
    parser.add_argument("--tls-port", type=int, default=8766, help="https port on localhost; 0 for a free one")
    parser.add_argument("--data", type=Path, help="SQLite file; without it the tenant ends with the process")
    parser.add_argument("--seed", type=Path, help="JSON file a fresh tenant starts from; default: the built-in one")
    parser.add_argument("--latency", type=int, default=0, metavar="MS", help="added to every request")
    parser.add_argument("--quota", type=float, metavar="SCALE", help="enforce SCALE times Graph's write quota")
    options = parser.parse_args(arguments)
    if options.latency < 0 or not (options.quota is None or 0 < options.quota < float("inf")):
        parser.error("--latency is at least 0, --quota is above 0 and finite")
    return options


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
