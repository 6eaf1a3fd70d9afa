"""If this goes red, a renamed user loses values, a person keeps another person's, turning preflight off writes
everybody, or the state of an earlier run can no longer be read."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexsaml.values import RosterTable, UnknownPackedFormat, may_be_same_user, pack, removes_too_many

ADA, BOB = "11111111-0000-4000-8000-00000000000a", "22222222-0000-4000-8000-00000000000b"
IDS = {"ada@x": ADA, "ada.king@x": ADA, "bob@x": BOB}
Cells = dict[str, object]


@dataclass(frozen=True)
class Case:
    """Two runs, and what must be different between them."""

    old: Cells
    new: Cells
    old_ids: dict[str, str] = field(default_factory=lambda: IDS)
    new_ids: dict[str, str] = field(default_factory=lambda: IDS)
    missing: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    renamed: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


EN: Cells = {"ada@x": "en"}
CHANGES = {
    "nothing": Case(EN, EN),
    "the name in capital letters": Case(EN, {"ADA@X": "en"}, new_ids={"ADA@X": ADA}),
    "a value": Case(EN, {"ada@x": "de"}, changed=("ada@x",)),
    "one value of several": Case({"ada@x": {"a": "1", "b": "2"}}, {"ada@x": {"a": "1", "b": "3"}}, changed=("ada@x",)),
    "a user comes": Case(EN, {**EN, "bob@x": "en"}, added=("bob@x",)),
    "a user goes": Case({**EN, "bob@x": "en"}, EN, removed=("bob@x",)),
    "a user comes and another goes": Case(EN, {"bob@x": "en"}, added=("bob@x",), removed=("ada@x",)),
    "another person has the name": Case(EN, EN, new_ids={"ada@x": BOB}, changed=("ada@x",)),
    "a user is renamed": Case(EN, {"ada.king@x": "en"}, renamed=("ada.king@x",)),
    "a user is renamed and gets a value": Case(
        EN, {"ada.king@x": "de"}, changed=("ada.king@x",), renamed=("ada.king@x",)
    ),
    "the old name stands there too": Case(EN, {"ada.king@x": "en"}, missing=("ada@x",), renamed=("ada.king@x",)),
    "a rename without preflight": Case(EN, {"ada.king@x": "en"}, new_ids={}, added=("ada.king@x",), removed=("ada@x",)),
    "preflight is turned off": Case(EN, EN, new_ids={}),
    "preflight is turned on": Case(EN, EN, old_ids={}),
    "nobody has this name": Case({}, {}, missing=("Eve@x",), unknown=("Eve@x",)),
    "a managed user left the tenant": Case(EN, {}, missing=("ADA@x",), gone=("ADA@x",)),
    "a first run": Case({}, EN, added=("ada@x",)),
}


@pytest.mark.parametrize("case", CHANGES.values(), ids=list(CHANGES))
def test_what_changed_since_the_last_run(case: Case) -> None:
    old = RosterTable.from_cells(case.old, case.old_ids)
    change = RosterTable.from_cells(case.new, case.new_ids).changes_since(old, case.missing)
    assert (change.added, change.removed, change.changed) == (list(case.added), list(case.removed), list(case.changed))
    assert change.renamed == frozenset(case.renamed)
    assert (change.gone_users, change.unknown_users) == (list(case.gone), list(case.unknown))
    assert change.users_to_read == {*case.added, *case.changed, *case.renamed}


def test_an_update_compares_with_whole_object_ids() -> None:
    """The inputs of the last run may lack the id that its update found; the memory knows it."""
    old = RosterTable.from_cells(EN).with_object_ids({"ada@x": ADA})
    assert RosterTable.from_cells(EN, {"ada@x": BOB}).changes_since(old).changed == ["ada@x"], "another person"
    assert RosterTable.from_cells(EN, {"ada@x": ADA}).changes_since(old).users_to_read == set()


def test_the_previous_cell_is_used_for_certainly_the_same_person_only() -> None:
    old = RosterTable.from_cells({"ada@x": "en", "bob@x": "cs"}, IDS)
    new = RosterTable.from_cells({"bob@x": "de", "ada.king@x": "en"}, {"bob@x": BOB, "ada.king@x": ADA})
    assert new.changes_since(old).previous_cell("bob@x") == "cs"
    assert new.changes_since(old).previous_cell("ada.king@x") is None, "8 digits are no proof"
    another_bob = RosterTable.from_cells({"bob@x": "cs"}, {"bob@x": ADA})
    assert another_bob.changes_since(old).previous_cell("bob@x") is None


def test_who_a_user_was_stays_known_while_preflight_is_off() -> None:
    with_preflight = RosterTable.from_cells(EN, IDS)
    without = RosterTable.from_cells({"ada@x": "de"}).changes_since(with_preflight).table
    another = RosterTable.from_cells({"ada@x": "de"}, {"ada@x": BOB})
    assert another.changes_since(without).changed == ["ada@x"]


PERSISTED = [
    # cells, object ids, what a state made by commit 6813ca4 holds for them, and its digest
    ({"ada@x": "en"}, {"ada@x": ADA}, "1:eF6LjlZKTEl0qFCK1VEyhAIlnWil1Dyl2FgAdCcHhg==", "0c18e1a903779df2"),
    (
        {"Bob@x": {"f": "ü"}, "ada@x": {"f": "<null>"}},
        {},
        "1:eF6LjlZKTEl0qFDSUUrKTwLSsTpKCko60dVKaUpWSjZ5pTk5dkq1OhDu4T1KtbGxAIGYD4I=",
        "d2c6a559cec2ab54",
    ),
    ({}, {}, "1:eF6Ljo7VUVLSiY6NBQAPNQLF", "bb3a854095df653f"),
]


@pytest.mark.parametrize(("cells", "ids", "packed", "digest"), PERSISTED)
def test_the_packed_format_is_the_one_in_the_state_of_users(
    cells: Cells, ids: dict[str, str], packed: str, digest: str
) -> None:
    table = RosterTable.from_cells(cells, ids)
    assert RosterTable.unpack(packed) == table
    assert (RosterTable.unpack(packed).digest(), table.digest()) == (digest, digest)


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=5) | st.dictionaries(st.text(max_size=3), st.text())))
def test_a_packed_table_comes_back_whatever_its_order(cells: Cells) -> None:
    table = RosterTable.from_cells(cells, dict.fromkeys(cells, ADA))
    assert RosterTable.unpack(table.pack()) == table
    assert RosterTable(dict(reversed(list(table.rows.items())))).pack() == table.pack()


def test_no_packed_string_is_a_table_without_rows() -> None:
    assert RosterTable.unpack("") == RosterTable()


@pytest.mark.parametrize("packed", ["2:abc", "abc", pack({"ada@x": "en"})])
def test_another_packed_format_is_refused(packed: str) -> None:
    with pytest.raises(UnknownPackedFormat, match="another version of flexsaml"):
        RosterTable.unpack(packed)


@pytest.mark.parametrize(
    ("object_id", "id_prefix", "expected"),
    [(ADA, ADA[:8], True), (ADA, BOB[:8], False), ("", ADA[:8], True), (ADA, "", True), (ADA[:8], ADA[:8], True)],
)
def test_an_unknown_id_fits_everybody(object_id: str, id_prefix: str, expected: bool) -> None:
    assert may_be_same_user(object_id, id_prefix) is expected


@pytest.mark.parametrize(
    ("removed", "managed", "allowed", "expected"),
    [
        (10, 10, 0, False),
        (11, 11, 0, True),
        (11, 55, 0, False),
        (12, 55, 0, True),
        (12, 55, 11, True),
        (12, 55, 12, False),
    ],
)
def test_emptying_a_contact_centre_must_be_confirmed(removed: int, managed: int, allowed: int, expected: bool) -> None:
    assert removes_too_many(removed, managed, allowed) is expected


def test_a_row_of_a_run_without_preflight_is_newly_identified() -> None:
    ids = {"ada": "11111111", "grace": "22222222"}
    cells = dict.fromkeys(("ada", "grace", "linus"), "x")
    table, without = RosterTable.from_cells(cells, ids), RosterTable.from_cells({"ada": "x", "linus": "x"})
    assert table.newly_identified_users(without) == {"ada"}
    assert without.newly_identified_users(table) == table.newly_identified_users(table) == set()
