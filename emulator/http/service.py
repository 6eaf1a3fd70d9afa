"""The API that a caller can reach beside /admin: Graph, its batches, the token service, and refusals by faults.

Quirk: a batch is one request with one status, while each of its items is logged, refused and charged by itself (A).
Nothing here waits; delays and cut connections belong to the front.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl

from emulator.clock import TenantClock
from emulator.entra.tokens import TokenService, describe_cloud
from emulator.errors import GraphRefusal, gateway_bad_request, method_not_allowed
from emulator.graph import batch
from emulator.graph.dispatch import Graph, format_retry_after
from emulator.http.faults import Fault, Faults
from emulator.messages import PLAIN_JSON, ApiRequest, LoggedRequest, Reply
from emulator.tenant.store import Store

_VERSIONS = frozenset({"v1.0", "beta"})
_TOKEN = re.compile(r"/([^/]+)/oauth2/v2\.0/token")
_CONFIGURATION = re.compile(r"/([^/]+)/v2\.0/\.well-known/openid-configuration")


def strip_version(path: str) -> str:
    """The path without the version in front, as routes, permissions and faults name it."""
    version, _, rest = path.lstrip("/").partition("/")
    return f"/{rest}" if version in _VERSIONS else path


@dataclass(frozen=True)
class Service:
    """Answers one request at a time, without waiting."""

    store: Store
    clock: TenantClock
    graph: Graph
    faults: Faults
    log: list[LoggedRequest] = field(default_factory=list)

    def answer(self, request: ApiRequest) -> Reply:
        """`request.path` still carries the version here, if there is one."""
        version = request.path.lstrip("/").partition("/")[0]
        if version in _VERSIONS:
            inner = replace(request, version=version, path=strip_version(request.path))
            return self._batch(inner) if inner.path.strip("/") == "$batch" else self.graph.answer(inner)
        if match := _TOKEN.fullmatch(request.path):
            if request.method != "POST":
                return _not_served(405)
            form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
            return TokenService(self.store, self.clock).issue_token(match[1], form)
        if request.method == "GET" and (match := _CONFIGURATION.fullmatch(request.path)):
            return TokenService(self.store, self.clock).describe_configuration(match[1], request.origin)
        if request.method == "GET" and request.path == "/metadata/endpoints":
            return describe_cloud(request.origin, request.query)
        return _not_served(404)

    def refuse(self, request: ApiRequest, fault: Fault) -> Reply:
        """The answer of a `refuse` fault, in the form of the endpoint it hits."""
        headers = dict(fault.headers)
        if fault.status == 429 and "retry-after" not in map(str.lower, headers):
            headers["Retry-After"] = format_retry_after(self.store.dials.retry_after, None, self.clock.utc())
        if request.path.lstrip("/").partition("/")[0] not in _VERSIONS and not request.version:
            return Reply(fault.status, {"error": fault.code, "error_description": fault.message}, headers, PLAIN_JSON)
        error = GraphRefusal(fault.status, fault.code, fault.message, headers=headers)
        return self.graph.refusal(error, self.graph.new_ids(request))

    def _batch(self, request: ApiRequest) -> Reply:
        ids = self.graph.new_ids(request)
        try:
            self.graph.authenticate(request)
            if request.method != "POST":
                raise method_not_allowed()
            items = batch.parse(request)
        except GraphRefusal as error:
            return self.graph.refusal(error, ids)
        return replace(
            batch.run(items, self._answer_item, reverse=self.store.dials.batch_order == "reversed"), headers=ids
        )

    def _answer_item(self, item: batch.Item) -> Reply:
        request = item.request
        entry = LoggedRequest(request.method, item.logged_path, in_batch=True)
        self.log.append(entry)
        fault = self.faults.take(request.method, request.path, only=frozenset({"refuse"}))
        if fault:
            reply = self.refuse(request, fault)
        elif request.path.strip("/") == "$batch":
            nested = gateway_bad_request("Nested batch requests are not supported.")
            reply = self.graph.refusal(nested, self.graph.new_ids(request))
        else:
            reply = self.graph.answer(request)
        entry.status = reply.status
        return reply


def _not_served(status: int) -> Reply:
    words = "This emulator serves /v1.0, /beta, the token service, sign-in, /portal, /flex, /health and /admin only."
    return Reply(status, {"error": {"code": "NotServed", "message": words}}, {}, PLAIN_JSON)
