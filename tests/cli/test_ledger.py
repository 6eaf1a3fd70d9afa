"""If this goes red, what users held before a stack wrote cannot be exported, or the export is wrong or readable by others."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from flexsaml.values import Ledger, RosterTable, pack_memory
from tests.cli.command import Ended, run

ADA, GRACE = "4734c114-47bf-5449-9f5d-ed0ecd4321c3", "5734c114-47bf-5449-9f5d-ed0ecd4321c3"
TYPE = "pulumi-python:dynamic/flexsaml:"
FULL = "extension_8f66597486ab539983f97492e2e5acec_level"


def secret(value: object) -> dict[str, object]:
    """As `pulumi stack export --show-secrets` gives one."""
    return {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "plaintext": json.dumps(value)}


def baseline(**outputs: Any) -> dict[str, Any]:
    table = RosterTable.from_cells({"ada@x.example": "2", "grace@x.example": "<null>"}, {})
    ledger = Ledger().before_write({ADA: "1", GRACE: "<null>"}, {ADA: "2", GRACE: "<null>"})
    ids = {"ada@x.example": ADA, "grace@x.example": GRACE}
    memory = secret(pack_memory(table.rows, ids, ledger))
    held = {"__cells": table.pack(), "__memory": memory, "full_name": FULL, "data_type": "Integer"}
    return {"type": f"{TYPE}UserValueBaseline", "outputs": {**held, **outputs}}


ALONE: dict[str, Any] = {
    "type": f"{TYPE}UserExtensionValue",
    "outputs": {
        "user": "ada@x.example",
        "user_id": ADA,
        "types": {FULL: "String"},
        "__memory": secret(
            Ledger().before_write({FULL: "x"}, {FULL: "a"}).before_write({FULL: "y"}, {FULL: "b"}).pack()
        ),
    },
}


def export(folder: Path, state: object, *arguments: str) -> Ended:
    """The command, with a `pulumi` on PATH that prints that state."""
    (folder / "state.json").write_text(json.dumps(state))
    program = folder / "pulumi"
    program.write_text(
        f'#!/bin/sh\ntest "$*" = "stack export --show-secrets --stack dev --non-interactive" || exit 1\ncat {folder}/state.json\n'
    )
    program.chmod(0o700)
    given = ("ledger", "--stack", "dev", "--out", str(folder / "ledger.json"), *arguments)
    return run(*given, cwd=folder, environment={"PATH": f"{folder}:/bin:/usr/bin"})


def test_every_cell_with_what_was_there_and_what_may_be_ours(tmp_path: Path) -> None:
    others = {"type": "pulumi:pulumi:Stack"}
    ended = export(tmp_path, {"deployment": {"resources": [others, baseline(), ALONE]}}, "--json")
    assert (ended.status, ended.err) == (0, "")
    assert json.loads(ended.out) == {"cells": 3, "file": str(tmp_path / "ledger.json")}
    assert json.loads((tmp_path / "ledger.json").read_text())["cells"] == [
        {"user": "ada@x.example", "id": ADA, "extension": FULL, "prior": 1, "written": [2]},
        {"user": "grace@x.example", "id": GRACE, "extension": FULL, "prior": None, "written": [None]},
        {"user": "ada@x.example", "id": ADA, "extension": FULL, "prior": "x", "written": ["a", "b"]},
    ]
    assert stat.S_IMODE((tmp_path / "ledger.json").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("no object", "the state does not have the shape that this version writes"),
        ({"deployment": {"resources": [{"id": "no type"}]}}, "the state does not have the shape"),
        ({"deployment": {"resources": [baseline(__memory="1:AAAA")]}}, "a packed text that was cut or altered"),
        ({"deployment": {"resources": [baseline(__memory="2:AAAA")]}}, "written by another version of flexsaml"),
    ],
)
def test_a_state_that_was_edited_is_one_line(tmp_path: Path, state: object, words: str) -> None:
    ended = export(tmp_path, state)
    assert (ended.status, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert words in ended.err
    assert not (tmp_path / "ledger.json").exists()


def test_an_empty_stack_has_no_cells(tmp_path: Path) -> None:
    assert export(tmp_path, {"deployment": {}}).status == 0
    assert json.loads((tmp_path / "ledger.json").read_text()) == {"cells": []}


def test_a_symbolic_link_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (tmp_path / "ledger.json").symlink_to(elsewhere)
    ended = export(tmp_path, {"deployment": {"resources": [baseline()]}})
    assert (ended.status, elsewhere.exists()) == (2, False)
    assert "it is a symbolic link" in ended.err
