"""If this goes red, a program that gives a resource its arguments gets another object, or a secret crosses in clear."""

from __future__ import annotations

from typing import Any, NoReturn

import pulumi
import pytest
from pulumi.runtime import mocks

from flexsaml.values import RosterTable, unpack
from providers import ExtensionProperty, UserValueBaseline

SECRET = "4dabf18193072939515e22adb298388d"
"""The key by which the engine recognises a secret value."""
Props = dict[str, Any]


class FakeEngine(mocks.Mocks):
    """Keeps what a program registers."""

    def __init__(self) -> None:
        self.inputs: dict[str, Props] = {}

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, Props]:
        self.inputs[args.name] = {key: value for key, value in args.inputs.items() if key != "__provider"}
        return "id", args.inputs

    def call(self, args: mocks.MockCallArgs) -> NoReturn:
        raise NotImplementedError(args.token)


def registered(program: Any) -> Props:
    """What crosses to the engine when the program makes its resource, which is named `it`."""
    engine = FakeEngine()
    mocks.set_mocks(engine, project="flexsaml", stack="dev", preview=False)
    mocks.test(lambda: program().id)()
    return engine.inputs["it"]


def test_arguments_that_are_not_given_do_not_cross() -> None:
    """So the kind's defaults hold, whoever calls."""
    inputs = registered(lambda: ExtensionProperty("it", application_id="a", app_id="b", name="languages"))
    assert inputs == {"application_id": "a", "app_id": "b", "name": "languages"}


@pytest.mark.parametrize(
    ("cells", "hidden", "is_secret"),
    [
        ({"ada": "en"}, None, False),
        ({"ada": "en"}, True, True),
        ({"ada": pulumi.Output.from_input("en")}, False, False),
        (pulumi.Output.from_input({"ada": "en"}), False, False),
        (pulumi.Output.secret({"ada": "en"}), False, True),
        ({"ada": pulumi.Output.secret("en")}, False, True),
    ],
    ids=["plain", "hidden", "an output in it", "an output", "a secret output", "a secret output in it"],
)
def test_cells_cross_packed_and_as_secret_as_they_were(cells: Any, hidden: bool | None, is_secret: bool) -> None:
    inputs = registered(
        lambda: UserValueBaseline(
            "it", extension="a/p", full_name="x", cells=cells, hidden=hidden, ids={"ada": "11111111-0000"}
        )
    )
    assert "cells" not in inputs
    packed = inputs["__cells"]
    assert (isinstance(packed, dict) and SECRET in packed) is is_secret
    table = RosterTable.unpack(packed["value"] if is_secret else packed)
    assert table.rows == {"ada": ("11111111", "en")}


def test_what_users_hold_crosses_as_a_secret() -> None:
    inputs = registered(
        lambda: UserValueBaseline("it", extension="a/p", full_name="x", cells={"ada": "en"}, seen_values={"Ada": "de"})
    )
    assert SECRET in inputs["__seen"]
    assert unpack(inputs["__seen"]["value"]) == {"ada": "de"}
