"""If this goes red, a stack that an earlier release made cannot be taken over by this one: it would be changed by the
first preview or update, or its destroy would not restore the tenant."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.emulator.process import Emulator
from tests.engine.stack import Checkout, Stack, calls, writes
from tests.golden.states import NAMES, GoldenState

WITHOUT_DEPENDENCIES = "adopted_after_import"
"""An import file cannot say which resource depends on which, and destroy would go in any order: `adopt` asks for an
`up` before anything else, which records the dependencies."""


@pytest.mark.parametrize("name", NAMES)
def test_a_stack_of_an_earlier_release_is_unchanged_and_is_taken_back(
    name: str, emulator: Emulator, tmp_path: Path
) -> None:
    golden = GoldenState(name)
    emulator.seed(golden.tenant("before"))
    before = emulator.export()
    emulator.seed(golden.tenant("made"))
    stack = stack_of(golden, emulator, tmp_path)
    emulator.clear()

    stack.unchanged()
    stack.ok("refresh", "--preview-only", "--expect-no-changes")
    if name == WITHOUT_DEPENDENCIES:
        stack.up()
    assert writes(calls(emulator)) == []

    stack.destroy()
    assert emulator.export() == before


def test_a_roster_of_an_earlier_release_is_changed_and_taken_back(emulator: Emulator, tmp_path: Path) -> None:
    """One user leaves, one gets another value, one comes: an update works with the ledger that is in state."""
    golden = GoldenState("roster")
    emulator.seed(golden.tenant("before"))
    before = emulator.export()
    emulator.seed(golden.tenant("made"))
    stack = stack_of(golden, emulator, tmp_path)
    team = stack.tenant().full("team")
    roster = stack.checkout.directory / "agents.csv"
    rows = [row for row in roster.read_text(encoding="utf-8").splitlines() if not row.startswith("linus@")]
    text = "\n".join([*rows, "susan@contoso.example,,,pink"]).replace(",blue", ",black")
    assert text.count(",black") == 2, "the values of Ada and Alan"
    roster.write_text(text, encoding="utf-8")
    emulator.clear()

    stack.up()
    names = ("ada", "grace", "linus", "susan", "alan")
    assert [stack.tenant().value(name, "team") for name in names] == ["black", "yellow", None, "pink", "black"]
    assert len(writes(calls(emulator))) == 4, f"{team} of everybody but Grace"
    stack.unchanged()

    stack.destroy()
    assert emulator.export() == before


def stack_of(golden: GoldenState, emulator: Emulator, room: Path) -> Stack:
    """The stack of a golden state, imported into a backend of its own."""
    checkout = Checkout(room / "checkout", golden.program)
    (checkout.directory / "Pulumi.dev.yaml").write_text(golden.stack_file, encoding="utf-8")
    if golden.roster:
        shutil.copy(golden.roster, checkout.directory)
    stack = Stack(checkout, emulator, room)
    stack.config = golden.config
    stack.init()
    state = room / "golden.json"
    state.write_text(golden.state(emulator.http), encoding="utf-8")
    stack.ok("stack", "import", "--file", str(state))
    return stack
