"""If this goes red, retries, batches, tokens or permissions are tested against something that is not Graph.

Raw standard-library HTTP: envelope, authentication, permissions, throttling and $batch, and what tests use to cause
trouble: faults, log, clock.
"""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.emulator.batches import PATCH_JSON, make_item, send_batch
from tests.emulator.process import ADMIN, LEAST, POLICY_WRITER, PREVIEW, SECRET, TENANT, Emulator
from tests.emulator.tenant import ADA, DEFINITION, FLEX, FLEX_APP, GROUPS, STAGING, STAGING_APP, USERS, Tenant

FORBIDDEN = (403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
PROPERTY = {"name": "languages", "dataType": "String", "targetObjects": ["User"]}


# -- envelope and auth -------------------------------------------------------------------------------------------------


def test_a_refusal_has_the_envelope_and_echoes_the_callers_id(emulator: Emulator) -> None:
    answer = emulator.graph("GET", "/users/nobody", headers={"client-request-id": "mine"})
    inner = answer.json["error"]["innerError"]
    assert inner == {"date": inner["date"], "request-id": answer.headers["request-id"], "client-request-id": "mine"}
    datetime.strptime(inner["date"], "%Y-%m-%dT%H:%M:%S")
    assert answer.headers["client-request-id"] == "mine"
    assert "ServerInfo" in answer.headers["x-ms-ags-diagnostic"]
    assert answer.headers["content-type"].startswith("application/json;odata.metadata=minimal")


@pytest.mark.parametrize(
    ("path", "units"),
    [
        ("/users", "2"),
        ("/users?$select=id", "1"),
        ("/users?$top=5", "1"),
        (f"/users/{ADA}", "1"),
        (f"/users/{ADA}/transitiveMemberOf", "2"),
        (f"/groups/{GROUPS[0]['id']}/members", "3"),
        (f"/groups/{GROUPS[0]['id']}/members?$top=5&$select=id", "1"),
        (f"/groups/{GROUPS[0]['id']}/transitiveMembers", "5"),
    ],
)
def test_every_answer_shows_its_cost(emulator: Emulator, path: str, units: str) -> None:
    assert emulator.graph("GET", path).headers["x-ms-resource-unit"] == units


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (None, "Access token is empty."),
        ("Bearer ", "Access token is empty."),
        ("Bearer nonsense", "CompactToken parsing failed with error code: 80049217"),
    ],
)
def test_a_bad_token_is_refused(emulator: Emulator, header: str | None, words: str) -> None:
    answer = emulator.request("GET", "/v1.0/users", None, {"Authorization": header} if header else {})
    assert answer.error == (401, "InvalidAuthenticationToken", words)


def test_a_token_ends_by_the_emulators_clock(emulator: Emulator) -> None:
    assert emulator.graph("GET", "/users").status == 200
    emulator.advance(3600)
    assert emulator.graph("GET", "/users").error[1:] == (
        "InvalidAuthenticationToken",
        "Lifetime validation failed, the token is expired.",
    )
    emulator.token(fresh=True)
    assert emulator.graph("GET", "/users").status == 200


@pytest.mark.parametrize(
    ("tenant", "change", "expected"),
    [
        (TENANT, {}, (200, None, None)),
        ("contoso.example", {}, (200, None, None)),
        ("fabrikam.example", {}, (400, "invalid_request", "AADSTS90002:")),
        ("nowhere", {}, (400, "invalid_request", "AADSTS900023:")),
        (TENANT, {"client_secret": "wrong"}, (401, "invalid_client", "AADSTS7000215:")),
        (TENANT, {"client_id": TENANT}, (400, "unauthorized_client", "AADSTS700016:")),
        (TENANT, {"scope": "https://graph.microsoft.com/User.Read"}, (400, "invalid_scope", "AADSTS1002012:")),
        (TENANT, {"scope": "https://vault.azure.net/.default"}, (400, "invalid_scope", "AADSTS1002012:")),
        (TENANT, {"grant_type": "password"}, (400, "unsupported_grant_type", "AADSTS70003:")),
    ],
)
def test_the_token_service_knows_its_clients(
    emulator: Emulator, tenant: str, change: dict[str, str], expected: tuple[int, str | None, str | None]
) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_id": ADMIN,
        "client_secret": SECRET,
        "scope": "https://graph.microsoft.com/.default",
        **change,
    }
    answer = emulator.request("POST", f"/{tenant}/oauth2/v2.0/token", urlencode(form).encode())
    description = answer.json.get("error_description", "").partition(" ")[0] or None
    assert (answer.status, answer.json.get("error"), description) == expected
    assert ("access_token" in answer.json) is (answer.status == 200)


# -- permissions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("client", "method", "path", "body", "allowed"),
    [
        (PREVIEW, "GET", f"/users/{ADA}", None, True),
        (PREVIEW, "PATCH", f"/users/{ADA}", {"jobTitle": "x"}, False),
        (PREVIEW, "GET", f"/applications/{FLEX_APP['id']}/extensionProperties", None, True),
        (PREVIEW, "POST", f"/applications/{FLEX_APP['id']}/extensionProperties", PROPERTY, False),
        (PREVIEW, "GET", f"/servicePrincipals/{FLEX['id']}/claimsMappingPolicies", None, False),
        (PREVIEW, "POST", "/directoryObjects/getAvailableExtensionProperties", {}, False),
        (PREVIEW, "GET", "/organization", None, False),
        (LEAST, "GET", "/servicePrincipals", None, True),
        (LEAST, "POST", f"/applications/{FLEX_APP['id']}/extensionProperties", PROPERTY, True),
        (LEAST, "POST", f"/applications/{STAGING_APP['id']}/extensionProperties", PROPERTY, False),
        (LEAST, "GET", f"/servicePrincipals/{STAGING['id']}/claimsMappingPolicies", None, True),
        (LEAST, "POST", "/directoryObjects/getAvailableExtensionProperties", {}, False),
        (LEAST, "PATCH", f"/users/{ADA}", {"jobTitle": "x"}, True),
        (POLICY_WRITER, "PATCH", f"/users/{ADA}", {"jobTitle": "x"}, True),
    ],
)
def test_each_call_wants_its_permission(
    emulator: Emulator, client: str, method: str, path: str, body: Any, allowed: bool
) -> None:
    answer = emulator.graph(method, path, body, client=client)
    assert answer.status < 300 if allowed else answer.error == FORBIDDEN


def test_reading_policies_wants_policy_read_all_once_there_is_one(tenant: Tenant) -> None:
    listing = "/policies/claimsMappingPolicies"
    get = tenant.emulator.graph
    assert get("GET", listing, client=POLICY_WRITER).json["value"] == []
    policy = tenant.policy()
    assert get("GET", listing, client=POLICY_WRITER).error == FORBIDDEN
    assert get("GET", f"{listing}/{policy}", client=POLICY_WRITER).error == FORBIDDEN
    assert get("GET", f"{listing}/{policy}", client=PREVIEW).status == 200
    assert get("GET", f"{listing}/{policy}/appliesTo", client=PREVIEW).status == 200


# -- throttling and faults ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def limited_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("limited"), "--quota", "0.001") as emulator:
        yield emulator


@pytest.fixture
def limited(limited_process: Emulator) -> Emulator:
    """An emulator that allows three writes in 150 s of a clock that stands still."""
    limited_process.reset()
    limited_process.stop_clock()
    return limited_process


@pytest.mark.parametrize(("form", "shown"), [("2", "100"), ("2.128", "100.000"), ("date", None)])
def test_the_write_quota_refuses_warns_and_refills_by_the_clock(
    limited: Emulator, form: str, shown: str | None
) -> None:
    limited.dials(retry_after=form)
    tenant = Tenant(limited)
    answers = [tenant.patch({"jobTitle": str(n)}) for n in range(5)]
    assert [answer.status for answer in answers] == [204, 204, 204, 429, 429]
    shares = [answer.headers.get("x-ms-throttle-limit-percentage") for answer in answers[:3]]
    assert shares == [None, None, "1.00"]
    refused = answers[4]
    assert refused.error == (429, "TooManyRequests", "Please retry again later.")
    assert refused.json["error"]["innerError"]["status"] == "429"
    assert refused.headers["x-ms-throttle-scope"] == f"Tenant_Application/ReadWrite/{ADMIN}/{TENANT}"
    assert refused.headers["x-ms-throttle-information"] == "WriteLimitExceeded"
    after = refused.headers["retry-after"]
    # The refused fourth write counts too: the wait is that of two writes, 50 s each.
    assert after == (shown or format_datetime(_now(limited) + timedelta(seconds=100), usegmt=True))
    assert limited.graph("GET", f"/users/{ADA}").json["jobTitle"] == "2"
    limited.advance(100)
    assert tenant.patch({"jobTitle": "early"}).status == 429, "each refused write costs 50 s more"
    limited.advance(100)
    assert tenant.patch({"jobTitle": "later"}).status == 204


def _now(emulator: Emulator) -> datetime:
    return datetime.fromtimestamp(emulator.admin("GET", "clock")["now"], timezone.utc)


def test_batch_items_are_charged_one_by_one(limited: Emulator) -> None:
    items = [make_item(n, "PATCH", headers=PATCH_JSON, body={"jobTitle": str(n)}) for n in range(4)]
    responses = send_batch(limited, *items)
    assert [responses[str(n)]["status"] for n in range(4)] == [204, 204, 204, 429]
    assert "Retry-After" in responses["3"]["headers"]


@pytest.mark.parametrize(
    ("fault", "status", "code", "header"),
    [
        ({"status": 429}, 429, "TooManyRequests", ("retry-after", "2")),
        ({"status": 429, "headers": {"Retry-After": "0.25"}}, 429, "TooManyRequests", ("retry-after", "0.25")),
        ({"status": 503}, 503, "ServiceUnavailable", ("odata-version", "4.0")),
        ({"status": 400, "code": "Own", "message": "m"}, 400, "Own", ("odata-version", "4.0")),
    ],
)
def test_a_refusing_fault_is_not_carried_out(
    tenant: Tenant, fault: dict[str, Any], status: int, code: str, header: tuple[str, str]
) -> None:
    before = tenant.emulator.export()
    tenant.emulator.fault("refuse", "PATCH", "^/users/", skip=1, times=2, **fault)
    assert tenant.patch({}).status == 204
    first = tenant.patch({"jobTitle": "x"})
    assert first.error[:2] == (status, code)
    assert first.headers[header[0]] == header[1]
    item = make_item(1, "PATCH", headers=PATCH_JSON, body={"jobTitle": "x"})
    assert send_batch(tenant.emulator, item)["1"]["status"] == status
    assert tenant.emulator.export() == before
    assert tenant.patch({"jobTitle": "x"}).status == 204
    assert [f["fired"] for f in tenant.emulator.faults()] == [2]


@pytest.mark.parametrize(("action", "carried_out"), [("lose", True), ("drop", False)])
def test_a_cut_connection_is_logged_without_status(tenant: Tenant, action: str, carried_out: bool) -> None:
    tenant.emulator.fault(action, "PATCH")
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        tenant.patch({"jobTitle": "Lead"})
    assert tenant.emulator.requests()[-1]["status"] == 0
    assert (tenant.value("jobTitle") == "Lead") is carried_out


@pytest.mark.parametrize("in_batch", [True, False])
def test_an_item_of_a_batch_may_bring_the_fault_upon_all_of_it(tenant: Tenant, in_batch: bool) -> None:
    emulator = tenant.emulator
    emulator.fault("drop", "PATCH", "^/users/", skip=1, in_batch=in_batch)
    items = [make_item(number, "PATCH", headers=PATCH_JSON, body={"jobTitle": "Lead"}) for number in (1, 2)]
    if in_batch:
        _cut_off(lambda: send_batch(emulator, *items))
        assert tenant.value("jobTitle") != "Lead"
        emulator.clear_faults()
    assert {answer["status"] for answer in send_batch(emulator, *items).values()} == {204}
    assert tenant.value("jobTitle") == "Lead"


@pytest.mark.parametrize(("action", "carried_out"), [("hang", True), ("hang_before", False)])
def test_a_hanging_request_is_released_when_the_faults_are_cleared(
    tenant: Tenant, action: str, carried_out: bool
) -> None:
    emulator = tenant.emulator
    emulator.token()
    emulator.fault(action, "PATCH")
    thread = threading.Thread(target=_cut_off, args=(lambda: tenant.patch({"jobTitle": "Lead"}),))
    thread.start()
    while not any(fault["fired"] for fault in emulator.faults()):
        pass  # each call is a round trip
    assert thread.is_alive()
    emulator.clear_faults()
    thread.join(timeout=120)
    assert not thread.is_alive()
    assert (tenant.value("jobTitle") == "Lead") is carried_out


def test_a_held_request_is_carried_out_and_answered_when_the_faults_are_cleared(tenant: Tenant) -> None:
    emulator = tenant.emulator
    emulator.token()
    emulator.fault("hold", "PATCH")
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(tenant.patch, {"jobTitle": "Lead"})
        while not any(fault["fired"] for fault in emulator.faults()):
            pass  # each call is a round trip
        assert tenant.value("jobTitle") != "Lead"
        emulator.clear_faults()
        assert answer.result(timeout=120).status == 204
    assert tenant.value("jobTitle") == "Lead"


def _cut_off(call: Callable[[], object]) -> None:
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        call()


def test_the_token_service_can_be_refused_too(emulator: Emulator) -> None:
    emulator.fault("refuse", "POST", "/oauth2/v2.0/token$", status=401, code="invalid_client", message="AADSTS7000222")
    answer = emulator.request("POST", f"/{TENANT}/oauth2/v2.0/token", b"")
    assert (answer.status, answer.json["error"]) == (401, "invalid_client")


# -- admin -------------------------------------------------------------------------------------------------------------


def test_the_log_has_every_call_but_admin_and_health(emulator: Emulator) -> None:
    emulator.request("GET", "/health")
    emulator.graph("GET", "/users?$top=1")
    emulator.request("GET", "/nonsense")
    assert [(r["method"], r["path"], r["status"]) for r in emulator.requests()] == [
        ("POST", f"/{TENANT}/oauth2/v2.0/token", 200),
        ("GET", "/v1.0/users?$top=1", 200),
        ("GET", "/nonsense", 404),
    ]
    emulator.clear()
    assert emulator.requests() == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "dials", {"gravity": 1}),
        ("PATCH", "dials", {"read_lag": -1}),
        ("PATCH", "dials", {"read_lag": True}),
        ("PATCH", "dials", {"second_policy_status": 418}),
        ("PATCH", "dials", {"retry_after": "soon"}),
        ("POST", "faults", {"action": "explode"}),
        ("POST", "faults", {"action": "drop", "path": "("}),
        ("POST", "faults", {"action": "drop", "when": "now"}),
        ("POST", "clock", {"advance": -1}),
        ("POST", "clock", {"stop": False}),
        ("POST", "seed", {"organization": []}),
        ("POST", "seed", {"organization": [{"id": TENANT}], "users": [{"id": TENANT}]}),
        ("POST", "seed", {"organization": [{"id": TENANT}], "people": []}),
    ],
)
def test_a_mistaken_admin_call_says_so_in_one_line_and_changes_nothing(
    emulator: Emulator, method: str, path: str, body: Any
) -> None:
    before = emulator.export(), emulator.admin("GET", "dials"), emulator.faults()
    with pytest.raises(RuntimeError, match=r"400 \{\"error\":\"[^\n]+\"\}"):
        emulator.admin(method, path, body)
    assert (emulator.export(), emulator.admin("GET", "dials"), emulator.faults()) == before


def test_every_write_changes_the_export_and_an_export_planted_as_a_seed_is_that_tenant(tenant: Tenant) -> None:
    """A value, property, policy or link that is left behind is visible, also the value of a deleted property."""
    exports = [tenant.emulator.export()]
    made = tenant.property()
    for write in (
        lambda: tenant.patch({made["name"]: "en"}),
        tenant.policy,
        lambda: tenant.assign(tenant.emulator.export()["claimsMappingPolicies"][0]["id"]),
        lambda: tenant.delete_property(made),
    ):
        exports.append(tenant.emulator.export())
        write()
    export = tenant.emulator.export()
    assert all(exports[i] != exports[j] for i in range(len(exports)) for j in range(i))
    assert export not in exports
    assert export["orphanedValues"]
    assert DEFINITION.replace('"', '\\"') in tenant.emulator.request("GET", "/admin/export").content.decode()
    tenant.emulator.reset()
    assert tenant.emulator.export() != export
    tenant.emulator.seed(export)
    assert tenant.emulator.export() == export


def test_the_seeded_users_are_the_documented_ones(emulator: Emulator) -> None:
    assert [(user["id"], user["userPrincipalName"]) for user in emulator.export()["users"]] == sorted(
        (user["id"], upn) for upn, user in USERS.items()
    )
