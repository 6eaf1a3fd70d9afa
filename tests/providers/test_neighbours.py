"""If this goes red, somebody else's work beside a stack makes its destroy hang, lose what a user held before, or delete
what is not the stack's: an application, a principal, a property or a user is deleted, restored, renamed or made anew
between two runs, a replica is behind, or another stack writes the same cells.

Kinds and directory calls are the real ones, on the emulator; time passes only where the code waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flexsaml.errors import UserError
from providers import TENANT, Connection, provider_class
from providers.kinds.restoration import explain_loss
from tests.emulator.process import Emulator
from tests.engine.stack import Tenant, seed
from tests.faults.catalogue import FAULTS
from tests.faults.connection import ProxiedConnection
from tests.faults.proxy import Fault, FaultProxy, RecordedCall
from tests.providers.miniature import Miniature, Run
from tests.providers.process import packed
from tests.providers.quick_connection import QuickClock, connect
from tests.providers.scenarios import WITH_TEAM, Declaration


class Scene:
    """A stack with Ada, a roster, an administrator's property and one of its own, in a tenant that held x and y."""

    def __init__(self, emulator: Emulator, directory: Path) -> None:
        self.emulator, self.directory, self.clock, self.stack = emulator, directory, QuickClock(), Miniature()
        connect(emulator, self.clock)
        self.seed(None)
        self.tenant = Tenant(emulator)
        self.displaced = self.tenant.make_policy("older")
        self.tenant.assign(self.displaced)
        self.tenant.make_property("languages")
        self.tenant.write("ada", "x")
        self.tenant.write("grace", "y")
        self.before = emulator.export()

    def seed(self, rows: dict[str, Any] | None) -> None:
        seed(self.emulator, rows)

    def start_process(self) -> None:
        """Forget which principal has which name, as the process of the next command has not heard of it."""
        TENANT.configure(Connection())
        connect(self.emulator, self.clock)

    def up(self, declaration: Declaration = WITH_TEAM) -> None:
        assert self.run(declaration).refusal == ""

    def run(self, declaration: Declaration = WITH_TEAM) -> Run:
        return self.stack.up(declaration.program(Tenant(self.emulator), self.directory))

    def destroy(self) -> float:
        """Seconds that it waited."""
        before = self.clock.slept
        assert self.stack.destroy().refusal == ""
        return self.clock.slept - before

    def values(self) -> tuple[Any, Any]:
        """What Ada and Grace are seen to hold of the administrator's property."""
        full = self.tenant.full("languages")
        rows = {row["userPrincipalName"].partition("@")[0]: row for row in self.emulator.export()["users"]}
        ada, grace = (rows.get(name, {"values": {full: "no user"}}) for name in ("ada", "grace"))
        return ada.get("values", {}).get(full), grace.get("values", {}).get(full)

    def properties(self) -> set[str]:
        """Short names."""
        return {row["name"].rpartition("_")[2] for row in self.emulator.export()["extensionProperties"]}

    def remove_application(self) -> dict[str, Any]:
        """Take the application with its principal, properties, links and roles away; returns the tenant before."""
        export = self.emulator.export()
        gone = {self.tenant.application["id"], self.tenant.principal["id"]}

        def belongs(row: dict[str, Any]) -> bool:
            keys = ("id", "applicationId", "servicePrincipalId", "resourceId")
            return any(row.get(key) in gone for key in keys)

        self.seed({key: [row for row in rows if not belongs(row)] for key, rows in export.items()})
        return export

    def remove_ada(self) -> None:
        self.tenant.do("DELETE", f"/users/{self.tenant.user('ada')['id']}")

    def remove_principal(self) -> None:
        self.tenant.do("DELETE", f"/servicePrincipals/{self.tenant.principal['id']}")


@pytest.fixture
def scene(emulator: Emulator, tmp_path: Path) -> Iterator[Scene]:
    yield Scene(emulator, tmp_path)
    TENANT.configure(Connection())


LONGEST_WAIT = 60.0


GONE: dict[str, tuple[Callable[[Scene], object], tuple[Any, Any], set[str]]] = {
    # what is deleted; what Ada and Grace hold after destroy; short names of the properties that are left
    "application": (Scene.remove_application, (None, None), set()),
    "principal": (Scene.remove_principal, ("c", "b"), {"languages", "team"}),
    "property": (lambda scene: scene.tenant.delete_property("languages"), (None, None), set()),
    "user": (Scene.remove_ada, ("no user", "y"), {"languages"}),
    "nothing": (lambda _scene: None, ("x", "y"), {"languages"}),
}  # fmt: skip


@pytest.mark.parametrize(("remove", "held", "left"), GONE.values(), ids=list(GONE))
def test_destroy_ends_whatever_is_gone(
    scene: Scene, remove: Callable[[Scene], object], held: tuple[Any, Any], left: set[str]
) -> None:
    scene.up()
    remove(scene)
    assert scene.destroy() <= LONGEST_WAIT
    assert scene.values() == held, "what can be restored is restored"
    assert scene.properties() == left
    policies = scene.emulator.export()["claimsMappingPolicies"]
    assert [row["displayName"] for row in policies] == ["older"]


def test_an_application_that_is_restored_before_destroy(scene: Scene) -> None:
    scene.up()
    scene.seed(scene.remove_application())
    scene.destroy()
    assert scene.emulator.export() == scene.before


def test_an_application_that_is_renamed(scene: Scene) -> None:
    scene.up()
    for path in (
        f"/applications/{scene.tenant.application['id']}",
        f"/servicePrincipals/{scene.tenant.principal['id']}",
    ):
        scene.tenant.do("PATCH", path, {"displayName": "Flex Europe"})
    made = scene.emulator.export()
    scene.start_process()
    refusal = scene.stack.up(WITH_TEAM.program(scene.tenant, scene.directory)).refusal
    assert "no enterprise application is called 'Twilio Flex'" in refusal
    under_new_name = replace(WITH_TEAM, principal="Flex Europe")
    run = scene.stack.up(under_new_name.program(scene.tenant, scene.directory))
    assert (run.changed, run.refusal) == ([], "")
    assert scene.emulator.export() == made
    scene.destroy()
    named = {table: scene.before[table] for table in ("applications", "servicePrincipals")}
    assert {**scene.emulator.export(), **named} == scene.before


def test_an_application_that_is_made_anew_under_its_name(scene: Scene) -> None:
    """The stack follows it. What users hold in properties of the former one went with that."""
    scene.up()
    scene.remove_application()
    app_id = scene.tenant.do("POST", "/applications", {"displayName": "Twilio Flex"})["appId"]
    scene.tenant.do("POST", "/servicePrincipals", {"appId": app_id})
    scene.tenant = Tenant(scene.emulator)
    scene.tenant.make_property("languages")
    scene.tenant.write("ada", "new x")
    before = scene.emulator.export()
    scene.start_process()
    scene.up()
    assert scene.values() == ("c", "b")
    assert scene.run().changed == []
    scene.destroy()
    policies = [row for row in before["claimsMappingPolicies"] if row["displayName"] != "Flex"]  # the former run's
    assert scene.emulator.export() == {**before, "claimsMappingPolicies": policies}


@pytest.mark.parametrize("key", ["users", "roster"])
def test_a_property_that_is_gone_is_named_instead_of_waited_for(scene: Scene, key: str) -> None:
    """As after a change of its data type that was killed between the deletion and the new property."""
    scene.up()
    scene.tenant.delete_property("team")
    before, full_name = scene.clock.slept, scene.tenant.full("team")
    row = {"ada": {"languages": "c", "team": "blue"}}
    empty = replace(WITH_TEAM, users={}, roster={})
    goal = replace(empty, users=row) if key == "users" else replace(empty, roster=row)
    refusal = scene.run(goal).refusal
    assert f"{full_name} no longer exists in the tenant; if this stack made it, run `pulumi refresh`" in refusal
    assert 30.0 <= scene.clock.slept - before <= LONGEST_WAIT
    assert scene.stack.refresh().refusal == ""
    scene.start_process()
    scene.up(goal)
    assert scene.tenant.value("ada", "team") == "blue"
    scene.destroy()
    assert scene.values() == ("x", "y")


@pytest.mark.parametrize("is_hidden", [True, False])
def test_a_property_that_somebody_made_anew_with_another_type_is_named(scene: Scene, is_hidden: bool) -> None:
    """What the values of the former property become is not known (D): they may show, or not."""
    scene.up()
    scene.tenant.delete_property("languages")
    scene.tenant.make_property("languages", data_type="Integer")
    if is_hidden:
        for user in ("ada", "grace"):
            scene.tenant.write(user, None)
    baseline = scene.stack.state[f"flex-{scene.tenant.full('languages')}-before"]
    reason = explain_loss(TENANT.directory(), baseline.outs, {"ada@contoso.example": ""}, is_last_chance=True)
    assert "was made anew by somebody else, as Integer: the values of 1 user that it held as String cannot" in reason
    scene.destroy()


def test_a_row_that_leaves_while_the_principal_is_gone_keeps_its_prior_value(scene: Scene) -> None:
    """Unlike destroy, a change can be repeated once the principal is there again. It is deleted after preflight."""
    scene.up()
    baseline = scene.stack.state[f"flex-{scene.tenant.full('languages')}-before"]
    kind, smaller = (
        provider_class(baseline.kind).kind,
        {**baseline.outs, "__cells": packed({"ada@contoso.example": "c"})},
    )
    scene.remove_principal()
    with pytest.raises(UserError, match="make that service principal again"):
        kind.update(TENANT.directory(), baseline.id, baseline.outs, smaller)
    scene.tenant.do("POST", "/servicePrincipals", {"appId": scene.tenant.principal["appId"]})
    kind.update(TENANT.directory(), baseline.id, baseline.outs, smaller)
    assert scene.values() == ("c", "y")


def test_a_read_that_is_behind_at_destroy(scene: Scene) -> None:
    """The roster's writes are not read back, so reads of destroy show Grace's value from before the stack, and
    it looks as if nothing had to be restored."""
    scene.emulator.dials(stale_reads=2)
    scene.up()
    scene.destroy()
    scene.emulator.dials(stale_reads=0)
    assert scene.values() == ("x", "y")


def test_a_stranger_s_value_stays_after_three_reads(scene: Scene) -> None:
    scene.up()
    scene.tenant.write("grace", "z")
    assert 3.0 <= scene.destroy() <= LONGEST_WAIT
    assert scene.values() == ("x", "z")


def test_a_user_whom_only_the_writer_would_find_is_not_written(scene: Scene) -> None:
    scene.emulator.fault("refuse", "GET", "/users/ada", status=404, skip=1, times=3)  # preflight is first
    assert "no such user: ada@contoso.example" in scene.run().refusal
    assert scene.values() == ("x", "y")
    scene.up()
    scene.destroy()
    assert scene.emulator.export() == scene.before


def test_a_user_whom_only_the_writer_finds_in_an_update_is_recorded(scene: Scene) -> None:
    """The prior value is known from the last run, so only the value to be written has to be recorded."""
    scene.up()
    changed = replace(WITH_TEAM, users={"ada": {"languages": "d", "team": "red"}})
    scene.emulator.fault("refuse", "GET", f"/users/{scene.tenant.user('ada')['id']}", status=404, times=3)
    scene.up(changed)
    assert scene.values() == ("d", "b")
    scene.destroy()
    assert scene.emulator.export() == scene.before


@pytest.mark.parametrize("status", [403, 409, 423])
def test_a_user_who_is_refused_stops_no_other_and_is_named(scene: Scene, status: int) -> None:
    """Ada is the first row, by which the writer learns whether the extension is usable."""
    roster = Declaration(users={}, roster={"ada": {"languages": "c"}, "grace": {"languages": "b"}})
    path = f"/users/{scene.tenant.user('ada')['id']}"
    scene.emulator.fault("refuse", "PATCH", path, status=status, times=-1)
    assert (
        f"1 of 2 users could not be written: ada@contoso.example (PATCH {path}: {status}" in scene.run(roster).refusal
    )
    assert scene.values() == ("x", "b")
    scene.emulator.clear_faults()
    scene.up(roster)
    scene.emulator.fault("refuse", "PATCH", path, status=status, times=-1)
    refusal = scene.stack.destroy().refusal
    assert f"1 of 2 users could not get back their former value: ada@contoso.example (PATCH {path}: {status}" in refusal
    assert scene.values() == ("c", "y")
    scene.emulator.clear_faults()
    scene.destroy()
    assert scene.emulator.export() == scene.before


QUESTIONS = ("/appliesTo", "/users?$filter=")
"""What is asked before a policy and a property are deleted: who else signs in with it, who else holds a value."""


@pytest.mark.parametrize(
    ("fault", "times"),
    [
        ("lagging 404", 1),
        ("lagging 404", 2),
        ("empty body", 1),
        ("empty object", 1),
        ("empty list", 1),
        ("error object in a 200, not done", 1),
        ("403", 1),
    ],
)
def test_a_wrong_answer_about_others_deletes_nothing_of_theirs(scene: Scene, fault: str, times: int) -> None:
    """In the fault matrix nobody else has anything of the stack's, so there a wrong deletion goes unnoticed."""
    scene.up()
    tenant = scene.tenant
    principals = scene.emulator.export()["servicePrincipals"]
    staging = next(row["id"] for row in principals if row["displayName"] == "Twilio Flex Staging")
    [policy] = tenant.assigned()
    url = f"{scene.emulator.http}/v1.0/policies/claimsMappingPolicies/{policy}"
    tenant.do("POST", f"/servicePrincipals/{staging}/claimsMappingPolicies/$ref", {"@odata.id": url})
    tenant.write("linus", "theirs", "team")
    left = dict.fromkeys(QUESTIONS, times)

    def choose_fault(call: RecordedCall) -> Fault | None:
        question = next((question for question in QUESTIONS if question in call.path and left[question]), None)
        if question is None:
            return None
        left[question] -= 1
        return FAULTS[fault]

    with FaultProxy(scene.emulator.http) as proxy:
        proxy.arm_each(choose_fault)
        TENANT.configure(ProxiedConnection.to(proxy.url))
        for _ in range(2 * times + 1):  # each struck question may end one destroy
            refusal = scene.stack.destroy().refusal
            assert policy in [row["id"] for row in tenant.policies()], refusal
            assert tenant.full("team") in tenant.properties(), refusal
    assert left == dict.fromkeys(QUESTIONS, 0)
    assert (refusal, scene.stack.state) == ("", {})
    assert tenant.value("linus", "team") == "theirs"
