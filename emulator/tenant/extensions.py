"""Directory extension definitions: created on an application, usable later, gone without taking the values along.

Quirks tamed: a property cannot be written until the tenant's replicas know it (C), nor ever while its application has
no service principal here (A for discoverability, C for the write); names are compared without case (A for values,
D for duplicates); values outlive the property and return with its name (A); a 201 may be followed by nothing (C).
"""

from __future__ import annotations

from dataclasses import replace

from emulator.errors import GraphError, bad_request, invalid_value, not_found
from emulator.tenant.records import Application, ExtensionProperty
from emulator.tenant.store import Record, Store
from emulator.tenant.values import DATA_TYPES, TARGET_OBJECTS


def create(
    store: Store, app: Application, name: str, data_type: str, is_multi_valued: bool, targets: list[str]
) -> ExtensionProperty:
    if data_type not in DATA_TYPES:
        raise invalid_value("dataType", "ExtensionProperty")
    if not targets or not TARGET_OBJECTS.issuperset(targets):
        raise invalid_value("targetObjects", "ExtensionProperty")
    full_name = f"extension_{app.app_id.replace('-', '')}_{name}"
    if full_name.casefold() in store.names:
        raise GraphError(
            store.dials().duplicate_extension_status,
            "Request_MultipleObjectsWithSameKeyValue",
            f"An extension property exists with the name {full_name}.",
        )
    made = ExtensionProperty(
        store.new_id("extensionProperties"), app.id, full_name, data_type, is_multi_valued, tuple(targets)
    )
    if store.lost_properties < store.dials().lose_posted_property:
        store.lost_properties += 1
        return made  # answered 201 and kept nowhere
    store.commit(put=[("extensionProperties", made), *_resurrected(store, full_name)])
    store.seen_properties.created(made)
    if store.dials().availability_delay:
        store.unavailable[made.id] = store.dials().availability_delay
    return made


def _resurrected(store: Store, full_name: str) -> list[tuple[str, Record]]:
    """Users whose orphaned value was written under another case of the name: it returns under the exact one."""
    folded = full_name.casefold()
    changed: list[tuple[str, Record]] = []
    for user in store.users.values():
        if any(name.casefold() == folded and name != full_name for name in user.values):
            renamed = {full_name if n.casefold() == folded else n: v for n, v in user.values.items()}
            changed.append(("users", replace(user, values=renamed)))
    return changed


def find(store: Store, app: Application, property_id: str) -> ExtensionProperty:
    """One read of it, lag included."""
    current = store.properties.get(property_id)
    seen = store.seen_properties.see(property_id, current)
    if seen is None or seen.application_id != app.id:
        raise not_found(property_id)
    return seen


def of_application(store: Store, app: Application) -> list[ExtensionProperty]:
    """One list of them, lag included."""
    mine = [p for p in store.properties.values() if p.application_id == app.id]
    return list(store.seen_properties.see_all(mine, lambda p: p.application_id == app.id))


def delete(store: Store, app: Application, property_id: str) -> None:
    found = store.properties.get(property_id)
    if found is None or found.application_id != app.id:
        raise not_found(property_id)
    if found.is_synced:
        raise bad_request("Extension properties synced from on-premises cannot be deleted.")  # own wording, D
    store.commit(remove=[("extensionProperties", found.id)])
    store.seen_properties.deleted(found)
    store.unavailable.pop(found.id, None)


def has_principal(store: Store, prop: ExtensionProperty) -> bool:
    """Whether the owning application has a service principal; without one the property can never be used."""
    app = store.applications.get(prop.application_id)
    return app is not None and app.app_id in store.principal_app_ids


def is_usable(store: Store, prop: ExtensionProperty) -> bool:
    return prop.id not in store.unavailable and has_principal(store, prop)


def ask_usable(store: Store, prop: ExtensionProperty) -> bool:
    """Whether this request may use the property; asking counts towards the end of its availability delay."""
    left = store.unavailable.pop(prop.id, 0)
    if left > 1:
        store.unavailable[prop.id] = left - 1
    return left == 0 and has_principal(store, prop)


def is_visible(store: Store, prop: ExtensionProperty) -> bool:
    """Whether its values can be read."""
    if prop.id in store.unavailable and store.dials().hidden_until_available:
        return False
    return has_principal(store, prop)
