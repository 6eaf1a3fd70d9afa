"""One HTTP exchange with Graph, without retries. What was never sent (refused connection, unknown host, untrusted
certificate) and what was sent but not answered are different errors, since only the first is safe to repeat. What the
session promises (flexsaml/http_session.py) holds here: a token goes to the cloud's host alone. Quirks: .netrc would
replace our Authorization header, so the token travels as `auth`; a 204 has no body."""

import ssl
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ReadTimeoutError

from flexsaml import http_session
from flexsaml.http_session import AnswerTooLarge, read_body
from flexsaml.json_values import load_json
from flexsaml.loopback import is_loopback_host

from .clock import Clock
from .clouds import Cloud
from .errors import GraphError, NotSent, Unanswered, operation, refusal, unsure_hint
from .retry import retry_after
from .shapes import is_error_object

CONNECT_TIMEOUT, READ_TIMEOUT = 5.0, 30.0
_NOT_NOW = (9, 10)  # X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED of OpenSSL


@dataclass(frozen=True)
class Call:
    """One call. `path` starts with a slash, relative to the version root; `url` is where it really goes."""

    method: str
    path: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    body: object = None


def open_session(cloud: Cloud) -> requests.Session:
    """A session for that cloud."""
    return http_session.open_session(is_loopback=cloud.name == "loopback")


def exchange(
    session: requests.Session, call: Call, token: str, *, clock: Clock, left: float = READ_TIMEOUT
) -> dict[str, Any]:
    """Send once; the decoded JSON object, {} for an answer without body. `left` (seconds) bounds the whole answer.
    Raises NotSent, Unanswered or a Refused."""
    tried, unsure = operation(call.method, call.path), unsure_hint(call.method)
    bound = max(1.0, left)

    def authorize(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {token}"
        return request

    try:
        with session.request(
            call.method,
            call.url,
            json=call.body,
            headers={"Accept": "application/json", "User-Agent": "flexsaml", "client-request-id": str(uuid.uuid4())}
            | call.headers,
            auth=authorize,
            timeout=(min(CONNECT_TIMEOUT, bound), min(READ_TIMEOUT, bound)),
            stream=True,
            allow_redirects=False,
        ) as answer:
            content = read_body(answer)
    except OSError as error:  # RequestException is one; a CA bundle that is not there comes as a bare one
        raise failure(tried, call.url, error, unsure) from error
    try:
        body: Any = load_json(content or "{}")
    except ValueError:
        body = None
    if answer.status_code >= 300:
        seconds = retry_after(answer.headers.get("Retry-After"), clock.utc(), answer.headers.get("Date"))
        raise refusal(call.method, call.path, answer.status_code, body, answer.headers, seconds)
    if not isinstance(body, dict):
        raise Unanswered(tried, f"the answer ({answer.status_code}) is not a JSON object", unsure)
    if call.method != "GET" and is_error_object(body):  # of a read, shapes.py judges what is missing
        raise Unanswered(tried, f"the answer ({answer.status_code}) is an error object", unsure)
    return body


def failure(tried: str, url: str, error: OSError, unsure: str) -> GraphError:
    """NotSent or Unanswered for an exception of `requests`. Never quotes it, since it may contain a URL with values."""
    target = urlsplit(url)
    host = target.netloc.rpartition("@")[2]
    causes = _causes(error)
    certificate_problem = next((cause for cause in causes if isinstance(cause, ssl.SSLCertVerificationError)), None)
    if certificate_problem and certificate_problem.verify_code in _NOT_NOW:
        words = f"the certificate of {host} is not valid at this machine's time"
        return NotSent(tried, words, "check the clock of this machine", transient=False)
    if certificate_problem:
        hint = "point REQUESTS_CA_BUNDLE at the CA of that host, if you trust it"
        return NotSent(tried, f"the certificate of {host} is not trusted", hint, transient=False)
    if not isinstance(error, requests.RequestException):
        words = f"no connection to {host} was set up ({error})"
        return NotSent(tried, words, "check REQUESTS_CA_BUNDLE", transient=False)
    if isinstance(error, (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema)):
        return NotSent(tried, f"{host} is not a usable address", "check the endpoint", transient=False)
    if isinstance(error, requests.exceptions.ProxyError):
        return NotSent(tried, f"the proxy did not connect to {host}", "check HTTPS_PROXY and NO_PROXY")
    if any(isinstance(cause, (NewConnectionError, ConnectTimeoutError)) for cause in causes):
        hint = f"check that {host} can be reached and is the address of your tenant's cloud"
        if is_loopback_host(target.hostname or ""):
            hint = "start the emulator (`make up` does), or correct the endpoint that is configured"
        return NotSent(tried, f"no connection to {host}", hint)
    if too_large := next((cause for cause in causes if isinstance(cause, AnswerTooLarge)), None):
        return Unanswered(tried, f"the answer of {host} is {too_large}", unsure)
    if any(isinstance(cause, (requests.Timeout, ReadTimeoutError)) for cause in causes):
        return Unanswered(tried, f"{host} did not answer in time", unsure)
    return Unanswered(tried, f"{host} closed the connection before it answered", unsure)


def _causes(error: BaseException) -> list[BaseException]:
    """The exception and everything wrapped in it. Requests puts urllib3's reason into arguments, not into causes."""
    causes: list[BaseException] = []
    waiting: list[BaseException] = [error]
    while waiting:
        current = waiting.pop()
        if current not in causes:
            causes.append(current)
            related = (current.__cause__, current.__context__, getattr(current, "reason", None), *current.args)
            waiting += [cause for cause in related if isinstance(cause, BaseException)]
    return causes
