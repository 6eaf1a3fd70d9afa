"""If this goes red, a stack that an earlier release made cannot be taken over by this one: it would be changed by the
first preview or update, or its destroy would not restore the tenant."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.emulator.process import Emulator
from tests.engine.host import HostProject
from tests.engine.request_log import requests_of, writes_in
from tests.engine.stack import DESTROY, UP, SavedStack, Stack, seed
from tests.golden.states import NAMES, GoldenState

WITHOUT_DEPENDENCIES = "adopted_after_import"
"""An import file cannot say which resource depends on which, and destroy would go in any order: `adopt` asks for an
`up` before anything else, which records the dependencies."""


@pytest.mark.long
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


@pytest.fixture
def earlier_wheel(emulator: Emulator, tmp_path: Path, wheel: Path) -> Stack:
    """A program that uses this wheel, on the state that the first wheel made."""
    golden = GoldenState("wheel/program")
    stack = Stack(HostProject(tmp_path / "platform", golden.program), emulator, tmp_path)
    stack.identity = {"PYTHONPATH": str(wheel)}
    stack.init()
    return import_golden(stack, golden)


def test_a_stack_of_an_earlier_wheel_is_unchanged_changed_and_taken_back(earlier_wheel: Stack) -> None:
    stack = earlier_wheel
    stack.assert_unchanged()
    stack.ok("refresh", "--preview-only", "--expect-no-changes")
    assert writes_in(requests_of(stack.emulator)) == []
    change_values(stack)
    stack.up()
    held = [stack.tenant().value(name, "team") for name in ("ada", "grace", "linus", "susan")]
    assert held == ["pink", "black", None, "white"]
    stack.assert_unchanged()
    stack.assert_destroy_restores_the_tenant()


def test_a_state_of_a_later_wheel_is_refused_in_words_and_loses_nothing(earlier_wheel: Stack) -> None:
    """A later version packs values in a format that this one does not know."""
    stack = earlier_wheel
    stack.ok("stack", "import", "--file", rewrite_format(stack, "1", "2"))
    tenant = stack.emulator.export()
    change_values(stack)
    words = "this state was written by another version of flexsaml, which packs values in format '2'"
    for command in (("preview",), ("refresh", "--yes", "--skip-preview"), UP):
        assert words in stack.refused(*command)
        assert stack.emulator.export() == tenant
    assert words in stack.refused(*DESTROY)  # the assignment may be gone by then, and the baselines are not
    stack.ok("stack", "import", "--file", rewrite_format(stack, "2", "1"))
    stack.assert_destroy_restores_the_tenant()


def change_values(stack: Stack) -> None:
    """One user gets another value in the program, one in the roster; one leaves, one comes."""
    stack.identity["TEAM"] = "pink"
    stack.checkout.write_roster("user,team\ngrace@contoso.example,black\nsusan@contoso.example,white\n")


def rewrite_format(stack: Stack, former: str, later: str) -> str:
    """A file with the stack's state, whose packed texts have another format."""
    state = stack.ok("stack", "export", "--show-secrets").output
    packed = re.compile(rf'(?<="){former}:(?=eF)')
    assert packed.search(state)
    file = stack.directory / f"format-{later}.json"
    file.write_text(packed.sub(f"{later}:", state), encoding="utf-8")
    return str(file)


def open_golden(golden: GoldenState, empty: SavedStack, emulator: Emulator, directory: Path) -> Stack:
    """The stack of a golden state, imported into a backend of its own, in the tenant it belongs to."""
    return import_golden(empty.open(emulator, directory), golden)


def import_golden(stack: Stack, golden: GoldenState) -> Stack:
    """The stack, which has no resources, with a golden state, in the tenant it belongs to."""
    emulator = stack.emulator
    seed(emulator, golden.tenant("before"))
    stack.tenant_before = emulator.export()
    seed(emulator, golden.tenant("made"))
    stack.config_file.write_text(golden.stack_file, encoding="utf-8")
    if golden.roster:
        shutil.copy(golden.roster, stack.checkout.directory)
    if golden.program:
        stack.checkout.write_program(golden.program)
    stack.config = golden.config
    state = stack.directory / "golden.json"
    state.write_text(golden.state(emulator.http), encoding="utf-8")
    stack.ok("stack", "import", "--file", str(state))
    return stack
