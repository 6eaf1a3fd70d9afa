"""Reads one worker from Twilio TaskRouter: what Flex stored at the last sign-in. Reads only.

Paths: /v1/Workspaces/{WS…}/Workers?FriendlyName=… and …/Workers/{WK…}; basic authentication with the account's token
or an API key. Quirks: `attributes` is a JSON string, and the list may leave it null, so the one worker is fetched (C);
a wrong workspace is 404 with code 20404, a wrong key 401 with 20003; host names carry edge and region as Twilio's own
libraries make them (B). Redirects are not followed, for the key would travel along. Pinned by
tests/flex/test_taskrouter.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from flexsaml.graph import is_loopback_host

TIMEOUTS = (5.0, 30.0)
URL = "FLEXSAML_TASKROUTER_URL"
SANDBOX_ACCOUNT, SANDBOX_WORKSPACE = f"AC{'0' * 32}", f"WS{'0' * 32}"
SANDBOX_PASSWORD = "sandbox"  # noqa: S105 - opens the emulator and nothing else
_SIDS = {"TWILIO_ACCOUNT_SID": "AC", "TWILIO_API_KEY": "SK", "TWILIO_WORKSPACE_SID": "WS"}
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")


class UnreadableWorker(Exception):
    """Why no worker can be shown, in one line that says what to do. Never holds a key."""


@dataclass(frozen=True)
class Access:
    """Where TaskRouter is and who asks; `password` is shown by nothing."""

    base: str
    workspace: str
    user: str
    password: str = field(repr=False)

    @property
    def host(self) -> str:
        return urlsplit(self.base).netloc


@dataclass(frozen=True)
class Worker:
    sid: str
    friendly_name: str
    attributes: Mapping[str, Any]


def access(environment: Mapping[str, str], sandbox: str = "") -> Access:
    """From TWILIO_…; `sandbox` is the emulator's address, if the tenant is emulated. Raises `UnreadableWorker`.

    Where the address is the emulator's and no key is given, the sandbox's own account is used: it is no secret.
    """

    def get(name: str) -> str:
        return environment.get(name, "").strip()

    given = any(get(name) for name in ("TWILIO_ACCOUNT_SID", "TWILIO_API_KEY", "TWILIO_WORKSPACE_SID"))
    local = get(URL) or ("" if given else sandbox)
    base = _loopback(local) if local else _host(get("TWILIO_EDGE"), get("TWILIO_REGION"))
    if local and not given:
        return Access(base, SANDBOX_WORKSPACE, SANDBOX_ACCOUNT, SANDBOX_PASSWORD)
    for name, prefix in _SIDS.items():
        if get(name) and not re.fullmatch(rf"{prefix}[0-9a-fA-F]{{32}}", get(name)):
            raise UnreadableWorker(f"{name} is no {prefix} and 32 hex digits; copy it from the Twilio Console")
    key, secret = get("TWILIO_API_KEY"), get("TWILIO_API_KEY_SECRET")
    user, password = (key, secret) if key else (get("TWILIO_ACCOUNT_SID"), get("TWILIO_AUTH_TOKEN"))
    absent = [
        name
        for name, value in (
            ("TWILIO_API_KEY_SECRET" if key else "TWILIO_AUTH_TOKEN", password),
            ("TWILIO_ACCOUNT_SID", key or user),
            ("TWILIO_WORKSPACE_SID", get("TWILIO_WORKSPACE_SID")),
        )
        if not value
    ]
    if absent:
        raise UnreadableWorker(
            f"the environment lacks {', '.join(sorted(absent))}: set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, or "
            "TWILIO_API_KEY and TWILIO_API_KEY_SECRET, and TWILIO_WORKSPACE_SID (Console, TaskRouter, Workspaces)"
        )
    return Access(base, get("TWILIO_WORKSPACE_SID"), user, password)


def worker(where: Access, friendly_name: str, session: requests.Session | None = None) -> Worker:
    """The worker of exactly that name. Raises `UnreadableWorker`."""
    with session or requests.Session() as opened:
        if is_loopback_host(urlsplit(where.base).hostname or ""):
            opened.trust_env = False  # no proxy, and no .netrc that would replace the key
        path = f"/v1/Workspaces/{where.workspace}/Workers"
        listed = _get(opened, where, f"{path}?FriendlyName={quote(friendly_name, safe='')}&PageSize=50")
        rows = listed.get("workers")
        rows = [one for one in rows if isinstance(one, dict)] if isinstance(rows, list) else []
        sids = [str(one.get("sid")) for one in rows if one.get("friendly_name") == friendly_name]
        if len(sids) != 1:
            count = "no worker is" if not sids else f"{len(sids)} workers are"
            raise UnreadableWorker(
                f"{count} called '{friendly_name}' in workspace {where.workspace}: the person has not signed in to "
                "Flex yet, or the NameID was another one at the time"
            )
        found = _get(opened, where, f"{path}/{quote(sids[0], safe='')}")
        return Worker(sids[0], friendly_name, _attributes(found.get("attributes"), sids[0]))


def _attributes(text: object, sid: str) -> dict[str, Any]:
    try:
        kept = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        kept = None
    if not isinstance(kept, dict):
        raise UnreadableWorker(
            f"the attributes of worker {sid} are no JSON object; correct them in the Console, under TaskRouter"
        )
    return kept


def _get(session: requests.Session, where: Access, path: str) -> dict[str, Any]:
    try:
        answer = session.get(
            where.base + path, auth=(where.user, where.password), timeout=TIMEOUTS, allow_redirects=False
        )
    except (requests.RequestException, OSError) as error:  # its text may hold the whole address: only its kind is told
        kind = "does not answer in time" if isinstance(error, requests.Timeout) else "cannot be reached"
        local = f" or {URL}" if is_loopback_host(urlsplit(where.base).hostname or "") else ""
        raise UnreadableWorker(
            f"{where.host} {kind}; check the network, TWILIO_REGION and TWILIO_EDGE{local}"
        ) from None
    try:
        body = answer.json()
    except (ValueError, RecursionError):
        body = None
    if answer.status_code == 200 and isinstance(body, dict):
        return body
    raise UnreadableWorker(_refusal(where, answer.status_code, body if isinstance(body, dict) else {}))


def _refusal(where: Access, status: int, body: Mapping[str, Any]) -> str:
    said = " ".join(f"{status} {body.get('code') or ''} {body.get('message') or ''}".split())[:200]
    if status in (401, 403):
        return f"{where.host} does not take the key ({said}); check TWILIO_ACCOUNT_SID and its token, or TWILIO_API_KEY"
    if status == 404:
        check = "check TWILIO_WORKSPACE_SID and TWILIO_REGION"
        return f"there is no workspace {where.workspace} for this account ({said}); {check}"
    if status == 200:
        return f"{where.host} answers no JSON object; check that it is TaskRouter"
    again = "; run the same command again" if status == 429 or status >= 500 else ""
    return f"{where.host} refuses to show the worker ({said}){again}"


def _host(edge: str, region: str) -> str:
    for name, value in (("TWILIO_EDGE", edge), ("TWILIO_REGION", region)):
        if value and not _LABEL.fullmatch(value):
            raise UnreadableWorker(
                f"{name} is '{value}', which is part of no host name; write for example us1, ie1 or ashburn"
            )
    parts = ["taskrouter", edge, region or ("us1" if edge else ""), "twilio", "com"]
    return f"https://{'.'.join(filter(None, parts))}"


def _loopback(url: str) -> str:
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and is_loopback_host(parts.hostname or "") and parts.port != 0
    except ValueError:  # no address at all, or a port that is no number
        known = False
    if not known or parts.username is not None or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise UnreadableWorker(
            f"{URL} is for the emulator: write http://127.0.0.1 and its port; Twilio itself needs none"
        )
    return url.rstrip("/")
