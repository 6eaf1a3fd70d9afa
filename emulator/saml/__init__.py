"""SAML sign-in of the emulated tenant: metadata, requests and signed responses."""

from __future__ import annotations

from starlette.routing import BaseRoute

from emulator.clock import Clock
from emulator.tenant.store import Store


def routes(store: Store, clock: Clock) -> list[BaseRoute]:
    return []
