"""One emulator for each worker, one provider process and one fake engine for each test."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from tests.emulator.process import Emulator
from tests.engine.stack import Tenant
from tests.providers.process import FakeEngine, ProviderProcess


@pytest.fixture(autouse=True)
def tracebacks() -> Iterator[None]:
    """A provider that reported a mistake shortens the tracebacks of its process; here that is the tests' own."""
    yield
    sys.__dict__.pop("tracebacklimit", None)


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
