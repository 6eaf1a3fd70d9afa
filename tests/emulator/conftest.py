"""Fixtures of the emulator's tests: one process per test file, back to the seed before every test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.emulator.contract import judge
from tests.emulator.process import ADMIN, Answer, Emulator
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


@pytest.fixture
def tenant(emulator: Emulator) -> Tenant:
    return Tenant(emulator)
