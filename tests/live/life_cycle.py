"""The whole life cycle of the product on a tenant: create, no change, change, destroy. The real component, providers
and kinds, on the engine in miniature of tests/providers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from flexsaml.graph import Directory
from providers import TENANT, Connection
from tests.live.workbench import Workbench
from tests.providers.miniature import Miniature, build_component

EXTENSION = "live_cycle"
KEYS: dict[str, Any] = {
    "claims": {
        "nameid": "user.userprincipalname",
        "email": "user.mail",
        "full_name": "user.displayname",
        "roles": "user.assignedroles",
        "live": f"extension.{EXTENSION}",
    },
    "extensions": {EXTENSION: "String"},
}


@dataclass(frozen=True)
class LiveConnection(Connection):
    """To the tenant that this run is connected to already."""

    connected: Directory | None = None

    def directory(self) -> Directory:
        assert self.connected is not None
        return self.connected


@contextmanager
def connected(bench: Workbench) -> Iterator[None]:
    TENANT.configure(LiveConnection(bench.client.cloud.name, connected=bench.directory))
    try:
        yield
    finally:
        TENANT.configure(Connection())


def keys_of(bench: Workbench, value: str, *, claim: str) -> dict[str, Any]:
    """The configuration of a stack on the scratch application, its user's value, and a claim that changes."""
    claims = {**KEYS["claims"], "department": claim}
    users = {bench.scratch.agent.upn: {EXTENSION: value}}
    names = {"servicePrincipal": bench.scratch.principal_id, "policyName": bench.scratch.mark}
    return {**KEYS, **names, "claims": claims, "users": users}


Act = Callable[[], str]
"""A command; returns why it failed, "" if it did what it should."""


def run_steps(bench: Workbench, driver: str, *, create: Act, keep: Act, change: Act, destroy: Act) -> dict[str, Any]:
    """What each step did, and where it broke; nothing after that is tried, except to destroy."""
    steps: tuple[tuple[str, Act, Callable[[], bool]], ...] = (
        ("create", create, lambda: _holds(bench, "a")),
        ("no change", keep, lambda: _holds(bench, "a")),
        ("change", change, lambda: _holds(bench, "b")),
        ("destroy", destroy, lambda: _is_gone(bench)),
    )
    rows: list[dict[str, Any]] = []
    for name, act, is_right in steps:
        start = bench.clock.now()
        refusal = act()
        words = refusal or ("" if is_right() else "the tenant does not show it")
        seconds = round(bench.clock.now() - start, 1)
        rows.append({"step": name, "held": not words, "seconds": seconds, "words": words})
        if words:
            if name != "destroy":
                destroy()
            break
    return {"driver": driver, "held": all(row["held"] for row in rows), "steps": rows}


def run_life_cycle(bench: Workbench) -> dict[str, Any]:
    """With the engine in miniature, which needs no Pulumi on the machine."""
    stack = Miniature()

    def up(value: str, claim: str, changes: Collection[int]) -> str:
        run = stack.up(partial(build_component, "live", keys_of(bench, value, claim=claim)))
        return run.refusal or ("" if len(run.changed) in changes else f"{len(run.changed)} resources changed")

    def destroy() -> str:
        return stack.destroy().refusal or ("" if not stack.state else f"{len(stack.state)} resources are left")

    with connected(bench):
        return run_steps(
            bench,
            "a miniature of the engine",
            create=lambda: up("a", "user.department", (6,)),
            keep=lambda: up("a", "user.department", (0,)),
            change=lambda: up("b", "user.jobtitle", (3,)),
            destroy=destroy,
        )


def _holds(bench: Workbench, value: str) -> bool:
    name = bench.scratch.full_name(EXTENSION)
    user = bench.directory.read_user(bench.scratch.agent.id, [name])
    assigned = bench.directory.assigned_policies(bench.scratch.principal_id)
    return user.values.get(name) == value and [policy.display_name for policy in assigned] == [bench.scratch.mark]


def _is_gone(bench: Workbench) -> bool:
    scratch, directory = bench.scratch, bench.directory
    return not (
        directory.find_extension_property(scratch.application_id, scratch.full_name(EXTENSION))
        or directory.assigned_policies(scratch.principal_id)
        or directory.policies(scratch.mark)
    )
