"""The one way in to Microsoft Graph: a call with token, deadline, retries and typed errors. Touches the network through
transport.py only. One deadline covers an operation with all its repeats; reads that check whether a write was carried
out share the write's. Quirks: a 401 makes the token be fetched anew, once (A: F5). The link of a page is opaque (A) and
used verbatim, but followed only within the cloud and version that were asked, since a token goes with it; a live tenant
has linked a page to itself (C), so a link that was followed before ends the listing with an error."""

import random
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import SplitResult, urlsplit

import requests

from .batch import CHUNK, BatchRequest, BatchResponse, send_once, send_until_settled
from .bulk import OnProgress, write_until_settled
from .clock import Clock
from .clouds import Cloud
from .errors import RUN_AGAIN, GraphError, Headers, Unanswered, Unauthorized, operation
from .retry import Retrier
from .shapes import check_entity, check_items
from .tokens import CachedTokens
from .transport import Call, exchange, open_session
from .urls import with_query

T = TypeVar("T")

Json = dict[str, Any]
Params = Mapping[str, object] | None
MOST_PAGES = 5_000  # of one listing; 100 objects or more stand on a page
_IDEMPOTENT = ("PATCH", "DELETE")
_PORTS = {"http": 80, "https": 443}


class Client:
    """Graph of one cloud for one identity. Safe to share between threads. `deadline`: seconds for one operation with
    all its repeats. `progress` gets a line about every pause of a second or more. `session` is for tests."""

    def __init__(
        self,
        cloud: Cloud,
        tokens: CachedTokens,
        *,
        clock: Clock | None = None,
        chance: Callable[[], float] = random.random,
        deadline: float = 120.0,
        session: requests.Session | None = None,
        progress: Callable[[str], None] | None = None,
    ) -> None:
        self.cloud, self.tokens, self.deadline = cloud, tokens, deadline
        self.clock = clock or Clock()
        self.progress: Callable[[str], None] = progress or (lambda _line: None)
        self._session = session or open_session(cloud)
        self._retrier = Retrier(self.clock, chance, self.progress)
        self._running = threading.local()

    def get(self, path: str, *, params: Params = None, headers: Headers = None, version: str = "v1.0") -> Json:
        """GET one object or one page. `path` starts with a slash and is already escaped (urls.py)."""
        return self._safe(self._call("GET", with_query(path, params), headers, version=version))

    def entity(self, path: str, *, params: Params = None) -> Json:
        """GET one object that has an id."""
        return check_entity(path, self.get(path, params=params))

    def action(self, path: str, json: object) -> Json:
        """POST that only reads (an OData action): repeated like a GET."""
        return self._safe(self._call("POST", path, json=json))

    def pages(self, path: str, *, params: Params = None, headers: Headers = None) -> Iterator[Json]:
        """Every item of a collection, page after page. The headers go with each page (A: they are not in the link)."""
        first = self._call("GET", with_query(path, params), headers)
        return self._follow(first, self._safe(first))

    def rest_of(self, path: str, page: Json) -> Iterator[Json]:
        """Like `pages`, where the first page is known already (from a batch or an action)."""
        return self._follow(self._call("GET", path), page)

    def write(
        self, method: str, path: str, json: object = None, *, landed: Callable[[], T | None] | None = None
    ) -> Json | T:
        """POST, PATCH or DELETE; {} for a 204. A PATCH or DELETE is repeated like a read: carried out twice, it does
        what it does once. A POST is sent once. After an unknown outcome `landed` reads whether it was carried out; its
        value, if true, is the result, and only when it is false several times is the POST sent again. Without `landed`
        an unknown outcome raises Unanswered or ServerError."""
        call, safe = self._call(method, path, json=json), method in _IDEMPOTENT
        with self._operation() as ends:
            return self._retrier.run(lambda: self._once(call, ends), safe=safe, ends=ends, landed=landed)

    def read_batch(self, paths: Sequence[str]) -> list[BatchResponse]:
        """GET any number of paths in batches of 20, answers in their order (see batch.py)."""

        def post(body: Json, ends: float) -> Json:
            call = self._call("POST", "/$batch", json=body)
            return self._retrier.run(lambda: self._once(call, ends), safe=True, ends=ends)

        items = [BatchRequest("GET", path) for path in paths]
        chunks = (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))
        settled = (send_until_settled(chunk, post, self._retrier, self.deadline) for chunk in chunks)
        return [answer for answers in settled for answer in answers]

    def bulk(self, items: Sequence[BatchRequest], on_progress: OnProgress | None = None) -> list[GraphError | None]:
        """Any number of PATCHes side by side, at the pace of Graph's quota; None or the error of each (see bulk.py)."""

        def post(body: Json) -> Json:
            return self._once(self._call("POST", "/$batch", json=body), self.clock.now() + self.deadline)

        def send(chunk: Sequence[BatchRequest]) -> list[BatchResponse]:
            return send_once(chunk, post, self._retrier)

        return write_until_settled(items, send, self._retrier, self.deadline, on_progress)

    def _call(
        self, method: str, path: str, headers: Headers = None, *, json: object = None, version: str = "v1.0"
    ) -> Call:
        return Call(method, path, f"{self.cloud.graph}/{version}{path}", dict(headers or {}), json)

    def _follow(self, call: Call, page: Json) -> Iterator[Json]:
        """The items of `page` and of the pages after it. Raises Unanswered for a link that must not be followed."""
        tried, urls = operation("GET", call.path), {call.url}
        while True:
            yield from check_items(call.path, page)
            link = page.get("@odata.nextLink")
            if link is None:
                return
            if not isinstance(link, str) or not _same_root(self.cloud, call, link):
                words = "the link to the next page leaves this cloud's Graph and is not followed"
                raise Unanswered(tried, words, f"check the endpoints that are configured, or {RUN_AGAIN}")
            if link in urls:
                raise Unanswered(tried, "the link to the next page leads back to a page already read", RUN_AGAIN)
            if len(urls) >= MOST_PAGES:
                raise Unanswered(tried, f"the answer has more than {MOST_PAGES:,} pages", RUN_AGAIN)
            urls.add(link)
            call = replace(call, url=link)
            page = self._safe(call)

    def _safe(self, call: Call) -> Json:
        with self._operation() as ends:
            return self._retrier.run(lambda: self._once(call, ends), safe=True, ends=ends)

    def _once(self, call: Call, ends: float) -> Json:
        def send(token: str) -> Json:
            return exchange(self._session, call, token, clock=self.clock, left=ends - self.clock.now())

        token = self.tokens.token()
        try:
            return send(token)
        except Unauthorized:
            # Refused before it was carried out: the token was revoked, or the emulator is a new one.
            self.tokens.forget(token)
            return send(self.tokens.token())

    @contextmanager
    def _operation(self) -> Iterator[float]:
        """When the running operation of this thread must end, in `clock.now()` time."""
        outer: float | None = getattr(self._running, "ends", None)
        self._running.ends = self.clock.now() + self.deadline if outer is None else outer
        try:
            yield self._running.ends
        finally:
            self._running.ends = outer


def _same_root(cloud: Cloud, call: Call, link: str) -> bool:
    try:
        target = urlsplit(link)
        same_origin = _origin(target) == _origin(urlsplit(cloud.graph))
    except ValueError:  # a port that is no number
        return False
    version = urlsplit(call.url).path.split("/")[1]
    segments = target.path.split("/")
    return same_origin and target.username is None and segments[1:2] == [version] and ".." not in segments


def _origin(parts: SplitResult) -> tuple[str, str, int | None]:
    return parts.scheme, (parts.hostname or "").lower(), parts.port or _PORTS.get(parts.scheme)
