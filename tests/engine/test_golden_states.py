"""If this goes red, a stack that an earlier release made cannot be taken over by this one: it would be changed by the
first preview or update, or its destroy would not restore the tenant."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.emulator.process import Emulator
from tests.engine.request_log import requests_of, writes_in
from tests.engine.stack import SavedStack, Stack, seed
from tests.golden.states import NAMES, GoldenState

WITHOUT_DEPENDENCIES = "adopted_after_import"
"""An import file cannot say which resource depends on which, and destroy would go in any order: `adopt` asks for an
`up` before anything else, which records the dependencies."""


@pytest.mark.parametrize("name", NAMES)
def test_a_stack_of_an_earlier_release_is_unchanged_and_is_taken_back(
    name: str, saved_empty_stack: SavedStack, emulator: Emulator, tmp_path: Path
) -> None:
    stack = open_golden(GoldenState(name), saved_empty_stack, emulator, tmp_path)
    stack.assert_unchanged()
    stack.ok("refresh", "--preview-only", "--expect-no-changes")
    if name == WITHOUT_DEPENDENCIES:
        stack.up()
    assert writes_in(requests_of(emulator)) == []
    stack.assert_destroy_restores_the_tenant()


def test_a_roster_of_an_earlier_release_is_changed_and_taken_back(
    saved_empty_stack: SavedStack, emulator: Emulator, tmp_path: Path
) -> None:
    """One user leaves, two get another value, one comes: an update works with the ledger that is in state."""
    stack = open_golden(GoldenState("roster"), saved_empty_stack, emulator, tmp_path)
    roster = (stack.checkout.directory / "agents.csv").read_text(encoding="utf-8")
    rows = [row for row in roster.splitlines() if not row.startswith("linus@")]
    text = "\n".join([*rows, "susan@contoso.example,,,pink"]).replace(",blue", ",black")
    assert text.count(",black") == 2, "the values of Ada and Alan"
    stack.checkout.write_roster(text)
    outputs = stack.ok("stack", "output", "--json").output
    stack.up()
    assert stack.ok("stack", "output", "--json").output == outputs, "other programs read them by name"
    names = ("ada", "grace", "linus", "susan", "alan")
    assert [stack.tenant().value(name, "team") for name in names] == ["black", "yellow", None, "pink", "black"]
    assert len(writes_in(requests_of(emulator))) == 4, "the team of everybody but Grace"
    stack.assert_unchanged()
    stack.assert_destroy_restores_the_tenant()


def open_golden(golden: GoldenState, empty: SavedStack, emulator: Emulator, directory: Path) -> Stack:
    """The stack of a golden state, imported into a backend of its own, in the tenant it belongs to."""
    stack = empty.open(emulator, directory)
    seed(emulator, golden.tenant("before"))
    stack.tenant_before = emulator.export()
    seed(emulator, golden.tenant("made"))
    stack.config_file.write_text(golden.stack_file, encoding="utf-8")
    if golden.roster:
        shutil.copy(golden.roster, stack.checkout.directory)
    if golden.program:
        stack.checkout.write_program(golden.program)
    stack.config = golden.config
    state = directory / "golden.json"
    state.write_text(golden.state(emulator.http), encoding="utf-8")
    stack.ok("stack", "import", "--file", str(state))
    return stack
