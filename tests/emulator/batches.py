"""Requests to `$batch`. A helper, not a test."""

from __future__ import annotations

from typing import Any

from tests.emulator.process import Emulator
from tests.emulator.tenant import ADA

PATCH_JSON = {"Content-Type": "application/json"}


def make_item(number: int, method: str = "GET", url: str = f"/users/{ADA}", **more: Any) -> dict[str, Any]:
    return {"id": str(number), "method": method, "url": url, **more}


def send_batch(emulator: Emulator, *items: dict[str, Any]) -> dict[str, Any]:
    """The response of each item, by its id."""
    answer = emulator.graph("POST", "/$batch", {"requests": list(items)})
    assert answer.status == 200, answer.content
    return {response["id"]: response for response in answer.json["responses"]}
