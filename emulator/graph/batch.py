"""$batch: up to 20 requests in one, each charged, logged and answered by itself.

Quirks tamed (JSON batching page, A): ids unique, urls relative, headers not inherited, a body wants a Content-Type,
200 overall, order of answers not promised (dial), dependants of a failure answer 424, no nesting, no transaction.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import unquote

from emulator.errors import GraphError, gateway_bad_request
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
    """The items, or GraphError when the envelope as a whole is wrong (wordings D)."""
    try:
        document = json.loads(body)
    except ValueError as error:
        raise gateway_bad_request("Invalid batch payload format.") from error
    entries = document.get("requests") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not entries:
        raise gateway_bad_request("Invalid batch payload format.")
    if len(entries) > MAX_ITEMS:
        raise gateway_bad_request(f"Number of batch request steps exceeds the maximum value of {MAX_ITEMS}.")
    items = [_item(entry) for entry in entries]
    known: set[str] = set()
    for item in items:
        if item.id in known:
            raise gateway_bad_request(f"Duplicate request id '{item.id}' in the batch.")
        if not known.issuperset(item.depends_on):
            raise gateway_bad_request(f"Request '{item.id}' depends on a request that does not precede it.")
        known.add(item.id)
    return items


def _item(entry: Json) -> Item:
    if not isinstance(entry, dict):
        raise gateway_bad_request("Invalid batch payload format.")
    headers, depends = entry.get("headers") or {}, entry.get("dependsOn") or []
    method, url = entry.get("method"), entry.get("url")
    shaped = (
        isinstance(entry.get("id"), str)
        and entry["id"]
        and isinstance(method, str)
        and method.upper() in _METHODS
        and isinstance(url, str)
        and re.match(r"[A-Za-z][A-Za-z0-9+.\-]*:|//", url) is None
        and isinstance(headers, dict)
        and ("headers" in entry or "body" not in entry)
        and isinstance(depends, list)
    )
    if not shaped:
        raise gateway_bad_request("Invalid batch payload format.")
    lowered = {str(name).lower(): str(value) for name, value in headers.items()}
    return Item(entry["id"], str(method).upper(), str(url), lowered, entry.get("body"), tuple(map(str, depends)))


def run(request: ApiRequest, items: list[Item], answer: Answer, *, reverse: bool) -> Reply:
    """Carry the items out one after another and collect their answers."""
    statuses: dict[str, int] = {}
    responses: list[Json] = []
    for item in items:
        if any(statuses[other] >= 400 for other in item.depends_on):
            reply = Reply(424, {"error": {"code": "FailedDependency", "message": "Failed Dependency"}})
        else:
            reply = answer(*_request(request, item))
        statuses[item.id] = reply.status
        responses.append(_response(item.id, reply))
    return Reply(200, {"responses": responses[::-1] if reverse else responses})


def _request(outer: ApiRequest, item: Item) -> tuple[ApiRequest, str]:
    path, _, query = ("/" + item.url.lstrip("/")).partition("?")
    logged = f"/{outer.version}/{item.url.lstrip('/')}"
    headers = {"authorization": outer.headers.get("authorization", ""), **item.headers}
    body = b"" if item.body is None else json.dumps(item.body).encode()
    return ApiRequest(item.method, outer.origin, outer.version, unquote(path), query, headers, body), logged


def _response(item_id: str, reply: Reply) -> Json:
    headers = {name: value for name, value in reply.headers.items() if name != "Strict-Transport-Security"}
    if reply.body is None:
        return {"id": item_id, "status": reply.status, "headers": headers, "body": None}
    headers["Content-Type"] = reply.content_type
    # What is not JSON travels as base64 in a batch.
    body = base64.b64encode(reply.encoded()).decode() if isinstance(reply.body, str) else reply.body
    return {"id": item_id, "status": reply.status, "headers": headers, "body": body}


def is_nested(path: str) -> GraphError | None:
    nested = path.strip("/") == "$batch"
    return gateway_bad_request("Nested batch requests are not supported.") if nested else None
