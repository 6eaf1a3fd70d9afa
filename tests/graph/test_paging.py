"""If this goes red, a listing may lose items silently, never end, or send a token to a foreign host."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from flexsaml.graph.errors import Unanswered

from .fakes import PUBLIC, listing, ok, stage

ROOT = "https://graph.microsoft.com/v1.0/"

FOREIGN = [
    "https://evil.example/v1.0/x?$skiptoken=2",
    "https://graph.microsoft.com.evil.example/v1.0/x",
    "https://graph.microsoft.com@evil.example/v1.0/x",
    "https://user@graph.microsoft.com/v1.0/x",
    "http://graph.microsoft.com/v1.0/x",
    "https://graph.microsoft.com:8443/v1.0/x",
    "https://graph.microsoft.com:port/v1.0/x",
    "https://graph.microsoft.com/beta/x",
    "https://graph.microsoft.com/v1.0/../beta/x",
    "/v1.0/x?$skiptoken=2",
    "",
    7,
]


@pytest.mark.parametrize("link", FOREIGN)
def test_foreign_link_is_not_followed(link: object) -> None:
    scene = stage(listing({"id": "1"}, **{"@odata.nextLink": link}))
    with pytest.raises(
        Unanswered, match=r"GET /x: .* is not followed; check the endpoints .* or run the same command again"
    ):
        list(scene.client.pages("/x"))
    assert len(scene.graph.requests) == 1


@pytest.mark.parametrize("link", [ROOT + "x?p=2", "https://GRAPH.microsoft.com:443/v1.0/x?p=2"])
def test_own_link_is_followed(link: str) -> None:
    scene = stage(listing({"id": "1"}, **{"@odata.nextLink": link}), listing({"id": "2"}))
    assert [item["id"] for item in scene.client.pages("/x")] == ["1", "2"]
    assert urlsplit(scene.graph.requests[1].url).hostname == urlsplit(PUBLIC.graph).hostname


LOOPS = [[ROOT + "x"], [ROOT + "x?p=2", ROOT + "x?p=2"], [ROOT + "x?p=2", ROOT + "x?p=3", ROOT + "x?p=2"]]


@pytest.mark.parametrize("links", LOOPS, ids=["first page", "itself", "an earlier one"])
def test_loop_ends_with_an_error(links: list[str]) -> None:
    scene = stage(*[listing({"id": "1"}, **{"@odata.nextLink": link}) for link in links])
    with pytest.raises(Unanswered, match="leads back to a page already read"):
        list(scene.client.pages("/x"))
    assert len(scene.graph.requests) == len(links)


def test_page_without_items_may_have_a_successor() -> None:
    scene = stage(ok({"value": [], "@odata.nextLink": ROOT + "x?p=2"}), listing({"id": "2"}))
    assert [item["id"] for item in scene.client.pages("/x")] == ["2"]
