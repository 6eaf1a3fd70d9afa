"""Directory extension definitions: created on an application, usable later, deleted without their values. Quirks: a
property cannot be written until the tenant's replicas know it (C), nor ever while its application has no service
principal here (A for discoverability, C for the write); names are compared without case (A for values, D for
duplicates); values outlive the property and return with its name (A); a 201 may be followed by nothing (C). Types and
limits: String up to 256 characters, Binary up to 256 bytes as base64, Integer 32-bit, LargeInteger 64-bit, Boolean,
DateTime in ISO 8601 stored in UTC (grade A, extensionProperty reference). How Graph words a refusal was recorded
nowhere (grade D), and whether an empty string is accepted is a dial."""

import base64
import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

from emulator.dials import Dials
from emulator.errors import bad_request, conflict, invalid_value, not_found
from emulator.tenant.records import ApplicationRecord, PropertyRecord, Record
from emulator.tenant.store import Store, count_down, get_existing
from emulator.types import Json

TARGET_OBJECTS = frozenset({"User", "Group", "AdministrativeUnit", "Application", "Device", "Organization"})
DATA_TYPES = frozenset({"Binary", "Boolean", "DateTime", "Integer", "LargeInteger", "String"})
_JSON_TYPES: dict[str, Any] = {"Boolean": bool, "Integer": int, "LargeInteger": int}  # of the others: str
_DATE_TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d{1,7}))?(?:(Z)|([+-])(\d\d):(\d\d))?", re.ASCII)


def create(
    store: Store, app: ApplicationRecord, name: str, data_type: str, is_multi_valued: bool, targets: list[str]
) -> PropertyRecord:
    if data_type not in DATA_TYPES:
        raise invalid_value("dataType", "ExtensionProperty")
    if not targets or not TARGET_OBJECTS.issuperset(targets):
        raise invalid_value("targetObjects", "ExtensionProperty")
    full_name = f"extension_{app.app_id.replace('-', '')}_{name}"
    if full_name.casefold() in store.names:
        words = f"An extension property exists with the name {full_name}."
        raise conflict(store.dials.duplicate_extension_status, message=words)
    property_id = store.new_id("extensionProperties")
    prop = PropertyRecord(property_id, app.id, full_name, data_type, tuple(targets), is_multi_valued)
    if store.lost_properties < store.dials.lose_posted_property:
        store.lost_properties += 1
        return prop  # answered 201 and stored nowhere
    # An orphaned value that was written under another case of the name returns under the exact one.
    folded, changed = full_name.casefold(), list[tuple[str, Record]]()
    for user in store.users.values():
        if any(name.casefold() == folded and name != full_name for name in user.values):
            renamed = {full_name if name.casefold() == folded else name: value for name, value in user.values.items()}
            changed.append(("users", replace(user, values=renamed)))
    store.commit(put=[("extensionProperties", prop), *changed])
    store.property_view.show(prop.id, None, reads=store.dials.read_lag)
    store.unavailable[prop.id] = store.dials.availability_delay
    return prop


def find(store: Store, app: ApplicationRecord, property_id: str) -> PropertyRecord:
    """A read of one property, lag included."""
    prop = store.property_view.read(property_id)
    if prop.application_id != app.id:
        raise not_found(property_id)
    return prop


def delete(store: Store, app: ApplicationRecord, property_id: str) -> None:
    prop = get_existing(store.properties, property_id)
    if prop.application_id != app.id:
        raise not_found(property_id)
    if prop.is_synced_from_on_premises:
        raise bad_request("Extension properties synced from on-premises cannot be deleted.")  # own wording, D
    store.commit(remove=[("extensionProperties", prop.id)])
    store.property_view.show(prop.id, prop, reads=store.dials.delete_lag)
    del store.unavailable[prop.id]


def request_use(store: Store, prop: PropertyRecord) -> bool:
    """Whether this request may use the property; the request counts towards the end of its availability delay."""
    return not count_down(store.unavailable, prop.id) and _has_principal(store, prop)


def is_visible(store: Store, prop: PropertyRecord) -> bool:
    """Whether its values can be read."""
    is_hidden = store.dials.hidden_until_available and store.unavailable[prop.id] > 0
    return not is_hidden and _has_principal(store, prop)


def _has_principal(store: Store, prop: PropertyRecord) -> bool:
    """Whether the owning application has a service principal; without one the property can never be used."""
    app = store.applications.get(prop.application_id)
    return app is not None and app.app_id in store.principal_app_ids


def convert_value(prop: PropertyRecord, value: Json, dials: Dials) -> Json:
    """The value as it is stored; None and [] remove it. Raises ValueError for one that does not fit the property."""
    if value is None:
        return None
    if not prop.is_multi_valued:
        return _convert_item(prop.data_type, value, dials)
    if not isinstance(value, list):
        raise ValueError("a multi-valued property takes an array")
    return [_convert_item(prop.data_type, item, dials) for item in value]


def _convert_item(data_type: str, value: Json, dials: Dials) -> Json:
    # bool is an int in Python, not on the wire; 5.0 is a double on the wire, not an Edm.Int32.
    if type(value) is not _JSON_TYPES.get(data_type, str):
        raise ValueError(f"not a JSON value for {data_type}")
    if data_type == "DateTime":
        return _to_utc(value)
    if data_type == "Binary":
        raw = base64.b64decode(value, validate=True)
        value, fits = base64.b64encode(raw).decode("ascii"), len(raw) <= 256
    elif data_type == "String":
        fits = len(value) <= 256 and (value != "" or dials.empty_string == "accept")
    else:
        bits = {"Integer": 32, "LargeInteger": 64}.get(data_type)
        fits = bits is None or -(2 ** (bits - 1)) <= value < 2 ** (bits - 1)
    if not fits:
        raise ValueError(f"outside of the range of {data_type}")
    return value


def _to_utc(text: str) -> str:
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        raise ValueError("not an ISO 8601 date and time")
    day, time, fraction, _zulu, sign, hours, minutes = match.groups()
    moment = datetime.strptime(f"{day}T{time}", "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    try:
        moment = moment + offset if sign == "-" else moment - offset
    except OverflowError as error:
        raise ValueError("not a date that exists") from error
    fraction = (fraction or "").rstrip("0")
    return moment.replace(tzinfo=None).isoformat() + (f".{fraction}" if fraction else "") + "Z"
