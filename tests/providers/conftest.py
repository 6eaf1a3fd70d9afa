"""One emulator for each worker, one provider process and one fake engine for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.emulator.process import Emulator
from tests.engine.stack import Tenant
from tests.providers.process import FakeEngine, ProviderProcess


@pytest.fixture
def tenant(emulator: Emulator) -> Tenant:
    emulator.reset()
    return Tenant(emulator)


@pytest.fixture
def engine() -> Iterator[FakeEngine]:
    made = FakeEngine()
    yield made
    made.stop()


@pytest.fixture
def provider(tenant: Tenant, engine: FakeEngine) -> Iterator[ProviderProcess]:
    made = ProviderProcess(config(tenant.emulator), engine.address)
    yield made
    made.stop()


def config(emulator: Emulator) -> dict[str, str]:
    return {
        "flexsaml:cloud": "loopback",
        "flexsaml:graphEndpoint": emulator.http,
        "flexsaml:loginEndpoint": emulator.http,
    }
