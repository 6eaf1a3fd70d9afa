"""Whom Graph sees, and what time it is there. Touches the token as a hint, and Graph's front door without one.

Quirks: Graph alone reads its tokens, so what a token says of itself is a hint (A: F5) and may be unreadable; directory
roles are not among its claims (C). `idtyp` is `app` for an application, absent or `user` for a person. The `Date`
header has whole seconds. Pinned by tests/graph/test_identity.py.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

import requests

from flexsaml.graph.clock import Clock
from flexsaml.graph.clouds import Cloud
from flexsaml.graph.errors import Unanswered
from flexsaml.graph.transport import CONNECT_TIMEOUT, READ_TIMEOUT, failure, open_session

_TRIED = "ask Graph for the time"


@dataclass(frozen=True)
class Identity:
    """What a token says of whoever holds it; empty where it says nothing. The token itself is not kept. `kind` is
    application, person or what else the token says; `permissions` are those it names (`roles`, `scp`)."""

    kind: str
    app_id: str
    object_id: str
    tenant_id: str
    permissions: frozenset[str]


def identity(token: str) -> Identity | None:
    """None when the token cannot be read."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        scopes = str(claims.get("scp") or "").split()
        kind = str(claims.get("idtyp") or ("user" if scopes else "app"))
        app_id, object_id, tenant_id = (str(claims.get(key) or "") for key in ("appid", "oid", "tid"))
        permissions = frozenset(claims.get("roles") or ()) | frozenset(scopes)
    except (IndexError, ValueError, AttributeError, TypeError):
        return None
    kind = {"app": "application", "user": "person"}.get(kind, kind)
    return Identity(kind, app_id, object_id, tenant_id, permissions)


def skew(cloud: Cloud, *, clock: Clock | None = None, session: requests.Session | None = None) -> float | None:
    """Seconds this machine is ahead of Graph, None when Graph states no time. Raises NotSent or Unanswered. Any answer
    will do, a refusal too: no token is sent."""
    ticking, url = clock or Clock(), f"{cloud.graph}/v1.0/"
    before = ticking.utc()
    try:
        with session or open_session(cloud) as opened:
            answer = opened.get(url, timeout=(CONNECT_TIMEOUT, READ_TIMEOUT), allow_redirects=False)
    except OSError as error:
        raise failure(_TRIED, url, error, "check the network and the cloud that is configured") from error
    middle = before + (ticking.utc() - before) / 2
    text = answer.headers.get("Date")
    if text is None:
        return None
    try:
        graph_time: datetime = parsedate_to_datetime(text)
        return (middle - graph_time).total_seconds()
    except (ValueError, TypeError):
        raise Unanswered(_TRIED, f"the Date header of its answer is not a date: {text[:40]!r}") from None
