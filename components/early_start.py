"""Starts what takes long beside the program's imports: the provider process, the sign-in, the search for the principal.

Imports nothing heavy by itself; `FlexSamlClaims` and what it needs are imported while these three are under way.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any

import grpc
import pulumi
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.settings import get_monitor

if TYPE_CHECKING:
    from flexsaml.graph import Directory


def start_early() -> Callable[[], Directory]:
    """Returns the `directory` of `FlexSamlClaims`: a call waits for it. Threads are daemons, so none delays the end."""
    context = copy_context()  # configuration and monitor are context variables
    directory: Future[Directory] = Future()

    def connect() -> None:
        try:
            directory.set_result(context.run(_connect))
        except BaseException as problem:  # noqa: BLE001 - raised again where the result is asked for
            directory.set_exception(problem)

    for target in (partial(_start_provider, get_monitor()), connect):
        threading.Thread(target=target, daemon=True).start()
    return directory.result


def _start_provider(monitor: Any) -> None:
    """Ask the engine for the provider of dynamic resources.

    By itself the engine starts its process with the first of them, which is registered after preflight, and the process
    then needs a third of a second. Any invoke starts it too. This one fails, for a dynamic provider has no functions.
    """
    if monitor is not None:
        with suppress(grpc.RpcError):
            monitor.Invoke(resource_pb2.ResourceInvokeRequest(tok="pulumi-python:dynamic:start"))


def _connect() -> Directory:
    """Calls to Graph, signed in, and the principal found. An error is met, and reported, when the call is repeated."""
    from flexsaml.errors import UserError
    from flexsaml.graph import is_guid
    from providers import Connection

    config = pulumi.Config("flexsaml")
    directory = Connection.from_config(config.get).directory()
    reference = config.get("servicePrincipal") or ""
    with suppress(UserError):
        if is_guid(reference):
            directory.identity()  # its one batch waits for the declaration
        elif reference:
            directory.find_service_principal(reference)
    return directory
