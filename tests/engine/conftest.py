"""One emulator for each worker, one stack for each test."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.emulator.process import Emulator
from tests.engine.stack import Checkout, SavedStack, Stack, seed


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    directory = Path(__file__).parent
    for item in items:
        if directory in item.path.parents:
            item.add_marker(pytest.mark.engine)


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    assert shutil.which("pulumi"), "no engine on PATH: run `make test`, which finds or builds one"
    # A job started in the background ignores SIGINT, and then every engine command takes 5 s longer (tried).
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with Emulator(tmp_path_factory.mktemp("tenant")) as running:
        yield running


@pytest.fixture(scope="session")
def saved_empty_stack(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> SavedStack:
    """After `pulumi stack init`."""
    seed(emulator)
    directory = tmp_path_factory.mktemp("empty")
    stack = Stack(Checkout(directory / "checkout"), emulator, directory, quick=True)
    stack.init()
    return SavedStack.save(stack, tmp_path_factory.mktemp("saved-empty"))


@pytest.fixture(scope="session")
def saved_base_stack(
    saved_empty_stack: SavedStack, emulator: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> SavedStack:
    """After the first `pulumi up` of the base configuration."""
    stack = saved_empty_stack.open(emulator, tmp_path_factory.mktemp("base"))
    stack.up()
    return SavedStack.save(stack, tmp_path_factory.mktemp("saved-base"))


@pytest.fixture
def stack(saved_empty_stack: SavedStack, emulator: Emulator, tmp_path: Path) -> Iterator[Stack]:
    """A stack that is initialised and has made nothing."""
    yield saved_empty_stack.open(emulator, tmp_path)
    shutil.rmtree(tmp_path, ignore_errors=True)


@pytest.fixture
def base_stack(saved_base_stack: SavedStack, emulator: Emulator, tmp_path: Path) -> Iterator[Stack]:
    """A stack whose first `up` made the base configuration: 1 extension, 1 user, policy and assignment."""
    yield saved_base_stack.open(emulator, tmp_path)
    shutil.rmtree(tmp_path, ignore_errors=True)
