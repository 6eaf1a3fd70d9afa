"""A port on which a test lets a program listen later. A helper, not a test."""

from __future__ import annotations

import random
import socket

_PORTS = range(10_000, 30_000)
"""Below those that Linux and macOS give to connections and to listeners on port 0: a port that the system chose could
belong to another test before the program listens on it (seen with four workers)."""


def find_free_port() -> int:
    """A port that is free and followed by a free one: the sandbox takes both."""
    while True:
        port = random.SystemRandom().choice(_PORTS)
        with socket.socket() as first, socket.socket() as second:
            try:
                first.bind(("127.0.0.1", port))
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
        return port
