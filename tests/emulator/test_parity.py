"""If this goes red, docs/parity.md promises a behaviour that no test witnesses, or a dial is told to nobody.

The table is read as users read it, and compared with the tests and the dials that exist.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.emulator.process import REPOSITORY, Emulator

TESTS = Path(__file__).parent
PARITY = (REPOSITORY / "docs" / "parity.md").read_text(encoding="utf-8")
ROWS = [row.strip("| ").split(" | ") for row in PARITY.splitlines() if re.match(r"\| (?!behaviour)\S", row)]
WITNESSES = {
    name for path in TESTS.glob("test_*.py") for name in re.findall(r"^def (test_\w+)", path.read_text(), re.M)
}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_every_behaviour_has_a_grade_and_a_witness(row: list[str]) -> None:
    _behaviour, grade, witness = row
    assert re.match(r"[ABCD]\b|–", grade)
    assert witness.strip("`") in WITNESSES


def test_the_table_is_not_empty_and_uncertain_rows_say_so() -> None:
    assert len(ROWS) > 60
    assert sum("dial" in row[1] for row in ROWS) > 10


def test_every_dial_is_documented(emulator: Emulator) -> None:
    told = (REPOSITORY / "docs" / "emulator.md").read_text(encoding="utf-8").partition("### Dials")[2]
    assert {dial for dial in emulator.admin("GET", "dials") if f"`{dial}`" not in told} == set()
