"""The engine this process works for: messages to the user at the terminal, and the end of this process. The engine
starts providers and, through its language host, the program, and gives both its address. It is used for three things:

* `say` puts a line on the engine's own display (live, in `--json`, and in the final list unless it is
  ephemeral). `streamId` stays unset: with it, lines vanish from the final list (tried).
* `watch` ends this process when the engine is gone. A killed CLI stops neither its provider, which would go on
  writing beside the next `pulumi up`, nor the program, which the SDK lets wait for an hour (tried). Ending at any
  moment is safe: a baseline recorded beforehand what was about to be written, and the next run reads the tenant before
  it writes. Once the program has ended, its language host ends by itself: it looks for the engine every five minutes.
* `record_failed_create` makes it keep a resource in state although its create failed.

Nothing here may raise: a line that cannot be shown is no reason to fail a change."""

import os
import re
import socket
import sys
import threading
from functools import lru_cache
from itertools import pairwise
from typing import Any

from flexsaml.terminal_text import escape_controls, print_lines

_INTERVAL = 0.5  # seconds between two attempts to reach the engine
_MISSES = 2  # failed attempts in a row after which it counts as gone


def address() -> str:
    """`host:port` of the engine, or "" in a process that no engine started. It is the only argument of a provider; of a
    program the language host takes it away again, so it stands among the arguments that Python itself was given."""
    given = dict(pairwise(sys.orig_argv)).get("--engine") or "".join(sys.argv[1:2])
    return given if re.fullmatch(r"[\w.\[\]:-]+:\d+", given) else ""


@lru_cache(maxsize=1)
def _stub(engine: str) -> Any:
    import grpc
    from pulumi.runtime.proto import engine_pb2_grpc

    return engine_pb2_grpc.EngineStub(grpc.insecure_channel(engine))


def say(message: str, *, warning: bool = False, ephemeral: bool = False) -> None:
    """Show a line at the terminal; an `ephemeral` one is shown live and not kept."""
    engine = address()
    if not engine:
        return
    import grpc  # only now: a program that serves the kinds without Pulumi has no engine
    from pulumi.runtime.proto import engine_pb2

    severity = engine_pb2.WARNING if warning else engine_pb2.INFO
    message = escape_controls(message)
    request = engine_pb2.LogRequest(severity=severity, message=message, ephemeral=ephemeral)
    try:
        _stub(engine).Log(request, timeout=2)
    except grpc.RpcError as problem:
        print_lines([f"{message} (the engine did not take this line: {problem.code()})"], sys.stderr)


def record_failed_create(context: Any, id_: str, properties: dict[str, Any], reason: str) -> None:
    """Make the engine keep in state a resource whose create fails. The detail of a gRPC status says so; the engine then
    replaces or deletes it like any other resource (tried). `context`: of the call that fails. The properties are JSON,
    and none is secret."""
    from google.protobuf import any_pb2, json_format, struct_pb2
    from pulumi.runtime.proto import provider_pb2, status_pb2

    struct = json_format.ParseDict(properties, struct_pb2.Struct())
    failure = provider_pb2.ErrorResourceInitFailed(id=id_, properties=struct, inputs=struct, reasons=[reason])
    detail = any_pb2.Any()
    detail.Pack(failure)
    status = status_pb2.Status(code=2, message=reason, details=[detail])  # 2: UNKNOWN, as of every failed call
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))


def warn(message: str) -> None:
    say(message, warning=True)


@lru_cache(maxsize=1)
def watch() -> None:
    """End this process when the engine no longer listens. Starts once; without an address there is no watch."""
    engine = address()
    if engine:
        threading.Thread(target=_end_with, args=(engine,), name="engine watch", daemon=True).start()


def _end_with(engine: str) -> None:
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
