"""If this goes red, the stack may bind its claims to an application that only has a similar name."""

from __future__ import annotations

from typing import Any

import pytest

from flexsaml.graph.errors import Forbidden, NotFound
from flexsaml.graph.models import Application, SearchResult

from .fakes import Stage, asked, batch, error, listing, missing, ok, stage

ID = "aaaaaaaa-0000-4000-8000-000000000001"
APP_ID = "bbbbbbbb-0000-4000-8000-000000000002"
DENIED = error(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def principal(name: str = "Twilio Flex", object_id: str = ID) -> dict[str, Any]:
    return {"id": object_id, "appId": APP_ID, "displayName": name, "appOwnerOrganizationId": "t"}


def names(found: SearchResult) -> list[str]:
    return [one.display_name for one in found.matches]


@pytest.mark.parametrize(("by_id", "by_app_id"), [(True, False), (False, True), (True, True)])
def test_guid_tries_both_ids_in_one_request(by_id: bool, by_app_id: bool) -> None:
    scene = stage(batch(*[ok(principal()) if hit else missing() for hit in (by_id, by_app_id)]))
    found = scene.directory.service_principals(ID)
    assert [one.id for one in found.matches] == [ID]
    assert found.matches[0].app_owner_tenant == "t"
    select = "?$select=id,appId,displayName,appOwnerOrganizationId"
    assert asked(scene.graph.seen[0]) == [
        f"GET /servicePrincipals/{ID}{select}",
        f"GET /servicePrincipals(appId='{ID}'){select}",
    ]
    assert len(scene.graph.seen) == 1


def test_unknown_guid_is_no_match() -> None:
    assert stage(batch(missing(), missing())).directory.service_principals(ID) == SearchResult(())


def test_outage_is_not_absence() -> None:
    with pytest.raises(Forbidden, match=r"Application\.Read\.All"):
        stage(batch(missing(), DENIED)).directory.service_principals(ID)


SEARCHES = [
    ("exact beats fuzzy", "Twilio Flex", ["Twilio Flex Staging", "Twilio Flex"], ["Twilio Flex"]),
    ("exact beats case", "Twilio Flex", ["TWILIO FLEX", "Twilio Flex"], ["Twilio Flex"]),
    ("case when none is exact", "twilio flex", ["Twilio Flex", "Twilio Flex 2"], ["Twilio Flex"]),
    ("two of one name", "Flex", ["Flex", "Flex"], ["Flex", "Flex"]),
    ("only similar ones", "Flex", ["Flexible", "Twilio Flex"], []),
    ("none", "Flex", [], []),
]


@pytest.mark.parametrize(("name", "listed", "matches"), [c[1:] for c in SEARCHES], ids=[c[0] for c in SEARCHES])
def test_search_matches_exactly(name: str, listed: list[str], matches: list[str]) -> None:
    scene = stage(listing(*[principal(one, str(number)) for number, one in enumerate(listed)]))
    found = scene.directory.service_principals(name)
    assert names(found) == matches
    assert set(found.similar) == set(listed) - set(matches)
    assert scene.graph.seen[0].headers["ConsistencyLevel"] == "eventual"
    assert f'$search="displayName:{name}"' in scene.graph.lines[0]


def test_application_by_either_id() -> None:
    body = {"id": ID, "appId": APP_ID, "displayName": "Twilio Flex"}
    scene = stage(batch(missing(), ok(body)))
    assert scene.directory.application(APP_ID) == Application(ID, APP_ID, "Twilio Flex")
    assert stage(batch(missing(), missing())).directory.application(APP_ID) is None


def test_application_by_name_is_refused_before_any_request() -> None:
    with pytest.raises(ValueError, match="neither an object id nor an appId"):
        stage().directory.application("Twilio Flex")


OWNER = ok({"id": "app", "appId": APP_ID, "displayName": "Twilio Flex"})
PROPERTIES = listing({"id": "p1", "name": "extension_x_lang", "dataType": "String"})
POLICY = {"id": "pol", "displayName": "Flex", "definition": ["{}"]}


def look(scene: Stage) -> Any:
    return scene.directory.read_existing_objects(app_id=APP_ID, service_principal_id=ID, policy_name="Flex")


def test_look_is_one_request() -> None:
    other = {"id": "pol2", "displayName": "flex", "definition": ["{}"]}
    scene = stage(batch(OWNER, PROPERTIES, listing(POLICY), listing(POLICY, other)))
    seen = look(scene)
    assert seen.application.id == "app"
    assert [one.name for one in seen.properties] == ["extension_x_lang"]
    assert [one.id for one in seen.assigned] == ["pol"]
    assert [one.id for one in seen.policies] == ["pol"]
    assert asked(scene.graph.seen[0]) == [
        f"GET /applications(appId='{APP_ID}')?$select=id,appId,displayName",
        f"GET /applications(appId='{APP_ID}')/extensionProperties",
        f"GET /servicePrincipals/{ID}/claimsMappingPolicies",
        "GET /policies/claimsMappingPolicies?$filter=displayName eq 'Flex'",
    ]
    assert len(scene.graph.seen) == 1


def test_look_tells_may_not_be_read_from_empty() -> None:
    hidden = look(stage(batch(OWNER, listing(), DENIED, DENIED)))
    assert (hidden.assigned, hidden.policies) == (None, None)
    empty = look(stage(batch(OWNER, listing(), listing(), listing())))
    assert (empty.assigned, empty.policies) == ((), ())


def test_look_application_of_another_tenant() -> None:
    seen = look(stage(batch(missing(), missing(), listing(), listing())))
    assert (seen.application, seen.properties) == (None, ())


@pytest.mark.parametrize("place", range(4))
def test_look_raises_other_errors(place: int) -> None:
    answers = [OWNER, PROPERTIES, listing(), listing()]
    answers[place] = DENIED if place < 2 else missing()
    with pytest.raises(Forbidden if place < 2 else NotFound):
        look(stage(batch(*answers)))


def test_look_follows_a_long_list() -> None:
    link = "https://graph.microsoft.com/v1.0/applications/app/extensionProperties?$skiptoken=2"
    first = listing({"id": "p1", "name": "a", "dataType": "String"}, **{"@odata.nextLink": link})
    second = listing({"id": "p2", "name": "b", "dataType": "String"})
    seen = look(stage(batch(OWNER, first, listing(), listing()), second))
    assert [one.id for one in seen.properties] == ["p1", "p2"]
