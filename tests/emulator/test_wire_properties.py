"""If this goes red, extension properties behave otherwise than in Graph, and a user's values may be lost unnoticed.

Raw standard-library HTTP with bodies from Microsoft's reference, refusals in the same tables. Every v1.0 exchange is
held against Microsoft's schema on the way (conftest.py).
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.emulator.process import SEED, Emulator
from tests.emulator.tenant import ABSENT, ADA, FLEX_APP, STAGING_APP, USERS, Tenant, bad, full_name, unavailable

LANGUAGES = full_name("languages")


def test_a_new_property_answers_its_full_name_and_single_value_by_default(tenant: Tenant) -> None:
    answer = tenant.post_property()
    assert answer.status == 201
    body = answer.json
    assert body.pop("@odata.context").endswith(
        f"/v1.0/$metadata#applications('{FLEX_APP['id']}')/extensionProperties/$entity"
    )
    listed = tenant.emulator.graph("GET", f"/applications(appId='{FLEX_APP['appId']}')/extensionProperties").json
    assert listed["value"] == [body]
    body.pop("id")
    assert body == {
        "deletedDateTime": None,
        "appDisplayName": "Twilio Flex",
        "dataType": "String",
        "isMultiValued": False,
        "isSyncedFromOnPremises": False,
        "name": LANGUAGES,
        "targetObjects": ["User"],
    }


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"dataType": "Float"}, "Invalid value specified for property 'dataType' of resource 'ExtensionProperty'."),
        ({"dataType": "string"}, "Invalid value specified for property 'dataType' of resource 'ExtensionProperty'."),
        (
            {"targetObjects": ["user"]},
            "Invalid value specified for property 'targetObjects' of resource 'ExtensionProperty'.",
        ),
        (
            {"targetObjects": []},
            "Invalid value specified for property 'targetObjects' of resource 'ExtensionProperty'.",
        ),
        ({"isMultiValued": "yes"}, "One or more properties contains invalid values."),
        ({"description": "x"}, "Invalid property 'description'."),
    ],
)
def test_an_invalid_property_is_refused_and_makes_nothing(tenant: Tenant, body: dict[str, Any], words: str) -> None:
    before = tenant.emulator.export()
    assert tenant.post_property(**body).error == bad(words)
    assert tenant.emulator.export() == before


@pytest.mark.parametrize("status", [400, 409])
def test_a_second_property_of_that_name_is_refused_whatever_its_case(tenant: Tenant, status: int) -> None:
    tenant.property()
    tenant.emulator.dials(duplicate_extension_status=status)
    assert tenant.post_property("Languages").error == (
        status,
        "Request_MultipleObjectsWithSameKeyValue",
        f"An extension property exists with the name {full_name('Languages')}.",
    )
    assert tenant.post_property(app=STAGING_APP["id"]).status == 201  # another application, another name


def test_values_outlive_their_property_and_return_with_its_name(tenant: Tenant) -> None:
    made = tenant.property()
    assert tenant.patch({LANGUAGES: "en,de"}).status == 204
    tenant.delete_property(made)
    assert tenant.value(LANGUAGES) is None
    orphan = {"userId": USERS[ADA]["id"], "name": LANGUAGES, "value": "en,de"}
    assert tenant.emulator.export()["orphanedValues"] == [orphan]
    tenant.property("Languages")
    assert tenant.value(full_name("Languages")) == "en,de"
    assert tenant.emulator.export()["orphanedValues"] == []
    ada = next(user for user in tenant.emulator.export()["users"] if user["userPrincipalName"] == ADA)
    assert ada["values"] == {full_name("Languages"): "en,de"}  # under the new property's exact name


@pytest.mark.parametrize(("hidden", "shown"), [(True, None), (False, "en")])
def test_a_returned_value_is_hidden_until_it_is_usable(tenant: Tenant, hidden: bool, shown: str | None) -> None:
    made = tenant.property()
    tenant.patch({LANGUAGES: "en"})
    tenant.delete_property(made)
    tenant.emulator.dials(availability_delay=1, hidden_until_available=hidden)
    tenant.property()
    assert tenant.value(LANGUAGES) == shown
    assert tenant.patch({LANGUAGES: "de"}).error == unavailable(LANGUAGES)
    assert tenant.value(LANGUAGES) == "en"


def test_a_new_property_is_not_writable_for_as_many_requests_as_the_dial_says(tenant: Tenant) -> None:
    available = "/directoryObjects/getAvailableExtensionProperties"
    tenant.emulator.dials(availability_delay=2)
    made = tenant.property()
    assert tenant.emulator.graph("POST", available, {}).json["value"] == []
    assert tenant.patch({LANGUAGES: "en"}).error == unavailable(LANGUAGES)
    listed = tenant.emulator.graph("POST", available, {"isSyncedFromOnPremises": False}).json["value"]
    assert [(p["@odata.type"], p["id"]) for p in listed] == [("#microsoft.graph.extensionProperty", made["id"])]
    assert tenant.emulator.graph("POST", available, {"isSyncedFromOnPremises": True}).json["value"] == []
    assert tenant.patch({LANGUAGES: "en"}).status == 204


def test_a_property_of_an_application_without_service_principal_is_never_usable(tenant: Tenant) -> None:
    seed = json.loads(SEED.read_text(encoding="utf-8"))
    holder = {"id": ABSENT[:-1] + "1", "appId": ABSENT[:-1] + "2", "displayName": "Holder"}
    seed["applications"].append(holder)
    tenant.emulator.seed(seed)
    name = tenant.property(app=holder["id"])["name"]
    for _ in range(3):
        assert tenant.patch({name: "en"}).error == unavailable(name)
    assert tenant.emulator.graph("POST", "/directoryObjects/getAvailableExtensionProperties", {}).json["value"] == []


def test_a_posted_property_may_be_lost_after_its_201(tenant: Tenant) -> None:
    tenant.emulator.dials(lose_posted_property=1)
    path = f"/applications/{FLEX_APP['id']}/extensionProperties/{tenant.property()['id']}"
    assert tenant.emulator.graph("GET", path).status == 404
    assert tenant.emulator.graph("GET", f"/applications/{FLEX_APP['id']}/extensionProperties").json["value"] == []
    tenant.property()


def test_property_bodies_may_lack_is_multi_valued(tenant: Tenant) -> None:
    tenant.emulator.dials(is_multi_valued_field=False)
    body = {"name": "languages", "dataType": "String", "targetObjects": ["User"]}
    # Not judged by the contract, which calls isMultiValued non-null.
    made = Emulator.graph(tenant.emulator, "POST", f"/applications/{FLEX_APP['id']}/extensionProperties", body)
    assert (made.status, "isMultiValued" in made.json) == (201, False)
