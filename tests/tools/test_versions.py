"""If this goes red, a version of Python counts as tested because its name was misspelt."""

from __future__ import annotations

import pytest

from tools.versions import main


def test_an_unsupported_version_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["3.11", "3.1"]) == 2
    assert capsys.readouterr().err == "3.1: give one of 3.10, 3.11, 3.12, 3.13, 3.14\n"
