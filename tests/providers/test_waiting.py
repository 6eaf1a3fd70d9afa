"""If this goes red, a property that the tenant does not show yet is given up, or used before its old values show.

The kinds wait for the service in these tests, up to 15 s. Time is an argument of the directory, so a fake clock passes
it; the emulator counts requests.
"""

from __future__ import annotations

import pytest

from flexsaml.graph import Client, Directory, cloud, credentials
from providers.kinds.base import Kind, Props
from providers.kinds.extension_property import ExtensionPropertyKind
from providers.kinds.user_extension_value import UserExtensionValueKind
from providers.kinds.user_value_baseline import UserValueBaselineKind
from tests.engine.stack import Tenant
from tests.graph.fakes import FakeClock
from tests.providers.process import packed


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def directory(tenant: Tenant, clock: FakeClock) -> Directory:
    url = tenant.emulator.http
    loopback = cloud("loopback", graph_endpoint=url, login_endpoint=url)
    return Directory(Client(loopback, credentials(loopback, ""), clock=clock))


def checked(kind: Kind, arguments: Props) -> Props:
    inputs, failures = kind.check({}, arguments)
    assert failures == {}
    return inputs


def create_property(directory: Directory, tenant: Tenant) -> str:
    """The property `languages`; returns its id in state."""
    app = {"application_id": tenant.application["id"], "app_id": tenant.application["appId"]}
    kind = ExtensionPropertyKind()
    return kind.create(directory, checked(kind, {**app, "name": "languages"}))[0]


def test_a_posted_property_that_was_lost_is_posted_again(
    directory: Directory, tenant: Tenant, clock: FakeClock
) -> None:
    """201 and nothing is kept, as a young application does."""
    tenant.emulator.dials(lose_posted_property=1)
    state_id = create_property(directory, tenant)
    assert [row["id"] for row in tenant.properties().values()] == [state_id.rsplit("/", 1)[-1]]
    assert sum(clock.slept) >= 10, "lists lag: what is not listed at once is no proof"


def test_a_property_that_came_back_hides_values_until_usable(
    directory: Directory, tenant: Tenant, clock: FakeClock
) -> None:
    """A baseline that read too early would record 'unset', and clear what was there before."""
    tenant.make_property("languages")
    tenant.write("ada", "before")
    tenant.delete_property("languages")
    tenant.emulator.dials(availability_delay=2, hidden_until_available=True)
    extension, full_name, ada = create_property(directory, tenant), tenant.full("languages"), tenant.user("ada")["id"]

    baseline, writer = UserValueBaselineKind(), UserExtensionValueKind()
    cells = packed({ada: "en"})
    inputs = checked(baseline, {"extension": extension, "full_name": full_name, "__cells": cells})
    state_id, computed = baseline.create(directory, inputs)
    value: Props = {"user": "ada@contoso.example", "values": {full_name: "en"}, "types": {full_name: "String"}}
    value |= {"extensions": {full_name: extension}, "baselined": True}
    value["recorded"] = {full_name: {"baseline": "flex-languages-before", "unrecorded": []}}
    writer.create(directory, checked(writer, value))
    assert tenant.value("ada") == "en"
    assert clock.slept
    baseline.delete(directory, state_id, {**inputs, **computed})
    assert tenant.value("ada") == "before"
