"""One emulator for each worker, one stack for each test."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.emulator.process import Emulator
from tests.engine.stack import Stack, new_stack


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.engine)


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    assert shutil.which("pulumi"), "no engine on PATH: run `make test`, which finds or builds one"
    # A job started in the background ignores SIGINT, and then every engine command takes 5 s longer (tried).
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with Emulator(tmp_path_factory.mktemp("tenant")) as running:
        yield running


@pytest.fixture
def stack(emulator: Emulator, tmp_path: Path) -> Iterator[Stack]:
    with new_stack(emulator, tmp_path) as made:
        yield made
