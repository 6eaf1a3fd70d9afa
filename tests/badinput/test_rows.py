"""If this goes red, somebody's mistake ends in a traceback, or in a line that does not say where it is and what to do.

The rows stand in `rows/`, one file for each place where input comes in.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.badinput.surfaces import SURFACES, expand, load_rows
from tests.providers.process import PROJECT

ROWS = [(surface, name, row) for surface in SURFACES for name, row in load_rows(surface).items()]


@pytest.mark.parametrize(("surface", "name", "row"), ROWS, ids=[f"{surface}: {name}" for surface, name, _ in ROWS])
def test_bad_input_is_told_in_one_line(surface: str, name: str, row: dict[str, Any], tmp_path: Path) -> None:
    status, lines = SURFACES[surface](name, expand(row["input"]), tmp_path)
    assert status == row["status"], lines
    assert row["line"] in [line.replace(str(tmp_path), "").replace(str(PROJECT), "") for line in lines]
    assert all(line.isprintable() for line in lines)


def test_there_are_as_many_rows_as_the_documents_say() -> None:
    assert len(ROWS) > 450
    assert all(row["line"] for _, _, row in ROWS)
