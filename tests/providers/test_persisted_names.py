"""If this goes red, the stacks that users made before can no longer be refreshed or destroyed: the strings below
stand in their state. A renamed module or class keeps a shim under its old name."""

from __future__ import annotations

import pytest

import providers
from providers import KINDS, provider_class
from tests.providers.process import reference

PERSISTED = {
    "ClaimsMappingPolicy": "gASVRgAAAAAAAACMH3Byb3ZpZGVycy5jbGFpbXNfbWFwcGluZ19wb2xpY3mUjBtDbGFpbXNNYXBwaW5nUG9saWN5UHJvdmlkZXKUk5QpgZQu",
    "ExtensionProperty": "gASVQQAAAAAAAACMHHByb3ZpZGVycy5leHRlbnNpb25fcHJvcGVydHmUjBlFeHRlbnNpb25Qcm9wZXJ0eVByb3ZpZGVylJOUKYGULg==",
    "PolicyAssignment": "gASVPwAAAAAAAACMG3Byb3ZpZGVycy5wb2xpY3lfYXNzaWdubWVudJSMGFBvbGljeUFzc2lnbm1lbnRQcm92aWRlcpSTlCmBlC4=",
    "TenantBaseline": "gASVOwAAAAAAAACMGXByb3ZpZGVycy50ZW5hbnRfYmFzZWxpbmWUjBZUZW5hbnRCYXNlbGluZVByb3ZpZGVylJOUKYGULg==",
    "UserExtensionValue": "gASVRAAAAAAAAACMHnByb3ZpZGVycy51c2VyX2V4dGVuc2lvbl92YWx1ZZSMGlVzZXJFeHRlbnNpb25WYWx1ZVByb3ZpZGVylJOUKYGULg==",
    "UserExtensionValues": "gASVRgAAAAAAAACMH3Byb3ZpZGVycy51c2VyX2V4dGVuc2lvbl92YWx1ZXOUjBtVc2VyRXh0ZW5zaW9uVmFsdWVzUHJvdmlkZXKUk5QpgZQu",
    "UserValueBaseline": "gASVQgAAAAAAAACMHXByb3ZpZGVycy51c2VyX3ZhbHVlX2Jhc2VsaW5llIwZVXNlclZhbHVlQmFzZWxpbmVQcm92aWRlcpSTlCmBlC4=",
}


@pytest.mark.parametrize("kind", PERSISTED)
def test_the_reference_in_state_is_the_same_for_ever(kind: str) -> None:
    assert reference(kind) == PERSISTED[kind]


def test_every_kind_is_frozen_here() -> None:
    assert set(PERSISTED) == set(KINDS)


@pytest.mark.parametrize("kind", PERSISTED)
def test_a_provider_object_has_no_fields_and_a_fixed_type(kind: str) -> None:
    assert vars(provider_class(kind)()) == {}, "whatever it held would be pickled into state"
    assert provider_class(kind).serialize_as_secret_always is False
    resource = getattr(providers, kind)
    assert resource._resource_type_name == f"dynamic/flexsaml:{kind}"
