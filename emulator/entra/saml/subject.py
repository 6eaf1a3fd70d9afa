"""What the claims of a policy read: one user of the tenant, with its roles and extension values, at one principal.

Quirks tamed: extension names are read with case (A); a role given to a group is its direct members' only (A); some
lists give one value (A); `application`, `resource` and `audience` all mean the service principal (D). Values are texts;
none means null. Reads the store, changes nothing, and knows no replica lag.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeAlias

from emulator.tenant import groups, users
from emulator.tenant.records import ServicePrincipal, User
from emulator.tenant.store import Store
from emulator.types import Attributes, Json

Values: TypeAlias = tuple[str, ...]
TABLES: Attributes = json.loads(Path(__file__).with_name("tables.json").read_text(encoding="utf-8"))
_PROPERTIES = {
    "objectid": "id",
    "othermail": "othermails",
    "telephonenumber": "businessphones",
    "facsimiletelephonenumber": "faxnumber",
    "dnsdomainname": "onpremisesdomainname",
    "onpremisesecurityidentifier": "onpremisessecurityidentifier",
}
_FIRST = frozenset({*TABLES["one_value"], "telephonenumber"})


class Subject:
    """Who signs in where."""

    def __init__(self, store: Store, principal: ServicePrincipal, user: User) -> None:
        self.store = store
        self.principal = principal
        self.user = user

    def is_assigned(self) -> bool:
        return bool(self._assignments())

    def roles(self) -> Values:
        texts = {role["id"]: role.get("value") for role in self.principal.attributes.get("appRoles", ())}
        held = {texts.get(row["appRoleId"]) for row in self._assignments()}
        return tuple(sorted(text for text in held if text))

    def _assignments(self) -> list[Attributes]:
        own = {self.user.id, *(one.id for one in groups.direct_groups_of(self.store, self.user.id))}
        rows = (one.attributes for one in self.store.role_assignments.values())
        return [row for row in rows if row["principalId"] in own and row["resourceId"] == self.principal.id]

    def extension(self, name: str) -> Values:
        return texts(users.visible_values(self.store, self.user).get(name))

    def value(self, source: str, identifier: str) -> Values:
        """A documented attribute; anything else gives nothing (A). Both names in lower case."""
        if source == "user" and identifier in TABLES["user"]:
            return self._of_user(identifier)
        if source in ("application", "resource", "audience") and identifier in TABLES["principal"]:
            name = {"objectid": "id", "displayname": "displayName"}.get(identifier, identifier)
            return texts(self.principal.attributes.get(name))[:1]
        if (source, identifier) == ("company", "tenantcountry"):
            return texts(self.store.organization.attributes.get("countryLetterCode"))
        return ()

    def _of_user(self, identifier: str) -> Values:
        if identifier == "assignedroles":
            return self.roles()
        attributes = {name.lower(): value for name, value in self.user.attributes.items()}
        if identifier.startswith("extensionattribute"):
            numbered = attributes.get("onpremisesextensionattributes") or {}
            return texts(numbered.get(f"extensionAttribute{identifier.removeprefix('extensionattribute')}"))
        found = texts(attributes.get(_PROPERTIES.get(identifier, identifier)))
        return found[:1] if identifier in _FIRST else found


def texts(value: Json) -> Values:
    """A value as an assertion spells it: booleans in words, numbers in digits, each of several by itself."""
    if value is None:
        return ()
    if isinstance(value, list):
        return tuple(text for one in value for text in texts(one))
    if isinstance(value, bool):
        return ("true" if value else "false",)
    return (str(value),)
