"""If this goes red, what Graph says about an object is read wrongly: a property's kind, a policy's text, a value."""

from __future__ import annotations

import pytest

from flexsaml.graph.models import Application, ExtensionProperty, Policy, ServicePrincipal, User


def test_service_principal() -> None:
    body: dict[str, object] = {"id": "1", "appId": "2", "displayName": "Flex", "tags": []}
    assert ServicePrincipal.read(body) == ServicePrincipal("1", "2", "Flex")


def test_application_without_a_name() -> None:
    assert Application.read({"id": "1", "appId": "2", "displayName": None}) == Application("1", "2", "")


@pytest.mark.parametrize(
    ("more", "multi"),
    [({}, False), ({"isMultiValued": None}, False), ({"isMultiValued": False}, False), ({"isMultiValued": True}, True)],
)
def test_extension_property_of_old_and_new_bodies(more: dict[str, object], multi: bool) -> None:
    body = {"id": "1", "name": "extension_x_Y", "dataType": "String", "targetObjects": ["User"], **more}
    assert ExtensionProperty.read(body) == ExtensionProperty("1", "extension_x_Y", "String", multi, ("User",))


def test_definition_is_kept_byte_for_byte() -> None:
    text = '{"ClaimsMappingPolicy": {"Version":1 , "x":"\\u00e4 ä"}}\n'
    assert Policy.read({"id": "1", "displayName": "n", "definition": [text]}).definition == text
    assert Policy.read({"id": "1", "displayName": "n", "definition": []}).definition == ""


@pytest.mark.parametrize("body", [{}, {"extension_a_x": None}, {"extension_b_x": 1}])
def test_unset_value_is_none(body: dict[str, object]) -> None:
    person = User.read({"id": "1", "userPrincipalName": "ada@x", **body}, ["extension_a_x"])
    assert person.values == {"extension_a_x": None}
