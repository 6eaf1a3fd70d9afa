"""A Graph request from token to answer: who asks, may they, is there quota, which handler, which headers. Quirks: the
order of refusals (401; 404 or 405 of the route; 403, or 404 of an object whose owners decide; 400 of the query; 429;
then those of the handler), the F1 envelope with innerError, ids echoed in headers and body, x-ms-resource-unit on every
answer (A for envelope and headers, D for the order). The write quota is a token bucket per client, 3000 writes per 150
s, scaled (0.01 makes tests quick): refused writes count too, so a client that keeps trying waits longer (A); above 80 %
the answer says how full the bucket is (A); Retry-After may be whole, fractional or a date (A, A, D), in the form of the
dial."""

import math
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from itertools import count

from emulator.clock import TenantClock
from emulator.errors import GraphRefusal, method_not_allowed, refusal, throttled, unauthenticated
from emulator.graph.call import GraphCall, Router
from emulator.graph.handlers import application_of, principal_of
from emulator.graph.routes import ROUTES
from emulator.messages import ApiRequest, Reply
from emulator.tenant.journal import JournalError
from emulator.tenant.records import TokenRecord
from emulator.tenant.store import Store
from emulator.types import Json

WRITES = 3000
SECONDS = 150.0
MAX_DEBT = 2.0  # in windows: refused writes lengthen the wait, but not without limit
_DIAGNOSTIC = (
    '{"ServerInfo":{"DataCenter":"Loopback","Slice":"E","Ring":"0","ScaleUnit":"000","RoleInstance":"EMULATOR"}}'
)
_ROUTER = Router(ROUTES)


@dataclass(frozen=True)
class Quota:
    scale: float | None  # None switches it off
    now: Callable[[], float]
    _buckets: dict[str, tuple[float, float]] = field(default_factory=dict)  # client -> (used writes, as of)

    def charge(self, client_id: str, writes: int) -> tuple[float, float]:
        """Charge the writes; returns (seconds to wait or 0, share of the bucket used). A wait above 0 means refused."""
        if self.scale is None or writes == 0:
            return 0.0, 0.0
        now, capacity = self.now(), WRITES * self.scale
        used, since = self._buckets.get(client_id, (0.0, now))
        rate = capacity / SECONDS
        used = max(0.0, used - (now - since) * rate) + writes
        self._buckets[client_id] = (min(used, capacity * (1 + MAX_DEBT)), now)
        return max(0.0, (used - capacity) / rate), used / capacity

    def clear(self) -> None:
        self._buckets.clear()


def format_retry_after(form: str, wait: float | None, now: datetime) -> str:
    """`wait` seconds in the form of the dial: whole ("2"), fractional ("2.128") or "date". Without `wait`, for refusals
    that no bucket caused, the dial's own value; a date is then two seconds ahead."""
    if form == "date":
        return format_datetime(now + timedelta(seconds=math.ceil(2 if wait is None else wait)), usegmt=True)
    if wait is None:
        return form
    return f"{wait:.3f}" if "." in form else str(max(1, math.ceil(wait)))


@dataclass(frozen=True)
class Graph:
    """Answers requests; never raises for what a caller sent."""

    store: Store
    clock: TenantClock
    quota: Quota
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def answer(self, request: ApiRequest) -> Reply:
        headers = self.common_headers(request)
        try:
            reply, extra_headers = self._serve(request)
        except GraphRefusal as error:
            return self.refusal(error, headers)
        except JournalError as error:
            return self.refusal(GraphRefusal(507, "InsufficientStorage", str(error)), headers)
        return Reply(reply.status, reply.body, {**headers, **extra_headers, **reply.headers}, reply.content_type)

    def _serve(self, request: ApiRequest) -> tuple[Reply, dict[str, str]]:
        token = self.authenticate(request)
        route, keys = _ROUTER.find(request.method, request.path)
        if route.is_beta_only and request.version != "beta":
            raise method_not_allowed()
        call = GraphCall(request, keys, token, self.store, self.clock.utc())

        def owns() -> bool:
            if not keys:
                return True  # what is made now will be the caller's
            target = application_of(call) if "application" in keys else principal_of(call)
            return token.client_id in target.owners

        if not route.is_allowed(token.roles, owns=owns, any_policy=lambda: bool(self.store.policies)):
            raise refusal("denied")
        # One unit less for $select and for $top below 20, never under 1 (A).
        top = call.query.options.get("$top", "")
        is_small = top.isdigit() and 0 < int(top) < 20
        headers = {"x-ms-resource-unit": str(max(1, route.resource_units - bool(call.query.select) - is_small))}
        wait, share = self.quota.charge(token.client_id, int(request.method != "GET"))
        if wait > 0:
            after = format_retry_after(self.store.dials.retry_after, wait, self.clock.utc())
            raise throttled(after, token.client_id, self.store.tenant_id)
        if share > 0.8:
            headers["x-ms-throttle-limit-percentage"] = f"{share:.2f}"
        return route.handler(call) or Reply(204), headers

    def authenticate(self, request: ApiRequest) -> TokenRecord:
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secret.strip():
            raise unauthenticated("Access token is empty.")
        token = self.store.tokens.get(secret.strip())
        if token is None:
            raise unauthenticated("CompactToken parsing failed with error code: 80049217")
        if token.expires <= self.clock.now():
            raise unauthenticated("Lifetime validation failed, the token is expired.")
        return token

    def common_headers(self, request: ApiRequest) -> dict[str, str]:
        """The headers every answer carries; the request-id is deterministic, the caller's id is echoed."""
        request_id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"request/{next(self._numbers)}"))
        return {
            "request-id": request_id, "client-request-id": request.headers.get("client-request-id", request_id),
            "x-ms-ags-diagnostic": _DIAGNOSTIC, "x-ms-resource-unit": "1", "OData-Version": "4.0",
            "Cache-Control": "no-cache", "Strict-Transport-Security": "max-age=31536000",
        }  # fmt: skip

    def refusal(self, error: GraphRefusal, headers: dict[str, str]) -> Reply:
        inner = {
            "date": f"{self.clock.utc():%Y-%m-%dT%H:%M:%S}",
            "request-id": headers["request-id"],
            "client-request-id": headers["client-request-id"],
            **error.inner,
        }
        body: dict[str, Json] = {"code": error.code, "message": error.message, "innerError": inner}
        if error.details:
            body["details"] = error.details
        return Reply(error.status, {"error": body}, {**headers, **error.headers})
