"""If this goes red, the stack may bind its claims to an application that only has a similar name."""

from __future__ import annotations

from typing import Any

import pytest

from flexsaml.graph.errors import Forbidden, NotFound, Unanswered
from flexsaml.graph.models import (
    Application,
    ExistingObjects,
    ExtensionOwner,
    ExtensionProperty,
    PrincipalNotFound,
    ServicePrincipal,
)
from flexsaml.graph.urls import InvalidReference

from .fakes import Answer, Stage, asked, batch, error, listing, missing, ok, stage

ID = "aaaaaaaa-0000-4000-8000-000000000001"
APP_ID = "bbbbbbbb-0000-4000-8000-000000000002"
OWNER = ok({"id": "app", "appId": APP_ID, "displayName": "Twilio Flex"})
PROPERTIES = listing({"id": "p1", "name": "extension_x_lang", "dataType": "String"})
POLICY = {"id": "pol", "displayName": "Flex", "definition": ["{}"]}
DENIED = error(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def principal(name: str = "Twilio Flex", object_id: str = ID) -> dict[str, Any]:
    return {"id": object_id, "appId": APP_ID, "displayName": name}


@pytest.mark.parametrize(("by_id", "by_app_id"), [(True, False), (False, True), (True, True)])
def test_guid_tries_both_ids_in_one_request(by_id: bool, by_app_id: bool) -> None:
    scene = stage(batch(*[ok(principal()) if hit else missing() for hit in (by_id, by_app_id)]))
    assert scene.directory.find_service_principal(ID) == ServicePrincipal(ID, APP_ID, "Twilio Flex")
    select = "?$select=id,appId,displayName"
    assert asked(scene.graph.requests[0]) == [
        f"GET /servicePrincipals/{ID}{select}",
        f"GET /servicePrincipals(appId='{ID}'){select}",
    ]
    assert len(scene.graph.requests) == 1


def test_unknown_guid_is_told() -> None:
    with pytest.raises(
        PrincipalNotFound, match=f"no enterprise application has the appId or object id '{ID}'; give its"
    ):
        stage(batch(missing(), missing())).directory.find_service_principal(ID)


def test_outage_is_not_absence() -> None:
    with pytest.raises(Forbidden, match=r"Application\.Read\.All"):
        stage(batch(missing(), DENIED)).directory.find_service_principal(ID)


SEARCHES = [
    ("exact beats fuzzy", "Twilio Flex", ["Twilio Flex Staging", "Twilio Flex"], "Twilio Flex"),
    ("exact beats case", "Twilio Flex", ["TWILIO FLEX", "Twilio Flex"], "Twilio Flex"),
    ("case when none is exact", "twilio flex", ["Twilio Flex", "Twilio Flex 2"], "Twilio Flex"),
]


@pytest.mark.parametrize(("name", "listed", "match"), [c[1:] for c in SEARCHES], ids=[c[0] for c in SEARCHES])
def test_search_matches_exactly(name: str, listed: list[str], match: str) -> None:
    scene = stage(listing(*[principal(other, str(number)) for number, other in enumerate(listed)]))
    assert scene.directory.find_service_principal(name).display_name == match
    assert scene.graph.requests[0].headers["ConsistencyLevel"] == "eventual"
    assert f'$search="displayName:{name}"' in scene.graph.lines[0]


def test_a_principal_that_was_found_early_is_not_searched_again() -> None:
    scene = stage(listing(principal("Flex", "1")))
    directory = scene.directory
    assert directory.find_service_principal("Flex") == directory.find_service_principal("Flex")
    assert len(scene.graph.requests) == 1


@pytest.mark.parametrize(
    ("listed", "words"),
    [
        (["Flex", "Flex"], f"2 enterprise applications are called 'Flex'; .*: 0 .appId {APP_ID}., 1 .appId {APP_ID}"),
        (["FLEX", "flex"], "2 enterprise applications are called 'Flex'"),
        (["Flexible", "Twilio Flex"], "is called 'Flex'; similar names: Flexible, Twilio Flex$"),
        ([], "no enterprise application is called 'Flex'; give its exact display name, appId or object id$"),
    ],
)
def test_none_and_several_are_told_apart(listed: list[str], words: str) -> None:
    scene = stage(listing(*[principal(name, str(number)) for number, name in enumerate(listed)]))
    with pytest.raises(PrincipalNotFound, match=words):
        scene.directory.find_service_principal("Flex")


def test_application_by_either_id() -> None:
    body = {"id": ID, "appId": APP_ID, "displayName": "Twilio Flex"}
    scene = stage(batch(missing(), ok(body)))
    assert scene.directory.application(APP_ID) == Application(ID, APP_ID, "Twilio Flex")
    assert stage(batch(missing(), missing())).directory.application(APP_ID) is None


def test_application_by_name_is_refused_before_any_request() -> None:
    with pytest.raises(InvalidReference, match="neither an object id nor an appId"):
        stage().directory.application("Twilio Flex")


def test_owners_of_extensions_in_one_request() -> None:
    scene = stage(batch(OWNER, PROPERTIES, missing(), missing()))
    owners = scene.directory.read_extension_owners([APP_ID, ID, APP_ID])
    assert owners[ID] is None
    assert owners[APP_ID] == ExtensionOwner(
        Application("app", APP_ID, "Twilio Flex"), (ExtensionProperty("p1", "extension_x_lang", "String", False, ()),)
    )
    assert len(scene.graph.requests) == 1
    assert stage().directory.read_extension_owners([]) == {}


def test_an_unreadable_owner_is_not_an_absent_one() -> None:
    with pytest.raises(Forbidden):
        stage(batch(DENIED, DENIED)).directory.read_extension_owners([APP_ID])


def read(scene: Stage) -> ExistingObjects:
    return scene.directory.read_existing_objects(app_id=APP_ID, service_principal_id=ID, policy_name="Flex")


def test_existing_objects_is_one_request() -> None:
    other = {"id": "pol2", "displayName": "flex", "definition": ["{}"]}
    scene = stage(batch(OWNER, PROPERTIES, listing(POLICY), listing(POLICY, other)))
    existing = read(scene)
    assert existing.application == Application("app", APP_ID, "Twilio Flex")
    assert [item.name for item in existing.properties or ()] == ["extension_x_lang"]
    assert [item.id for item in existing.assigned or ()] == ["pol"]
    assert [item.id for item in existing.policies or ()] == ["pol"]
    assert asked(scene.graph.requests[0]) == [
        f"GET /applications(appId='{APP_ID}')?$select=id,appId,displayName",
        f"GET /applications(appId='{APP_ID}')/extensionProperties",
        f"GET /servicePrincipals/{ID}/claimsMappingPolicies",
        "GET /policies/claimsMappingPolicies?$filter=displayName eq 'Flex'",
    ]
    assert len(scene.graph.requests) == 1


def test_existing_objects_tells_may_not_be_read_from_empty() -> None:
    hidden = read(stage(batch(OWNER, listing(), DENIED, DENIED)))
    assert (hidden.assigned, hidden.policies) == (None, None)
    empty = read(stage(batch(OWNER, listing(), listing(), listing())))
    assert (empty.assigned, empty.policies) == ((), ())


def test_existing_objects_application_of_another_tenant() -> None:
    twice_missing = batch(missing(), missing())
    existing = read(stage(batch(missing(), missing(), listing(), listing()), twice_missing, twice_missing))
    assert (existing.application, existing.properties) == (None, ())


def test_existing_objects_of_a_stale_replica_are_read_again() -> None:
    scene = stage(batch(missing(), missing(), missing(), listing()), batch(OWNER, PROPERTIES, listing(POLICY)))
    existing = read(scene)
    assert [extension.id for extension in existing.properties] == ["p1"]
    assert [policy.id for policy in existing.assigned or ()] == ["pol"]


@pytest.mark.parametrize("place", range(4))
def test_existing_objects_raises_other_errors(place: int) -> None:
    answers = [OWNER, PROPERTIES, listing(), listing()]
    answers[place] = DENIED if place < 2 else missing()
    with pytest.raises(Forbidden if place < 2 else NotFound):
        read(stage(batch(*answers), batch(missing()), batch(missing())))


def test_existing_objects_follows_a_long_list() -> None:
    link = "https://graph.microsoft.com/v1.0/applications/app/extensionProperties?$skiptoken=2"
    first = listing({"id": "p1", "name": "a", "dataType": "String"}, **{"@odata.nextLink": link})
    second = listing({"id": "p2", "name": "b", "dataType": "String"})
    existing = read(stage(batch(OWNER, first, listing(), listing()), second))
    assert [item.id for item in existing.properties or ()] == ["p1", "p2"]


def test_a_link_in_the_item_of_a_batch_leads_to_no_other_host() -> None:
    first = listing(
        {"id": "p1", "name": "a", "dataType": "String"}, **{"@odata.nextLink": "https://evil.example/v1.0/x"}
    )
    scene = stage(batch(OWNER, first, listing(), listing()))
    with pytest.raises(Unanswered, match="leaves this cloud's Graph and is not followed"):
        read(scene)
    assert len(scene.graph.requests) == 1


@pytest.mark.parametrize(
    ("visibility", "members"),
    [
        (ok({"id": "g", "visibility": None}), frozenset()),
        (ok({"id": "g", "visibility": "HiddenMembership"}), None),  # an empty list says nothing
        (DENIED, None),
        (missing(), frozenset()),
    ],
)
def test_an_empty_group_is_empty_unless_its_membership_is_hidden(
    visibility: Answer, members: frozenset[str] | None
) -> None:
    scene = stage(batch(listing(), listing({"id": "u"})), batch(visibility))
    assert scene.directory.direct_members(["g", "h"]) == {"g": members, "h": frozenset({"u"})}
    assert asked(scene.graph.requests[1]) == ["GET /groups/g?$select=id,visibility"]
