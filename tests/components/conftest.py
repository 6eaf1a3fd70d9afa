"""Each test begins without a stack configuration."""

from __future__ import annotations

import pytest
from pulumi.runtime import set_all_config


@pytest.fixture(autouse=True)
def empty_configuration() -> None:
    set_all_config({}, [])
