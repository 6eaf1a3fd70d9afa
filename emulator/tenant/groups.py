"""Groups and who is in them, directly and through other groups.

Quirks tamed: membership nests, and only the transitive lists follow it (A); a member twice, or one to remove who is
not there, is refused with 400 and the name of the property (B: several clients match these words).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from emulator.errors import bad_request, not_found
from emulator.tenant.records import Plain, User
from emulator.tenant.store import Record, Store


def find(store: Store, group_id: str) -> Plain:
    found = store.groups.get(group_id)
    if found is None:
        raise not_found(group_id)
    return found


def members(store: Store, group: Plain) -> list[User | Plain]:
    """Direct members: users and groups."""
    found = (store.users.get(one) or store.groups.get(one) for one in group.attributes.get("members", ()))
    return [one for one in found if one is not None]


def transitive_members(store: Store, group: Plain) -> list[User | Plain]:
    """Everybody below, each once, the nearest first; a group inside itself is not followed for ever."""
    seen: dict[str, User | Plain] = {}
    waiting = [group]
    while waiting:
        for one in members(store, waiting.pop(0)):
            if one.id not in seen and one.id != group.id:
                seen[one.id] = one
                if isinstance(one, Plain):
                    waiting.append(one)
    return list(seen.values())


def transitive_groups_of(store: Store, member_id: str) -> list[Plain]:
    """The groups above a member, directly or through others."""
    seen: dict[str, Plain] = {}
    waiting = [member_id]
    while waiting:
        for group in direct_groups_of(store, waiting.pop(0)):
            if group.id not in seen and group.id != member_id:
                seen[group.id] = group
                waiting.append(group.id)
    return list(seen.values())


def direct_groups_of(store: Store, member_id: str) -> list[Plain]:
    return [one for one in store.groups.values() if member_id in one.attributes.get("members", ())]


def add_member(store: Store, group: Plain, member_id: str) -> None:
    if member_id not in store.users and member_id not in store.groups:
        raise not_found(member_id)
    held = group.attributes.get("members", [])
    if member_id == group.id:
        raise bad_request("One or more properties contains invalid values.")  # wording D
    if member_id in held:
        raise bad_request(
            "One or more added object references already exist for the following modified properties: 'members'."
        )
    store.commit(put=[("groups", _with(group, [*held, member_id]))])


def remove_member(store: Store, group: Plain, member_id: str) -> None:
    if member_id not in group.attributes.get("members", ()):
        raise bad_request(
            "One or more removed object references do not exist for the following modified properties: 'members'."
        )
    store.commit(put=[("groups", _without(group, member_id))])


def left_by(store: Store, member_id: str) -> list[tuple[str, Record]]:
    """The groups as they are once this member is gone from the tenant."""
    return [("groups", _without(one, member_id)) for one in direct_groups_of(store, member_id)]


def _without(group: Plain, member_id: str) -> Plain:
    return _with(group, (one for one in group.attributes["members"] if one != member_id))


def _with(group: Plain, members: Iterable[str]) -> Plain:
    return replace(group, attributes={**group.attributes, "members": list(members)})
