"""Flex's workers: created or updated by a sign-in, kept with the tenant, read over HTTP as TaskRouter serves them.
Quirks: an assertion is accepted once; its id is kept until it expires. `attributes` is a JSON string, and null in the
list (C); basic authentication by account SID or API key; refusals are {code, message, more_info, status}. Dates are
fixed: workers carry no clock times, so that exports can be compared."""

import base64
import json
import re
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from emulator import pages
from emulator.flex.mapping import MappedAttributes
from emulator.flex.received import InvalidResponse, ReceivedAssertion
from emulator.tenant.records import PlainRecord, Record
from emulator.tenant.store import Store
from emulator.types import Attributes, Json

ACCOUNT = f"AC{'0' * 32}"
WORKSPACE = f"WS{'0' * 32}"
PASSWORD = "sandbox"  # noqa: S105 - no secret
_DATE = "2026-01-05T09:00:00Z"
_USER = re.compile(rf"{ACCOUNT}|SK[0-9a-fA-F]{{32}}")
_LARGEST_PAGE = 1000


def find_worker(store: Store, friendly_name: str) -> PlainRecord | None:
    workers = store.workers.values()
    return next((worker for worker in workers if worker.attributes["friendlyName"] == friendly_name), None)


def sign_in(store: Store, assertion: ReceivedAssertion, mapped: MappedAttributes, now: float) -> PlainRecord:
    """The worker as it is afterwards. Raises InvalidResponse for an assertion that was accepted before."""
    if assertion.assertion_id in store.used_assertions:
        raise InvalidResponse("this assertion was accepted before; sign in again")
    before = find_worker(store, assertion.name_id)
    sid = before.id if before else f"WK{store.new_id('workers').replace('-', '')}"
    row: Attributes = before.attributes if before else {"id": sid, "friendlyName": assertion.name_id}
    attributes, channels = {**row.get("attributes", {}), **mapped.attributes}, dict(row.get("channels", {}))
    for name, settings in mapped.channels.items():
        channels[name] = {**channels.get(name, {}), **settings}
    worker = PlainRecord(sid, {**row, "attributes": attributes, "channels": channels})
    used = PlainRecord.from_row({"id": assertion.assertion_id, "ends": assertion.ends})
    expired = [("usedAssertions", old.id) for old in store.used_assertions.values() if old.attributes["ends"] <= now]
    put: list[tuple[str, Record]] = [("workers", worker), ("usedAssertions", used)]
    store.commit(put=put, remove=expired)
    return worker


def routes(store: Store) -> list[BaseRoute]:
    async def answer(request: Request) -> Response:
        if not _is_authorized(request.headers.get("authorization", "")):
            return _refusal(401, 20003, "Authenticate", {"WWW-Authenticate": 'Basic realm="Twilio API"'})
        workspace, _, sid = request.path_params["rest"].partition("/Workers/")
        if request.method in ("GET", "HEAD"):
            if request.path_params["rest"] == f"{WORKSPACE}/Workers":
                return _list_workers(store, request)
            if workspace == WORKSPACE and (worker := store.workers.get(sid)):
                return JSONResponse(_worker_body(worker, _base(request), with_attributes=True))
        path = request.url.path.removeprefix("/v1")
        return _refusal(404, 20404, f"The requested resource {path} was not found")

    return [Route("/v1/Workspaces/{rest:path}", answer, methods=["GET", "POST", "DELETE"])]


def _is_authorized(authorization: str) -> bool:
    scheme, _, credentials = authorization.partition(" ")
    try:
        user, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
    except ValueError:
        return False
    return scheme.lower() == "basic" and bool(_USER.fullmatch(user)) and password == PASSWORD


def _list_workers(store: Store, request: Request) -> Response:
    query = request.query_params
    try:
        size, page = int(query.get("PageSize", "50")), int(query.get("Page", "0"))
    except ValueError:
        size = page = -1
    if not (1 <= size <= _LARGEST_PAGE and page >= 0):
        return _refusal(400, 20001, f"PageSize is 1 to {_LARGEST_PAGE} and Page is at least 0")
    name = query.get("FriendlyName")
    workers = [item for item in store.workers.values() if name in (None, item.attributes["friendlyName"])]
    base, options = _base(request), {"FriendlyName": name} if name else {}

    def url(number: int) -> str:
        return f"{base}?{urlencode({**options, 'PageSize': size, 'Page': number})}"

    meta = {
        "first_page_url": url(0), "key": "workers",
        "next_page_url": url(page + 1) if (page + 1) * size < len(workers) else None, "page": page,
        "page_size": size, "previous_page_url": url(page - 1) if page else None, "url": url(page),
    }  # fmt: skip
    listed = workers[page * size : (page + 1) * size]
    rows = [_worker_body(worker, base, with_attributes=False) for worker in listed]
    return JSONResponse({"workers": rows, "meta": meta})


def _worker_body(worker: PlainRecord, base: str, *, with_attributes: bool) -> Attributes:
    attributes: Json = json.dumps(worker.attributes["attributes"], ensure_ascii=False) if with_attributes else None
    return {
        "account_sid": ACCOUNT, "activity_name": "Offline", "activity_sid": f"WA{'0' * 32}",
        "attributes": attributes, "available": False,
        **dict.fromkeys(("date_created", "date_status_changed", "date_updated"), _DATE),
        "friendly_name": worker.attributes["friendlyName"], "sid": worker.id, "workspace_sid": WORKSPACE,
        "url": f"{base}/{worker.id}", "links": {"workspace": base.removesuffix("/Workers")},
    }  # fmt: skip


def _base(request: Request) -> str:
    return f"{pages.read_origin(request)}/v1/Workspaces/{WORKSPACE}/Workers"


def _refusal(status: int, code: int, message: str, headers: dict[str, str] | None = None) -> Response:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return JSONResponse({"code": code, "message": message, "more_info": more, "status": status}, status, headers)
