"""If this goes red, a bug of ours is shown to a user as if it were the user's mistake, without its traceback."""

from __future__ import annotations

import json

import pulumi
import pytest

from components.inspection import as_run_error, inspect
from flexsaml.errors import UserError
from flexsaml.graph import Directory
from tests.declaration.written import RIGHT
from tests.test_terminal_text import HOSTILE, is_harmless


@pytest.mark.parametrize(
    "bug", [ValueError("too many values to unpack"), json.JSONDecodeError("x", "", 0), KeyError("x")]
)
def test_a_bug_keeps_its_traceback(bug: Exception) -> None:
    def directory() -> Directory:
        raise bug

    with pytest.raises(type(bug)):
        inspect(RIGHT, "a policy", directory)


def test_an_error_of_the_user_is_one_line() -> None:
    def directory() -> Directory:
        raise UserError("run `az login`")

    with pytest.raises(pulumi.RunError, match=r"^flexsaml: run `az login`; nothing of this component was changed$"):
        inspect(RIGHT, "a policy", directory)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_line_of_an_error_carries_what_somebody_named_an_object(text: str) -> None:
    for refusal in (as_run_error([text]), as_run_error([text, text])):
        assert all(map(is_harmless, str(refusal).split("\n"))), refusal
