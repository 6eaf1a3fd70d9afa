"""If this goes red, `worker` asks the wrong host, shows a key, or ends in a traceback for an answer of Twilio."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter

from flexsaml.flex.taskrouter import (
    SANDBOX_ACCOUNT,
    SANDBOX_WORKSPACE,
    URL,
    TaskRouterAccess,
    UnreadableWorker,
    Worker,
    read_access,
    read_worker,
)

ACCOUNT, KEY, WORKSPACE = f"AC{'1' * 32}", f"SK{'2' * 32}", f"WS{'3' * 32}"
TOKEN = {"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": "hush", "TWILIO_WORKSPACE_SID": WORKSPACE}
API_KEY = {"TWILIO_API_KEY": KEY, "TWILIO_API_KEY_SECRET": "hush", "TWILIO_WORKSPACE_SID": WORKSPACE}
LOCAL = "http://127.0.0.1:8765"


@pytest.mark.parametrize(
    ("environment", "sandbox", "base", "user"),
    [
        (TOKEN, "", "https://taskrouter.twilio.com", ACCOUNT),
        (API_KEY, "", "https://taskrouter.twilio.com", KEY),
        ({**TOKEN, **API_KEY}, "", "https://taskrouter.twilio.com", KEY),
        ({**TOKEN, "TWILIO_REGION": "ie1"}, "", "https://taskrouter.ie1.twilio.com", ACCOUNT),
        ({**TOKEN, "TWILIO_EDGE": "dublin"}, "", "https://taskrouter.dublin.us1.twilio.com", ACCOUNT),
        (
            {**TOKEN, "TWILIO_EDGE": "edge", "TWILIO_REGION": "ie1"},
            "",
            "https://taskrouter.edge.ie1.twilio.com",
            ACCOUNT,
        ),
        ({}, LOCAL, LOCAL, SANDBOX_ACCOUNT),
        ({URL: f"{LOCAL}/"}, "", LOCAL, SANDBOX_ACCOUNT),
        (TOKEN, LOCAL, "https://taskrouter.twilio.com", ACCOUNT),  # a key asks Twilio, also from an emulated tenant
        ({**TOKEN, URL: LOCAL}, "", LOCAL, SANDBOX_ACCOUNT),  # no key goes to whoever listens there
    ],
)
def test_address_and_user_come_from_the_environment(
    environment: dict[str, str], sandbox: str, base: str, user: str
) -> None:
    access = read_access(environment, sandbox)
    assert (access.base, access.user) == (base, user)
    assert access.workspace == (SANDBOX_WORKSPACE if user == SANDBOX_ACCOUNT else WORKSPACE)
    assert "hush" not in repr(access)
    assert (access.password == "hush") == (user != SANDBOX_ACCOUNT)


@pytest.mark.parametrize(
    ("environment", "word"),
    [
        ({}, "TWILIO_ACCOUNT_SID"),
        ({"TWILIO_ACCOUNT_SID": ACCOUNT}, "TWILIO_AUTH_TOKEN"),
        ({"TWILIO_API_KEY": KEY, "TWILIO_WORKSPACE_SID": WORKSPACE}, "TWILIO_API_KEY_SECRET"),
        ({**TOKEN, "TWILIO_WORKSPACE_SID": ""}, "TWILIO_WORKSPACE_SID"),
        ({**TOKEN, "TWILIO_WORKSPACE_SID": "../Accounts"}, "TWILIO_WORKSPACE_SID must be WS"),
        ({**TOKEN, "TWILIO_ACCOUNT_SID": KEY}, "TWILIO_ACCOUNT_SID must be AC"),
        ({**TOKEN, "TWILIO_REGION": "evil.test/"}, "TWILIO_REGION"),
        ({**TOKEN, "TWILIO_EDGE": "x@y"}, "TWILIO_EDGE"),
        ({URL: "https://taskrouter.twilio.com"}, URL),
        ({URL: "http://127.0.0.1:8765/v1"}, URL),
        ({URL: "http://127.0.0.1:port"}, URL),
        ({URL: "http://a:b@127.0.0.1"}, URL),
        ({URL: "http://["}, URL),
    ],
)
def test_a_wrong_environment_names_the_variable(environment: dict[str, str], word: str) -> None:
    with pytest.raises(UnreadableWorker, match=word):
        read_access(environment)


class FakeTwilio(BaseAdapter):
    """Answers by the last segment of the path and records the addresses."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        super().__init__()
        self._answers = answers
        self.asked: list[str] = []

    def send(self, request: requests.PreparedRequest, **_: object) -> requests.Response:  # type: ignore[override]
        assert request.url is not None
        self.asked.append(request.url)
        sent = base64.b64decode(str(request.headers["Authorization"]).split()[1]).decode()
        assert sent == f"{ACCOUNT}:hush"
        status, body = self._answers[request.url.partition("?")[0].rpartition("/")[2]]
        if status == 0:
            raise body
        answer = requests.Response()
        answer.status_code = status
        answer.raw = io.BytesIO(body if isinstance(body, bytes) else json.dumps(body).encode())
        return answer

    def close(self) -> None:
        pass


def read(answers: Mapping[str, Any], name: str = "ada@x") -> tuple[Worker, FakeTwilio]:
    session, twilio = requests.Session(), FakeTwilio(answers)
    session.mount("https://", twilio)
    access = TaskRouterAccess("https://taskrouter.twilio.com", WORKSPACE, ACCOUNT, "hush")
    return read_worker(access, name, session), twilio


LISTED = (200, {"workers": [{"sid": "WK1", "friendly_name": "ada@x", "attributes": None}]})


def test_the_worker_is_listed_by_name_and_fetched_for_its_attributes() -> None:
    row = {"sid": "WK1", "friendly_name": "a&b=#"}
    listed = (200, {"workers": [row, {**row, "friendly_name": "A&b=#"}]})
    worker, twilio = read({"Workers": listed, "WK1": (200, {"attributes": '{"email": "ada@x"}'})}, "a&b=#")
    assert (worker.sid, worker.attributes) == ("WK1", {"email": "ada@x"})
    root = f"https://taskrouter.twilio.com/v1/Workspaces/{WORKSPACE}/Workers"
    assert twilio.asked == [f"{root}?FriendlyName=a%26b%3D%23&PageSize=50", f"{root}/WK1"]


@pytest.mark.parametrize(
    ("answers", "word"),
    [
        ({"Workers": (200, {"workers": []})}, "no worker is called"),
        ({"Workers": (200, {"workers": [{"sid": "WK1", "friendly_name": "Ada@x"}]})}, "no worker is called"),
        ({"Workers": (200, {"workers": LISTED[1]["workers"] * 2})}, "2 workers are called"),
        ({"Workers": (200, {"workers": None})}, "a list of workers"),
        ({"Workers": (200, ["odd"])}, "JSON object"),
        ({"Workers": (200, b"<html>")}, "JSON object"),
        ({"Workers": (401, {"code": 20003, "message": "Authenticate"})}, r"refused the key \(401 20003"),
        ({"Workers": (404, {"code": 20404, "message": "not found"})}, "has no workspace WS3"),
        ({"Workers": (429, {"code": 20429})}, "run the same command again"),
        ({"Workers": (503, b"")}, "run the same command again"),
        ({"Workers": (302, b"")}, "refused to show the worker"),
        ({"Workers": (0, requests.ConnectTimeout("https://AC:hush@x"))}, "did not answer in time"),
        ({"Workers": (0, requests.ConnectionError("https://AC:hush@x"))}, "cannot be reached"),
        ({"Workers": LISTED, "WK1": (200, {"attributes": "not json"})}, "JSON object"),
        ({"Workers": LISTED, "WK1": (200, {"attributes": "[1]"})}, "JSON object"),
        ({"Workers": LISTED, "WK1": (200, {"attributes": None})}, "JSON object"),
        ({"Workers": LISTED, "WK1": (200, {"attributes": "[" * 100_000})}, "JSON object"),
    ],
)
def test_every_failure_is_one_line_without_the_key(answers: Mapping[str, Any], word: str) -> None:
    with pytest.raises(UnreadableWorker, match=word) as error:
        read(answers)
    assert "hush" not in str(error.value)
    assert "\n" not in str(error.value)
