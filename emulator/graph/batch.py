"""$batch: up to 20 requests in one, each charged, logged and answered by itself. Quirks (JSON batching page, A): ids
are unique, urls relative, headers are not inherited (except Authorization), a body needs a Content-Type, the batch
answers 200, the order of answers is not promised (dial), what depends on a failure answers 424, no nesting, no
transaction."""

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from emulator.errors import gateway_bad_request, refusal
from emulator.messages import ApiRequest, Reply, parse_json
from emulator.types import Json

MAX_ITEMS = 20
_METHODS = frozenset({"GET", "POST", "PATCH", "PUT", "DELETE"})


@dataclass(frozen=True)
class Item:
    id: str
    request: ApiRequest
    logged_path: str
    depends_on: tuple[str, ...]


def parse(batch: ApiRequest) -> list[Item]:
    """The items. Raises GraphRefusal when the envelope is wrong (wordings D)."""
    try:
        document = parse_json(batch.body)
    except ValueError as error:
        raise refusal("invalid_batch") from error
    entries = document.get("requests") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not entries:
        raise refusal("invalid_batch")
    if len(entries) > MAX_ITEMS:
        raise gateway_bad_request(f"Number of batch request steps exceeds the maximum value of {MAX_ITEMS}.")
    items = [_parse_item(batch, entry) for entry in entries]
    known_ids: set[str] = set()
    for item in items:
        if item.id in known_ids:
            raise gateway_bad_request(f"Duplicate request id '{item.id}' in the batch.")
        if not known_ids.issuperset(item.depends_on):
            raise gateway_bad_request(f"Request '{item.id}' depends on a request that does not precede it.")
        known_ids.add(item.id)
    return items


def _parse_item(batch: ApiRequest, entry: Json) -> Item:
    if not isinstance(entry, dict):
        raise refusal("invalid_batch")
    headers, depends_on = entry.get("headers") or {}, entry.get("dependsOn") or []
    item_id, method, url = entry.get("id"), entry.get("method"), entry.get("url")
    if (
        not (isinstance(item_id, str) and item_id and isinstance(method, str) and isinstance(url, str))
        or method.upper() not in _METHODS
        or re.match(r"[A-Za-z][A-Za-z0-9+.\-]*:|//", url)
        or not (isinstance(headers, dict) and isinstance(depends_on, list))
        or ("body" in entry and "headers" not in entry)
    ):
        raise refusal("invalid_batch")
    url = url.lstrip("/")
    path, _, query = url.partition("?")
    lowered = {str(name).lower(): str(value) for name, value in headers.items()}
    lowered = {"authorization": batch.headers.get("authorization", ""), **lowered}
    body = b"" if entry.get("body") is None else json.dumps(entry["body"]).encode()
    request = ApiRequest(method.upper(), batch.origin, batch.version, "/" + unquote(path), query, lowered, body)
    return Item(item_id, request, f"/{batch.version}/{url}", tuple(map(str, depends_on)))


def run(items: list[Item], answer: Callable[[Item], Reply], *, reverse: bool) -> Reply:
    """Carry the items out in their order and collect their answers."""
    statuses: dict[str, int] = {}
    responses: list[Json] = []
    for item in items:
        if any(statuses[item_id] >= 400 for item_id in item.depends_on):
            reply = Reply(424, {"error": {"code": "FailedDependency", "message": "Failed Dependency"}})
        else:
            reply = answer(item)
        statuses[item.id] = reply.status
        headers = {name: value for name, value in reply.headers.items() if name != "Strict-Transport-Security"}
        if reply.body is not None:
            headers["Content-Type"] = reply.content_type
        # What is not JSON travels as base64 in a batch.
        body = base64.b64encode(reply.encode()).decode() if isinstance(reply.body, str) else reply.body
        responses.append({"id": item.id, "status": reply.status, "headers": headers, "body": body})
    return Reply(200, {"responses": responses[::-1] if reverse else responses})
