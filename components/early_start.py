"""Starts the slow steps while the program still imports modules: the provider process, the sign-in, the search for the
principal. This module imports only what these steps need. The program imports `FlexSamlClaims` while they run."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import grpc
import pulumi
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.settings import get_monitor

from flexsaml.errors import UserError
from providers import Connection

if TYPE_CHECKING:
    from flexsaml.graph import Directory


def start_early(service_principal: str = "") -> Callable[[], Directory]:
    """Start both threads; return the `directory` argument of `FlexSamlClaims`, a function that waits for the sign-in.
    `service_principal`: as the arguments of the component name it, for a program whose stack configuration does not.
    The threads are daemons, so they do not delay the end of the program."""
    threading.Thread(target=_start_provider, args=(get_monitor(),), daemon=True).start()
    config = pulumi.Config("flexsaml")
    result: Future[Directory] = Future()
    try:
        directory = Connection.from_config(config.get).directory()
    except UserError as problem:
        result.set_exception(problem)
    else:
        arguments = (directory, service_principal or config.get("servicePrincipal") or "", result)
        threading.Thread(target=_sign_in, args=arguments, daemon=True).start()
    return result.result


def _start_provider(monitor: Any) -> None:
    """Ask the engine for the provider of dynamic resources. By itself the engine starts its process with the first of
    them, which is registered after preflight, and the process then needs a third of a second. Any invoke starts it too.
    This one fails, for a dynamic provider has no functions."""
    if monitor is not None:
        with suppress(grpc.RpcError):
            monitor.Invoke(resource_pb2.ResourceInvokeRequest(tok="pulumi-python:dynamic:start"))


def _sign_in(directory: Directory, reference: str, result: Future[Directory]) -> None:
    """Sign in and find the principal. An error of the user is reported when the component repeats the call."""
    from flexsaml.graph import is_guid

    try:
        with suppress(UserError):
            if is_guid(reference):
                directory.identity()  # the request for an id also reads what the declaration names
            elif reference:
                directory.find_service_principal(reference)
    except BaseException as problem:  # noqa: BLE001 - raised again where the result is asked for
        result.set_exception(problem)
    else:
        result.set_result(directory)
