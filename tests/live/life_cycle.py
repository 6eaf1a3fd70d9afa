"""The whole life cycle of the product on a tenant: create, no change, change, destroy. The real component, providers
and kinds, on the engine in miniature of tests/providers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from flexsaml.graph import Directory
from providers import TENANT, Connection
from tests.live.workbench import Workbench
from tests.providers.miniature import Miniature, Run, build_component

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


def run_life_cycle(bench: Workbench) -> dict[str, Any]:
    """What each step did, and where it broke; nothing after that is tried."""
    stack = Miniature()
    first = partial(build_component, "live", keys_of(bench, "a", claim="user.department"))
    second = partial(build_component, "live", keys_of(bench, "b", claim="user.jobtitle"))
    steps: tuple[tuple[str, Callable[[], Run], Callable[[Run], bool]], ...] = (
        ("create", lambda: stack.up(first), lambda run: _holds(bench, "a") and len(run.changed) == len(stack.state)),
        ("no change", lambda: stack.up(first), lambda run: not run.changed),
        ("change", lambda: stack.up(second), lambda run: _holds(bench, "b") and len(run.changed) in (2, 3)),
        ("destroy", stack.destroy, lambda _run: not stack.state and _is_gone(bench)),
    )
    rows: list[dict[str, Any]] = []
    with connected(bench):
        for name, act, is_right in steps:
            start = bench.clock.now()
            run = act()
            held = not run.refusal and is_right(run)
            seconds = round(bench.clock.now() - start, 1)
            rows.append(
                {"step": name, "held": held, "seconds": seconds, "changed": len(run.changed), "words": run.refusal}
            )
            if not held:
                break
        if stack.state:
            stack.destroy()
    return {"driver": "miniature of the engine", "held": len(rows) == len(steps) and rows[-1]["held"], "steps": rows}


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
