"""Which hosts a cloud name means; the one place that knows them. The national clouds are Microsoft's own list (grade A,
source named in national_clouds.json). Tokens do not carry over between clouds, so Graph and login come from one entry.
`loopback` is the emulator's: only a loopback host may be plain http, so that no bearer token travels in clear."""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from flexsaml.errors import UserError
from flexsaml.loopback import is_loopback_host

CLOUDS = ("public", "usgov", "usgov-dod", "china", "loopback")


@dataclass(frozen=True)
class Cloud:
    """Base URLs of one cloud, without a trailing slash: `graph` for calls, `login` for tokens."""

    name: str
    graph: str
    login: str


class InvalidCloud(UserError):
    """A cloud that does not exist, or an endpoint that does not fit it. `setting`: which is wrong, `cloud`,
    `graphEndpoint` or `loginEndpoint`; `words`: why, and what to write instead."""

    def __init__(self, setting: str, words: str) -> None:
        super().__init__(f"{setting}: {words}")
        self.setting, self.words = setting, words


def cloud(name: str, *, graph_endpoint: str = "", login_endpoint: str = "") -> Cloud:
    """The cloud of that name (one of `CLOUDS`). Endpoints are for `loopback` only, whose default is
    http://127.0.0.1:$SANDBOX_PORT (8765) for both. Raises InvalidCloud for anything else."""
    if name not in CLOUDS:
        raise InvalidCloud("cloud", f"{name!r} is not one of {', '.join(CLOUDS)}")
    endpoints = {"graphEndpoint": graph_endpoint, "loginEndpoint": login_endpoint}
    if name == "loopback":
        port = os.environ.get("SANDBOX_PORT") or "8765"
        if not re.fullmatch("[0-9]{1,5}", port):
            raise InvalidCloud("cloud", f"the environment variable SANDBOX_PORT is {port!r}; write a number, like 8765")
        sandbox = f"http://127.0.0.1:{port}"
        return Cloud(name, *(_loopback_url(setting, url or sandbox) for setting, url in endpoints.items()))
    for setting, url in endpoints.items():
        if url:
            raise InvalidCloud(setting, f"only the cloud loopback takes an endpoint, not {name}; remove {setting}")
    hosts = json.loads(Path(__file__).with_name("national_clouds.json").read_text(encoding="utf-8"))["clouds"][name]
    return Cloud(name, hosts["graph"], hosts["login"])


def _loopback_url(setting: str, url: str) -> str:
    try:
        target = urlsplit(url)
        host, _port = target.hostname or "", target.port
    except ValueError as error:
        raise InvalidCloud(setting, f"{url!r} is not a URL ({error})") from None
    if target.scheme not in ("http", "https") or not is_loopback_host(host):
        words = "is not http(s) on a loopback host; use 127.0.0.1 or localhost, or name the cloud of your tenant"
        raise InvalidCloud(setting, f"{url!r} {words}")
    if target.query or target.fragment or target.username is not None or target.path not in ("", "/"):
        raise InvalidCloud(setting, f"{url!r} must be scheme, host and port only, like http://127.0.0.1:8765")
    return url.rstrip("/")
