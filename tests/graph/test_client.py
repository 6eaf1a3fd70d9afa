"""If this goes red, calls go out with a wrong token, header or version, or a bearer token shows up in a message."""

from __future__ import annotations

import pytest

from flexsaml.graph.clouds import cloud
from flexsaml.graph.errors import Unanswered, Unauthorized

from .fakes import SECRET, Answer, error, listing, ok, stage

NO_TOKEN = error(401, "InvalidAuthenticationToken", "Access token has expired.")


def test_request_carries_token_and_a_fresh_id() -> None:
    scene = stage(ok({"id": "1"}), ok({"id": "1"}))
    scene.client.get("/x", params={"$select": "id,name"}, headers={"ConsistencyLevel": "eventual"}, version="beta")
    scene.client.get("/x")
    first, second = scene.graph.requests
    assert first.line == "GET /beta/x?$select=id,name"
    assert first.url.startswith("https://graph.microsoft.com/beta/")
    assert first.headers["Authorization"] == f"Bearer {SECRET}-0"
    assert first.headers["ConsistencyLevel"] == "eventual"
    assert len(first.headers["client-request-id"]) == 36
    assert first.headers["client-request-id"] != second.headers["client-request-id"]


def test_401_drops_the_token_once() -> None:
    scene = stage(NO_TOKEN, ok({"id": "1"}))
    assert scene.client.write("POST", "/x", {"a": 1}) == {"id": "1"}
    assert scene.tokens.forgotten == [f"{SECRET}-0"]
    assert [request.headers["Authorization"][-2:] for request in scene.graph.requests] == ["-0", "-1"]
    assert [request.body for request in scene.graph.requests] == [{"a": 1}] * 2


def test_second_401_is_an_error() -> None:
    scene = stage(NO_TOKEN, NO_TOKEN)
    with pytest.raises(Unauthorized, match="az login"):
        scene.client.get("/x")
    assert len(scene.graph.requests) == 2


def test_no_answer_body_is_an_empty_object() -> None:
    assert stage(ok()).client.write("PATCH", "/x", {}) == {}


def test_action_is_repeated_like_a_read() -> None:
    scene = stage(error(500), ok({"value": []}))
    assert scene.client.action("/x", {}) == {"value": []}


@pytest.mark.parametrize("body", [b"<html>", ["a"], b"\xff"], ids=["html", "array", "bytes"])
def test_unreadable_answer_to_a_write_is_unanswered(body: object) -> None:
    with pytest.raises(Unanswered, match="not a JSON object"):
        stage(Answer(200, body)).client.write("POST", "/x", {})


def test_redirect_is_not_followed() -> None:
    scene = stage(Answer(302, None, {"Location": "https://evil.example/"}))
    with pytest.raises(Exception, match="redirects are not followed"):
        scene.client.get("/x")
    assert len(scene.graph.requests) == 1


def test_pages_send_their_headers_with_each_page() -> None:
    link = "https://graph.microsoft.com/v1.0/x?$skiptoken=2"
    scene = stage(listing({"id": "1"}, **{"@odata.nextLink": link}), listing({"id": "2"}))
    items = scene.client.pages("/x", headers={"ConsistencyLevel": "eventual"})
    assert [item["id"] for item in items] == ["1", "2"]
    assert scene.graph.lines == ["GET /v1.0/x", "GET /v1.0/x?$skiptoken=2"]
    assert {request.headers["ConsistencyLevel"] for request in scene.graph.requests} == {"eventual"}


def test_loopback_cloud_goes_to_its_endpoint() -> None:
    scene = stage(ok({}), cloud=cloud("loopback", graph_endpoint="http://localhost:9/"))
    scene.client.get("/x")
    assert scene.graph.requests[0].url == "http://localhost:9/v1.0/x"


def test_token_shows_in_no_message() -> None:
    scene = stage(NO_TOKEN, NO_TOKEN)
    with pytest.raises(Unauthorized) as raised:
        scene.client.get("/x")
    shown = [str(raised.value), repr(raised.value), *scene.progress_lines]
    assert not any(SECRET in text for text in shown)
