"""If this goes red, a person's value is lost, or one of ours stays behind after destroy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexsaml.values import NULL, Cell, UnknownPackedFormat, digest, pack, take_back, too_many, unpack

VALUES = st.sampled_from([NULL, "a", "b", "c", "stranger"])


def test_the_first_prior_is_kept_for_good() -> None:
    cell = Cell.first(live="old", wanted="one").again(live="one", wanted="two").again(live="two", wanted="three")
    assert cell.prior == "old"
    assert take_back({"u": cell}, {"u": "three"}).restore == {"u": "old"}


def test_after_two_failed_updates_each_value_that_may_be_live_is_ours() -> None:
    planned = Cell.first(live="old", wanted="one").again(live="one", wanted="two")  # "two" was never written
    planned = planned.again(live="one", wanted="three")  # nor was "three"
    for live in ("one", "three"):
        assert take_back({"u": planned}, {"u": live}).restore == {"u": "old"}, live
    assert take_back({"u": planned}, {"u": "two"}).strangers == ["u"], "what never was live is not ours any more"


def test_a_strangers_value_stays_and_is_reported() -> None:
    cell = Cell.first(live=NULL, wanted="ours")
    found = take_back({"u": cell, "v": cell, "w": cell}, {"u": "theirs", "v": None, "w": NULL})
    assert (found.restore, found.strangers, found.gone) == ({}, ["u"], ["v"])


@given(prior=VALUES, wanted=st.lists(st.tuples(VALUES, st.booleans()), max_size=6), last=VALUES)
def test_whatever_runs_fail_only_our_values_are_taken_back_and_all_of_them(
    prior: str, wanted: list[tuple[str, bool]], last: str
) -> None:
    """Each update records, then may fail before it writes; at the end a stranger may have written."""
    live, written, cell = prior, {prior}, None
    for value, carried_out in wanted:
        cell = cell.again(live, value) if cell else Cell.first(live, value)
        if carried_out:
            live = value
            written.add(value)
    if cell is None:
        return
    assert cell.prior == prior
    end = take_back({"u": cell}, {"u": live})
    assert (end.restore.get("u", live)) == prior, "everything of ours is taken back"
    if last not in cell.ours:
        assert take_back({"u": cell}, {"u": last}).restore == {}, "a stranger's value is never overwritten"


def test_packing_is_stable_and_comes_back() -> None:
    data = {"b": ["ü", None], "a": {"x": 9007199254740993}}
    assert unpack(pack(data)) == data
    assert pack(data) == pack(dict(reversed(data.items()))), "equal data must be equal bytes"
    assert unpack("1:eNqrVkpUsopWMlSKrQUAEeQDBQ==") == {"a": ["1"]}, "the form is persisted in users' state"
    with pytest.raises(UnknownPackedFormat):
        unpack("2:abc")
    assert digest(data) != digest({**data, "c": 1})


def test_emptying_a_contact_centre_needs_a_word() -> None:
    cases = [
        # removed, managed, allowed, stops
        (10, 10, 0, False),
        (11, 11, 0, True),
        (11, 55, 0, False),
        (12, 55, 0, True),
        (12, 55, 11, True),
        (12, 55, 12, False),
    ]
    assert [too_many(removed, managed, allowed) for removed, managed, allowed, _ in cases] == [c[3] for c in cases]
