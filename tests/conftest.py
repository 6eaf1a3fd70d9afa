"""One emulated tenant for each module of tests, as the seed has it for each test."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.emulator.process import Emulator
from tests.wheel import install_wheel

# As users run it, whatever this machine sets: with cached bytecode, which spares each command of the engine compiling
# the project twice, and with output that is buffered when it is no terminal.
for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"):
    os.environ.pop(name, None)
sys.dont_write_bytecode = False


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="skip each test that starts a process")


@pytest.fixture(scope="session", autouse=True)
def _skip_tests_that_start_a_process(request: pytest.FixtureRequest) -> None:
    """With --quick. So no list of such tests has to be kept. An audit hook stays for good, hence one per session."""
    if request.config.getoption("--quick"):

        def skip_process(event: str, _arguments: object) -> None:
            if event == "subprocess.Popen":
                pytest.skip("starts a process")

        sys.addaudithook(skip_process)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory in which the installed wheel lies."""
    return install_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("emulator")) as running:
        yield running


@pytest.fixture
def emulator(process: Emulator) -> Emulator:
    process.restore()
    return process
