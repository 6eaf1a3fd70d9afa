"""If this goes red, destroy deletes an extension property that somebody else made after Graph refused to create it for
this stack, or leaves one behind that this stack made.

State records a creation that was certainly refused. Real kinds and Graph client, under the engine in miniature; that
the engine keeps such a record is shown in `tests/engine/test_refused_creation.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from providers import TENANT, Connection
from tests.emulator.process import Emulator
from tests.providers.history import History, Rows, make_rows
from tests.providers.process import FakeEngine, ProviderProcess
from tests.providers.test_check_and_diff import PROPERTY

Step = Callable[[History], object]


@pytest.fixture(scope="module")
def rows(process: Emulator) -> Rows:
    return make_rows(process)


@pytest.fixture
def history(emulator: Emulator, tmp_path: Path, rows: Rows) -> Iterator[History]:
    history = History(emulator, tmp_path, rows, own=["team"])
    history.declare("ada", "languages")
    yield history
    TENANT.configure(Connection())


def up(history: History) -> None:
    assert history.up().refusal == ""


def up_refused(status: int) -> Step:
    def step(history: History) -> None:
        history.emulator.fault("refuse", "POST", "/extensionProperties", status=status, times=-1)
        assert str(status) in history.up().refusal

    return step


def up_lost(history: History) -> None:
    """The creation is carried out, and no answer to it arrives."""
    history.emulator.fault("lose", "POST", "/extensionProperties", times=-1)
    history.up()


def up_unread(history: History) -> None:
    """Extension properties can be neither read nor created."""
    history.emulator.fault("refuse", "", "/extensionProperties", status=403, times=-1)
    assert "403" in history.up().refusal


def up_taken_while(status: int) -> Step:
    def step(history: History) -> None:
        history.emulator.fault("refuse", "POST", "/extensionProperties", status=status, times=-1)
        up_taken(history)

    return step


def up_taken(history: History) -> None:
    assert "exists already" in history.up().refusal


def up_killed(history: History) -> None:
    history.up(killed_at="flex-team")


def up_killed_replacing(history: History) -> None:
    """The record of the refused creation is deleted in the first step, the property created in the second."""
    history.up(killed_at=2)
    assert history.tenant.full("team") in history.tenant.properties()


def up_only_the_record(history: History) -> None:
    assert history.up(targets={"flex-team"}).refusal == ""


def refresh(history: History) -> None:
    history.stack.refresh()


def up_failing(history: History) -> None:
    """Nobody knows whether the creation is carried out; it is not."""
    history.emulator.fault("refuse", "POST", "/extensionProperties", status=503, times=-1)
    assert "503" in history.up().refusal


def destroy_half(history: History) -> None:
    """Ended right after the record of the refused creation left state."""
    order = [name for name in reversed(history.stack.state) if not name.endswith("-before")]
    history.destroy(killed_at=order[order.index("flex-team") + 1])


def remove(history: History) -> None:
    history.drop_extension("team")


def change_type(history: History) -> None:
    """The program declares another data type from now on."""

    def declare_integer(props: dict[str, object]) -> None:
        if props.get("name") == "team":
            props["data_type"] = "Integer"

    history.stack.falsify = declare_integer


def make_as_stranger(history: History) -> None:
    history.make_property_as_stranger("team")


IS_KEPT, IS_GONE = True, False
SEQUENCES: dict[str, tuple[list[Step], bool]] = {
    "refused, then made by a stranger": ([up_refused(403), make_as_stranger], IS_KEPT),
    "refused as malformed, then made by a stranger": ([up_refused(400), make_as_stranger], IS_KEPT),
    "refused twice, then made by a stranger": ([up_refused(403), up_refused(403), make_as_stranger], IS_KEPT),
    "refused, refreshed, then made by a stranger": ([up_refused(403), refresh, make_as_stranger], IS_KEPT),
    "made by a stranger, and declared still": ([up_refused(403), make_as_stranger, up_taken, up_taken], IS_KEPT),
    "made by a stranger, and refused again": ([up_refused(403), make_as_stranger, up_taken_while(403)], IS_KEPT),
    "made by a stranger, and answered with an error": (
        [up_refused(403), make_as_stranger, up_taken_while(503)],
        IS_KEPT,
    ),
    "made by a stranger, and unreadable": ([up_refused(403), make_as_stranger, up_unread], IS_KEPT),
    "made by a stranger, then removed": ([up_refused(403), make_as_stranger, remove, up], IS_KEPT),
    "removed, then made by a stranger": ([up_refused(403), remove, up, make_as_stranger], IS_KEPT),
    "made by a stranger, removed without a run": ([up_refused(403), make_as_stranger, remove], IS_KEPT),
    "refused after a change of its type": ([up, change_type, up_refused(403), make_as_stranger], IS_KEPT),
    "created after a change of its type": ([up, change_type, up_refused(403), up], IS_GONE),
    "refused": ([up_refused(403)], IS_GONE),
    "refused, then created": ([up_refused(403), up], IS_GONE),
    "refused, then killed before the creation": ([up_refused(403), up_killed], IS_GONE),
    "refused, then killed after the creation": ([up_refused(403), up_killed_replacing], IS_GONE),
    "made by a stranger, then killed before the creation": ([up_refused(403), make_as_stranger, up_killed], IS_KEPT),
    "killed after the creation": ([up_killed], IS_GONE),
    "killed after the creation, then refused": ([up_killed, up_refused(403)], IS_GONE),
    "created without an answer": ([up_lost], IS_GONE),
    "refused, then created without an answer": ([up_refused(403), up_lost], IS_GONE),
    "refused, unreadable, then created": ([up_refused(403), up_unread, up], IS_GONE),
    "killed after the creation, then removed: nobody knows who made it": ([up_killed, remove, up], IS_KEPT),
}


@pytest.mark.parametrize(("steps", "is_kept"), SEQUENCES.values(), ids=list(SEQUENCES))
def test_destroy_deletes_only_what_this_stack_made(history: History, steps: list[Step], is_kept: bool) -> None:
    for step in steps:
        step(history)
    assert history.destroy().refusal == ""
    assert (history.tenant.full("team") in history.tenant.properties()) is is_kept


LIMITS: dict[str, list[Step]] = {
    "an error leaves a later creation open": [up_refused(403), up_failing, make_as_stranger],
    "the run that replaces the record is killed": [up_refused(403), make_as_stranger, up_killed_replacing],
    "the record leaves the stack alone, as a target": [up_refused(403), make_as_stranger, remove, up_only_the_record],
    "destroy ends half-way or has the record for its --target, and runs again": [
        up_refused(403),
        make_as_stranger,
        destroy_half,
    ],
}


@pytest.mark.parametrize("holds_value", [False, True])
@pytest.mark.parametrize("steps", LIMITS.values(), ids=list(LIMITS))
def test_known_limit(history: History, steps: list[Step], holds_value: bool) -> None:
    """A stranger's property is deleted if it is empty. State has no record of the refusal any more: the engine dropped
    it, and `delete` cannot change the state of another resource (docs/architecture.md)."""
    for step in steps:
        step(history)
    if holds_value:
        history.write_as_stranger("grace", "team", "mine")
    assert history.destroy().refusal == ""
    assert (history.tenant.full("team") in history.tenant.properties()) is holds_value


def test_preview_says_why_a_property_that_was_refused_is_replaced(
    provider: ProviderProcess, engine: FakeEngine
) -> None:
    inputs = provider.checked("ExtensionProperty", PROPERTY)
    engine.lines.clear()
    provider.checked("ExtensionProperty", PROPERTY, {**inputs, "baseline": "not-created"})
    assert engine.lines == [
        "extension 'languages' does not exist yet, because Graph refused to create it: the replacement creates it"
    ]
    engine.lines.clear()
    provider.checked("ExtensionProperty", PROPERTY, inputs)
    assert engine.lines == []
