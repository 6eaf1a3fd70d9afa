"""If this goes red, a person who signs in at the local page answers no question, or another site can answer for them."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urljoin

import pytest
import requests

from flexsaml.errors import UserError
from tests.emulator.process import TENANT, Emulator
from tests.live.browser import BrowserSignIn
from tests.live.conftest import connect_to, make_run
from tests.live.experiment import NobodySignedIn, Undecided
from tests.live.run import EXPERIMENTS
from tests.live.scratch import Scratch, ScratchUser
from tests.live.signin import Form

ASKED = ("policy-in-force-after", "same-claim-type")


def make_sign_in(emulator: Emulator, port: int = 0) -> BrowserSignIn:
    return BrowserSignIn(emulator.http, TENANT, port, poll=0.2)


def make_scratch(emulator: Emulator, port: int) -> Scratch:
    client, directory, clock = connect_to(emulator)
    scratch = Scratch(
        client, directory, clock, "flexsaml-live-00000000", f"http://localhost:{port}/acs", "", app_id="app"
    )
    scratch.users.append(ScratchUser("id", "<upn>", "<password>"))
    return scratch


class Robot(threading.Thread):
    """Plays the person and the browser: opens the page, chooses the account it names, and goes where it is sent."""

    def __init__(self, address: str) -> None:
        super().__init__(daemon=True)
        self.address, self.session, self.is_done, self.sign_ins = address, requests.Session(), threading.Event(), 0
        self.session.trust_env = False

    def run(self) -> None:
        with self.session, suppress(requests.ConnectionError):  # the page goes when the run is over
            page = self.session.get(self.address, timeout=30)
            while "Password" not in page.text:
                page = self.session.get(self.address, timeout=30)
            user = re.findall("<code>(.*?)</code>", page.text)[0]
            while not self.is_done.is_set():
                page = self.session.get(self.address + "next", timeout=30)
                if 'name="user"' in page.text:
                    self.choose_account(page, user)

    def choose_account(self, page: requests.Response, user: str) -> None:
        form = Form(page.text)
        issued = self.session.post(urljoin(page.url, form.action), {**form.fields, "user": user}, timeout=30)
        response = Form(issued.text)
        self.session.post(response.action, response.fields, timeout=30, allow_redirects=False)
        self.sign_ins += 1


@contextmanager
def robot_at(sign_in: BrowserSignIn) -> Iterator[Robot]:
    robot = Robot(sign_in.address)
    robot.start()
    try:
        yield robot
    finally:
        robot.is_done.set()
        robot.join(30)


def test_a_person_signs_in_once_and_the_questions_are_answered(emulator: Emulator) -> None:
    before = emulator.export()
    asked = [experiment for experiment in EXPERIMENTS if experiment.question in ASKED]
    with make_sign_in(emulator).serve() as sign_in, robot_at(sign_in) as robot:
        reply_url = f"http://localhost:{sign_in.port}/acs"
        report = make_run(emulator, asked, sign_in=sign_in, reply_url=reply_url).carry_out()
    assert [row["answer"] for row in report["answers"]] == ["at-once", "all"]
    assert robot.sign_ins == 3
    assert emulator.export() == before


def test_somebody_else_who_signs_in_answers_nothing(emulator: Emulator) -> None:
    class Stranger:
        def sign_in(self, scratch: Scratch, seconds: float) -> str:
            answered = make_run(emulator).sign_in
            assert answered is not None
            scratch.users.insert(0, scratch.users.pop())  # the other user signs in
            try:
                return answered.sign_in(scratch, seconds)
            finally:
                scratch.users.append(scratch.users.pop(0))

    asked = [experiment for experiment in EXPERIMENTS if experiment.question == "same-claim-type"]
    (row,) = make_run(emulator, asked, sign_in=Stranger()).carry_out()["answers"]
    assert row["answer"] is None
    assert "somebody else signed in" in row["undecided"]


def test_nobody_signs_in(emulator: Emulator) -> None:
    sign_in = make_sign_in(emulator)
    with pytest.raises(Undecided, match="nobody signed in"):
        sign_in.sign_in(make_scratch(emulator, 1), 0.01)


@contextmanager
def waiting(sign_in: BrowserSignIn, scratch: Scratch) -> Iterator[list[str]]:
    """A sign-in that waits meanwhile; how it ended is in the list afterwards."""
    ended: list[str] = []

    def wait() -> None:
        try:
            ended.append(sign_in.sign_in(scratch, 30))
        except Undecided as problem:
            ended.append(str(problem))

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    yield ended
    thread.join(30)


def test_only_the_response_that_is_waited_for_is_taken(emulator: Emulator) -> None:
    with make_sign_in(emulator).serve() as sign_in, requests.Session() as session:
        session.trust_env = False
        origin, scratch = f"http://127.0.0.1:{sign_in.port}", make_scratch(emulator, sign_in.port)
        with waiting(sign_in, scratch) as ended:
            page = session.get(sign_in.address, timeout=30)
            assert "&lt;upn&gt;" in page.text
            assert "&lt;password&gt;" in page.text
            request = session.get(sign_in.address + "next", timeout=30, allow_redirects=False)
            relay_state = (
                requests.compat.urlparse(request.headers["Location"]).query.split("RelayState=")[1].split("&")[0]
            )

            def post(path: str, host: str = "", **fields: str) -> int:
                headers = {"Host": host} if host else {}
                answer = session.post(f"{origin}{path}", fields, headers=headers, timeout=30, allow_redirects=False)
                return answer.status_code

            assert post("/acs", SAMLResponse="forged", RelayState="guess") == 403
            assert post("/acs", SAMLResponse="forged") == 403
            assert post("/acs", RelayState=relay_state) == 403
            assert post("/acs", "evil.example", SAMLResponse="forged", RelayState=relay_state) == 421
            assert post("/key/refused", code="AADSTS50011") == 404
            assert session.get(f"{origin}/key/", timeout=30).status_code == 404
            assert ended == []
            assert post("/acs", SAMLResponse="genuine", RelayState=relay_state) == 303
        assert ended == ["genuine"]
        assert post("/acs", SAMLResponse="genuine", RelayState=relay_state) == 403, "it is taken once"


def test_an_error_that_entra_shows_ends_the_question(emulator: Emulator) -> None:
    with make_sign_in(emulator).serve() as sign_in, requests.Session() as session:
        session.trust_env = False
        with waiting(sign_in, make_scratch(emulator, sign_in.port)) as ended:
            session.get(sign_in.address, timeout=30)
            session.post(
                sign_in.address + "refused",
                {"code": "AADSTS50011: The redirect URI"},
                timeout=30,
                allow_redirects=False,
            )
        assert ended == ["Entra refused the sign-in: AADSTS50011"]


def test_a_port_in_use_is_named(emulator: Emulator) -> None:
    taken = int(emulator.http.rpartition(":")[2])
    with pytest.raises(UserError, match=f"port {taken} cannot be used .*--port"), make_sign_in(emulator, taken).serve():
        pass


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (NobodySignedIn("nobody"), "not asked, because nobody signs in any more"),
        (Undecided("Entra refused the sign-in: AADSTS50011"), "not asked, because the first sign-in failed"),
    ],
)
def test_questions_do_not_wait_for_sign_ins_that_will_not_come(
    emulator: Emulator, problem: Undecided, reason: str
) -> None:
    class Absent:
        asked = 0

        def sign_in(self, *_given: object) -> str:
            self.asked += 1
            raise problem

    absent = Absent()
    rows = make_run(emulator, sign_in=absent).carry_out()["answers"]
    assert absent.asked == 1
    undecided = [row["undecided"] for row in rows if row["answer"] is None]
    assert undecided == [str(problem), *[reason] * (sum(experiment.signs_in for experiment in EXPERIMENTS) - 1)]
