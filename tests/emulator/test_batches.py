"""If this goes red, the emulator answers a batch, or an item of one, differently from Graph."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.batches import PATCH_JSON, make_item, send_batch
from tests.emulator.process import Emulator
from tests.emulator.tenant import ADA, EVENTUAL, Tenant, full_name


def test_batch_items_are_answered_logged_and_refused_one_by_one(tenant: Tenant) -> None:
    tenant.property()
    tenant.emulator.clear()
    name = full_name("languages")
    responses = send_batch(
        tenant.emulator,
        make_item(1, "PATCH", f"users/{ADA}", headers=PATCH_JSON, body={name: "en"}),
        make_item(2, "PATCH", f"users/{ADA}", headers={}, body={name: "de"}),
        make_item(3, "GET", "users/$count", headers=EVENTUAL),
        make_item(4, "GET", "/users/nobody", dependsOn=["1"]),
        make_item(5, dependsOn=["4"]),
    )
    assert {n: r["status"] for n, r in responses.items()} == {"1": 204, "2": 400, "3": 200, "4": 404, "5": 424}
    assert all("request-id" in responses[n]["headers"] for n in "1234")
    assert tenant.value(name) == "en"
    assert [(r["path"], r["status"], r["in_batch"]) for r in tenant.emulator.requests()[:5]] == [
        ("/v1.0/$batch", 200, False),
        (f"/v1.0/users/{ADA}", 204, True),
        (f"/v1.0/users/{ADA}", 400, True),
        ("/v1.0/users/$count", 200, True),
        ("/v1.0/users/nobody", 404, True),
    ]


def test_headers_of_a_batch_are_not_inherited_and_order_is_not_promised(emulator: Emulator) -> None:
    emulator.dials(batch_order="reversed")
    body = {"requests": [make_item(1, "GET", "users/$count"), make_item(2)]}
    answer = emulator.graph("POST", "/$batch", body, headers=EVENTUAL)
    assert [(r["id"], r["status"]) for r in answer.json["responses"]] == [("2", 200), ("1", 400)]


@pytest.mark.parametrize(
    "items",
    [
        [],
        [make_item(n) for n in range(21)],
        [make_item(1), make_item(1)],
        [make_item(1, url="https://graph.microsoft.com/v1.0/users")],
        [make_item(1, dependsOn=["2"]), make_item(2)],
        [make_item(1, method="STEAL")],
        [make_item(1, "PATCH", body={})],
        ["x"],
    ],
)
def test_an_invalid_batch_is_refused_whole(emulator: Emulator, items: list[Any]) -> None:
    answer = emulator.graph("POST", "/$batch", {"requests": items})
    assert answer.error[:2] == (400, "BadRequest")
    assert [r["in_batch"] for r in emulator.requests() if "$batch" in r["path"]] == [False]


def test_a_batch_in_a_batch_and_a_batch_without_token_are_refused(emulator: Emulator) -> None:
    assert send_batch(emulator, make_item(1, "POST", "/$batch", headers=PATCH_JSON, body={}))["1"]["status"] == 400
    assert emulator.request("POST", "/v1.0/$batch", b"{}", PATCH_JSON).status == 401
