"""If this goes red, a token or a key may travel unencrypted to another machine, or the sandbox cannot be reached."""

from __future__ import annotations

import pytest

from flexsaml.loopback import is_loopback_host


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("localhost", True), ("127.8.8.8", True), ("::1", True), ("0.0.0.0", False), ("example.org", False), ("", False)],
)
def test_is_loopback_host(host: str, loopback: bool) -> None:
    assert is_loopback_host(host) is loopback
