"""What the children of the component are made from: the declaration, and the tenant as preflight found it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

from flexsaml.claims import build_full_name
from flexsaml.declaration import Declaration
from flexsaml.preflight import PreflightResult, data_type_of
from flexsaml.values import NULL, DataType


@dataclass(frozen=True)
class Facts:
    """Of one run. Extensions are named by the key that claims and values use: the short name of those made here, the
    full name of those that exist. Users are as written, unless said otherwise."""

    declaration: Declaration
    preflight: PreflightResult

    @property
    def app_id(self) -> str:
        """Of the application that holds the extensions."""
        return self.preflight.application.app_id

    @property
    def application_id(self) -> str:
        """Its object id."""
        return self.preflight.application.id

    def short_claims(self) -> dict[str, object]:
        """Claim name to source, {} if there is a raw definition."""
        policy = self.declaration.policy
        return dict(policy.to_short()) if policy else {}

    def full_name(self, key: str) -> str:
        return build_full_name(self.app_id, key) if key in self.declaration.extensions else key

    def existing_id(self, full_name: str) -> str:
        """The id of an extension property that exists, as its resource would have it."""
        return f"{self.preflight.owners[full_name]}/{self.preflight.properties[full_name].id}"

    def data_type(self, key: str) -> DataType:
        return self.declaration.extensions.get(key) or data_type_of(self.preflight.properties[key])

    @cached_property
    def columns(self) -> dict[str, dict[str, str]]:
        """Extension to user to canonical value. Those of this stack's extensions were parsed to it."""
        columns: dict[str, dict[str, str]] = defaultdict(dict)
        for user, row in self.declaration.all_users.items():
            for key, value in row.items():
                is_own = key in self.declaration.extensions
                columns[key][user] = str(value) if is_own else self.data_type(key).canonical(value)
        return columns

    @cached_property
    def object_ids(self) -> dict[str, str]:
        """Of the users who are in the tenant; a user as written where preflight is off."""
        preflight = self.preflight
        return {user: id_ for user, id_ in preflight.user_ids.items() if user not in preflight.missing_users}

    @property
    def given_ids(self) -> Mapping[str, str]:
        """The same, as resources take it: {} where preflight is off."""
        return self.object_ids if self.declaration.preflight else {}

    def cells(self, key: str) -> dict[str, str]:
        """User to value of this extension, of the users who are in the tenant."""
        return {user: value for user, value in self.columns.get(key, {}).items() if user in self.object_ids}

    def differing_values(self, key: str) -> dict[str, str]:
        """User to the live value, where it is set and is not the declared one."""
        live = self.preflight.live_values.get(self.full_name(key), {})
        cells = self.cells(key) if live else {}
        held = {user: live.get(self.object_ids[user], NULL) for user in cells}
        means_same = self.data_type(key).means_same
        return {user: value for user, value in held.items() if value != NULL and not means_same(value, cells[user])}

    def find_shared_cell(self, other: Facts) -> tuple[str, str] | None:
        """A user, as written, and the full name of an extension of which both declare a value; None if there is none.
        Without preflight, users are compared as written."""
        for key, column in self.columns.items():
            full_name = self.full_name(key)
            others = next((cells for name, cells in other.columns.items() if other.full_name(name) == full_name), {})
            held = {other.preflight.user_ids[user].lower() for user in others}
            for user in column:
                if self.preflight.user_ids[user].lower() in held:
                    return user, full_name
        return None

    def describe_missing(self, users: Collection[str]) -> dict[str, str]:
        """Those of the users who are not in the tenant, to where they stand and who may be meant."""
        hints = {}
        for user, namesake in sorted(self.preflight.missing_users.items()):
            if user in users:
                line = self.declaration.roster_lines.get(user.lower())
                mail = f"{namesake} has this mail address" if namesake else ""
                hints[user] = ", ".join(filter(None, (f"line {line}" if line else "", mail)))
        return hints

    @cached_property
    def drifted(self) -> dict[str, list[str]]:
        """User to the full names of extensions whose live value is not the declared one. Values that were not read, and
        those of a property that will be made anew with another type, are left out."""
        preflight = self.preflight
        drifted: dict[str, list[str]] = defaultdict(list)
        for key, column in self.columns.items():
            name = self.full_name(key)
            live = preflight.live_values.get(name)
            if live is None or data_type_of(preflight.properties[name]) != self.data_type(key):
                continue
            for user, value in column.items():
                if user in preflight.missing_users:
                    continue
                if not self.data_type(key).means_same(live.get(preflight.user_ids[user], NULL), value):
                    drifted[user].append(name)
        return drifted

    # -- the roster file -----------------------------------------------------------------------------------------

    @cached_property
    def roster_cells(self) -> dict[str, dict[str, str]]:
        """User of the roster to full name to value, of the users who are in the tenant."""
        return {
            user: {self.full_name(key): self.columns[key][user] for key in row}
            for user, row in self.declaration.roster.items()
            if user not in self.preflight.missing_users
        }

    @property
    def roster_drift(self) -> dict[str, list[str]]:
        return {user: names for user, names in self.drifted.items() if user in self.roster_cells}

    def count_differing_users(self) -> int | None:
        """How many users of the roster do not hold what it says; None if nobody looked."""
        if not self.declaration.preflight:
            return None
        types = {self.full_name(key): self.data_type(key) for key in self.columns}

        def differs(user: str, name: str, value: str) -> bool:
            live = self.preflight.live_values.get(name, {})
            return not types[name].means_same(live.get(self.preflight.user_ids[user], NULL), value)

        return sum(any(differs(user, *cell) for cell in row.items()) for user, row in self.roster_cells.items())
