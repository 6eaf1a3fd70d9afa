"""$batch: up to 20 requests in one, each charged, logged and answered by itself.

Quirks (JSON batching page, A): ids are unique, urls relative, headers are not inherited, a body wants a Content-Type,
the batch answers 200, the order of answers is not promised (dial), what depends on a failure answers 424, no nesting,
no transaction.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import unquote

from emulator.errors import gateway_bad_request
from emulator.messages import ApiRequest, Reply
from emulator.types import Json

MAX_ITEMS = 20
_METHODS = frozenset({"GET", "POST", "PATCH", "PUT", "DELETE"})
Answer: TypeAlias = Callable[[ApiRequest, str], Reply]  # the item and its path as logged


@dataclass(frozen=True)
class Item:
    id: str
    method: str
    url: str
    headers: Mapping[str, str]
    body: Json
    depends_on: tuple[str, ...]


def parse(body: bytes) -> list[Item]:
    """The items. Raises GraphRefusal when the envelope is wrong (wordings D)."""
    try:
        document = json.loads(body)
    except ValueError as error:
        raise gateway_bad_request("Invalid batch payload format.") from error
    entries = document.get("requests") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not entries:
        raise gateway_bad_request("Invalid batch payload format.")
    if len(entries) > MAX_ITEMS:
        raise gateway_bad_request(f"Number of batch request steps exceeds the maximum value of {MAX_ITEMS}.")
    items = [_parse_item(entry) for entry in entries]
    known_ids: set[str] = set()
    for item in items:
        if item.id in known_ids:
            raise gateway_bad_request(f"Duplicate request id '{item.id}' in the batch.")
        if not known_ids.issuperset(item.depends_on):
            raise gateway_bad_request(f"Request '{item.id}' depends on a request that does not precede it.")
        known_ids.add(item.id)
    return items


def _parse_item(entry: Json) -> Item:
    if not isinstance(entry, dict):
        raise gateway_bad_request("Invalid batch payload format.")
    headers, depends_on = entry.get("headers") or {}, entry.get("dependsOn") or []
    method, url = entry.get("method"), entry.get("url")
    has_shape = (
        isinstance(entry.get("id"), str)
        and entry["id"]
        and isinstance(method, str)
        and method.upper() in _METHODS
        and isinstance(url, str)
        and re.match(r"[A-Za-z][A-Za-z0-9+.\-]*:|//", url) is None
        and isinstance(headers, dict)
        and ("headers" in entry or "body" not in entry)
        and isinstance(depends_on, list)
    )
    if not has_shape:
        raise gateway_bad_request("Invalid batch payload format.")
    lowered = {str(name).lower(): str(value) for name, value in headers.items()}
    return Item(entry["id"], str(method).upper(), str(url), lowered, entry.get("body"), tuple(map(str, depends_on)))


def run(request: ApiRequest, items: list[Item], answer: Answer, *, reverse: bool) -> Reply:
    """Carry the items out in their order and collect their answers."""
    statuses: dict[str, int] = {}
    responses: list[Json] = []
    for item in items:
        if any(statuses[item_id] >= 400 for item_id in item.depends_on):
            reply = Reply(424, {"error": {"code": "FailedDependency", "message": "Failed Dependency"}})
        else:
            reply = answer(*_item_request(request, item))
        statuses[item.id] = reply.status
        responses.append(_item_response(item.id, reply))
    return Reply(200, {"responses": responses[::-1] if reverse else responses})


def _item_request(batch: ApiRequest, item: Item) -> tuple[ApiRequest, str]:
    """The item as a request of its own, and its path as the log shows it."""
    path, _, query = ("/" + item.url.lstrip("/")).partition("?")
    logged = f"/{batch.version}/{item.url.lstrip('/')}"
    headers = {"authorization": batch.headers.get("authorization", ""), **item.headers}
    body = b"" if item.body is None else json.dumps(item.body).encode()
    return ApiRequest(item.method, batch.origin, batch.version, unquote(path), query, headers, body), logged


def _item_response(item_id: str, reply: Reply) -> Json:
    headers = {name: value for name, value in reply.headers.items() if name != "Strict-Transport-Security"}
    body = reply.body
    if body is not None:
        headers["Content-Type"] = reply.content_type
    if isinstance(body, str):  # what is not JSON travels as base64 in a batch
        body = base64.b64encode(reply.encode()).decode()
    return {"id": item_id, "status": reply.status, "headers": headers, "body": body}
