"""Users: found by object id or UPN, patched as a whole or not at all, deleted with their values.

Quirks tamed: one unusable extension in a PATCH fails all of it (C); null frees the slot (A); 100 values per user over
all applications, orphans included (A for the limit, D for its refusal); property names are matched without case on
write and kept under the property's exact name (A); attributes mastered on-premises are refused (A for the words).
"""

from __future__ import annotations

import re
from dataclasses import replace

from emulator.errors import GraphError, bad_request, invalid_value, not_found
from emulator.tenant import extensions, groups
from emulator.tenant.records import ExtensionProperty, User, value_count
from emulator.tenant.store import Store
from emulator.tenant.values import Misfit, fit
from emulator.types import Attributes, Json

MAX_VALUES = 100
_TEXTS = (
    "city companyName consentProvidedForMinor country department displayName employeeId employeeType faxNumber "
    "givenName jobTitle mail mailNickname mobilePhone officeLocation onPremisesImmutableId postalCode "
    "preferredLanguage state streetAddress surname usageLocation userPrincipalName userType"
)
KNOWN: dict[str, type] = {
    **dict.fromkeys(_TEXTS.split(), str),
    "accountEnabled": bool,
    "businessPhones": list,
    "onPremisesExtensionAttributes": dict,
    "otherMails": list,
}
_FIXED = (
    "id createdDateTime creationType externalUserState lastPasswordChangeDateTime onPremisesDomainName "
    "onPremisesSamAccountName onPremisesSecurityIdentifier onPremisesSyncEnabled onPremisesUserPrincipalName "
    "preferredDataLocation proxyAddresses"
)
READ_ONLY = frozenset(_FIXED.split())
_NUMBERED = "onPremisesExtensionAttributes"  # an object of extensionAttribute1 to 15, patched one by one
_MASTERED = frozenset(KNOWN) - {"usageLocation", "otherMails"}


def locate(store: Store, key: str) -> User | None:
    """The user as it is, by object id or UPN (both without case)."""
    user = store.users.get(key.lower())
    return user if user else store.users.get(store.upns.get(key.casefold(), ""))


def find(store: Store, key: str) -> User:
    """One read of the user, lag included."""
    current = locate(store, key)
    seen = store.seen_users.see(current.id if current else key.lower(), current)
    if seen is None:
        raise not_found(key)
    return seen


def patch(store: Store, key: str, changes: Attributes) -> None:
    """All changes or none. An empty change is accepted and does nothing."""
    user = locate(store, key)
    if user is None:
        raise not_found(key)
    wanted = {name: value for name, value in changes.items() if "@odata." not in name}
    extension_values = {n: v for n, v in wanted.items() if n.casefold().startswith("extension_")}
    synced = user.attributes.get("onPremisesSyncEnabled")
    if extension_values and synced and store.dials().synced_user_extension == "refuse":
        raise _on_premises()
    attributes = _patched_attributes(store, user, {n: v for n, v in wanted.items() if n not in extension_values})
    values = _patched_values(store, user.values, extension_values)
    if attributes == user.attributes and values == user.values:
        return
    store.commit(put=[("users", replace(user, attributes=attributes, values=values))])
    store.seen_users.changed(user)


def create(store: Store, body: Attributes) -> User:
    missing = [n for n in ("accountEnabled", "displayName", "mailNickname", "userPrincipalName") if n not in body]
    if missing or not isinstance(body.get("passwordProfile"), dict):
        raise bad_request("One or more properties contains invalid values.")
    rest = {n: v for n, v in body.items() if n != "passwordProfile" and "@odata." not in n}
    extension_values = {n: v for n, v in rest.items() if n.casefold().startswith("extension_")}
    blank = User("", {"userPrincipalName": ""})
    attributes = _patched_attributes(store, blank, {n: v for n, v in rest.items() if n not in extension_values})
    values = _patched_values(store, {}, extension_values)
    user_id = store.new_id("users")
    made = User(user_id, {"id": user_id, "userType": "Member", **attributes}, values)
    store.commit(put=[("users", made)])
    return made


def delete(store: Store, key: str) -> None:
    """The user and its values; its role assignments and memberships go with it."""
    user = locate(store, key)
    if user is None:
        raise not_found(key)
    assigned = [a.id for a in store.role_assignments.values() if a.attributes.get("principalId") == user.id]
    store.commit(
        put=groups.left_by(store, user.id),
        remove=[("users", user.id), *(("appRoleAssignments", a) for a in assigned)],
    )
    store.seen_users.deleted(user)


def visible_values(store: Store, user: User) -> Attributes:
    """The extension values a read shows, under the exact names of their properties."""
    shown = {}
    for name, value in user.values.items():
        prop = store.names.get(name.casefold())
        if prop is not None and extensions.is_visible(store, prop):
            shown[prop.name] = value
    return shown


def _patched_attributes(store: Store, user: User, changes: Attributes) -> Attributes:
    for name, value in changes.items():
        if name not in KNOWN:
            raise bad_request(f"Invalid property '{name}'.")
        if value is not None and type(value) is not KNOWN[name]:
            raise invalid_value(name, "User")
    if user.attributes.get("onPremisesSyncEnabled") and _MASTERED.intersection(changes):
        raise _on_premises()
    if "userPrincipalName" in changes:
        _check_upn(store, user, changes["userPrincipalName"])
    if _NUMBERED in changes:
        changes = {**changes, _NUMBERED: _numbered(user, changes[_NUMBERED])}
    return {**user.attributes, **changes}


def _numbered(user: User, changes: Json) -> Json:
    """Those not named stay, null takes one away."""
    known = {f"extensionAttribute{number}" for number in range(1, 16)}
    if not isinstance(changes, dict) or any(
        n not in known or not isinstance(v, str | None) for n, v in changes.items()
    ):
        raise invalid_value(_NUMBERED, "User")
    return {**dict.fromkeys(sorted(known)), **(user.attributes.get(_NUMBERED) or {}), **changes}


def _on_premises() -> GraphError:
    return bad_request(
        "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects "
        "currently undergoing migration."
    )


def _check_upn(store: Store, user: User, upn: Json) -> None:
    name, at, domain = str(upn or "").partition("@")
    if not at or not re.fullmatch(r"[A-Za-z0-9'.\-_!#^~$]+", name) or domain.casefold() not in store.domains:
        raise invalid_value("userPrincipalName", "User")
    if store.upns.get(str(upn).casefold(), user.id) != user.id:
        raise bad_request("Another object with the same value for property userPrincipalName already exists.")


def _patched_values(store: Store, values: Attributes, changes: Attributes) -> Attributes:
    if not changes:
        return values
    props: dict[str, ExtensionProperty] = {}
    refused = []
    for name in changes:
        prop = store.names.get(name.casefold())
        if prop is None or "User" not in prop.target_objects or not extensions.ask_usable(store, prop):
            refused.append(name)
        else:
            props[name] = prop
    if refused:
        raise bad_request(f"The following extension properties are not available: {','.join(refused)}.")
    patched = dict(values)
    for name, value in changes.items():
        prop = props[name]
        try:
            stored = None if value is None else fit(prop.data_type, prop.is_multi_valued, value, store.dials())
        except Misfit as misfit:
            raise invalid_value(prop.name, "User") from misfit
        if stored is None or stored == []:
            patched.pop(prop.name, None)
        else:
            patched[prop.name] = stored
    if value_count(patched) > max(MAX_VALUES, value_count(values)):
        raise bad_request(f"An object can hold at most {MAX_VALUES} extension values.")  # own wording, D
    return patched
