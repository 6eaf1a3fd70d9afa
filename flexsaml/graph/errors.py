"""The typed error tree: how far did a call get, and what does the answer mean. Every `str(error)` is one line.
`NotSent` is always safe to repeat, `Unanswered` only once it is known whether the call was carried out, `Refused`
carries Graph's own words. Hints are neutral: whoever knows the stack adds the name of a key or a command. Quirks: most
of our refusals share the code Request_BadRequest, so known messages decide before codes do (A); a duplicate is
recognised by its code since its status is 400 or 409 (B/D); a missing or doubled link is a 400 (B); a stale replica
says 404 Directory_ObjectNotFound (C); bodies may be OData (`odata.error`, message as an object) or OAuth (A)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from flexsaml.errors import UserError

from .permissions import describe_requirement

Headers = Mapping[str, str] | None
RUN_AGAIN = "run the same command again"
_WRITE_UNSURE = "it may or may not have been carried out; run the same command again, it reads the tenant first"


class GraphError(UserError):
    """A call failed. `operation`: what was tried on which object; `words`: why; `hint`: what to do next."""

    def __init__(self, operation: str, words: str, hint: str = "") -> None:
        super().__init__(operation, words, hint)
        self.operation, self.words, self.hint = operation, words, hint

    def _describe(self) -> str:
        text = f"{self.operation}: {self.words}".rstrip()
        return f"{text}; {self.hint}" if self.hint else text


class NotSent(GraphError):
    """Nothing reached Graph: refused connection, unknown host, TLS, no token. `transient`: worth another try."""

    def __init__(self, operation: str, words: str, hint: str = "", *, transient: bool = True) -> None:
        super().__init__(operation, words, hint)
        self.transient = transient


class NoCredential(NotSent):
    """There is no token for this identity, and trying again without a change would not help."""

    def __init__(self, operation: str, words: str, hint: str = "") -> None:
        super().__init__(operation, words, hint, transient=False)


class Unanswered(GraphError):
    """Sent without a usable answer: timeout, reset connection, unreadable body. A write may have been carried out."""


class Unreadable(Unanswered):
    """A read was answered with success and without the shape that Graph documents."""


class StillPending(GraphError):
    """A bounded wait ran out. `words` says what was awaited and for how long."""


class Refused(GraphError):
    """Graph answered with an error. `retry_after` is in seconds, None when Graph did not say."""

    def __init__(
        self,
        operation: str,
        status: int,
        code: str = "",
        message: str = "",
        request_id: str = "",
        hint: str = "",
        retry_after: float | None = None,
    ) -> None:
        words = " ".join(filter(None, (str(status), code, message)))
        super().__init__(operation, f"{words} (request-id {request_id})" if request_id else words, hint)
        self.status, self.code, self.message = status, code, message
        self.request_id, self.retry_after = request_id, retry_after


class NotFound(Refused):
    """404, or a link to be removed that is not there. Shortly after a create it may be a stale replica."""


class Conflict(Refused):
    """Something of that name, value or link exists already (by code and known texts; 400 or 409)."""


class Forbidden(Refused):
    """403: the identity lacks a permission; the hint names it."""


class Unauthorized(Refused):
    """401. A single call was repeated with a fresh token before a caller sees this."""


class Throttled(Refused):
    """429: the quota is used up. A caller sees it only if the wait for the next try would pass the deadline."""


class ServerError(Refused):
    """5xx (also 408 and 424): the service failed. A write may have been carried out."""


class Malformed(Refused):
    """400 for any other reason: the request itself is wrong, sending it again cannot help."""


class NotAvailable(Malformed):
    """An extension property is unknown or not usable yet; nothing of the write was carried out."""


OUTCOME_UNKNOWN = (Unanswered, ServerError)  # a write that ended so may have been carried out
NOT_CARRIED_OUT = (NotSent, Malformed, Unauthorized, Forbidden, Throttled)  # one that ended so certainly was not


class NotCreated(GraphError):
    """The POST of an object certainly was not carried out, for the reason of `__cause__`, one of NOT_CARRIED_OUT."""


# Of a 400 the known texts come first (see the module docstring), then the code, then the status alone.
_MESSAGES: dict[str, type[Refused]] = {
    r"The following extension properties are not available:": NotAvailable,
    r"added object references already exist": Conflict,
    r"removed object references do not exist": NotFound,
    r"An extension property exists with the name": Conflict,
    r"Another object with the same value for property .* already exists": Conflict,
    r"conflicting object with one or more of the specified property values": Conflict,
}
_CODES: dict[str, type[Refused]] = {
    "Request_MultipleObjectsWithSameKeyValue": Conflict, "Authorization_RequestDenied": Forbidden,
    "InvalidAuthenticationToken": Unauthorized, "TooManyRequests": Throttled, "Request_ResourceNotFound": NotFound,
}  # fmt: skip
_STATUSES = {400: Malformed, 401: Unauthorized, 403: Forbidden, 404: NotFound, 409: Conflict, 429: Throttled}

# What to do about texts that alone say little. First match decides.
_MASTERED = r"on-premises mastered|originated within an external service"
_ADVICE = {
    r"Property (definition)? *has an invalid value": "check the claims of the policy: Graph does not say which part",
    _MASTERED: "this user is mastered elsewhere; set the attribute there, or leave the user out",
    r"Invalid value specified for property": "the value does not fit the property's data type",
    r"Invalid object identifier": "give an object id, or check that the name is spelt right",
    r"\$ref cannot|contained entities": "this is an error of this project; please report it",
}
_HINTS: dict[type[Refused], str] = {
    NotAvailable: "it must exist, its application needs a service principal in this tenant, and a new one takes "
    f"minutes; {RUN_AGAIN}",
    NotFound: "check that it exists in this tenant",
    Conflict: "choose another name, or import what exists already",
    Unauthorized: "check the cloud and the tenant that are configured, and sign in again (`az login`)",
    Malformed: "check the value or name that was sent",
}


def operation(method: str, path: str) -> str:
    """What was tried, for messages: method and readable path. The query is left out, it may hold values."""
    return f"{method} {unquote(path.partition('?')[0])}"


def unsure_hint(method: str) -> str:
    """What to do after a call whose outcome is unknown."""
    return RUN_AGAIN if method == "GET" else _WRITE_UNSURE


def refusal(
    method: str, path: str, status: int, body: object, headers: Headers = None, retry_after: float | None = None
) -> Refused:
    """The typed error for an answer of 300 and above. `body`: the decoded JSON, whatever it is, or None. `path` is
    relative to the version root and starts with a slash; the case of `headers` does not matter."""
    code, message, request_id = _read_error(body)
    request_id = {key.lower(): value for key, value in (headers or {}).items()}.get("request-id") or request_id
    kind = _kind(status, code, message)
    hint = _hint(kind, method, path, message, status, retry_after)
    return kind(operation(method, path), status, code, message, request_id, hint, retry_after)


def _kind(status: int, code: str, message: str) -> type[Refused]:
    if status >= 500 or status in (408, 424):
        return ServerError
    by_text = (kind for pattern, kind in _MESSAGES.items() if status == 400 and re.search(pattern, message))
    return next(by_text, None) or _CODES.get(code) or _STATUSES.get(status, Refused)


def _hint(kind: type[Refused], method: str, path: str, message: str, status: int, retry_after: float | None) -> str:
    if kind is Forbidden:
        return _permission_hint([(method, path)])
    if kind is Throttled:
        wait = f" in {retry_after:g} s" if retry_after is not None else " in some minutes"
        return f"the quota of this tenant is used up; {RUN_AGAIN}{wait}"
    if kind is ServerError:
        return unsure_hint(method)
    if kind is Conflict and method != "POST":
        return f"somebody else may be changing the same object; {RUN_AGAIN}"
    if kind is Conflict and path.endswith("/$ref"):
        return f"another policy is assigned, and a service principal has only one: unassign that one, then {RUN_AGAIN}"
    if status in (301, 302, 303, 307, 308):
        return "redirects are not followed with a token; check the cloud and the endpoints that are configured"
    advice = next((words for pattern, words in _ADVICE.items() if re.search(pattern, message)), None)
    default = "this is an error of this project or of Graph; please report it with the request-id"
    return advice or _HINTS.get(kind, default)


def refusal_of_batch(error: Forbidden, calls: Iterable[tuple[str, str]]) -> Forbidden:
    """`error`, the refusal of a whole batch, with a hint for its items: (method, path) of each."""
    hint = _permission_hint(calls)
    return Forbidden(error.operation, error.status, error.code, error.message, error.request_id, hint)


def _permission_hint(calls: Iterable[tuple[str, str]]) -> str:
    described = {describe_requirement(method, path): None for method, path in calls}
    return f"grant the identity in use {' and '.join(filter(None, described)) or 'the permission for this call'}"


def _read_error(body: Any) -> tuple[str, str, str]:
    """(code, message, request id) of a Graph, OData or OAuth error body; "" for what is not there."""
    inner = body.get("error", body.get("odata.error")) if isinstance(body, dict) else None
    if isinstance(inner, str):  # OAuth
        return inner, str(body.get("error_description") or "").partition("\n")[0], ""
    if not isinstance(inner, dict):
        return "", "", ""
    message, deeper = inner.get("message"), inner.get("innerError") or inner.get("innererror")
    if isinstance(message, dict):
        message = message.get("value")
    request_id = deeper.get("request-id") if isinstance(deeper, dict) else ""
    return str(inner.get("code") or ""), str(message or ""), str(request_id or "")
