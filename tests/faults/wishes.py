"""What the stacks of the fault matrix ask for, the tenant in front of them, and what must be there afterwards. A
helper. `languages` is the administrator's property, in which people hold values; other properties are the stack's."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.emulator.big import big_seed, upn
from tests.emulator.process import Emulator
from tests.engine.stack import Tenant, seed
from tests.providers.miniature import Cells, Program, declare, name_cells

Json = dict[str, Any]
FLEX, STAGING = "Twilio Flex", "Twilio Flex Staging"


@dataclass(frozen=True)
class Rows:
    """The tables of a tenant at one moment."""

    export: Json

    def full_name(self, principal: str, short: str) -> str:
        return f"extension_{self._principal(principal)['appId'].replace('-', '')}_{short}"

    def properties(self) -> set[str]:
        return {row["name"] for row in self.export["extensionProperties"]}

    def policies(self) -> dict[str, str]:
        """Id to name."""
        return {row["id"]: row["displayName"] for row in self.export["claimsMappingPolicies"]}

    def assigned(self, principal: str) -> list[str]:
        """Names of policies."""
        links, id_ = self.export["assignments"], self._principal(principal)["id"]
        return [self.policies()[link["policyId"]] for link in links if link["servicePrincipalId"] == id_]

    def values(self) -> dict[str, dict[str, str]]:
        """User's short name to full name to value, where there is one."""
        return {
            row["userPrincipalName"].partition("@")[0]: {key: str(value) for key, value in row["values"].items()}
            for row in self.export["users"]
        }

    def _principal(self, name: str) -> Json:
        principals: list[Json] = self.export["servicePrincipals"]
        return next(row for row in principals if row["displayName"] == name)


@dataclass(frozen=True)
class Wish:
    """A declaration."""

    users: Cells = field(default_factory=dict)
    roster: Cells = field(default_factory=dict)
    extensions: Mapping[str, str] = field(default_factory=dict)
    """short name of an own property to its data type"""
    policy_name: str = "Flex"
    email: str = "user.mail"
    principal: str = FLEX

    def program(self, emulator: Emulator, directory: Path) -> Program:
        names = {short: short for short in self.extensions}
        names["languages"] = Rows(emulator.export()).full_name(FLEX, "languages")

        keys = {
            "servicePrincipal": self.principal,
            "policyName": self.policy_name,
            "claims": {"email": self.email, **{short: f"extension.{name}" for short, name in names.items()}},
            "extensions": dict(self.extensions),
            "users": name_cells(self.users, names),
            "allowRemoval": MANY,
        }
        return declare(emulator, directory, keys, name_cells(self.roster, names))

    def values(self, priors: Rows) -> dict[str, dict[str, str]]:
        """What everybody must hold, by short name and full name; `priors` is the tenant before the stack."""
        wanted = copy.deepcopy(priors.values())
        for user, row in {**self.users, **self.roster}.items():
            owners = {short: self.principal if short in self.extensions else FLEX for short in row}
            wanted[user] |= {priors.full_name(owners[short], short): value for short, value in row.items()}
        return wanted

    def difference(self, rows: Rows, priors: Rows) -> str:
        """What in the tenant is not as declared, "" if nothing; `priors` is the tenant before the stack."""
        wanted, live = self.values(priors), rows.values()
        for user in wanted:
            if wanted[user] != live[user]:
                return f"{user} holds {live[user]}, not {wanted[user]}"
        own = {rows.full_name(self.principal, short) for short in self.extensions}
        if rows.properties() != own | priors.properties():
            return f"the properties are {sorted(rows.properties())}"
        policies = sorted(rows.policies().values())
        if policies != sorted([*priors.policies().values(), self.policy_name]):
            return f"the policies are {policies}"
        assigned = rows.assigned(self.principal)
        return "" if assigned == [self.policy_name] else f"assigned is {assigned}"


MANY = 45
"""Users of a roster for which listings are read, and several batches written."""


def agent(number: int) -> str:
    return upn(number).partition("@")[0]


LANGUAGES = Wish(users={"ada": {"languages": "a"}}, roster={"grace": {"languages": "b"}, "linus": {"languages": "l"}})
WITH_TEAM = Wish(
    users={"ada": {"languages": "c", "team": "red"}},
    roster={"grace": {"languages": "d", "team": "blue"}, "alan": {"languages": "n"}},
    extensions={"team": "String"},
    policy_name="Flex 2",
    email="user.othermail",
)
WITH_NUMBERS = replace(
    WITH_TEAM,
    users={"ada": {"languages": "c", "team": "1"}},
    roster={"grace": {"languages": "d", "team": "2"}, "alan": {"languages": "n"}},
    extensions={"team": "Integer"},
)
MOVED = replace(WITH_TEAM, principal=STAGING)
ROSTER = Wish(roster={agent(number): {"languages": f"l{number}"} for number in range(1, MANY + 1)})
SMALLER = Wish(roster={agent(number): {"languages": "new"} for number in range(1, MANY // 2)})


def make_tenant(agents: int = MANY) -> Json:
    """The built-in tenant with more users, of whom every second holds a value of the administrator's property."""
    rows = big_seed(agents)
    flex = next(row for row in rows["applications"] if row["displayName"] == FLEX)
    name = f"extension_{flex['appId'].replace('-', '')}_languages"
    holders = ["ada@contoso.example", "grace@contoso.example", *[upn(number) for number in range(2, agents + 1, 2)]]
    for row in rows["users"]:
        if row["userPrincipalName"] in holders:
            row["values"] = {name: f"prior of {row['userPrincipalName']}"}
    return rows


def make_person_anew(emulator: Emulator, name: str, before: Rows) -> Rows:
    """Delete a user and make another of the same name; what the tenant in front of the stack was, with that user."""
    tenant = Tenant(emulator)
    tenant.do("DELETE", f"/users/{tenant.user(name)['id']}")
    tenant.make_user(name, "Another Person")
    values = {row["id"]: row["values"] for row in before.export["users"]}
    export = emulator.export()
    users = [{**row, "values": values.get(row["id"], {})} for row in export["users"]]
    own = {table: before.export[table] for table in ("extensionProperties", "claimsMappingPolicies", "assignments")}
    return Rows({**export, "users": users, **own})


def prepare_tenant(emulator: Emulator, agents: int = MANY) -> Rows:
    """The tenant in front of a stack: a policy that the stack displaces is assigned to the principal."""
    seed(emulator, make_tenant(agents))
    tenant = Tenant(emulator)
    tenant.make_property("languages")
    tenant.assign(tenant.make_policy("older"))
    return Rows(emulator.export())
