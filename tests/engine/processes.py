"""Processes that tests watch from outside. A helper, not a test."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable


def descendants(root: int) -> list[tuple[int, str]]:
    """Process ids below `root`, with their command lines."""
    listed = subprocess.run(["ps", "-axwwo", "pid=,ppid=,command="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    result: list[tuple[int, str]] = []
    parents = {root}
    while parents:
        children = [(int(pid), line) for pid, parent, line in rows if int(parent) in parents]
        result += children
        parents = {pid for pid, _ in children}
    return result


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until(check: Callable[[], bool], seconds: float, what: str) -> None:
    """Poll another process, which has no other way to tell."""
    ends, pause = time.monotonic() + seconds, threading.Event()
    while not check():
        assert time.monotonic() < ends, f"waited {seconds} s for {what}"
        pause.wait(0.05)
