"""Groups and who is in them, directly and through other groups.

Quirks: membership nests, and only the transitive lists follow it (A); adding a member twice, or removing who is not a
member, is refused with 400 and the name of the property (B: several clients match these words).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeVar

from emulator.errors import invalid_body, not_found, reference_exists, reference_missing
from emulator.tenant.records import PlainRecord, Record, UserRecord
from emulator.tenant.store import Store

Member = TypeVar("Member", bound="UserRecord | PlainRecord")


def list_member_ids(group: PlainRecord) -> list[str]:
    return list(group.attributes.get("members", ()))


def list_direct_members(store: Store, group: PlainRecord) -> list[UserRecord | PlainRecord]:
    """Users and groups."""
    members = (store.users.get(member_id) or store.groups.get(member_id) for member_id in list_member_ids(group))
    return [member for member in members if member is not None]


def list_transitive_members(store: Store, group: PlainRecord) -> list[UserRecord | PlainRecord]:
    return _reach(group.id, lambda key: list_direct_members(store, store.groups[key]) if key in store.groups else [])


def list_direct_groups(store: Store, member_id: str) -> list[PlainRecord]:
    return [group for group in store.groups.values() if member_id in group.attributes.get("members", ())]


def list_transitive_groups(store: Store, member_id: str) -> list[PlainRecord]:
    return _reach(member_id, lambda key: list_direct_groups(store, key))


def _reach(start: str, neighbours: Callable[[str], list[Member]]) -> list[Member]:
    """Everything that can be reached from `start`, each object once, the nearest first; circles end."""
    reached: dict[str, Member] = {}
    waiting = [start]
    while waiting:
        for neighbour in neighbours(waiting.pop(0)):
            if neighbour.id not in reached and neighbour.id != start:
                reached[neighbour.id] = neighbour
                waiting.append(neighbour.id)
    return list(reached.values())


def add_member(store: Store, group: PlainRecord, member_id: str) -> None:
    if member_id not in store.users and member_id not in store.groups:
        raise not_found(member_id)
    if member_id == group.id:
        raise invalid_body()  # wording D
    if member_id in list_member_ids(group):
        raise reference_exists("members")
    store.commit(put=[("groups", _with_members(group, [*list_member_ids(group), member_id]))])


def remove_member(store: Store, group: PlainRecord, member_id: str) -> None:
    if member_id not in list_member_ids(group):
        raise reference_missing("members")
    store.commit(put=[("groups", _without_member(group, member_id))])


def groups_without(store: Store, member_id: str) -> list[tuple[str, Record]]:
    """The groups of a member as they are once it was deleted."""
    return [("groups", _without_member(group, member_id)) for group in list_direct_groups(store, member_id)]


def _without_member(group: PlainRecord, member_id: str) -> PlainRecord:
    return _with_members(group, (key for key in list_member_ids(group) if key != member_id))


def _with_members(group: PlainRecord, ids: Iterable[str]) -> PlainRecord:
    return replace(group, attributes={**group.attributes, "members": list(ids)})
