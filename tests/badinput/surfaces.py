"""Every place where bad input comes in, as a function from the input to what a user sees. A helper, not a test.

Each returns the exit status of a command, or 2 where a library call raises the error that a command would end with, and
the lines. An exception that would be a traceback is not caught.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
from requests.adapters import BaseAdapter

from flexsaml.errors import UserError
from flexsaml.flex import read_access, read_worker
from flexsaml.graph import cloud, credentials
from flexsaml.terminal_text import escape_controls
from flexsaml.verification import parse_metadata
from providers import provider_class
from tests.cli.command import Ended, run
from tests.graph.fakes import Answer, stage
from tests.prediction import seeded
from tests.providers.test_check_and_diff import KINDS
from tests.verification import good_response as made

Outcome = tuple[int, list[str]]
GOOD_STACK = (
    "config:\n  flexsaml:cloud: loopback\n  flexsaml:servicePrincipal: Twilio Flex\n  flexsaml:claims: "
    "{nameid: user.userprincipalname, email: user.mail, full_name: user.displayname, roles: user.assignedroles}\n"
)
ROSTER_STACK = (
    f"{GOOD_STACK}  flexsaml:extensions: {{team: String, badge: Integer, on: Boolean, since: DateTime, raw: Binary, "
    "big: LargeInteger, skills: {dataType: String, multiValued: true}}\n  flexsaml:usersFile: roster.csv\n"
)
TWO_POLICIES = '{"value": [{"definition": ["{}"]}, {"definition": ["{}"]}]}'
ENCODINGS = {"latin-1": "latin-1", "utf-16": "utf-16"}


def _read_outcome(ended: Ended) -> Outcome:
    lines = (ended.err or ended.out).splitlines()
    usage = [line for line in lines if ": error: " in line]  # argparse prints how a command is used before it
    return ended.status, usage or lines


def _encode(name: str, text: str) -> bytes:
    """Text of a table as a file holds it; surrogates stand for bytes that are not UTF-8."""
    return text.encode(ENCODINGS[name]) if name in ENCODINGS else text.encode("utf-8", "surrogateescape")


def read_stack_file(name: str, text: str, folder: Path) -> Outcome:
    (folder / "Pulumi.dev.yaml").write_bytes(_encode(name, text))
    return _read_outcome(run("lint", "Pulumi.dev.yaml", cwd=folder))


def read_roster_file(name: str, text: str, folder: Path) -> Outcome:
    (folder / "Pulumi.dev.yaml").write_text(ROSTER_STACK)
    (folder / "roster.csv").write_bytes(_encode(name, text))
    return _read_outcome(run("lint", "Pulumi.dev.yaml", cwd=folder))


def read_definition(name: str, text: str, folder: Path) -> Outcome:
    (folder / "policy.json").write_bytes(_encode(name, text))
    return _read_outcome(run("lint", "policy.json", cwd=folder))


def predict_definition(_name: str, text: str, _folder: Path) -> Outcome:
    """The sign-in of a user with two roles under this policy; the lines are the reasons that a person reads."""

    def predict() -> list[str]:
        user = seeded.agent(seeded.ADA, roles=("admin", "agent"))
        prediction = seeded.predict_definition(text.encode("utf-8", "surrogateescape"), user)
        return [escape_controls(line) for line in (*prediction.verdict.problems, *prediction.verdict.doubts)]

    try:
        return 0, predict()
    except UserError as error:
        return 2, [str(error)]


def run_command(_name: str, arguments: list[str], folder: Path) -> Outcome:
    (folder / "Pulumi.yaml").write_text("name: infra\nruntime: python\n")  # else the stacks of this checkout are meant
    (folder / "Pulumi.dev.yaml").write_text(GOOD_STACK)
    (folder / "policy.json").write_text('{"ClaimsMappingPolicy": {"Version": 1, "ClaimsSchema": []}}')
    (folder / "two.json").write_text(TWO_POLICIES)
    (folder / "good.xml").write_bytes(made.good_bytes())
    (folder / "response.xml").write_text("<a/>")
    (folder / "key.pem").write_bytes(made.pem(made.certificate()))
    (folder / "private.pem").write_bytes(made.public_key_pem())
    return _read_outcome(run(*arguments, cwd=folder))


def read_environment(_name: str, environment: dict[str, str], folder: Path) -> Outcome:
    """Twilio's variables are read by themselves, the others by `doctor`, which reads them all."""
    if not environment or any(name.startswith(("TWILIO_", "FLEXSAML_TASKROUTER")) for name in environment):
        return _raised(lambda: read_access(environment))
    has_tenant = any(name.startswith("AZURE_") for name in environment)
    stack = GOOD_STACK.replace("cloud: loopback", "cloud: public") if has_tenant else GOOD_STACK
    (folder / "Pulumi.dev.yaml").write_text(stack)
    given = [] if "PULUMI_STACK" in environment else ["--file", "Pulumi.dev.yaml"]
    return _read_outcome(run("doctor", *given, cwd=folder, environment=environment))


def read_graph_answer(_name: str, given: list[str], _folder: Path) -> Outcome:
    """`given`: the call, and the body of each of its answers."""
    call, body = given
    scene = stage(*[Answer(200, body.encode("utf-8", "surrogateescape")) for _ in range(40)])
    calls: dict[str, Callable[[], object]] = {
        "entity": lambda: scene.client.entity("/things/1"),
        "pages": lambda: list(scene.client.pages("/things")),
        "batch": lambda: [answer.failure for answer in scene.client.read_batch(["/things/1"]) if answer.failure],
    }

    def raise_failures() -> None:
        failures = calls[call]()
        if call == "batch" and isinstance(failures, list) and failures:
            raise failures[0]

    return _raised(raise_failures)


def read_worker_answer(_name: str, body: str, _folder: Path) -> Outcome:
    access = read_access({"FLEXSAML_TASKROUTER_URL": "http://127.0.0.1:9"})
    return _raised(lambda: read_worker(access, "ada", _answering(body)))


def read_token_answer(_name: str, body: str, _folder: Path) -> Outcome:
    return _raised(credentials(cloud("loopback"), session=_answering(body)).token)


def read_metadata(_name: str, text: str, _folder: Path) -> Outcome:
    return _raised(lambda: parse_metadata(text.encode("utf-8", "surrogateescape"), "m.xml"))


def read_response(name: str, text: str, folder: Path) -> Outcome:
    raw = "<a/>".encode("utf-16-be") if name == "UTF-16" else text.encode("utf-8", "surrogateescape")
    (folder / "response").write_bytes(raw)
    (folder / "key.pem").write_bytes(made.pem(made.certificate()))
    return _read_outcome(run("verify", "response", "--certificate", "key.pem", cwd=folder))


class _SameAnswer(BaseAdapter):
    """Answers every request with 200 and this body."""

    def __init__(self, body: str) -> None:
        super().__init__()
        self._body = body.encode()

    def send(self, request: requests.PreparedRequest, **_options: Any) -> requests.Response:  # type: ignore[override]
        response = requests.Response()
        response.status_code, response.url = 200, request.url or ""
        response._content, response._content_consumed = self._body, True  # type: ignore[attr-defined]
        return response

    def close(self) -> None:
        """Nothing is open."""


def read_state(_name: str, given: list[Any], _folder: Path) -> Outcome:
    """`given`: a kind, a property in its state, and what somebody wrote there; without that, it was deleted."""
    kind, key, *values = given
    provider = provider_class(kind)()
    good = provider.check({}, KINDS[kind])
    assert not good.failures
    olds = {name: value for name, value in good.inputs.items() if name != key} | ({key: values[0]} if values else {})
    return _raised(lambda: provider.diff("id", olds, good.inputs))


def _answering(body: str) -> requests.Session:
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, _SameAnswer(body))
    return session


def _raised(call: Callable[[], object]) -> Outcome:
    try:
        call()
    except UserError as error:
        return 2, [str(error)]
    return 0, ["accepted"]


SURFACES: dict[str, Callable[[str, Any, Path], Outcome]] = {
    "stack": read_stack_file,
    "roster": read_roster_file,
    "definition": read_definition,
    "arguments": run_command,
    "environment": read_environment,
    "graph": read_graph_answer,
    "worker": read_worker_answer,
    "token": read_token_answer,
    "metadata": read_metadata,
    "response": read_response,
    "state": read_state,
}


def expand(given: Any) -> Any:
    """An input of a row: text is written as it is, or as a list of texts and how often each is repeated."""
    is_pieces = isinstance(given, list) and given and all(isinstance(piece, list) for piece in given)
    return "".join(text * count for text, count in given) if is_pieces else given


def load_rows(surface: str) -> dict[str, dict[str, Any]]:
    """Name to `input`, `status` and the `line`, or one of the lines."""
    rows: dict[str, dict[str, Any]] = json.loads(
        (Path(__file__).parent / "rows" / f"{surface}.json").read_text("utf-8")
    )
    return rows
