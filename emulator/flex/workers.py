"""Flex's workers: made or updated by a sign-in, kept with the tenant, found by name.

Quirk tamed: an assertion is taken once; it is remembered until it ends. Workers carry no clock times, so that exports
can be compared.
"""

from __future__ import annotations

from emulator.flex.mapping import Mapped, merged
from emulator.flex.received import InvalidResponse, Received
from emulator.tenant.records import Plain
from emulator.tenant.store import Record, Store


def named(store: Store, friendly_name: str) -> Plain | None:
    return next((one for one in store.workers.values() if one.attributes["friendlyName"] == friendly_name), None)


def sign_in(store: Store, told: Received, found: Mapped, now: float) -> Plain:
    """The worker as it is afterwards. Raises InvalidResponse for an assertion that was taken before."""
    if told.assertion_id in store.used_assertions:
        raise InvalidResponse("this assertion was taken before: sign in again")
    before = named(store, told.name_id)
    sid = before.id if before else f"WK{store.new_id('workers').replace('-', '')}"
    held = before.attributes if before else {"attributes": {}, "channels": {}}
    channels = {name: {**held["channels"].get(name, {}), **new} for name, new in found.channels.items()}
    row = {
        "id": sid,
        "friendlyName": told.name_id,
        "attributes": merged(held["attributes"], found),
        "channels": {**held["channels"], **channels},
    }
    worker = Plain(sid, row)
    used = Plain(told.assertion_id, {"id": told.assertion_id, "ends": told.ends})
    ended = [("usedAssertions", one.id) for one in store.used_assertions.values() if one.attributes["ends"] <= now]
    put: list[tuple[str, Record]] = [("workers", worker), ("usedAssertions", used)]
    store.commit(put=put, remove=ended)
    return worker
