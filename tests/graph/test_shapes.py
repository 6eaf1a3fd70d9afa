"""If this goes red, an answer that says nothing passes for "nobody", and what others rely on is deleted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest

from flexsaml.graph.directory import Directory
from flexsaml.graph.errors import StillPending, Unanswered
from flexsaml.graph.shapes import read_moment

from .fakes import Answer, Step, batch, listing, ok, stage


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2029-01-01T00:00:00Z", datetime(2029, 1, 1, tzinfo=timezone.utc)),
        ("2029-01-01T00:00:00.8100763Z", datetime(2029, 1, 1, tzinfo=timezone.utc)),  # Python 3.10 reads no 7 digits
        ("2029-01-01T01:00:00+01:00", datetime(2029, 1, 1, tzinfo=timezone.utc)),
        ("2029-01-01T00:00:00", datetime(2029, 1, 1, tzinfo=timezone.utc)),
        ("soon", None),
        (None, None),
        (7, None),
    ],
)
def test_a_moment_is_read_in_every_form_that_graph_gives(text: object, moment: datetime | None) -> None:
    assert read_moment(text) == moment


NO_OBJECT: dict[str, Answer] = {
    "no body": ok(),
    "an empty object": ok({}),
    "an error with status 200": ok({"error": {"code": "UnknownError", "message": ""}}),
    "an id that is a number": ok({"id": 7}),
    "an empty id": ok({"id": ""}),
}
NO_LIST: dict[str, Answer] = {
    "no body": ok(),
    "an empty object": ok({}),
    "an error with status 200": ok({"error": {"code": "UnknownError", "message": ""}}),
    "null": ok({"value": None, "@odata.count": 0}),
    "an object": ok({"value": {}, "@odata.count": 0}),
    "text": ok({"value": "", "@odata.count": 0}),
    "a list of numbers": listing(7, **{"@odata.count": 1}),
    "a list of empty objects": listing({}, **{"@odata.count": 1}),
    "a number only": ok({"@odata.count": 0}),
}
NO_COUNT: dict[str, Answer] = {
    "no number": listing(),
    **{repr(count): listing(**{"@odata.count": count}) for count in (None, "0", -1, 0.5, False)},
}
PROPERTY: dict[str, object] = {"id": "p", "name": "extension_x", "dataType": "String", "targetObjects": ["User"]}
NO_PROPERTY: dict[str, Answer] = {
    **{f"no {key}": ok({**PROPERTY, key: None}) for key in ("name", "dataType")},
    "a name that is a number": ok({**PROPERTY, "name": 7}),
    "one target that is no list": ok({**PROPERTY, "targetObjects": "User"}),
}
NO_APPLICATION: dict[str, Answer] = {
    "no appId": ok({"id": "app"}),
    "an appId that is a number": ok({"id": "app", "appId": 7}),
}
NO_POLICY: dict[str, Answer] = {
    "a definition that is text": ok({"id": "p", "definition": "{}"}),
    "a definition that is an object": ok({"id": "p", "definition": {"0": "{}"}}),
    "a definition of numbers": ok({"id": "p", "definition": [7]}),
}
OWNER = ok({"id": "app", "appId": "a", "displayName": "Flex"})


def existing_objects(directory: Directory) -> object:
    return directory.read_existing_objects(app_id="a", service_principal_id="sp", policy_name="Flex")


Call = Callable[[Directory], object]
Script = Callable[[Answer], list[Step]]
alone: Script = lambda answer: [answer]  # noqa: E731
CALLS: dict[str, tuple[Call, Script, dict[str, Answer]]] = {
    # the call, the answers with the malformed one in its place, and what is malformed there
    "to whom a policy applies": (lambda directory: directory.applies_to("p"), alone, NO_LIST),
    "policies of a name": (lambda directory: directory.policies("Flex"), alone, NO_LIST),
    "assigned policies": (lambda directory: directory.assigned_policies("sp"), alone, NO_LIST),
    "whether a policy is assigned": (lambda directory: directory.is_assigned("sp", "p"), alone, NO_LIST),
    "whether a policy is unassigned": (
        lambda directory: directory.unassign("sp", "p"),
        lambda answer: [ok(), *[answer] * 20],  # the removal itself was answered: the list is awaited
        NO_LIST,
    ),
    "extension properties": (lambda directory: directory.extension_properties("app"), alone, NO_LIST),
    "whether a property exists": (lambda directory: directory.extension_exists("app", "x"), alone, NO_LIST),
    "holders of values": (lambda directory: directory.find_value_holders("x"), alone, NO_LIST | NO_COUNT),
    "a holder": (
        lambda directory: directory.find_value_holders("x"),
        lambda answer: [listing({"id": "ada"}, **{"@odata.count": 1}), batch(answer)],
        NO_OBJECT,
    ),
    "users": (lambda directory: directory.read_users(["ada"], ["x"]), lambda answer: [batch(answer)], NO_OBJECT),
    "a user": (lambda directory: directory.find_user("ada", ["x"]), alone, NO_OBJECT),
    "a policy": (lambda directory: directory.policy("p"), alone, NO_OBJECT | NO_POLICY),
    "a property": (lambda directory: directory.extension_property("app", "p"), alone, NO_OBJECT | NO_PROPERTY),
    "the owner": (
        existing_objects,
        lambda answer: [batch(answer, listing(), listing(), listing())],
        NO_OBJECT | NO_APPLICATION,
    ),
    "the owner's properties": (existing_objects, lambda answer: [batch(OWNER, answer, listing(), listing())], NO_LIST),
    "the principal's policies": (
        existing_objects,
        lambda answer: [batch(OWNER, listing(), answer, listing())],
        NO_LIST,
    ),
    "policies of this stack's name": (
        existing_objects,
        lambda answer: [batch(OWNER, listing(), listing(), answer)],
        NO_LIST,
    ),
}
ROWS: list[Any] = [
    pytest.param(call, script(answer), id=f"{name}: {words}")
    for name, (call, script, answers) in CALLS.items()
    for words, answer in answers.items()
]


@pytest.mark.parametrize(("call", "steps"), ROWS)
def test_an_answer_without_the_documented_shape_is_no_absence(call: Call, steps: list[Step]) -> None:
    with pytest.raises((Unanswered, StillPending), match="run the same command again"):
        call(stage(*steps).directory)


def test_a_created_policy_without_an_id_is_an_error_that_a_later_run_continues_from() -> None:
    with pytest.raises(Unanswered, match="the answer does not have an object with an id"):
        stage(ok({})).directory.create_policy(display_name="Flex", definition="{}")


def test_listed_holders_count_even_if_the_number_says_none() -> None:
    scene = stage(listing({"id": "ada"}, **{"@odata.count": 0}), batch(ok({"id": "ada", "x": "en"})))
    assert scene.directory.find_value_holders("x").count == 1


def test_a_removal_that_was_answered_outlasts_lists_without_a_shape() -> None:
    scene = stage(ok(), ok({}), ok({"value": None}), listing())
    scene.directory.unassign("sp", "p")
    assert scene.clock.passed > 0
