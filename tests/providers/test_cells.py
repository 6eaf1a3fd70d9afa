"""If this goes red, a renamed user loses values, a re-created person keeps none, or turning preflight off writes all."""

from __future__ import annotations

import pytest

from providers.kinds.cells import Rows, changed, ids_for, memory_in, pack_memory, pack_rows, packed, rows_in, turn

ADA, OTHER = "11111111-0000-4000-8000-00000000000a", "22222222-0000-4000-8000-00000000000b"
IDS = {"ada@x": ADA, "ada.king@x": ADA, "bob@x": OTHER}
Cells = dict[str, str]


def rows(cells: Cells, ids: dict[str, str] = IDS) -> Rows:
    return rows_in({"__cells": packed(cells, ids)})


TURNS: list[tuple[str, Cells, dict[str, str], Cells, dict[str, str], list[str], list[str], list[str], list[str]]] = [
    # what happened, then (cells, ids), now (cells, ids), missing -> to write, unknown, gone
    ("nothing", {"ada@x": "en"}, IDS, {"ada@x": "en"}, IDS, [], [], [], []),
    ("another case", {"ada@x": "en"}, IDS, {"ADA@X": "en"}, {"ADA@X": ADA}, [], [], [], []),
    ("a value", {"ada@x": "en"}, IDS, {"ada@x": "de"}, IDS, [], ["ada@x"], [], []),
    ("a user", {"ada@x": "en"}, IDS, {"ada@x": "en", "bob@x": "en"}, IDS, [], ["bob@x"], [], []),
    ("a new person of that name", {"ada@x": "en"}, IDS, {"ada@x": "en"}, {"ada@x": OTHER}, [], ["ada@x"], [], []),
    ("a new name of that person", {"ada@x": "en"}, IDS, {"ada.king@x": "en"}, IDS, [], [], [], []),
    ("a new name and a value", {"ada@x": "en"}, IDS, {"ada.king@x": "de"}, IDS, [], ["ada.king@x"], [], []),
    ("both names, one is left", {"ada@x": "en"}, IDS, {"ada.king@x": "en"}, IDS, ["ada@x"], [], [], []),
    ("preflight turned off", {"ada@x": "en"}, IDS, {"ada@x": "en"}, {}, [], [], [], []),
    ("preflight turned on", {"ada@x": "en"}, {}, {"ada@x": "en"}, IDS, [], [], [], []),
    ("a name nobody has", {}, {}, {}, {}, ["Eve@x"], [], ["Eve@x"], []),
    ("a user who left", {"ada@x": "en"}, IDS, {}, {}, ["ADA@x"], [], [], ["ADA@x"]),
]


@pytest.mark.parametrize(
    ("then", "ids_then", "now", "ids_now", "missing", "writes", "unknown", "gone"),
    [one[1:] for one in TURNS],
    ids=[one[0] for one in TURNS],
)
def test_what_a_turn_makes_of_the_users(
    then: Cells,
    ids_then: dict[str, str],
    now: Cells,
    ids_now: dict[str, str],
    missing: list[str],
    writes: list[str],
    unknown: list[str],
    gone: list[str],
) -> None:
    found = turn({"__cells": packed(then, ids_then)}, {"__cells": packed(now, ids_now), "seen_missing": missing})
    assert [user for user, row in found.now.items() if changed(found.before, user, row)] == writes
    assert (found.unknown, found.gone) == (unknown, gone)
    assert not set(found.before) - set(found.now), "none of these turns removes anybody"


def test_who_a_user_was_stays_known_while_preflight_is_off() -> None:
    off = turn({"__cells": packed({"ada@x": "en"}, IDS)}, {"__cells": packed({"ada@x": "de"})})
    again = turn({"__cells": pack_rows(off.now)}, {"__cells": packed({"ada@x": "de"}, {"ada@x": OTHER})})
    assert changed(again.before, "ada@x", again.now["ada@x"])


def test_memory_gives_back_what_it_was_given() -> None:
    held = rows({"ada@x": "en", "bob@x": "de", "eve@x": "fr"})
    memory = pack_memory(held, {"bob@x": OTHER, "ada@x": ADA}, {OTHER: ["x", ["y"]]})
    props = {"__cells": pack_rows(held), **memory}
    assert memory_in(props) == ({"ada@x": ADA, "bob@x": OTHER}, {OTHER: ["x", ["y"]]})
    assert memory_in({"__cells": packed({}), **pack_memory({}, {}, {})}) == ({}, {})


def test_a_remembered_id_holds_for_the_same_person_only() -> None:
    memory = {"ada@x": ADA, "bob@x": OTHER}
    assert ids_for(memory, rows({"ada@x": "en", "bob@x": "de"}, {"ada@x": OTHER})) == {"bob@x": OTHER}
