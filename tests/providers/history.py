"""One history of a stack: its declaration, what happens to it and to its tenant, and what must be there afterwards.

`History.expected_values` is a judge that knows nothing of the product's ledger. Stack and strangers write different
values, so a value tells who wrote it. From the law that writers write forward and baselines alone restore: destroy
leaves, in each cell, what was there when a run first recorded the cell, if the live value is this stack's, else the
live value. A helper.
"""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from flexsaml.declaration import Secret
from tests.emulator.process import Emulator
from tests.engine.request_log import requests_of, writes_in
from tests.engine.stack import Tenant, seed
from tests.providers.miniature import Miniature, Program, Run, declare
from tests.providers.quick_connection import connect

Writer = Literal["single", "roster"]
Cell = tuple[str, str]
"""Object id of a user, and name of an extension."""
Rows = dict[str, Any]
USERS = ("ada", "grace", "linus")


@dataclass(frozen=True)
class Extension:
    """Values of this stack, as a person may write them in two ways, with the JSON that Graph holds; and strangers'."""

    data_type: str
    is_own: bool
    written: tuple[tuple[object, object, object], ...]
    strangers: tuple[object, ...]

    def is_written(self, live: object) -> bool:
        return any(same(live, value) for _, _, value in self.written)


def same(value: object, other: object) -> bool:
    """Whether two JSON values are the same, in whatever order the service gives a multi-valued one."""
    if isinstance(value, list) and isinstance(other, list):
        return sorted(value) == sorted(other)
    return value == other


def _text(*values: str) -> tuple[tuple[object, object, object], ...]:
    return tuple((value, value, value) for value in values)


_LISTS = ((["a", "b"], '["a","b"]', ["a", "b"]), (["c"], '["c"]', ["c"]))
EXTENSIONS = {
    "languages": Extension("String", False, _text("a", "b", "c"), ("x", "<null>", "v\x0bt", "\ufffe", "y" * 256)),
    "areas": Extension("String[]", False, _LISTS, (["x", "y"], ["y", "x"], ["<null>"])),
    "since": Extension(
        "DateTime",
        False,
        (
            ("2026-01-02T03:04:05Z", "2026-01-02T04:04:05+01:00", "2026-01-02T03:04:05Z"),
            ("2026-02-03", "2026-02-03T00:00Z", "2026-02-03T00:00:00Z"),
        ),
        ("0001-01-01T00:00:00Z", "2020-02-02T02:02:02.25Z", "9999-12-31T23:59:59.9999999Z"),
    ),
    "team": Extension("String", True, _text("red", "green"), ("x", "y")),
    "level": Extension("Integer", True, (("1", "+1", 1), ("2", "02", 2)), (91, 92)),
}
OWN = tuple(name for name, extension in EXTENSIONS.items() if extension.is_own)


def make_rows(emulator: Emulator) -> Rows:
    """The tenant of all histories: the built-in one, with the administrator's extensions and an unused policy."""
    seed(emulator)
    tenant = Tenant(emulator)
    for name, extension in EXTENSIONS.items():
        if not extension.is_own:
            body = {
                "name": name,
                "dataType": extension.data_type.removesuffix("[]"),
                "isMultiValued": extension.data_type.endswith("[]"),
                "targetObjects": ["User"],
            }
            tenant.do("POST", f"/applications/{tenant.application['id']}/extensionProperties", body)
    tenant.make_policy("older")
    return emulator.export()


class History:
    """A stack and its tenant, from the first step to `finish`."""

    def __init__(
        self,
        emulator: Emulator,
        directory: Path,
        rows: Rows,
        *,
        displaced: bool = True,
        secret: bool = False,
        own: Collection[str] = OWN,
        priors: Mapping[tuple[str, str], object] = {},
    ) -> None:
        self.emulator, self.directory, self.secret = emulator, directory, secret
        rows = copy.deepcopy(rows)
        seed(emulator, rows)
        connect(emulator)
        self.tenant = Tenant(emulator)
        self.names = {
            name: name if extension.is_own else self.tenant.full(name) for name, extension in EXTENSIONS.items()
        }
        self.full_names = {self.tenant.full(name): name for name in EXTENSIONS}
        for (user, name), value in priors.items():
            self.tenant.write(user, value, name)
        if displaced:
            self.tenant.assign(self.tenant.policies()[0]["id"])
        self.before = emulator.export()
        self.ids = {name: str(self.tenant.user(name)["id"]) for name in USERS}
        self.away: dict[str, Rows] = {}
        self.stack = Miniature()
        self.writers: dict[str, Writer] = {}
        self.cells: dict[str, dict[str, int]] = {}
        """User to extension to the number of the declared value."""
        self.own, self.policy, self.email = set(own), "Flex", "user.mail"
        self.kept: set[str] = set()
        """full names of properties that a run took out of the state and left to the stranger whose value they hold"""
        self.strangers_properties: set[str] = set()
        """full names of properties that strangers made after the creation by this stack was refused"""
        self.recorded: dict[Cell, object] = {}
        """What was there when a run first recorded the cell."""
        self.unreachable: set[Cell] = set()
        """Cells that left the declaration while the user was deleted: nothing can restore them, should they come back."""
        self.steps: Counter[str] = Counter()

    # -- what a person declares ----------------------------------------------------------------------------------

    def declare(self, user: str, name: str, number: int = 0, writer: Writer = "single") -> None:
        self.writers[user] = writer
        self.cells.setdefault(user, {})[name] = number % len(EXTENSIONS[name].written)
        self.own |= {name} & set(OWN)

    def drop(self, user: str, name: str = "") -> None:
        """One cell, or without a name the user."""
        row = self.cells.get(user, {})
        row.pop(name, None)
        if not name or not row:
            self.cells.pop(user, None)

    def drop_extension(self, name: str) -> None:
        self.own.discard(name)
        for user in list(self.cells):
            self.drop(user, name)

    def program(self, *, respelled: bool = False) -> Program:
        """With `respelled`, the same intent in another order and another spelling."""
        single: Rows = {}
        roster: dict[str, dict[str, str]] = {}
        for user, row in self.cells.items():
            values = {self.names[name]: EXTENSIONS[name].written[number][respelled] for name, number in row.items()}
            upn = f"{user.upper() if respelled else user}@contoso.example"
            if self.writers[user] == "single":
                single[upn] = _ordered(values, respelled)
            else:
                roster[upn] = {name: v if isinstance(v, str) else json.dumps(v) for name, v in values.items()}
        claims = {
            "email": self.email,
            "languages": f"extension.{self.names['languages']}",
            **{name: f"extension.{name}" for name in sorted(self.own)},
        }
        extensions = {name: EXTENSIONS[name].data_type for name in sorted(self.own)}
        users = _ordered(single, respelled)
        keys = {
            "policyName": self.policy,
            "claims": _ordered(claims, respelled),
            "extensions": _ordered(extensions, respelled),
            "users": Secret(users) if self.secret else users,
        }
        return declare(self.emulator, self.directory, keys, _ordered(roster, respelled))

    # -- what others do in the tenant ----------------------------------------------------------------------------

    def write_as_stranger(self, user: str, name: str, value: object) -> None:
        if user not in self.away and self.tenant.full(name) in self.tenant.properties():
            self.tenant.write(user, value, name)

    def refused_names(self) -> list[str]:
        """Extensions of this stack whose creation was refused, and that nobody made since."""
        refused = [name for name in OWN if self._id_in_state(name).endswith("/not-created")]
        return [name for name in refused if self.tenant.full(name) not in self.tenant.properties()]

    def _id_in_state(self, name: str) -> str:
        held = self.stack.state.get(f"flex-{name}")
        return held.id if held and not held.awaits_creation else ""

    def make_property_as_stranger(self, name: str) -> None:
        extension = EXTENSIONS[name]
        path = f"/applications/{self.tenant.application['id']}/extensionProperties"
        body = {"name": name, "dataType": extension.data_type, "isMultiValued": False, "targetObjects": ["User"]}
        self.tenant.do("POST", path, body)
        self.strangers_properties.add(self.tenant.full(name))
        self.kept.add(self.tenant.full(name))

    def drift_policy(self, what: str) -> None:
        """Of this stack's policy."""
        ids = [row["id"] for row in self.tenant.policies() if row["displayName"].startswith("Flex")]
        for id_ in ids:
            if what in ("unassign", "delete") and id_ in self.tenant.assigned():
                self.tenant.unassign(id_)
            if what == "delete":
                self.tenant.do("DELETE", f"/policies/claimsMappingPolicies/{id_}")
            elif what == "edit":
                body = {"definition": ['{"ClaimsMappingPolicy": {"Version": 1}}']}
                self.tenant.do("PATCH", f"/policies/claimsMappingPolicies/{id_}", body)

    def leave(self, user: str) -> None:
        self.away[user] = self.tenant.user(user)
        self.tenant.do("DELETE", f"/users/{self.ids[user]}")

    def return_restored(self, user: str) -> None:
        """With the values they held."""
        rows = self.emulator.export()
        values = {name: value for name, value in self.away[user]["values"].items() if name in self.tenant.properties()}
        rows["users"].append({**self.away.pop(user), "values": values})
        seed(self.emulator, rows)

    def return_anew(self, user: str) -> None:
        """Another object under the same name."""
        del self.away[user]
        self.ids[user] = self.tenant.make_user(user, user.title())

    def swap_names(self, user: str, other: str) -> None:
        """Each person has the other's user principal name from now on, and with it what is declared for it."""
        self.tenant.swap_names(user, other)
        self.ids[user], self.ids[other] = self.ids[other], self.ids[user]

    # -- commands ------------------------------------------------------------------------------------------------

    def up(self, *, killed_at: int | str = 0, targets: Collection[str] | None = None, respelled: bool = False) -> Run:
        before, managed, ids = self.live(), self.stack.managed, dict(self.ids)
        run = self.stack.up(self.program(respelled=respelled), targets, killed_at=killed_at)
        self.emulator.clear_faults()
        self.emulator.dials(stale_reads=0)
        for name in EXTENSIONS:
            if f"flex-{self.names[name]}-before" in run.settled:
                declared = {ids[user] for user, row in self.cells.items() if name in row}
                self._forget(name, keep=declared)
                for id_ in declared & before.keys():
                    self.recorded.setdefault((id_, name), before[id_].get(name))
        self._forget_deleted_baselines()
        self._note_kept_properties(managed)
        return run

    def _note_kept_properties(self, managed: Collection[str]) -> None:
        """A property that left the stack while a stranger's value was in it stays, also once its holder is gone; and
        one that left the configuration while state had nothing of it, since nobody knows who made it.

        `managed`: the resources in the state before the run.
        """
        left = {
            name
            for name in OWN
            if (f"flex-{name}" in managed or name not in self.own) and f"flex-{name}" not in self.stack.managed
        }
        self.kept |= {self.tenant.full(name) for name in left} & set(self.tenant.properties())

    def _use_kept_properties_by_full_name(self) -> None:
        """What the refusal tells a person to do who declares a kept property again."""
        for name in [name for name in self.own if self.tenant.full(name) in self.kept]:
            self.own.discard(name)
            self.names[name] = self.tenant.full(name)

    def destroy(self, *, killed_at: int | str = 0) -> Run:
        managed = self.stack.managed
        run = self.stack.destroy(killed_at=killed_at)
        self.emulator.clear_faults()
        self._forget_deleted_baselines()
        self._note_kept_properties(managed)
        return run

    def _forget_deleted_baselines(self) -> None:
        for name in EXTENSIONS:
            if f"flex-{self.names[name]}-before" not in self.stack.managed:
                self._forget(name)

    def _forget(self, name: str, keep: Collection[str] = ()) -> None:
        present = self.live()
        for cell in [cell for cell in self.recorded if cell[1] == name and cell[0] not in keep]:
            del self.recorded[cell]
            if cell[0] not in present:
                self.unreachable.add(cell)

    def names_of_resources(self) -> list[str]:
        declared = ["flex-tenant", "flex-policy", "flex-assignment", "flex-roster"]
        declared += [f"flex-{name}" for name in self.own] + [f"flex-{self.names[name]}-before" for name in EXTENSIONS]
        declared += [f"flex-{user}@contoso.example" for user in self.cells]
        return sorted({*declared, *self.stack.state})

    # -- what must be so -----------------------------------------------------------------------------------------

    def live(self) -> dict[str, dict[str, object]]:
        """Object id to extension to value, of the users who are there."""
        return {
            row["id"]: {
                self.full_names[name]: value for name, value in row.get("values", {}).items() if name in self.full_names
            }
            for row in self.emulator.export()["users"]
        }

    def assert_all_recorded(self) -> None:
        """No value of this stack is without a record of what was there before."""
        unrecorded = [
            (id_, name, value)
            for id_, row in self.live().items()
            for name, value in row.items()
            if EXTENSIONS[name].is_written(value) and (id_, name) not in {*self.recorded, *self.unreachable}
        ]
        assert unrecorded == [], "a value of this stack that no baseline answers for"

    def assert_as_declared(self) -> None:
        live = self.live()
        for user, row in self.cells.items():
            for name, number in row.items():
                value, wanted = live[self.ids[user]].get(name), EXTENSIONS[name].written[number][2]
                assert same(value, wanted), f"{user} holds {value!r} of {name}, and {wanted!r} is declared"
        assigned = self.tenant.assigned()
        assert [row["displayName"] for row in self.tenant.policies() if row["id"] in assigned] == [self.policy]

    def assert_settled(self) -> None:
        """After a refresh and an update: nothing is left to do, whatever the spelling, and nothing is written."""
        self.emulator.clear()
        for respelled in (False, True):
            run = self.up(respelled=respelled)
            assert (run.changed, run.refusal) == ([], ""), f"a second up{' in another spelling' if respelled else ''}"
        run = self.stack.refresh()
        assert (run.changed, run.refusal) == ([], ""), "a refresh"
        assert writes_in(requests_of(self.emulator)) == []

    def expected_values(self) -> dict[str, dict[str, object]]:
        """What each user must hold after destroy."""
        expected: dict[str, dict[str, object]] = {}
        for id_, row in self.live().items():
            restored = {
                name: self.recorded[id_, name]
                if EXTENSIONS[name].is_written(value) and (id_, name) in self.recorded
                else value
                for name, value in row.items()
            }
            expected[id_] = {name: value for name, value in restored.items() if value is not None}
        return expected

    def finish(self, *, repaired: bool) -> None:
        """Optionally `refresh` and `up`, after which all is as declared; then destroy leaves what it must."""
        if repaired:
            for user in [user for user in self.cells if user in self.away]:
                self.drop(user)
            self._use_kept_properties_by_full_name()
            self.stack.refresh()
            run = self.up()
            assert run.refusal == "", "a full up after a refresh"
            self.assert_as_declared()
            self.assert_settled()
        expected = self.expected_values()
        run = self.destroy()
        assert run.refusal == "", "destroy"
        assert not self.stack.state
        assert self.live() == expected
        after, before = self.emulator.export(), self.before
        held = {name for row in expected.values() for name in row}
        own = {row["name"] for row in after["extensionProperties"]} - {
            row["name"] for row in before["extensionProperties"]
        }
        must_stay = {self.tenant.full(name) for name in held & set(OWN)} | self.strangers_properties
        assert must_stay <= own <= must_stay | self.kept, "properties left behind"
        for key in ("claimsMappingPolicies", "assignments"):
            assert after[key] == before[key], key


def _ordered(values: Rows, reverse: bool) -> Rows:
    return dict(sorted(values.items(), reverse=reverse))
