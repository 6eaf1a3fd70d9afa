"""If this goes red, `worker` asks Twilio at the wrong place, shows a key, or a traceback for what Twilio may answer."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter

from flexsaml.flex.taskrouter import SANDBOX_ACCOUNT, SANDBOX_WORKSPACE, URL, Access, UnreadableWorker, access, worker
from flexsaml.prediction.comparison import compared
from flexsaml.prediction.policy import sign_in_policy
from flexsaml.prediction.predict import predict
from tests.prediction.seeded import CASES, agent, definition, place

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
            {**TOKEN, "TWILIO_EDGE": "dublin", "TWILIO_REGION": "ie1"},
            "",
            "https://taskrouter.dublin.ie1.twilio.com",
            ACCOUNT,
        ),
        ({}, LOCAL, LOCAL, SANDBOX_ACCOUNT),
        ({URL: f"{LOCAL}/"}, "", LOCAL, SANDBOX_ACCOUNT),
        (
            TOKEN,
            LOCAL,
            "https://taskrouter.twilio.com",
            ACCOUNT,
        ),  # keys of one's own ask Twilio, whatever the tenant is
        ({**TOKEN, URL: LOCAL}, "", LOCAL, ACCOUNT),
    ],
)
def test_where_it_asks_and_as_whom(environment: dict[str, str], sandbox: str, base: str, user: str) -> None:
    found = access(environment, sandbox)
    assert (found.base, found.user) == (base, user)
    assert found.workspace == (SANDBOX_WORKSPACE if user == SANDBOX_ACCOUNT else WORKSPACE)
    assert found.password not in repr(found) or found.password == "sandbox"
    assert "hush" not in repr(found)


@pytest.mark.parametrize(
    ("environment", "word"),
    [
        ({}, "TWILIO_ACCOUNT_SID"),
        ({"TWILIO_ACCOUNT_SID": ACCOUNT}, "TWILIO_AUTH_TOKEN"),
        ({"TWILIO_API_KEY": KEY, "TWILIO_WORKSPACE_SID": WORKSPACE}, "TWILIO_API_KEY_SECRET"),
        ({**TOKEN, "TWILIO_WORKSPACE_SID": ""}, "TWILIO_WORKSPACE_SID"),
        ({**TOKEN, "TWILIO_WORKSPACE_SID": "../Accounts"}, "TWILIO_WORKSPACE_SID is no WS"),
        ({**TOKEN, "TWILIO_ACCOUNT_SID": KEY}, "TWILIO_ACCOUNT_SID is no AC"),
        ({**TOKEN, "TWILIO_REGION": "evil.test/"}, "TWILIO_REGION"),
        ({**TOKEN, "TWILIO_EDGE": "x@y"}, "TWILIO_EDGE"),
        ({URL: "https://taskrouter.twilio.com"}, URL),
        ({URL: "http://127.0.0.1:8765/v1"}, URL),
        ({URL: "http://127.0.0.1:port"}, URL),
        ({URL: "http://a:b@127.0.0.1"}, URL),
        ({URL: "http://["}, URL),
    ],
)
def test_what_the_environment_lacks_is_named(environment: dict[str, str], word: str) -> None:
    with pytest.raises(UnreadableWorker, match=word):
        access(environment)


class FakeTwilio(BaseAdapter):
    """Answers by the last part of the path; notes what was asked."""

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


def read(answers: Mapping[str, Any], name: str = "ada@x") -> tuple[Any, list[str]]:
    session, twilio = requests.Session(), FakeTwilio(answers)
    session.mount("https://", twilio)
    where = Access("https://taskrouter.twilio.com", WORKSPACE, ACCOUNT, "hush")
    return worker(where, name, session), twilio.asked


LISTED = (200, {"workers": [{"sid": "WK1", "friendly_name": "ada@x", "attributes": None}]})


def test_the_one_worker_is_fetched_for_its_attributes() -> None:
    found, asked = read({"Workers": LISTED, "WK1": (200, {"attributes": '{"email": "ada@x"}'})})
    assert (found.sid, found.attributes) == ("WK1", {"email": "ada@x"})
    root = f"https://taskrouter.twilio.com/v1/Workspaces/{WORKSPACE}/Workers"
    assert asked == [f"{root}?FriendlyName=ada%40x&PageSize=50", f"{root}/WK1"]


def test_a_name_is_escaped() -> None:
    with pytest.raises(UnreadableWorker):
        read({"Workers": (200, {"workers": []})}, name="a&FriendlyName=b#")
    session = FakeTwilio({"Workers": (200, {"workers": []})})
    opened = requests.Session()
    opened.mount("https://", session)
    with pytest.raises(UnreadableWorker):
        worker(Access("https://taskrouter.twilio.com", WORKSPACE, ACCOUNT, "hush"), "a&b=#", opened)
    assert session.asked[0].endswith("?FriendlyName=a%26b%3D%23&PageSize=50")


@pytest.mark.parametrize(
    ("answers", "word"),
    [
        ({"Workers": (200, {"workers": []})}, "no worker is called"),
        ({"Workers": (200, {"workers": [{"sid": "WK1", "friendly_name": "Ada@x"}]})}, "no worker is called"),
        ({"Workers": (200, {"workers": LISTED[1]["workers"] * 2})}, "2 workers are called"),
        ({"Workers": (200, {"workers": None})}, "no worker is called"),
        ({"Workers": (200, ["odd"])}, "no JSON object"),
        ({"Workers": (200, b"<html>")}, "no JSON object"),
        ({"Workers": (401, {"code": 20003, "message": "Authenticate"})}, r"does not take the key \(401 20003"),
        ({"Workers": (404, {"code": 20404, "message": "not found"})}, "there is no workspace WS3"),
        ({"Workers": (429, {"code": 20429})}, "run the same command again"),
        ({"Workers": (503, b"")}, "run the same command again"),
        ({"Workers": (302, b"")}, "refuses to show the worker"),
        ({"Workers": (0, requests.ConnectTimeout("https://AC:hush@x"))}, "does not answer in time"),
        ({"Workers": (0, requests.ConnectionError("https://AC:hush@x"))}, "cannot be reached"),
        ({"Workers": LISTED, "WK1": (200, {"attributes": "not json"})}, "no JSON object"),
        ({"Workers": LISTED, "WK1": (200, {"attributes": "[1]"})}, "no JSON object"),
        ({"Workers": LISTED, "WK1": (200, {"attributes": None})}, "no JSON object"),
        ({"Workers": LISTED, "WK1": (200, {"attributes": "[" * 100_000})}, "no JSON object"),
    ],
)
def test_whatever_twilio_answers_is_one_line_without_the_key(answers: Mapping[str, Any], word: str) -> None:
    with pytest.raises(UnreadableWorker, match=word) as told:
        read(answers)
    assert "hush" not in str(told.value)
    assert "\n" not in str(told.value)


def test_attributes_are_compared_as_json() -> None:
    case = CASES["03-guide-extension-of-nobody"]
    one = predict(sign_in_policy(definition(case)), place(), agent(case["user"]))
    has = {"email": "susan@contoso.example", "full_name": "S. Calvin", "exampleclaimattribute": "old", "wing": 1}
    told = {each.name: each.outcome for each in compared(one, has)}
    assert told == {
        "full_name": "differs",
        "roles": "missing",
        "email": "same",
        "contact_uri": "missing",
        "exampleclaimattribute": "kept",
        "wing": "not from sign-in",
    }
    typed = predict(
        sign_in_policy(json.dumps({"ClaimsMappingPolicy": {"Version": 1, "ClaimsSchema": [
            {"Value": "1", "SamlClaimType": "skill.int"}, {"Value": "true", "SamlClaimType": "on.boolean"},
            {"Value": "2", "SamlClaimType": "channel.voice.capacity"}]}})),
        place(), agent(case["user"]),
    )  # fmt: skip
    told = {each.name: each.outcome for each in compared(typed, {"skill": True, "on": 1})}
    assert told == {"skill": "differs", "on": "differs", "contact_uri": "missing"}
