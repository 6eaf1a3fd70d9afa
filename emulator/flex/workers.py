"""Flex's workers: created or updated by a sign-in, kept with the tenant, addressed by name.

Quirk: an assertion is accepted once; its id is kept until it expires. Workers carry no clock times, so that exports can
be compared.
"""

from __future__ import annotations

from emulator.flex.mapping import MappedAttributes
from emulator.flex.received import InvalidResponse, ReceivedAssertion
from emulator.tenant.records import PlainRecord, Record
from emulator.tenant.store import Store


def find_worker(store: Store, friendly_name: str) -> PlainRecord | None:
    workers = store.workers.values()
    return next((worker for worker in workers if worker.attributes["friendlyName"] == friendly_name), None)


def sign_in(store: Store, assertion: ReceivedAssertion, mapped: MappedAttributes, now: float) -> PlainRecord:
    """The worker as it is afterwards. Raises InvalidResponse for an assertion that was accepted before."""
    if assertion.assertion_id in store.used_assertions:
        raise InvalidResponse("this assertion was accepted before; sign in again")
    before = find_worker(store, assertion.name_id)
    sid = before.id if before else f"WK{store.new_id('workers').replace('-', '')}"
    held = before.attributes if before else {"attributes": {}, "channels": {}}
    channels = {name: {**held["channels"].get(name, {}), **settings} for name, settings in mapped.channels.items()}
    row = {
        "id": sid,
        "friendlyName": assertion.name_id,
        "attributes": {**held["attributes"], **mapped.attributes},
        "channels": {**held["channels"], **channels},
    }
    worker = PlainRecord(sid, row)
    used = PlainRecord.from_row({"id": assertion.assertion_id, "ends": assertion.ends})
    expired = [("usedAssertions", old.id) for old in store.used_assertions.values() if old.attributes["ends"] <= now]
    put: list[tuple[str, Record]] = [("workers", worker), ("usedAssertions", used)]
    store.commit(put=put, remove=expired)
    return worker
