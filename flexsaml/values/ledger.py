"""The ledger: what was in a cell before this stack, and which values there may be this stack's.

Writers write forward; a ledger alone decides what is restored. Two restorers undo each other: a value that somebody had
deleted once ended up cleared, with success reported, because a writer's late delete restored over the baseline's fresh
record. So the rule stands here only, and it is pure:

    prior     the live value before this stack's first write; it never changes
    written   the values this stack may have left in the cell, the value about to be written as the last one. Earlier
              ones are dropped once the last one was read as live. Until then any of them may be live: a write may have
              been refused, or its answer lost, and a read may come from a replica that has not heard of the last write.

A cell is restored only while its live value is in `written`. Any other value is a stranger's: it stays and is reported.
Values are canonical, and a prior value without a canonical one is kept as JSON (`data_types.py`)."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from .data_types import DataType
from .packed import UnknownPackedFormat, pack, refusing_damage, unpack

_NO_ID = str(UUID(int=0))


@dataclass(frozen=True)
class LedgerEntry:
    """The record of one cell."""

    prior: str
    written: tuple[str, ...]

    def before_write(self, live: str | None, value: str) -> LedgerEntry:
        """The entry to keep before `value` is written over the `live` one; None where that could not be read."""
        earlier = self.written[-1:] if live == self.written[-1] else self.written
        return LedgerEntry(self.prior, (*(former for former in earlier if former != value), value))

    def to_json(self) -> list[object]:
        return [self.prior, list(self.written)]

    @classmethod
    def from_json(cls, data: Any) -> LedgerEntry:
        return cls(data[0], tuple(data[1]))


@dataclass(frozen=True)
class Restoration:
    """What a ledger decides about cells, by their keys in the ledger."""

    priors: dict[str, str] = field(default_factory=dict)
    """to be written: the live value may be this stack's, and is not the prior one"""
    changed_by_others: list[str] = field(default_factory=list)
    """left alone: the live value is neither this stack's nor the prior one"""
    gone: list[str] = field(default_factory=list)
    """the user has left the tenant"""


@dataclass(frozen=True)
class Ledger:
    """An entry for each cell. What the key is, its owner decides: an object id for the cells of one extension, a full
    name for the cells of one user."""

    entries: Mapping[str, LedgerEntry] = field(default_factory=dict)

    def before_write(self, live: Mapping[str, str], values: Mapping[str, str]) -> Ledger:
        """The ledger to keep before `values` are written over the `live` ones; the other entries stay. Only a cell that
        has an entry may be missing from `live`, if it could not be read."""
        entries = dict(self.entries)
        for key, value in values.items():
            entry = entries.get(key)
            entries[key] = entry.before_write(live.get(key), value) if entry else LedgerEntry(live[key], (value,))
        return Ledger(entries)

    def align(self, live: Mapping[str, str], types: Mapping[str, DataType]) -> dict[str, str]:
        """The live values; one that means the same as a value of its entry is given as the entry has it, so that
        another order or spelling is no difference."""
        aligned = dict(live)
        for key in aligned.keys() & self.entries.keys():
            entry = self.entries[key]
            same = (known for known in (entry.prior, *entry.written) if types[key].means_same(live[key], known))
            aligned[key] = next(same, live[key])
        return aligned

    def is_ours(self, key: str, live: str) -> bool:
        """Whether the live value of a cell, as `align` gives it, may be this stack's. If it is not, nothing is
        restored, and the prior value is lost: so callers read again before they believe it."""
        return key not in self.entries or live in self.entries[key].written

    def only(self, keys: Iterable[str]) -> Ledger:
        """The entries of these cells."""
        return Ledger({key: self.entries[key] for key in keys if key in self.entries})

    def restoration(self, live: Mapping[str, str]) -> Restoration:
        """What to do about each cell, given the live values; a key missing from `live` means that the user is gone."""
        restoration = Restoration()
        for key, entry in sorted(self.entries.items()):
            value = live.get(key)
            if value is None:
                restoration.gone.append(key)
            elif value in entry.written and value != entry.prior:
                restoration.priors[key] = entry.prior
            elif value != entry.prior:
                restoration.changed_by_others.append(key)
        return restoration

    def pack(self) -> str:
        return pack({key: entry.to_json() for key, entry in self.entries.items()})

    @classmethod
    def unpack(cls, packed: str) -> Ledger:
        """The inverse of `pack`. Raises `UnknownPackedFormat`."""
        entries = unpack(packed)
        with refusing_damage():
            return cls({key: LedgerEntry.from_json(entry) for key, entry in entries.items()})


def pack_memory(users: Iterable[str], object_ids: Mapping[str, str], ledger: Ledger) -> str:
    """The object ids of a roster's users, and a ledger by object id, in the order of the users. `object_ids`: by user,
    where they are known. Ids cannot be compressed as text, so they are packed as bytes."""
    ids = [object_ids.get(user, _NO_ID) for user in sorted(users)]
    packed_ids = b"".join(UUID(id_).bytes for id_ in ids)
    entries = [entry.to_json() if (entry := ledger.entries.get(id_)) else None for id_ in ids]
    return pack([base64.b64encode(packed_ids).decode("ascii"), entries])


def unpack_memory(packed: str, users: Iterable[str]) -> tuple[dict[str, str], Ledger]:
    """The inverse of `pack_memory` for the same users. Raises `UnknownPackedFormat`."""
    memory = unpack(packed)
    if not isinstance(memory, list):
        raise UnknownPackedFormat("1 without object ids")  # as before there were rosters
    with refusing_damage():
        packed_ids, entries = base64.b64decode(memory[0]), memory[1]
        ids = [str(UUID(bytes=packed_ids[at : at + 16])) for at in range(0, len(packed_ids), 16)]
        object_ids = {user: id_ for user, id_ in zip(sorted(users), ids, strict=True) if id_ != _NO_ID}
        cells = zip(ids, entries, strict=True)
        ledger = {id_: LedgerEntry.from_json(entry) for id_, entry in cells if entry is not None}
    return object_ids, Ledger(ledger)
