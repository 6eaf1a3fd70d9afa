"""If this goes red, a token may travel to the wrong cloud, or in clear to a host that is not this machine."""

from __future__ import annotations

import pytest

from flexsaml.graph.clouds import CLOUDS, InvalidCloud, cloud

NATIONAL = [
    ("public", "https://graph.microsoft.com", "https://login.microsoftonline.com"),
    ("usgov", "https://graph.microsoft.us", "https://login.microsoftonline.us"),
    ("usgov-dod", "https://dod-graph.microsoft.us", "https://login.microsoftonline.us"),
    ("china", "https://microsoftgraph.chinacloudapi.cn", "https://login.chinacloudapi.cn"),
]


@pytest.mark.parametrize(("name", "graph", "login"), NATIONAL)
def test_national_clouds(name: str, graph: str, login: str) -> None:
    where = cloud(name)
    assert (where.name, where.graph, where.login) == (name, graph, login)


def test_all_names_are_known() -> None:
    assert set(CLOUDS) == {name for name, _, _ in NATIONAL} | {"loopback"}


GOOD = [
    "http://127.0.0.1:8765",
    "http://127.0.0.1:8765/",
    "https://localhost:8766",
    "http://LOCALHOST:1",
    "http://[::1]:8765",
]


@pytest.mark.parametrize("url", GOOD)
def test_loopback_endpoints(url: str) -> None:
    where = cloud("loopback", graph_endpoint=url, login_endpoint=url)
    assert where.graph == where.login == url.rstrip("/")


BAD = [
    ("loopback", {"graph_endpoint": "http://graph.microsoft.com"}, "graphEndpoint"),
    ("loopback", {"graph_endpoint": "https://10.0.0.1"}, "graphEndpoint"),
    ("loopback", {"login_endpoint": "http://localhost.evil.example"}, "loginEndpoint"),
    ("loopback", {"login_endpoint": "ftp://127.0.0.1"}, "loginEndpoint"),
    ("loopback", {"login_endpoint": "127.0.0.1:8765"}, "loginEndpoint"),
    ("loopback", {"graph_endpoint": "http://127.0.0.1:x"}, "graphEndpoint"),
    ("loopback", {"graph_endpoint": "http://[::1"}, "graphEndpoint"),
    ("loopback", {"graph_endpoint": "http://me@127.0.0.1"}, "graphEndpoint"),
    ("loopback", {"graph_endpoint": "http://127.0.0.1/v1.0"}, "graphEndpoint"),
    ("public", {"graph_endpoint": "http://127.0.0.1"}, "graphEndpoint"),
    ("usgov", {"login_endpoint": "https://login.microsoftonline.us"}, "loginEndpoint"),
    ("Public", {}, "cloud"),
    ("", {}, "cloud"),
]


@pytest.mark.parametrize(("name", "endpoints", "key"), BAD)
def test_refused(name: str, endpoints: dict[str, str], key: str) -> None:
    with pytest.raises(InvalidCloud, match=rf"^{key}: .+") as raised:
        cloud(name, **endpoints)
    assert "\n" not in str(raised.value)


def test_sandbox_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SANDBOX_PORT", raising=False)
    assert cloud("loopback").graph == "http://127.0.0.1:8765"
    monkeypatch.setenv("SANDBOX_PORT", "9001")
    assert cloud("loopback").login == "http://127.0.0.1:9001"
