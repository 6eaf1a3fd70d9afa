"""What the claims of a policy read: a user of the tenant, with roles and extension values, at a service principal.
Quirks: extension names are read with case (A); a role given to a group is its direct members' only (A); some lists give
a single value (A); `application`, `resource` and `audience` all mean the service principal (D). Values are texts; an
empty tuple means null. Reads the store, changes nothing, and knows no replica lag."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from emulator.tenant import access, users
from emulator.tenant.records import PrincipalRecord, UserRecord
from emulator.tenant.store import Store
from emulator.types import Attributes, Json

Values: TypeAlias = tuple[str, ...]
TABLES: Attributes = json.loads(Path(__file__).with_name("tables.json").read_text(encoding="utf-8"))
_ONE_VALUE_EMITTED = frozenset({*TABLES["one_value"], "telephonenumber"})
"""IDs of which Entra sends the first value only, though their property is a list."""


@dataclass(frozen=True)
class Subject:
    """A user who signs in to a service principal."""

    store: Store
    principal: PrincipalRecord
    user: UserRecord

    def is_assigned(self) -> bool:
        return bool(self._assignments())

    def read_roles(self) -> Values:
        values = {role["id"]: role.get("value") for role in self.principal.attributes.get("appRoles", ())}
        held = {values.get(row["appRoleId"]) for row in self._assignments() if row["appRoleId"] in values}
        has_empty = None in held and self.store.dials.null_role == "empty"
        return tuple(sorted([*filter(None, held), *([""] if has_empty else [])]))

    def _assignments(self) -> list[Attributes]:
        rows = access.list_assignments_of(self.store, self.user)
        return [row for row in rows if row["resourceId"] == self.principal.id]

    def visible_values(self) -> Attributes:
        """Extension values by full name."""
        return users.read_visible_values(self.store, self.user)

    def read_extension(self, name: str) -> Values:
        """What the assertion has of an extension, by its full name with case."""
        texts = to_texts(self.visible_values().get(name))
        prop = self.store.names.get(name.casefold())
        is_synced = prop is not None and prop.is_synced_from_on_premises
        return texts if is_synced or self.store.dials.several_values == "all" else texts[:1]

    def read_value(self, source: str, identifier: str) -> Values:
        """A documented attribute; anything else gives nothing (A). Both names in lower case."""
        if source == "user" and identifier in TABLES["user"]:
            return self._read_user_value(identifier)
        if source in ("application", "resource", "audience") and identifier in TABLES["principal"]:
            name = TABLES["principal_properties"].get(identifier, identifier)
            return to_texts(self.principal.attributes.get(name))[:1]
        if (source, identifier) == ("company", "tenantcountry"):
            return to_texts(self.store.organization.attributes.get("countryLetterCode"))
        return ()

    def _read_user_value(self, identifier: str) -> Values:
        if identifier == "assignedroles":
            return self.read_roles()
        if identifier == "localuserprincipalname":
            return (self.user.upn,)
        attributes = {name.lower(): value for name, value in self.user.attributes.items()}
        if identifier.startswith("extensionattribute"):
            numbered = attributes.get("onpremisesextensionattributes") or {}
            return to_texts(numbered.get(f"extensionAttribute{identifier.removeprefix('extensionattribute')}"))
        values = to_texts(attributes.get(TABLES["user_properties"].get(identifier, identifier)))
        return values[:1] if identifier in _ONE_VALUE_EMITTED else values


def to_texts(value: Json) -> Values:
    """A value as an assertion spells it: booleans in words, numbers in digits, a list item by item."""
    if value is None:
        return ()
    if isinstance(value, list):
        return tuple(text for item in value for text in to_texts(item))
    if isinstance(value, bool):
        return ("true" if value else "false",)
    return (str(value),)
