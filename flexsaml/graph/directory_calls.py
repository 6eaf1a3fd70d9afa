"""What the parts of `Directory` share: the client, and the confirmed 404. Touches Graph through the client
only.

Quirk: a replica that has not heard of an object yet answers 404 for one that exists; a provider that believed
it once made a duplicate (C). So absence is believed only after three looks. Pinned by
tests/graph/test_policies.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from flexsaml.graph.client import Client
from flexsaml.graph.errors import NotFound

T = TypeVar("T")

ABSENCE_LOOKS = (1.0, 2.0)  # seconds before the second and the third look
CONFIRM_WITHIN = 30.0  # seconds in which a tenant must show what was written


class DirectoryCalls:
    """A group of directory calls over one client."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def _unless_absent(self, look: Callable[[], T]) -> T | None:
        """`look()`, or None once three looks in a row answered 404."""
        for seconds in (*ABSENCE_LOOKS, None):
            try:
                return look()
            except NotFound:
                if seconds is not None:
                    self._client.clock.sleep(seconds)
        return None

    def _gone(self, path: str) -> bool | None:
        """True when one GET answers 404, else None: the shape that `landed` wants for a DELETE."""
        try:
            self._client.get(path, params={"$select": "id"})
        except NotFound:
            return True
        return None

    def _delete(self, path: str) -> None:
        """DELETE an object; one that is gone already is a success."""
        try:
            self._client.write("DELETE", path, landed=lambda: self._gone(path))
        except NotFound:
            return
