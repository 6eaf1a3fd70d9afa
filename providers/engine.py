"""The engine this provider process works for: lines for the person at the terminal, and its end.

A dynamic provider gets the engine's address as its one argument. Two things are done with it:

* `say` puts a line on the engine's own display (live, in `--json`, and in the final list unless it is
  ephemeral). `streamId` stays unset: with it, lines vanish from the final list (tried).
* `watch` ends this process when the engine is gone. A killed CLI does not stop its provider: it would
  write on to the end, beside the next `pulumi up` (tried). Leaving between two writes is safe, because
  whatever was written is known to a baseline beforehand.

Nothing here may raise: a line that cannot be told is not a reason to fail a change.
"""

from __future__ import annotations

import os
import re
import socket
import sys
import threading
from functools import lru_cache

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

_INTERVAL = 0.5  # seconds between two looks at the engine's address
_MISSES = 2  # looks in vain until it counts as gone


def address() -> str:
    """`host:port` of the engine, or "" outside a provider process."""
    given = sys.argv[1] if len(sys.argv) > 1 else ""
    return given if re.fullmatch(r"[\w.\[\]:-]+:\d+", given) else ""


@lru_cache(maxsize=1)
def _stub(engine: str) -> engine_pb2_grpc.EngineStub:
    return engine_pb2_grpc.EngineStub(grpc.insecure_channel(engine))


def say(message: str, *, warning: bool = False, passing: bool = False) -> None:
    """A line at the terminal; `passing` lines are shown live and not kept."""
    engine = address()
    if not engine:
        return
    severity = engine_pb2.WARNING if warning else engine_pb2.INFO
    request = engine_pb2.LogRequest(severity=severity, message=message, ephemeral=passing)
    try:
        _stub(engine).Log(request, timeout=2)
    except grpc.RpcError as problem:
        print(f"{message} (the engine did not take this line: {problem.code()})", file=sys.stderr)


def warn(message: str) -> None:
    say(message, warning=True)


@lru_cache(maxsize=1)
def watch() -> None:
    """Leave this process when the engine no longer listens. Starts once; no watch without an address."""
    engine = address()
    if engine:
        threading.Thread(target=_leave_with, args=(engine,), name="engine watch", daemon=True).start()


def _leave_with(engine: str) -> None:
    host, _, port = engine.rpartition(":")
    misses, pause = 0, threading.Event()
    while misses < _MISSES:
        pause.wait(_INTERVAL)
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=_INTERVAL).close()
            misses = 0
        except OSError:
            misses += 1
    os._exit(1)
