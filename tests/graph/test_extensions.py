"""If this goes red, a property is made twice or never, or values are written before the tenant can take them."""

from __future__ import annotations

from typing import Any

import pytest

from flexsaml.graph.errors import Conflict, NotFound, StillPending
from flexsaml.graph.models import ExtensionProperty

from .fakes import Stage, Step, error, listing, lost, missing, ok, stage

APP = "app-1"
FULL = "extension_0123456789abcdef0123456789abcdef_lang"
PATH = f"/v1.0/applications/{APP}/extensionProperties"
DUPLICATE = error(400, "Request_MultipleObjectsWithSameKeyValue", f"An extension property exists with the name {FULL}.")


def wire(object_id: str = "p1", name: str = FULL, **more: Any) -> dict[str, Any]:
    return {"id": object_id, "name": name, "dataType": "String", "targetObjects": ["User"], **more}


def create(scene: Stage, **more: Any) -> ExtensionProperty:
    shape = {"data_type": "String", "multi_valued": False, "target_objects": ["User"]}
    given: dict[str, Any] = {"name": "lang", **shape, **more}
    return scene.directory.create_extension_property(APP, **given)


def methods(scene: Stage) -> list[str]:
    return [line.split()[0] for line in scene.graph.lines]


def test_create_is_one_post_and_one_list() -> None:
    scene = stage(ok(wire()), listing(wire()))
    assert create(scene) == ExtensionProperty("p1", FULL, "String", False, ("User",))
    assert scene.graph.lines == [f"POST {PATH}", f"GET {PATH}"]
    assert scene.graph.requests[0].body == {
        "name": "lang",
        "dataType": "String",
        "isMultiValued": False,
        "targetObjects": ["User"],
    }


def test_answer_lost_but_made_is_recognised() -> None:
    scene = stage(lost(), listing(wire()), listing(wire()))
    assert create(scene).id == "p1"
    assert methods(scene) == ["POST", "GET", "GET"]


NOT_THE_NEW_ONE = [
    wire("p1", FULL + "2"),
    wire("p1", FULL.replace("_lang", "_x_lang")),
    wire("p1", isMultiValued=True),
    wire("p1", dataType="Integer"),
]


@pytest.mark.parametrize("other", NOT_THE_NEW_ONE)
def test_answer_lost_and_somebody_elses_listed_is_sent_again(other: dict[str, Any]) -> None:
    scene = stage(lost(), *[listing(other)] * 3, DUPLICATE)
    with pytest.raises(Conflict):
        create(scene)
    assert methods(scene) == ["POST", "GET", "GET", "GET", "POST"]


def test_list_that_lags_is_waited_for() -> None:
    scene = stage(ok(wire()), listing(), listing(), listing(wire()))
    assert create(scene).id == "p1"
    assert methods(scene) == ["POST", "GET", "GET", "GET"]


def test_property_silently_lost_is_posted_once_more() -> None:
    empty: list[Step] = [listing()] * 6
    scene = stage(ok(wire("ghost")), *empty, ok(wire("p2")), listing(wire("p2")))
    assert create(scene).id == "p2"
    assert methods(scene).count("POST") == 2


def test_property_lost_twice_is_told() -> None:
    scene = stage(ok(wire()), *[listing()] * 6, DUPLICATE, *[listing()] * 9)
    with pytest.raises(StillPending, match="after the creation of lang"):
        create(scene)
    assert methods(scene).count("POST") == 2


def test_duplicate_is_told() -> None:
    with pytest.raises(Conflict, match="import what exists"):
        create(stage(DUPLICATE))


def test_read_believes_absence_after_three_reads() -> None:
    scene = stage(missing(), missing(), missing())
    assert scene.directory.extension_property(APP, "p1") is None
    assert scene.clock.slept == [1.0, 2.0]
    scene = stage(missing(), missing(), ok(wire()))
    extension = scene.directory.extension_property(APP, "p1")
    assert extension is not None
    assert extension.name == FULL


def test_list_by_name() -> None:
    scene = stage(listing(wire(), wire("p2", FULL.upper()), wire("p3", FULL + "2")))
    assert [extension.id for extension in scene.directory.extension_properties(APP, FULL)] == ["p1", "p2"]
    assert scene.graph.lines == [f"GET {PATH}?$filter=name eq '{FULL}'"]


@pytest.mark.parametrize(
    ("steps", "exists"),
    [
        ([listing(wire())], True),
        ([listing(), listing(wire())], True),
        ([missing(), listing(wire())], True),
        ([missing(), listing(), listing()], False),
    ],
    ids=["listed", "a stale list", "a stale answer", "absent"],
)
def test_a_property_is_absent_after_three_looks(steps: list[Step], exists: bool) -> None:
    scene = stage(*steps)
    assert scene.directory.extension_exists(APP, FULL) is exists
    assert not scene.graph.steps


DELETES: list[tuple[str, list[Step], list[str]]] = [
    ("there", [ok()], ["DELETE"]),
    ("gone already", [missing()] * 3, ["DELETE"] * 3),
    ("a stale answer", [missing(), ok()], ["DELETE"] * 2),
    ("lost but carried out", [lost(), *[missing()] * 3], ["DELETE"] * 4),
    ("lost, and a stale answer", [lost(), missing(), ok()], ["DELETE"] * 3),
    ("lost and not carried out", [lost(), ok()], ["DELETE"] * 2),
    ("an outage of four answers", [*[error(503)] * 4, ok()], ["DELETE"] * 5),
]


@pytest.mark.parametrize(("steps", "wanted"), [case[1:] for case in DELETES], ids=[case[0] for case in DELETES])
def test_delete(steps: list[Step], wanted: list[str]) -> None:
    scene = stage(*steps)
    scene.directory.delete_extension_property(APP, "p1")
    assert methods(scene) == wanted


def test_usable_at_once_is_one_request() -> None:
    scene = stage(listing(wire(), wire("x", "extension_y")))
    assert scene.directory.wait_usable([FULL]) is True
    assert scene.graph.lines == ["POST /v1.0/directoryObjects/getAvailableExtensionProperties"]


def test_usable_only_when_all_are() -> None:
    scene = stage(listing(wire()), listing(wire(), wire("x", "extension_y")))
    assert scene.directory.wait_usable([FULL, "extension_y"]) is True
    assert len(scene.graph.requests) == 2


def test_identity_that_may_not_ask() -> None:
    assert stage(error(403)).directory.wait_usable([FULL]) is False


def test_never_usable_names_the_reason() -> None:
    scene = stage(*[listing()] * 70)
    with pytest.raises(StillPending, match=r"needs a service principal"):
        scene.directory.wait_usable([FULL])
    assert 290.0 < scene.clock.passed <= 300.0
    assert any(FULL in line for line in scene.progress_lines)


def test_a_long_wait_is_asked_once_whether_it_is_in_vain() -> None:
    scene, asked = stage(*[listing()] * 70), []
    with pytest.raises(StillPending):
        scene.directory.wait_usable([FULL], lambda: asked.append(scene.clock.passed))
    assert len(asked) == 1
    assert 30.0 <= asked[0] < 36.0


def test_unknown_application_is_told() -> None:
    with pytest.raises(NotFound, match="applications/app-1/extensionProperties"):
        stage(missing()).directory.extension_properties(APP)
