"""If this goes red, Graph, or a proxy in front of it, can hold a command for hours: no wait outlasts the deadline of an
operation, whatever is asked for, wherever it is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from flexsaml.graph.batch import BatchRequest
from flexsaml.graph.bulk import STALLED
from flexsaml.graph.client import MOST_PAGES
from flexsaml.graph.errors import GraphError
from tests.graph.fakes import Answer, RecordedRequest, Stage, batch, ok, stage, throttled

DEADLINE = 120.0
WAITS = [
    "86400",
    "1e9",
    "99999999999999999999",
    "-5",
    "0",
    "inf",
    "nan",
    "Fri, 31 Dec 9999 23:59:59 GMT",
    "soon",
    "",
    None,
]
CALLS: dict[str, Callable[[Stage], object]] = {
    "read": lambda scene: scene.client.entity("/things/1"),
    "pages": lambda scene: list(scene.client.pages("/things")),
    "write": lambda scene: scene.client.write("PATCH", "/things/1", {"x": 1}),
    "create": lambda scene: scene.client.write("POST", "/things", {"x": 1}),
    "batch of reads": lambda scene: raise_failures(scene.client.read_batch(["/things/1"])),
    "user": lambda scene: scene.directory.read_users(["ada@contoso.example"], ["extension_x"]),
}


def raise_failures(answers: Sequence[object]) -> None:
    for answer in answers:
        failure = getattr(answer, "failure", None)
        if failure is not None:
            raise failure


@pytest.mark.parametrize("after", WAITS, ids=str)
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("inside_batch", [False, True], ids=["whole", "item"])
def test_no_wait_outlasts_the_deadline(call: str, after: str | None, inside_batch: bool) -> None:
    def refuse(request: RecordedRequest) -> Answer:
        is_batch = request.url.endswith("$batch")
        return batch(throttled(after))(request) if inside_batch and is_batch else throttled(after)

    scene = stage(*[refuse] * 400, deadline=DEADLINE)
    with pytest.raises(GraphError) as raised:
        CALLS[call](scene)
    assert scene.clock.passed <= DEADLINE + 1
    assert "run the same command again" in str(raised.value)


@pytest.mark.parametrize("after", WAITS, ids=str)
def test_a_bulk_write_that_is_only_told_to_wait_ends(after: str | None) -> None:
    """It has more patience, since a large roster uses its quota up again and again."""
    scene = stage(*[batch(throttled(after))] * 1000, deadline=DEADLINE)
    failures = scene.client.bulk([BatchRequest("PATCH", "/users/1", {"x": 1})])
    assert "run the same command again" in str(failures[0])
    assert scene.clock.passed <= STALLED + DEADLINE


def test_an_endless_chain_of_pages_ends() -> None:
    def link_on(request: RecordedRequest) -> Answer:
        """A page whose link leads to one that was never read."""
        number = int(request.url.rpartition("=")[2] or 0) + 1 if "=" in request.url else 1
        link = f"https://graph.microsoft.com/v1.0/things?page={number}"
        return ok({"value": [{"id": str(number)}], "@odata.nextLink": link})

    scene = stage(*[link_on] * (MOST_PAGES + 1))
    with pytest.raises(GraphError, match="more than 5,000 pages"):
        list(scene.client.pages("/things"))
