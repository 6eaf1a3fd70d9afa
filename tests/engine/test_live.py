"""If this goes red, a volunteer's run of the live suite breaks on the real engine, or leaves something in the tenant."""

from __future__ import annotations

from tests.emulator.process import Emulator
from tests.engine.stack import seed
from tests.live.conftest import make_run
from tests.live.engine import run_on_engine


def test_the_life_cycle_of_the_live_suite_holds_on_the_engine(emulator: Emulator) -> None:
    seed(emulator)
    before = emulator.export()
    report = make_run(emulator, (), life_cycles=(run_on_engine,)).carry_out()
    (life_cycle,) = report["life_cycles"]
    assert [(step["step"], step["words"]) for step in life_cycle["steps"]] == [
        ("create", ""), ("no change", ""), ("change", ""), ("destroy", "")
    ]  # fmt: skip
    assert life_cycle["held"]
    assert report["left_behind"] == 0
    assert emulator.export() == before
