"""One emulated tenant for each module of tests, as the seed has it for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.emulator.process import Emulator


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("emulator")) as running:
        yield running


@pytest.fixture
def emulator(process: Emulator) -> Emulator:
    process.reset()
    return process
