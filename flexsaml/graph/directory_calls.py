"""What the groups of calls of `Directory` share: the client, the confirmed 404, the bounded wait.

Touches Graph through the client only. Quirk: a replica that has not heard of an object yet answers 404 for one that
exists; a provider that believed it once made a duplicate (C). So absence is believed only after three reads. Pinned by
tests/graph/test_policies.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from flexsaml.graph.client import Client
from flexsaml.graph.errors import RUN_AGAIN, NotFound
from flexsaml.graph.wait import Wait, until

T = TypeVar("T")

ABSENCE_PAUSES = (1.0, 2.0)  # seconds before the second and the third read
CONFIRM_WITHIN = 30.0  # seconds in which a tenant must show what was written


class DirectoryCalls:
    """A group of directory calls over one client."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def _unless_absent(self, read: Callable[[], T | None]) -> T | None:
        """The first result of `read()` that is true, or None once three in a row gave none or answered 404."""
        for seconds in (*ABSENCE_PAUSES, None):
            try:
                if result := read():
                    return result
            except NotFound:
                pass
            if seconds is not None:
                self._client.clock.sleep(seconds)
        return None

    def _wait(self, what: str, deadline: float = CONFIRM_WITHIN, hint: str = RUN_AGAIN) -> Wait:
        client = self._client
        return Wait(what, deadline=deadline, clock=client.clock, hint=hint, progress=client.progress)

    def _until(
        self, check: Callable[[], T | None], what: str, deadline: float = CONFIRM_WITHIN, hint: str = RUN_AGAIN
    ) -> T:
        """The first result of `check()` that is true; raises StillPending when there is none in time."""
        return until(check, self._wait(what, deadline, hint))

    def _delete(self, path: str) -> None:
        """DELETE an object; one that is gone already is a success."""

        def gone() -> bool | None:
            try:
                self._client.get(path, params={"$select": "id"})
            except NotFound:
                return True
            return None

        try:
            self._client.write("DELETE", path, landed=gone)
        except NotFound:
            return
