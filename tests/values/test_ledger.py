"""If this goes red, a person's earlier value is lost, or a value of this stack stays behind after destroy."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexsaml.values import (
    NULL,
    DataType,
    Ledger,
    LedgerEntry,
    UnknownPackedFormat,
    pack,
    pack_memory,
    unpack,
    unpack_memory,
)

ADA, BOB = "11111111-0000-4000-8000-00000000000a", "22222222-0000-4000-8000-00000000000b"
VALUES = st.sampled_from([NULL, "a", "b", "c", "stranger"])


def record(*writes: tuple[str, str]) -> Ledger:
    """The ledger of Ada's cell before the last of these writes: what was live, and the value to write."""
    ledger = Ledger()
    for live, value in writes:
        ledger = ledger.before_write({ADA: live}, {ADA: value})
    return ledger


RESTORATIONS: list[tuple[str, Ledger, str | None, tuple[dict[str, str], list[str], list[str]]]] = [
    # in words, the ledger, the live value, then what is restored, what others changed, who is gone
    ("written", record(("old", "v1")), "v1", ({ADA: "old"}, [], [])),
    ("never written", record(("old", "v1")), "old", ({}, [], [])),
    ("changed by a stranger", record(("old", "v1")), "other", ({}, [ADA], [])),
    ("cleared by a stranger", record(("old", "v1")), NULL, ({}, [ADA], [])),
    ("the user has left", record(("old", "v1")), None, ({}, [], [ADA])),
    ("cleared by this stack", record(("old", NULL)), NULL, ({ADA: "old"}, [], [])),
    ("the value was there before", record(("v1", "v1")), "v1", ({}, [], [])),
    ("two updates", record(("old", "v1"), ("v1", "v2")), "v2", ({ADA: "old"}, [], [])),
    ("an update failed before its write", record(("old", "v1"), ("v1", "v2")), "v1", ({ADA: "old"}, [], [])),
    ("two failed updates, the first value live", record(("old", "v1"), ("v1", "v2"), ("v1", "v3")), "v1", ({ADA: "old"}, [], [])),
    ("two failed updates, the last value live", record(("old", "v1"), ("v1", "v2"), ("v1", "v3")), "v3", ({ADA: "old"}, [], [])),
    ("two failed updates, one carried out late", record(("old", "v1"), ("v1", "v2"), ("v1", "v3")), "v2", ({ADA: "old"}, [], [])),
    ("a stale read, then a failed update", record(("old", "v1"), ("old", "v2")), "v1", ({ADA: "old"}, [], [])),
    ("a stale read, then two failed updates", record(("old", "v1"), ("old", "v2"), ("v1", "v3")), "v1", ({ADA: "old"}, [], [])),
    ("a value that was replaced for certain", record(("old", "v1"), ("v1", "v2"), ("v2", "v3")), "v1", ({}, [ADA], [])),
    ("the same value after another was refused", record(("old", "v1"), ("v1", "v2"), ("v1", "v1")), "v1", ({ADA: "old"}, [], [])),
    ("a stranger between two updates", record(("old", "v1"), ("other", "v2")), "other", ({}, [ADA], [])),
    ("an empty ledger", Ledger(), None, ({}, [], [])),
]  # fmt: skip


@pytest.mark.parametrize(
    ("ledger", "live", "expected"), [case[1:] for case in RESTORATIONS], ids=[case[0] for case in RESTORATIONS]
)
def test_what_is_restored(
    ledger: Ledger, live: str | None, expected: tuple[dict[str, str], list[str], list[str]]
) -> None:
    restoration = ledger.restoration({} if live is None else {ADA: live})
    assert (restoration.priors, restoration.changed_by_others, restoration.gone) == expected


ALIGNED: list[tuple[str, str, Ledger, object, dict[str, str], list[str]]] = [
    # in words, the data type, the ledger, the live JSON, then what is restored and what others changed
    ("another order of the written value", "String[]", record(("old", '["a", "b"]')), ["b", "a"], {ADA: "old"}, []),
    ("another order of the prior value", "String[]", record(('["a", "b"]', "new")), ["b", "a"], {}, []),
    ("other values", "String[]", record(("old", '["a", "b"]')), ["b", "c"], {}, [ADA]),
    ("another spelling of the written date", "DateTime", record(("old", "2026-01-01T00:00:00Z")),
        "2026-01-01T00:00:00.0000000Z", {ADA: "old"}, []),
    ("text that reads like a list", "String", record(("old", '["a", "b"]')), '["b", "a"]', {}, [ADA]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "ledger", "wire", "priors", "changed"), [case[1:] for case in ALIGNED], ids=[case[0] for case in ALIGNED]
)
def test_order_and_spelling_are_no_change_by_others(
    kind: str, ledger: Ledger, wire: object, priors: dict[str, str], changed: list[str]
) -> None:
    data_type = DataType.parse(kind)
    live = ledger.align({ADA: data_type.exact_from_wire(wire)}, {ADA: data_type})
    restoration = ledger.restoration(live)
    assert (restoration.priors, restoration.changed_by_others) == (priors, changed)


def test_cells_that_are_not_written_keep_their_entries() -> None:
    ledger = record(("old", "v1")).before_write({BOB: "b"}, {BOB: "v1"})
    assert ledger.entries == {ADA: LedgerEntry("old", ("v1",)), BOB: LedgerEntry("b", ("v1",))}
    assert list(ledger.only([BOB, "unknown"]).entries) == [BOB]


@given(
    prior=VALUES, writes=st.lists(st.tuples(VALUES, st.booleans(), st.booleans()), min_size=1, max_size=6), last=VALUES
)
def test_whatever_updates_fail_all_values_of_this_stack_are_restored_and_no_others(
    prior: str, writes: list[tuple[str, bool, bool]], last: str
) -> None:
    """Each update reads (perhaps from a replica that has not heard of the write of the update before), records, and may
    fail before it writes; at the end a stranger may write."""
    live, behind, ledger = prior, prior, Ledger()
    for value, is_stale, carried_out in writes:
        ledger = ledger.before_write({ADA: behind if is_stale else live}, {ADA: value})
        live, behind = (value, live) if carried_out else (live, live)
    assert ledger.restoration({ADA: live}).priors.get(ADA, live) == prior
    if last not in ledger.entries[ADA].written:
        assert ledger.restoration({ADA: last}).priors == {}


MEMORY = "1:eF6LVnINAsJAR8dAR2dHGHDO9ARBR0dXR8d0uGgxnIXMUNKJjlYqKMrMLwKylFJSlXSUUvOUYmN18kpzcsBEbCwAtEIdiQ=="
"""Of Ada with an entry, Bob with an id and Eve without, in a state made by commit 6813ca4."""


def test_the_memory_of_a_roster_is_read_as_commit_6813ca4_wrote_it() -> None:
    ids, ledger = unpack_memory(MEMORY, ["eve@x", "bob@x", "ada@x"])
    assert ids == {"ada@x": ADA, "bob@x": BOB}
    assert ledger.entries == {ADA: LedgerEntry("prior", ("de", "en"))}
    assert unpack(pack_memory(["bob@x", "eve@x", "ada@x"], ids, ledger)) == unpack(MEMORY)


def test_the_memory_of_a_user_is_read_as_commit_6813ca4_wrote_it() -> None:
    ledger = Ledger.unpack("1:eF6rVkpTsopWsskrzcmxU9KJVkpU0lFKUoqNrQUAZFAHaQ==")
    assert ledger.entries == {"f": LedgerEntry(NULL, ("a", "b"))}
    assert Ledger.unpack(ledger.pack()) == ledger


def test_a_memory_without_users_is_empty() -> None:
    assert unpack_memory(pack_memory([], {}, Ledger()), []) == ({}, Ledger())


@pytest.mark.parametrize("packed", ["2:abc", pack({"users": {}, "cells": {}})])
def test_a_memory_of_another_version_is_refused(packed: str) -> None:
    with pytest.raises(UnknownPackedFormat, match="another version of flexsaml"):
        unpack_memory(packed, [])


def test_equal_data_is_packed_as_equal_text() -> None:
    data = {"b": ["ü", None], "a": {"x": 9007199254740993}}
    assert unpack(pack(data)) == data
    assert pack(data) == pack(dict(reversed(data.items())))
    assert unpack("1:eNqrVkpUsopWMlSKrQUAEeQDBQ==") == {"a": ["1"]}, "the form is in the state of users"
