"""Reads one worker from Twilio TaskRouter: what Flex stored at the last sign-in. Reads only. Paths:
/v1/Workspaces/{WS…}/Workers?FriendlyName=… and …/Workers/{WK…}; basic authentication. Quirks: `attributes` is a JSON
string, and the list may leave it null, so the worker itself is fetched (C); a wrong workspace is 404 with code 20404, a
wrong key 401 with 20003; host names carry edge and region as Twilio's own libraries build them (B). Redirects are not
followed, because the key would be sent along."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from flexsaml.errors import UserError
from flexsaml.json_values import load_json
from flexsaml.loopback import is_loopback_host

if TYPE_CHECKING:
    import requests  # at run time only where Twilio is asked

TIMEOUTS = (5.0, 30.0)
_LARGEST_ANSWER = 4 * 2**20  # bytes; a worker's attributes have a few thousand
URL = "FLEXSAML_TASKROUTER_URL"
SANDBOX_ACCOUNT, SANDBOX_WORKSPACE = f"AC{'0' * 32}", f"WS{'0' * 32}"
SANDBOX_PASSWORD = "sandbox"  # noqa: S105 - opens the emulator and nothing else
_SID_PREFIXES = {"TWILIO_ACCOUNT_SID": "AC", "TWILIO_API_KEY": "SK", "TWILIO_WORKSPACE_SID": "WS"}
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")


class UnreadableWorker(UserError):
    """Why no worker can be read. Never holds a key."""


@dataclass(frozen=True)
class TaskRouterAccess:
    """The address of TaskRouter and the credentials for it; `repr` leaves the password out."""

    base: str
    workspace: str
    user: str
    password: str = field(repr=False)

    @property
    def host(self) -> str:
        return urlsplit(self.base).netloc

    @property
    def is_loopback(self) -> bool:
        return is_loopback_host(urlsplit(self.base).hostname or "")


@dataclass(frozen=True)
class Worker:
    """`attributes`: the JSON object that Flex stored."""

    sid: str
    friendly_name: str
    attributes: Mapping[str, Any]


def read_access(environment: Mapping[str, str], sandbox: str = "") -> TaskRouterAccess:
    """From the TWILIO_ variables; `sandbox` is the emulator's address if the tenant is emulated, else "". If the
    address is a loopback one, the sandbox's own account is used, which is no secret: a key of Twilio's goes to Twilio
    alone. Raises `UnreadableWorker`."""
    names = (*_SID_PREFIXES, "TWILIO_AUTH_TOKEN", "TWILIO_API_KEY_SECRET")
    values = {name: environment.get(name, "").strip() for name in names}
    has_key = any(values[name] for name in _SID_PREFIXES)
    local = environment.get(URL, "").strip() or ("" if has_key else sandbox)
    if local:
        return TaskRouterAccess(_check_loopback(local), SANDBOX_WORKSPACE, SANDBOX_ACCOUNT, SANDBOX_PASSWORD)
    base = _build_base(environment)
    for name, prefix in _SID_PREFIXES.items():
        if values[name] and not re.fullmatch(rf"{prefix}[0-9a-fA-F]{{32}}", values[name]):
            raise UnreadableWorker(f"{name} must be {prefix} and 32 hex digits; copy it from the Twilio Console")
    by_key, by_token = ("TWILIO_API_KEY", "TWILIO_API_KEY_SECRET"), ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN")
    user, password = by_key if values["TWILIO_API_KEY"] else by_token
    missing = [name for name in (user, password, "TWILIO_WORKSPACE_SID") if not values[name]]
    if missing:
        raise UnreadableWorker(
            f"the environment has no {', '.join(missing)}; set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, or "
            "TWILIO_API_KEY and TWILIO_API_KEY_SECRET, and TWILIO_WORKSPACE_SID (Console, TaskRouter, Workspaces)"
        )
    return TaskRouterAccess(base, values["TWILIO_WORKSPACE_SID"], values[user], values[password])


def read_worker(access: TaskRouterAccess, friendly_name: str, session: requests.Session | None = None) -> Worker:
    """The worker of exactly that name. Raises `UnreadableWorker`."""
    from flexsaml.http_session import open_session

    with session or open_session(is_loopback=access.is_loopback) as opened:
        path = f"/v1/Workspaces/{access.workspace}/Workers"
        listed = _get(opened, access, f"{path}?FriendlyName={quote(friendly_name, safe='')}&PageSize=50")
        workers = listed.get("workers")
        rows: list[Any] = workers if isinstance(workers, list) else [workers]
        if any(not isinstance(row, dict) for row in rows):
            raise UnreadableWorker(f"{access.host} did not answer with a list of workers; check that it is TaskRouter")
        sids = [str(row.get("sid")) for row in rows if row.get("friendly_name") == friendly_name]
        if len(sids) != 1:
            count = f"{len(sids)} workers are" if sids else "no worker is"
            raise UnreadableWorker(
                f"{count} called '{friendly_name}' in workspace {access.workspace}; sign in to Flex once, or give the "
                "worker's name with --friendly-name if the NameID has changed since"
            )
        attributes = _parse_object(_get(opened, access, f"{path}/{quote(sids[0], safe='')}").get("attributes"))
    if attributes is None:
        problem = f"the attributes of worker {sids[0]} are not a JSON object"
        raise UnreadableWorker(f"{problem}; correct them in the Console, under TaskRouter")
    return Worker(sids[0], friendly_name, attributes)


def _parse_object(text: object) -> dict[str, Any] | None:
    try:
        value = load_json(text) if isinstance(text, (str, bytes)) else None
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _get(session: requests.Session, access: TaskRouterAccess, path: str) -> dict[str, Any]:
    import requests

    from flexsaml.http_session import AnswerTooLarge, read_body

    credentials = (access.user, access.password)
    try:
        url = access.base + path
        with session.get(url, auth=credentials, timeout=TIMEOUTS, stream=True, allow_redirects=False) as answer:
            content = read_body(answer, _LARGEST_ANSWER)
    except AnswerTooLarge as error:
        raise UnreadableWorker(f"the answer of {access.host} is {error}; check that it is TaskRouter") from None
    except (requests.RequestException, OSError) as error:  # its text may hold the address with the key: not shown
        problem = "did not answer in time" if isinstance(error, requests.Timeout) else "cannot be reached"
        local = f" or {URL}" if access.is_loopback else ""
        fix = f"check the network, TWILIO_REGION and TWILIO_EDGE{local}"
        raise UnreadableWorker(f"{access.host} {problem}; {fix}") from None
    body = _parse_object(content)
    if answer.status_code == 200 and body is not None:
        return body
    raise UnreadableWorker(_describe_refusal(access, answer.status_code, body or {}))


def _describe_refusal(access: TaskRouterAccess, status: int, body: Mapping[str, Any]) -> str:
    if status == 200:
        return f"{access.host} did not answer with a JSON object; check that it is TaskRouter"
    answer = " ".join(f"{status} {body.get('code') or ''} {body.get('message') or ''}".split())[:200]
    problem, fix = f"{access.host} refused to show the worker", ""
    if status in (401, 403):
        problem = f"{access.host} refused the key"
        fix = "; check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, or TWILIO_API_KEY and its secret"
    elif status == 404:
        problem = f"this account has no workspace {access.workspace}"
        fix = "; check TWILIO_WORKSPACE_SID and TWILIO_REGION"
    elif status == 429 or status >= 500:
        fix = "; run the same command again"
    return f"{problem} ({answer}){fix}"


def _build_base(environment: Mapping[str, str]) -> str:
    values = {name: environment.get(name, "").strip() for name in ("TWILIO_EDGE", "TWILIO_REGION")}
    for name, value in values.items():
        if value and not _LABEL.fullmatch(value):
            raise UnreadableWorker(f"{name} is '{value}', which cannot be in a host name; write for example ie1")
    edge, region = values.values()
    labels = ["taskrouter", edge, region or ("us1" if edge else ""), "twilio", "com"]
    return f"https://{'.'.join(filter(None, labels))}"


def _check_loopback(url: str) -> str:
    try:
        address = urlsplit(url)
        is_local = is_loopback_host(address.hostname or "") and address.port != 0
    except ValueError:  # not an address, or a port that is not a number
        is_local = False
    if not is_local or not re.fullmatch(r"https?://[^/?#@]+/?", url, re.IGNORECASE):
        example = "http://127.0.0.1:8765"
        raise UnreadableWorker(f"{URL} must be the emulator's address, like {example}; remove it to ask Twilio")
    return url.rstrip("/")
