"""If this goes red, the documents ask for a permission too many or too few, or a run that lacks one leaves a stack that
the next run cannot finish or take back.

The whole life cycle of a stack with inline users, a roster, an extension of its own and an existing one, an assignment
that it displaces, under the engine in miniature, as an identity with exactly these application permissions. The
emulator's own table says which call takes which (`emulator/graph/calls.json`). `permission-missing` refuses a run that
lacks one before its first write; where a test is about a run that was let through, the rule is off.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from flexsaml.graph import requirements, requirements_of_stack
from providers import TENANT, Connection
from tests.emulator.process import LEAST, SEED, Emulator
from tests.engine.stack import Tenant
from tests.providers.miniature import Miniature
from tests.providers.quick_connection import connect
from tests.providers.scenarios import FIRST, SECOND, WITH_TEAM, Declaration

OWNED = "Application.ReadWrite.OwnedBy"
_READS = {"Application.Read.All", "User.Read.All"}  # included in the permissions to write
STACK = requirements_of_stack(extensions=True, users=True)
ESSENTIAL = sorted({name for row in STACK if not row.without for name in row.any_of[0]} - _READS)
"""The least permissions of all calls that a stack cannot do without; those that a write permission includes left out."""
OPTIONAL = {row.any_of[0][0]: row.without for row in STACK if row.without}
STEPS = ("create", "no change", "change", "extension", "refresh", "destroy")


class Identity:
    """A tenant in which one client has exactly some permissions, and what a stack did as that client."""

    def __init__(self, emulator: Emulator, directory: Path) -> None:
        self.emulator, self.directory, self.stack = emulator, directory, Miniature()
        self.grant([*ESSENTIAL, *OPTIONAL], rows=None)
        tenant = Tenant(emulator)
        tenant.make_property("languages")
        tenant.assign(tenant.make_policy("by hand"))
        tenant.write("ada", "before")
        self.before = emulator.export()

    def grant(self, permissions: list[str], rows: dict[str, object] | None) -> None:
        built_in = json.loads(SEED.read_text("utf-8"))
        clients = [
            {**client, "roles": permissions} if client["id"] == LEAST else client for client in built_in["clients"]
        ]
        self.emulator.seed({**(rows or built_in), "clients": clients})
        connect(self.emulator)

    def run(self, step: str, **rules: str) -> str:
        """One command, with these levels of rules (`permission_missing`); its line, "" if it succeeded."""
        goals: dict[str, Declaration] = {"create": FIRST, "no change": FIRST, "change": SECOND, "extension": WITH_TEAM}
        self.emulator.clear()
        if step in goals:
            goal = replace(goals[step], rules={name.replace("_", "-"): level for name, level in rules.items()})
            return self.stack.up(goal.program(Tenant(self.emulator), self.directory)).refusal
        return (self.stack.refresh() if step == "refresh" else self.stack.destroy()).refusal

    def refused_purposes(self) -> set[str]:
        """What the calls that were refused with 403 since the last command were for."""
        refused = {
            (row["method"], re.sub(r"^/(v1.0|beta)", "", row["path"]))
            for row in self.emulator.requests()
            if row["status"] == 403
        }
        return {self._purpose(*call) for call in refused}

    @staticmethod
    def _purpose(method: str, path: str) -> str:
        purposes = [need.purpose for need in requirements() if need.recognises(method, path)]
        assert purposes, f"no requirement recognises {method} {path}"
        return purposes[0]


@pytest.fixture
def identity(emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Identity]:
    monkeypatch.setenv("FLEXSAML_SANDBOX_CLIENT", LEAST)
    yield Identity(emulator, tmp_path)
    TENANT.configure(Connection())
    emulator.reset()


def test_what_is_essential() -> None:
    assert ESSENTIAL == [OWNED, "Policy.Read.All", "Policy.ReadWrite.ApplicationConfiguration", "User.ReadWrite.All"]
    assert sorted(OPTIONAL) == [
        "Directory.Read.All", "GroupMember.Read.All", "Organization.Read.All", "Policy.ReadWrite.ApplicationConfiguration",
    ]  # fmt: skip


@pytest.mark.parametrize("optional", [False, True], ids=["least", "with the optional ones"])
def test_the_whole_life_cycle_takes_exactly_the_documented_permissions(identity: Identity, optional: bool) -> None:
    identity.grant([*ESSENTIAL, *(OPTIONAL if optional else ())], identity.before)
    may_lack = {row.purpose for row in STACK if row.without and not optional}
    for step in STEPS:
        assert identity.run(step) == "", step
        assert identity.refused_purposes() <= may_lack, step
    assert identity.emulator.export() == identity.before


@pytest.mark.parametrize("missing", ESSENTIAL)
@pytest.mark.parametrize("at", STEPS)
def test_a_missing_permission_is_named_and_the_next_run_goes_on(identity: Identity, at: str, missing: str) -> None:
    identity.grant([*ESSENTIAL], identity.before)
    for step in STEPS[: STEPS.index(at)]:
        assert identity.run(step) == ""
    identity.grant([*_READS, *(name for name in ESSENTIAL if name != missing)], identity.emulator.export())
    made = identity.emulator.export()
    line = identity.run(at)
    if at not in ("refresh", "destroy"):  # these run no program
        assert "[permission-missing]" in line
        assert missing in line
        assert identity.emulator.export() == made, "it was refused before its first write"
    line = identity.run(at, permission_missing="off")
    assert not line or missing in line, line
    assert "\n" not in line
    assert line or at in ("no change", "change", "refresh"), "a command that makes or deletes takes them all"
    identity.grant([*ESSENTIAL], identity.emulator.export())
    goal = "change" if at == "change" else "extension" if at in ("extension", "refresh", "destroy") else "create"
    if at != "destroy":
        assert identity.run(goal) == ""
    assert identity.run("destroy") == ""
    assert identity.emulator.export() == identity.before


@pytest.mark.parametrize(
    ("missing", "named"), [(OWNED, "Application.Read.All"), ("User.ReadWrite.All", "User.Read.All")]
)
def test_without_a_permission_to_read_nothing_is_made(identity: Identity, missing: str, named: str) -> None:
    identity.grant([name for name in ESSENTIAL if name != missing], identity.before)
    line = identity.run("create")
    assert line.endswith(f"grant the identity in use {named}; nothing of this component was changed")
    assert identity.emulator.export() == identity.before
