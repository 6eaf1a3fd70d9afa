"""Which hosts a cloud name means. The one place that knows them; touches nothing but its own data file.

The national clouds are Microsoft's own list (grade A, source named in national_clouds.json). Tokens do not
carry over between clouds, so Graph and login always come from one entry. `loopback` is the emulator's cloud:
its two endpoints may be given, and only a loopback host may be plain http, so that no bearer token ever
travels in clear. Pinned by tests/graph/test_clouds.py.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from flexsaml.loopback import is_loopback_host

CLOUDS = ("public", "usgov", "usgov-dod", "china", "loopback")


@dataclass(frozen=True)
class Cloud:
    """Base URLs of one cloud, without a trailing slash: `graph` for calls, `login` for tokens."""

    name: str
    graph: str
    login: str


def cloud(name: str, *, graph_endpoint: str = "", login_endpoint: str = "") -> Cloud:
    """The cloud of that name (one of `CLOUDS`).

    Endpoints are for `loopback` only, whose default is http://127.0.0.1:$SANDBOX_PORT (8765) for both.
    Raises ValueError, in one line naming the configuration key, for anything else.
    """
    if name not in CLOUDS:
        raise ValueError(f"cloud: {name!r} is not one of {', '.join(CLOUDS)}")
    if name != "loopback":
        for key, given in (("graphEndpoint", graph_endpoint), ("loginEndpoint", login_endpoint)):
            if given:
                raise ValueError(f"{key}: only the cloud loopback takes an endpoint, not {name}; remove {key}")
        hosts = _national_clouds()[name]
        return Cloud(name, hosts["graph"], hosts["login"])
    sandbox = f"http://127.0.0.1:{os.environ.get('SANDBOX_PORT') or '8765'}"
    return Cloud(
        name,
        _loopback_url("graphEndpoint", graph_endpoint or sandbox),
        _loopback_url("loginEndpoint", login_endpoint or sandbox),
    )


def _loopback_url(key: str, url: str) -> str:
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError as error:
        raise ValueError(f"{key}: {url!r} is not a URL ({error})") from None
    if parts.scheme not in ("http", "https") or not is_loopback_host(host):
        raise ValueError(
            f"{key}: {url!r} is not http(s) on a loopback host; use 127.0.0.1 or localhost, "
            "or name the cloud of your tenant in flexsaml:cloud"
        )
    if parts.query or parts.fragment or parts.username is not None or parts.path not in ("", "/"):
        raise ValueError(f"{key}: {url!r} must be scheme, host and port only, like http://127.0.0.1:8765")
    return url.rstrip("/")


@cache
def _national_clouds() -> dict[str, dict[str, str]]:
    data = json.loads(Path(__file__).with_name("national_clouds.json").read_text(encoding="utf-8"))
    clouds: dict[str, dict[str, str]] = data["clouds"]
    return clouds
