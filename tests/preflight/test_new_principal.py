"""If this goes red, a stack that makes the enterprise application and the claims in one run fails, because the tenant
does not show the new principal at once, or waits for one that can never come."""

from __future__ import annotations

import pytest

from flexsaml.declaration import Declaration
from flexsaml.graph import Directory
from flexsaml.preflight import InspectionEnded, inspect_tenant
from tests.emulator.process import Emulator
from tests.engine.stack import Tenant
from tests.providers.quick_connection import QuickClock, QuickConnection

NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def clock() -> QuickClock:
    return QuickClock()


@pytest.fixture
def directory(emulator: Emulator, clock: QuickClock) -> Directory:
    emulator.reset()
    http = emulator.http
    return QuickConnection("loopback", graph_endpoint=http, login_endpoint=http, clock=clock).directory()


def test_a_new_principal_is_waited_for(emulator: Emulator, directory: Directory, clock: QuickClock) -> None:
    principal = Tenant(emulator).principal["id"]
    emulator.fault("refuse", "GET", "/servicePrincipals", status=404, times=12)
    with pytest.raises(InspectionEnded):
        inspect_tenant(directory, Declaration(principal))
    emulator.clear_faults()
    emulator.fault("refuse", "GET", "/servicePrincipals", status=404, times=12)
    assert inspect_tenant(directory, Declaration(principal), is_new=True).principal.id == principal
    assert 0 < clock.slept <= 60


@pytest.mark.parametrize(("is_new", "seconds"), [(False, (0, 5)), (True, (50, 66))])
def test_one_that_never_comes_is_reported(
    directory: Directory, clock: QuickClock, is_new: bool, seconds: tuple[float, float]
) -> None:
    with pytest.raises(InspectionEnded, match="no enterprise application has the appId or object id"):
        inspect_tenant(directory, Declaration(NOBODY), is_new=is_new)
    assert seconds[0] <= clock.slept <= seconds[1]


def test_the_id_of_an_application_is_explained_at_once(
    emulator: Emulator, directory: Directory, clock: QuickClock
) -> None:
    application = Tenant(emulator).application
    with pytest.raises(InspectionEnded) as end:
        inspect_tenant(directory, Declaration(application["id"]), is_new=True)
    assert str(end.value) == (
        f"servicePrincipal: {application['id']} is the object id of application 'Twilio Flex', not of a service "
        f"principal; give its appId {application['appId']}, or the object id of its service principal "
        "[principal-unknown]"
    )
    assert clock.slept < 5
