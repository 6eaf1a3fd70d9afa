"""If this goes red, the fault matrix proves nothing: its proxy changes calls, or its faults do not do what they say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest

from flexsaml import graph
from tests.emulator.process import Emulator
from tests.engine.stack import Tenant
from tests.faults.catalogue import FAULTS, stale_read
from tests.faults.connection import ProxiedConnection
from tests.faults.proxy import Fault, FaultProxy, Forward, RecordedCall, Reply


@pytest.fixture
def proxy(emulator: Emulator) -> Iterator[FaultProxy]:
    with FaultProxy(emulator.http) as running:
        yield running


@pytest.fixture
def directory(proxy: FaultProxy) -> graph.Directory:
    return ProxiedConnection.to(proxy.url).directory()


def test_without_a_fault_it_passes_on_and_records(
    proxy: FaultProxy, directory: graph.Directory, emulator: Emulator
) -> None:
    tenant = Tenant(emulator)
    made = directory.create_policy(display_name="P", definition='{"ClaimsMappingPolicy": {"Version": 1}}')
    directory.assign(tenant.principal["id"], made.id)
    assert tenant.assigned() == [made.id]
    posts = [(call.path, call.tenant_status) for call in proxy.calls if call.method == "POST"]
    assert posts == [("/v1.0/policies/claimsMappingPolicies", 201), (f"/v1.0{tenant.links}/$ref", 204)]
    assert proxy.strikes == 0


def test_pages_lead_back_to_the_proxy(proxy: FaultProxy, directory: graph.Directory) -> None:
    client = directory._client
    listed = [body["id"] for body in client.pages("/users", params={"$top": 2, "$select": "id"})]
    assert len(listed) == len(set(listed)) == 7
    assert len(proxy.calls) == 4


@pytest.mark.parametrize(
    ("name", "times", "carried_out", "error"),
    [
        ("503, not done", 1, 0, "503 ServiceUnavailable"),
        ("503, done", 1, 1, "503 ServiceUnavailable"),
        ("answer lost", 1, 1, "closed the connection"),
        ("reset before", 1, 0, "closed the connection"),
        ("read time-out, done", 1, 1, "did not answer in time"),
        ("connection refused", 9, 0, "no connection to"),
        ("truncated JSON", 1, 1, "not a JSON object"),
        ("403", 1, 0, "403 Authorization_RequestDenied"),
        ("401, claims challenge", 2, 0, "401 InvalidAuthenticationToken"),
        ("redirect", 1, 0, "302"),
    ],
)
def test_a_fault_meets_its_call_and_no_other(
    proxy: FaultProxy,
    directory: graph.Directory,
    emulator: Emulator,
    name: str,
    times: int,
    carried_out: int,
    error: str,
) -> None:
    body = {"displayName": "P", "definition": ['{"ClaimsMappingPolicy": {"Version": 1}}']}
    directory._client.get("/users")
    proxy.arm(FAULTS[name], at=1, times=times)
    directory._client.get("/users")
    with pytest.raises(graph.GraphError, match=error):
        directory._client.write("POST", "/policies/claimsMappingPolicies", body)
    assert len(Tenant(emulator).policies()) == carried_out
    assert proxy.strikes == min(times, len(proxy.calls) - 1)
    proxy.disarm()
    directory._client.get("/users")


def test_a_stale_read_is_the_answer_from_before_the_last_write(
    proxy: FaultProxy, directory: graph.Directory, emulator: Emulator
) -> None:
    tenant = Tenant(emulator)
    tenant.make_property("languages")
    full, ada = tenant.full("languages"), str(tenant.user("ada")["id"])

    def write_and_read(value: str) -> object:
        directory._client.write("PATCH", f"/users/{ada}", {full: value})
        return directory.read_user(ada, [full]).values.get(full)

    assert write_and_read("a") == "a"
    stale = stale_read(proxy.calls, 1)
    assert stale is not None
    proxy.arm(stale, at=1)
    assert write_and_read("b") == "a"
    assert write_and_read("c") == "c"
    assert stale_read(proxy.calls, 0) is None


def test_a_struck_item_of_a_batch_is_not_carried_out_and_the_others_are(
    proxy: FaultProxy, directory: graph.Directory, emulator: Emulator
) -> None:
    tenant = Tenant(emulator)
    tenant.make_property("languages")
    full = tenant.full("languages")
    proxy.arm(FAULTS["batch: item 403"])
    failures = directory.patch_users({str(tenant.user(name)["id"]): {full: "a"} for name in ("ada", "grace")})
    assert [type(error) for error in failures.values()] == [graph.Forbidden]
    assert [tenant.value(name) for name in ("ada", "grace")] == [None, "a"]


def test_a_fault_in_a_row_stays_with_the_path_where_it_must(proxy: FaultProxy, directory: graph.Directory) -> None:
    def strike(_call: RecordedCall, _forward: Forward) -> Reply:
        return Reply(404, {}, b"{}")

    def answers(fault: Fault) -> list[int]:
        proxy.arm(fault, times=2)
        for path in ("/users", "/applications", "/users", "/users"):
            with suppress(graph.GraphError):
                directory._client.get(path)
        return [call.reply.status if call.reply else 0 for call in proxy.calls]

    def every(_call: RecordedCall) -> bool:
        return True

    assert answers(Fault("any", every, strike)) == [404, 404, 200, 200]
    assert answers(Fault("path", every, strike, same_path=True)) == [404, 200, 404, 200]
