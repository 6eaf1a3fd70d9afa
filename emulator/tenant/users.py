"""Users: addressed by object id or UPN, patched completely or not at all, deleted with their values. Quirks: one
unusable extension in a PATCH fails all of it (C); null frees the slot (A); 100 values per user over all applications,
orphans included (A for the limit, D for its refusal); property names are matched without case on write and kept under
the property's exact name (A); attributes mastered on-premises are refused (A for the words)."""

import re
from dataclasses import replace

from emulator.errors import bad_request, invalid_body, invalid_value, not_found, refusal
from emulator.tenant import access, extensions
from emulator.tenant.principals import list_without_owner
from emulator.tenant.records import WRITABLE, PropertyRecord, UserRecord, check_changes
from emulator.tenant.store import Store
from emulator.types import Attributes

MAX_VALUES = 100
_NUMBERED = "onPremisesExtensionAttributes"  # an object of extensionAttribute1 to 15, each patched by itself
_MASTERED = WRITABLE["User"] - {"usageLocation", "otherMails"}


def locate(store: Store, key: str) -> UserRecord | None:
    """The user as it is, by object id or UPN (both without case)."""
    user = store.users.get(key.lower())
    return user if user else store.users.get(store.upns.get(key.casefold(), ""))


def find(store: Store, key: str) -> UserRecord:
    """A read of one user, lag included."""
    current = locate(store, key)
    return store.user_view.read(current.id if current else key.lower(), key)


def _existing(store: Store, key: str) -> UserRecord:
    user = locate(store, key)
    if user is None:
        raise not_found(key)
    return user


def patch(store: Store, key: str, changes: Attributes) -> None:
    """All changes or none. An empty change is accepted and does nothing."""
    user = _existing(store, key)
    after = _patched(store, user, changes)
    if after != user:
        store.commit(put=[("users", after)])
        store.user_view.show(user.id, user, reads=store.dials.stale_reads)


def create(store: Store, body: Attributes) -> UserRecord:
    required = {"accountEnabled", "displayName", "mailNickname", "userPrincipalName"}
    if not required <= body.keys() or not isinstance(body.get("passwordProfile"), dict):
        raise invalid_body()
    blank = UserRecord("", {"userPrincipalName": ""})
    filled = _patched(store, blank, {name: value for name, value in body.items() if name != "passwordProfile"})
    user_id = store.new_id("users")
    user = UserRecord(user_id, {"id": user_id, "userType": "Member", **filled.attributes}, filled.values)
    store.commit(put=[("users", user)])
    store.unindexed[user.id] = store.dials.index_lag
    return user


def delete(store: Store, key: str) -> None:
    """The user and its values; its role assignments, memberships and ownerships go with it."""
    user = _existing(store, key)
    assignments = [row for row in store.role_assignments.values() if row.attributes.get("principalId") == user.id]
    store.commit(
        put=[*access.groups_without(store, user.id), *list_without_owner(store, user.id)],
        remove=[("users", user.id), *(("appRoleAssignments", row.id) for row in assignments)],
    )
    store.user_view.show(user.id, user, reads=store.dials.delete_lag)


def read_visible_values(store: Store, user: UserRecord) -> Attributes:
    """The extension values a read shows, under the exact names of their properties."""
    owned = ((store.names.get(name.casefold()), value) for name, value in user.values.items())
    return {prop.name: value for prop, value in owned if prop is not None and extensions.is_visible(store, prop)}


def _patched(store: Store, user: UserRecord, changes: Attributes) -> UserRecord:
    """The user with all changes applied. Raises GraphRefusal when one of them is refused."""
    changes = {name: value for name, value in changes.items() if "@odata." not in name}
    extensions_changed = {name: value for name, value in changes.items() if name.casefold().startswith("extension_")}
    is_synced = user.attributes.get("onPremisesSyncEnabled")
    if extensions_changed and is_synced and store.dials.synced_user_extension == "refuse":
        raise refusal("mastered_on_premises")
    rest = {name: value for name, value in changes.items() if name not in extensions_changed}
    attributes = _patched_attributes(store, user, rest)
    return replace(user, attributes=attributes, values=_patched_values(store, user.values, extensions_changed))


def _patched_attributes(store: Store, user: UserRecord, changes: Attributes) -> Attributes:
    changes = check_changes(changes, "User")
    if user.attributes.get("onPremisesSyncEnabled") and _MASTERED.intersection(changes):
        raise refusal("mastered_on_premises")
    if changes.get("mobilePhone") == "":  # recorded; of the other properties nothing is known
        raise invalid_value("mobilePhone", "User")
    if "userPrincipalName" in changes:
        upn = str(changes["userPrincipalName"] or "")
        name, _, domain = upn.partition("@")
        if not re.fullmatch(r"[A-Za-z0-9'.\-_!#^~$]+", name) or domain.casefold() not in store.domains:
            raise invalid_value("userPrincipalName", "User")
        if store.upns.get(upn.casefold(), user.id) != user.id:
            raise bad_request("Another object with the same value for property userPrincipalName already exists.")
    if _NUMBERED in changes:  # attributes that are not named keep their value, null removes it
        known, numbered = {f"extensionAttribute{number}" for number in range(1, 16)}, changes[_NUMBERED]
        if numbered is None or not all(name in known and isinstance(numbered[name], str | None) for name in numbered):
            raise invalid_value(_NUMBERED, "User")
        before = user.attributes.get(_NUMBERED) or {}
        changes = {**changes, _NUMBERED: {**dict.fromkeys(sorted(known)), **before, **numbered}}
    return {**user.attributes, **changes}


def _patched_values(store: Store, values: Attributes, changes: Attributes) -> Attributes:
    if not changes:
        return values
    props: dict[str, PropertyRecord] = {}
    for name in changes:
        prop = store.names.get(name.casefold())
        if prop is not None and "User" in prop.target_objects and extensions.request_use(store, prop):
            props[name] = prop
    if refused := [name for name in changes if name not in props]:
        raise bad_request(f"The following extension properties are not available: {','.join(refused)}.")
    patched = dict(values)
    for name, prop in props.items():
        try:
            stored = extensions.convert_value(prop, changes[name], store.dials)
        except ValueError as error:
            raise invalid_value(prop.name, "User") from error
        patched[prop.name] = stored
        if stored is None or stored == []:
            del patched[prop.name]
    if _count_values(patched) > max(MAX_VALUES, _count_values(values)):
        raise bad_request(f"An object can hold at most {MAX_VALUES} extension values.")  # own wording, D
    return patched


def _count_values(values: Attributes) -> int:
    """How many of the slots are taken: each value of a multi-valued one counts (grade A)."""
    return sum(len(value) if isinstance(value, list) else 1 for value in values.values())
