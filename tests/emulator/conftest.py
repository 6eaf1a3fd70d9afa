"""Fixtures of the emulator's tests: a process for each test file, back to the seed before every test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.emulator.contract import judge
from tests.emulator.parity import ROWS, is_driven
from tests.emulator.process import ADMIN, SENT, Answer, Emulator
from tests.emulator.tenant import Tenant


class JudgedEmulator(Emulator):
    """Every v1.0 exchange is held against the contract as it happens."""

    def graph(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        client: str = ADMIN,
        headers: Any = None,
        version: str = "v1.0",
    ) -> Answer:
        answer = super().graph(method, path, body, client=client, headers=headers, version=version)
        if version == "v1.0":
            judge(
                method,
                path,
                {"Content-Type": "application/json", **(headers or {})},
                self.encoded(body),
                answer.status,
                dict(answer.headers),
                answer.content,
            )
        return answer


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with JudgedEmulator(tmp_path_factory.mktemp("emulator")) as emulator:
        yield emulator


@pytest.fixture(autouse=True)
def _driven_operations(request: pytest.FixtureRequest) -> Iterator[None]:
    """A witness must make the requests that its rows in docs/parity.md name."""
    SENT.clear()
    yield
    for row in ROWS:
        if row.witness == request.node.originalname and row.requests:
            driven = any(is_driven(operation, SENT) for operation in row.requests)
            assert driven, f"'{row.behaviour}' names {row.requests}, which this test did not request: {SENT}"


@pytest.fixture
def tenant(emulator: Emulator) -> Tenant:
    return Tenant(emulator)
