"""The faults that a call to Graph can meet, and to which calls each applies. A helper, not a test.

"Done": the tenant carried the call out and the product does not get the right answer. What a socket cannot do without
waiting (a refused connection, a read time-out) is asked of `SimulatingAdapter` by a header.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

from tests.faults.proxy import CUT, Fault, Forward, RecordedCall, Reply, Send

Json = dict[str, Any]
SIMULATED = "X-Simulated"
REFUSED, TIMED_OUT = "refused", "timed-out"
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_COLLECTIONS = ("users", "extensionProperties", "claimsMappingPolicies", "appliesTo", "getAvailableExtensionProperties")
_HTML = b"<!DOCTYPE html><html><body><h1>We are sorry</h1></body></html>"
_ELSEWHERE = "https://graph.example.invalid/v1.0/users"


# -- to which calls --------------------------------------------------------------------------------------------------


def every(_call: RecordedCall) -> bool:
    return True


def is_write(call: RecordedCall) -> bool:
    return call.is_write


def is_single_write(call: RecordedCall) -> bool:
    return call.is_write and not call.is_batch


def is_batch(call: RecordedCall) -> bool:
    return call.is_batch


def names_an_object(call: RecordedCall) -> bool:
    return not call.is_batch and _GUID.search(call.path.partition("?")[0]) is not None


def has_item_of_an_object(call: RecordedCall) -> bool:
    return any(_names_an_object(item) for item in call.items)


def is_collection(path: str) -> bool:
    return path.partition("?")[0].rpartition("/")[2] in _COLLECTIONS


def lists(call: RecordedCall) -> bool:
    """Whether the answer, or that of a batch item, is a collection."""
    return not call.is_write and (is_collection(call.path) or any(is_collection(item["url"]) for item in call.items))


def _names_an_object(item: Json) -> bool:
    return bool(_GUID.search(item["url"].partition("?")[0])) or "/users/" in item["url"]


# -- answers ---------------------------------------------------------------------------------------------------------


def error_body(status: int) -> Json:
    codes = {
        400: "Request_BadRequest", 401: "InvalidAuthenticationToken", 403: "Authorization_RequestDenied",
        404: "Request_ResourceNotFound", 409: "Request_MultipleObjectsWithSameKeyValue", 429: "TooManyRequests",
        500: "InternalServerError", 503: "ServiceUnavailable",
    }  # fmt: skip
    message = f"A fault of the tests, status {status}."
    return {"error": {"code": codes.get(status, "UnknownError"), "message": message, "innerError": {"request-id": "f"}}}


def refuse(status: int, headers: Mapping[str, str] | None = None) -> Reply:
    if status in (502, 504):
        return Reply(status, {"Content-Type": "text/html"}, _HTML)
    return _as_json(error_body(status), status, headers)


def _as_json(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(status, {"Content-Type": "application/json", **(headers or {})}, json.dumps(body).encode())


def answered(
    name: str,
    status: int,
    headers: Mapping[str, str] | None = None,
    applies: Callable[[RecordedCall], bool] = every,
    *,
    same_path: bool = False,
) -> Fault:
    """Refused without being carried out."""
    return Fault(name, applies, lambda _call, _forward: refuse(status, headers), same_path)


def done_then(name: str, reply: Callable[[Reply], Reply | None], applies: Callable[[RecordedCall], bool]) -> Fault:
    """Carried out, and answered otherwise."""
    return Fault(name, applies, lambda _call, forward: reply(forward()))


def _dated(_call: RecordedCall, _forward: Forward) -> Reply:
    return refuse(429, {"Retry-After": format_datetime(datetime.now(timezone.utc) + timedelta(seconds=3), usegmt=True)})


# -- pages -----------------------------------------------------------------------------------------------------------


def _linked(link: Callable[[RecordedCall, str], str]) -> Callable[[RecordedCall, Forward], Reply]:
    """Collections in the answer get that link to a next page."""

    def strike(call: RecordedCall, forward: Forward) -> Reply:
        reply = forward()
        body = reply.json
        if call.is_batch and isinstance(body, dict):
            urls = {str(item["id"]): item["url"] for item in call.items}
            for answer in body.get("responses", ()):
                if isinstance(answer.get("body"), dict) and "value" in answer["body"]:
                    answer["body"]["@odata.nextLink"] = link(call, urls[str(answer["id"])])
        elif isinstance(body, dict) and "value" in body:
            body["@odata.nextLink"] = link(call, "")
        return replace(reply, body=json.dumps(body).encode())

    return strike


def _same_page(call: RecordedCall, item_url: str) -> str:
    return call.url.replace("/$batch", item_url) if item_url else call.url


# -- batches ---------------------------------------------------------------------------------------------------------


def _item_refused(status: int, *, done: bool = False, after: str = "") -> Callable[[RecordedCall, Forward], Reply]:
    """The first item that names an object is answered with that status; the others as they are."""

    def strike(call: RecordedCall, forward: Forward) -> Reply:
        items = call.items
        struck = next((item for item in items if _names_an_object(item)), items[0])
        rest = [item for item in items if item is not struck]
        headers = {"Retry-After": after} if after else {}
        answer = {"id": struck["id"], "status": status, "headers": headers, "body": error_body(status)}
        sent = items if done else rest
        reply = forward({"requests": sent}) if sent else Reply(200, {"Content-Type": "application/json"}, b"{}")
        listed = [entry for entry in (reply.json or {}).get("responses", []) if str(entry["id"]) != str(struck["id"])]
        return replace(reply, body=json.dumps({"responses": [answer, *listed]}).encode())

    return strike


def _reshaped(change: Callable[[list[Json]], object]) -> Callable[[RecordedCall, Forward], Reply]:
    def strike(_call: RecordedCall, forward: Forward) -> Reply:
        reply = forward()
        body = reply.json
        if not isinstance(body, dict) or "responses" not in body:
            return reply
        changed = change(body["responses"])
        return replace(
            reply, body=json.dumps(changed if isinstance(changed, dict) else {"responses": changed}).encode()
        )

    return strike


def _contradicted(answers: list[Json]) -> list[Json]:
    first = answers[0]
    return [*answers, {"id": first["id"], "status": 404, "body": error_body(404)}]


_SHAPES: dict[str, Callable[[list[Json]], object]] = {
    "batch: first item missing": lambda answers: answers[1:],
    "batch: last item missing": lambda answers: answers[:-1],
    "batch: no item": lambda _answers: [],
    "batch: doubled": lambda answers: [*answers, *answers],
    "batch: doubled with another answer": _contradicted,
    "batch: reordered": lambda answers: answers[::-1],
    "batch: an object by id": lambda answers: {"responses": {answer["id"]: answer for answer in answers}},
    "batch: items are text": lambda answers: [json.dumps(answer) for answer in answers],
    "batch: status is text": lambda answers: [{**answer, "status": str(answer["status"])} for answer in answers],
    "batch: bodies are text": lambda answers: [{**answer, "body": "ok"} for answer in answers],
    "batch: bodies are empty": lambda answers: [{**answer, "body": {}} for answer in answers],
    "batch: headers are a list": lambda answers: [{**answer, "headers": ["Retry-After"]} for answer in answers],
    "batch: only an error": lambda _answers: {"error": {"code": "x", "message": "y"}},
}


def _faults() -> Iterator[Fault]:
    for name, value in {"whole": "2", "fractional": "0.7", "absurd": "86400", "negative": "-5"}.items():
        yield answered(f"429, {name} Retry-After", 429, {"Retry-After": value})
    yield Fault("429, dated Retry-After", every, _dated)
    yield answered("429, no Retry-After", 429)
    for status in (500, 502, 503, 504):
        yield answered(f"{status}, not done", status)
        yield done_then(f"{status}, done", lambda _reply, status=status: refuse(status), is_write)  # type: ignore[misc]
    yield answered("connection refused", 418, {SIMULATED: REFUSED})
    yield Fault("reset before", every, lambda _call, _forward: CUT)
    yield done_then("answer lost", lambda _reply: CUT, is_write)
    yield answered("read time-out, not done", 418, {SIMULATED: TIMED_OUT})
    yield done_then("read time-out, done", lambda _reply: refuse(418, {SIMULATED: TIMED_OUT}), is_write)
    yield done_then("truncated JSON", lambda reply: replace(reply, status=200, body=(reply.body or b'{"a')[:-1]), every)
    yield done_then("HTML", lambda _reply: Reply(200, {"Content-Type": "text/html"}, _HTML), every)
    yield done_then("empty body", lambda _reply: Reply(200, {"Content-Type": "application/json"}), every)
    yield done_then("empty object", lambda _reply: _as_json({}), every)
    yield done_then("error object in a 200, done", lambda _reply: _as_json(error_body(503)), every)
    yield Fault("error object in a 200, not done", every, lambda _call, _forward: _as_json(error_body(503)))
    yield done_then("empty list", lambda _reply: _as_json([]), every)
    yield done_then("wrong content type", lambda reply: replace(reply, headers={"Content-Type": "text/plain"}), every)
    yield answered("401, expired", 401, {"WWW-Authenticate": 'Bearer error="invalid_token"'})
    challenge = 'Bearer realm="", error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ=="'
    yield answered("401, claims challenge", 401, {"WWW-Authenticate": challenge})
    yield answered("403", 403)
    yield answered("lagging 404", 404, None, names_an_object, same_path=True)
    yield answered("conflict", 409, None, is_single_write, same_path=True)
    yield Fault("nextLink loops", lists, _linked(_same_page))
    yield Fault("nextLink leaves", lists, _linked(lambda _call, _url: _ELSEWHERE))
    yield answered("redirect", 302, {"Location": _ELSEWHERE})
    yield Fault("batch: item 429", is_batch, _item_refused(429, after="2"))
    yield Fault("batch: item 429, absurd", is_batch, _item_refused(429, after="86400"))
    yield Fault("batch: item 429, no Retry-After", is_batch, _item_refused(429))
    yield Fault("batch: item 503, not done", is_batch, _item_refused(503))
    yield Fault("batch: item 503, done", is_batch, _item_refused(503, done=True))
    yield Fault("batch: item 401", is_batch, _item_refused(401))
    yield Fault("batch: item 403", is_batch, _item_refused(403))
    yield Fault("batch: item 404", has_item_of_an_object, _item_refused(404))
    for name, change in _SHAPES.items():
        yield Fault(name, is_batch, _reshaped(change))


FAULTS = {fault.name: fault for fault in _faults()}


def stale_read(recorded: list[RecordedCall], number: int) -> Fault | None:
    """The read of that number is answered as it would have been before the last write in front of it; None where there
    is no such write. The old answer is fetched before that write is passed on."""
    read = recorded[number]
    write = next((call.number for call in reversed(recorded[:number]) if call.is_write), None)
    if read.is_write or write is None:
        return None
    old: list[Reply] = []

    def notice(call: RecordedCall, send: Send) -> None:
        if call.number == write and not old:
            old.append(send(read.method, read.path, read.body))

    def strike(_call: RecordedCall, forward: Forward) -> Reply:
        return old[0] if old else forward()

    return Fault("stale read", asks_the_same_as(read), strike, notice=notice)


def read_from_before(read: RecordedCall, old: Reply) -> Fault:
    """The read is answered as it would have been before the stack was made."""
    return Fault("read from before the stack", asks_the_same_as(read), lambda _call, _forward: old)


def asks_the_same_as(recorded: RecordedCall) -> Callable[[RecordedCall], bool]:
    return lambda call: (call.method, call.path, call.body) == (recorded.method, recorded.path, recorded.body)
